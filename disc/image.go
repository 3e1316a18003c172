package disc

import (
	"context"
	"fmt"
	"io"
	"sync"

	"spindle/disc/cdsector"
)

// An Image is the content of a disc. It has eight parts: its layout and its
// sectors always, the others where it can state them. An image that is made
// around another one says for each part what becomes of it: types that implement
// Image do not embed an Image, so that a part that was forgotten does not
// compile. One that has none of the optional parts embeds [Plain].
//
// Implementations are safe for concurrent use. Package image/imagetest tests them.
type Image interface {
	// Layout returns what is where. It is not to be modified.
	Layout() *Layout

	// ReadSectors fills p, whose length must be a multiple of the medium's
	// sector size, with consecutive sectors that must all lie in tracks: for
	// others the error wraps [ErrNoSector]. When ctx ends before the first
	// sector is read, or while reading waits for a drive, its error is returned.
	ReadSectors(ctx context.Context, p []byte, first LBA) error

	// Subchannels returns the sub-channels that were saved with the sectors, or
	// nil. Those of an image without any can be made: [Layout.Subchannel].
	Subchannels() Subchannels

	// ReadUser fills p with the 2048 bytes of user data of consecutive sectors
	// of Mode 1, or of a DVD or BD, when the image stores just these, and
	// reports whether it did. It never gives other bytes than ReadSectors does.
	// [ReadUser] takes them from whole sectors where it must.
	ReadUser(ctx context.Context, p []byte, first LBA) (bool, error)

	// ExtentAt returns the run of sectors from a on that stand in one place of
	// one file, and false where none does, or where that file does not hold
	// what ReadSectors gives.
	ExtentAt(a LBA) (Extent, bool)

	// Flaws returns the sectors that are known not to be what the disc holds,
	// or not known to be. It is not to be modified.
	Flaws() Flaws

	// Files returns the paths of the files that the image consists of, the one
	// that it was opened by first. It is empty for an image that is not in files.
	Files() []string

	// Close closes what the image has open. An image is closed once.
	io.Closer
}

// Subchannels are the sub-channels of an image as they were read from a disc.
type Subchannels interface {
	// ReadSubchannel fills p with 96 bytes for each of consecutive sectors,
	// de-interleaved: twelve bytes of P, twelve of Q, and so on to W.
	ReadSubchannel(ctx context.Context, p []byte, first LBA) error
}

// Plain has the optional parts of an [Image] that has none of them, for types
// that make their sectors themselves. A type made around another image must not
// embed it: it would drop what that image has.
type Plain struct{}

// Subchannels implements [Image]: there are none.
func (Plain) Subchannels() Subchannels { return nil }

// ReadUser implements [Image]: user data comes in whole sectors.
func (Plain) ReadUser(context.Context, []byte, LBA) (bool, error) { return false, nil }

// ExtentAt implements [Image]: no sector stands in a file.
func (Plain) ExtentAt(LBA) (Extent, bool) { return Extent{}, false }

// Flaws implements [Image]: none is known.
func (Plain) Flaws() Flaws { return nil }

// Files implements [Image]: there are none.
func (Plain) Files() []string { return nil }

// rawBatch holds the raw sectors that [ReadUser] reads at a time.
type rawBatch [32 * cdsector.Size]byte

// rawBatches saves a burn, which reads in small pieces, an allocation for each.
var rawBatches = sync.Pool{New: func() any { return new(rawBatch) }}

// ReadUser fills p, whose length must be a multiple of 2048, with the user data
// of consecutive sectors of one data track: Mode 1, XA form 1, DVD or BD. The
// error for a sector that has other user data wraps a [*cdsector.NoBlockError].
func ReadUser(ctx context.Context, img Image, p []byte, first LBA) error {
	if len(p)%cdsector.UserSize != 0 {
		return fmt.Errorf("a buffer of %d bytes for blocks of %d", len(p), cdsector.UserSize)
	}
	if len(p) == 0 {
		return nil
	}
	l := img.Layout()
	if l.Medium != CD {
		return img.ReadSectors(ctx, p, first)
	}
	t := l.TrackAt(first)
	if t == nil {
		t = new(Track) // of which no sector is reframed
	}
	if t.Mode == Mode1 {
		if done, err := img.ReadUser(ctx, p, first); done || err != nil {
			return err
		}
	}
	raw := rawBatches.Get().(*rawBatch)
	defer rawBatches.Put(raw)
	for len(p) > 0 {
		n := min(len(raw)/cdsector.Size, len(p)/cdsector.UserSize)
		if err := img.ReadSectors(ctx, raw[:n*cdsector.Size], first); err != nil {
			return err
		}
		for i := range n {
			block, _, err := t.Block((*[cdsector.Size]byte)(raw[i*cdsector.Size:]), first+LBA(i))
			if err != nil {
				return fmt.Errorf("sector %d: %w", first+LBA(i), err)
			}
			copy(p[i*cdsector.UserSize:], block)
		}
		p, first = p[n*cdsector.UserSize:], first+LBA(n)
	}
	return nil
}
