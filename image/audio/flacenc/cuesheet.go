package flacenc

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// A CueSheet says where the tracks of a CD are in a file (RFC 9639 section 8.7).
type CueSheet struct {
	Catalog string // the disc's number (MCN), 13 digits, or empty
	// LeadIn is how many samples precede the first: at least two seconds.
	LeadIn int64
	Tracks []CueTrack
	// LeadOut is where the last track ends, in samples of each channel.
	LeadOut int64
}

// A CueTrack is a track in a [CueSheet].
type CueTrack struct {
	Number      int   // 1 to 99
	Offset      int64 // of its first index, in samples from the start of the file
	ISRC        string
	Data        bool // not audio
	PreEmphasis bool
	Indexes     []CueIndex
}

// A CueIndex is a place in a [CueTrack].
type CueIndex struct {
	Number int
	Offset int64 // from the track's, in samples
}

// ErrCueSheet is what errors wrap about a cue sheet that is not one of a CD.
var ErrCueSheet = errors.New("flacenc: not the cue sheet of a CD")

const (
	sectorSamples = 588
	minLeadIn     = 2 * 44100
	leadOutNumber = 170
	catalogSize   = 128
	isrcSize      = 12
)

func (c *CueSheet) check() error {
	switch {
	case len(c.Catalog) > catalogSize:
		return notCD("a catalog number of %d bytes", len(c.Catalog))
	case c.LeadIn < minLeadIn:
		return notCD("a lead-in of %d samples", c.LeadIn)
	case len(c.Tracks) == 0 || len(c.Tracks) > 99:
		return notCD("%d tracks", len(c.Tracks))
	case c.LeadOut < 0 || c.LeadOut%sectorSamples != 0:
		return notCD("lead-out at sample %d", c.LeadOut)
	}
	number, at := 0, int64(0)
	for i := range c.Tracks {
		t := &c.Tracks[i]
		if t.Number <= number || t.Number > 99 {
			return notCD("track number %d", t.Number)
		}
		if len(t.ISRC) != 0 && len(t.ISRC) != isrcSize {
			return notCD("ISRC %q", t.ISRC)
		}
		var err error
		if at, err = t.places(at, c.LeadOut); err != nil {
			return err
		}
		number = t.Number
	}
	return nil
}

func notCD(format string, a ...any) error {
	return fmt.Errorf("%w: %s", ErrCueSheet, fmt.Sprintf(format, a...))
}

// places checks the indexes of a track, which are between two places, and returns that
// of the last.
func (t *CueTrack) places(from, to int64) (int64, error) {
	if len(t.Indexes) == 0 || t.Indexes[0].Offset != 0 || t.Indexes[0].Number > 1 {
		return 0, notCD("track %d has no first index", t.Number)
	}
	number := t.Indexes[0].Number
	for _, x := range t.Indexes {
		if x.Number != number || number < 0 || number > 99 {
			return 0, notCD("track %d has index %d", t.Number, x.Number)
		}
		at := t.Offset + x.Offset
		if at < from || at > to || at%sectorSamples != 0 {
			return 0, notCD("track %d has index %d at sample %d", t.Number, x.Number, at)
		}
		from = at
		number++
	}
	return from, nil
}

// bytes is the body of the block.
func (c *CueSheet) bytes() []byte {
	be := binary.BigEndian
	b := append(make([]byte, 0, 1024), c.Catalog...)
	b = append(b, make([]byte, catalogSize-len(c.Catalog))...)
	b = be.AppendUint64(b, uint64(c.LeadIn))
	const cd, reserved = 0x80, 258
	b = append(b, cd)
	b = append(b, make([]byte, reserved)...)
	b = append(b, byte(len(c.Tracks)+1))
	for _, t := range c.Tracks {
		b = t.append(b)
	}
	leadOut := CueTrack{Number: leadOutNumber, Offset: c.LeadOut}
	return leadOut.append(b)
}

func (t *CueTrack) append(b []byte) []byte {
	be := binary.BigEndian
	b = be.AppendUint64(b, uint64(t.Offset))
	b = append(b, byte(t.Number))
	b = append(b, t.ISRC...)
	b = append(b, make([]byte, isrcSize-len(t.ISRC))...)
	var flags byte
	if t.Data {
		flags |= 0x80
	}
	if t.PreEmphasis {
		flags |= 0x40
	}
	const reserved = 13
	b = append(b, flags)
	b = append(b, make([]byte, reserved)...)
	b = append(b, byte(len(t.Indexes)))
	for _, x := range t.Indexes {
		b = be.AppendUint64(b, uint64(x.Offset))
		b = append(b, byte(x.Number), 0, 0, 0)
	}
	return b
}
