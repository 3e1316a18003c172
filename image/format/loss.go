package format

import (
	"fmt"
	"slices"
	"strings"

	"spindle/disc"
)

// A Loss is a part of an image that a format has no place for.
type Loss struct {
	Kind  LossKind
	Count int // of AudioTracks and DataTracks
}

// A LossKind says what is lost.
type LossKind uint8

// What can be lost.
const (
	LaterSessions LossKind = iota + 1 // the sessions after the first
	SomeCDText                        // parts of the CD-TEXT
	SavedSub                          // the sub-channels
	ModeZero                          // that a track is of mode 0
	AudioTracks                       // Count tracks of audio
	AllCDText                         // the CD-TEXT
	Catalogue                         // the catalogue number (MCN)
	ISRCs                             // those of tracks
	LaterIndexes                      // index marks above 1
	TrackFlags                        // pre-emphasis, copying permitted, four channels
	CDIFormat                         // that a session is one of CD-I
	Pregaps                           // where tracks begin before their start (INDEX 00)
	GapContent                        // what is in the gap between a track of data and one of audio
	HiddenAudio                       // what is before the start of track 1
	SavedQ                            // of the sub-channels, the Q channel
	DataTracks                        // Count tracks of data
)

// losses are what a developer reads.
var losses = map[LossKind]string{
	LaterSessions: "sessions", SomeCDText: "parts of CD-TEXT", SavedSub: "sub-channels", ModeZero: "mode 0", AudioTracks: "audio",
	AllCDText: "CD-TEXT", Catalogue: "catalogue number", ISRCs: "ISRCs", LaterIndexes: "indexes", TrackFlags: "flags", CDIFormat: "CD-I", Pregaps: "pregaps",
	HiddenAudio: "hidden audio", GapContent: "gaps",
	SavedQ: "Q channel", DataTracks: "data",
}

func (k LossKind) String() string { return losses[k] }

// A LossError is an [ErrCannotHold] for an image of which a part may be left out, if that is
// asked for.
type LossError struct {
	Suffix string // of the file that was to be made
	Losses []Loss // all of them, at least one
}

func (e *LossError) Error() string {
	var kinds []string
	for _, l := range e.Losses {
		kinds = append(kinds, l.Kind.String())
	}
	return fmt.Sprintf("a %s file %v: %s", e.Suffix, ErrCannotHold, strings.Join(kinds, ", "))
}

func (e *LossError) Unwrap() error { return ErrCannotHold }

// OmitAll leaves out those of some kinds that the image has: later sessions, CD-TEXT, the
// catalogue number, and what tracks have of ISRCs, indexes, flags, mode 0 and CD-I. Where the
// later sessions are among them, their tracks do not count. See [Output.Omit].
func (o *Output) OmitAll(kinds ...LossKind) {
	l := o.Layout
	sessions := l.Sessions
	if slices.Contains(kinds, LaterSessions) {
		sessions = sessions[:1]
	}
	is := map[LossKind]bool{LaterSessions: len(l.Sessions) > 1, AllCDText: len(l.CDText) > 0, Catalogue: l.MCN != ""}
	for i := range sessions {
		is[CDIFormat] = is[CDIFormat] || sessions[i].Format == disc.FormatCDI
		for k := range sessions[i].Tracks {
			t := &sessions[i].Tracks[k]
			is[ISRCs] = is[ISRCs] || t.ISRC != ""
			is[LaterIndexes] = is[LaterIndexes] || len(t.Indexes) > 0
			is[TrackFlags] = is[TrackFlags] || t.Control&^disc.DataTrack != 0
			is[ModeZero] = is[ModeZero] || t.Mode == disc.Mode0
		}
	}
	for _, k := range kinds {
		if is[k] {
			o.Omit(Loss{Kind: k})
		}
	}
}
