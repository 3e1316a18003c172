package mmc

import (
	"context"
	"fmt"

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
// (6.37). [MaxSpeed] leaves the choice to the drive.
func (d *Drive) SetCDSpeed(ctx context.Context, read, write int) error {
	cdb := make([]byte, 12)
	cdb[0] = byte(scsi.OpSetCDSpeed)
	put16(cdb[2:], min(max(read, 0), MaxSpeed))
	put16(cdb[4:], min(max(write, 0), MaxSpeed))
	return d.none(ctx, cdb, medium)
}

// SetStreaming sets the speeds in kB/s for DVD and BD from block 0 to block end
// (6.39). Zero restores the drive's own.
func (d *Drive) SetStreaming(ctx context.Context, end uint32, read, write int) error {
	data := make([]byte, 28)
	if read == 0 && write == 0 {
		data[0] = 4 // RDD
	}
	put32(data[8:], end)
	put32(data[12:], uint32(read))
	put32(data[16:], 1000)
	put32(data[20:], uint32(write))
	put32(data[24:], 1000)
	cdb := make([]byte, 12)
	cdb[0] = byte(scsi.OpSetStreaming)
	put16(cdb[9:], len(data))
	return d.out(ctx, cdb, data, medium)
}

// Performance is one descriptor of GET PERFORMANCE type 0 (6.8): between two
// addresses the speed changes evenly from one value to another.
type Performance struct {
	Start, End           uint32
	StartSpeed, EndSpeed int // kB/s
}

// Performance asks how fast the drive reads (write false) or writes over the
// medium.
func (d *Drive) Performance(ctx context.Context, write bool) ([]Performance, error) {
	flags := byte(0x10)
	if write {
		flags |= 4
	}
	b, err := d.getPerformance(ctx, flags, 0)
	if err != nil {
		return nil, err
	}
	var all []Performance
	for ; len(b) >= 16; b = b[16:] {
		all = append(all, Performance{
			Start: get32(b), StartSpeed: int(get32(b[4:])), End: get32(b[8:]), EndSpeed: int(get32(b[12:])),
		})
	}
	return all, nil
}

// WriteSpeed is one descriptor of GET PERFORMANCE type 3.
type WriteSpeed struct {
	Rotation    uint8 // 0 the medium's own, 1 pure CAV
	End         uint32
	Read, Write int // kB/s
}

// WriteSpeeds asks for the speeds at which the medium can be written.
func (d *Drive) WriteSpeeds(ctx context.Context) ([]WriteSpeed, error) {
	b, err := d.getPerformance(ctx, 0, 3)
	if err != nil {
		return nil, err
	}
	var all []WriteSpeed
	for ; len(b) >= 16; b = b[16:] {
		all = append(all, WriteSpeed{
			Rotation: b[0] >> 3 & 3, End: get32(b[4:]), Read: int(get32(b[8:])), Write: int(get32(b[12:])),
		})
	}
	return all, nil
}

// maxDescriptors is as many as any drive has.
const maxDescriptors = 64

func (d *Drive) getPerformance(ctx context.Context, flags, kind byte) ([]byte, error) {
	cdb := make([]byte, 12)
	cdb[0] = byte(scsi.OpGetPerformance)
	cdb[1] = flags
	put16(cdb[8:], maxDescriptors)
	cdb[10] = kind
	b, err := d.in(ctx, cdb, make([]byte, 8+16*maxDescriptors), medium)
	if err != nil {
		return nil, err
	}
	if err := need(scsi.OpGetPerformance, b, 8); err != nil {
		return nil, err
	}
	size := uint64(get32(b)) + 4
	if size < 8 || (size-8)%16 != 0 { // some drives state nonsense (growisofs)
		return nil, fmt.Errorf("%s: an answer of %d bytes", scsi.OpGetPerformance, size)
	}
	return b[8:min(uint64(len(b)), size)], nil
}
