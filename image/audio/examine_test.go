package audio

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"testing"

	"spindle/disc"
)

// What cannot be decoded of the songs of an album is silent and a flaw; all else is as it was.
func TestExamine(t *testing.T) {
	const sectors = 200
	samples := tone(sectors)
	good := flacFile(t, memory(t, samples, nil))
	whole, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	flip := func(at int) []byte {
		b := bytes.Clone(whole)
		b[at] ^= 1
		return b
	}
	unstated := bytes.Clone(whole)
	clear(unstated[26:42])
	for _, c := range []struct {
		name    string
		content []byte
		proven  int
		damaged bool
		silent  bool
	}{
		{"good", whole, 2, false, false},
		{"cut", whole[:len(whole)/2], 1, true, true},
		{"cut at its first frame", whole[:len(whole)-len(whole)*9/10], 1, true, true},
		{"a bit flipped", flip(len(whole) / 2), 1, true, true},
		{"another MD5", flip(26), 1, true, false},
		{"no MD5", unstated, 1, false, false},
		{"an ID3 tag at its end", append(bytes.Clone(whole), make([]byte, 128)...), 2, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			bad := write(t, "bad.flac", c.content)
			img, err := Join(t.Context(), []string{bad, good})
			if err != nil {
				t.Fatal(err)
			}
			var done, total int64
			x, err := Examine(t.Context(), img, func(d, of int64) { done, total = d, of })
			if err != nil {
				t.Fatal(err)
			}
			defer x.Image.Close()
			if x.Proven != c.proven || (len(x.Damaged) > 0) != c.damaged || total != 2*int64(len(samples)) || !c.silent && done != total {
				t.Fatalf("%d proven, %v; %d of %d bytes", x.Proven, x.Damaged, done, total)
			}
			for _, d := range x.Damaged {
				if d.File != bad || !errors.Is(d.Err, ErrDamaged) || len(d.Sectors) > 0 != c.silent {
					t.Errorf("%+v", d)
				}
			}
			want := bytes.Clone(slices.Concat(samples, samples))
			for _, f := range x.Image.Flaws() {
				if f.Kind != disc.Unread || f.First == 0 && len(c.content) > len(whole)/3 || f.End() != sectors {
					t.Errorf("%+v", f)
				}
				clear(want[int(f.First)*SectorSize : int(f.End())*SectorSize])
			}
			if (len(x.Image.Flaws()) > 0) != c.silent {
				t.Errorf("flaws %v", x.Image.Flaws())
			}
			got := make([]byte, len(want))
			if err := x.Image.ReadSectors(t.Context(), got, 0); err != nil || !bytes.Equal(got, want) {
				t.Errorf("other sectors, %v", err)
			}
		})
	}
}

// failing reads a file whose disk fails.
type failing struct {
	io.ReaderAt
	from int64
}

var errDisk = errors.New("input/output error")

func (f failing) ReadAt(p []byte, off int64) (int, error) {
	if off+int64(len(p)) > f.from {
		return 0, errDisk
	}
	return f.ReaderAt.ReadAt(p, off)
}

// A file of metadata blocks without end, or one that does not state its length, is not read on when
// nobody waits for it.
func TestOpeningEnds(t *testing.T) {
	whole, err := os.ReadFile(flacFile(t, memory(t, tone(200), nil)))
	if err != nil {
		t.Fatal(err)
	}
	unstated := bytes.Clone(whole)
	copy(unstated[8+13:], make([]byte, 5))
	unstated[8+13] = whole[8+13] & 0xF0
	for name, b := range map[string][]byte{"blocks": append([]byte("fLaC"), bytes.Repeat([]byte{1, 0, 0, 0}, 1<<18)...), "unstated": unstated} {
		ctx, cancel := context.WithCancel(t.Context())
		reads := 0
		_, err := readFLAC(ctx, "x.flac", counted{bytes.NewReader(b), func() {
			if reads++; reads == 3 {
				cancel()
			}
		}}, int64(len(b)))
		if !errors.Is(err, context.Canceled) || reads > 4 {
			t.Errorf("%s: %v after %d reads", name, err, reads)
		}
		cancel()
	}
}

// counted calls a function at each read.
type counted struct {
	io.ReaderAt
	read func()
}

func (c counted) ReadAt(p []byte, off int64) (int, error) {
	c.read()
	return c.ReaderAt.ReadAt(p, off)
}

// A disk that fails says nothing about the file.
func TestDiskFails(t *testing.T) {
	whole, err := os.ReadFile(flacFile(t, memory(t, tone(200), nil)))
	if err != nil {
		t.Fatal(err)
	}
	f, err := readFLAC(t.Context(), "x.flac", failing{bytes.NewReader(whole), int64(len(whole) / 2)}, int64(len(whole)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.coded.check(context.Background(), func(int64) {}); !errors.Is(err, errDisk) || errors.Is(err, ErrDamaged) {
		t.Error(err)
	}
	if _, err := f.Source.ReadAt(make([]byte, f.Size), 0); !errors.Is(err, errDisk) || errors.Is(err, ErrDamaged) {
		t.Error(err)
	}
}
