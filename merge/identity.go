package merge

import (
	"bytes"
	"context"
	"fmt"

	"spindle/addr"
	"spindle/check"
	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/iso"
)

// How much of two images is compared.
const (
	places      = 32  // spread over the disc
	searched    = 256 // sectors looked through for one that is good in both, and not constant
	leastPlaces = 4   // must be the same
)

// sameLayout compares the tables of contents. Where an image of a single track ends is no
// evidence: it may have been cut short.
func sameLayout(a, b *source) error {
	la, lb := a.img.Layout(), b.img.Layout()
	differ := func(format string, args ...any) error {
		return fmt.Errorf("%w: %s and %s: %s", ErrOtherDisc, a.name, b.name, fmt.Sprintf(format, args...))
	}
	if la.Medium != lb.Medium {
		return differ("one is of a %s, the other of a %s", la.Medium, lb.Medium)
	}
	ta, tb := la.Tracks(), lb.Tracks()
	if x, y := len(ta), len(tb); x != y {
		return differ("the number of tracks is %d, and %d", x, y)
	}
	if x, y := len(la.Sessions), len(lb.Sessions); x != y {
		return differ("the number of sessions is %d, and %d", x, y)
	}
	for i := range ta {
		switch {
		case ta[i].Mode != tb[i].Mode:
			return differ("track %d is %s, and %s", ta[i].Number, ta[i].Mode, tb[i].Mode)
		case ta[i].Start != tb[i].Start:
			return differ("track %d begins at sector %d, and at %d", ta[i].Number, ta[i].Start, tb[i].Start)
		}
		if x, y := ta[i].ISRC, tb[i].ISRC; x != y && cdsector.ValidISRC(x) && cdsector.ValidISRC(y) {
			return differ("the ISRC of track %d is %s, and %s", ta[i].Number, x, y)
		}
	}
	if la.End() != lb.End() && len(ta) > 1 {
		return differ("the disc ends at sector %d, and at %d", la.End(), lb.End())
	}
	if la.MCN != lb.MCN && cdsector.ValidMCN(la.MCN) && cdsector.ValidMCN(lb.MCN) {
		return differ("the catalogue number is %s, and %s", la.MCN, lb.MCN)
	}
	return nil
}

// A comparison is one of the content of an image with that of one before it.
type comparison struct {
	ctx  context.Context
	a, b *source
	same int // places that are the same
	not  int // and that differ, without anything that proves either
	at   disc.LBA
}

// sameContent compares an image with those that are the same disc.
func sameContent(ctx context.Context, joined []*source, b *source, sure bool) error {
	same := 0
	for _, a := range joined {
		c := &comparison{ctx: ctx, a: a, b: b}
		if err := c.run(); err != nil {
			return err
		}
		if c.not > 0 && (c.not >= leastPlaces && c.not > c.same || c.same == 0) {
			return fmt.Errorf("%w: %s and %s differ at sector %d and at %d of %d other places", ErrOtherDisc, a.name, b.name, c.at, c.not-1, c.same+c.not-1)
		}
		same = max(same, c.same)
	}
	if same < leastPlaces && !sure {
		return fmt.Errorf("%w: %s is good at %d of %d places at which another is", ErrUndecided, b.name, same, places)
	}
	return nil
}

// run compares the volume descriptors of both, and sectors all over the disc.
func (c *comparison) run() error {
	l := c.a.img.Layout()
	for _, t := range l.Tracks() {
		if t.Mode.IsData() {
			if err := c.descriptors(t); err != nil {
				return err
			}
		}
	}
	var whole []stretch
	n := 0
	for _, t := range l.Tracks() {
		whole = join(whole, stretch{t.Begin(), t.End})
		n += t.Sectors()
	}
	next := disc.LBA(-addr.Pregap - 1)
	for i := range places {
		skip := int(int64(n) * int64(i) / places)
		for _, x := range whole {
			if k := int(x.end - x.first); skip >= k {
				skip -= k
				continue
			}
			a, err := c.place(max(x.first+disc.LBA(skip), next))
			if err != nil {
				return err
			}
			next = max(next, a+1)
			break
		}
	}
	return nil
}

// anchorBlock holds the anchor of a UDF volume (ECMA-167 3/8.4.2.1).
const anchorBlock = 256

// descriptors compares the volume descriptors, with their labels and dates.
func (c *comparison) descriptors(t *disc.Track) error {
	for i := range disc.LBA(searchedDescriptors) {
		more, err := c.descriptor(t, iso.FirstDescriptor+i)
		if err != nil {
			return err
		}
		if !more {
			break
		}
	}
	_, err := c.descriptor(t, anchorBlock)
	return err
}

// descriptor compares a block of a track. It reports whether another volume descriptor may
// follow it.
func (c *comparison) descriptor(t *disc.Track, n disc.LBA) (more bool, err error) {
	at := t.Start + n
	if at >= t.End {
		return false, nil
	}
	x, y, ok, err := c.both(at)
	if err != nil || !ok {
		return true, err
	}
	if !bytes.Equal(userOf(x), userOf(y)) {
		return false, fmt.Errorf("%w: the volume descriptors of %s and of %s differ, in sector %d", ErrOtherDisc, c.a.name, c.b.name, at)
	}
	return isDescriptor(userOf(x)), nil
}

// searchedDescriptors bounds the volume recognition sequence of a track, in blocks.
const searchedDescriptors = 16

// isDescriptor reports whether a block may be one of a volume recognition sequence (ECMA-119
// 8.1, ECMA-167 2/9.1): its identifier has five characters.
func isDescriptor(block []byte) bool {
	for _, b := range block[1:6] {
		if b < ' ' || b > 'Z' {
			return false
		}
	}
	return true
}

// both reads a sector that is good in both images.
func (c *comparison) both(at disc.LBA) (x, y []byte, ok bool, err error) {
	t := c.a.img.Layout().TrackAt(at)
	if t == nil {
		return nil, nil, false, nil
	}
	x, worthX, err := c.a.good(c.ctx, t, at)
	if x == nil || err != nil {
		return nil, nil, false, err
	}
	y, worthY, err := c.b.good(c.ctx, t, at)
	if y == nil || err != nil {
		return nil, nil, false, err
	}
	if worthX == proven && worthY == formless || worthX == formless && worthY == proven {
		return nil, nil, false, nil // the other one lost its form, and with it its codes
	}
	if worthX == proven && worthY == proven && !bytes.Equal(x, y) {
		return nil, nil, false, fmt.Errorf("%w: sector %d of %s and of %s holds different bytes, and each is proven by its own EDC",
			ErrOtherDisc, at, c.a.name, c.b.name)
	}
	return x, y, true, nil
}

// place compares the first sector from an address on that tells something, and returns where
// that is.
func (c *comparison) place(at disc.LBA) (disc.LBA, error) {
	for range searched {
		x, y, ok, err := c.both(at)
		if err != nil {
			return at, err
		}
		if ok && !constant(userOf(x)) {
			if bytes.Equal(userOf(x), userOf(y)) {
				c.same++
			} else {
				if c.not == 0 {
					c.at = at
				}
				c.not++
			}
			return at, nil
		}
		at++
	}
	return at, nil
}

// A worth is why a sector is taken for good.
type worth uint8

const (
	claimed  worth = iota // it has no flaw
	formless              // nor has it codes, where sectors of its track may have
	proven                // its codes are right
)

// good reads a sector that has no flaw, or is proven by its codes; else it returns nil.
func (s *source) good(ctx context.Context, t *disc.Track, at disc.LBA) (p []byte, w worth, err error) {
	r, err := s.read(ctx, t, at, 1)
	if err != nil {
		return nil, claimed, err
	}
	defer r.release()
	c := r.piece(0, s.img.Layout().Medium.SectorSize())
	if c.bytes == nil {
		return nil, claimed, nil
	}
	if c.stored && s.img.Layout().Medium == disc.CD {
		switch problem, coded := check.SectorProblem((*[cdsector.Size]byte)(c.bytes), t, at); {
		case problem != "":
			return nil, claimed, nil
		case coded:
			w = proven
		case t.Mode == disc.Mode2:
			w = formless
		}
	}
	if w != proven && c.kind != 0 {
		return nil, claimed, nil
	}
	return bytes.Clone(c.bytes), w, nil
}
