package cue

import (
	"bytes"
	"os"
	"path/filepath"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/image/format"
)

// Create writes a CUE sheet with its .bin, or with one .bin a track, and a .cdt
// for CD-TEXT that a sheet cannot say.
func Create(o *format.Output) error {
	l := o.Layout
	if err := o.WholeCD(); err != nil {
		return err
	}
	if o.Image.Subchannels() != nil {
		if err := o.Lose("the sub-channels"); err != nil {
			return err
		}
	}
	tracks := l.Tracks()
	bins := []string{o.Base() + ".bin"}
	if o.Split {
		bins = nil
		for _, t := range tracks {
			bins = append(bins, o.TrackName(t.Number, len(tracks), ".bin"))
		}
	}
	var names []string
	for _, b := range bins {
		names = append(names, filepath.Base(b))
	}
	cdt := o.Base() + ".cdt"
	sheet, cdText := FromLayout(l, Names{Files: names, CDText: filepath.Base(cdt)})
	files := append(append([]string{}, bins...), o.Path)
	if cdText {
		files = append(files, cdt)
	}
	if err := o.Claim(int64(l.Sectors())*cdsector.Size, files...); err != nil {
		return err
	}
	for i, bin := range bins {
		own := tracks
		if len(bins) > 1 {
			own = tracks[i : i+1]
		}
		if err := writeBin(o, bin, own); err != nil {
			return err
		}
	}
	if cdText {
		if err := o.WriteBytes(cdt, disc.PackBytes(l.CDText)); err != nil {
			return err
		}
	}
	var text bytes.Buffer
	if _, err := sheet.WriteTo(&text); err != nil {
		return err
	}
	return o.WriteBytes(o.Path, text.Bytes())
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
