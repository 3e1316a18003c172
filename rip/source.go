package rip

import (
	"context"
	"fmt"
	"io"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/drive"
	"spindle/scsi"
	"spindle/scsi/mmc"
)

// A sectorSource is the way in which the sectors of one disc are read.
type sectorSource interface {
	// readRaw reads one whole sector of a CD, 2352 bytes.
	readRaw(ctx context.Context, dev *mmc.Drive, p []byte, at disc.LBA, expect mmc.SectorType) error
	// readUser reads the 2048 bytes of user data of one sector.
	readUser(ctx context.Context, dev *mmc.Drive, p []byte, at disc.LBA) error
	// stride is the number of bytes that read gives for a sector.
	stride(audio bool) int
	// read reads n sectors into p, stride bytes each, and returns how many
	// bytes came.
	read(ctx context.Context, dev *mmc.Drive, p []byte, at disc.LBA, n int, audio bool) (int, error)
}

// blockSource reads DVDs and BDs, and CDs on drives without READ CD.
type blockSource struct{}

func (blockSource) readRaw(context.Context, *mmc.Drive, []byte, disc.LBA, mmc.SectorType) error {
	return fmt.Errorf("whole sectors cannot be read from this medium")
}

func (b blockSource) readUser(ctx context.Context, dev *mmc.Drive, p []byte, at disc.LBA) error {
	n, err := b.read(ctx, dev, p[:mmc.BlockSize], at, 1, false)
	return shortIs(err, n, mmc.BlockSize)
}

func (blockSource) stride(bool) int { return mmc.BlockSize }

func (blockSource) read(ctx context.Context, dev *mmc.Drive, p []byte, at disc.LBA, n int, _ bool) (int, error) {
	return dev.Read10(ctx, p[:n*mmc.BlockSize], at)
}

// shortIs turns a short transfer into an error.
func shortIs(err error, got, want int) error {
	if err == nil && got < want {
		return fmt.Errorf("the drive gave %d bytes of %d: %w", got, want, io.ErrUnexpectedEOF)
	}
	return err
}

// cdSource reads CDs with READ CD: data sectors whole, audio with C2 error
// pointers where the drive has them, both with the sub-channel where that is
// wanted.
type cdSource struct {
	c2       mmc.C2Mode
	sub      mmc.SubMode
	subFirst bool // the drive gives the sub-channel before the C2 pointers
}

// newSource finds out how the drive reads this CD.
func newSource(ctx context.Context, dev *mmc.Drive, d *Contents) sectorSource {
	s := new(cdSource)
	var sector [cdsector.Size]byte
	err := s.readRaw(ctx, dev, sector[:], d.Layout.Tracks()[0].Start, mmc.AnySector)
	if scsi.IsSense(err, scsi.IllegalRequest, 0x20, scsi.AnyQualifier) {
		return blockSource{}
	}
	can := d.Config != nil && d.Config.Feature(mmc.FeatureCDRead).CDRead().C2
	if !can {
		if caps, err := dev.Capabilities(ctx); err == nil {
			can = caps.C2
		}
	}
	if can {
		s.c2 = mmc.C2Bits
	}
	return s
}

// probe makes sure that audio can be read with C2 and sub-channel as wanted, and
// gives up the one or the other where it cannot. The notes say so.
func (s *cdSource) probe(ctx context.Context, dev *mmc.Drive, d *Contents, wantSub bool) error {
	var audio *disc.Track
	for _, t := range d.Layout.Tracks() {
		if !t.Mode.IsData() && audio == nil {
			audio = t
		}
	}
	if wantSub {
		s.sub = mmc.RawSub
	}
	if audio == nil {
		s.c2 = mmc.NoC2
		if wantSub {
			t := d.Layout.Tracks()[0]
			if !s.works(ctx, dev, t.Start, false) {
				return ErrNoSubchannel
			}
		}
		return nil
	}
	at := audio.Start + (audio.End-audio.Start)/2
	claimed := s.c2 != mmc.NoC2
	for _, try := range [...]cdSource{{c2: s.c2, sub: s.sub}, {c2: s.c2, sub: s.sub, subFirst: true}, {sub: s.sub}} {
		if try.works(ctx, dev, at, true) {
			*s = try
			break
		}
		if try.c2 == mmc.NoC2 {
			s.c2 = mmc.NoC2
			if wantSub {
				return ErrNoSubchannel
			}
		}
	}
	switch {
	case s.c2 != mmc.NoC2:
	case claimed && wantSub:
		d.note("This drive cannot report errors in audio (C2) together with the sub-channel: " +
			"audio is read twice and compared. Without --sub once is enough.")
	default:
		d.note("This drive does not report errors in audio (C2): audio is read twice and compared.")
	}
	return ctx.Err()
}

// works tries the source on one sector. With C2 and sub-channel together the
// order of the two shows in the CRC of the Q frame.
func (s *cdSource) works(ctx context.Context, dev *mmc.Drive, at disc.LBA, audio bool) bool {
	const tries = 5
	for i := range disc.LBA(tries) {
		buf := make([]byte, s.stride(audio))
		n, err := s.read(ctx, dev, buf, at+i, 1, audio)
		if err != nil || n < len(buf) {
			if drive.Classify(err) == drive.Refused {
				return false
			}
			continue // damage, perhaps
		}
		if s.sub == mmc.NoSub {
			return true
		}
		_, sub := s.parts(buf, audio)
		q := cdsector.DeinterleaveQ((*[cdsector.SubSize]byte)(sub))
		if _, err := cdsector.DecodeQ(&q); err == nil {
			return true
		}
	}
	return false
}

func (s *cdSource) stride(audio bool) int {
	n := cdsector.Size + s.sub.Size()
	if audio {
		n += s.c2.Size()
	}
	return n
}

// parts returns the C2 pointers and the sub-channel of one sector.
func (s *cdSource) parts(b []byte, audio bool) (c2, sub []byte) {
	rest := b[cdsector.Size:]
	k := 0
	if audio {
		k = s.c2.Size()
	}
	if s.subFirst {
		return rest[s.sub.Size():][:k], rest[:s.sub.Size()]
	}
	return rest[:k], rest[k:][:s.sub.Size()]
}

func (s *cdSource) request(at disc.LBA, n int, audio bool) mmc.CDReadRequest {
	r := mmc.CDReadRequest{LBA: at, Count: n, Fields: mmc.RawSector, Sub: s.sub}
	if audio {
		r.Expect, r.Fields, r.C2 = mmc.CDDASector, mmc.UserData, s.c2
	}
	return r
}

func (s *cdSource) read(ctx context.Context, dev *mmc.Drive, p []byte, at disc.LBA, n int, audio bool) (int, error) {
	return dev.ReadCD(ctx, p[:n*s.stride(audio)], s.request(at, n, audio))
}

func (s *cdSource) readRaw(ctx context.Context, dev *mmc.Drive, p []byte, at disc.LBA, expect mmc.SectorType) error {
	n, err := dev.ReadCD(ctx, p[:cdsector.Size], mmc.CDReadRequest{
		LBA: at, Count: 1, Expect: expect, Fields: mmc.RawSector})
	return shortIs(err, n, cdsector.Size)
}

func (s *cdSource) readUser(ctx context.Context, dev *mmc.Drive, p []byte, at disc.LBA) error {
	var raw [cdsector.Size]byte
	if err := s.readRaw(ctx, dev, raw[:], at, mmc.AnySector); err != nil {
		return err
	}
	block, err := cdsector.Block(&raw)
	if err != nil {
		return fmt.Errorf("sector %d: %w", at, err)
	}
	copy(p, block)
	return nil
}
