package drive

import (
	"context"

	"spindle/addr"
	"spindle/disc/cdsector"
	"spindle/scsi/mmc"
)

// pointerSize is that of the error pointers themselves; in the longer form of 296 bytes, a
// byte with all of them or-ed together, and an empty one, stand before or behind them.
const pointerSize = cdsector.Size / 8

// ReadDamaged reads one whole sector of data with its error pointers in a form. Where the
// drive says that it could not correct the sector, the bytes are taken anyway, if all
// came: that is no error then. Drives give them with [mmc.ErrorRecovery.TransferBlock], if
// at all.
func (r *Reader) ReadDamaged(ctx context.Context, at addr.LBA, form mmc.C2Mode) (cdsector.Reading, error) {
	if !r.Caps.Raw {
		return cdsector.Reading{}, ErrNotRaw
	}
	p := make([]byte, cdsector.Size+form.Size())
	err := Whole(p, 1, func() (int, error) {
		n, err := r.ReadCD(ctx, p, mmc.CDReadRequest{LBA: at, Count: 1, Fields: mmc.RawSector, C2: form})
		if n == len(p) && Classify(err) == Sector {
			err = nil
		}
		return n, err
	})
	if err != nil {
		return cdsector.Reading{}, err
	}
	return cdsector.Reading{Data: [cdsector.Size]byte(p), Marks: Pointers(p[cdsector.Size:])}, nil
}

// Pointers takes the error pointers of a sector from the form in which they came; nil where
// there are none, or where it does not show where they stand.
func Pointers(c2 []byte) *cdsector.Erasures {
	var e cdsector.Erasures
	switch {
	case len(c2) == pointerSize:
	case len(c2) > pointerSize && isBlockError(c2[0], c2[1], c2[2:]):
		c2 = c2[2:]
	case len(c2) > pointerSize && isBlockError(c2[pointerSize], c2[pointerSize+1], c2[:pointerSize]):
	default:
		return nil
	}
	copy(e[:], c2)
	return &e
}

// isBlockError reports whether two bytes are those that belong to error pointers.
func isBlockError(block, pad byte, c2 []byte) bool {
	var all byte
	for _, b := range c2 {
		all |= b
	}
	return block == all && pad == 0
}
