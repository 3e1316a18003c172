package mmc

import (
	"context"
	"fmt"

	"spindle/scsi"
)

// Mode pages (7).
const (
	pageErrorRecovery = 0x01
	pageCapabilities  = 0x2A
)

// modeHeader is the length of the mode parameter header of the 10-byte commands.
const modeHeader = 8

// ModePage reads the current values of a mode page (MODE SENSE (10), SPC-4
// 6.14), with its two-byte header.
func (d *Drive) ModePage(ctx context.Context, page byte) ([]byte, error) {
	const size = 256
	if err := within(scsi.OpModeSense10, "page", int64(page), 0, 0x3E); err != nil {
		return nil, err
	}
	cdb := newCDB(scsi.OpModeSense10)
	cdb[1] = 8 // no block descriptors
	cdb[2] = page
	put16(cdb[7:], size)
	b, err := d.in(ctx, cdb, make([]byte, size), quick)
	if err != nil {
		return nil, err
	}
	if b, err = sized16(scsi.OpModeSense10, b, modeHeader); err != nil {
		return nil, err
	}
	skip := modeHeader + get16(b[6:]) // block descriptors, also where none were asked for
	if err := need(scsi.OpModeSense10, b, skip+2); err != nil {
		return nil, err
	}
	b = b[skip:]
	if b[0]&0x3F != page {
		return nil, fmt.Errorf("%s: asked for page %02Xh, got %02Xh", scsi.OpModeSense10, page, b[0]&0x3F)
	}
	return b[:min(len(b), 2+int(b[1]))], nil
}

// SetModePage writes a mode page back as [Drive.ModePage] gave it, with changed
// fields (MODE SELECT (10), SPC-4 6.10).
func (d *Drive) SetModePage(ctx context.Context, page []byte) error {
	if len(page) < 2 || len(page) != 2+int(page[1]) {
		return fmt.Errorf("%s: %w: a page of %d bytes", scsi.OpModeSelect10, ErrArgument, len(page))
	}
	data := make([]byte, modeHeader+len(page))
	copy(data[modeHeader:], page)
	data[modeHeader] &= 0x3F // PS is reserved here
	cdb := newCDB(scsi.OpModeSelect10)
	cdb[1] = 0x10 // page format
	put16(cdb[7:], uint16(len(data)))
	return d.out(ctx, cdb, data, quick)
}

// ErrorRecovery is mode page 01h (7.3).
type ErrorRecovery struct {
	TransferBlock bool  // TB: give the data of a block that could not be corrected
	ReadRetries   uint8 // by the drive itself
	page          []byte
}

// ErrorRecovery reads how hard the drive tries.
func (d *Drive) ErrorRecovery(ctx context.Context) (ErrorRecovery, error) {
	p, err := d.ModePage(ctx, pageErrorRecovery)
	if err != nil {
		return ErrorRecovery{}, err
	}
	if err := need(scsi.OpModeSense10, p, 4); err != nil {
		return ErrorRecovery{}, err
	}
	return ErrorRecovery{TransferBlock: bit(p[2], 5), ReadRetries: p[3], page: p}, nil
}

// SetErrorRecovery changes how hard the drive tries. r must come from
// [Drive.ErrorRecovery]; the other fields of the page stay as the drive gave them.
func (d *Drive) SetErrorRecovery(ctx context.Context, r ErrorRecovery) error {
	p := append([]byte(nil), r.page...)
	if len(p) < 4 {
		return fmt.Errorf("%s: %w: settings that no drive gave", scsi.OpModeSelect10, ErrArgument)
	}
	p[2] &^= 0x20
	if r.TransferBlock {
		p[2] |= 0x20
	}
	p[3] = r.ReadRetries
	return d.SetModePage(ctx, p)
}

// Capabilities is mode page 2Ah, which MMC calls legacy and every drive has
// (MMC-3 6.3.11). Fields that a short page leaves out are zero.
type Capabilities struct {
	ReadCDR, ReadCDRW, ReadDVDROM, ReadDVDR, ReadDVDRAM bool
	WriteCDR, WriteCDRW, WriteDVDR, WriteDVDRAM         bool
	TestWrite                                           bool
	BufferUnderrunFree                                  bool
	Mode2Form1, Mode2Form2, MultiSession                bool
	CDDA                                                bool // READ CD of audio
	AccurateStream                                      bool // audio reads join without overlap
	Subchannel                                          bool // R-W
	C2                                                  bool
	ISRC, MCN                                           bool
	CanLock                                             bool
	Locked                                              bool
	Eject                                               bool
	Loading                                             LoadingMechanism
	MaxReadSpeed                                        int   // kB/s, 1000 bytes
	ReadSpeed                                           int   // kB/s, now
	BufferSize                                          int   // KiB
	WriteSpeed                                          int   // kB/s, now
	WriteSpeeds                                         []int // kB/s
}

// Capabilities reads mode page 2Ah.
func (d *Drive) Capabilities(ctx context.Context) (Capabilities, error) {
	p, err := d.ModePage(ctx, pageCapabilities)
	if err != nil {
		return Capabilities{}, err
	}
	if err := need(scsi.OpModeSense10, p, 8); err != nil {
		return Capabilities{}, err
	}
	c := Capabilities{
		ReadCDR: bit(p[2], 0), ReadCDRW: bit(p[2], 1), ReadDVDROM: bit(p[2], 3),
		ReadDVDR: bit(p[2], 4), ReadDVDRAM: bit(p[2], 5),
		WriteCDR: bit(p[3], 0), WriteCDRW: bit(p[3], 1), TestWrite: bit(p[3], 2),
		WriteDVDR: bit(p[3], 4), WriteDVDRAM: bit(p[3], 5),
		Mode2Form1: bit(p[4], 4), Mode2Form2: bit(p[4], 5), MultiSession: bit(p[4], 6),
		BufferUnderrunFree: bit(p[4], 7),
		CDDA:               bit(p[5], 0), AccurateStream: bit(p[5], 1), Subchannel: bit(p[5], 2),
		C2: bit(p[5], 4), ISRC: bit(p[5], 5), MCN: bit(p[5], 6),
		CanLock: bit(p[6], 0), Locked: bit(p[6], 1), Eject: bit(p[6], 3), Loading: LoadingMechanism(p[6] >> 5),
	}
	word := func(i int) int {
		if i+2 > len(p) {
			return 0
		}
		return get16(p[i:])
	}
	c.MaxReadSpeed, c.BufferSize, c.ReadSpeed, c.WriteSpeed = word(8), word(12), word(14), word(28)
	for i, n := 32, word(30); n > 0 && i+4 <= len(p); i, n = i+4, n-1 {
		c.WriteSpeeds = append(c.WriteSpeeds, word(i+2))
	}
	return c, nil
}
