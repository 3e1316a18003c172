package isofile_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"spindle/disc"
	"spindle/image"
	"spindle/internal/testdisc/testhfs"
)

// A volume of HFS opens in sectors of every size that Toast and others store, and also where it does not
// fill the last one.
func TestHFS(t *testing.T) {
	vol := testhfs.Make(testhfs.Options{Name: "Mac", Files: []testhfs.File{{Path: "file", Data: bytes.Repeat([]byte("data"), 3000)}}})
	xa := func(size, before int) []byte {
		var b []byte
		for at := 0; at < len(vol); at += 2048 {
			s := make([]byte, size)
			copy(s, "\x00\x00\x08\x00\x00\x00\x08\x00")
			copy(s[before:], vol[at:at+2048])
			b = append(b, s...)
		}
		return b
	}
	for name, c := range map[string]struct {
		content []byte
		mode    disc.Mode
	}{
		"2048": {vol, disc.Mode1}, "2056": {xa(2056, 8), disc.Mode2}, "2336": {xa(2336, 8), disc.Mode2},
		"not whole": {append(bytes.Clone(vol), make([]byte, 512)...), disc.Mode1},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "disc.toast")
			if err := os.WriteFile(path, c.content, 0o666); err != nil {
				t.Fatal(err)
			}
			var remarks []image.Remark
			img, err := image.Open(t.Context(), path, func(r image.Remark) { remarks = append(remarks, r) })
			if err != nil {
				t.Fatal(err)
			}
			defer img.Close()
			files, err := image.OpenContents(t.Context(), img, 0)
			if err != nil {
				t.Fatal(err)
			}
			b, err := fs.ReadFile(files, "file")
			if err != nil || fmt.Sprintf("%.8s", b) != "datadata" || len(b) != 12000 {
				t.Errorf("%d bytes, %v", len(b), err)
			}
			if got := img.Layout().Tracks()[0].Mode; got != c.mode || len(remarks) > 0 || len(img.Flaws()) > 0 {
				t.Errorf("%v, %v, %v", got, remarks, img.Flaws())
			}
		})
	}
}
