package mds

import (
	"os"

	"spindle/addr"
	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/image/format"
)

// A placed is a track, and where it is in the .mdf.
type placed struct {
	*disc.Track
	session int
	from    disc.LBA // the first sector that is stored with it
	pregap  int      // that is not stored, with the two seconds before a session
	length  int      // sectors from its start on, in the terms of the format
	offset  int64
}

// create writes an .mds of version 1 and its .mdf: whole sectors, and behind each its
// sub-channel, if the image has any; of a DVD, 2048 bytes a sector.
func create(o *format.Output) error {
	if o.Track != 0 {
		return o.CannotHold(format.WholeDiscs, 0)
	}
	if err := o.OmitAll(format.AllCDText, format.Catalogue, format.ISRCs, format.LaterIndexes, format.ModeZero); err != nil {
		return err
	}
	tracks, err := place(o)
	if err != nil {
		return err
	}
	as := format.Whole
	if o.Image.Subchannels() != nil && o.Layout.Medium == disc.CD {
		as = format.WithSub
	}
	size := as.Size(o.Layout.Medium)
	var bytes int64
	for i := range tracks {
		tracks[i].offset = bytes
		bytes += int64(tracks[i].End-tracks[i].from) * int64(size)
	}
	mdf := o.Base() + ".mdf"
	if err := o.Reserve(bytes, mdf, o.Path); err != nil {
		return err
	}
	err = o.Write(mdf, func(f *os.File) error {
		for _, t := range tracks {
			if err := o.Copy(f, t.Track, t.from, t.End, as); err != nil {
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

// place lays the tracks out. The format can say of a pregap that it is not stored, or has it
// as the end of the track before.
func place(o *format.Output) ([]placed, error) {
	var all []placed
	lost, hidden := false, false
	for i := range o.Layout.Sessions {
		s := &o.Layout.Sessions[i]
		for k := range s.Tracks {
			t := &s.Tracks[k]
			p := placed{Track: t, session: s.Number, from: t.Start, pregap: t.Pregap, length: int(t.End - t.Start)}
			empty, err := isEmpty(o, t)
			switch {
			case err != nil:
				return nil, err
			case k == 0:
				p.pregap += addr.Pregap
				hidden = hidden || !empty
			case !empty:
				lost = true
				before := &all[len(all)-1]
				before.length += t.Pregap
				p.pregap, p.from = 0, t.Begin()
			}
			all = append(all, p)
		}
	}
	if lost {
		if err := o.Omit(format.Loss{Kind: format.Pregaps}); err != nil {
			return nil, err
		}
	}
	if hidden {
		if err := o.Omit(format.Loss{Kind: format.HiddenAudio}); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// isEmpty reports whether the pregap of a track holds what it does where it is not stored.
func isEmpty(o *format.Output, t *disc.Track) (bool, error) {
	if len(o.Image.Flaws().Clip(t.Begin(), t.Start)) > 0 {
		return false, nil
	}
	const batch = 64
	buf := make([]byte, batch*cdsector.Size)
	for a := t.Begin(); a < t.Start; a += batch {
		p := buf[:min(batch, int(t.Start-a))*cdsector.Size]
		if err := o.Image.ReadSectors(o.Context(), p, a); err != nil {
			return false, err
		}
		for i := 0; i < len(p); i += cdsector.Size {
			if s := (*[cdsector.Size]byte)(p[i:]); *s != emptySector(t.Mode, a+disc.LBA(i/cdsector.Size)) {
				return false, nil
			}
		}
	}
	return true, nil
}

// emptySector is a sector of a track without content.
func emptySector(mode disc.Mode, a disc.LBA) (s [cdsector.Size]byte) {
	switch mode {
	case disc.Mode1:
		cdsector.SetHeader(&s, a.MSF(), 1)
		cdsector.Seal(&s, cdsector.Mode1)
	case disc.Mode2:
		const data = 8 // sub-mode
		cdsector.SetHeader(&s, a.MSF(), 2)
		s[18], s[22] = data, data
		cdsector.Seal(&s, cdsector.Form1)
	}
	return s
}
