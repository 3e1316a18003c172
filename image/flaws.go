package image

import (
	"context"

	"spindle/disc"
	"spindle/image/format"
)

// ErrMap is what every error about a map beside an image wraps.
var ErrMap = format.ErrMap

// WithMaps gives an image that was opened from path the flaws that the maps beside it
// state: spindle's own or GNU ddrescue's ([format.FindMaps]). [Open] has done so.
// A map that is malformed, or that of another image, is an error that wraps [ErrMap];
// img stays open then.
func WithMaps(path string, img disc.Image) (disc.Image, error) {
	flaws, err := format.FlawsBeside(path, img)
	if err != nil || len(flaws) == 0 {
		return img, err
	}
	return &mapped{img, img.Flaws().Union(flaws)}, nil
}

// mapped is an image with flaws that stand beside it.
type mapped struct {
	img   disc.Image
	flaws disc.Flaws // its own, and those of the maps
}

// Layout implements [disc.Image].
func (m *mapped) Layout() *disc.Layout { return m.img.Layout() }

// ReadSectors implements [disc.Image].
func (m *mapped) ReadSectors(ctx context.Context, p []byte, first disc.LBA) error {
	return m.img.ReadSectors(ctx, p, first)
}

// Subchannels implements [disc.Image].
func (m *mapped) Subchannels() disc.Subchannels { return m.img.Subchannels() }

// ReadUser implements [disc.Image].
func (m *mapped) ReadUser(ctx context.Context, p []byte, first disc.LBA) (bool, error) {
	return m.img.ReadUser(ctx, p, first)
}

// ExtentAt implements [disc.Image].
func (m *mapped) ExtentAt(a disc.LBA) (disc.Extent, bool) { return m.img.ExtentAt(a) }

// Flaws implements [disc.Image]: its own, and those of the maps.
func (m *mapped) Flaws() disc.Flaws { return m.flaws }

// Files implements [disc.Image].
func (m *mapped) Files() []string { return m.img.Files() }

// Close implements [disc.Image].
func (m *mapped) Close() error { return m.img.Close() }
