package mmc

import (
	"context"
	"fmt"

	"spindle/addr"
	"spindle/scsi"
)

// Formats of READ TOC/PMA/ATIP (6.25).
const (
	tocFormatTOC     = 0
	tocFormatSession = 1
	tocFormatFull    = 2
	tocFormatATIP    = 4
	tocFormatCDText  = 5
)

// LeadOutTrack is the track number under which a TOC states the lead-out.
const LeadOutTrack = 0xAA

// maxTOC is the largest answer of READ TOC/PMA/ATIP: its length field has 16
// bits. CD-TEXT of eight languages needs 36 KiB; the others are far smaller.
const maxTOC = 0xFFFC

// addressForm is how a TOC states addresses.
type addressForm uint8

const (
	asLBA addressForm = iota
	asMSF
)

// readTOC sends the command. The reply is cut at its own length field. Drives
// exist that fail when asked for more than they have, so the length is asked
// for first.
func (d *Drive) readTOC(ctx context.Context, format, number byte, form addressForm, least int) ([]byte, error) {
	const header = 4
	cdb := newCDB(scsi.OpReadTOC)
	if form == asMSF {
		cdb[1] = 2
	}
	cdb[2], cdb[6] = format, number
	put16(cdb[7:], header)
	head, err := d.in(ctx, cdb, make([]byte, header), medium)
	if err != nil {
		return nil, err
	}
	if err := need(scsi.OpReadTOC, head, header); err != nil {
		return nil, err
	}
	size := min(2+get16(head), maxTOC)
	if size < least {
		return nil, fmt.Errorf("%s, format %d: %w: %d bytes", scsi.OpReadTOC, format, ErrShortReply, size)
	}
	size += size % 2 // some ATAPI adapters mind odd lengths
	put16(cdb[7:], uint16(size))
	b, err := d.in(ctx, cdb, make([]byte, size), medium)
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
	Control Control
	ADR     uint8
	LBA     addr.LBA
}

// TOC reads the table of contents: all tracks of all sessions, then the lead-out
// of the last session.
func (d *Drive) TOC(ctx context.Context) (TOC, error) {
	b, err := d.readTOC(ctx, tocFormatTOC, 0, asLBA, 4)
	if err != nil {
		return TOC{}, err
	}
	t := TOC{First: int(b[2]), Last: int(b[3])}
	for b = b[4:]; len(b) >= 8; b = b[8:] {
		t.Entries = append(t.Entries, TOCEntry{
			Track: int(b[2]), Control: Control(b[1] & 15), ADR: b[1] >> 4, LBA: addr.LBA(get32(b[4:])),
		})
	}
	return t, nil
}

// SessionInfo is format 1: the first and last session, and where the last one
// starts.
type SessionInfo struct {
	First, Last int
	FirstTrack  int      // of the last session
	LBA         addr.LBA // of that track
}

// SessionInfo reads which sessions there are.
func (d *Drive) SessionInfo(ctx context.Context) (SessionInfo, error) {
	b, err := d.readTOC(ctx, tocFormatSession, 0, asLBA, 12)
	if err != nil {
		return SessionInfo{}, err
	}
	return SessionInfo{First: int(b[2]), Last: int(b[3]), FirstTrack: int(b[6]), LBA: addr.LBA(get32(b[8:]))}, nil
}

// A FullTOCEntry is one Q frame of a lead-in (6.25.3.4, table 463).
type FullTOCEntry struct {
	Session int
	Control Control
	ADR     uint8
	TNO     uint8
	Point   uint8
	MSF     addr.MSF // MIN, SEC, FRAME
	Zero    uint8
	PMSF    addr.MSF // PMIN, PSEC, PFRAME: what Point says they are
}

// LBA returns the address that PMIN, PSEC and PFRAME state. Unlike [addr.MSF.LBA]
// it takes times of 90 minutes and more for program addresses: discs exist whose
// tracks reach there.
func (e *FullTOCEntry) LBA() addr.LBA { return addr.LBA(e.PMSF.Frames() - addr.Pregap) }

// FullTOC reads the lead-ins of all sessions (format 2). Only CDs have one, and
// some drives refuse it.
func (d *Drive) FullTOC(ctx context.Context) ([]FullTOCEntry, error) {
	b, err := d.readTOC(ctx, tocFormatFull, 1, asMSF, 4)
	if err != nil {
		return nil, err
	}
	var all []FullTOCEntry
	for b = b[4:]; len(b) >= 11; b = b[11:] {
		all = append(all, FullTOCEntry{
			Session: int(b[0]), Control: Control(b[1] & 15), ADR: b[1] >> 4, TNO: b[2], Point: b[3],
			MSF: addr.MSFFromBytes([3]byte(b[4:7])), Zero: b[7], PMSF: addr.MSFFromBytes([3]byte(b[8:11])),
		})
	}
	return all, nil
}

// ATIP is the absolute time in pregroove of a CD-R or CD-RW (format 4): facts
// about the blank.
type ATIP struct {
	Power          uint8    // indicative target writing power, 0 to 7
	ReferenceSpeed uint8    // CD-RW, 0 to 7
	Unrestricted   bool     // for any use, not only for computers
	Rewritable     bool     // CD-RW
	SubType        uint8    // 0 to 7: on CD-RW the speed class
	LeadIn         addr.MSF // start of the lead-in: identifies the maker
	LeadOut        addr.MSF // last possible start of the lead-out
}

// ATIP reads the pregroove information. On pressed discs it is an error.
func (d *Drive) ATIP(ctx context.Context) (ATIP, error) {
	b, err := d.readTOC(ctx, tocFormatATIP, 0, asMSF, 15)
	if err != nil {
		return ATIP{}, err
	}
	return ATIP{
		Power: b[4] >> 4 & 7, ReferenceSpeed: b[4] & 7, Unrestricted: bit(b[5], 6),
		Rewritable: bit(b[6], 6), SubType: b[6] >> 3 & 7,
		LeadIn: addr.MSFFromBytes([3]byte(b[8:11])), LeadOut: addr.MSFFromBytes([3]byte(b[12:15])),
	}, nil
}

// CDText reads the raw CD-TEXT packs, 18 bytes each (format 5). A disc without
// CD-TEXT gives an empty result or an error, depending on the drive.
func (d *Drive) CDText(ctx context.Context) ([]byte, error) {
	b, err := d.readTOC(ctx, tocFormatCDText, 0, asLBA, 4)
	if err != nil {
		return nil, err
	}
	return b[4:], nil
}
