package mmc

import (
	"context"
	"errors"
	"fmt"

	"spindle/addr"
	"spindle/scsi"
)

// ErrShortWrite is returned when a drive took fewer bytes than a WRITE had.
var ErrShortWrite = errors.New("mmc: short write")

// Sizes of the blocks that a WRITE can carry: from the 96 bytes of a lead-in with
// CD-TEXT to a whole sector with its sub-channel (MMC-5 tables 577 and 661).
const (
	leastBlock = 96
	mostBlock  = 2352 + 96
)

// Write sends n blocks, 1 to 65535, to the disc with WRITE (10) (6.48). data holds
// them in the size that the medium and the write parameters ask for. Addresses
// on CDs may be negative: the pregap of track 1 begins at -150.
func (d *Drive) Write(ctx context.Context, lba addr.LBA, n int, data []byte) error {
	if err := blocks(scsi.OpWrite10, n, most16, data, leastBlock, mostBlock); err != nil {
		return err
	}
	cdb := newCDB(scsi.OpWrite10)
	put32(cdb[2:], uint32(lba))
	put16(cdb[7:], uint16(n))
	return d.allOut(ctx, cdb, data)
}

// WriteStreaming sends n blocks of 2048 bytes with WRITE (12) and its Streaming bit
// (6.49): a DVD-RAM or BD-RE does not verify them then, which doubles its speed.
// Address and length must be whole ECC blocks.
func (d *Drive) WriteStreaming(ctx context.Context, lba addr.LBA, n int, data []byte) error {
	if err := blocks(scsi.OpWrite12, n, most32, data, BlockSize, BlockSize); err != nil {
		return err
	}
	cdb := newCDB(scsi.OpWrite12)
	put32(cdb[2:], uint32(lba))
	put32(cdb[6:], uint32(n))
	cdb[10] = 0x80
	return d.allOut(ctx, cdb, data)
}

// blocks checks a count of blocks, and that data hold as many, each of least to
// largest bytes.
func blocks(op scsi.Opcode, n int, most int64, data []byte, least, largest int) error {
	if err := within(op, "block count", int64(n), 1, most); err != nil {
		return err
	}
	if size := len(data) / n; len(data)%n != 0 || size < least || size > largest {
		return fmt.Errorf("%s: %w: %d blocks in %d bytes", op, ErrArgument, n, len(data))
	}
	return nil
}

// allOut sends a command whose data must all be taken.
func (d *Drive) allOut(ctx context.Context, cdb, data []byte) error {
	n, err := d.dev.Execute(ctx, &scsi.Command{CDB: cdb, Direction: scsi.Out, Data: data, Timeout: writing})
	if err == nil && n < len(data) {
		return fmt.Errorf("%s: %w: %d of %d bytes", scsi.Opcode(cdb[0]), ErrShortWrite, n, len(data))
	}
	return err
}

// SynchronizeCache makes the drive write what it holds in its buffer (6.42).
func (d *Drive) SynchronizeCache(ctx context.Context, c Completion) error {
	cdb := newCDB(scsi.OpSynchronizeCache)
	limit := closing
	if c == Immediate {
		cdb[1] = 2
		limit = writing
	}
	return d.none(ctx, cdb, limit)
}

// ReserveTrack reserves a track of n blocks (6.31). DVD-R disc at once needs it.
func (d *Drive) ReserveTrack(ctx context.Context, n uint32) error {
	if err := within(scsi.OpReserveTrack, "block count", int64(n), 1, most32); err != nil {
		return err
	}
	cdb := newCDB(scsi.OpReserveTrack)
	put32(cdb[5:], n)
	return d.none(ctx, cdb, writing)
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

// Close closes a track, a session or a disc. track is used by [CloseTrack] only.
func (d *Drive) Close(ctx context.Context, f CloseFunction, track int, c Completion) error {
	const op = scsi.OpCloseTrackSession
	if err := errors.Join(within(op, "function", int64(f), 0, 7), within(op, "track", int64(track), 0, most16)); err != nil {
		return err
	}
	cdb := newCDB(op)
	cdb[2] = byte(f)
	put16(cdb[4:], uint16(track))
	limit := closing
	if c == Immediate {
		cdb[1] = 1
		limit = writing
	}
	return d.none(ctx, cdb, limit)
}

// OpenTrackCD names the open track of a CD in [Drive.Close] and
// [Drive.TrackInfo].
const OpenTrackCD = 0xFF

// CalibratePower makes the drive find the power of its laser for this disc (SEND
// OPC INFORMATION, 6.35).
func (d *Drive) CalibratePower(ctx context.Context) error {
	cdb := newCDB(scsi.OpSendOPC)
	cdb[1] = 1
	return d.none(ctx, cdb, writing)
}

// BufferCapacity is the answer of READ BUFFER CAPACITY (6.18), in bytes.
type BufferCapacity struct {
	Size, Free int
}

// BufferCapacity asks how full the drive's write buffer is.
func (d *Drive) BufferCapacity(ctx context.Context) (BufferCapacity, error) {
	const size = 12
	cdb := newCDB(scsi.OpReadBufferCapacity)
	put16(cdb[7:], size)
	b, err := d.in(ctx, cdb, make([]byte, size), quick)
	if err != nil {
		return BufferCapacity{}, err
	}
	if err := need(scsi.OpReadBufferCapacity, b, size); err != nil {
		return BufferCapacity{}, err
	}
	c := BufferCapacity{int(get32(b[4:])), int(get32(b[8:]))}
	if c.Free > c.Size { // as some drives say at times: it tells nothing (libburn)
		c.Free = c.Size / 2
	}
	return c, nil
}

// Work is what a drive says of a command that it carries out in the background.
type Work struct {
	Busy     bool
	Progress float64 // from 0 to 1, or -1 where the drive does not say
	// Unexplained: the drive is not ready, and does not say why (2/04/00), as some simple
	// adapters answer always.
	Unexplained bool
}

// Busy asks whether a command with the immediate bit is still at work, and how far it has
// come. A drive that calls itself ready has finished, whatever progress it states in
// REQUEST SENSE: that may be of a format in the background, or one that never changes
// (libburn spc.c, growisofs).
func (d *Drive) Busy(ctx context.Context) (Work, error) {
	err := d.TestUnitReady(ctx)
	if err == nil {
		return Work{Progress: 1}, nil
	}
	s := scsi.SenseOf(err)
	if s == nil || s.Deferred || !s.Is(scsi.NotReady, scsi.ASCNotReady, scsi.AnyQualifier) ||
		s.ASCQ == scsi.ASCQStartRequired || s.ASCQ == scsi.ASCQManualIntervention {
		return Work{Progress: -1}, err
	}
	w := Work{Busy: true, Progress: -1, Unexplained: s.ASCQ == scsi.ASCQCauseNotReportable}
	if s.ProgressValid {
		w.Progress = s.Progress
		return w, nil
	}
	if s, err := d.RequestSense(ctx); err == nil && s.ProgressValid && (s.Key == scsi.NoSense || s.Key == scsi.NotReady) {
		w.Progress = s.Progress
	}
	return w, nil
}
