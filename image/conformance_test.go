package image

import (
	"compress/gzip"
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"

	"spindle/image/imagetest"
	"spindle/internal/testdisc"
)

// Every disc of the generator is opened from every format that holds it.
func TestConformance(t *testing.T) {
	for _, name := range testdisc.Names() {
		if testing.Short() && name != "mixed" && name != "twosession" {
			continue
		}
		dir := t.TempDir()
		src, err := testdisc.Make(dir, name)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(name, func(t *testing.T) { conforms(t, src) })
		if name != "mixed" && name != "twosession" && name != "xa" && name != "iso" {
			continue // these have all that formats differ in
		}
		for out, o := range map[string]CreateOptions{
			"x.nrg": {}, "x.toc": {}, "x.ccd": {}, "split.cue": {Split: true}, "x.iso": {},
			"x.chd": {Lossy: true, Codecs: []string{"zlib", "flac"}}, "x.mds": {Lossy: true}, "2352.iso": {SectorSize: 2352}, "2448.iso": {SectorSize: 2448},
			"x.cso": {}, "x.zso": {}, "x.iso.ecm": {}, "x.iso.zst": {}, "x.iso.gz": {}, "x.vhd": {}, "x.dmg": {}, "fixed.vhd": {Codecs: []string{"fixed"}},
		} {
			path := filepath.Join(dir, out)
			if _, err := convert(t, src, path, o); err != nil {
				continue // what a format cannot hold is tested elsewhere
			}
			t.Run(name+"-"+out, func(t *testing.T) { conforms(t, path) })
		}
		// Sub-channels that are saved in each format that has them.
		for _, out := range []string{"sub.nrg", "sub.toc", "sub.chd", "sub.mds"} {
			path := filepath.Join(dir, out)
			o := CreateOptions{Lossy: out == "sub.chd" || out == "sub.mds"}
			if _, err := convert(t, filepath.Join(dir, "x.ccd"), path, o); err != nil {
				continue
			}
			t.Run(name+"-"+out, func(t *testing.T) { conforms(t, path) })
		}
	}
}

// conforms runs the suite on an image file, which it opens and closes.
func conforms(t *testing.T, path string) {
	t.Helper()
	img, err := Open(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	if files := img.Files(); len(files) == 0 || files[0] != path {
		t.Errorf("the files are %v", files)
	}
	imagetest.Test(t, img)
	if err := img.Close(); err != nil {
		t.Error(err)
	}
}

func TestConformancePacked(t *testing.T) {
	dir := t.TempDir()
	src, err := testdisc.Make(dir, "mixed")
	if err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(dir, "mixed.bin")
	in, err := os.Open(bin)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.Create(bin + ".gz")
	if err != nil {
		t.Fatal(err)
	}
	z := gzip.NewWriter(out)
	if _, err := io.Copy(z, in); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(bin); err != nil {
		t.Fatal(err)
	}
	conforms(t, src)
}
