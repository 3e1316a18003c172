// Package cue reads and writes CUE sheets (the format of CDRWIN's user guide,
// with the REM lines that Exact Audio Copy and redump add): [Parse] makes a
// [Sheet] of a text, [Sheet.Place] the layout of the disc that a sheet and its
// files are, [NewSet] the sheet of a disc. It opens no file; that does image/cuefile.
package cue

import (
	"fmt"
	"strings"

	"spindle/addr"
	"spindle/disc"
)

// A Sheet is the content of a CUE sheet.
type Sheet struct {
	Catalog    string // media catalogue number, 13 digits
	CDTextFile string
	Text       Text
	Comments   []string // REM lines before the first track that mean nothing to us
	Files      []File
	Tracks     []Track
	Sessions   []Session // what REM says of them; empty for a sheet that says nothing
}

// Text is the CD-TEXT that a sheet states, of the disc or of a track.
type Text struct {
	Title, Performer, Songwriter, Composer, Arranger, Message, DiscID, Genre string
}

// A File is a FILE line.
type File struct {
	Name string
	Type FileType
	Line int
	// Absent is how many sectors the file has that the sheet says is not there (REM ABSENT with a
	// time, before its first INDEX), as of a disc of which only some songs were ripped; else 0.
	Absent int
}

// FileType is how a file holds its sectors.
type FileType string

// The file types.
const (
	Binary   FileType = "BINARY"
	Motorola FileType = "MOTOROLA" // audio with the most significant byte first
	Wave     FileType = "WAVE"
	AIFF     FileType = "AIFF"
	FLAC     FileType = "FLAC"
	MP3      FileType = "MP3"
)

// TrackType is the second word of a TRACK line.
type TrackType string

// The track types.
const (
	Audio     TrackType = "AUDIO"
	CDG       TrackType = "CDG" // audio with its R-W sub-channels
	Mode12048 TrackType = "MODE1/2048"
	Mode12352 TrackType = "MODE1/2352"
	Mode22048 TrackType = "MODE2/2048"
	Mode22336 TrackType = "MODE2/2336"
	Mode22352 TrackType = "MODE2/2352"
	CDI2336   TrackType = "CDI/2336"
	CDI2352   TrackType = "CDI/2352"
)

// Mode returns the mode of a track of this type, and false for a type that does
// not exist.
func (t TrackType) Mode() (disc.Mode, bool) {
	switch t {
	case Audio, CDG:
		return disc.Audio, true
	case Mode12048, Mode12352:
		return disc.Mode1, true
	case Mode22048, Mode22336, Mode22352, CDI2336, CDI2352:
		return disc.Mode2, true
	}
	return 0, false
}

// form returns how a BINARY file stores sectors of this type, and the bytes from
// one to the next.
func (t TrackType) form() (f disc.Form, stride int) {
	switch t {
	case CDG:
		return disc.FormRaw, 2448
	case Mode12048:
		return disc.FormMode1, 2048
	case Mode22048:
		return disc.FormXA1, 2048
	case Mode22336, CDI2336:
		return disc.FormMode2, 2336
	}
	return disc.FormRaw, 2352
}

// A Track is a TRACK line and what follows it.
type Track struct {
	Number   int
	Type     TrackType
	Session  int // from REM SESSION; 1 where there is none
	Control  disc.Control
	ISRC     string
	Text     Text
	Pregap   int // PREGAP: sectors that no file holds
	Postgap  int // POSTGAP
	Indexes  []Index
	Comments []string
	Line     int
}

// An Index is an INDEX line.
type Index struct {
	Number int
	File   int // index into Sheet.Files
	Frame  int // sectors from the start of that file
}

// index returns the INDEX line with a number, or nil.
func (t *Track) index(n int) *Index {
	for i := range t.Indexes {
		if t.Indexes[i].Number == n {
			return &t.Indexes[i]
		}
	}
	return nil
}

// A Session is what the REM lines of a multi-session sheet say of the gap
// around a session, in sectors; -1 stands for a line that is not there.
// The dialect is redump's: REM LEAD-OUT stands at the end of a session,
// REM LEAD-IN and REM PREGAP at the start of the next.
type Session struct {
	Number  int
	LeadIn  int
	Pregap  int
	LeadOut int
}

// gap returns the number of sectors from the end of session s, the i-th, to the
// first track of the next.
func (sh *Sheet) gap(i int) int {
	out, in, pre := addr.LaterLeadOut, addr.LeadIn, addr.Pregap
	if i == 0 {
		out = addr.FirstLeadOut
	}
	if i < len(sh.Sessions) && sh.Sessions[i].LeadOut >= 0 {
		out = sh.Sessions[i].LeadOut
	}
	if i+1 < len(sh.Sessions) {
		if next := sh.Sessions[i+1]; next.LeadIn >= 0 {
			in = next.LeadIn
		}
		if next := sh.Sessions[i+1]; next.Pregap >= 0 {
			pre = next.Pregap
		}
	}
	return out + in + pre
}

// A ParseError says what is wrong with a sheet and where.
type ParseError struct {
	Line int // from 1
	Msg  string
}

func (e *ParseError) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Msg) }

// fields splits a line into words; text in double quotes is one word.
func fields(line string) ([]string, error) {
	var words []string
	for {
		line = strings.TrimLeft(line, " \t")
		if line == "" {
			return words, nil
		}
		if line[0] == '"' {
			end := strings.IndexByte(line[1:], '"')
			if end < 0 {
				return nil, fmt.Errorf("a quotation mark is missing")
			}
			words = append(words, line[1:1+end])
			line = line[end+2:]
			continue
		}
		end := strings.IndexAny(line, " \t")
		if end < 0 {
			end = len(line)
		}
		words = append(words, line[:end])
		line = line[end:]
	}
}
