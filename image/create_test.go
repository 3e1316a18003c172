package image

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"spindle/disc"
	"spindle/internal/testdisc"
)

func made(t *testing.T, name string) disc.Image {
	t.Helper()
	path, err := testdisc.Make(t.TempDir(), name)
	if err != nil {
		t.Fatal(err)
	}
	img, err := Open(context.Background(), path)
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

// A file that another program makes meanwhile stays, and nothing of the image does.
func TestCreateBesideOther(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x.cue")
	o := CreateOptions{Progress: func(int64, int64) {
		if err := os.WriteFile(path, []byte("other"), 0o666); err != nil {
			t.Error(err)
		}
	}}
	if _, err := Create(t.Context(), path, made(t, "audio"), o); !errors.Is(err, ErrExists) {
		t.Error(err)
	}
	if b, err := os.ReadFile(path); string(b) != "other" || len(left(t, dir)) != 1 {
		t.Errorf("%q, %v; the folder has %v", b, err, left(t, dir))
	}
}

// Files that are to be replaced are replaced together, or not at all.
func TestCreateReplacesAll(t *testing.T) {
	for name, makes := range map[string]bool{"replaced": true, "stay": false} {
		dir := t.TempDir()
		was := map[string]string{"x.bin": "old samples", "x.cue": "old sheet"}
		for file, text := range was {
			if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		sheet := filepath.Join(dir, "x.cue")
		o := CreateOptions{Force: true, Progress: func(int64, int64) {
			if !makes { // another program makes a folder of that name
				os.Remove(sheet)
				if err := os.MkdirAll(filepath.Join(sheet, "other"), 0o777); err != nil {
					t.Error(err)
				}
			}
		}}
		_, err := Create(t.Context(), sheet, made(t, "audio"), o)
		if (err == nil) != makes || len(left(t, dir)) != 2 {
			t.Errorf("%s: %v; the folder has %v", name, err, left(t, dir))
		}
		if b, err := os.ReadFile(filepath.Join(dir, "x.bin")); err != nil || (string(b) == was["x.bin"]) == makes {
			t.Errorf("%s: %d bytes, %v", name, len(b), err)
		}
	}
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

// Every disc of the generator survives the way through each format, and back to a
// CUE sheet: what comes out is what went in, bit for bit.
func TestRoundTrips(t *testing.T) {
	for _, name := range testdisc.Names() {
		if name == "iso" || name == "data" || name == "demo" || // the others have all that these have
			testing.Short() && name != "mixed" && name != "cdtext" {
			continue
		}
		dir := t.TempDir()
		src, err := testdisc.Make(dir, name)
		if err != nil {
			t.Fatal(err)
		}
		for _, via := range []string{".cue", ".split", ".nrg", ".ccd", ".toc", ".chd"} {
			cannot := via == ".toc" && (name == "twosession" || name == "cdextra")
			out := t.TempDir()
			o := CreateOptions{Split: via == ".split"}
			exts := []string{".cue", ".bin", ".cdt"}
			if via == ".chd" { // it holds only sectors, of one session
				if cannot = name == "twosession" || name == "cdextra"; !cannot {
					o.Lossy, exts = true, []string{".bin"}
				}
				o.Codecs = []string{"zlib"}
			}
			between := filepath.Join(out, "between"+strings.Replace(via, ".split", ".cue", 1))
			_, err := convert(t, src, between, o)
			if cannot {
				if !errors.Is(err, ErrCannotHold) {
					t.Errorf("%s, %s: %v", name, via, err)
				}
				continue
			}
			if err != nil {
				t.Errorf("%s to %s: %v", name, via, err)
				continue
			}
			// A .ccd has sub-channels, if made-up ones, which a sheet cannot hold.
			back := filepath.Join(out, name+".cue")
			res, err := convert(t, between, back, CreateOptions{Lossy: via == ".ccd"})
			if err != nil || res.Damaged != 0 {
				t.Errorf("%s from %s: %+v, %v", name, via, res, err)
				continue
			}
			for _, ext := range exts {
				a, errA := os.ReadFile(filepath.Join(dir, name+ext))
				b, errB := os.ReadFile(filepath.Join(out, name+ext))
				if string(a) != string(b) || (errA == nil) != (errB == nil) {
					t.Errorf("%s%s is not what it was, by %s", name, ext, via)
				}
			}
		}
	}
}

func convert(t *testing.T, from, to string, o CreateOptions) (*Created, error) {
	t.Helper()
	img, err := Open(context.Background(), from)
	if err != nil {
		return nil, err
	}
	defer img.Close()
	return Create(context.Background(), to, img, o)
}

// Sub-channels and the sectors beside them go through the formats that hold both as they
// are, and every size of sector of an .iso comes back.
func TestSubchannelsAndSizes(t *testing.T) {
	dir := t.TempDir()
	src, err := testdisc.Make(dir, "mixed")
	if err != nil {
		t.Fatal(err)
	}
	first := filepath.Join(dir, "first.ccd")
	if _, err := convert(t, src, first, CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(filepath.Join(dir, "first.sub"))
	if err != nil {
		t.Fatal(err)
	}
	sectors, err := os.ReadFile(filepath.Join(dir, "first.img"))
	if err != nil {
		t.Fatal(err)
	}
	if len(want)%96 != 0 || strings.Count(string(want), "\x00") == len(want) {
		t.Fatal("there are no sub-channels")
	}
	for _, ext := range []string{".nrg", ".toc"} {
		between := filepath.Join(dir, "x"+ext)
		back := filepath.Join(dir, "x"+ext[1:]+".ccd")
		if _, err := convert(t, first, between, CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		if _, err := convert(t, between, back, CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(strings.TrimSuffix(back, ".ccd") + ".sub")
		if err != nil || string(got) != string(want) {
			t.Errorf("%s: other sub-channels (%v)", ext, err)
		}
		got, err = os.ReadFile(strings.TrimSuffix(back, ".ccd") + ".img")
		if err != nil || string(got) != string(sectors) {
			t.Errorf("%s: other sectors (%v)", ext, err)
		}
	}
	plain := filepath.Join(dir, "plain.iso")
	if _, err := convert(t, src, plain, CreateOptions{Track: 1}); err != nil {
		t.Fatal(err)
	}
	user, err := os.ReadFile(plain)
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{2048, 2352, 2448} {
		out := filepath.Join(dir, strconv.Itoa(size)+".iso")
		if _, err := convert(t, src, out, CreateOptions{Track: 1, SectorSize: size}); err != nil {
			t.Fatal(err)
		}
		if st, err := os.Stat(out); err != nil || st.Size() != int64(len(user)/2048*size) {
			t.Errorf("%d: %v bytes, %v", size, st.Size(), err)
		}
		again := filepath.Join(dir, strconv.Itoa(size)+"again.iso")
		if _, err := convert(t, out, again, CreateOptions{Lossy: true}); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(again); err != nil || string(got) != string(user) {
			t.Errorf("%d bytes a sector: other user data (%v)", size, err)
		}
	}
	if _, err := convert(t, src, filepath.Join(dir, "y.iso"), CreateOptions{Track: 1, SectorSize: 2336}); !errors.Is(err, ErrCannotHold) {
		t.Errorf("mode 1 in 2336 bytes: %v", err)
	}
}

func BenchmarkCreateISO(b *testing.B) {
	path, err := testdisc.Make(b.TempDir(), "data")
	if err != nil {
		b.Fatal(err)
	}
	img, err := Open(context.Background(), path)
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
