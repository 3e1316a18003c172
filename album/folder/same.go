package folder

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"spindle/album"
	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/image/audio"
	"spindle/image/riplog"
	"spindle/internal/regular"
)

// sameCodes refuses a disc that states another catalogue number, or other ISRCs, than the album.
func (p *Plan) sameCodes(l *disc.Layout) error {
	if was := p.log.Sections[0].Get(riplog.CatalogueLine); was != "" && l.MCN != "" && was != l.MCN {
		return p.otherDisc("the catalogue number was %s and is %s", was, l.MCN)
	}
	for i, t := range l.Tracks() {
		if was := p.codes.Tracks()[i].ISRC; was != "" && t.ISRC != "" && was != t.ISRC {
			return p.otherDisc("the ISRC of track %d was %s and is %s", t.Number, was, t.ISRC)
		}
	}
	return nil
}

// An otherDiscError says how songs in a folder are of another disc.
type otherDiscError struct{ dir, why string }

func (e *otherDiscError) Error() string {
	return fmt.Sprintf("the songs in %s are of another disc (%s)", e.dir, e.why)
}
func (e *otherDiscError) Unwrap() error { return ErrOtherDisc }

func (p *Plan) otherDisc(why string, args ...any) error {
	return &otherDiscError{p.Dir, fmt.Sprintf(why, args...)}
}

// Held is what a disc is compared with before songs of it are added to those that stay.
type Held struct {
	MCN   string       // the catalogue number, or ""
	Codes *disc.Layout // the tracks, with the ISRCs that are known
	// The sectors of songs that stay and are as their log says, but for those that are not right:
	Good []album.Run // proven
	Once []album.Run // read once
}

// Held returns what is compared, or nil: nothing is there.
func (p *Plan) Held() *Held {
	if !p.joins() {
		return nil
	}
	h := &Held{MCN: p.log.Sections[0].Get(riplog.CatalogueLine), Codes: p.codes}
	for i := range p.same {
		if s := &p.same[i]; s.Data || s.Proof.Proven() && !s.Proof.Repaired { // the drive may not give what was repaired
			h.Good = append(h.Good, right(s)...)
		} else {
			h.Once = append(h.Once, right(s)...)
		}
	}
	return h
}

// right are the sectors of a song that are right.
func right(s *riplog.Song) []album.Run {
	var all []album.Run
	at := s.First
	for _, f := range s.Flaws.Clip(s.First, s.End) {
		all = append(all, album.Run{First: at, End: f.First})
		at = f.End()
	}
	return slices.DeleteFunc(append(all, album.Run{First: at, End: s.End}), func(x album.Run) bool { return x.First >= x.End })
}

// ReadSectors fills b, a multiple of 2352 bytes, with sectors of the songs that stay and are as their log says.
func (p *Plan) ReadSectors(ctx context.Context, b []byte, first disc.LBA) error {
	for len(b) > 0 {
		i := slices.IndexFunc(p.same, func(s riplog.Song) bool { return s.First <= first && first < s.End })
		if i < 0 {
			return fmt.Errorf("sector %d is in no song", first)
		}
		s := &p.same[i]
		n := min(len(b)/cdsector.Size, int(s.End-first))
		f, err := p.openHeld(ctx, s)
		if err == nil {
			err = errors.Join(f.read(b[:n*cdsector.Size], first), f.Close())
		}
		if err != nil {
			return fmt.Errorf("%s: %w", s.File, err)
		}
		b, first = b[n*cdsector.Size:], first+disc.LBA(n)
	}
	return nil
}

// A heldFile is an open file of a song, or of a track of data.
type heldFile struct {
	io.Closer
	read func(b []byte, first disc.LBA) error // sectors of it
}

// openHeld opens a file. What is read of it forwards is decoded once.
func (p *Plan) openHeld(ctx context.Context, s *riplog.Song) (*heldFile, error) {
	path := filepath.Join(p.Dir, s.File)
	if s.Data {
		return openData(path, s)
	}
	f, err := audio.Open(ctx, path)
	if err != nil {
		return nil, err
	}
	return &heldFile{f, func(b []byte, first disc.LBA) error {
		_, err := f.Source.ReadAt(b, f.Offset+int64(first-s.First)*cdsector.Size)
		return err
	}}, nil
}

// openData opens the file of a track of data. Sectors of an ISO are built around their user data again.
func openData(path string, s *riplog.Song) (*heldFile, error) {
	f, err := regular.Open(path)
	if err != nil {
		return nil, err
	}
	if !strings.HasSuffix(s.File, ".iso") {
		return &heldFile{f, func(b []byte, first disc.LBA) error {
			_, err := f.ReadAt(b, int64(first-s.First)*cdsector.Size)
			return err
		}}, nil
	}
	from, size := cdsector.Mode1.UserData()
	return &heldFile{f, func(b []byte, first disc.LBA) error {
		for ; len(b) > 0; b, first = b[cdsector.Size:], first+1 {
			x := (*[cdsector.Size]byte)(b)
			cdsector.SetHeader(x, first.MSF(), 1)
			if _, err := f.ReadAt(x[from:from+size], int64(first-s.First)*int64(size)); err != nil {
				return err
			}
			cdsector.Seal(x, cdsector.Mode1)
		}
		return nil
	}}, nil
}

// Compare compares all of the songs that stay with an image. The error wraps [ErrOtherDisc] or
// [ErrNothingSame], or is that of reading.
func (p *Plan) Compare(ctx context.Context, img disc.Image) error {
	h := p.Held()
	if h == nil || len(p.Kept) == 0 {
		return nil
	}
	compared := 0
	for _, x := range append(h.Good, h.Once...) {
		if slices.ContainsFunc(p.Again, func(s riplog.Song) bool { return s.First <= x.First && x.First < s.End }) {
			continue // it may be other: that is why it is made again
		}
		n, err := p.compareRun(ctx, img, x)
		if err != nil {
			return err
		}
		compared += n
	}
	if compared == 0 {
		return fmt.Errorf("%w to know that what is in %s is of the same disc", ErrNothingSame, p.Dir)
	}
	return nil
}

// compareRun compares sectors with an image, but for those that are not right in it, and counts them.
func (p *Plan) compareRun(ctx context.Context, img disc.Image, x album.Run) (compared int, err error) {
	const step = 1024
	i := slices.IndexFunc(p.same, func(s riplog.Song) bool { return s.First <= x.First && x.End <= s.End })
	song := &p.same[i]
	f, err := p.openHeld(ctx, song)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", song.File, err)
	}
	defer f.Close()
	was, now, flaws := make([]byte, step*cdsector.Size), make([]byte, step*cdsector.Size), img.Flaws()
	for at := x.First; at < x.End; at += step {
		n := min(step, int(x.End-at))
		size := n * cdsector.Size
		if err := f.read(was[:size], at); err != nil {
			return compared, fmt.Errorf("%s: %w", song.File, err)
		}
		if err := img.ReadSectors(ctx, now[:size], at); err != nil {
			return compared, err
		}
		for i := range n {
			if flaws.Contains(at + disc.LBA(i)) {
				continue
			}
			if a, b := was[i*cdsector.Size:][:cdsector.Size], now[i*cdsector.Size:][:cdsector.Size]; !bytes.Equal(a, b) {
				return compared, p.otherDisc("its contents differ at sector %d", at+disc.LBA(i))
			}
			compared++
		}
	}
	return compared, nil
}
