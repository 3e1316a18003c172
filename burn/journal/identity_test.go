package journal

import (
	"context"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"spindle/burn"
	"spindle/image"
	"spindle/internal/testdisc"
)

// changeOf is what an error says of the image.
func changeOf(err error) (burn.Change, string, bool) {
	var c *burn.ImageChangedError
	if !errors.As(err, &c) || !errors.Is(err, burn.ErrImageChanged) || !errors.Is(err, burn.ErrSource) {
		return 0, "", false
	}
	return c.Change, c.File, true
}

// identify opens an image and looks at its files.
func identify(path string) (Identity, error) {
	img, err := image.Open(context.Background(), path)
	if err != nil {
		return Identity{}, err
	}
	defer img.Close()
	return Identify(img)
}

func TestIdentity(t *testing.T) {
	for name, test := range map[string]struct {
		spoil  func(dir string) error
		change burn.Change
		file   string
	}{
		"bin touched": {func(dir string) error { return os.Chtimes(dir+"/mixed.bin", time.Time{}, time.Now().Add(time.Hour)) }, burn.Touched, "mixed.bin"},
		"bin longer":  {func(dir string) error { return os.Truncate(dir+"/mixed.bin", 2352*1451) }, burn.SizeChanged, "mixed.bin"},
		"cue changed": {func(dir string) error {
			b, err := os.ReadFile(dir + "/mixed.cue")
			if err != nil {
				return err
			}
			b[len(b)-3] ^= 1
			return os.WriteFile(dir+"/mixed.cue", b, 0o600)
		}, burn.ContentChanged, "mixed.cue"},
		"bin renamed": {func(dir string) error {
			if err := os.Rename(dir+"/mixed.bin", dir+"/other.bin"); err != nil {
				return err
			}
			b, err := os.ReadFile(dir + "/mixed.cue")
			if err != nil {
				return err
			}
			return os.WriteFile(dir+"/mixed.cue", []byte("FILE \"other.bin\""+string(b[len("FILE \"mixed.bin\""):])), 0o600)
		}, burn.ContentChanged, "mixed.cue"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path, err := testdisc.Make(dir, "mixed")
			if err != nil {
				t.Fatal(err)
			}
			id, err := identify(path)
			if err != nil || len(id.Files) != 2 || id.Files[1].Name != "mixed.bin" {
				t.Fatalf("%+v, %v", id, err)
			}
			if err := test.spoil(dir); err != nil {
				t.Fatal(err)
			}
			now, err := identify(path)
			if err != nil {
				t.Fatal(err)
			}
			err = id.Same(now, Version)
			if change, file, ok := changeOf(err); !ok || change != test.change || file != test.file {
				t.Error(err)
			}
			if err := now.Same(now, Version); err != nil {
				t.Error(err)
			}
		})
	}
}

// An image that was only touched is the same if what the drive took of it has its sum;
// one that kept its time is not if the sum differs.
func TestCheckImage(t *testing.T) {
	path, err := testdisc.Make(t.TempDir(), "iso")
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	blocks := len(content) / 2048
	id, err := identify(path)
	if err != nil {
		t.Fatal(err)
	}
	plan := &burn.Plan{Steps: []burn.Step{burn.WriteStep{Region: burn.Region{Count: blocks + 5}, Pad: 5}}}
	const (
		same = iota
		touched
		changed
	)
	for _, test := range []struct {
		name string
		sent int // bytes
		file int
		want error
	}{
		{"the same", len(content) / 2, same, nil},
		{"nothing sent", 0, same, nil},
		{"touched, all sent", len(content), touched, nil},
		{"touched, half sent", len(content) / 2, touched, nil},
		{"touched, nothing sent", 0, touched, burn.ErrImageChanged},
		{"changed in secret", len(content) / 2, changed, burn.ErrImageChanged},
	} {
		b := append([]byte{}, content...)
		when := id.Files[0].ModTime
		switch test.file {
		case touched:
			when = when.Add(time.Hour)
		case changed:
			b[len(b)/4] ^= 1
		}
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, when, when); err != nil {
			t.Fatal(err)
		}
		img, err := image.Open(context.Background(), path)
		if err != nil {
			t.Fatal(err)
		}
		j := &Journal{Version: Version, Begin: Begin{Image: id, Plan: plan}}
		j.Image.Files[0].SHA256 = "" // as of a large file
		if test.sent > 0 {
			j.At.Sent = burn.Sum{Bytes: int64(test.sent), SHA256: sha256.Sum256(content[:test.sent])}
		}
		now, err := Identify(img)
		if err != nil {
			t.Fatal(err)
		}
		now.Files[0].SHA256 = ""
		err = j.CheckImage(context.Background(), now, burn.ImageSource(filepath.Base(path), img), nil)
		if !errors.Is(err, test.want) || err != nil && test.want == nil {
			t.Errorf("%s: %v, want %v", test.name, err, test.want)
		}
		if err := img.Close(); err != nil {
			t.Error(err)
		}
	}
}
