package imagetest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"

	"spindle/disc"
	"spindle/disc/cdsector"
)

// Test fails the test for each error of [Check].
func Test(t *testing.T, img disc.Image) {
	t.Helper()
	if err := Check(t.Context(), img); err != nil {
		t.Error(err)
	}
}

// Check checks that an image keeps the contract of [disc.Image]: that all its parts
// agree with each other, however they are read. It reads every sector several
// times, so small images serve best. img is open afterwards. The error joins all
// that was found.
func Check(ctx context.Context, img disc.Image) error {
	s := suite{ctx, img, img.Layout()}
	if err := s.l.Validate(); err != nil {
		return err
	}
	var errs []error
	for _, test := range []struct {
		name string
		run  func() error
	}{
		{"sectors", s.sectors},
		{"concurrent reading", s.concurrent},
		{"cancellation", s.cancelled},
		{"sectors outside of tracks", s.outside},
		{"user data", s.user},
		{"extents", s.extents},
		{"sub-channels", s.subchannels},
		{"flaws", s.flaws},
		{"files", s.files},
	} {
		if err := test.run(); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", test.name, err))
		}
	}
	return errors.Join(errs...)
}

type suite struct {
	ctx context.Context
	img disc.Image
	l   *disc.Layout
}

// batch is how many sectors are read at once where it does not matter.
const batch = 100

func (s *suite) read(a disc.LBA, n int) ([]byte, error) {
	p := bytes.Repeat([]byte{0xA5}, n*s.l.Medium.SectorSize())
	if err := s.img.ReadSectors(s.ctx, p, a); err != nil {
		return nil, fmt.Errorf("%d sectors from %d: %w", n, a, err)
	}
	return p, nil
}

// each calls do with the sectors of all tracks, in batches.
func (s *suite) each(do func(t *disc.Track, a disc.LBA, p []byte) error) error {
	for _, t := range s.l.Tracks() {
		for a := t.Begin(); a < t.End; a += batch {
			p, err := s.read(a, min(batch, int(t.End-a)))
			if err != nil {
				return err
			}
			if err := do(t, a, p); err != nil {
				return fmt.Errorf("track %d: %w", t.Number, err)
			}
		}
	}
	return nil
}

// sectors reads every sector in pieces of several sizes.
func (s *suite) sectors() error {
	size := s.l.Medium.SectorSize()
	if err := s.img.ReadSectors(s.ctx, make([]byte, size-1), s.l.Tracks()[0].Begin()); err == nil {
		return errors.New("a buffer of no whole sectors is taken")
	}
	return s.each(func(_ *disc.Track, a disc.LBA, want []byte) error {
		for _, n := range []int{1, 7} {
			for i := 0; i < len(want); i += n * size {
				end := min(len(want), i+n*size)
				got, err := s.read(a+disc.LBA(i/size), (end-i)/size)
				if err != nil {
					return err
				}
				if !bytes.Equal(got, want[i:end]) {
					return fmt.Errorf("sector %d read %d at a time differs", int(a)+i/size, n)
				}
			}
		}
		return nil
	})
}

// concurrent reads everything in several goroutines at once.
func (s *suite) concurrent() error {
	sums := make([][]byte, 4)
	errs := make([]error, len(sums))
	var wg sync.WaitGroup
	for i := range sums {
		wg.Go(func() {
			var all bytes.Buffer
			errs[i] = s.each(func(_ *disc.Track, _ disc.LBA, p []byte) error {
				all.Write(p)
				return nil
			})
			sums[i] = all.Bytes()
		})
	}
	wg.Wait()
	for _, sum := range sums {
		if !bytes.Equal(sum, sums[0]) {
			errs = append(errs, errors.New("two readers got different sectors"))
		}
	}
	return errors.Join(errs...)
}

// cancelled reads with a context that has ended.
func (s *suite) cancelled() error {
	ctx, cancel := context.WithCancel(s.ctx)
	cancel()
	t := s.l.Tracks()[0]
	err := s.img.ReadSectors(ctx, make([]byte, s.l.Medium.SectorSize()), t.Start)
	if !errors.Is(err, context.Canceled) {
		return fmt.Errorf("sectors: the error is %v", err)
	}
	if done, err := s.img.ReadUser(ctx, make([]byte, cdsector.UserSize), t.Start); done && !errors.Is(err, context.Canceled) {
		return fmt.Errorf("user data: the error is %v", err)
	}
	if sub := s.img.Subchannels(); sub != nil {
		if err := sub.ReadSubchannel(ctx, make([]byte, cdsector.SubSize), t.Start); !errors.Is(err, context.Canceled) {
			return fmt.Errorf("sub-channels: the error is %v", err)
		}
	}
	return nil
}

// Sum is the SHA-256 of all sectors of an image, with where its tracks are.
func Sum(ctx context.Context, img disc.Image) ([]byte, error) {
	s := suite{ctx, img, img.Layout()}
	sum := sha256.New()
	err := s.each(func(t *disc.Track, a disc.LBA, p []byte) error {
		fmt.Fprintln(sum, t.Number, t.Mode, a)
		_, err := sum.Write(p)
		return err
	})
	return sum.Sum(nil), err
}

// outside asks for sectors that no track holds: before, between and behind them.
func (s *suite) outside() error {
	tracks := s.l.Tracks()
	at := []disc.LBA{tracks[0].Begin() - 1, s.l.End() + 1, disc.MaxLBA + 1}
	for i := range tracks {
		if end := tracks[i].End; s.l.TrackAt(end) == nil {
			at = append(at, end)
		}
	}
	for _, a := range at {
		p := make([]byte, s.l.Medium.SectorSize())
		if err := s.img.ReadSectors(s.ctx, p, a); !errors.Is(err, disc.ErrNoSector) {
			return fmt.Errorf("sector %d: the error is %v", a, err)
		}
		if done, err := s.img.ReadUser(s.ctx, make([]byte, cdsector.UserSize), a); done && err == nil {
			return fmt.Errorf("sector %d has user data", a)
		}
		if _, ok := s.img.ExtentAt(a); ok {
			return fmt.Errorf("sector %d stands in a file", a)
		}
	}
	last := tracks[len(tracks)-1].End - 1
	p := make([]byte, 2*s.l.Medium.SectorSize())
	if err := s.img.ReadSectors(s.ctx, p, last); !errors.Is(err, disc.ErrNoSector) {
		return fmt.Errorf("the last sector and one behind it: the error is %v", err)
	}
	return nil
}

// user compares direct user data with that of the sectors.
func (s *suite) user() error {
	return s.each(func(t *disc.Track, a disc.LBA, p []byte) error {
		if !t.Mode.IsData() || a < t.Start {
			return nil
		}
		size := s.l.Medium.SectorSize()
		got := make([]byte, len(p)/size*cdsector.UserSize)
		done, err := s.img.ReadUser(s.ctx, got, a)
		if err != nil || !done {
			return err
		}
		for i := range len(p) / size {
			want := p[i*size : (i+1)*size]
			if size == cdsector.Size {
				if want, err = cdsector.Block((*[cdsector.Size]byte)(want)); err != nil {
					return fmt.Errorf("sector %d: %w", a+disc.LBA(i), err)
				}
			}
			if !bytes.Equal(got[i*cdsector.UserSize:(i+1)*cdsector.UserSize], want) {
				return fmt.Errorf("sector %d has other user data when read as a whole", a+disc.LBA(i))
			}
		}
		return nil
	})
}

// extents makes an image of the extents and compares its sectors.
func (s *suite) extents() error {
	return s.each(func(t *disc.Track, a disc.LBA, p []byte) error {
		size := disc.LBA(s.l.Medium.SectorSize())
		end := a + disc.LBA(len(p))/size
		for at := a; at < end; {
			e, ok := s.img.ExtentAt(at)
			if !ok {
				at++
				continue
			}
			if e.First != at || e.Count < 1 {
				return fmt.Errorf("the extent at %d begins at %d and has %d sectors", at, e.First, e.Count)
			}
			n := min(disc.LBA(e.Count), end-at)
			e.Count = int(n)
			alone, err := disc.NewImage(disc.Contents{Layout: &disc.Layout{Medium: s.l.Medium, Sessions: []disc.Session{{
				Number: 1, LeadOut: at + n, Tracks: []disc.Track{{Number: 1, Mode: t.Mode, Start: at, End: at + n}},
			}}}, Extents: []disc.Extent{e}, Flaws: s.img.Flaws()})
			if err != nil {
				return err
			}
			got := make([]byte, n*size)
			if err := alone.ReadSectors(s.ctx, got, at); err != nil {
				return err
			}
			if !bytes.Equal(got, p[(at-a)*size:(at-a+n)*size]) {
				return fmt.Errorf("the extent of sectors %d to %d holds other bytes", at, at+n-1)
			}
			if err := s.extentSub(alone, &e); err != nil {
				return err
			}
			at += n
		}
		return nil
	})
}

// extentSub compares the sub-channels that an extent names with those of the image.
func (s *suite) extentSub(alone disc.Image, e *disc.Extent) error {
	if e.Sub == nil || e.Sub.RWOnly || e.Sub.Blank { // P and Q that are made depend on the layout
		return nil
	}
	saved := s.img.Subchannels()
	if saved == nil {
		return fmt.Errorf("the extent at %d has sub-channels, and the image none", e.First)
	}
	got, want := make([]byte, e.Count*cdsector.SubSize), make([]byte, e.Count*cdsector.SubSize)
	err := alone.Subchannels().ReadSubchannel(s.ctx, got, e.First)
	if err = errors.Join(err, saved.ReadSubchannel(s.ctx, want, e.First)); err != nil {
		return err
	}
	if !bytes.Equal(got, want) {
		return fmt.Errorf("the extent at %d has other sub-channels", e.First)
	}
	return nil
}

// subchannels reads saved sub-channels at once and one by one. Where Q holds
// together and states a position, it is that of the sector: they are de-interleaved
// and those of the right sectors.
func (s *suite) subchannels() error {
	sub := s.img.Subchannels()
	if sub == nil {
		return nil
	}
	const size = cdsector.SubSize
	if err := sub.ReadSubchannel(s.ctx, make([]byte, size-1), s.l.Tracks()[0].Begin()); err == nil {
		return errors.New("a buffer for no whole sub-channels is taken")
	}
	for _, t := range s.l.Tracks() {
		n := t.Sectors()
		all := make([]byte, n*size)
		if err := sub.ReadSubchannel(s.ctx, all, t.Begin()); err != nil {
			return err
		}
		one := make([]byte, size)
		for i := range n {
			a := t.Begin() + disc.LBA(i)
			if err := sub.ReadSubchannel(s.ctx, one, a); err != nil {
				return err
			}
			if !bytes.Equal(one, all[i*size:(i+1)*size]) {
				return fmt.Errorf("those of sector %d differ when they are read alone", a)
			}
			q, err := cdsector.DecodeQ((*[cdsector.QSize]byte)(one[cdsector.QSize:]))
			if err == nil && q.ADR == 1 && q.Track > 0 && q.Abs != a.MSF() {
				return fmt.Errorf("those of sector %d state the position %v", a, q.Abs)
			}
		}
	}
	if err := sub.ReadSubchannel(s.ctx, make([]byte, size), s.l.End()+1); err == nil {
		return errors.New("a sector outside of all tracks has some")
	}
	return nil
}

// flaws checks that the list is in order and names sectors of tracks.
func (s *suite) flaws() error {
	f := s.img.Flaws()
	for i, x := range f {
		switch {
		case x.Count < 1 || x.Kind < disc.Unproven || x.Kind > disc.Unread:
			return fmt.Errorf("%v is none", x)
		case i > 0 && (f[i-1].End() > x.First || f[i-1].End() == x.First && f[i-1].Kind == x.Kind):
			return fmt.Errorf("%v and %v overlap or are one", f[i-1], x)
		}
		for a := x.First; a < x.End(); a++ {
			if s.l.TrackAt(a) == nil {
				return fmt.Errorf("sector %d is in no track", a)
			}
		}
	}
	return nil
}

// files checks that those listed exist, each once.
func (s *suite) files() error {
	seen := make(map[string]bool)
	for _, f := range s.img.Files() {
		if st, err := os.Stat(f); err != nil {
			return err
		} else if !st.Mode().IsRegular() {
			return fmt.Errorf("%s is no regular file", f)
		}
		if seen[f] {
			return fmt.Errorf("%s is listed twice", f)
		}
		seen[f] = true
	}
	return nil
}
