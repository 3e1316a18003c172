package mmc

import (
	"context"
	"errors"
	"fmt"

	"spindle/addr"
	"spindle/scsi"
)

// Data rates at 1x in bytes a second, as speeds are multiples of them.
const (
	CDSpeed  = 176400  // 75 sectors of 2352 bytes
	DVDSpeed = 1385000 // growisofs; ECMA-267
	BDSpeed  = 4495500
)

// MaxSpeed asks for the highest speed.
const MaxSpeed = 0xFFFF

// SetCDSpeed sets the speeds of reading and writing in kB/s of 1000 bytes
// (6.37). [MaxSpeed], or more, leaves the choice to the drive.
func (d *Drive) SetCDSpeed(ctx context.Context, read, write int) error {
	const op = scsi.OpSetCDSpeed
	read, write = min(read, MaxSpeed), min(write, MaxSpeed)
	if err := errors.Join(within(op, "read speed", int64(read), 0, MaxSpeed), within(op, "write speed", int64(write), 0, MaxSpeed)); err != nil {
		return err
	}
	cdb := newCDB(op)
	put16(cdb[2:], uint16(read))
	put16(cdb[4:], uint16(write))
	return d.none(ctx, cdb, medium)
}

// SetStreaming sets the speeds in kB/s for DVD and BD from block 0 to block end
// (6.39). Both speeds zero restore the drive's own.
func (d *Drive) SetStreaming(ctx context.Context, end addr.LBA, read, write int) error {
	const op = scsi.OpSetStreaming
	err := errors.Join(within(op, "last address", int64(end), 0, most32),
		within(op, "read speed", int64(read), 0, most32), within(op, "write speed", int64(write), 0, most32))
	if err != nil {
		return err
	}
	const second = 1000 // ms
	data := make([]byte, 28)
	if read == 0 && write == 0 {
		data[0] = 4 // restore defaults
	}
	put32(data[8:], uint32(end))
	put32(data[12:], uint32(read))
	put32(data[16:], second)
	put32(data[20:], uint32(write))
	put32(data[24:], second)
	cdb := newCDB(op)
	put16(cdb[9:], uint16(len(data)))
	return d.out(ctx, cdb, data, medium)
}

// Performance is one descriptor of GET PERFORMANCE type 0 (6.8): between two
// addresses the speed changes evenly from one value to another.
type Performance struct {
	Start, End           addr.LBA
	StartSpeed, EndSpeed int // kB/s
}

// Parameters of GET PERFORMANCE (6.8, tables 315 to 317).
const (
	performanceTolerance = 0x10 // 10 % nominal, 20 %; drives refuse others
	performanceWrite     = 0x04
	performanceNominal   = 0
	performanceSpeeds    = 3
)

// ReadPerformance asks how fast the drive reads over the medium.
func (d *Drive) ReadPerformance(ctx context.Context) ([]Performance, error) {
	return d.performance(ctx, performanceTolerance)
}

// WritePerformance asks how fast the drive writes over the medium.
func (d *Drive) WritePerformance(ctx context.Context) ([]Performance, error) {
	return d.performance(ctx, performanceTolerance|performanceWrite)
}

func (d *Drive) performance(ctx context.Context, flags byte) ([]Performance, error) {
	b, err := d.getPerformance(ctx, flags, performanceNominal)
	if err != nil {
		return nil, err
	}
	var all []Performance
	for ; len(b) >= 16; b = b[16:] {
		all = append(all, Performance{
			Start: addr.LBA(get32(b)), StartSpeed: int(get32(b[4:])), End: addr.LBA(get32(b[8:])), EndSpeed: int(get32(b[12:])),
		})
	}
	return all, nil
}

// Rotation is how a drive turns the medium while it writes (6.8.3.4).
type Rotation uint8

// The rotations.
const (
	RotationDefault Rotation = 0 // the medium's own: CLV, or zones of it
	RotationCAV     Rotation = 1
)

// WriteSpeed is one descriptor of GET PERFORMANCE type 3.
type WriteSpeed struct {
	Rotation    Rotation
	End         addr.LBA
	Read, Write int // kB/s
}

// WriteSpeeds asks for the speeds at which the medium can be written.
func (d *Drive) WriteSpeeds(ctx context.Context) ([]WriteSpeed, error) {
	b, err := d.getPerformance(ctx, 0, performanceSpeeds)
	if err != nil {
		return nil, err
	}
	var all []WriteSpeed
	for ; len(b) >= 16; b = b[16:] {
		all = append(all, WriteSpeed{
			Rotation: Rotation(b[0] >> 3 & 3), End: addr.LBA(get32(b[4:])), Read: int(get32(b[8:])), Write: int(get32(b[12:])),
		})
	}
	return all, nil
}

// maxDescriptors is as many as any drive has.
const maxDescriptors = 64

// getPerformance asks for as many descriptors as there may be; a drive that refuses so many
// is first asked how many it has (libburn always does so).
func (d *Drive) getPerformance(ctx context.Context, flags, kind byte) ([]byte, error) {
	b, err := d.performanceReply(ctx, flags, kind, maxDescriptors)
	if scsi.IsSense(err, scsi.IllegalRequest, scsi.ASCInvalidFieldInCDB, scsi.AnyQualifier) {
		head, again := d.performanceReply(ctx, flags, kind, 0)
		if again == nil && len(head) >= 4 && get32(head) >= 4+16 {
			b, err = d.performanceReply(ctx, flags, kind, uint16(min((get32(head)-4)/16, maxDescriptors)))
		}
	}
	if err != nil {
		return nil, err
	}
	if err := need(scsi.OpGetPerformance, b, 8); err != nil {
		return nil, err
	}
	size := uint64(get32(b)) + 4
	if size < 8 || (size-8)%16 != 0 { // some drives state nonsense (growisofs)
		return nil, fmt.Errorf("%s: a reply that claims %d bytes", scsi.OpGetPerformance, size)
	}
	return b[8:min(uint64(len(b)), size)], nil
}

// performanceReply sends GET PERFORMANCE for so many descriptors.
func (d *Drive) performanceReply(ctx context.Context, flags, kind byte, descriptors uint16) ([]byte, error) {
	cdb := newCDB(scsi.OpGetPerformance)
	cdb[1] = flags
	put16(cdb[8:], descriptors)
	cdb[10] = kind
	return d.in(ctx, cdb, make([]byte, 8+16*int(descriptors)), medium)
}
