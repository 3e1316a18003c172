package nrg

import (
	"bytes"
	"encoding/binary"
	"os"
	"strings"

	"spindle/addr"
	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/image/format"
)

func init() {
	format.Register(format.Format{
		Name: "Nero image", Suffixes: []string{".nrg"}, Open: openFile, Create: Create,
		Match: func(p *format.Probe) format.Score {
			switch {
			case Detect(p.R, p.Size):
				return format.Sure
			case strings.HasSuffix(strings.ToLower(p.Name), ".nrg"):
				return format.Guess // opening says what is missing: its end, most often
			}
			return format.No
		},
	})
}

// Create writes a Nero image of version 2, in disc-at-once form. A track of Mode 1
// whose sectors are what can be built around their user data again is stored as
// these, 2048 bytes a sector: that every program takes which reads Nero images. Other
// tracks are stored whole, and all with their sub-channels where the image has them.
func Create(o *format.Output) error {
	if o.Track != 0 {
		return o.Refuse("it is for whole discs; take a track to .iso, .wav or .flac")
	}
	if err := losses(o); err != nil {
		return err
	}
	w, err := newWriter(o)
	if err != nil {
		return err
	}
	if err := o.Claim(w.size, o.Path); err != nil {
		return err
	}
	return o.Write(o.Path, func(f *os.File) error {
		for i := range w.tracks {
			if err := w.writeTrack(f, &w.tracks[i]); err != nil {
				return err
			}
		}
		_, err := f.Write(w.table())
		return err
	})
}

// losses says what the format cannot hold.
func losses(o *format.Output) error {
	for _, t := range o.Layout.Tracks() {
		if t.Mode == disc.Mode0 {
			if err := o.Lose("that a track is of mode 0"); err != nil {
				return err
			}
		}
	}
	return nil
}

// placed is a track and where it stands in the file.
type placed struct {
	*disc.Track
	code               byte // Nero's mode code
	as                 format.Stored
	lead               int // sectors before Begin that are stored too
	pregap, start, end int64
}

type writer struct {
	o      *format.Output
	tracks []placed // of all sessions
	size   int64
}

// newWriter places the tracks.
func newWriter(o *format.Output) (*writer, error) {
	w := &writer{o: o}
	for i := range o.Layout.Sessions {
		s := &o.Layout.Sessions[i]
		for j := range s.Tracks {
			t := placed{Track: &s.Tracks[j]}
			var err error
			if t.code, t.as, err = w.coding(t.Track); err != nil {
				return nil, err
			}
			if j == 0 {
				t.lead = leadInPregap
				if i == 0 {
					t.lead = min(t.lead, leadInPregap+int(t.Begin()))
				}
			}
			stride := int64(t.as.Size(o.Layout.Medium))
			t.pregap = w.size
			t.start = t.pregap + int64(t.lead+t.Pregap)*stride
			t.end = t.start + int64(t.End-t.Start)*stride
			w.size = t.end
			w.tracks = append(w.tracks, t)
		}
	}
	return w, nil
}

// coding chooses how a track is stored.
func (w *writer) coding(t *disc.Track) (byte, format.Stored, error) {
	if w.o.Image.Subchannels() != nil {
		switch t.Mode {
		case disc.Audio:
			return 0x10, format.WithSub, nil
		case disc.Mode2:
			return 0x11, format.WithSub, nil
		}
		return 0x0F, format.WithSub, nil
	}
	switch t.Mode {
	case disc.Audio:
		return 0x07, format.Whole, nil
	case disc.Mode2:
		return 0x06, format.Whole, nil
	}
	plain := w.o.Layout.Medium != disc.CD
	if !plain && t.Mode == disc.Mode1 {
		var err error
		if plain = w.userOnly(t); !plain {
			if plain, err = w.rebuildable(t); err != nil {
				return 0, 0, err
			}
		}
	}
	if plain {
		return 0x00, format.UserData, nil
	}
	return 0x05, format.Whole, nil
}

// rebuildable reports whether every sector of a track of Mode 1 is what comes of
// building it around its user data. It reads the track, up to the first that is not.
func (w *writer) rebuildable(t *disc.Track) (bool, error) {
	const batch = 256
	buf := make([]byte, batch*cdsector.Size)
	for a := t.Begin(); a < t.End; a += batch {
		if err := w.o.Context().Err(); err != nil {
			return false, err
		}
		p := buf[:min(batch, int(t.End-a))*cdsector.Size]
		if err := w.o.Image.ReadSectors(w.o.Context(), p, a); err != nil {
			return false, err
		}
		for i := 0; i < len(p); i += cdsector.Size {
			if !standard((*[cdsector.Size]byte)(p[i:]), a+disc.LBA(i/cdsector.Size)) {
				return false, nil
			}
		}
	}
	return true, nil
}

// standard reports whether all of a sector but its user data is as Mode 1 has it:
// sync pattern, address, EDC, the zeros behind it, parity.
func standard(s *[cdsector.Size]byte, at disc.LBA) bool {
	own, ok := cdsector.Address(s)
	const zeros = 2068
	return ok && cdsector.HasSync(s) && s[15] == 1 && own == at.MSF() &&
		[8]byte(s[zeros:]) == [8]byte{} && cdsector.EDCOK(s, cdsector.Mode1) && cdsector.ParityOK(s, cdsector.Mode1)
}

// userOnly reports whether the image has only the user data of a track.
func (w *writer) userOnly(t *disc.Track) bool {
	for a := t.Begin(); a < t.End; {
		e, found := w.o.Image.ExtentAt(a)
		if !found || e.Form != disc.FormMode1 {
			return false
		}
		a += disc.LBA(e.Count)
	}
	return true
}

// writeTrack writes a track, with the two seconds before it that Nero stores at
// the start of a session: silence, or empty sectors.
func (w *writer) writeTrack(f *os.File, t *placed) error {
	for a := t.Begin() - disc.LBA(t.lead); a < t.Begin(); a++ {
		if err := w.o.Fill(f, w.empty(t, a)); err != nil {
			return err
		}
	}
	return w.o.Copy(f, t.Track, t.Begin(), t.End, t.as)
}

// empty makes a sector without content, as it is stored.
func (w *writer) empty(t *placed, at disc.LBA) []byte {
	b := make([]byte, t.as.Size(w.o.Layout.Medium))
	if t.as == format.UserData {
		return b
	}
	s, m := (*[cdsector.Size]byte)(b), at.MSF()
	switch t.Mode {
	case disc.Mode1, disc.Mode0:
		cdsector.SetHeader(s, m, 1)
		cdsector.Seal(s, cdsector.Mode1)
	case disc.Mode2:
		cdsector.SetHeader(s, m, 2)
		cdsector.Seal(s, cdsector.Form1)
	}
	if t.as == format.WithSub {
		var sub [cdsector.SubSize]byte
		w.o.Layout.Subchannel(at, &sub)
		cdsector.Interleave((*[cdsector.SubSize]byte)(b[cdsector.Size:]), &sub)
	}
	return b
}

// table makes the chunks and the footer.
func (w *writer) table() []byte {
	var b bytes.Buffer
	chunk := func(id string, data []byte) {
		b.WriteString(id)
		b.Write(binary.BigEndian.AppendUint32(nil, uint32(len(data))))
		b.Write(data)
	}
	l, rest := w.o.Layout, w.tracks
	for i := range l.Sessions {
		s := &l.Sessions[i]
		own := rest[:len(s.Tracks)]
		rest = rest[len(own):]
		chunk("CUEX", cuePoints(s, own))
		chunk("DAOX", daoTable(l, s, own))
		if i == 0 && len(l.CDText) > 0 {
			chunk("CDTX", disc.PackBytes(l.CDText))
		}
		chunk("SINF", binary.BigEndian.AppendUint32(nil, uint32(len(own))))
	}
	chunk("MTYP", binary.BigEndian.AppendUint32(nil, mediaType(l.Medium)))
	chunk("END!", nil)
	b.WriteString("NER5")
	b.Write(binary.BigEndian.AppendUint64(nil, uint64(w.size)))
	return b.Bytes()
}

// cuePoints makes the CUEX chunk of a session.
func cuePoints(s *disc.Session, tracks []placed) []byte {
	var b []byte
	add := func(control disc.Control, track byte, index int, at disc.LBA) {
		b = append(b, byte(control)<<4|1, track, addr.ToBCD(index), 0)
		b = binary.BigEndian.AppendUint32(b, uint32(int32(at)))
	}
	first, last := &tracks[0], &tracks[len(tracks)-1]
	add(first.Control, 0, 0, first.Begin()-disc.LBA(first.lead))
	for i := range tracks {
		t := &tracks[i]
		number := addr.ToBCD(t.Number)
		add(t.Control, number, 0, t.Begin()-disc.LBA(t.lead))
		add(t.Control, number, 1, t.Start)
		for k, x := range t.Indexes {
			add(t.Control, number, k+2, x)
		}
	}
	add(last.Control, cdsector.LeadOut, 1, s.LeadOut)
	return b
}

// daoTable makes the DAOX chunk of a session.
func daoTable(l *disc.Layout, s *disc.Session, tracks []placed) []byte {
	const entry = daoCommon + 3*8
	size := daoHeader + len(tracks)*entry
	b := make([]byte, 0, size)
	b = binary.BigEndian.AppendUint32(b, uint32(size))
	var mcn [14]byte
	copy(mcn[:], l.MCN)
	b = append(b, mcn[:]...)
	b = append(b, byte(s.Format), 1, byte(tracks[0].Number), byte(tracks[len(tracks)-1].Number))
	for i := range tracks {
		t := &tracks[i]
		var isrc [12]byte
		copy(isrc[:], t.ISRC)
		b = append(b, isrc[:]...)
		b = binary.BigEndian.AppendUint16(b, uint16(t.as.Size(l.Medium)))
		b = append(b, t.code, 0, 0, 1)
		for _, at := range [...]int64{t.pregap, t.start, t.end} {
			b = binary.BigEndian.AppendUint64(b, uint64(at))
		}
	}
	return b
}

// Bits of MTYP (NeroAPI's media types, by libmirage).
const (
	mediaCD   = 0x00000401
	mediaDVDs = 0x000C021C // writable ones of any kind, and DVD-ROM
	mediaBDs  = 0x00700000
)

func mediaType(m disc.Medium) uint32 {
	switch m {
	case disc.DVD:
		return mediaDVDs
	case disc.BD:
		return mediaBDs
	}
	return 1
}
