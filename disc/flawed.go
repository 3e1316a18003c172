package disc

import (
	"context"

	"spindle/disc/cdsector"
)

// WithFlaws gives an image further flaws, those that something beside it states.
func WithFlaws(img Image, more Flaws) Image {
	if len(more) == 0 {
		return img
	}
	return &flawedImage{img, img.Flaws().Union(more)}
}

// flawedImage is an image with flaws that stand beside it.
type flawedImage struct {
	img   Image
	flaws Flaws // its own, and the others
}

// Layout implements [Image].
func (m *flawedImage) Layout() *Layout { return m.img.Layout() }

// ReadSectors implements [Image].
func (m *flawedImage) ReadSectors(ctx context.Context, p []byte, first LBA) error {
	if err := m.img.ReadSectors(ctx, p, first); err != nil {
		return err
	}
	if m.Layout().Medium == CD {
		m.flaws.spoil(p, first, m.img.ExtentAt)
	}
	return nil
}

// Subchannels implements [Image].
func (m *flawedImage) Subchannels() Subchannels { return m.img.Subchannels() }

// ReadUser implements [Image].
func (m *flawedImage) ReadUser(ctx context.Context, p []byte, first LBA) (bool, error) {
	return m.img.ReadUser(ctx, p, first)
}

// ExtentAt implements [Image].
func (m *flawedImage) ExtentAt(a LBA) (Extent, bool) { return m.img.ExtentAt(a) }

// Flaws implements [Image].
func (m *flawedImage) Flaws() Flaws { return m.flaws }

// Files implements [Image].
func (m *flawedImage) Files() []string { return m.img.Files() }

// Close implements [Image].
func (m *flawedImage) Close() error { return m.img.Close() }

// spoil makes the EDC of sectors wrong that is not stored but computed, where their
// content is known to be wrong: it would vouch for it. p holds sectors of a CD.
func (f Flaws) spoil(p []byte, first LBA, extentAt func(LBA) (Extent, bool)) {
	for _, x := range f.Clip(first, first+LBA(len(p)/cdsector.Size)) {
		if x.Kind == Unproven {
			continue
		}
		for a := x.First; a < x.End(); a++ {
			if e, ok := extentAt(a); ok {
				cdsector.Spoil((*[cdsector.Size]byte)(p[int(a-first)*cdsector.Size:]), e.Form.sealed())
			}
		}
	}
}

// sealed returns the kind of the sectors whose EDC is computed when they are read, or
// Audio where none is.
func (f Form) sealed() cdsector.Kind {
	switch f {
	case FormMode1:
		return cdsector.Mode1
	case FormXA1:
		return cdsector.Form1
	case FormXA2:
		return cdsector.Form2
	}
	return cdsector.Audio
}

// MakesEDC reports whether the EDC of the sectors is not stored in this form, and
// proves nothing of them.
func (f Form) MakesEDC() bool { return f.sealed() != cdsector.Audio }
