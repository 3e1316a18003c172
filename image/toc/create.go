package toc

import (
	"os"
	"path/filepath"
	"reflect"

	"spindle/disc"
	"spindle/image/format"
)

// create writes a TOC file with its .bin: whole sectors, audio with the most
// significant byte first, as cdrdao reads them itself. Sub-channels that the image
// has follow each sector.
func create(o *format.Output) error {
	if err := o.WholeCD(); err != nil {
		return err
	}
	if err := o.NameInText(); err != nil {
		return err
	}
	l := o.Layout
	if len(l.Sessions) > 1 {
		o.Omit(format.Loss{Kind: format.LaterSessions})
		l = &disc.Layout{Medium: l.Medium, Sessions: l.Sessions[:1], MCN: l.MCN, CDText: l.CDText}
	}
	text := l.Texts()
	packs, err := repack(l, text)
	if err != nil || !reflect.DeepEqual(disc.DecodeCDText(packs, l.Tracks()[0].Number), text) {
		o.Omit(format.Loss{Kind: format.SomeCDText})
	}
	if err := o.OmitQ(l.Tracks()); err != nil { // cdrdao takes none from the file
		return err
	}
	bin := o.Base() + ".bin"
	w := writer{sub: o.Image.Subchannels() != nil, bin: filepath.Base(bin), packs: packs}
	w.bare = !w.sub && typeOf(&l.Sessions[0]) == CDDA
	if err := o.Reserve(int64(l.Sectors())*w.block(), bin, o.Path); err != nil {
		return err
	}
	err = o.Write(bin, func(f *os.File) error {
		for _, t := range l.Tracks() {
			if err := o.Copy(f, t, t.Begin(), t.End, w.stored(t)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return o.WriteBytes(o.Path, w.describe(l, text))
}

func (w *writer) stored(t *disc.Track) format.Stored {
	switch {
	case w.sub && t.Mode == disc.Audio:
		return format.SwappedWithSub
	case w.sub:
		return format.WithSub
	case t.Mode == disc.Audio:
		return format.Swapped
	}
	return format.Whole
}
