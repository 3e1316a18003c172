package nrg

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"spindle/addr"
	"spindle/disc"
	"spindle/disc/cdsector"
)

// Placed is a track of a disc and how a file holds it.
type Placed struct {
	Track *disc.Track
	Mode  Mode
	// Lead is the number of sectors before the track's first that are stored too:
	// the two seconds that each session begins with, which no image has.
	Lead int
}

// FromLayout makes the table of a disc in disc-at-once form. modes has one element
// for each track. The file holds the sectors as Placed says, track after track, and
// then the table: see [Table.Bytes].
func FromLayout(l *disc.Layout, modes []Mode) (*Table, []Placed, error) {
	if n := len(l.Tracks()); len(modes) != n {
		return nil, nil, fmt.Errorf("%d modes for %d tracks", len(modes), n)
	}
	t := &Table{MCN: l.MCN, CDText: l.CDText, Media: mediaType(l.Medium)}
	var placed []Placed
	at := int64(0)
	for i := range l.Sessions {
		s := &l.Sessions[i]
		out := Session{Format: s.Format, First: s.Tracks[0].Number}
		own := placed[len(placed):]
		for j := range s.Tracks {
			p := Placed{Track: &s.Tracks[j], Mode: modes[len(placed)+len(own)]}
			if j == 0 {
				p.Lead = addr.Pregap
				if i == 0 {
					p.Lead = min(addr.Pregap, addr.Pregap+int(p.Track.Begin()))
				}
			}
			d, err := p.place(at)
			if err != nil {
				return nil, nil, err
			}
			at = d.End
			out.DAO = append(out.DAO, d)
			own = append(own, p)
		}
		out.Cues = cuePoints(s, own)
		placed = append(placed, own...)
		t.Sessions = append(t.Sessions, out)
	}
	return t, placed, nil
}

// place makes the entry of a track that is stored from a byte on.
func (p *Placed) place(at int64) (DAOTrack, error) {
	if _, err := p.Mode.coding(); err != nil {
		return DAOTrack{}, err
	}
	t, stride := p.Track, int64(p.Mode.SectorSize())
	d := DAOTrack{ISRC: t.ISRC, SectorSize: int(stride), Mode: p.Mode, Pregap: at}
	d.Start = d.Pregap + int64(p.Lead+t.Pregap)*stride
	d.End = d.Start + int64(t.End-t.Start)*stride
	return d, nil
}

// cuePoints says where the indexes of a session are.
func cuePoints(s *disc.Session, tracks []Placed) []CuePoint {
	var all []CuePoint
	first, last := &tracks[0], &tracks[len(tracks)-1]
	all = append(all, CuePoint{Control: first.Track.Control, At: first.Track.Begin() - disc.LBA(first.Lead)})
	for i := range tracks {
		t := tracks[i].Track
		all = append(all, CuePoint{t.Control, t.Number, 0, t.Begin() - disc.LBA(tracks[i].Lead)}, CuePoint{t.Control, t.Number, 1, t.Start})
		for k, x := range t.Indexes {
			all = append(all, CuePoint{t.Control, t.Number, k + 2, x})
		}
	}
	return append(all, CuePoint{last.Track.Control, cdsector.LeadOut, 1, s.LeadOut})
}

// Sectors returns how many bytes of sectors the tracks take: where the table begins
// when nothing is between.
func (t *Table) Sectors() int64 {
	end := int64(0)
	for i := range t.Sessions {
		for _, d := range t.Sessions[i].DAO {
			end = max(end, d.End)
		}
	}
	return end
}

// Bytes returns the chunks and the footer of version 2 of the format, for a file
// that has them from the byte [Table.Sectors] on. Sessions must be in disc-at-once
// form.
func (t *Table) Bytes() []byte {
	var b bytes.Buffer
	chunk := func(id string, data []byte) {
		b.WriteString(id)
		b.Write(binary.BigEndian.AppendUint32(nil, uint32(len(data))))
		b.Write(data)
	}
	for i := range t.Sessions {
		s := &t.Sessions[i]
		chunk("CUEX", s.cueChunk())
		chunk("DAOX", s.daoChunk(t.MCN))
		if i == 0 && len(t.CDText) > 0 {
			chunk("CDTX", disc.PackBytes(t.CDText))
		}
		chunk("SINF", binary.BigEndian.AppendUint32(nil, uint32(len(s.DAO))))
	}
	chunk("MTYP", binary.BigEndian.AppendUint32(nil, t.Media))
	chunk("END!", nil)
	b.WriteString("NER5")
	b.Write(binary.BigEndian.AppendUint64(nil, uint64(t.Sectors())))
	return b.Bytes()
}

func (s *Session) cueChunk() []byte {
	var b []byte
	for _, p := range s.Cues {
		track := addr.ToBCD(p.Track)
		if p.Track == cdsector.LeadOut {
			track = cdsector.LeadOut
		}
		b = append(b, byte(p.Control)<<4|1, track, addr.ToBCD(p.Index), 0)
		b = binary.BigEndian.AppendUint32(b, uint32(int32(p.At)))
	}
	return b
}

func (s *Session) daoChunk(mcn string) []byte {
	const entry = daoCommon + 3*8
	size := daoHeader + len(s.DAO)*entry
	b := make([]byte, 0, size)
	b = binary.BigEndian.AppendUint32(b, uint32(size))
	var code [14]byte
	copy(code[:], mcn)
	b = append(b, code[:]...)
	b = append(b, byte(s.Format), 1, byte(s.First), byte(s.First+len(s.DAO)-1))
	for i := range s.DAO {
		d := &s.DAO[i]
		var isrc [12]byte
		copy(isrc[:], d.ISRC)
		b = append(b, isrc[:]...)
		b = binary.BigEndian.AppendUint16(b, uint16(d.SectorSize))
		b = append(b, byte(d.Mode), 0, 0, 1)
		for _, at := range [...]int64{d.Pregap, d.Start, d.End} {
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
