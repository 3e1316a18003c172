package mds

import (
	"os"

	"spindle/disc"
	"spindle/image/format"
	"spindle/image/laid"
)

// A stored is a track, and where it is in the .mdf: what a track block states.
type stored struct {
	laid.Placed
	offset int64
}

// create writes an .mds of version 1 and its .mdf: whole sectors, and behind each its
// sub-channel, if the image has any; of a DVD, 2048 bytes a sector.
func create(o *format.Output) error {
	if o.Track != 0 {
		return o.CannotHold(format.WholeDiscs, 0)
	}
	o.OmitAll(format.AllCDText, format.Catalogue, format.ISRCs, format.LaterIndexes, format.ModeZero)
	placed, err := laid.Place(o)
	if err != nil {
		return err
	}
	as := format.Whole
	if o.Image.Subchannels() != nil && o.Layout.Medium == disc.CD {
		as = format.WithSub
	}
	size := as.Size(o.Layout.Medium)
	var bytes int64
	var tracks []stored
	for _, t := range placed {
		tracks = append(tracks, stored{t, bytes})
		bytes += int64(t.End-t.From) * int64(size)
	}
	mdf := o.Base() + ".mdf"
	if err := o.Reserve(bytes, mdf, o.Path); err != nil {
		return err
	}
	err = o.Write(mdf, func(f *os.File) error {
		for _, t := range tracks {
			if err := o.Copy(f, t.Track, t.From, t.End, as); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return o.WriteBytes(o.Path, describe(o.Layout, tracks, size))
}
