package mmc

import (
	"context"
	"errors"
	"fmt"

	"spindle/scsi"
)

// Write sends blocks to the disc with WRITE (10) (6.48). data holds n blocks of
// the size that the medium and the write parameters ask for. Addresses on CDs
// may be negative: the pregap of track 1 begins at -150.
func (d *Drive) Write(ctx context.Context, lba int32, n int, data []byte) error {
	cdb := make([]byte, 10)
	cdb[0] = byte(scsi.OpWrite10)
	put32(cdb[2:], uint32(lba))
	put16(cdb[7:], n)
	return d.allOut(ctx, cdb, data)
}

// ErrShortWrite is returned when a drive took fewer bytes than a WRITE had.
var ErrShortWrite = errors.New("the drive did not take all the data")

// allOut sends a command whose data must all be taken.
func (d *Drive) allOut(ctx context.Context, cdb, data []byte) error {
	n, err := d.dev.Execute(ctx, &scsi.Command{CDB: cdb, Direction: scsi.Out, Data: data, Timeout: writing})
	if err == nil && n < len(data) {
		return fmt.Errorf("%s: %w: %d of %d bytes", scsi.Opcode(cdb[0]), ErrShortWrite, n, len(data))
	}
	return err
}

// WriteStreaming sends blocks with WRITE (12) and its Streaming bit (6.49): a
// DVD-RAM or BD-RE does not verify them then, which doubles its speed. Address
// and length must be whole ECC blocks.
func (d *Drive) WriteStreaming(ctx context.Context, lba int32, n int, data []byte) error {
	cdb := make([]byte, 12)
	cdb[0] = byte(scsi.OpWrite12)
	put32(cdb[2:], uint32(lba))
	put32(cdb[6:], uint32(n))
	cdb[10] = 0x80
	return d.allOut(ctx, cdb, data)
}

// SynchronizeCache makes the drive write what it holds in its buffer (6.42).
// With immediate the answer comes at once, and [Drive.Busy] tells when it is
// done.
func (d *Drive) SynchronizeCache(ctx context.Context, immediate bool) error {
	cdb := make([]byte, 10)
	cdb[0] = byte(scsi.OpSynchronizeCache)
	limit := closing
	if immediate {
		cdb[1] = 2
		limit = writing
	}
	return d.none(ctx, cdb, limit)
}

// ReserveTrack reserves a track of n blocks (6.31). DVD-R disc at once wants it.
func (d *Drive) ReserveTrack(ctx context.Context, n uint32) error {
	cdb := make([]byte, 10)
	cdb[0] = byte(scsi.OpReserveTrack)
	put32(cdb[5:], n)
	return d.none(ctx, cdb, medium)
}

// CloseFunction is what CLOSE TRACK/SESSION closes (6.3, table 295). What each
// means depends on the medium.
type CloseFunction uint8

// The close functions.
const (
	CloseBackground CloseFunction = 0 // DVD+RW: stop the background format
	CloseTrack      CloseFunction = 1
	CloseSession    CloseFunction = 2 // CD, DVD-R: mode page 05h decides whether more can follow
	CloseMinimum    CloseFunction = 5 // DVD+R: finalize with the least lead-out
	CloseFinalize   CloseFunction = 6 // DVD+R, BD-R: finalize
)

// Close closes a track, a session or a disc. With immediate the answer comes at
// once.
func (d *Drive) Close(ctx context.Context, f CloseFunction, track int, immediate bool) error {
	cdb := make([]byte, 10)
	cdb[0] = byte(scsi.OpCloseTrackSession)
	cdb[2] = byte(f)
	put16(cdb[4:], track)
	limit := closing
	if immediate {
		cdb[1] = 1
		limit = writing
	}
	return d.none(ctx, cdb, limit)
}

// OpenTrackCD names the open track of a CD in [Drive.Close] and
// [Drive.TrackInfo].
const OpenTrackCD = 0xFF

// BlankType is how BLANK erases (6.2, table 229).
type BlankType uint8

// The blank types that drives support; most know only the first two.
const (
	BlankAll     BlankType = 0
	BlankMinimal BlankType = 1 // the areas that say what is on the disc
	BlankUnclose BlankType = 5 // the lead-in and lead-out of the last session
	BlankSession BlankType = 6 // the last session
)

// Blank erases a CD-RW or a DVD-RW. With immediate the answer comes at once.
func (d *Drive) Blank(ctx context.Context, t BlankType, immediate bool) error {
	cdb := make([]byte, 12)
	cdb[0] = byte(scsi.OpBlank)
	cdb[1] = byte(t)
	limit := 5 * closing // a whole disc at low speed
	if immediate {
		cdb[1] |= 0x10
		limit = writing
	}
	return d.none(ctx, cdb, limit)
}

// Format types of FORMAT UNIT (6.5, table 305).
const (
	FormatFull        = 0x00
	FormatRWQuickGrow = 0x13 // DVD-RW: restricted overwrite, longer
	FormatRWQuick     = 0x15 // DVD-RW: restricted overwrite
	FormatPlusRW      = 0x26
	FormatBDRE        = 0x30 // with spare areas
	FormatBDRENoSpare = 0x31
	FormatBDR         = 0x32 // with the spare areas of the descriptor
)

// FormatRequest is a format descriptor for FORMAT UNIT. Blocks and Param are
// those of a descriptor that [Drive.FormatCapacities] offered.
type FormatRequest struct {
	Type    uint8
	SubType uint8 // BD
	Blocks  uint32
	Param   uint32 // 24 bits
}

// Format formats the medium (FORMAT UNIT, 6.5). With immediate the answer comes at
// once.
func (d *Drive) Format(ctx context.Context, f FormatRequest, immediate bool) error {
	data := make([]byte, 12)
	limit := 5 * closing
	if immediate {
		data[1] = 2
		limit = writing
	}
	put16(data[2:], 8)
	put32(data[4:], f.Blocks)
	put32(data[8:], uint32(f.Type)<<26|uint32(f.SubType&3)<<24|f.Param&0xFFFFFF)
	return d.out(ctx, []byte{byte(scsi.OpFormatUnit), 0x11, 0, 0, 0, 0}, data, limit)
}

// CalibratePower makes the drive find the power of its laser for this disc (SEND
// OPC INFORMATION, 6.35).
func (d *Drive) CalibratePower(ctx context.Context) error {
	cdb := make([]byte, 10)
	cdb[0], cdb[1] = byte(scsi.OpSendOPC), 1
	return d.none(ctx, cdb, 2*medium)
}

// BufferCapacity is the answer of READ BUFFER CAPACITY (6.18), in bytes.
type BufferCapacity struct {
	Size, Free int
}

// BufferCapacity asks how full the drive's write buffer is.
func (d *Drive) BufferCapacity(ctx context.Context) (BufferCapacity, error) {
	cdb := make([]byte, 10)
	cdb[0] = byte(scsi.OpReadBufferCapacity)
	put16(cdb[7:], 12)
	b, err := d.in(ctx, cdb, make([]byte, 12), quick)
	if err != nil {
		return BufferCapacity{}, err
	}
	if err := need(scsi.OpReadBufferCapacity, b, 12); err != nil {
		return BufferCapacity{}, err
	}
	c := BufferCapacity{int(get32(b[4:])), int(get32(b[8:]))}
	c.Free = min(c.Free, c.Size)
	return c, nil
}

// Layer0Capacity reads how many blocks the first layer of a DVD+R DL holds, and
// whether that can still be changed (structure 20h).
func (d *Drive) Layer0Capacity(ctx context.Context) (blocks uint32, fixed bool, err error) {
	b, err := d.DiscStructure(ctx, false, 0x20, 0)
	if err != nil {
		return 0, false, err
	}
	if err := need(scsi.OpReadDiscStructure, b, 8); err != nil {
		return 0, false, err
	}
	return get32(b[4:]), bit(b[0], 7), nil
}

// SetLayer0Capacity moves the layer break of a blank DVD+R DL (SEND DISC
// STRUCTURE 20h, 6.36). blocks must be a multiple of 16.
func (d *Drive) SetLayer0Capacity(ctx context.Context, blocks uint32) error {
	data := make([]byte, 12)
	put16(data, len(data)-2)
	put32(data[8:], blocks)
	cdb := make([]byte, 12)
	cdb[0], cdb[7] = byte(scsi.OpSendDiscStructure), 0x20
	put16(cdb[8:], len(data))
	return d.out(ctx, cdb, data, 3*medium) // some drives calibrate now (growisofs)
}

// MediaID names the maker and the model of a recordable disc: for a CD the start
// of its lead-in, which identifies the maker (Orange Book), for others what
// stands in the disc. It is empty where nothing is known.
func (d *Drive) MediaID(ctx context.Context, p Profile) string {
	switch {
	case p == ProfileCDR || p == ProfileCDRW:
		if a, err := d.ATIP(ctx); err == nil {
			return msfText(a.LeadIn)
		}
	case p.IsBD():
		if l, err := d.BDInfo(ctx); err == nil && l[0].Maker != "" {
			return l[0].Maker + "/" + l[0].MediaID
		}
	case p == ProfileDVDPlusR || p == ProfileDVDPlusRW || p == ProfileDVDPlusRDL:
		if b, err := d.DiscStructure(ctx, false, 0x11, 0); err == nil && len(b) >= 30 {
			return text(b[19:27]) + "/" + text(b[27:30])
		}
	case p.IsDVD():
		b, err := d.DiscStructure(ctx, false, 0x0E, 0)
		if err == nil && len(b) >= 31 && b[16] == 3 && b[24] == 4 {
			return text(b[17:23]) + text(b[25:31])
		}
	}
	return ""
}

func msfText(t [3]uint8) string {
	two := func(n uint8) string { return string([]byte{'0' + n/10%10, '0' + n%10}) }
	return two(t[0]) + ":" + two(t[1]) + ":" + two(t[2])
}

// Busy asks whether a command with the immediate bit is still at work, and how far
// it has come, from 0 to 1, or -1 where the drive does not say. Some drives state
// the progress only in REQUEST SENSE, and answer TEST UNIT READY with success.
func (d *Drive) Busy(ctx context.Context) (busy bool, progress float64, err error) {
	err = d.TestUnitReady(ctx)
	if err == nil {
		s, serr := d.RequestSense(ctx)
		if serr == nil && s.ProgressValid && s.Progress > 0 && (s.Key == scsi.NoSense || s.Key == scsi.NotReady) {
			return true, s.Progress, nil
		}
		return false, 1, nil
	}
	s := scsi.SenseOf(err)
	if s == nil || s.Deferred || !s.Is(scsi.NotReady, scsi.ASCNotReady, scsi.AnyQualifier) || s.ASCQ == scsi.ASCQStartRequired || s.ASCQ == scsi.ASCQManualIntervention {
		return false, -1, err
	}
	if s.ProgressValid {
		return true, s.Progress, nil
	}
	return true, -1, nil
}
