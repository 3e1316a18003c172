package check

import (
	"context"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/disc/ctdb"
	"spindle/disc/discid"
)

// A Patched image is an audio CD that is repaired with the parity of CTDB as it is read.
type Patched struct {
	img   disc.Image
	patch *ctdb.Patch
	// The audio begins at first; the CRC of the database proves the sectors [from, to).
	first, from, to disc.LBA
}

// NewPatched makes one. The proof is that by which the patch was found. Closing it closes the image.
func NewPatched(img disc.Image, proof *Proof, patch *ctdb.Patch) *Patched {
	from, to := proof.CTDB.Covers(patch.Offset)
	return &Patched{img: img, patch: patch, first: proof.first,
		from: proof.first + disc.LBA((from+discid.SectorSamples-1)/discid.SectorSamples),
		to:   proof.first + disc.LBA(to/discid.SectorSamples)}
}

// Layout implements [disc.Image].
func (p *Patched) Layout() *disc.Layout { return p.img.Layout() }

// ReadSectors implements [disc.Image].
func (p *Patched) ReadSectors(ctx context.Context, b []byte, first disc.LBA) error {
	if err := p.img.ReadSectors(ctx, b, first); err != nil {
		return err
	}
	skip := 0
	if first < p.first {
		skip = min(int(p.first-first)*cdsector.Size, len(b))
	}
	p.patch.Apply(int64(max(first, p.first)-p.first)*discid.SectorSamples, b[skip:])
	return nil
}

// Subchannels implements [disc.Image]: those of the image.
func (p *Patched) Subchannels() disc.Subchannels { return p.img.Subchannels() }

// ReadUser implements [disc.Image]: audio has none, and data is as it was.
func (p *Patched) ReadUser(ctx context.Context, b []byte, first disc.LBA) (bool, error) {
	return p.img.ReadUser(ctx, b, first)
}

// ExtentAt implements [disc.Image]: what is repaired does not stand in a file.
func (p *Patched) ExtentAt(a disc.LBA) (disc.Extent, bool) {
	if a >= p.from && a < p.to {
		return disc.Extent{}, false
	}
	e, ok := p.img.ExtentAt(a)
	if a < p.from {
		e.Count = min(e.Count, int(p.from-a))
	}
	return e, ok
}

// Flaws implements [disc.Image]: those of the image, but for the sectors that the CRC proves.
func (p *Patched) Flaws() disc.Flaws { return p.img.Flaws().Without(p.from, p.to) }

// Files implements [disc.Image]: those that are repaired.
func (p *Patched) Files() []string { return p.img.Files() }

// Close implements [disc.Image].
func (p *Patched) Close() error { return p.img.Close() }
