package mds

import (
	"encoding/binary"

	"spindle/addr"
	"spindle/disc"
	"spindle/disc/cdsector"
)

// What the blocks of tracks say of modes.
const (
	codeAudio = 0xA9
	codeMode1 = 0xAA
	codeMode2 = 0xAB
)

// describer makes an .mds of version 1.5.
type describer struct {
	l      *disc.Layout
	tracks []stored
	size   int
	b      []byte // all of it

	extras, footer int
}

// describe makes the descriptor of tracks whose sectors have so many bytes in the .mdf.
func describe(l *disc.Layout, tracks []stored, size int) []byte {
	d := describer{l: l, tracks: tracks, size: size}
	le := binary.LittleEndian
	blocks := len(tracks)
	if !d.isDVD() {
		blocks += 3 * len(l.Sessions)
	}
	structures := headerSize
	sessions := structures + len(d.structures())
	first := sessions + len(l.Sessions)*sessionSize
	d.extras = first + blocks*blockSize
	d.footer = d.extras
	if !d.isDVD() {
		d.footer += len(tracks) * extraSize
	}
	const name = "*.mdf\x00"
	d.b = make([]byte, d.footer+footerSize, d.footer+footerSize+len(name))
	copy(d.b, magic)
	d.b[16], d.b[17] = 1, 5
	if d.isDVD() {
		le.PutUint16(d.b[18:], mediumDVD)
		copy(d.b[structures:], d.structures())
		if sessions > structures {
			le.PutUint32(d.b[64:], uint32(structures))
		}
	}
	le.PutUint16(d.b[20:], uint16(len(l.Sessions)))
	le.PutUint16(d.b[22:], 2) // Daemon Tools asks for it
	le.PutUint32(d.b[80:], uint32(sessions))
	at := first
	for i := range l.Sessions {
		at = d.session(sessions+i*sessionSize, at, &l.Sessions[i])
	}
	for i, t := range tracks {
		if !d.isDVD() {
			le.PutUint32(d.b[d.extras+i*extraSize:], uint32(t.Unstored))
			le.PutUint32(d.b[d.extras+i*extraSize+4:], uint32(t.Length))
		}
	}
	le.PutUint32(d.b[d.footer:], uint32(len(d.b)))
	return append(d.b, name...)
}

func (d *describer) isDVD() bool { return d.l.Medium != disc.CD }

// structures are those of a DVD with two layers: that is where the break between them is.
func (d *describer) structures() []byte {
	if d.l.LayerBreak == 0 {
		return nil
	}
	const start = 0x30000 // of the data area, in physical sectors (ECMA-267)
	be := binary.BigEndian
	one := make([]byte, copyrightSize+2*structureSize)
	p := one[physicalAt:]
	p[0] = 1                // DVD-ROM
	p[2] = twoLayers<<5 | 1 // opposite track paths are bit 4
	p[2] |= 1 << 4
	end := start + uint32(d.l.LayerBreak) - 1
	be.PutUint32(p[4:], start)
	be.PutUint32(p[8:], ^end&0xFFFFFF)
	be.PutUint32(p[12:], end)
	return append(one, one...) // for each layer
}

// session writes a session block at a place, and the blocks of its tracks from another on,
// and returns where these end.
func (d *describer) session(at, blocks int, s *disc.Session) int {
	le := binary.LittleEndian
	first, last := &s.Tracks[0], &s.Tracks[len(s.Tracks)-1]
	b := d.b[at:]
	start := int32(first.Start) - addr.Pregap
	if first.Number == d.tracks[0].Number {
		start = -addr.Pregap
	}
	le.PutUint32(b, uint32(start))
	le.PutUint32(b[4:], uint32(s.LeadOut))
	le.PutUint16(b[8:], uint16(s.Number))
	n, leadIn := len(s.Tracks), 0
	if !d.isDVD() {
		leadIn = 3
	}
	b[10], b[11] = byte(n+leadIn), byte(leadIn)
	le.PutUint16(b[12:], uint16(first.Number))
	le.PutUint16(b[14:], uint16(last.Number))
	le.PutUint32(b[20:], uint32(blocks))
	if !d.isDVD() {
		d.point(blocks, pointFormat, first.Control, [3]byte{byte(first.Number), byte(s.Format)})
		d.point(blocks+blockSize, pointLast, last.Control, [3]byte{byte(last.Number)})
		d.point(blocks+2*blockSize, pointLeadOut, last.Control, bytesOf(s.LeadOut))
		blocks += 3 * blockSize
	}
	for i := range d.tracks {
		if d.tracks[i].Session == s.Number {
			d.track(blocks, i)
			blocks += blockSize
		}
	}
	return blocks
}

func bytesOf(a disc.LBA) [3]byte {
	m := a.MSF()
	return [3]byte{byte(m.M), byte(m.S), byte(m.F)}
}

// point writes what the table of contents says of a point.
func (d *describer) point(at, point int, control disc.Control, p [3]byte) {
	b := d.b[at:]
	const position = 1 // ADR
	b[2], b[4] = position<<4|byte(control), byte(point)
	copy(b[9:], p[:])
}

// track writes the block of the i-th track.
func (d *describer) track(at, i int) {
	le := binary.LittleEndian
	t := &d.tracks[i]
	d.point(at, t.Number, t.Control, bytesOf(t.Start))
	b := d.b[at:]
	b[0] = map[disc.Mode]byte{disc.Audio: codeAudio, disc.Mode1: codeMode1, disc.Mode2: codeMode2}[t.Mode]
	if t.Mode == disc.Mode0 {
		b[0] = codeMode1
	}
	if d.size == cdsector.Size+cdsector.SubSize {
		b[1] = 8
	}
	if d.isDVD() {
		le.PutUint32(b[12:], uint32(t.Length))
	} else {
		le.PutUint32(b[12:], uint32(d.extras+i*extraSize))
	}
	le.PutUint16(b[16:], uint16(d.size))
	le.PutUint32(b[36:], uint32(t.Start))
	le.PutUint64(b[40:], uint64(t.offset)+uint64(t.Start-t.From)*uint64(d.size))
	le.PutUint32(b[48:], 1)
	le.PutUint32(b[52:], uint32(d.footer))
}
