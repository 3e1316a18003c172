package rip

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/drive"
	"spindle/drive/known"
	"spindle/scsi/mmc"
)

// chooseCaps tries which forms of sectors the drive really gives. Error pointers
// that it does not give are done without, a sub-channel that is wanted is not.
func (c *Contents) chooseCaps(ctx context.Context, opts Options) (drive.ReadCaps, error) {
	caps := c.reader.Caps
	if c.Layout.Medium != disc.CD {
		return caps, nil
	}
	first := c.Layout.Tracks()[0]
	audio := firstAudio(c.Layout)
	if !caps.Raw {
		switch {
		case audio != nil:
			return caps, fmt.Errorf("%w audio, and track %d is audio", ErrCannotRead, audio.Number)
		case opts.Subchannel:
			return caps, ErrNoSubchannel
		}
		return caps, nil
	}
	if opts.Subchannel {
		caps.Sub = mmc.RawSub
	}
	if audio == nil {
		caps.C2 = mmc.NoC2
		if opts.Subchannel && !c.reader.Try(ctx, caps, first.Start, drive.Data) {
			return caps, ErrNoSubchannel
		}
		return caps, nil
	}
	return c.tryAudio(ctx, caps, audio, &opts.Known)
}

func firstAudio(l *disc.Layout) *disc.Track {
	for _, t := range l.Tracks() {
		if !t.Mode.IsData() {
			return t
		}
	}
	return nil
}

// tryAudio tries error pointers and sub-channel together, in both orders, then
// the sub-channel alone.
func (c *Contents) tryAudio(ctx context.Context, caps drive.ReadCaps, t *disc.Track, facts *known.Facts) (drive.ReadCaps, error) {
	at := t.Start + (t.End-t.Start)/2
	claimed := caps.C2 != mmc.NoC2 || facts.C2Bits.Is(true) || facts.C2Block.Is(true) || facts.C2WithSub.Is(true)
	if claimed {
		for _, form := range pointerForms(caps, facts) {
			holds, err := c.pointersHold(ctx, form, at)
			if err != nil {
				return caps, err
			}
			if holds {
				return form, ctx.Err()
			}
		}
	}
	caps.C2 = mmc.NoC2
	readable := c.reader.Try(ctx, caps, at, drive.Audio)
	switch {
	case ctx.Err() != nil:
		return caps, ctx.Err()
	case !readable && caps.Sub != mmc.NoSub:
		return caps, ErrNoSubchannel
	case claimed && caps.Sub != mmc.NoSub:
		c.note(Note{Code: NoteNoC2WithSub})
	default:
		c.note(Note{Code: NoteNoC2})
	}
	return caps, nil
}

// pointersHold reports whether audio comes in a form with error pointers that are not wrong. A form
// with a sub-channel is first tried at an address.
func (c *Contents) pointersHold(ctx context.Context, form drive.ReadCaps, at disc.LBA) (bool, error) {
	if form.Sub != mmc.NoSub && !c.reader.Try(ctx, form, at, drive.Audio) {
		return false, nil
	}
	trial, err := c.tryPointers(ctx, form, 0)
	return trial.hold(), err
}

// pointerForms are the forms of error pointers that are worth a trial, the likeliest
// first. That of 296 bytes comes before the other: more drives of today give it right, and
// its pairs of sectors are a multiple of 16 bytes. Those that are known not to work come last: what is known may
// be wrong, and then costs a trial.
func pointerForms(caps drive.ReadCaps, facts *known.Facts) []drive.ReadCaps {
	var likely, others, unlikely []drive.ReadCaps
	for _, form := range [...]struct {
		c2    mmc.C2Mode
		right known.Fact[bool]
	}{{mmc.C2AndBlock, facts.C2Block}, {mmc.C2Bits, facts.C2Bits}} {
		caps.C2, caps.SubFirst = form.c2, false
		orders := []drive.ReadCaps{caps}
		if caps.Sub != mmc.NoSub {
			caps.SubFirst = true
			orders = append(orders, caps)
		}
		if facts.SubFirst.Is(true) {
			slices.Reverse(orders)
		}
		switch {
		case form.right.Is(true):
			likely = append(likely, orders...)
		case form.right.Is(false):
			unlikely = append(unlikely, orders...)
		default:
			others = append(others, orders...)
		}
	}
	return slices.Concat(likely, others, unlikely)
}

// Bounds on what error pointers may say of good audio.
const (
	// pointersOf is one sector in so many that may have some.
	pointersOf = 20
	// pointerPlaces is how many places of the audio are looked at.
	pointerPlaces = 3
)

// errChanged: the disc may have been changed while it was looked at.
var errChanged = errors.New("the disc was changed while it was being looked at")

// A pointerTrial is how error pointers came at the places of the audio that could be read
// without them.
type pointerTrial struct {
	tried, loud, failed int
	refused             bool // the form is not taken
}

// fail reports whether the pointers are wrong: everywhere, or nearly so. At one place the
// disc may be damaged.
func (t *pointerTrial) fail() bool {
	return t.refused || t.loud == pointerPlaces || t.failed*2 > pointerPlaces
}

// hold reports whether they came, and not wrong.
func (t *pointerTrial) hold() bool { return t.tried > 0 && !t.fail() }

// tryPointers tries error pointers in a form over the beginning, the middle and the end of
// the audio from an address on, in transfers as large as the rip's: whether commands fail that succeed without
// them, the sound is the same, and few sectors have any. Drives are known that take one of
// the forms and give errors for good sectors, sooner or later.
func (c *Contents) tryPointers(ctx context.Context, caps drive.ReadCaps, from disc.LBA) (pointerTrial, error) {
	with := drive.Reader{Drive: c.reader.Drive, Caps: caps}
	plain := with
	plain.Caps.C2, plain.Caps.Sub, plain.Caps.SubFirst = mmc.NoC2, mmc.NoSub, false
	var t pointerTrial
	for _, at := range c.audioPlaces(from, perTransfer(c.reader.Drive.MaxTransfer(), caps.Stride(drive.Audio))) {
		n := int(at.count)
		a, b := make([]byte, n*caps.Stride(drive.Audio)), make([]byte, n*cdsector.Size)
		switch err := plain.Read(ctx, b, at.first, n, drive.Audio); {
		case drive.Classify(err) == drive.Changed:
			return t, errChanged
		case err != nil:
			continue // damage: it says nothing
		}
		t.tried++
		err := with.Read(ctx, a, at.first, n, drive.Audio)
		switch class := drive.Classify(err); {
		case class == drive.Changed:
			return t, errChanged
		case class == drive.Refused:
			t.refused = true
			return t, nil
		case err != nil:
			t.failed++
			continue
		}
		same, flagged := true, 0
		for i := range n {
			s := a[i*caps.Stride(drive.Audio):][:caps.Stride(drive.Audio)]
			same = same && bytes.Equal(s[:cdsector.Size], b[i*cdsector.Size:][:cdsector.Size])
			if c2, _ := caps.Split(s, drive.Audio); !allZero(c2) {
				flagged++
			}
		}
		if flagged > max(1, n/pointersOf) {
			t.loud++
		}
		if !same && steady(ctx, &plain, b, at.first, n) {
			t.failed++
		}
	}
	return t, nil
}

// steady reports whether audio comes again as it came: not from drives without "accurate
// stream".
func steady(ctx context.Context, r *drive.Reader, was []byte, at disc.LBA, n int) bool {
	now := make([]byte, len(was))
	return r.Read(ctx, now, at, n, drive.Audio) == nil && bytes.Equal(now, was)
}

// audioPlace is a run of sectors in one audio track.
type audioPlace struct {
	first disc.LBA
	count disc.LBA
}

// audioPlaces are runs of at most n sectors at the beginning, in the middle and at the end
// of the audio from an address on.
func (c *Contents) audioPlaces(from disc.LBA, n int) []audioPlace {
	var audio []audioPlace
	for _, t := range c.Layout.Tracks() {
		if start := max(from, t.Start); !t.Mode.IsData() && start < t.End {
			audio = append(audio, audioPlace{start, t.End - start})
		}
	}
	if len(audio) == 0 {
		return nil
	}
	var all []audioPlace
	for i := range pointerPlaces {
		t := audio[i*(len(audio)-1)/(pointerPlaces-1)]
		count := min(disc.LBA(n), t.count)
		all = append(all, audioPlace{t.first + (t.count-count)*disc.LBA(i)/(pointerPlaces-1), count})
	}
	return all
}

// perTransfer is how many sectors one command carries: as many as fit and come through
// every adapter.
func perTransfer(transfer, stride int) int {
	most := max(1, transfer/stride)
	if n := drive.Tidy(most, stride); n > 0 {
		return n
	}
	return most
}
