package mmc

import (
	"context"
	"errors"

	"spindle/scsi"
)

// BlankType is how BLANK erases (6.2, table 229).
type BlankType uint8

// The blank types that drives support; most know only the first two.
const (
	BlankAll     BlankType = 0
	BlankMinimal BlankType = 1 // the areas that say what is on the disc
	BlankUnclose BlankType = 5 // the lead-in and lead-out of the last session
	BlankSession BlankType = 6 // the last session
)

// Blank erases a CD-RW or a DVD-RW.
func (d *Drive) Blank(ctx context.Context, t BlankType, c Completion) error {
	if err := within(scsi.OpBlank, "type", int64(t), 0, 7); err != nil {
		return err
	}
	cdb := newCDB(scsi.OpBlank)
	cdb[1] = byte(t)
	limit := 5 * closing // a whole disc at low speed
	if c == Immediate {
		cdb[1] |= 0x10
		limit = writing
	}
	return d.none(ctx, cdb, limit)
}

// FormatType is how FORMAT UNIT formats (6.5, table 305).
type FormatType uint8

// The format types.
const (
	FormatFull        FormatType = 0x00
	FormatRWQuickGrow FormatType = 0x13 // DVD-RW: restricted overwrite, longer
	FormatRWQuick     FormatType = 0x15 // DVD-RW: restricted overwrite
	FormatPlusRW      FormatType = 0x26
	FormatBDRE        FormatType = 0x30 // with spare areas
	FormatBDRENoSpare FormatType = 0x31
	FormatBDR         FormatType = 0x32 // with the spare areas of the descriptor
)

var formatTypeNames = map[FormatType]string{
	FormatFull: "full", FormatRWQuickGrow: "DVD-RW quick grow", FormatRWQuick: "DVD-RW quick", FormatPlusRW: "DVD+RW",
	FormatBDRE: "BD-RE with spare areas", FormatBDRENoSpare: "BD-RE without spare areas", FormatBDR: "BD-R with spare areas",
}

func (t FormatType) String() string { return name(formatTypeNames, t, "format type") }

// FormatSubType refines a format type for Blu-ray discs (6.5, table 305).
type FormatSubType uint8

// The sub-types. Their meaning depends on the type.
const (
	SubTypeDefault   FormatSubType = 0 // BD-RE; BD-R: sequential recording with pseudo-overwrite
	SubTypeNoPOW     FormatSubType = 1 // BD-R: sequential recording without pseudo-overwrite
	SubTypeRandom    FormatSubType = 2 // BD-R: random recording
	SubTypeCertify   FormatSubType = 2 // BD-RE: check every sector, which takes hours
	SubTypeQuickCert FormatSubType = 3 // BD-RE: check some sectors
)

// FormatRequest is a format descriptor for FORMAT UNIT. Blocks and Param are
// those of a descriptor that [Drive.FormatCapacities] offered.
type FormatRequest struct {
	Type    FormatType
	SubType FormatSubType // Blu-ray discs
	Blocks  uint32
	Param   uint32 // 24 bits
}

// Format formats the medium (FORMAT UNIT, 6.5).
func (d *Drive) Format(ctx context.Context, f FormatRequest, c Completion) error {
	const op = scsi.OpFormatUnit
	err := errors.Join(within(op, "type", int64(f.Type), 0, 0x3F), within(op, "sub-type", int64(f.SubType), 0, 3),
		within(op, "parameter", int64(f.Param), 0, most24))
	if err != nil {
		return err
	}
	cdb := newCDB(op)
	cdb[1] = 0x11 // a format list, code 1
	data := make([]byte, 12)
	limit := 5 * closing
	if c == Immediate {
		data[1] = 2
		limit = writing
	}
	put16(data[2:], 8)
	put32(data[4:], f.Blocks)
	data[8] = byte(f.Type)<<2 | byte(f.SubType)
	put24(data[9:], f.Param)
	return d.out(ctx, cdb, data, limit)
}

// CapacityState is what the first descriptor of READ FORMAT CAPACITIES says of the
// medium (6.23, table 455).
type CapacityState uint8

// The states.
const (
	CapacityUnformatted CapacityState = 1 // the size is the largest possible
	CapacityFormatted   CapacityState = 2
	CapacityUnknown     CapacityState = 3 // no medium, or an incomplete session
)

// FormatCapacity is one descriptor of READ FORMAT CAPACITIES (6.23).
type FormatCapacity struct {
	Blocks uint32
	State  CapacityState // of the first descriptor; zero in the others
	Type   FormatType    // of the others: what FORMAT UNIT takes
	Param  uint32        // block length, or what the format type defines
}

// FormatCapacities asks for the formats the medium can have. The first one is
// the current state, the others are on offer.
func (d *Drive) FormatCapacities(ctx context.Context) ([]FormatCapacity, error) {
	const size = 252
	cdb := newCDB(scsi.OpReadFormatCapacities)
	put16(cdb[7:], size)
	b, err := d.in(ctx, cdb, make([]byte, size), medium)
	if err != nil {
		return nil, err
	}
	if err := need(scsi.OpReadFormatCapacities, b, 12); err != nil {
		return nil, err
	}
	b = b[4:min(len(b), 4+int(b[3]))]
	var all []FormatCapacity
	for ; len(b) >= 8; b = b[8:] {
		f := FormatCapacity{Blocks: get32(b), Param: get24(b[5:])}
		if all == nil {
			f.State = CapacityState(b[4] & 3)
		} else {
			f.Type = FormatType(b[4] >> 2)
		}
		all = append(all, f)
	}
	return all, nil
}
