// Package imagetest tests images: one suite for those of every format and for
// everything that is made around an image.
package imagetest

import (
	"context"

	"spindle/disc"
)

// Tapped is an image that lets a test see, delay or change what is read. All
// sectors are read through ReadSectors; the other parts are those of Image.
type Tapped struct {
	Image disc.Image
	// Before is called before each reading of n sectors, and After with what was
	// read, which it may change. Both may be nil.
	Before func(first disc.LBA, n int)
	After  func(p []byte, first disc.LBA)
}

// Layout implements [disc.Image].
func (x *Tapped) Layout() *disc.Layout { return x.Image.Layout() }

// ReadSectors implements [disc.Image].
func (x *Tapped) ReadSectors(ctx context.Context, p []byte, first disc.LBA) error {
	if x.Before != nil {
		x.Before(first, len(p)/x.Layout().Medium.SectorSize())
	}
	err := x.Image.ReadSectors(ctx, p, first)
	if err == nil && x.After != nil {
		x.After(p, first)
	}
	return err
}

// Subchannels implements [disc.Image].
func (x *Tapped) Subchannels() disc.Subchannels { return x.Image.Subchannels() }

// ReadUser implements [disc.Image]: it would bypass Before and After.
func (x *Tapped) ReadUser(context.Context, []byte, disc.LBA) (bool, error) { return false, nil }

// ExtentAt implements [disc.Image]: reading files would bypass Before and After.
func (x *Tapped) ExtentAt(disc.LBA) (disc.Extent, bool) { return disc.Extent{}, false }

// Flaws implements [disc.Image].
func (x *Tapped) Flaws() disc.Flaws { return x.Image.Flaws() }

// Files implements [disc.Image].
func (x *Tapped) Files() []string { return x.Image.Files() }

// Close implements [disc.Image].
func (x *Tapped) Close() error { return x.Image.Close() }
