package cuefile

import (
	"os"

	"spindle/cue"
	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/image/format"
)

// create writes a CUE sheet with its .bin, or with one .bin a track, a .cdt for
// CD-TEXT that a sheet cannot say, and a .sub for sub-channels that say more.
func create(o *format.Output) error {
	l := o.Layout
	if err := o.WholeCD(); err != nil {
		return err
	}
	if err := o.NameInText(); err != nil {
		return err
	}
	sub, err := o.SubBeside(o.Path)
	if err != nil {
		return err
	}
	set := cue.NewSet(o.Path, l, o.Split)
	paths := set.Paths()
	if sub != "" {
		paths = append(paths, sub)
	}
	if err := o.Reserve(int64(l.Sectors())*cdsector.Size, paths...); err != nil {
		return err
	}
	tracks := l.Tracks()
	for i, bin := range set.Bins {
		own := tracks
		if len(set.Bins) > 1 {
			own = tracks[i : i+1]
		}
		if err := writeBin(o, bin, own); err != nil {
			return err
		}
	}
	if sub != "" {
		if err := o.WriteSubFile(sub); err != nil {
			return err
		}
	}
	for _, x := range set.Texts() {
		if err := o.WriteBytes(x.Path, x.Data); err != nil {
			return err
		}
	}
	return nil
}

func writeBin(o *format.Output, path string, tracks []*disc.Track) error {
	return o.Write(path, func(f *os.File) error {
		for _, t := range tracks {
			if err := o.Copy(f, t, t.Begin(), t.End, format.Whole); err != nil {
				return err
			}
		}
		return nil
	})
}
