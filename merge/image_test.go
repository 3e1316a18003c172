package merge

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/image"
	"spindle/image/imagetest"
	"spindle/internal/testdisc/testimage"
)

// TestContract holds a merged image to the contract of images, for each kind of disc.
func TestContract(t *testing.T) {
	for _, name := range []string{"mixed", "cdextra", "iso"} {
		t.Run(name, func(t *testing.T) {
			a, b := testimage.Open(t, name), testimage.Open(t, name)
			m, err := New(t.Context(), []Input{{Name: "a", Image: disc.WithFlaws(a, disc.Flaws{{First: 20, Count: 9, Kind: disc.Unread}})}, {Name: "b", Image: b}}, Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			imagetest.Test(t, m)
		})
	}
}

// stored is an image whose files hold what it gives.
type stored struct{ *imagetest.Tapped }

func (s stored) ExtentAt(a disc.LBA) (disc.Extent, bool) { return s.Image.ExtentAt(a) }

// changed gives an image other bytes.
func changed(img disc.Image, at disc.LBA, change func(s *[cdsector.Size]byte)) disc.Image {
	return stored{&imagetest.Tapped{Image: img, After: func(p []byte, first disc.LBA) {
		for i := range len(p) / cdsector.Size {
			if first+disc.LBA(i) == at {
				change((*[cdsector.Size]byte)(p[i*cdsector.Size:]))
			}
		}
	}}}
}

func resealed(s *[cdsector.Size]byte) {
	s[100] ^= 1
	cdsector.Seal(s, cdsector.Mode1)
}

// TestOtherDiscs refuses to merge what is not one disc.
func TestOtherDiscs(t *testing.T) {
	flawed := func(img disc.Image, first disc.LBA, n int) disc.Image {
		return disc.WithFlaws(img, disc.Flaws{{First: first, Count: n, Kind: disc.Unread}})
	}
	silence := func(p []byte, _ disc.LBA) { clear(p) }
	for _, c := range []struct {
		name string
		a, b disc.Image
		want error
		text string
	}{
		{"tracks", testimage.Open(t, "mixed"), testimage.Open(t, "audio"), ErrOtherDisc, "number of tracks is 4, and 3"},
		{"proven sector", testimage.Open(t, "data"), changed(testimage.Open(t, "data"), 0, resealed), ErrOtherDisc, "sector 0 of a and of b"},
		{"volume descriptor", testimage.Open(t, "data"), changed(testimage.Open(t, "data"), 16, resealed), ErrOtherDisc, "sector 16"},
		{"nothing in common", flawed(testimage.Open(t, "audio"), 0, 700), flawed(testimage.Open(t, "audio"), 680, 900), ErrUnaligned, "too little"},
		{"other audio", testimage.Open(t, "audio"), &imagetest.Tapped{Image: testimage.Open(t, "audio"), After: func(p []byte, _ disc.LBA) { rand.NewChaCha8([32]byte{}).Read(p) }}, ErrUnaligned, "nothing of it is found"},
		{"silence", &imagetest.Tapped{Image: testimage.Open(t, "audio"), After: silence}, &imagetest.Tapped{Image: testimage.Open(t, "audio"), After: silence}, ErrUnaligned, "too little"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := New(t.Context(), []Input{{Name: "a", Image: c.a}, {Name: "b", Image: c.b}}, Options{})
			if !errors.Is(err, c.want) || !strings.Contains(fmt.Sprint(err), c.text) {
				t.Errorf("%v", err)
			}
		})
	}
	d := testimage.Open(t, "iso")
	end := d.Layout().End()
	a, b := flawed(d, 0, int(end)/2), flawed(testimage.Open(t, "iso"), end/2, int(end))
	if _, err := New(t.Context(), []Input{{Name: "a", Image: a}, {Name: "b", Image: b}}, Options{}); !errors.Is(err, ErrUndecided) {
		t.Errorf("nothing can be compared: %v", err)
	}
	m, err := New(t.Context(), []Input{{Name: "a", Image: a}, {Name: "b", Image: b}}, Options{SameDisc: true})
	if err != nil {
		t.Fatal(err)
	}
	if read(t, m); len(m.Flaws()) > 0 {
		t.Errorf("two halves leave %v", m.Flaws())
	}
}

// read reads all of an image.
func read(t *testing.T, img disc.Image) []byte {
	t.Helper()
	var all []byte
	for _, tr := range img.Layout().Tracks() {
		p := make([]byte, tr.Sectors()*img.Layout().Medium.SectorSize())
		if err := img.ReadSectors(t.Context(), p, tr.Begin()); err != nil {
			t.Fatal(err)
		}
		all = append(all, p...)
	}
	return all
}

// TestOtherDiscLate: a difference that no sample met is met when the sector is read, and
// proves that the discs are two.
func TestOtherDiscLate(t *testing.T) {
	m, err := New(t.Context(), []Input{{Name: "a", Image: testimage.Open(t, "data")}, {Name: "b", Image: changed(testimage.Open(t, "data"), 1001, resealed)}}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.ReadSectors(t.Context(), make([]byte, 300*cdsector.Size), 900); !errors.Is(err, ErrOtherDisc) {
		t.Errorf("%v", err)
	}
}

// TestSilentEdges: a rip that was corrected for the read offset of the drive is silent where
// the drive gave nothing. It contradicts nobody.
func TestSilentEdges(t *testing.T) {
	whole := testimage.Open(t, "audio")
	last := whole.Layout().End() - 1
	cut := changed(testimage.Open(t, "audio"), last, func(s *[cdsector.Size]byte) { clear(s[2000:]) })
	for _, in := range [][]Input{{{Name: "a", Image: cut}, {Name: "b", Image: whole}}, {{Name: "a", Image: whole}, {Name: "b", Image: cut}}} {
		m, err := New(t.Context(), in, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got := read(t, m); len(m.Flaws()) > 0 || !bytes.Equal(got, read(t, whole)) {
			t.Errorf("%v", m.Flaws())
		}
	}
	noise := changed(testimage.Open(t, "audio"), last, func(s *[cdsector.Size]byte) { clear(s[2000:]); s[1000] ^= 1 })
	m, err := New(t.Context(), []Input{{Name: "a", Image: whole}, {Name: "b", Image: noise}}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if read(t, m); m.Flaws().Sectors() != 1 || len(m.Contradictions()) != 1 {
		t.Errorf("%v", m.Flaws())
	}
}

// failing fails to read a sector, as a compressed file that is damaged.
type failing struct {
	img disc.Image
	at  disc.LBA
}

func (f *failing) Layout() *disc.Layout                                     { return f.img.Layout() }
func (f *failing) Subchannels() disc.Subchannels                            { return f.img.Subchannels() }
func (f *failing) ReadUser(context.Context, []byte, disc.LBA) (bool, error) { return false, nil }
func (f *failing) ExtentAt(a disc.LBA) (disc.Extent, bool)                  { return f.img.ExtentAt(a) }
func (f *failing) Flaws() disc.Flaws                                        { return f.img.Flaws() }
func (f *failing) Files() []string                                          { return f.img.Files() }
func (f *failing) Close() error                                             { return f.img.Close() }

func (f *failing) ReadSectors(ctx context.Context, p []byte, first disc.LBA) error {
	if f.at >= first && int(f.at-first) < len(p)/f.Layout().Medium.SectorSize() {
		return os.ErrInvalid
	}
	return f.img.ReadSectors(ctx, p, first)
}

// TestUnreadableInput: what the files of one image do not give comes from another, and is
// reported.
func TestUnreadableInput(t *testing.T) {
	whole := testimage.Open(t, "iso")
	m, err := New(t.Context(), []Input{{Name: "a", Image: &failing{img: testimage.Open(t, "iso"), at: 50}}, {Name: "b", Image: whole}}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := read(t, m); len(m.Flaws()) > 0 || !bytes.Equal(got, read(t, whole)) {
		t.Errorf("%v", m.Flaws())
	}
	if x := m.Accounts()[0]; x.Lost.Sectors() != 1 || x.Lost[0].First != 50 || !errors.Is(x.Reason, os.ErrInvalid) {
		t.Errorf("%+v", x)
	}
	both, err := New(t.Context(), []Input{{Name: "a", Image: &failing{img: testimage.Open(t, "iso"), at: 50}}, {Name: "b", Image: &failing{img: testimage.Open(t, "iso"), at: 50}}}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if read(t, both); fmt.Sprint(both.Flaws()) != "[{50 1 unread}]" {
		t.Errorf("%v", both.Flaws())
	}
}

// TestDoubtful: of an image in which something is wrong nobody knows where, only what codes
// prove is right.
func TestDoubtful(t *testing.T) {
	a := disc.WithFlaws(testimage.Open(t, "data"), disc.Flaws{{First: 40, Count: 10, Kind: disc.Unread}})
	m, err := New(t.Context(), []Input{{Name: "a", Image: a}, {Name: "b", Image: testimage.Open(t, "data"), Doubtful: true}}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if read(t, m); len(m.Flaws()) > 0 {
		t.Errorf("%v", m.Flaws())
	}
	d := disc.WithFlaws(testimage.Open(t, "iso"), disc.Flaws{{First: 40, Count: 10, Kind: disc.Unread}})
	m, err = New(t.Context(), []Input{{Name: "a", Image: d}, {Name: "b", Image: testimage.Open(t, "iso"), Doubtful: true}}, Options{SameDisc: true})
	if err != nil {
		t.Fatal(err)
	}
	if read(t, m); fmt.Sprint(m.Flaws()) != "[{40 10 unproven}]" {
		t.Errorf("%v", m.Flaws())
	}
}

// TestSameCopyTwice: where a merged image has a sector from a copy, that copy does not
// agree with it.
func TestSameCopyTwice(t *testing.T) {
	origin := &Provenance{Copies: []Copy{{Name: "x"}, {Name: "y"}}, Runs: []Run{
		{0, 300, 0, several, Stated}, {300, 300, 0, 1, Agreed}, {600, 900, 1, several, Stated},
	}}
	m, err := New(t.Context(), []Input{{Name: "m", Image: testimage.Open(t, "audio"), Origin: origin}, {Name: "x", Image: testimage.Open(t, "audio")}}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	read(t, m)
	for _, want := range []Run{{10, 1, 0, several, Stated}, {700, 1, 1, 0, Agreed}} {
		got, ok := m.Provenance().At(want.First)
		if got.First, got.Count = want.First, 1; !ok || got != want {
			t.Errorf("%v, want %v", got, want)
		}
	}
}

// BenchmarkMerge merges two images of a data CD, and of an audio CD that another drive read.
func BenchmarkMerge(b *testing.B) {
	const sectors = 20000
	for _, mode := range []disc.Mode{disc.Mode1, disc.Audio} {
		b.Run(mode.String(), func(b *testing.B) {
			l := &disc.Layout{Sessions: []disc.Session{{Number: 1, LeadOut: sectors, Tracks: []disc.Track{{Number: 1, Mode: mode, End: sectors}}}}}
			bin := make([]byte, sectors*cdsector.Size)
			rand.NewChaCha8([32]byte{1}).Read(bin)
			if mode == disc.Mode1 {
				for a := range sectors {
					s := (*[cdsector.Size]byte)(bin[a*cdsector.Size:])
					cdsector.SetHeader(s, disc.LBA(a).MSF(), 1)
					cdsector.Seal(s, cdsector.Mode1)
				}
			}
			var inputs []Input
			for i := range 2 {
				path := filepath.Join(b.TempDir(), "x.bin")
				from := 0
				if mode == disc.Audio {
					from = i * 24
				}
				if err := os.WriteFile(path, append(bin[from:len(bin):len(bin)], bin[:from]...), 0o600); err != nil {
					b.Fatal(err)
				}
				f, err := os.Open(path)
				if err != nil {
					b.Fatal(err)
				}
				defer f.Close()
				img, err := disc.NewExtentImage(l, []disc.Extent{{Count: sectors, Source: f}})
				if err != nil {
					b.Fatal(err)
				}
				flaws := disc.Flaws{{First: disc.LBA(1000 * (i + 1)), Count: 500, Kind: disc.ReadWithErrors}}
				inputs = append(inputs, Input{Name: fmt.Sprint(i), Image: disc.WithFlaws(img, flaws)})
			}
			b.SetBytes(int64(len(bin)))
			p := make([]byte, batchSectors*cdsector.Size)
			for b.Loop() {
				m, err := New(b.Context(), inputs, Options{})
				if err != nil {
					b.Fatal(err)
				}
				for a := 0; a < sectors; a += batchSectors {
					n := min(batchSectors, sectors-a)
					if err := m.ReadSectors(b.Context(), p[:n*cdsector.Size], disc.LBA(a)); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}

// saved has sub-channels that name the image they are of.
type saved struct {
	img    disc.Image
	of     byte
	broken disc.LBA // where they cannot be read, or -1
}

func (s *saved) Layout() *disc.Layout                    { return s.img.Layout() }
func (s *saved) Subchannels() disc.Subchannels           { return s }
func (s *saved) Flaws() disc.Flaws                       { return s.img.Flaws() }
func (s *saved) Files() []string                         { return s.img.Files() }
func (s *saved) Close() error                            { return s.img.Close() }
func (s *saved) ExtentAt(a disc.LBA) (disc.Extent, bool) { return s.img.ExtentAt(a) }

func (s *saved) ReadSectors(ctx context.Context, p []byte, first disc.LBA) error {
	return s.img.ReadSectors(ctx, p, first)
}

func (s *saved) ReadUser(ctx context.Context, p []byte, first disc.LBA) (bool, error) {
	return s.img.ReadUser(ctx, p, first)
}

func (s *saved) ReadSubchannel(_ context.Context, p []byte, first disc.LBA) error {
	if s.broken >= first && int(s.broken-first) < len(p)/cdsector.SubSize {
		return os.ErrInvalid
	}
	for i := range p {
		p[i] = s.of
	}
	return nil
}

// TestSubchannels: those of a sector come from an image that has it right; what no file gives is made.
func TestSubchannels(t *testing.T) {
	flawed := func(first disc.LBA) disc.Image {
		return disc.WithFlaws(testimage.Open(t, "audio"), disc.Flaws{{First: first, Count: 11, Kind: disc.Unread}})
	}
	a, b := &saved{flawed(100), 1, 300}, &saved{flawed(200), 2, -1}
	for _, c := range []struct {
		name   string
		inputs []disc.Image
		want   map[disc.LBA]byte
	}{
		{"both", []disc.Image{a, b}, map[disc.LBA]byte{99: 1, 100: 2, 105: 2, 111: 1, 205: 1, 300: 2}},
		{"the second", []disc.Image{flawed(100), b}, map[disc.LBA]byte{99: 2, 105: 2, 205: 2}},
		{"one", []disc.Image{a, flawed(200)}, map[disc.LBA]byte{99: 1, 105: 1, 300: 0}},
	} {
		var inputs []Input
		for i, img := range c.inputs {
			inputs = append(inputs, Input{Name: string(rune('a' + i)), Image: img})
		}
		m, err := New(t.Context(), inputs, Options{})
		if err != nil {
			t.Fatal(err)
		}
		p := make([]byte, 310*cdsector.SubSize)
		if err := m.Subchannels().ReadSubchannel(t.Context(), p, 0); err != nil {
			t.Fatal(err)
		}
		for at, want := range c.want {
			if got := p[int(at)*cdsector.SubSize+3*cdsector.QSize]; got != want {
				t.Errorf("%s: sector %d is of %d, want %d", c.name, at, got, want)
			}
		}
	}
}

// TestSubchannelsInDoubt: those of an image that may be damaged anywhere are taken where no other has any.
func TestSubchannelsInDoubt(t *testing.T) {
	m, err := New(t.Context(), []Input{
		{Name: "a", Image: &saved{testimage.Open(t, "data"), 1, -1}, Doubtful: true},
		{Name: "b", Image: &saved{testimage.Open(t, "data"), 2, 20}},
	}, Options{SameDisc: true})
	if err != nil {
		t.Fatal(err)
	}
	p := make([]byte, 30*cdsector.SubSize)
	if err := m.Subchannels().ReadSubchannel(t.Context(), p, 0); err != nil {
		t.Fatal(err)
	}
	for at, want := range map[int]byte{0: 2, 19: 2, 20: 1, 21: 2} {
		if got := p[at*cdsector.SubSize]; got != want {
			t.Errorf("sector %d is of %d, want %d", at, got, want)
		}
	}
}

// TestNoInput: a sector of data that the files of no image give is one of data in the new image, which an
// .iso can hold, with a map.
func TestNoInput(t *testing.T) {
	for _, name := range []string{"iso", "data"} {
		m, err := New(t.Context(), []Input{{Name: "a", Image: &failing{img: testimage.Open(t, name), at: 50}}, {Name: "b", Image: &failing{img: testimage.Open(t, name), at: 50}}}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		path := filepath.Join(t.TempDir(), "x.iso")
		res, err := image.Create(t.Context(), path, m, image.CreateOptions{})
		if err != nil || !slices.Equal(res.Maps, []string{path + ".map"}) {
			t.Errorf("%s: %+v, %v", name, res, err)
		}
	}
}
