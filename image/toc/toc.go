// Package toc reads and writes the TOC files of cdrdao, which describe a CD by
// tracks that are put together from pieces of files, silence and empty sectors.
// The grammar is that of cdrdao's own parser (trackdb/TocParser.g) and manual; where
// libcdio's test data are laxer (FILE and SILENCE in data tracks), so is this one.
package toc

import "spindle/disc"

// A File is the content of a TOC file.
type File struct {
	Type        Type
	Catalog     string // media catalogue number, 13 digits
	FirstNumber int    // of the first track: 1 unless stated
	Text        []disc.TextBlock
	Tracks      []Track
}

// Type is the kind of a disc.
type Type string

// The types.
const (
	CDDA    Type = "CD_DA"
	CDROM   Type = "CD_ROM"
	CDROMXA Type = "CD_ROM_XA"
	CDI     Type = "CD_I"
)

// format returns the session format of a disc of this type.
func (t Type) format() disc.SessionFormat {
	switch t {
	case CDROMXA:
		return disc.FormatXA
	case CDI:
		return disc.FormatCDI
	}
	return disc.FormatCDROM
}

// Mode is how the sectors of a track, or of a piece of it, are stored.
type Mode string

// The modes.
const (
	Audio    Mode = "AUDIO"
	Mode0    Mode = "MODE0"
	Mode1    Mode = "MODE1"
	Mode1Raw Mode = "MODE1_RAW"
	Mode2    Mode = "MODE2"
	Mode2Raw Mode = "MODE2_RAW"
	Form1    Mode = "MODE2_FORM1"
	Form2    Mode = "MODE2_FORM2"
	FormMix  Mode = "MODE2_FORM_MIX"
)

// stored returns the mode of a track of sectors of this mode, and how a file
// stores them; ok is false for a mode that does not exist.
func (m Mode) stored() (mode disc.Mode, form disc.Form, ok bool) {
	switch m {
	case Audio:
		return disc.Audio, disc.FormSwapped, true
	case Mode0:
		return disc.Mode0, disc.FormMode0, true
	case Mode1:
		return disc.Mode1, disc.FormMode1, true
	case Mode1Raw:
		return disc.Mode1, disc.FormRaw, true
	case Mode2, FormMix:
		return disc.Mode2, disc.FormMode2, true
	case Mode2Raw:
		return disc.Mode2, disc.FormRaw, true
	case Form1:
		return disc.Mode2, disc.FormXA1, true
	case Form2:
		return disc.Mode2, disc.FormXA2, true
	}
	return 0, 0, false
}

// Sub is what of the sub-channels R to W a file has after each sector.
type Sub string

// The kinds of sub-channel data: none; 96 bytes of packs; 96 bytes as they are on
// the disc.
const (
	NoSub  Sub = ""
	SubRW  Sub = "RW"
	SubRaw Sub = "RW_RAW"
)

// A Track is a TRACK statement and what follows it.
type Track struct {
	Mode    Mode
	Sub     Sub
	Control disc.Control
	ISRC    string
	Pieces  []Piece
	// Start is where INDEX 01 stands, in sectors from the start of the track,
	// and what comes before is pregap. A START without a time is resolved when
	// the files are looked at: StartPiece is then how many pieces come before.
	Start      int
	StartPiece int // -1: Start counts
	// End is where the post-gap begins, in sectors from the start of the track,
	// or as EndPiece says; 0 and -1 for none.
	End      int
	EndPiece int
	Indexes  []int // INDEX 02 and on, in sectors from Start
	Line     int
}

// A Piece is a part of a track.
type Piece struct {
	Name   string // of a file; empty for silence and zeros
	Sound  bool   // FILE or AUDIOFILE: Start and Length may be in samples
	Swap   bool   // the byte order is the other one
	Mode   Mode
	Sub    Sub
	Offset int64 // bytes before everything else in the file
	Start  Length
	Length Length // zero: to the end of the file
	Line   int
}

// A Length is a time, or a number of samples or bytes.
type Length struct {
	Sectors int
	Units   int64 // samples of a sound piece, bytes of a data piece
}

// bytes returns the length in bytes, where a sector has size of them and a unit
// unit.
func (l Length) bytes(size, unit int64) int64 { return int64(l.Sectors)*size + l.Units*unit }
