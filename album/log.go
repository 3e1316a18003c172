package album

import (
	"fmt"
	"path/filepath"

	"spindle/addr"
	"spindle/disc"
	"spindle/image/riplog"
)

// contents is the table of contents of the disc.
func (a *Album) contents() riplog.Section {
	s := riplog.Section{Name: "table of contents"}
	for i := range a.Layout.Sessions {
		for _, t := range a.Layout.Sessions[i].Tracks {
			kind := "audio"
			if t.Mode.IsData() {
				kind = "data"
			}
			more := ""
			if t.Control&disc.PreEmphasis != 0 && !t.Mode.IsData() {
				more += ", pre-emphasis"
			}
			if t.ISRC != "" {
				more += ", ISRC " + t.ISRC
			}
			s.Add(fmt.Sprintf("track %d", t.Number), fmt.Sprintf("session %d, %s, start %s (sector %d), length %s (%d sectors), pregap %d%s",
				i+1, kind, addr.Frames(int(t.Start)), t.Start, addr.Frames(int(t.End-t.Start)), t.End-t.Start, t.Pregap, more))
		}
	}
	s.Add("lead-out", fmt.Sprintf("sector %d", a.Layout.End()))
	return s
}

// fullScale is the size of the loudest sample that there can be.
const fullScale = 32768

// Log begins the log of an album: about is what the caller has to say of the rip, and proof
// how a song is proven.
func (c *Created) Log(a *Album, about riplog.Section, proof func(*Made) riplog.Proof) *riplog.Log {
	about.Name = ""
	l := &riplog.Log{Sections: []riplog.Section{about, a.contents()}}
	for i := range c.Songs {
		m := &c.Songs[i]
		x := riplog.Song{
			Number: m.Number, Title: m.Title, File: filepath.Base(m.Path), First: m.First, End: m.End, CRC32: m.CRC32, Flaws: c.Flaws, Proof: proof(m),
		}
		x.More = []riplog.Line{{Name: "peak level", Value: fmt.Sprintf("%.1f %%", float64(m.Peak)/fullScale*100)}}
		if m.Number > 0 {
			x.More = append(x.More,
				riplog.Line{Name: "AccurateRip v1", Value: fmt.Sprintf("%08X", m.Sums.V1)},
				riplog.Line{Name: "AccurateRip v2", Value: fmt.Sprintf("%08X", m.Sums.V2)},
				riplog.Line{Name: "CRC-32 of the track", Value: fmt.Sprintf("%08X", m.Sums.CRC32)},
				riplog.Line{Name: "CRC-32 of the track without null samples", Value: fmt.Sprintf("%08X", m.Sums.CRC32NonNull)},
			)
		}
		l.Sections = append(l.Sections, x.Section())
	}
	for _, d := range c.Data {
		x := riplog.Song{Number: d.Number, Data: true, File: filepath.Base(d.Path), First: d.First, End: d.End, CRC32: d.CRC32, Flaws: c.Flaws}
		l.Sections = append(l.Sections, x.Section())
	}
	return l
}
