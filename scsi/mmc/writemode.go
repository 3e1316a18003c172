package mmc

import (
	"context"
	"fmt"

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
	NoNextSession MultiSession = 0 // the disc is final
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
	TrackMode     uint8 // CONTROL bits of the track
	Block         BlockType
	SessionFormat uint8  // 00h, 10h CD-I, 20h XA
	FixedPacket   uint32 // blocks of a packet; 0: of any length
	LinkSize      uint8  // valid when not zero
	MCN           string // 13 digits, or empty
	ISRC          string // 12 characters, or empty
}

// SetWriteParameters reads mode page 05h, changes its fields, and sends it back as
// long as the drive has it.
func (d *Drive) SetWriteParameters(ctx context.Context, w WriteParameters) error {
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
	set(3, 0xFF, byte(w.MultiSession)<<6|flag(w.FixedPacket > 0, 0x20)|w.TrackMode&15)
	set(4, 0x0F, byte(w.Block))
	p[5] = w.LinkSize
	p[8] = w.SessionFormat
	put32(p[10:], w.FixedPacket)
	put16(p[14:], 150)
	clear(p[16:48])
	if w.MCN != "" {
		if len(w.MCN) != 13 {
			return fmt.Errorf("a catalogue number of %d digits", len(w.MCN))
		}
		p[16] = 0x80
		copy(p[17:], w.MCN)
	}
	if w.ISRC != "" {
		if len(w.ISRC) != 12 {
			return fmt.Errorf("an ISRC of %d characters", len(w.ISRC))
		}
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
	Control uint8 // CONTROL bits
	ADR     uint8 // 1 position; 2 and 3 carry text
	Track   uint8 // 0 lead-in, AAh lead-out
	Index   uint8
	Form    DataForm
	LBA     int32
	Text    []byte // of ADR 2 (7 bytes from Track on) and ADR 3 (6 bytes from Index on)
}

// Encode gives the eight bytes of the entry.
func (e *CueEntry) Encode() [8]byte {
	b := [8]byte{e.Control<<4 | e.ADR}
	switch e.ADR {
	case 2:
		copy(b[1:], e.Text)
	case 3:
		b[1] = e.Track
		copy(b[2:], e.Text)
	default:
		b[1], b[2], b[3] = e.Track, e.Index, byte(e.Form)
		if e.Track != 0 {
			f := e.LBA + 150
			b[5], b[6], b[7] = byte(f/75/60), byte(f/75%60), byte(f%75)
		}
	}
	return b
}

// SendCueSheet announces the session that the following writes fill.
func (d *Drive) SendCueSheet(ctx context.Context, entries []CueEntry) error {
	var data []byte
	for i := range entries {
		b := entries[i].Encode()
		data = append(data, b[:]...)
	}
	cdb := make([]byte, 10)
	cdb[0] = byte(scsi.OpSendCueSheet)
	cdb[6], cdb[7], cdb[8] = byte(len(data)>>16), byte(len(data)>>8), byte(len(data))
	return d.out(ctx, cdb, data, medium)
}
