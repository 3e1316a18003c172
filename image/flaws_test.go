package image_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/image"
	"spindle/image/format"
	"spindle/image/imagetest"
	"spindle/image/mapfile"
	"spindle/internal/testdisc"
)

// Maps beside an image, of 315 sectors of 2048 bytes.
func TestMaps(t *testing.T) {
	const ddrescue = "# Mapfile. Created by GNU ddrescue version 1.27\n# current_pos  current_status  current_pass\n"
	const own = "# Mapfile. Created by spindle. It has the format of GNU ddrescue's.\n"
	for name, test := range map[string]struct {
		file, text string
		want       disc.Flaws
		err        string
	}{
		"finished":         {"iso.iso.map", ddrescue + "0 + 1\n0 0x9D800 +\n", nil, ""},
		"parts of sectors": {"iso.map", ddrescue + "0 + 1\n0 0x801 +\n0x801 0x800 -\n0x1001 0x9C7FF +\n", disc.Flaws{{First: 1, Count: 2, Kind: disc.Unread}}, ""},
		"every state": {"iso.mapfile", ddrescue + "0 + 1\n0 0x800 ?\n0x800 0x800 *\n0x1000 0x800 /\n0x1800 0x800 -\n0x2000 0x9B800 +\n",
			disc.Flaws{{First: 0, Count: 4, Kind: disc.Unread}}, ""},
		"read with errors": {"iso.iso.map", own + "# spindle-read-with-errors: 0x800 0x800\n0 + 1\n0 0x800 -\n0x800 0x800 -\n0x1000 0x9C800 +\n",
			disc.Flaws{{First: 0, Count: 1, Kind: disc.Unread}, {First: 1, Count: 1, Kind: disc.ReadWithErrors}}, ""},
		"whole sectors":   {"iso.map", own + "0 + 1\n0 740880 -\n", disc.Flaws{{First: 0, Count: 315, Kind: disc.Unread}}, ""},
		"old log":         {"iso.log", "# Rescue Logfile. Created by GNU ddrescue version 1.17\n0 +\n0 0x9D800 -\n", disc.Flaws{{First: 0, Count: 315, Kind: disc.Unread}}, ""},
		"another log":     {"iso.log", "Exact Audio Copy\n", nil, ""},
		"cut":             {"iso.map", ddrescue + "0 + 1\n0 0x9D80", nil, "line 4"},
		"cut between":     {"iso.iso.map", ddrescue + "0 + 1\n0 0x800 +\n", nil, "2048 bytes"},
		"beyond the end":  {"iso.iso.map", ddrescue + "0 + 1\n0 0x9D800 +\n0x9D800 0x800 -\n", disc.Flaws{{First: 315, Count: 1, Kind: disc.Unread}}, ""},
		"flaws outside":   {"iso.map", own + "# spindle-read-with-errors: 0x9D800 0x800\n0 + 1\n0 0x9D800 -\n", nil, "line 2"},
		"flaws of no bad": {"iso.map", own + "# spindle-read-with-errors: 0x800 0x800\n0 + 1\n0 0x9D800 +\n", nil, "line 2"},
		"empty":           {"iso.iso.map", "", nil, "no status line"},
		"no map":          {"iso.iso.map", "hello\n", nil, "line 1"},
		"no map, perhaps": {"iso.map", "hello\n", nil, ""},
		"of another":      {"iso.map", ddrescue + "0 + 1\n0 0x1000 -\n", nil, ""},
		"without a title": {"iso.map", "0 + 1\n0 0x9D800 -\n", disc.Flaws{{First: 0, Count: 315, Kind: disc.Unread}}, ""},
		"surely, another": {"iso.iso.map", ddrescue + "0 + 1\n0 0x1000 -\n", nil, "of a copy of 4096 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path, err := testdisc.Make(dir, "iso")
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(dir+"/"+test.file, []byte(test.text), 0o666); err != nil {
				t.Fatal(err)
			}
			img, err := image.Open(context.Background(), path)
			if test.err != "" {
				if !errors.Is(err, image.ErrMap) || !strings.Contains(err.Error(), test.file) || !strings.Contains(err.Error(), test.err) {
					t.Errorf("%v, want %q", err, test.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := img.Flaws(); len(got) != len(test.want) {
				t.Errorf("%v, want %v", got, test.want)
			} else {
				for i := range got {
					if got[i] != test.want[i] {
						t.Errorf("%v, want %v", got, test.want)
					}
				}
			}
			defer img.Close()
			imagetest.Test(t, img)
		})
	}
}

// Damage of an image of 2048-byte sectors shows in the whole sectors that are made of it,
// also where the map is lost on the way.
func TestFlawsInBuiltSectors(t *testing.T) {
	dir := t.TempDir()
	path, err := testdisc.Make(dir, "iso")
	if err != nil {
		t.Fatal(err)
	}
	text := "0 + 1\n0 0x3200 +\n0x3200 0x800 -\n0x3A00 0x99E00 +\n"
	if err := os.WriteFile(path+".map", []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, out := range []string{"a.cue", "b.nrg", "c.toc", "d.ccd", "e.chd", "f.mds"} {
		img, err := image.Open(context.Background(), path)
		if err != nil {
			t.Fatal(err)
		}
		out = dir + "/" + out
		res, err := image.Create(t.Context(), out, img, image.CreateOptions{})
		img.Close()
		if err != nil {
			t.Fatal(err)
		}
		if res.Damaged != 0 || res.Flaws.Sectors() != 2 {
			t.Errorf("%s: %d damaged, %d flaws", out, res.Damaged, res.Flaws.Sectors())
		}
		if wrong := looksRight(t, out, res.Flaws); len(wrong) > 0 {
			t.Errorf("%s: %v look right", out, wrong)
		}
		if strings.HasSuffix(out, ".nrg") {
			continue // has 2048 bytes a sector, and nothing but the map
		}
		if err := os.Remove(out + ".map"); err != nil {
			t.Error(err)
		}
		if wrong := looksRight(t, out, res.Flaws); len(wrong) > 0 {
			t.Errorf("%s without its map: %v look right", out, wrong)
		}
	}
}

// A map that bears the name of an image only in part, and is that of another, is remarked.
func TestOtherMap(t *testing.T) {
	dir := t.TempDir()
	path, err := testdisc.Make(dir, "iso")
	if err != nil {
		t.Fatal(err)
	}
	writeMap(t, dir+"/iso.map", 4096, 0, 4096)
	var got []image.Remark
	img, err := image.Open(t.Context(), path, func(r image.Remark) { got = append(got, r) })
	if err != nil {
		t.Fatal(err)
	}
	img.Close()
	want := image.Remark{Kind: format.OtherMap, File: dir + "/iso.map", Have: 4096, Want: 315 * 2048}
	if len(got) != 1 || !reflect.DeepEqual(got[0], want) {
		t.Errorf("%+v", got)
	}
}

// writeMap writes a map of so many bytes, some of which are bad.
func writeMap(t *testing.T, path string, size, bad, count int64) {
	t.Helper()
	m := mapfile.New(size)
	m.Set(0, size, mapfile.Finished)
	m.Set(bad, count, mapfile.Bad)
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := m.WriteTo(f); err != nil {
		t.Fatal(err)
	}
}

// The map of an image is found through a symbolic link, from each .bin of a sheet that
// has but one, and for each file of a sheet.
func TestMapsOfFiles(t *testing.T) {
	dir := t.TempDir()
	source, err := testdisc.Make(dir, "iso")
	if err != nil {
		t.Fatal(err)
	}
	img, err := image.Open(t.Context(), source)
	if err != nil {
		t.Fatal(err)
	}
	defer img.Close()
	path := dir + "/data.cue"
	if _, err := image.Create(t.Context(), path, img, image.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	const size = 315 * cdsector.Size
	flawsOf := func(path string) disc.Flaws {
		t.Helper()
		img, err := image.Open(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		defer img.Close()
		return img.Flaws()
	}
	writeMap(t, path+".map", size, 10*cdsector.Size, cdsector.Size)
	if err := os.Mkdir(dir+"/links", 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(dir+"/data.bin", dir+"/links/x.bin"); err != nil {
		t.Skip(err)
	}
	want := disc.FlawsOf(disc.Flaw{First: 10, Count: 1, Kind: disc.Unread})
	for _, name := range []string{"data.cue", "data.bin", "links/x.bin"} {
		if got := flawsOf(dir + "/" + name); !slices.Equal(got, want) {
			t.Errorf("%s: %v", name, got)
		}
	}
	for from, to := range map[string]string{"data.bin": "d (Track 1).bin", "data.cue.map": "d.cue.map"} {
		if err := os.Rename(dir+"/"+from, dir+"/"+to); err != nil {
			t.Fatal(err)
		}
	}
	if got := flawsOf(dir + "/d (Track 1).bin"); !slices.Equal(got, want) {
		t.Errorf("split .bin: %v", got)
	}
}

// Songs have a map each, which a sheet that names them carries on.
func TestMapsOfSongs(t *testing.T) {
	dir := t.TempDir()
	path, err := testdisc.Make(dir, "audio")
	if err != nil {
		t.Fatal(err)
	}
	img, err := image.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer img.Close()
	tracks := img.Layout().Tracks()
	bad := disc.FlawsOf(disc.Flaw{First: tracks[1].Start + 5, Count: 2, Kind: disc.ReadWithErrors})
	for _, ext := range []string{".wav", ".flac"} {
		res, err := image.Create(t.Context(), dir+"/a"+ext, disc.WithFlaws(img, bad), image.CreateOptions{Split: true})
		if err != nil {
			t.Fatal(err)
		}
		name := "a (Track 2)" + ext
		if want := []string{dir + "/" + name + ".map"}; !slices.Equal(res.Maps, want) {
			t.Errorf("%s: maps %q", ext, res.Maps)
		}
		sheet := fmt.Sprintf("FILE %q WAVE\n  TRACK 01 AUDIO\n    INDEX 01 00:00:00\n", name)
		if err := os.WriteFile(dir+"/one.cue", []byte(sheet), 0o666); err != nil {
			t.Fatal(err)
		}
		one, err := image.Open(t.Context(), dir+"/one.cue")
		if err != nil {
			t.Fatal(err)
		}
		if got, want := one.Flaws(), bad.Shift(-tracks[1].Start); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", ext, got, want)
		}
		one.Close()
		// A later, whole one takes the map away.
		if _, err := image.Create(t.Context(), dir+"/a"+ext, img, image.CreateOptions{Split: true, Force: true}); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(dir + "/" + name + ".map"); err == nil {
			t.Errorf("%s: the map of the damaged one is still there", ext)
		}
	}
}

// A map that names the image and cannot be read is reported, or is an error where nobody listens.
func TestBrokenMaps(t *testing.T) {
	const title = "# Mapfile. Created by GNU ddrescue version 1.27\n"
	file := func(text string) func(string) error {
		return func(path string) error { return os.WriteFile(path, []byte(text), 0o666) }
	}
	for name, put := range map[string]func(string) error{
		"cut":            file(title + "0 + 1\n0 0x9D80"),
		"cut early":      file("# Mapf"[:2]),
		"empty":          file(""),
		"zeros":          file(strings.Repeat("\x00", 300)),
		"unknown status": file("0 + 1\n0 0x9D800 z\n"),
		"hole":           file("0 + 1\n0 0x800 +\n0x1000 0x9C800 +\n"),
		"no blocks":      file(title + "0 + 1\n"),
		"folder":         func(path string) error { return os.Mkdir(path, 0o777) },
		"dangling":       func(path string) error { return os.Symlink("nowhere", path) },
	} {
		for _, as := range []string{"iso.iso.map", "iso.map", "iso.iso.mapfile", "ISO.MAP"} {
			if name == "cut early" && as != "iso.iso.map" && as != "iso.iso.mapfile" {
				continue // looks like nothing
			}
			dir := t.TempDir()
			path, err := testdisc.Make(dir, "iso")
			if err != nil {
				t.Fatal(err)
			}
			if err := put(dir + "/" + as); err != nil {
				t.Skip(err)
			}
			if _, err := image.Open(t.Context(), path); !errors.Is(err, image.ErrMap) {
				t.Errorf("%s, %s: %v", name, as, err)
			}
			var got []image.Remark
			img, err := image.Open(t.Context(), path, func(r image.Remark) { got = append(got, r) })
			if err != nil {
				t.Fatal(err)
			}
			img.Close()
			if len(got) != 1 || got[0].Kind != format.BrokenMap || got[0].File != dir+"/"+as || got[0].Err == nil {
				t.Errorf("%s, %s: %+v", name, as, got)
			}
		}
	}
}

// What is in doubt stays so in what is made of it, beside its flaws and without any, and whichever
// names the maps have.
func TestDoubtsArePassedOn(t *testing.T) {
	dir := t.TempDir()
	source, err := testdisc.Make(dir, "audio")
	if err != nil {
		t.Fatal(err)
	}
	for _, flaws := range []disc.Flaws{nil, {{First: 100, Count: 3, Kind: disc.Unread}}} {
		path := source
		for _, out := range []string{"a.nrg", "b.chd", "c.toc", "d.ccd", "e.mds", "f.cue"} {
			var why []error
			img, err := image.Open(t.Context(), path, func(r image.Remark) {
				if r.Kind == format.InDoubt {
					why = append(why, r.Err)
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			if path == source {
				img, why = disc.WithFlaws(img, flaws), []error{errors.New("a sum is wrong")}
			}
			if got := img.Flaws(); fmt.Sprint(why) != "[a sum is wrong]" || path != source && !slices.Equal(got, flaws) {
				t.Errorf("%s: %v, flaws %v", path, why, got)
			}
			path = dir + "/" + out
			res, err := image.Create(t.Context(), path, img, image.CreateOptions{Force: true, Lossy: true, Doubts: func() string { return why[0].Error() }})
			img.Close()
			if err != nil {
				t.Fatal(err)
			}
			if want := []string{path + ".map"}; !slices.Equal(res.Maps, want) || !slices.Contains(res.Files, want[0]) {
				t.Errorf("%s: %v of %v", out, res.Maps, res.Files)
			}
		}
		if _, err := image.Open(t.Context(), path); !errors.Is(err, image.ErrMap) {
			t.Errorf("nobody hears of the doubt: %v", err)
		}
	}
}

// Maps are found under the names that ddrescue's users give to them.
func TestMapNames(t *testing.T) {
	const size = 315 * 2048
	command := func(name string) string {
		return "# Mapfile. Created by GNU ddrescue version 1.27\n# Command line: ddrescue -b2048 /dev/sr0 " + name + " mapfile\n"
	}
	for _, test := range []struct {
		name, head string
		size       int64
		used, said bool
	}{
		{"mapfile", "", size, true, false},
		{"mapfile", "", 4096, false, false},
		{"mapfile", command("iso.iso"), size, true, false},
		{"mapfile", command("./iso.iso"), size, true, false},
		{"mapfile", command("iso.iso"), 4096, false, true},
		{"mapfile", command("other.iso"), size, false, true},
		{"mapfile", command("my-iso.iso"), size, false, true},
		{"mapfile", command("other.iso"), 4096, false, false},
		{"mapfile.txt", "", size, true, false},
		{"rescue.log", "", size, true, false},
		{"rescue.map", "", size, true, false},
		{"ddrescue.map", "", size, true, false},
		{"ddrescue.log", "", size, true, false},
		{"dvd.mapfile", "", size, true, false},
		{"iso.iso.log", "", size, true, false},
		{"iso.log", "", size, true, false},
		{"iso.iso.map.txt", "", size, true, false},
		{"ISO.MAP", "", size, true, false},
		{"Iso.iso.Mapfile", "", size, true, false},
		{"other.map", "", size, false, false},
	} {
		dir := t.TempDir()
		path, err := testdisc.Make(dir, "iso")
		if err != nil {
			t.Fatal(err)
		}
		text := fmt.Sprintf("%s0 + 1\n0 2048 -\n2048 %d +\n", test.head, test.size-2048)
		if err := os.WriteFile(dir+"/"+test.name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		said := 0
		img, err := image.Open(t.Context(), path, func(r image.Remark) {
			if r.Kind != format.UsedMap {
				said++
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		if used := len(img.Flaws()) > 0; used != test.used || (said > 0) != test.said {
			t.Errorf("%+v: used %v, %d remarks", test, used, said)
		}
		img.Close()
	}
}

// All sheets over a damaged .bin know of its damage.
func TestMapOfOtherSheet(t *testing.T) {
	dir := t.TempDir()
	source, err := testdisc.Make(dir, "iso")
	if err != nil {
		t.Fatal(err)
	}
	img, err := image.Open(t.Context(), source)
	if err != nil {
		t.Fatal(err)
	}
	defer img.Close()
	bad := disc.FlawsOf(disc.Flaw{First: 10, Count: 1, Kind: disc.Unread})
	if _, err := image.Create(t.Context(), dir+"/zz1.cue", disc.WithFlaws(img, bad), image.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	sheet, err := os.ReadFile(dir + "/zz1.cue")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir+"/copy.cue", sheet, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"zz1.cue.map", "zz1.bin.map", "zz1.map", "zz1.log"} {
		if name != "zz1.cue.map" {
			writeMap(t, dir+"/"+name, 315*cdsector.Size, 10*cdsector.Size, cdsector.Size)
		}
		again, err := image.Open(t.Context(), dir+"/copy.cue")
		if err != nil {
			t.Fatal(err)
		}
		if got := again.Flaws(); !slices.Equal(got, bad) {
			t.Errorf("%s: %v", name, got)
		}
		again.Close()
		if err := os.Remove(dir + "/" + name); err != nil {
			t.Fatal(err)
		}
	}
}
