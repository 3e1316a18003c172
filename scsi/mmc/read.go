package mmc

import (
	"context"
	"errors"
	"fmt"
	"time"

	"spindle/scsi"
)

// BlockSize is the number of bytes that READ (10) and READ (12) give for a block.
const BlockSize = 2048

// readLimit is the time a drive may take over one read, with its own retries on
// a damaged disc.
const readLimit = 120 * time.Second

// Read10 reads whole blocks of 2048 bytes into buf (6.19) and returns the number
// of bytes that came.
func (d *Drive) Read10(ctx context.Context, buf []byte, lba int32) (int, error) {
	n := len(buf) / BlockSize
	if n == 0 || n > 0xFFFF || len(buf)%BlockSize != 0 {
		return 0, fmt.Errorf("READ (10) into %d bytes", len(buf))
	}
	cdb := []byte{byte(scsi.OpRead10), 0, 0, 0, 0, 0, 0, 0, 0, 0}
	put32(cdb[2:], uint32(lba))
	put16(cdb[7:], n)
	b, err := d.in(ctx, cdb, buf, readLimit)
	return len(b), err
}

// Read12 is [Drive.Read10] with a longer CDB (6.20). With fua the drive reads
// the medium and not its buffer, which a second look at doubtful sectors
// wants.
func (d *Drive) Read12(ctx context.Context, buf []byte, lba int32, fua bool) (int, error) {
	n := len(buf) / BlockSize
	if n == 0 || len(buf)%BlockSize != 0 {
		return 0, fmt.Errorf("READ (12) into %d bytes", len(buf))
	}
	cdb := make([]byte, 12)
	cdb[0] = byte(scsi.OpRead12)
	if fua {
		cdb[1] = 8
	}
	put32(cdb[2:], uint32(lba))
	put32(cdb[6:], uint32(n))
	b, err := d.in(ctx, cdb, buf, readLimit)
	return len(b), err
}

// SectorType is the kind of sector that READ CD is to expect (6.17.2.2). With
// another kind on the disc, it fails with 5/64/00.
type SectorType uint8

// The sector types.
const (
	AnySector     SectorType = 0
	CDDASector    SectorType = 1
	Mode1Sector   SectorType = 2
	Mode2Sector   SectorType = 3 // formless
	M2Form1Sector SectorType = 4
	M2Form2Sector SectorType = 5
)

// Fields selects the parts of a sector that READ CD gives: byte 9 of its CDB
// without the C2 bits. Some combinations are not allowed; [RawSector],
// [UserData] and [AllHeaders] always are.
type Fields uint8

// The parts.
const (
	EDCAndECC  Fields = 0x08
	UserData   Fields = 0x10
	Header     Fields = 0x20
	SubHeader  Fields = 0x40
	Sync       Fields = 0x80
	AllHeaders Fields = Header | SubHeader
	RawSector  Fields = Sync | AllHeaders | UserData | EDCAndECC // 2352 bytes of any sector
)

// C2Mode selects error pointers: one bit for each of the 2352 bytes.
type C2Mode uint8

// The error pointers.
const (
	NoC2       C2Mode = 0
	C2Bits     C2Mode = 1 // 294 bytes
	C2AndBlock C2Mode = 2 // 296 bytes: block error byte, pad byte, 294
)

// Size returns the number of bytes a sector's error pointers take.
func (c C2Mode) Size() int { return [...]int{0, 294, 296, 0}[c&3] }

// SubMode selects sub-channel data (6.17.2.8).
type SubMode uint8

// The sub-channel selections.
const (
	NoSub  SubMode = 0
	RawSub SubMode = 1 // 96 bytes P-W, interleaved, as read
	QSub   SubMode = 2 // 16 bytes, formatted Q
	RWSub  SubMode = 4 // 96 bytes R-W, de-interleaved and corrected
)

// Size returns the number of bytes a sector's sub-channel data take.
func (s SubMode) Size() int {
	switch s {
	case RawSub, RWSub:
		return 96
	case QSub:
		return 16
	}
	return 0
}

// A CDReadRequest says what READ CD is to read.
type CDReadRequest struct {
	LBA    int32 // may be negative
	Count  int   // sectors
	Expect SectorType
	Fields Fields
	C2     C2Mode
	Sub    SubMode
}

// ErrTransfer is returned for a request that no command can carry.
var ErrTransfer = errors.New("impossible transfer")

func (r *CDReadRequest) flags() byte { return byte(r.Fields&0xF8) | byte(r.C2&3)<<1 }

// ReadCD reads sectors of a CD (6.17) into buf, whose length must be the
// request's count times the bytes that its fields make, and returns the number
// of bytes that came. In each sector the order is: main channel, C2,
// sub-channel.
func (d *Drive) ReadCD(ctx context.Context, buf []byte, r CDReadRequest) (int, error) {
	if r.Count <= 0 || r.Count > 0xFFFFFF || len(buf)%r.Count != 0 {
		return 0, fmt.Errorf("%w: READ CD of %d sectors into %d bytes", ErrTransfer, r.Count, len(buf))
	}
	cdb := make([]byte, 12)
	cdb[0] = byte(scsi.OpReadCD)
	cdb[1] = byte(r.Expect) << 2
	put32(cdb[2:], uint32(r.LBA))
	cdb[6], cdb[7], cdb[8] = byte(r.Count>>16), byte(r.Count>>8), byte(r.Count)
	cdb[9] = r.flags()
	cdb[10] = byte(r.Sub)
	b, err := d.in(ctx, cdb, buf, readLimit)
	return len(b), err
}

// ReadCDMSF is [Drive.ReadCD] with absolute times (6.18): some old drives have
// only this. The end is exclusive, and r.LBA and r.Count are not used.
func (d *Drive) ReadCDMSF(ctx context.Context, buf []byte, start, end [3]uint8, r CDReadRequest) (int, error) {
	cdb := make([]byte, 12)
	cdb[0] = byte(scsi.OpReadCDMSF)
	cdb[1] = byte(r.Expect) << 2
	copy(cdb[3:6], start[:])
	copy(cdb[6:9], end[:])
	cdb[9] = r.flags()
	cdb[10] = byte(r.Sub)
	b, err := d.in(ctx, cdb, buf, readLimit)
	return len(b), err
}

// readSubChannel sends READ SUB-CHANNEL (MMC-5 6.32; the command left the
// standard after it).
func (d *Drive) readSubChannel(ctx context.Context, format byte, track int, size int) ([]byte, error) {
	cdb := []byte{byte(scsi.OpReadSubChannel), 2, 0x40, format, 0, 0, byte(track), 0, byte(size), 0}
	b, err := d.in(ctx, cdb, make([]byte, size), medium)
	if err != nil {
		return nil, err
	}
	return b, need(scsi.OpReadSubChannel, b, size)
}

// Position is the current position as READ SUB-CHANNEL states it.
type Position struct {
	AudioStatus  uint8
	ADR, Control uint8
	Track, Index int
	Abs, Rel     [3]uint8 // MSF
}

// Position asks where the pick-up is.
func (d *Drive) Position(ctx context.Context) (Position, error) {
	b, err := d.readSubChannel(ctx, 1, 0, 16)
	if err != nil {
		return Position{}, err
	}
	return Position{
		AudioStatus: b[1], ADR: b[5] >> 4, Control: b[5] & 15, Track: int(b[6]), Index: int(b[7]),
		Abs: [3]uint8(b[9:12]), Rel: [3]uint8(b[13:16]),
	}, nil
}

// MCN asks for the media catalogue number. The empty string means that the disc
// has none.
func (d *Drive) MCN(ctx context.Context) (string, error) {
	b, err := d.readSubChannel(ctx, 2, 0, 24)
	if err != nil || !bit(b[8], 7) {
		return "", err
	}
	return text(b[9:22]), nil
}

// ISRC asks for the international standard recording code of a track. The empty
// string means that it has none. Drives are known to give that of the track
// before.
func (d *Drive) ISRC(ctx context.Context, track int) (string, error) {
	b, err := d.readSubChannel(ctx, 3, track, 24)
	if err != nil || !bit(b[8], 7) {
		return "", err
	}
	return text(b[9:21]), nil
}
