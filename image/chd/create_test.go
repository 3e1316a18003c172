package chd_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"spindle/disc"
	"spindle/image"
	"spindle/image/format"
	"spindle/image/imagetest"
	"spindle/internal/testdisc"
)

// create makes a CHD beside an image.
func create(t *testing.T, img disc.Image, o image.CreateOptions) (string, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.chd")
	_, err := image.Create(t.Context(), path, img, o)
	return path, err
}

// Discs of every kind go into CHDs and come back, by every codec.
func TestCreate(t *testing.T) {
	codecs := []string{"", "cdzl", "zstd", "lzma,flac", "flac", "none"}
	for i, name := range []string{"mixed", "xa", "data", "hidden", "audio", "tracks99"} {
		t.Run(name, func(t *testing.T) {
			cue, err := testdisc.Make(t.TempDir(), name)
			if err != nil {
				t.Fatal(err)
			}
			want := open(t, cue)
			o := image.CreateOptions{Lossy: true}
			if codecs[i] != "" {
				o.Codecs = strings.Split(codecs[i], ",")
			}
			path, err := create(t, want, o)
			if err != nil {
				t.Fatal(err)
			}
			img := open(t, path)
			same(t, img, want)
			imagetest.Test(t, img)
		})
	}
}

// What a CHD cannot hold is refused, and named; with Lossy it is left out.
func TestCreateLoss(t *testing.T) {
	for name, kinds := range map[string][]format.LossKind{
		"data": nil, "xa": nil, "hidden": nil,
		"mixed":      {format.LaterIndexes},
		"cdtext":     {format.AllCDText},
		"audio":      {format.Catalogue, format.ISRCs, format.LaterIndexes, format.TrackFlags},
		"twosession": {format.LaterSessions},
	} {
		cue, err := testdisc.Make(t.TempDir(), name)
		if err != nil {
			t.Fatal(err)
		}
		img := open(t, cue)
		_, err = create(t, img, image.CreateOptions{Codecs: []string{"none"}})
		var loss *format.LossError
		if errors.As(err, &loss) != (len(kinds) > 0) {
			t.Errorf("%s: %v", name, err)
		}
		res, err := image.Create(t.Context(), filepath.Join(t.TempDir(), "x.chd"), img, image.CreateOptions{Lossy: true, Codecs: []string{"none"}})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var got []format.LossKind
		for _, l := range res.Lost {
			got = append(got, l.Kind)
		}
		for _, k := range kinds {
			if !strings.Contains(string(asBytes(got)), string(asBytes([]format.LossKind{k}))) {
				t.Errorf("%s: %v is not lost: %v", name, k, got)
			}
		}
		if len(kinds) == 0 && len(got) > 0 {
			t.Errorf("%s: lost %v", name, got)
		}
	}
}

func asBytes(k []format.LossKind) []byte {
	var b []byte
	for _, x := range k {
		b = append(b, byte(x))
	}
	return b
}

// An ISO becomes a CHD that stores only its user data, and one that is opened as a DVD
// the CHD of a DVD.
func TestCreateISO(t *testing.T) {
	path, err := testdisc.Make(t.TempDir(), "iso")
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, medium := range []disc.Medium{disc.CD, disc.DVD} {
		for _, codecs := range []string{"", "zlib,huff", "zstd,flac", "none"} {
			if medium == disc.CD && codecs == "zlib,huff" {
				continue
			}
			img, err := image.OpenAs(t.Context(), path, medium)
			if err != nil {
				t.Fatal(err)
			}
			var o image.CreateOptions
			if codecs != "" {
				o.Codecs = strings.Split(codecs, ",")
			}
			out, err := create(t, img, o)
			img.Close()
			if err != nil {
				t.Fatal(err)
			}
			back := open(t, out)
			got := make([]byte, len(raw))
			if err := disc.ReadUser(t.Context(), back, got, 0); err != nil || !bytes.Equal(got, raw) || back.Layout().Medium != medium {
				t.Errorf("%v, %s: other data (%v)", medium, codecs, err)
			}
			imagetest.Test(t, back)
		}
	}
}

// Sub-channels come back bit for bit, also those whose Q is wrong on purpose.
func TestCreateSubchannels(t *testing.T) {
	dir := t.TempDir()
	cue, err := testdisc.Make(dir, "mixed")
	if err != nil {
		t.Fatal(err)
	}
	ccd := filepath.Join(dir, "x.ccd")
	if _, err := image.Create(t.Context(), ccd, open(t, cue), image.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, "x.sub"))
	if err != nil {
		t.Fatal(err)
	}
	b[96*10+20] ^= 1 // in Q
	for i := range 24 {
		b[96*20+70+i] = byte(i) // in R to W
	}
	write(t, filepath.Join(dir, "x.sub"), b)
	want := open(t, ccd)
	path, err := create(t, want, image.CreateOptions{Lossy: true, Codecs: []string{"zlib"}})
	if err != nil {
		t.Fatal(err)
	}
	img := open(t, path)
	same(t, img, want)
	for _, track := range img.Layout().Tracks() {
		n := track.Sectors() * 96
		x, y := make([]byte, n), make([]byte, n)
		err := errors.Join(img.Subchannels().ReadSubchannel(t.Context(), x, track.Begin()), want.Subchannels().ReadSubchannel(t.Context(), y, track.Begin()))
		if err != nil || !bytes.Equal(x, y) {
			t.Errorf("track %d has other sub-channels (%v)", track.Number, err)
		}
	}
	imagetest.Test(t, img)
}

func TestCreateRefused(t *testing.T) {
	cue, err := testdisc.Make(t.TempDir(), "mixed")
	if err != nil {
		t.Fatal(err)
	}
	img := open(t, cue)
	for name, o := range map[string]image.CreateOptions{
		"a track": {Track: 1}, "an unknown codec": {Codecs: []string{"rar"}}, "one of DVDs": {Codecs: []string{"huff"}},
		"none and another": {Codecs: []string{"none", "zlib"}},
	} {
		path, err := create(t, img, o)
		if !errors.Is(err, image.ErrCannotHold) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := os.Stat(path); err == nil {
			t.Errorf("%s: something was made", name)
		}
	}
}

// chdman reads what is written, and makes the same of it.
func TestCreateChdman(t *testing.T) {
	chdman, err := exec.LookPath("chdman")
	if err != nil {
		t.Skip("without chdman")
	}
	dir := t.TempDir()
	cue, err := testdisc.Make(dir, "mixed")
	if err != nil {
		t.Fatal(err)
	}
	run := func(args ...string) {
		out, err := exec.CommandContext(t.Context(), chdman, args...).CombinedOutput()
		if err != nil {
			t.Fatalf("chdman %v: %v\n%s", args, err, out)
		}
	}
	path, err := create(t, open(t, cue), image.CreateOptions{Lossy: true})
	if err != nil {
		t.Fatal(err)
	}
	run("verify", "-i", path)
	theirs := filepath.Join(dir, "theirs.chd")
	run("createcd", "-i", cue, "-o", theirs)
	// Their checksum is also over the metadata.
	sums := func(path string) []byte {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return b[64:104]
	}
	if !bytes.Equal(sums(path), sums(theirs)) {
		t.Errorf("% x, and chdman has % x", sums(path), sums(theirs))
	}

	iso, err := testdisc.Make(dir, "iso")
	if err != nil {
		t.Fatal(err)
	}
	dvd, err := image.OpenAs(t.Context(), iso, disc.DVD)
	if err != nil {
		t.Fatal(err)
	}
	defer dvd.Close()
	if path, err = create(t, dvd, image.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	run("verify", "-i", path)
	out := filepath.Join(dir, "out.iso")
	run("extractraw", "-i", path, "-o", out)
	got, err := os.ReadFile(out)
	want, err2 := os.ReadFile(iso)
	if errors.Join(err, err2) != nil || !bytes.Equal(got, want) {
		t.Errorf("extractraw gives other data (%v, %v)", err, err2)
	}
}
