package drive

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"

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
	// NoAny: READ CD has to name the type of the sectors.
	NoAny bool
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
	if err := r.findTypes(ctx, m.Contents.Layout.Tracks()[0].Start); err != nil || !r.Caps.Raw {
		return r, err
	}
	if claimsC2(ctx, d, m.Config) {
		r.Caps.C2 = mmc.C2Bits
	}
	return r, nil
}

// findTypes finds out whether READ CD works, and whether it reads sectors of any type.
func (r *Reader) findTypes(ctx context.Context, at addr.LBA) error {
	var sector [cdsector.Size]byte
	var class Class
	for _, r.Caps.NoAny = range [...]bool{false, true} {
		err := r.ReadRaw(ctx, &sector, at, mmc.AnySector)
		switch class = Classify(err); {
		case ctx.Err() != nil:
			return ctx.Err()
		case scsi.IsSense(err, scsi.IllegalRequest, scsi.ASCInvalidOpcode, scsi.AnyQualifier):
			r.Caps = ReadCaps{}
			return nil
		case class != Refused && class != Boundary:
			return nil
		}
	}
	r.Caps = ReadCaps{Raw: class == Boundary} // refused in every form: READ (10) is left
	return nil
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

// Read reads n sectors of one coding into p, [ReadCaps.Stride] bytes each, with as many
// commands as [Tidy] wants. Recovered errors are none. A transfer that comes short, also
// where the adapter does not say so, is an error that wraps [io.ErrUnexpectedEOF]: what
// did not come is never taken for read.
func (r *Reader) Read(ctx context.Context, p []byte, at addr.LBA, n int, k Coding) error {
	_, err := r.ReadSome(ctx, p, at, n, k)
	return err
}

// ReadSome is [Reader.Read], and says how many whole sectors came before one that failed.
func (r *Reader) ReadSome(ctx context.Context, p []byte, at addr.LBA, n int, k Coding) (came int, err error) {
	if n < 1 {
		return 0, fmt.Errorf("%w: %d sectors", mmc.ErrArgument, n)
	}
	stride := r.Caps.Stride(k)
	for n > 0 {
		m := cmp.Or(Tidy(n, stride), n)
		some, err := r.readOnce(ctx, p[:m*stride], at, m, k)
		came += some
		if err != nil {
			return came, err
		}
		p, at, n = p[m*stride:], at+addr.LBA(m), n-m
	}
	return came, nil
}

// Tidy returns the largest number of sectors, at most n, whose bytes every adapter passes
// on: a multiple of 16 bytes, without which Linux reads ATAPI drives by PIO (atapi_check_dma),
// and less than half a kilobyte above a multiple of one, which a USB bridge is known to cut.
// It is 0 where there is none.
func Tidy(n, stride int) int {
	for ; n > 0; n-- {
		if bytes := n * stride; bytes%16 == 0 && bytes%1024 < 512 {
			return n
		}
	}
	return 0
}

// readOnce sends one command.
func (r *Reader) readOnce(ctx context.Context, p []byte, at addr.LBA, n int, k Coding) (came int, err error) {
	return whole(p, n, func() (int, error) {
		if !r.Caps.Raw {
			return r.Drive.Read10(ctx, p, at)
		}
		q := mmc.CDReadRequest{LBA: at, Count: n, Fields: mmc.RawSector, Sub: r.Caps.Sub}
		if k == Audio {
			q.Expect, q.Fields, q.C2 = mmc.CDDASector, mmc.UserData, r.Caps.C2
		}
		return r.ReadCD(ctx, p, q)
	})
}

// poisonSize is how many bytes at the end of each sector are overwritten before it is read.
const poisonSize = 16

// Whole reads n sectors into p by calling read, which returns the number of bytes. A
// recovered error is none. Sectors that did not come are an error that wraps
// [io.ErrUnexpectedEOF], also where the adapter says that they did: that of SATA states no
// length (atapi_qc_complete), and some bridges a wrong one. They are known by a pattern at
// the end of each sector's place, which no sector holds.
func Whole(p []byte, n int, read func() (int, error)) error {
	_, err := whole(p, n, read)
	return err
}

// whole is [Whole], and says how many sectors came.
func whole(p []byte, n int, read func() (int, error)) (came int, err error) {
	var pattern [poisonSize]byte
	binary.NativeEndian.PutUint64(pattern[:], rand.Uint64())
	binary.NativeEndian.PutUint64(pattern[8:], rand.Uint64())
	stride := len(p) / n
	for i := 1; i <= n; i++ {
		copy(p[i*stride-poisonSize:], pattern[:])
	}
	got, err := read()
	for came < min(n, got/stride) && [poisonSize]byte(p[(came+1)*stride-poisonSize:]) != pattern {
		came++
	}
	if err = complete(err, got, len(p)); err == nil && came < n {
		err = fmt.Errorf("the drive gave %d sectors of %d, and did not say so: %w", came, n, io.ErrUnexpectedEOF)
	}
	return came, err
}

// typesOf are the sector types that are asked for where a drive refuses to read any.
var typesOf = [...]mmc.SectorType{mmc.Mode1Sector, mmc.M2Form1Sector, mmc.M2Form2Sector, mmc.Mode2Sector, mmc.CDDASector}

// ReadCD is [mmc.Drive.ReadCD] for drives, too, that refuse to read sectors of any type:
// the types are asked for one after the other.
func (r *Reader) ReadCD(ctx context.Context, p []byte, q mmc.CDReadRequest) (int, error) {
	if q.Expect != mmc.AnySector || !r.Caps.NoAny {
		return r.Drive.ReadCD(ctx, p, q)
	}
	var (
		n   int
		err error
	)
	for _, q.Expect = range typesOf {
		t := q
		if t.Expect == mmc.CDDASector {
			t.Fields = mmc.UserData
		}
		if n, err = r.Drive.ReadCD(ctx, p, t); Classify(err) != Boundary && Classify(err) != Refused {
			return n, err
		}
	}
	return n, err
}

// ErrNotRaw is returned where whole sectors are asked for and the drive, or the
// medium, has none.
var ErrNotRaw = errors.New("whole sectors cannot be read from this disc")

// ReadRaw reads one whole sector of a CD without what may follow it.
func (r *Reader) ReadRaw(ctx context.Context, p *[cdsector.Size]byte, at addr.LBA, expect mmc.SectorType) error {
	if !r.Caps.Raw {
		return ErrNotRaw
	}
	return Whole(p[:], 1, func() (int, error) {
		return r.ReadCD(ctx, p[:], mmc.CDReadRequest{LBA: at, Count: 1, Expect: expect, Fields: mmc.RawSector})
	})
}

// ReadUser reads the 2048 bytes of user data of one sector. The error for a sector
// that has none of this length wraps a [*cdsector.NoBlockError].
func (r *Reader) ReadUser(ctx context.Context, p []byte, at addr.LBA) error {
	if !r.Caps.Raw {
		return Whole(p[:mmc.BlockSize], 1, func() (int, error) { return r.Drive.Read10(ctx, p[:mmc.BlockSize], at) })
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
