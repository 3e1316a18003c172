package laid

import (
	"spindle/addr"
	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/image/format"
)

// A Placed is a track of an image as [Place] lays it out.
type Placed struct {
	*disc.Track
	Session  int
	From     disc.LBA // the first sector that is stored with it
	Unstored int      // sectors of pregap that are not, with the two seconds before a session
	Length   int      // sectors from its start on, with the pregap of the next that is stored
}

// Place lays the tracks of an image out for a descriptor that says of a pregap only how long it
// is, if it is not stored. One that holds something is stored as the end of the track before:
// where it begins is lost. Between data and audio, where it would be taken for what it is not,
// what it holds is lost.
func Place(o *format.Output) ([]Placed, error) {
	var all []Placed
	lost := make(map[format.LossKind]bool)
	for i := range o.Layout.Sessions {
		s := &o.Layout.Sessions[i]
		for k := range s.Tracks {
			t := &s.Tracks[k]
			p := Placed{Track: t, Session: s.Number, From: t.Start, Unstored: t.Pregap, Length: int(t.End - t.Start)}
			empty, err := isEmpty(o, t)
			switch {
			case err != nil:
				return nil, err
			case k == 0:
				p.Unstored += addr.Pregap
				lost[format.HiddenAudio] = lost[format.HiddenAudio] || !empty
			case empty:
			case s.Tracks[k-1].Mode.IsData() != t.Mode.IsData():
				lost[format.GapContent] = true
			default:
				lost[format.Pregaps] = true
				before := &all[len(all)-1]
				before.Length += t.Pregap
				p.Unstored, p.From = 0, t.Begin()
			}
			all = append(all, p)
		}
	}
	for _, kind := range []format.LossKind{format.Pregaps, format.GapContent, format.HiddenAudio} {
		if lost[kind] {
			o.Omit(format.Loss{Kind: kind})
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
