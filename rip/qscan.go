package rip

import (
	"context"
	"errors"
	"strings"
	"time"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/drive"
	"spindle/scsi/mmc"
)

// A qState is what the Q sub-channel says of one sector.
type qState struct {
	at           disc.LBA // the address that Q itself states
	track, index int
}

func (s qState) same(o qState) bool { return s.track == o.track && s.index == o.index }

// errNoQ: no position frame could be read around a sector.
var errNoQ = errors.New("no Q sub-channel here")

// errQHangs: the drive does not answer when it is asked for the sub-channel. Some USB
// adapters hang so; each time costs a reset.
var errQHangs = errors.New("no answer when asked for the sub-channel")

// qLimit is how long a drive may take over one frame.
const qLimit = 30 * time.Second

// qReader reads Q frames through the drive.
type qReader struct {
	dev  *drive.Reader
	mode mmc.SubMode
	// shift is by how many sectors the frames that the drive gives run ahead
	// of the sectors; some drives are off by one or two.
	shift disc.LBA
}

// A deviceError is one of the drive as such, and not of the frame it was asked
// for.
type deviceError struct{ err error }

func (e *deviceError) Error() string { return e.err.Error() }
func (e *deviceError) Unwrap() error { return e.err }

// qNear bounds how far a frame may lie from where it was looked for.
const qNear = 75

// frame reads the Q frame of one sector.
func (r *qReader) frame(ctx context.Context, at disc.LBA) (cdsector.Q, error) {
	main := cdsector.Size
	buf := make([]byte, main+r.mode.Size())
	n, err := r.dev.ReadCD(ctx, buf, mmc.CDReadRequest{LBA: at, Count: 1, Fields: mmc.RawSector, Sub: r.mode, Limit: qLimit})
	switch {
	case drive.Classify(err) == drive.TimedOut:
		return cdsector.Q{}, errQHangs
	case err != nil && !drive.Classify(err).OneCommand():
		return cdsector.Q{}, &deviceError{err}
	case err != nil || n < len(buf):
		return cdsector.Q{}, errNoQ
	}
	if r.mode == mmc.QSub {
		return formattedQ([16]byte(buf[main:]), at)
	}
	q := cdsector.DeinterleaveQ((*[cdsector.SubSize]byte)(buf[main:]))
	return cdsector.DecodeQ(&q)
}

// formattedQ decodes a formatted Q frame of a sector at or near an address. Most
// drives give its numbers in BCD, some in binary; where both could be meant, the
// address decides.
func formattedQ(b [16]byte, at disc.LBA) (cdsector.Q, error) {
	near := func(q cdsector.Q) bool {
		own := disc.MSF(q.Abs).LBA()
		return q.ADR != 1 || own >= at-qNear && own <= at+qNear
	}
	q, err := cdsector.DecodeFormattedQ(&b)
	if err == nil && near(q) {
		return q, nil
	}
	for _, i := range [...]int{1, 2, 3, 4, 5, 7, 8, 9} {
		if b[i] > 99 {
			return q, err
		}
		b[i] = b[i]/10<<4 | b[i]%10
	}
	if binary, berr := cdsector.DecodeFormattedQ(&b); berr == nil && near(binary) {
		return binary, nil
	}
	return q, err
}

// qTries is how many sectors around the one wanted are tried: frames with a
// wrong CRC happen, and every hundredth carries a catalogue number.
const qTries = 9

// state finds the state at a sector, or at one close to it but inside [low, high).
func (r *qReader) state(ctx context.Context, at, low, high disc.LBA) (qState, error) {
	for i := range qTries {
		step := disc.LBA((i + 1) / 2)
		if i%2 == 0 {
			step = -step
		}
		a := at + step
		if a < low || a >= high {
			continue
		}
		q, err := r.frame(ctx, a-r.shift)
		if ctx.Err() != nil {
			return qState{}, ctx.Err()
		}
		if errors.Is(err, errQHangs) {
			return qState{}, err
		}
		var broken *deviceError
		if errors.As(err, &broken) {
			return qState{}, broken.err
		}
		if err != nil {
			continue
		}
		if q.ADR != 1 || q.Track < 1 || q.Track > 99 {
			continue
		}
		own := disc.MSF(q.Abs).LBA()
		if own < a-qNear || own > a+qNear {
			continue
		}
		return qState{own, q.Track, q.Index}, nil
	}
	return qState{}, errNoQ
}

// boundary finds, between two sectors of which before holds for low and not for
// high, the first one for which it does not hold.
func (r *qReader) boundary(ctx context.Context, low, high qState, before func(qState) bool) (qState, error) {
	for high.at-low.at > 1 {
		mid := low.at + (high.at-low.at)/2
		s, err := r.state(ctx, mid, low.at+1, high.at)
		if errors.Is(err, errNoQ) {
			return high, nil // what lies between cannot be distinguished
		}
		if err != nil {
			return high, err
		}
		switch {
		case s.at <= low.at || s.at >= high.at:
			// The drive's frames are displaced: look where they are, once.
			if r.shift != 0 || s.at == mid {
				return high, nil
			}
			r.shift = s.at - mid
		case before(s):
			low = s
		default:
			high = s
		}
	}
	return high, nil
}

// scanQ finds the pregap and the indexes of each track, ISRCs and the catalogue
// number in the Q sub-channel. Without one that can be read, a note says so and
// the layout stays as the TOC has it.
func (c *Contents) scanQ(ctx context.Context) error {
	r := &qReader{dev: c.reader}
	if !r.choose(ctx, c.Layout) {
		c.note(Note{Code: NoteNoSubchannel})
		if err := c.splitByKind(ctx); err != nil {
			return err
		}
		return c.statedCodes(ctx)
	}
	for i := range c.Layout.Sessions {
		s := &c.Layout.Sessions[i]
		for j := range s.Tracks {
			var next *disc.Track
			if j+1 < len(s.Tracks) {
				next = &s.Tracks[j+1]
			}
			if err := c.scanTrack(ctx, r, &s.Tracks[j], next); errors.Is(err, errQHangs) {
				return c.statedCodes(ctx) // what is known by now is kept
			} else if err != nil {
				return err
			}
		}
	}
	if r.mode != mmc.RawSub {
		c.note(Note{Code: NoteUncheckedSub})
		return c.statedCodes(ctx)
	}
	return nil
}

// statedCodes asks the drive for the codes that were not found in the sub-channel.
func (c *Contents) statedCodes(ctx context.Context) error {
	const tries = 2 // the first may end with the reset that a command without an answer caused
	before := ""
	for _, t := range c.Layout.Tracks() {
		for range tries {
			isrc, err := c.reader.Drive.ISRC(ctx, t.Number)
			if err != nil {
				continue
			}
			if t.ISRC == "" && cdsector.ValidISRC(isrc) && isrc != before { // some give that of the track before
				t.ISRC = isrc
			}
			break
		}
		before = t.ISRC
	}
	if mcn, err := c.reader.Drive.MCN(ctx); c.Layout.MCN == "" && err == nil && cdsector.ValidMCN(mcn) && strings.Trim(mcn, "0") != "" {
		c.Layout.MCN = mcn
	}
	return ctx.Err()
}

// choose finds out in which form the drive gives Q: raw P to W with a CRC, or
// formatted.
func (r *qReader) choose(ctx context.Context, l *disc.Layout) bool {
	first := l.Tracks()[0]
	for _, mode := range [...]mmc.SubMode{mmc.RawSub, mmc.QSub} {
		r.mode = mode
		s, err := r.state(ctx, first.Start+qTries, first.Start, first.End)
		if errors.Is(err, errQHangs) {
			return false
		}
		if err == nil && s.track == first.Number {
			return true
		}
	}
	return false
}

// scanTrack finds what Q says of the sectors from a track's start to the next
// one's.
func (c *Contents) scanTrack(ctx context.Context, r *qReader, t, next *disc.Track) error {
	end := t.End
	from, err := r.state(ctx, t.Start, t.Start, end)
	if err == nil {
		var to qState
		if to, err = r.state(ctx, end-1, t.Start, end); err == nil && !to.same(from) {
			err = c.split(ctx, r, t, next, from, to)
		}
	}
	if errors.Is(err, errNoQ) || errors.Is(err, errQHangs) {
		c.note(Note{Code: NoteUnreadSub, Track: t.Number})
	}
	if errors.Is(err, errNoQ) {
		err = nil
	}
	if err != nil {
		return err
	}
	return c.scanCodes(ctx, r, t)
}

// split finds all changes of state between two sectors.
func (c *Contents) split(ctx context.Context, r *qReader, t, next *disc.Track, from, to qState) error {
	high := to
	if next != nil && to.track == next.Number {
		// Pregaps are short: search backwards in growing steps.
		low := from
		for step := disc.LBA(256); ; step *= 4 {
			at := to.at - step
			if at <= from.at {
				break
			}
			s, err := r.state(ctx, at, t.Start, t.End)
			if err != nil {
				return err
			}
			if s.track != to.track {
				low = s
				break
			}
			high = s
		}
		edge, err := r.boundary(ctx, low, high, func(s qState) bool { return s.track == t.Number })
		if err != nil {
			return err
		}
		next.Pregap = int(next.Start - edge.at)
		t.End = edge.at
		if high, err = r.state(ctx, edge.at-1, t.Start, edge.at); err != nil {
			return err
		}
	}
	for from.track == high.track && from.index < high.index && len(t.Indexes) < 98 {
		edge, err := r.boundary(ctx, from, high, from.same)
		if err != nil {
			return err
		}
		t.Indexes = append(t.Indexes, edge.at)
		if edge.at <= from.at {
			break
		}
		from = edge
	}
	return nil
}

// codeSectors is how many sectors at the start of a track are looked through for
// an ISRC and the catalogue number, which come at least once in a hundred.
const codeSectors = 210

// codeBatch is how many sectors are read at once for it.
const codeBatch = 15

// scanCodes reads the start of a track for its ISRC and for the catalogue number.
func (c *Contents) scanCodes(ctx context.Context, r *qReader, t *disc.Track) error {
	if t.Mode.IsData() && c.Layout.MCN != "" || r.mode != mmc.RawSub {
		return nil
	}
	buf := make([]byte, codeBatch*rawWithSub)
	end := min(t.End, t.Start+codeSectors)
	for a := t.Start; a < end; a += codeBatch {
		k := min(codeBatch, int(end-a))
		n, err := r.dev.ReadCD(ctx, buf[:k*rawWithSub], mmc.CDReadRequest{
			LBA: a, Count: k, Fields: mmc.RawSector, Sub: mmc.RawSub, Limit: qLimit})
		class := drive.Classify(err)
		switch {
		case class == drive.TimedOut:
			return errQHangs
		case err != nil && !class.OneCommand():
			return err
		}
		c.takeCodes(t, buf[:n])
		if t.ISRC != "" && c.Layout.MCN != "" {
			return nil
		}
	}
	return ctx.Err()
}

// rawWithSub is the size of a raw sector with its sub-channel.
const rawWithSub = cdsector.Size + cdsector.SubSize

// takeCodes notes the ISRC and the catalogue number that sectors of a track have in their sub-channel.
func (c *Contents) takeCodes(t *disc.Track, sectors []byte) {
	for b := sectors; len(b) >= rawWithSub; b = b[rawWithSub:] {
		frame := cdsector.DeinterleaveQ((*[cdsector.SubSize]byte)(b[cdsector.Size:]))
		q, err := cdsector.DecodeQ(&frame)
		switch {
		case err != nil:
		case q.ADR == 2 && c.Layout.MCN == "" && q.MCN != "0000000000000":
			c.Layout.MCN = q.MCN
		case q.ADR == 3 && t.ISRC == "" && cdsector.ValidISRC(q.ISRC):
			t.ISRC = q.ISRC
		}
	}
}
