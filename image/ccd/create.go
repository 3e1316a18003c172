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
	paths := []string{img, o.Path}
	own, err := o.OwnSub(sub)
	if err != nil {
		return err
	}
	if !own {
		paths = append(paths, sub)
	}
	if err := o.Reserve(int64(l.Sectors())*cdsector.Size, paths...); err != nil {
		return err
	}
	err = o.Write(img, func(f *os.File) error {
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
	if !own {
		if err := o.WriteSubFile(sub); err != nil {
			return err
		}
	}
	return o.WriteBytes(o.Path, describe(l))
}
