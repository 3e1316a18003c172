package image

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"spindle/disc"
	"spindle/testdata/discs"
)

func made(t *testing.T, name string) disc.Image {
	t.Helper()
	path, err := discs.Make(t.TempDir(), name)
	if err != nil {
		t.Fatal(err)
	}
	img, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { img.Close() })
	return img
}

func left(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// Whatever goes wrong, nothing half-written is left, and nothing is overwritten.
func TestCreateLeavesNothingBehind(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	dir := t.TempDir()
	o := CreateOptions{Progress: func(done, _ int64) {
		if done > 1<<20 {
			cancel()
		}
	}}
	if _, err := Create(ctx, filepath.Join(dir, "x.cue"), made(t, "data"), o); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
	for name, test := range map[string]struct {
		disc, out string
		o         CreateOptions
		want      error
	}{
		"audio in an ISO":   {"audio", "x.iso", CreateOptions{}, ErrCannotHold},
		"mixed in an ISO":   {"mixed", "x.iso", CreateOptions{}, ErrCannotHold},
		"form 2 in an ISO":  {"xa", "x.iso", CreateOptions{Track: 1}, ErrCannotHold},
		"two data tracks":   {"twosession", "x.iso", CreateOptions{Lossy: true}, ErrCannotHold},
		"data in a WAVE":    {"data", "x.wav", CreateOptions{}, ErrCannotHold},
		"track of a sheet":  {"audio", "x.cue", CreateOptions{Track: 1}, ErrCannotHold},
		"unknown suffix":    {"audio", "x.foo", CreateOptions{}, ErrUnknown},
		"folder is missing": {"data", "no/x.cue", CreateOptions{}, os.ErrNotExist},
	} {
		if _, err := Create(context.Background(), filepath.Join(dir, test.out), made(t, test.disc), test.o); !errors.Is(err, test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if files := left(t, dir); len(files) > 0 {
		t.Errorf("left behind: %v", files)
	}
	taken := filepath.Join(dir, "x.bin")
	if err := os.WriteFile(taken, []byte("precious"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := Create(context.Background(), filepath.Join(dir, "x.cue"), made(t, "data"), CreateOptions{}); !errors.Is(err, ErrExists) {
		t.Error(err)
	}
	if b, err := os.ReadFile(taken); err != nil || string(b) != "precious" {
		t.Error("a file was overwritten")
	}
}

// Every disc of the generator survives a round trip.
func TestCreateCueRoundTrip(t *testing.T) {
	for _, name := range discs.Names() {
		if name == "iso" {
			continue
		}
		dir := t.TempDir()
		src, err := discs.Make(dir, name)
		if err != nil {
			t.Fatal(err)
		}
		img, err := Open(src)
		if err != nil {
			t.Fatal(err)
		}
		out := filepath.Join(t.TempDir(), name+".cue")
		res, err := Create(context.Background(), out, img, CreateOptions{})
		img.Close()
		if err != nil || res.Damaged != 0 {
			t.Errorf("%s: %+v, %v", name, res, err)
			continue
		}
		for _, ext := range []string{".cue", ".bin"} {
			a, _ := os.ReadFile(filepath.Join(dir, name+ext))
			b, err := os.ReadFile(filepath.Join(filepath.Dir(out), name+ext))
			if err != nil || string(a) != string(b) {
				t.Errorf("%s%s is not what it was", name, ext)
			}
		}
	}
}

func BenchmarkCreateISO(b *testing.B) {
	path, err := discs.Make(b.TempDir(), "data")
	if err != nil {
		b.Fatal(err)
	}
	img, err := Open(path)
	if err != nil {
		b.Fatal(err)
	}
	defer img.Close()
	b.SetBytes(int64(img.Layout().Sectors()) * 2352)
	for b.Loop() {
		if _, err := Create(context.Background(), filepath.Join(b.TempDir(), "x.iso"), img, CreateOptions{Force: true}); err != nil {
			b.Fatal(err)
		}
	}
}
