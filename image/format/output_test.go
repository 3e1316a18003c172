package format

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/disc/digest"
)

// data is an image of empty Mode 1 sectors, stored whole in a file.
func data(t *testing.T, sectors int, bad ...int) (disc.Image, []byte) {
	t.Helper()
	b := make([]byte, sectors*cdsector.Size)
	for i := range sectors {
		s := (*[cdsector.Size]byte)(b[i*cdsector.Size:])
		m := disc.LBA(i).MSF()
		cdsector.SetHeader(s, m, 1)
		s[16] = byte(i)
		cdsector.Seal(s, cdsector.Mode1)
	}
	for _, i := range bad {
		b[i*cdsector.Size+100] ^= 1
	}
	path := filepath.Join(t.TempDir(), "in.bin")
	if err := os.WriteFile(path, b, 0o666); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	l := &disc.Layout{Sessions: []disc.Session{{
		Number: 1, LeadOut: disc.LBA(sectors), Tracks: []disc.Track{{Number: 1, Mode: disc.Mode1, Control: disc.DataTrack, End: disc.LBA(sectors)}},
	}}}
	img, err := disc.NewImage(disc.Contents{Layout: l, Extents: []disc.Extent{{Count: sectors, Source: f}}, Files: []string{path}, Closers: []io.Closer{f}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { img.Close() })
	return img, b
}

// raw is a format of whole sectors, in two files.
func raw(o *Output) error {
	t := o.Layout.Tracks()[0]
	half := t.End / 2
	if err := o.Reserve(int64(t.Sectors())*cdsector.Size, o.Path, o.Path+"2"); err != nil {
		return err
	}
	if err := o.Write(o.Path, func(f *os.File) error { return o.Copy(f, t, 0, half, Whole) }); err != nil {
		return err
	}
	return o.Write(o.Path+"2", func(f *os.File) error { return o.Copy(f, t, half, t.End, Whole) })
}

// What the system copies is checked and hashed as what goes through memory is.
func TestCopy(t *testing.T) {
	img, want := data(t, 1000, 3, 700)
	for _, noCheck := range []bool{false, true} {
		path := filepath.Join(t.TempDir(), "out")
		var last int64
		hashes := digest.MD5
		if noCheck {
			hashes = 0
		}
		res, err := Create(context.Background(), Format{Create: raw}, path, img, Options{
			NoCheck: noCheck, Hashes: hashes, Progress: func(done, _ int64) { last = done },
		})
		if err != nil {
			t.Fatal(err)
		}
		a, _ := os.ReadFile(path)
		b, _ := os.ReadFile(path + "2")
		if !bytes.Equal(append(a, b...), want) || last != int64(len(want)) {
			t.Errorf("other bytes, or progress %d of %d", last, len(want))
		}
		if !noCheck && (res.Damaged != 2 || res.First != 3 || res.Whole.MD5 == "") || res.Whole.SHA256 != "" || noCheck && (res.Damaged != 0 || res.Whole.MD5 != "") {
			t.Errorf("%+v", res)
		}
	}
}

func TestCreateCleansUp(t *testing.T) {
	img, _ := data(t, 100)
	dir := t.TempDir()
	path := filepath.Join(dir, "out")
	failing := func(o *Output) error {
		if err := raw(o); err != nil {
			return err
		}
		return errors.New("at the very end")
	}
	if _, err := Create(context.Background(), Format{Create: failing}, path, img, Options{}); err == nil {
		t.Error("no error")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Create(ctx, Format{Create: raw}, path, img, Options{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if files, _ := os.ReadDir(dir); len(files) > 0 {
		t.Errorf("left behind: %v", files)
	}
	lossy := func(o *Output) error {
		o.Omit(Loss{Kind: SomeCDText})
		o.Omit(Loss{Kind: ModeZero})
		o.Omit(Loss{Kind: SomeCDText})
		return nil
	}
	var loss *LossError
	if _, err := Create(context.Background(), Format{Create: lossy}, path, img, Options{}); !errors.Is(err, ErrCannotHold) || !errors.As(err, &loss) || len(loss.Losses) != 2 {
		t.Error(err)
	}
	if res, err := Create(context.Background(), Format{Create: lossy}, path, img, Options{Lossy: true}); err != nil || len(res.Lost) != 2 {
		t.Errorf("%+v, %v", res, err)
	}
}

// A liar gives other sectors than its file holds, as one that changes while it is read does.
type liar struct{ img disc.Image }

func (l liar) Layout() *disc.Layout                    { return l.img.Layout() }
func (l liar) Subchannels() disc.Subchannels           { return nil }
func (l liar) ExtentAt(a disc.LBA) (disc.Extent, bool) { return l.img.ExtentAt(a) }
func (l liar) Flaws() disc.Flaws                       { return nil }
func (l liar) Files() []string                         { return nil }
func (l liar) Close() error                            { return nil }

func (l liar) ReadUser(context.Context, []byte, disc.LBA) (bool, error) { return false, nil }

func (l liar) ReadSectors(ctx context.Context, p []byte, first disc.LBA) error {
	err := l.img.ReadSectors(ctx, p, first)
	clear(p)
	return err
}

// The hash is that of what was written.
func TestHashOfWhatIsWritten(t *testing.T) {
	img, want := data(t, 100)
	res, err := Create(t.Context(), Format{Create: raw}, filepath.Join(t.TempDir(), "out"), liar{img}, Options{Hashes: digest.SHA256})
	if err != nil {
		t.Fatal(err)
	}
	if sum := sha256.Sum256(want); res.Whole.SHA256 != hex.EncodeToString(sum[:]) || res.Damaged != 0 {
		t.Errorf("%+v", res)
	}
}

// A source that changes is reported, and nothing is kept of it.
func TestSourceChanges(t *testing.T) {
	for name, change := range map[string]func(path string) error{
		"time":    func(path string) error { return os.Chtimes(path, time.Time{}, time.Unix(1, 0)) },
		"size":    func(path string) error { return os.Truncate(path, 50*cdsector.Size) },
		"another": func(path string) error { return os.WriteFile(path, make([]byte, 10), 0o666) },
	} {
		for _, noCheck := range []bool{false, true} {
			img, _ := data(t, 100)
			dir := t.TempDir()
			once := sync.OnceValue(func() error { return change(img.Files()[0]) })
			_, err := Create(t.Context(), Format{Create: raw}, filepath.Join(dir, "out"), img, Options{NoCheck: noCheck, Progress: func(_, _ int64) {
				if err := once(); err != nil {
					t.Error(err)
				}
			}})
			if !errors.Is(err, ErrChanged) || !strings.HasPrefix(err.Error(), img.Files()[0]) {
				t.Errorf("%s: %v", name, err)
			}
			if files, _ := os.ReadDir(dir); len(files) > 0 {
				t.Errorf("%s: left behind: %v", name, files)
			}
		}
	}
}

// A name that a line of text cannot state is refused.
func TestNameInText(t *testing.T) {
	for path, bad := range map[string]bool{"a\nb.toc": true, "a\x01.cue": true, "a b.cue": false, "d\n/ü.cue": false} {
		var held *CannotHoldError
		err := (&Output{Path: path, Layout: &disc.Layout{}}).NameInText()
		if errors.As(err, &held) != bad || bad && held.Reason != BadName {
			t.Errorf("%q: %v", path, err)
		}
	}
}
