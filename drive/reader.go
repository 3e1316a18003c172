package drive

import (
	"context"
	"errors"
	"fmt"
	"io"

	"spindle/addr"
	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/scsi"
	"spindle/scsi/mmc"
)

// Coding is how sectors are recorded: it decides which command reads them.
type Coding uint8

// The codings.
const (
	Data Coding = iota
	Audio
)

// CodingOf returns how the sectors of a track are recorded.
func CodingOf(t *disc.Track) Coding {
	if t.Mode.IsData() {
		return Data
	}
	return Audio
}

// ReadCaps is in which forms a drive gives the sectors of the disc in it.
type ReadCaps struct {
	// Raw: READ CD gives whole sectors of 2352 bytes. Without it READ (10)
	// gives their 2048 bytes of user data; of DVDs and BDs there is no more.
	Raw bool
	// C2 is in which form the error pointers come that follow audio.
	C2 mmc.C2Mode
	// Sub is the sub-channel that follows every sector, and SubFirst that it
	// comes before the error pointers (some drives).
	Sub      mmc.SubMode
	SubFirst bool
}

// Stride returns the number of bytes that a read gives for a sector.
func (c ReadCaps) Stride(k Coding) int {
	if !c.Raw {
		return mmc.BlockSize
	}
	return cdsector.Size + c.c2Size(k) + c.Sub.Size()
}

// c2Size is the number of bytes of error pointers: data sectors have their EDC.
func (c ReadCaps) c2Size(k Coding) int {
	if k == Audio {
		return c.C2.Size()
	}
	return 0
}

// Split returns the error pointers and the sub-channel of one sector as it was
// read raw; they are empty where none came.
func (c ReadCaps) Split(sector []byte, k Coding) (c2, sub []byte) {
	rest, n := sector[cdsector.Size:], c.c2Size(k)
	if c.SubFirst {
		return rest[c.Sub.Size():][:n], rest[:c.Sub.Size()]
	}
	return rest[:n], rest[n:][:c.Sub.Size()]
}

// A Reader reads the sectors of a disc in the forms that Caps names.
type Reader struct {
	Drive *mmc.Drive
	Caps  ReadCaps
}

// NewReader finds out how the disc that a survey [ForReading] found can be read:
// whether READ CD works is tried, error pointers are what the drive claims (see
// [Reader.Try]).
func NewReader(ctx context.Context, d *mmc.Drive, m *Medium) (*Reader, error) {
	r := &Reader{Drive: d}
	if m.Contents == nil || m.Contents.Layout.Medium != disc.CD {
		return r, nil
	}
	r.Caps.Raw = true
	var sector [cdsector.Size]byte
	switch err := r.ReadRaw(ctx, &sector, m.Contents.Layout.Tracks()[0].Start, mmc.AnySector); {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case scsi.IsSense(err, scsi.IllegalRequest, scsi.ASCInvalidOpcode, scsi.AnyQualifier):
		r.Caps.Raw = false
		return r, nil
	}
	if claimsC2(ctx, d, m.Config) {
		r.Caps.C2 = mmc.C2Bits
	}
	return r, nil
}

// claimsC2 asks feature 001Eh, then mode page 2Ah, for error pointers.
func claimsC2(ctx context.Context, d *mmc.Drive, conf *mmc.Configuration) bool {
	if conf != nil && conf.Feature(mmc.FeatureCDRead).CDRead().C2 {
		return true
	}
	caps, err := d.Capabilities(ctx)
	return err == nil && caps.C2
}

// Try reads sectors from a on and returns whether they come as caps say. Of a
// sub-channel, the CRC of the Q frame must be right: it shows in which order the
// drive sends what follows a sector.
func (r *Reader) Try(ctx context.Context, caps ReadCaps, at addr.LBA, k Coding) bool {
	const tries = 5
	t := Reader{r.Drive, caps}
	buf := make([]byte, caps.Stride(k))
	for i := range addr.LBA(tries) {
		if err := t.Read(ctx, buf, at+i, 1, k); err != nil {
			if Classify(err) == Refused {
				return false
			}
			continue // damage, perhaps
		}
		if caps.Sub == mmc.NoSub {
			return true
		}
		_, sub := caps.Split(buf, k)
		q := cdsector.DeinterleaveQ((*[cdsector.SubSize]byte)(sub))
		if _, err := cdsector.DecodeQ(&q); err == nil {
			return true
		}
	}
	return false
}

// Read reads n sectors of one coding into p, [ReadCaps.Stride] bytes each.
// Recovered errors are none. A transfer that comes short is an error that wraps
// [io.ErrUnexpectedEOF]: what did not come is never taken for read.
func (r *Reader) Read(ctx context.Context, p []byte, at addr.LBA, n int, k Coding) error {
	p = p[:n*r.Caps.Stride(k)]
	if !r.Caps.Raw {
		got, err := r.Drive.Read10(ctx, p, at)
		return complete(err, got, len(p))
	}
	q := mmc.CDReadRequest{LBA: at, Count: n, Fields: mmc.RawSector, Sub: r.Caps.Sub}
	if k == Audio {
		q.Expect, q.Fields, q.C2 = mmc.CDDASector, mmc.UserData, r.Caps.C2
	}
	got, err := r.Drive.ReadCD(ctx, p, q)
	return complete(err, got, len(p))
}

// ErrNotRaw is returned where whole sectors are asked for and the drive, or the
// medium, has none.
var ErrNotRaw = errors.New("whole sectors cannot be read from this disc")

// ReadRaw reads one whole sector of a CD without what may follow it.
func (r *Reader) ReadRaw(ctx context.Context, p *[cdsector.Size]byte, at addr.LBA, expect mmc.SectorType) error {
	if !r.Caps.Raw {
		return ErrNotRaw
	}
	n, err := r.Drive.ReadCD(ctx, p[:], mmc.CDReadRequest{LBA: at, Count: 1, Expect: expect, Fields: mmc.RawSector})
	return complete(err, n, len(p))
}

// ReadUser reads the 2048 bytes of user data of one sector. The error for a sector
// that has none of this length wraps a [*cdsector.NoBlockError].
func (r *Reader) ReadUser(ctx context.Context, p []byte, at addr.LBA) error {
	if !r.Caps.Raw {
		n, err := r.Drive.Read10(ctx, p[:mmc.BlockSize], at)
		return complete(err, n, mmc.BlockSize)
	}
	var raw [cdsector.Size]byte
	if err := r.ReadRaw(ctx, &raw, at, mmc.AnySector); err != nil {
		return err
	}
	block, err := cdsector.Block(&raw)
	if err != nil {
		return fmt.Errorf("sector %d: %w", at, err)
	}
	copy(p, block)
	return nil
}

// complete makes a recovered error none, and a short transfer an error.
func complete(err error, got, want int) error {
	if Classify(err) == Recovered {
		err = nil
	}
	if err == nil && got < want {
		return fmt.Errorf("the drive gave %d bytes of %d: %w", got, want, io.ErrUnexpectedEOF)
	}
	return err
}
