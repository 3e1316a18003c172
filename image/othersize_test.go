package image_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"spindle/disc/cdsector"
	"spindle/image"
	"spindle/internal/testdisc"
)

// A sheet that states another size of the sectors than they have is refused by its line; one whose sectors are only
// damaged is not.
func TestOtherSectorSize(t *testing.T) {
	dir := t.TempDir()
	path, err := testdisc.Make(dir, "iso")
	if err != nil {
		t.Fatal(err)
	}
	img, err := image.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	n := img.Layout().Sectors()
	raw := make([]byte, n*cdsector.Size)
	if err := img.ReadSectors(t.Context(), raw, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := image.Create(t.Context(), filepath.Join(dir, "x.ccd"), img, image.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	img.Close()
	ccd, err := os.ReadFile(filepath.Join(dir, "x.ccd"))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{"raw": raw, "damaged": bytes.Clone(raw)}
	for i := range n {
		s := raw[i*cdsector.Size:][:cdsector.Size]
		files["user"] = append(files["user"], s[16:2064]...)
		files["mode2"] = append(append(append(files["mode2"], make([]byte, 8)...), s[16:2064]...), make([]byte, 280)...)
		files["sub"] = append(append(files["sub"], s...), make([]byte, cdsector.SubSize)...)
	}
	files["other system"] = bytes.ReplaceAll(files["user"], []byte("CD001"), []byte("?????"))
	clear(files["damaged"][:70*cdsector.Size])
	files["protected"] = bytes.Repeat([]byte("no sync"), 2048*2352/7)
	for name, b := range files {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		sheet, file, text, want string
	}{
		{"x.cue", "raw", "MODE1/2352", ""},
		{"x.cue", "damaged", "MODE1/2352", ""},
		{"x.cue", "protected", "MODE1/2352", ""},
		{"x.cue", "user", "MODE1/2048", ""},
		{"x.cue", "other system", "MODE1/2048", ""},
		{"x.cue", "mode2", "MODE2/2336", ""},
		{"x.cue", "user", "MODE1/2352", "line 2: track 1 is stated as MODE1/2352, of 2352 bytes a sector, but user has 2048"},
		{"x.cue", "other system", "MODE1/2352", "but other system has 2048"},
		{"x.cue", "mode2", "MODE2/2352", "but mode2 has 2336"},
		{"x.cue", "sub", "MODE1/2352", "but sub has 2448"},
		{"x.cue", "raw", "MODE1/2048", "but raw has 2352"},
		{"x.cue", "raw", "MODE2/2336", "but raw has 2352"},
		{"x.cue", "user", "MODE2/2336", "but user has 2048"},
		{"x.toc", "raw", "MODE1_RAW", ""},
		{"x.toc", "user", "MODE1", ""},
		{"x.toc", "sub", "MODE1_RAW RW_RAW", ""},
		{"x.toc", "user", "MODE1_RAW", "line 3: user is stated to have 2352 bytes a sector, and has 2048"},
		{"x.toc", "raw", "MODE1", "line 3: raw is stated to have 2048 bytes a sector, and has 2352"},
		{"x.toc", "raw", "MODE1_RAW RW_RAW", "line 3: raw is stated to have 2448 bytes a sector, and has 2352"},
		{"x.gdi", "user", "2352", "user is stated to have 2352 bytes a sector, and has 2048"},
		{"x.gdi", "raw", "2048", "raw is stated to have 2048 bytes a sector, and has 2352"},
		{"x.gdi", "raw", "2352", ""},
		{"x.ccd", "raw", "", ""},
		{"x.ccd", "user", "", "the sectors of x.img have 2048 bytes, and those of a CloneCD image have 2352"},
	} {
		text := map[string]string{
			".cue": "FILE \"NAME\" BINARY\n  TRACK 01 KIND\n    INDEX 01 00:00:00\n",
			".toc": "CD_ROM\nTRACK KIND\nDATAFILE \"NAME\"\n",
			".gdi": "1\n1 0 4 KIND \"NAME\" 0\n",
			".ccd": string(ccd),
		}[filepath.Ext(test.sheet)]
		if err := os.WriteFile(filepath.Join(dir, "x.img"), files[test.file], 0o666); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, test.sheet)
		if err := os.WriteFile(path, []byte(strings.NewReplacer("KIND", test.text, "NAME", test.file).Replace(text)), 0o666); err != nil {
			t.Fatal(err)
		}
		img, err := image.Open(t.Context(), path)
		switch {
		case err == nil:
			img.Close()
			if test.want != "" {
				t.Errorf("%s, %s as %s: it is taken", test.sheet, test.file, test.text)
			}
		case test.want == "" || !strings.Contains(err.Error(), test.want):
			t.Errorf("%s, %s as %s: %v", test.sheet, test.file, test.text, err)
		}
	}
}
