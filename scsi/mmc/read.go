package mmc

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"spindle/addr"
	"spindle/scsi"
)

// BlockSize is the number of bytes that READ (10) and READ (12) give for a block.
const BlockSize = 2048

// readLimit is the time a drive may take over one read, with its own retries on
// a damaged disc.
const readLimit = 120 * time.Second

// Read10 reads whole blocks of 2048 bytes into buf (6.19) and returns the number
// of bytes that came. buf holds 1 to 65535 blocks.
func (d *Drive) Read10(ctx context.Context, buf []byte, lba addr.LBA) (int, error) {
	n := len(buf) / BlockSize
	if err := blocks(scsi.OpRead10, n, most16, buf, BlockSize, BlockSize); err != nil {
		return 0, err
	}
	cdb := newCDB(scsi.OpRead10)
	put32(cdb[2:], uint32(lba))
	put16(cdb[7:], uint16(n))
	b, err := d.in(ctx, cdb, buf, readLimit)
	return len(b), err
}

// ReadFlags change how READ (12) reads.
type ReadFlags uint8

// ForceUnitAccess makes the drive read the medium and not its buffer, for a
// second look at doubtful sectors.
const ForceUnitAccess ReadFlags = 0x08

// Read12 is [Drive.Read10] with a longer CDB and with flags (6.20).
func (d *Drive) Read12(ctx context.Context, buf []byte, lba addr.LBA, flags ReadFlags) (int, error) {
	n := len(buf) / BlockSize
	if err := blocks(scsi.OpRead12, n, most32, buf, BlockSize, BlockSize); err != nil {
		return 0, err
	}
	cdb := newCDB(scsi.OpRead12)
	cdb[1] = byte(flags & ForceUnitAccess)
	put32(cdb[2:], uint32(lba))
	put32(cdb[6:], uint32(n))
	b, err := d.in(ctx, cdb, buf, readLimit)
	return len(b), err
}

// DropBuffer makes the drive forget what it has in its buffer, so that the next read
// comes from the medium: a READ (12) of no block at lba, with ForceUnitAccess. That it
// does so is known from drives (redumper, cd_common.ixx), and not from the standard.
func (d *Drive) DropBuffer(ctx context.Context, lba addr.LBA) error {
	cdb := newCDB(scsi.OpRead12)
	cdb[1] = byte(ForceUnitAccess)
	put32(cdb[2:], uint32(lba))
	return d.none(ctx, cdb, readLimit)
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
	LBA    addr.LBA // may be negative
	Count  int      // sectors
	Expect SectorType
	Fields Fields
	C2     C2Mode
	Sub    SubMode
	Limit  time.Duration // that the drive may take; 0: as long as it takes on a damaged disc
}

func (r *CDReadRequest) flags() byte { return byte(r.Fields&0xF8) | byte(r.C2&3)<<1 }

// ReadCD reads sectors of a CD (6.17) into buf, whose length must be the
// request's count times the bytes that its fields make, and returns the number
// of bytes that came. In each sector the order is: main channel, C2,
// sub-channel.
func (d *Drive) ReadCD(ctx context.Context, buf []byte, r CDReadRequest) (int, error) {
	const op = scsi.OpReadCD
	if err := within(op, "sector count", int64(r.Count), 1, most24); err != nil {
		return 0, err
	}
	if len(buf)%r.Count != 0 || r.Expect > M2Form2Sector || r.C2 > C2AndBlock || r.Sub > RWSub {
		return 0, fmt.Errorf("%s: %w: %+v into %d bytes", op, ErrArgument, r, len(buf))
	}
	cdb := newCDB(op)
	cdb[1] = byte(r.Expect) << 2
	put32(cdb[2:], uint32(r.LBA))
	put24(cdb[6:], uint32(r.Count))
	cdb[9] = r.flags()
	cdb[10] = byte(r.Sub)
	b, err := d.in(ctx, cdb, buf, cmp.Or(r.Limit, readLimit))
	return len(b), err
}

// Formats of READ SUB-CHANNEL (MMC-5 table 497).
const (
	subMCN  = 2
	subISRC = 3
)

// readSubChannel sends READ SUB-CHANNEL (MMC-5 6.32; the command left the
// standard after it).
func (d *Drive) readSubChannel(ctx context.Context, format, track byte) ([]byte, error) {
	const size = 24
	cdb := newCDB(scsi.OpReadSubChannel)
	cdb[1] = 2    // addresses as times
	cdb[2] = 0x40 // with Q data
	cdb[3] = format
	cdb[6] = track
	put16(cdb[7:], size)
	b, err := d.in(ctx, cdb, make([]byte, size), medium)
	if err != nil {
		return nil, err
	}
	return b, need(scsi.OpReadSubChannel, b, size)
}

// MCN asks for the media catalogue number. The empty string means that the disc
// has none.
func (d *Drive) MCN(ctx context.Context) (string, error) {
	b, err := d.readSubChannel(ctx, subMCN, 0)
	if err != nil || !bit(b[8], 7) {
		return "", err
	}
	return text(b[9:22]), nil
}

// ISRC asks for the international standard recording code of a track, 1 to 99. The
// empty string means that it has none. Drives are known to give that of the track
// before.
func (d *Drive) ISRC(ctx context.Context, track int) (string, error) {
	if err := within(scsi.OpReadSubChannel, "track", int64(track), 1, 99); err != nil {
		return "", err
	}
	b, err := d.readSubChannel(ctx, subISRC, byte(track))
	if err != nil || !bit(b[8], 7) {
		return "", err
	}
	return text(b[9:21]), nil
}
