// Package disc models what is on an optical disc: addresses, sessions, tracks,
// indexes, flags, catalogue numbers and CD-TEXT, and the [Image] that holds
// the sectors. It knows neither image file formats nor drives; both are
// described in its terms.
package disc

import (
	"errors"
	"fmt"

	"spindle/addr"
)

// Medium is the family of a disc, which decides its sector size.
type Medium uint8

// The families of media.
const (
	CD  Medium = iota // sectors of 2352 bytes (ECMA-130)
	DVD               // sectors of 2048 bytes (ECMA-267)
	BD                // sectors of 2048 bytes (BD white paper)
)

// SectorSize returns the number of bytes that an [Image] of this medium gives
// for one sector: 2352 on CD (sync, header and everything after it), 2048
// elsewhere.
func (m Medium) SectorSize() int {
	if m == CD {
		return 2352
	}
	return 2048
}

func (m Medium) String() string {
	switch m {
	case CD:
		return "CD"
	case DVD:
		return "DVD"
	case BD:
		return "BD"
	}
	return fmt.Sprintf("Medium(%d)", uint8(m))
}

// Mode is how the sectors of a track are coded (ECMA-130 section 14, Yellow
// Book).
type Mode uint8

// The track modes. The sectors of a Mode2 track may be formless, XA form 1 or
// XA form 2, and forms alternate within one track (Video CD).
const (
	Audio Mode = iota
	Mode0
	Mode1
	Mode2
)

// IsData reports whether the track holds data and not audio.
func (m Mode) IsData() bool { return m != Audio }

func (m Mode) String() string {
	switch m {
	case Audio:
		return "audio"
	case Mode0:
		return "mode 0"
	case Mode1:
		return "mode 1"
	case Mode2:
		return "mode 2"
	}
	return fmt.Sprintf("Mode(%d)", uint8(m))
}

// Control is the four-bit CONTROL field of the Q sub-channel (ECMA-130 22.3.1).
type Control uint8

// The bits of Control.
const (
	PreEmphasis Control = 1 << iota // audio recorded with 50/15 µs pre-emphasis
	CopyPermitted
	DataTrack   // the track holds data; without it, audio
	FourChannel // four-channel audio
)

// SessionFormat is the disc type byte that the TOC of a session states in
// PSEC of point A0 (MMC-5 table "TOC point A0").
type SessionFormat uint8

// The session formats.
const (
	FormatCDROM SessionFormat = 0x00 // CD-DA or CD-ROM
	FormatCDI   SessionFormat = 0x10
	FormatXA    SessionFormat = 0x20 // CD-ROM XA
)

func (f SessionFormat) String() string {
	switch f {
	case FormatCDROM:
		return "CD-DA/CD-ROM"
	case FormatCDI:
		return "CD-I"
	case FormatXA:
		return "CD-ROM XA"
	}
	return fmt.Sprintf("SessionFormat(%#02x)", uint8(f))
}

// A Track is one track of a disc. Its sectors are [Begin, End).
type Track struct {
	Number  int // 1 to 99
	Mode    Mode
	Control Control
	ISRC    string // 12 characters, or empty

	// Start is where INDEX 01 stands: the address in the TOC.
	Start LBA
	// Pregap is the number of sectors before Start that belong to this track
	// (INDEX 00). The two seconds before LBA 0, and those after the lead-in
	// of a later session, are not counted: every disc has them.
	Pregap int
	// Indexes holds the addresses of INDEX 02 and the following ones.
	Indexes []LBA
	// End is the address after the track's last sector.
	End LBA
}

// Begin returns the address of the track's first sector: that of INDEX 00
// where there is one, else that of INDEX 01.
func (t *Track) Begin() LBA { return t.Start - LBA(t.Pregap) }

// Sectors returns the number of sectors from Begin to End.
func (t *Track) Sectors() int { return int(t.End - t.Begin()) }

// IndexAt returns the index that a sector of the track belongs to.
func (t *Track) IndexAt(a LBA) int {
	if a < t.Start {
		return 0
	}
	n := 1
	for _, x := range t.Indexes {
		if a < x {
			break
		}
		n++
	}
	return n
}

// A Session is one lead-in, its tracks and its lead-out.
type Session struct {
	Number  int
	Format  SessionFormat
	Tracks  []Track
	LeadOut LBA // address of the first lead-out sector
}

// A Layout says what is where on a disc. DVD and BD have one session with one
// Mode1 track of 2048-byte sectors.
type Layout struct {
	Medium   Medium
	Sessions []Session
	MCN      string // media catalogue number: 13 digits, or empty
	CDText   []Pack // as they stand in the lead-in of the first session
	// TextLost is how many characters of the texts that came with an image CDText
	// cannot say: they are "?" in it, or their text is not in it.
	TextLost int
	// LayerBreak is the address of the first sector of the second layer of a
	// DVD or BD, or 0 where there is one layer or the break is not known.
	LayerBreak LBA
}

// Tracks returns pointers to all the tracks, in order.
func (l *Layout) Tracks() []*Track {
	var all []*Track
	for i := range l.Sessions {
		s := &l.Sessions[i]
		for j := range s.Tracks {
			all = append(all, &s.Tracks[j])
		}
	}
	return all
}

// Sectors returns the number of sectors in all tracks together; gaps between
// sessions do not count.
func (l *Layout) Sectors() int {
	n := 0
	for _, t := range l.Tracks() {
		n += t.Sectors()
	}
	return n
}

// End returns the address of the last session's lead-out.
func (l *Layout) End() LBA {
	if len(l.Sessions) == 0 {
		return 0
	}
	return l.Sessions[len(l.Sessions)-1].LeadOut
}

// TrackAt returns the track that holds a sector, and nil for a sector in a gap
// between sessions or outside the disc.
func (l *Layout) TrackAt(a LBA) *Track {
	for i := range l.Sessions {
		s := &l.Sessions[i]
		for j := range s.Tracks {
			if t := &s.Tracks[j]; a >= t.Begin() && a < t.End {
				return t
			}
		}
	}
	return nil
}

// SessionOf returns the session that holds track number n, or nil.
func (l *Layout) SessionOf(n int) *Session {
	for i := range l.Sessions {
		s := &l.Sessions[i]
		for j := range s.Tracks {
			if s.Tracks[j].Number == n {
				return s
			}
		}
	}
	return nil
}

// ErrLayout is what every error of [Layout.Validate] wraps.
var ErrLayout = errors.New("impossible disc layout")

// MaxLBA bounds the addresses that a layout may name: a BD-R XL of four layers
// has some 62.5 million sectors.
const MaxLBA = 1 << 27

// Validate checks that the layout is one a disc can have: tracks numbered
// upwards from 1 to 99, in order, not overlapping, indexes inside their track,
// a lead-out that ends the last track of its session. The error wraps
// [ErrLayout] and names the track.
func (l *Layout) Validate() error {
	if len(l.Sessions) == 0 {
		return fmt.Errorf("%w: no session", ErrLayout)
	}
	next := LBA(-addr.Pregap)
	number := 0
	for i := range l.Sessions {
		s := &l.Sessions[i]
		if len(s.Tracks) == 0 {
			return fmt.Errorf("%w: session %d has no track", ErrLayout, s.Number)
		}
		for j := range s.Tracks {
			t := &s.Tracks[j]
			if err := t.validate(number, next); err != nil {
				return err
			}
			number, next = t.Number, t.End
		}
		if s.LeadOut < next || s.LeadOut > MaxLBA {
			return fmt.Errorf("%w: session %d: lead-out at %d, but its last track ends at %d",
				ErrLayout, s.Number, s.LeadOut, next)
		}
		next = s.LeadOut
	}
	return nil
}

func (t *Track) validate(previous int, earliest LBA) error {
	switch {
	case t.Number < 1 || t.Number > 99:
		return fmt.Errorf("%w: track number %d is not 1 to 99", ErrLayout, t.Number)
	case previous != 0 && t.Number != previous+1:
		return fmt.Errorf("%w: track %d follows track %d", ErrLayout, t.Number, previous)
	case t.Pregap < 0 || t.Start < -addr.Pregap || t.Start > MaxLBA || t.Pregap > int(t.Start)+addr.Pregap:
		return fmt.Errorf("%w: track %d starts at %d after %d sectors of pregap",
			ErrLayout, t.Number, t.Start, t.Pregap)
	case t.Begin() < earliest:
		return fmt.Errorf("%w: track %d begins at %d, inside what comes before it (ends at %d)",
			ErrLayout, t.Number, t.Begin(), earliest)
	case t.End <= t.Start || t.End > MaxLBA:
		return fmt.Errorf("%w: track %d starts at %d and ends at %d", ErrLayout, t.Number, t.Start, t.End)
	}
	return t.validateIndexes()
}

func (t *Track) validateIndexes() error {
	if len(t.Indexes) > 98 {
		return fmt.Errorf("%w: track %d has %d indexes, 99 are the most", ErrLayout, t.Number, len(t.Indexes)+1)
	}
	at := t.Start
	for i, x := range t.Indexes {
		if x <= at || x >= t.End {
			return fmt.Errorf("%w: track %d: INDEX %02d at %d is not between %d and %d",
				ErrLayout, t.Number, i+2, x, at, t.End)
		}
		at = x
	}
	return nil
}
