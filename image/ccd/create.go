package ccd

import (
	"os"

	"spindle/disc/cdsector"
	"spindle/image/format"
)

// create writes a .ccd, an .img and a .sub. Where the image has no sub-channels,
// those are written that a disc of its layout has, for the programs that read the
// format want the file.
func create(o *format.Output) error {
	if err := o.WholeCD(); err != nil {
		return err
	}
	l := o.Layout
	img, sub := o.Base()+".img", o.Base()+".sub"
	if err := o.Reserve(int64(l.Sectors())*cdsector.Size, img, sub, o.Path); err != nil {
		return err
	}
	err := o.Write(img, func(f *os.File) error {
		for _, t := range l.Tracks() {
			if err := o.Copy(f, t, t.Begin(), t.End, format.Whole); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := o.Write(sub, func(f *os.File) error { return o.WriteSubchannels(f, l.Tracks()) }); err != nil {
		return err
	}
	return o.WriteBytes(o.Path, describe(l))
}
