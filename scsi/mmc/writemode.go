package mmc

import (
	"context"
	"errors"
	"fmt"

	"spindle/addr"
	"spindle/scsi"
)

const pageWriteParameters = 0x05

// WriteType is how tracks come onto a disc (mode page 05h).
type WriteType uint8

// The write types.
const (
	WriteIncremental   WriteType = 0 // packets; DVD-R: incremental
	WriteTrackAtOnce   WriteType = 1
	WriteSessionAtOnce WriteType = 2 // DVD-R: disc at once
	WriteRaw           WriteType = 3
)

// MultiSession says what may follow the session (mode page 05h).
type MultiSession uint8

// The values of MultiSession.
const (
	NoNextSession MultiSession = 0 // the disc is final, and its only session states no next one
	LastSession   MultiSession = 1 // the disc is final, and states so where others state the next session
	NextSession   MultiSession = 3
)

// BlockType is the form of the blocks that the host sends (MMC-5 table 661).
type BlockType uint8

// The block types.
const (
	BlockAudio  BlockType = 0  // 2352 bytes
	BlockRaw96  BlockType = 3  // 2352 bytes and 96 of P to W, interleaved
	BlockMode1  BlockType = 8  // 2048 bytes
	BlockMode2  BlockType = 9  // 2336 bytes, formless
	BlockXA     BlockType = 13 // 2332 bytes: sub-header and data of form 1 or 2
	BlockForm1  BlockType = 10 // 2048 bytes
	BlockForm1S BlockType = 11 // 2056 bytes: sub-header and data
)

// WriteParameters are the fields of mode page 05h (MMC-5 7.5). The page is for CDs
// and for DVD-R and DVD-RW that are written sequentially.
type WriteParameters struct {
	Type          WriteType
	TestWrite     bool // with the laser off
	UnderrunFree  bool // BUFE
	MultiSession  MultiSession
	TrackMode     Control
	Block         BlockType
	SessionFormat SessionFormat
	FixedPacket   uint32 // blocks of a packet; 0: of any length
	LinkSize      uint8  // valid when not zero
	MCN           string // 13 digits, or empty
	ISRC          string // 12 characters, or empty
}

// check makes sure that the fields hold the parameters.
func (w *WriteParameters) check() error {
	const op = scsi.OpModeSelect10
	err := errors.Join(within(op, "write type", int64(w.Type), 0, 15), within(op, "multi-session", int64(w.MultiSession), 0, 3),
		within(op, "track mode", int64(w.TrackMode), 0, 15), within(op, "block type", int64(w.Block), 0, 15))
	if n := len(w.MCN); n != 0 {
		err = errors.Join(err, within(op, "length of the MCN", int64(n), 13, 13))
	}
	if n := len(w.ISRC); n != 0 {
		err = errors.Join(err, within(op, "length of the ISRC", int64(n), 12, 12))
	}
	return err
}

// SetWriteParameters reads mode page 05h, changes its fields, and sends it back as
// long as the drive has it.
func (d *Drive) SetWriteParameters(ctx context.Context, w WriteParameters) error {
	if err := w.check(); err != nil {
		return err
	}
	p, err := d.ModePage(ctx, pageWriteParameters)
	if err != nil {
		return err
	}
	if err := need(scsi.OpModeSense10, p, 48); err != nil {
		return err
	}
	set := func(i int, mask, value byte) { p[i] = p[i]&^mask | value&mask }
	flag := func(on bool, v byte) byte {
		if on {
			return v
		}
		return 0
	}
	set(2, 0x7F, byte(w.Type)|flag(w.TestWrite, 0x10)|flag(w.LinkSize > 0, 0x20)|flag(w.UnderrunFree, 0x40))
	set(3, 0xFF, byte(w.MultiSession)<<6|flag(w.FixedPacket > 0, 0x20)|byte(w.TrackMode))
	set(4, 0x0F, byte(w.Block))
	p[5] = w.LinkSize
	p[8] = byte(w.SessionFormat)
	put32(p[10:], w.FixedPacket)
	put16(p[14:], addr.Pregap)
	clear(p[16:48])
	if w.MCN != "" {
		p[16] = 0x80
		copy(p[17:], w.MCN)
	}
	if w.ISRC != "" {
		p[32] = 0x80
		copy(p[33:], w.ISRC)
	}
	return d.SetModePage(ctx, p)
}

// DataForm is the form of the sectors that follow an entry of a cue sheet (MMC-5
// table 577).
type DataForm uint8

// The data forms. The drive makes sync, header and error correction of data
// sectors itself, whatever is sent.
const (
	FormAudio      DataForm = 0x00 // 2352 bytes
	FormAudioNone  DataForm = 0x01 // nothing is sent: lead-in and lead-out of audio
	FormMode1      DataForm = 0x10 // 2048 bytes
	FormMode1None  DataForm = 0x14 // nothing is sent
	FormXA         DataForm = 0x20 // 2336 bytes: sub-header, data, and room for EDC
	FormXANone     DataForm = 0x24
	FormMode2      DataForm = 0x30 // 2336 bytes, formless
	FormMode2None  DataForm = 0x34
	FormLeadInText DataForm = 0x41 // 96 bytes of P to W: a lead-in with CD-TEXT
)

// CueLeadOut is the track number of the lead-out in a cue sheet.
const CueLeadOut = 0xAA

// A CueEntry is one line of the sheet that announces a session at once (SEND CUE
// SHEET, MMC-5 6.33): eight bytes.
type CueEntry struct {
	Control Control
	ADR     uint8 // 1 position; 2 and 3 carry text
	Track   uint8 // 0 lead-in, AAh lead-out
	Index   uint8
	Form    DataForm
	// LBA is of ADR 1: -150 to 449849; of the lead-in where it begins, or 0 for no time.
	LBA  addr.LBA
	Text []byte // of ADR 2 (7 bytes from Track on) and ADR 3 (6 bytes from Index on)
}

// check makes sure that the eight bytes hold the entry.
func (e *CueEntry) check() error {
	const op = scsi.OpSendCueSheet
	err := errors.Join(within(op, "control", int64(e.Control), 0, 15), within(op, "ADR", int64(e.ADR), 1, 3))
	switch e.ADR {
	case 1:
		if e.Track != 0 || e.LBA < leastLeadIn {
			err = errors.Join(err, within(op, "address", int64(e.LBA), -addr.Pregap, maxCueTime))
		}
	case 2:
		err = errors.Join(err, within(op, "length of the text", int64(len(e.Text)), 0, 7))
	case 3:
		err = errors.Join(err, within(op, "length of the text", int64(len(e.Text)), 0, 6))
	}
	return err
}

// leastLeadIn is the first address whose time is one of a lead-in: 90:00:00.
const leastLeadIn = (90 * 60 * addr.FramesPerSecond) - leadInTime

// leadInTime is what makes a time of the address of a lead-in (MMC-5 table 1).
const leadInTime = 450150

// maxCueTime is the address of 99:59:74, the last that a cue sheet can state.
const maxCueTime = 100*60*addr.FramesPerSecond - addr.Pregap - 1

// Encode returns the eight bytes of the entry; of a time, the last bytes are
// minutes, seconds and frames in binary.
func (e *CueEntry) Encode() [8]byte {
	b := [8]byte{byte(e.Control<<4) | e.ADR}
	switch e.ADR {
	case 2:
		copy(b[1:], e.Text)
	case 3:
		b[1] = e.Track
		copy(b[2:], e.Text)
	default:
		b[1], b[2], b[3] = e.Track, e.Index, byte(e.Form)
		if e.Track != 0 || e.LBA < -addr.Pregap {
			from := addr.Pregap
			if e.Track == 0 {
				from = leadInTime
			}
			t := addr.Frames(int(e.LBA) + from)
			b[5], b[6], b[7] = byte(t.M), byte(t.S), byte(t.F)
		}
	}
	return b
}

// SendCueSheet announces the session that the following writes fill.
func (d *Drive) SendCueSheet(ctx context.Context, entries []CueEntry) error {
	if err := within(scsi.OpSendCueSheet, "number of entries", int64(len(entries)), 1, most24/8); err != nil {
		return err
	}
	var data []byte
	for i := range entries {
		if err := entries[i].check(); err != nil {
			return fmt.Errorf("entry %d: %w", i, err)
		}
		b := entries[i].Encode()
		data = append(data, b[:]...)
	}
	cdb := newCDB(scsi.OpSendCueSheet)
	put24(cdb[6:], uint32(len(data)))
	return d.out(ctx, cdb, data, medium)
}
