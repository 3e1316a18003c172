// Package discid computes the names under which databases know an audio CD: those of
// AccurateRip, CDDB, MusicBrainz and the CUETools database (CTDB). All are made of
// its table of contents.
package discid

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"spindle/addr"
	"spindle/disc"
)

// A Track is what the ids are made of: where INDEX 01 is, and whether it is data.
type Track struct {
	Start disc.LBA
	Data  bool
}

// A TOC is the table of contents of a CD.
type TOC struct {
	First   int // the number of the first track
	Tracks  []Track
	LeadOut disc.LBA // of the last session
}

// TOCOf returns the table of contents of a CD.
func TOCOf(l *disc.Layout) TOC {
	t := TOC{LeadOut: l.End()}
	for i, x := range l.Tracks() {
		if i == 0 {
			t.First = x.Number
		}
		t.Tracks = append(t.Tracks, Track{x.Start, x.Mode.IsData()})
	}
	return t
}

// ErrTOC is what errors about a table of contents wrap that has no ids.
var ErrTOC = errors.New("no table of contents of an audio CD")

// maxStart is the last address that an absolute time states: 99:59:74.
const maxStart = 100*60*addr.FramesPerSecond - addr.Pregap

// check refuses what no audio CD has. It accepts a first track in the pregap of the disc.
func (t *TOC) check() error {
	if t.First < 1 || len(t.Tracks) < 1 || t.First+len(t.Tracks)-1 > 99 {
		return fmt.Errorf("%w: %d tracks from number %d on", ErrTOC, len(t.Tracks), t.First)
	}
	if t.audio() == 0 {
		return fmt.Errorf("%w: no track is audio", ErrTOC)
	}
	at := disc.LBA(-addr.Pregap - 1)
	for i, x := range t.Tracks {
		if x.Start <= at {
			return fmt.Errorf("%w: track %d starts at %d, after one at %d", ErrTOC, t.First+i, x.Start, at)
		}
		at = x.Start
	}
	if t.LeadOut <= at || t.LeadOut > maxStart {
		return fmt.Errorf("%w: the lead-out is at %d, the last track starts at %d", ErrTOC, t.LeadOut, at)
	}
	return nil
}

// audio counts the audio tracks.
func (t *TOC) audio() int {
	n := 0
	for _, x := range t.Tracks {
		if !x.Data {
			n++
		}
	}
	return n
}

// lastAudio returns the index of the last audio track.
func (t *TOC) lastAudio() int {
	for i := len(t.Tracks) - 1; i >= 0; i-- {
		if !t.Tracks[i].Data {
			return i
		}
	}
	return -1
}

// firstAudio returns where the first audio track starts.
func (t *TOC) firstAudio() disc.LBA {
	for _, x := range t.Tracks {
		if !x.Data {
			return x.Start
		}
	}
	return 0
}

// sessionGap is what the databases take to lie between the audio of an enhanced CD and its
// data track, in sectors: lead-out, lead-in and pregap of the second session.
const sessionGap = addr.FirstLeadOut + addr.LeadIn + addr.Pregap

// audioEnd returns where the last audio track ends.
func (t *TOC) audioEnd() disc.LBA {
	if i := t.lastAudio() + 1; i < len(t.Tracks) {
		return t.Tracks[i].Start - sessionGap
	}
	return t.LeadOut
}

// String returns the table as a look-up in CTDB states it: the starts, with "-" in
// front of data tracks', and the lead-out, joined by colons.
func (t TOC) String() string {
	var b strings.Builder
	for _, x := range t.Tracks {
		if x.Data {
			b.WriteByte('-')
		}
		fmt.Fprintf(&b, "%d:", x.Start)
	}
	fmt.Fprintf(&b, "%d", t.LeadOut)
	return b.String()
}

// ParseTOC reads what String writes; the first track is number 1. The error wraps [ErrTOC].
func ParseTOC(s string) (TOC, error) {
	if len(s) > 100*8 {
		return TOC{}, fmt.Errorf("%w: %d characters", ErrTOC, len(s))
	}
	fields := strings.Split(s, ":")
	t := TOC{First: 1}
	for i, f := range fields {
		digits, data := strings.CutPrefix(f, "-")
		n, err := strconv.ParseUint(digits, 10, 31)
		if err != nil {
			return TOC{}, fmt.Errorf("%w: %q", ErrTOC, f)
		}
		if i == len(fields)-1 {
			t.LeadOut = disc.LBA(n)
			break
		}
		t.Tracks = append(t.Tracks, Track{disc.LBA(n), data})
	}
	return t, t.check()
}
