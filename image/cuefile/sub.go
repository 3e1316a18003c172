package cuefile

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/image/format"
	"spindle/internal/subfile"
)

// withSub gives an image the sub-channels in the file that has the name of its sheet, if there
// is one: 96 de-interleaved bytes for each sector of the tracks, as a rip saves them, and as
// CloneCD does. A sheet has no line for it, so only a file that fits is believed to be one. One
// that was cut short is, where what is left of it fits.
func (o *opener) withSub(ctx context.Context, img disc.Image, c *format.Completer) (disc.Image, error) {
	if o.main.Path == "" || img.Subchannels() != nil {
		return img, nil
	}
	path, err := format.FindCompanion(o.dir, filepath.Base(format.Stem(o.main.Path))+".sub")
	if errors.Is(err, os.ErrNotExist) {
		return img, nil
	}
	if err != nil {
		return nil, err
	}
	sub, err := o.main.OpenCompanion(ctx, path)
	if err == nil && sub.Damage != nil {
		sub.Close()
		err = sub.Damage
	}
	if err != nil {
		return nil, err
	}
	remark := format.Remark{Kind: format.OtherSub, File: path, Have: sub.Size, Want: int64(c.Layout.Sectors()) * cdsector.SubSize}
	fits := false
	if remark.Have <= remark.Want && (remark.Have < remark.Want || !sub.Cut) {
		if fits, err = subfile.Fits(ctx, c.Layout, sub, remark.Have); err != nil {
			sub.Close()
			return nil, err
		}
		if remark.Have == remark.Want {
			remark.Kind = format.SubOfOther
		}
	}
	if !fits {
		o.main.Remark(remark)
		return img, sub.Close()
	}
	o.keep(path, sub)
	for i := range c.Extents {
		e := &c.Extents[i]
		// Sectors that were not read have zeros there.
		e.Sub = &disc.SubExtent{Source: sub.ReaderAt, Offset: int64(sectorsBefore(c.Layout, e.First)) * cdsector.SubSize, Blank: true}
	}
	c.Complete(sub, sub.ReaderAt, sub.Size, o.main)
	return c.Image(o.files, o.closers)
}

// sectorsBefore counts the sectors of tracks before an address.
func sectorsBefore(l *disc.Layout, a disc.LBA) int {
	n := 0
	for _, t := range l.Tracks() {
		if a > t.Begin() {
			n += int(min(a, t.End) - t.Begin())
		}
	}
	return n
}
