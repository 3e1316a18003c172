package mmc

import (
	"context"
	"fmt"

	"spindle/scsi"
)

// Formats of READ TOC/PMA/ATIP (6.25).
const (
	tocFormatTOC     = 0
	tocFormatSession = 1
	tocFormatFull    = 2
	tocFormatPMA     = 3
	tocFormatATIP    = 4
	tocFormatCDText  = 5
)

// LeadOutTrack is the track number under which a TOC states the lead-out.
const LeadOutTrack = 0xAA

// maxTOC is the largest answer of READ TOC/PMA/ATIP: its length field has 16
// bits. CD-TEXT of eight languages needs 36 KiB; the others are far smaller.
const maxTOC = 0xFFFC

// readTOC sends the command. The reply is cut at its own length field. Drives
// exist that fail when asked for more than they have, so the length is asked
// for first.
func (d *Drive) readTOC(ctx context.Context, format, number byte, msf bool, least int) ([]byte, error) {
	cdb := []byte{byte(scsi.OpReadTOC), 0, format, 0, 0, 0, number, 0, 4, 0}
	if msf {
		cdb[1] = 2
	}
	head, err := d.in(ctx, cdb, make([]byte, 4), medium)
	if err != nil {
		return nil, err
	}
	if err := need(scsi.OpReadTOC, head, 4); err != nil {
		return nil, err
	}
	size := min(2+get16(head), maxTOC)
	if size < least {
		return nil, fmt.Errorf("%s, format %d: %w: %d bytes", scsi.OpReadTOC, format, ErrShortReply, size)
	}
	put16(cdb[7:], size+size%2) // some ATAPI adapters mind odd lengths
	b, err := d.in(ctx, cdb, make([]byte, size+size%2), medium)
	if err != nil {
		return nil, err
	}
	return sized16(scsi.OpReadTOC, b, least)
}

// TOC is the table of contents as format 0 gives it.
type TOC struct {
	First, Last int // track numbers
	Entries     []TOCEntry
}

// A TOCEntry is the start of a track, or of the lead-out.
type TOCEntry struct {
	Track   int // 1 to 99, or LeadOutTrack
	Control uint8
	ADR     uint8
	LBA     int32
}

// TOC reads the table of contents: all tracks of all sessions, then the lead-out
// of the last session.
func (d *Drive) TOC(ctx context.Context) (TOC, error) {
	b, err := d.readTOC(ctx, tocFormatTOC, 0, false, 4)
	if err != nil {
		return TOC{}, err
	}
	t := TOC{First: int(b[2]), Last: int(b[3])}
	for b = b[4:]; len(b) >= 8; b = b[8:] {
		t.Entries = append(t.Entries, TOCEntry{
			Track: int(b[2]), Control: b[1] & 15, ADR: b[1] >> 4, LBA: int32(get32(b[4:])),
		})
	}
	return t, nil
}

// SessionInfo is format 1: the first and last session, and where the last one
// starts.
type SessionInfo struct {
	First, Last int
	FirstTrack  int   // of the last session
	LBA         int32 // of that track
}

// SessionInfo reads which sessions there are.
func (d *Drive) SessionInfo(ctx context.Context) (SessionInfo, error) {
	b, err := d.readTOC(ctx, tocFormatSession, 0, false, 12)
	if err != nil {
		return SessionInfo{}, err
	}
	return SessionInfo{First: int(b[2]), Last: int(b[3]), FirstTrack: int(b[6]), LBA: int32(get32(b[8:]))}, nil
}

// A FullTOCEntry is one Q frame of a lead-in (6.25.3.4, table 463).
type FullTOCEntry struct {
	Session int
	Control uint8
	ADR     uint8
	TNO     uint8
	Point   uint8
	Min     [3]uint8 // MIN, SEC, FRAME
	Zero    uint8
	PMin    [3]uint8 // PMIN, PSEC, PFRAME
}

// LBA returns the address that PMIN, PSEC and PFRAME state.
func (e *FullTOCEntry) LBA() int32 {
	return (int32(e.PMin[0])*60+int32(e.PMin[1]))*75 + int32(e.PMin[2]) - 150
}

// FullTOC reads the lead-ins of all sessions (format 2). Only CDs have one, and
// some drives refuse it.
func (d *Drive) FullTOC(ctx context.Context) ([]FullTOCEntry, error) {
	b, err := d.readTOC(ctx, tocFormatFull, 1, true, 4)
	if err != nil {
		return nil, err
	}
	return parseFullTOC(b), nil
}

func parseFullTOC(b []byte) []FullTOCEntry {
	var all []FullTOCEntry
	for b = b[4:]; len(b) >= 11; b = b[11:] {
		all = append(all, FullTOCEntry{
			Session: int(b[0]), Control: b[1] & 15, ADR: b[1] >> 4, TNO: b[2], Point: b[3],
			Min: [3]uint8(b[4:7]), Zero: b[7], PMin: [3]uint8(b[8:11]),
		})
	}
	return all
}

// PMA reads the program memory area of a CD-R or CD-RW (format 3), whose entries
// have the form of those of the full TOC.
func (d *Drive) PMA(ctx context.Context) ([]FullTOCEntry, error) {
	b, err := d.readTOC(ctx, tocFormatPMA, 0, true, 4)
	if err != nil {
		return nil, err
	}
	return parseFullTOC(b), nil
}

// ATIP is the absolute time in pregroove of a CD-R or CD-RW (format 4): facts
// about the blank.
type ATIP struct {
	Power          uint8 // indicative target writing power
	ReferenceSpeed uint8
	Unrestricted   bool
	Rewritable     bool // CD-RW
	SubType        uint8
	LeadIn         [3]uint8 // start of the lead-in, MSF: identifies the maker
	LeadOut        [3]uint8 // last possible start of the lead-out, MSF
}

// ATIP reads the pregroove information. On pressed discs it is an error.
func (d *Drive) ATIP(ctx context.Context) (ATIP, error) {
	b, err := d.readTOC(ctx, tocFormatATIP, 0, true, 15)
	if err != nil {
		return ATIP{}, err
	}
	return ATIP{
		Power: b[4] >> 4 & 7, ReferenceSpeed: b[4] & 7, Unrestricted: bit(b[5], 6),
		Rewritable: bit(b[6], 6), SubType: b[6] >> 3 & 7,
		LeadIn: [3]uint8(b[8:11]), LeadOut: [3]uint8(b[12:15]),
	}, nil
}

// CDText reads the raw CD-TEXT packs, 18 bytes each (format 5). A disc without
// CD-TEXT gives an empty result, or an error, as the drive likes.
func (d *Drive) CDText(ctx context.Context) ([]byte, error) {
	b, err := d.readTOC(ctx, tocFormatCDText, 0, false, 4)
	if err != nil {
		return nil, err
	}
	return b[4:], nil
}
