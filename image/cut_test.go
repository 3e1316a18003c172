package image_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"spindle/disc"
	"spindle/image"
	"spindle/image/format"
	"spindle/image/imagetest"
	"spindle/internal/testdisc"
	"spindle/nrg"
)

// An image of which the end is missing opens as far as it goes. The rest is flaws, the
// contract holds, and what is made of it says so.
func TestCutImages(t *testing.T) {
	for name, test := range map[string]struct {
		source, as string
		options    image.CreateOptions
		cut        string // the file that is cut
		pack       bool
		want       bool // how much is missing is known
	}{
		"iso":          {"iso", ".iso", image.CreateOptions{}, "x.iso", false, true},
		"raw iso":      {"iso", ".iso", image.CreateOptions{SectorSize: 2352}, "x.iso", false, true},
		"iso.gz":       {"iso", ".iso", image.CreateOptions{}, "x.iso", true, true},
		"cue, volume":  {"iso", ".cue", image.CreateOptions{}, "x.bin", false, true},
		"cue, audio":   {"audio", ".cue", image.CreateOptions{}, "x.bin", false, true},
		"cue, packed":  {"audio", ".cue", image.CreateOptions{}, "x.bin", true, true},
		"ccd":          {"mixed", ".ccd", image.CreateOptions{}, "x.img", false, true},
		"toc":          {"mixed", ".toc", image.CreateOptions{}, "x.bin", false, true},
		"toc, audio":   {"audio", ".toc", image.CreateOptions{}, "x.bin", false, true},
		"nrg":          {"iso", ".nrg", image.CreateOptions{}, "x.nrg", false, true},
		"nrg, whole":   {"iso", ".nrg", image.CreateOptions{}, "x.nrg", false, true},
		"iso, sectors": {"iso", ".iso", image.CreateOptions{}, "x.iso", false, true},
		"cso":          {"iso", ".cso", image.CreateOptions{}, "x.cso", false, true},
		"ecm":          {"iso", ".iso.ecm", image.CreateOptions{}, "x.iso.ecm", false, true},
		"zso":          {"iso", ".zso", image.CreateOptions{}, "x.zso", false, true},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			source, err := testdisc.Make(dir, test.source)
			if err != nil {
				t.Fatal(err)
			}
			whole, err := image.Open(t.Context(), source)
			if err != nil {
				t.Fatal(err)
			}
			defer whole.Close()
			path := filepath.Join(dir, "x"+test.as)
			if _, err := image.Create(t.Context(), path, whole, test.options); err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(dir, test.cut)
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			size := len(b) * 2 / 3
			switch name {
			case "nrg, whole":
				size = len(b) - 5
			case "iso, sectors":
				size = size / 2048 * 2048
			}
			if err := os.WriteFile(file, b[:size], 0o666); err != nil {
				t.Fatal(err)
			}
			if test.pack {
				cutPacked(t, file, b)
				if file == path {
					path += ".gz"
				}
			}
			var remarks []image.Remark
			img, err := image.Open(t.Context(), path, func(r image.Remark) { remarks = append(remarks, r) })
			if err != nil {
				t.Fatal(err)
			}
			defer img.Close()
			if !slices.ContainsFunc(remarks, func(r image.Remark) bool { return r.Kind == format.CutShort }) {
				t.Errorf("remarks: %+v", remarks)
			}
			flaws, end := img.Flaws(), img.Layout().End()
			if !flaws.Contains(end-1) || flaws.Contains(0) || name != "nrg, whole" && name != "cue, packed" && !flaws.Contains(end*4/5) {
				t.Errorf("%d sectors, flaws: %v", end, flaws)
			}
			if name == "iso" && img.Layout().Sectors() != whole.Layout().Sectors() {
				t.Errorf("%d sectors", img.Layout().Sectors())
			}
			imagetest.Test(t, img)
			res, err := image.Create(t.Context(), filepath.Join(dir, "again.cue"), img, image.CreateOptions{Lossy: true})
			if err != nil {
				t.Fatal(err)
			}
			if res.Flaws.Sectors() != flaws.Sectors() || len(res.Maps) != 1 {
				t.Errorf("%v, maps %q", res.Flaws, res.Maps)
			}
			if missed := looksRight(t, filepath.Join(dir, "again.cue"), disc.FlawsOf(flaws...)); len(missed) > 0 {
				t.Errorf("%v look right", missed)
			}
		})
	}
}

// The tracks behind the first are not taken for more of its data where the table of a Nero image is lost.
func TestCutNeroOfSeveralTracks(t *testing.T) {
	for name, test := range map[string]struct {
		source string
	}{
		"data, audio":  {"mixed"},
		"two sessions": {"twosession"},
		"audio, data":  {"cdextra"},
		"audio":        {"audio"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			source, err := testdisc.Make(dir, test.source)
			if err != nil {
				t.Fatal(err)
			}
			whole, err := image.Open(t.Context(), source)
			if err != nil {
				t.Fatal(err)
			}
			defer whole.Close()
			path := filepath.Join(dir, "x.nrg")
			if _, err := image.Create(t.Context(), path, whole, image.CreateOptions{Lossy: true}); err != nil {
				t.Fatal(err)
			}
			for _, cut := range []int64{5, 100, 5000} {
				st, err := os.Stat(path)
				if err != nil {
					t.Fatal(err)
				}
				if err := os.Truncate(path, st.Size()-cut); err != nil {
					t.Fatal(err)
				}
				if img, err := image.Open(t.Context(), path); err == nil {
					t.Errorf("cut by %d: it opens with %d sectors", cut, img.Layout().Sectors())
					img.Close()
				} else if !errors.Is(err, nrg.ErrNoFooter) {
					t.Error(err)
				}
			}
		})
	}
}

// Nor are they where nothing stands before the first track, as Nero has it in track-at-once, so that the file begins as
// an .iso does.
func TestCutNeroOfTracksAtOnce(t *testing.T) {
	dir := t.TempDir()
	source, err := testdisc.Make(dir, "iso")
	if err != nil {
		t.Fatal(err)
	}
	volume, err := os.ReadFile(source)
	if err != nil {
		t.Fatal(err)
	}
	audio := bytes.Repeat([]byte{1, 2, 3, 4}, 50*2352/4)
	for name, test := range map[string]struct {
		content []byte
		opens   bool
	}{
		"audio behind it": {slices.Concat(volume, audio), false},
		"a cut table":     {slices.Concat(volume, []byte("ETN2\x00\x00")), true},
		"nothing":         {volume, true},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "x.nrg")
			if err := os.WriteFile(path, test.content, 0o666); err != nil {
				t.Fatal(err)
			}
			cut := false
			img, err := image.Open(t.Context(), path, func(r image.Remark) { cut = cut || r.Kind == format.CutShort })
			if err == nil {
				defer img.Close()
			}
			if test.opens && (err != nil || !cut) || !test.opens && !errors.Is(err, nrg.ErrNoFooter) {
				t.Errorf("%v; said to be cut: %v", err, cut)
			}
		})
	}
}

// cutPacked compresses a file, cuts that, and removes the file.
func cutPacked(t *testing.T, file string, content []byte) {
	t.Helper()
	f, err := os.Create(file + ".gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := gzip.NewWriter(f)
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	st, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Truncate(st.Size() * 2 / 3); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
}

// A sound file of which the end is missing, by its header, is one that was cut short.
func TestCutSongs(t *testing.T) {
	source, err := testdisc.Make(t.TempDir(), "cdtext")
	if err != nil {
		t.Fatal(err)
	}
	whole, err := image.Open(t.Context(), source)
	if err != nil {
		t.Fatal(err)
	}
	defer whole.Close()
	for sheet, text := range map[string]string{
		"x.cue": "FILE \"x.wav\" WAVE\n TRACK 01 AUDIO\n  INDEX 01 00:00:00\n",
		"x.toc": "CD_DA\nTRACK AUDIO\nFILE \"x.wav\" 0\n",
	} {
		dir := t.TempDir()
		wav := filepath.Join(dir, "x.wav")
		if _, err := image.Create(t.Context(), wav, whole, image.CreateOptions{Track: 1, Lossy: true}); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(wav, 44+100*2352+11); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, sheet)
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		var remarks []image.Remark
		img, err := image.Open(t.Context(), path, func(r image.Remark) { remarks = append(remarks, r) })
		if err != nil {
			t.Fatal(err)
		}
		flaws := img.Flaws()
		if len(flaws) != 1 || flaws[0].First != 100 || flaws.Sectors() != 200 || img.Layout().End() != 300 {
			t.Errorf("%s: %v of %d sectors", sheet, flaws, img.Layout().End())
		}
		if len(remarks) != 1 || remarks[0].Kind != format.CutShort || remarks[0].File != wav {
			t.Errorf("%s: %+v", sheet, remarks)
		}
		img.Close()
	}
}
