package gdi

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/image/format"
	"spindle/image/laid"
)

// create writes a .gdi, and a file of whole sectors for each track, named as chdman names
// them: .bin for data, .raw for audio.
func create(o *format.Output) error {
	if err := o.WholeCD(); err != nil {
		return err
	}
	l := o.Layout
	if len(l.Sessions) != 2 || l.Sessions[1].Tracks[0].Start != highDensity {
		return o.CannotHold(format.OnlyGDROMs, 0)
	}
	o.OmitAll(format.AllCDText, format.Catalogue, format.ISRCs, format.LaterIndexes, format.TrackFlags)
	if err := o.OmitSubchannels(l.Tracks()); err != nil {
		return err
	}
	tracks, err := laid.Place(o)
	if err != nil {
		return err
	}
	var bytes int64
	var names []string
	for i := range tracks {
		t := &tracks[i]
		bytes += int64(t.Length) * cdsector.Size
		ext := ".raw"
		if t.Mode.IsData() {
			ext = ".bin"
		}
		names = append(names, fmt.Sprintf("%s%02d%s", o.Base(), t.Number, ext))
	}
	if err := o.Reserve(bytes, append(names[:len(names):len(names)], o.Path)...); err != nil {
		return err
	}
	var text strings.Builder
	fmt.Fprintf(&text, "%d\n", len(tracks))
	for i := range tracks {
		t := &tracks[i]
		err := o.Write(names[i], func(f *os.File) error {
			if err := o.Copy(f, t.Track, t.Start, t.End, format.Whole); err != nil {
				return err
			}
			// The pregap of the next track, where it holds something.
			end := t.Start + disc.LBA(t.Length)
			if t.End == end {
				return nil
			}
			return o.Copy(f, tracks[i+1].Track, t.End, end, format.Whole)
		})
		if err != nil {
			return err
		}
		fmt.Fprintln(&text, describe(t, filepath.Base(names[i])))
	}
	return o.WriteBytes(o.Path, []byte(text.String()))
}

// describe makes the line of a track.
func describe(t *laid.Placed, name string) string {
	kind := 0
	if t.Mode.IsData() {
		kind = 4
	}
	if strings.ContainsAny(name, " \t") {
		name = `"` + name + `"`
	}
	return fmt.Sprintf("%d %d %d %d %s 0", t.Number, t.Start, kind, cdsector.Size, name)
}
