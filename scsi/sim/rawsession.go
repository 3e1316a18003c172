package sim

import (
	"encoding/binary"

	"spindle/addr"
	"spindle/disc"
	"spindle/disc/cdsector"
)

// packCollector gathers CD-TEXT packs from the R to W sub-channels, in which they
// are repeated without end.
type packCollector struct {
	packs []disc.Pack
	full  bool
}

// rawSession is a session whose every bit the host makes (write type 3).
type rawSession struct {
	next    disc.LBA
	starts  map[int]disc.LBA // from the lead-in
	format  disc.SessionFormat
	leadOut disc.LBA
	text    packCollector
}

// writeRawSectors writes sectors with their sub-channels.
func (d *Drive) writeRawSectors(data []byte, a disc.LBA, n int) (int, error) {
	kind, _ := blockTypeOf(d.rec.page.blockType())
	raw := d.rec.raw
	if raw == nil {
		if a > -addr.Pregap || a < leadInStart-addr.LaterLeadOut-addr.LeadIn || !d.disc.blank() {
			return 0, errAddress
		}
		raw = &rawSession{next: a, starts: map[int]disc.LBA{}}
	}
	if a != raw.next || int(a)+n > d.disc.st.Capacity+addr.FirstLeadOut {
		return 0, errAddress
	}
	if err := d.blocks(data, n, kind.size); err != nil {
		return 0, err
	}
	if d.rec.raw == nil {
		d.rec.raw = raw
		d.beginTest()
		d.disc.st.Spoiled = true
		d.rec.weak = !d.rec.page.underrunFree()
		d.warmUp(trackStartTime)
		d.changed()
	}
	for i := range n {
		sector := data[i*kind.size : (i+1)*kind.size]
		if err := d.rawSector(raw, sector[:cdsector.Size], sector[cdsector.Size:], a+disc.LBA(i)); err != nil {
			return i * kind.size, err
		}
	}
	raw.next = a + disc.LBA(n)
	return n * kind.size, nil
}

// rawQ is the Q sub-channel of a sector as the host sent it, right or wrong.
type rawQ struct {
	bytes     [cdsector.QSize]byte
	ok        bool // its CRC is right
	track     int
	index     int
	mcn, isrc string
}

func newRawQ(sub []byte) rawQ {
	var q rawQ
	if len(sub) == cdsector.SubSize {
		q.bytes = cdsector.DeinterleaveQ((*[cdsector.SubSize]byte)(sub))
	} else {
		copy(q.bytes[:], sub)
	}
	q.ok = cdsector.CRC16(q.bytes[:10]) == binary.BigEndian.Uint16(q.bytes[10:])
	q.track, q.index = looseBCD(q.bytes[1]), looseBCD(q.bytes[2])
	if decoded, err := cdsector.DecodeQ(&q.bytes); err == nil {
		switch decoded.ADR {
		case 2:
			q.mcn = decoded.MCN
		case 3:
			q.isrc = decoded.ISRC
		}
	}
	return q
}

// position reports whether it states where the sector is (ADR 1).
func (q *rawQ) position() bool        { return q.ok && q.bytes[0]&15 == 1 }
func (q *rawQ) control() disc.Control { return disc.Control(q.bytes[0] >> 4) }

// looseBCD takes digits that are none for what they are worth.
func looseBCD(b byte) int { return int(b>>4)*10 + int(b&15) }

// rawSector takes one sector of a raw session: its Q says what it is.
func (d *Drive) rawSector(raw *rawSession, main, sub []byte, a disc.LBA) error {
	q := newRawQ(sub)
	if a < -addr.Pregap {
		raw.point(&q)
		if len(sub) == cdsector.SubSize {
			raw.text.add(sub)
		}
		return nil
	}
	if q.mcn != "" {
		d.disc.st.MCN = q.mcn
	}
	if q.position() && q.bytes[1] == cdsector.LeadOut && raw.leadOut == 0 {
		raw.leadOut = a
	}
	if raw.leadOut != 0 {
		return nil
	}
	t, err := d.rawTrack(&q, a)
	if err != nil || t == nil || a < 0 {
		return err
	}
	d.queueRaw(raw, t, main, a)
	return nil
}

// point takes an entry of the table of contents from the lead-in.
func (raw *rawSession) point(q *rawQ) {
	if !q.position() || q.bytes[1] != 0 {
		return
	}
	p := disc.MSF{M: looseBCD(q.bytes[7]), S: looseBCD(q.bytes[8]), F: looseBCD(q.bytes[9])}
	switch {
	case q.bytes[2] == 0xA0:
		raw.format = disc.SessionFormat(q.bytes[8])
	case q.index >= 1 && q.index <= 99:
		raw.starts[q.index] = p.LBA()
	}
}

// rawTrack is the track of a sector: Q begins new ones, and their indexes.
func (d *Drive) rawTrack(q *rawQ, a disc.LBA) (*TrackState, error) {
	t := d.openTrack()
	switch {
	case q.position() && (t == nil || q.track == t.Number+1):
		if t != nil {
			t.Closed, t.End = true, a
		}
		return d.addTrack(TrackState{Number: q.track, Control: q.control(), Start: max(a, 0), Next: max(a, 0)})
	case q.position() && q.index > 1 && q.index == len(t.Indexes)+2:
		t.Indexes = append(t.Indexes, a)
	case q.isrc != "" && t != nil && t.ISRC == "":
		t.ISRC = q.isrc
	}
	return t, nil
}

// queueRaw queues the main channel of a sector; data come scrambled.
func (d *Drive) queueRaw(raw *rawSession, t *TrackState, main []byte, a disc.LBA) {
	p := d.rec.buffer.chunkOf(cdsector.Size)
	copy(p, main)
	s := (*[cdsector.Size]byte)(p)
	if t.Control&disc.DataTrack != 0 && cdsector.HasSync(s) {
		cdsector.Scramble(s)
		if mode := modeOf(cdsector.Classify(s)); mode != disc.Audio {
			t.Mode = mode
		}
	}
	if start, known := raw.starts[t.Number]; known && t.Start != start && start > t.begin() {
		t.Pregap, t.Start = int(start-t.begin()), start
	}
	d.enqueue(chunk{data: p, first: a, n: 1, at: (int64(t.Offset) + int64(a-t.begin())) * cdsector.Size, track: t.Number})
}

// endRaw is the end of a raw session.
func (d *Drive) endRaw() {
	raw := d.rec.raw
	if raw == nil {
		return
	}
	d.rec.raw = nil
	if d.rec.test != nil {
		d.endTest()
		return
	}
	s := d.disc.open()
	if raw.leadOut == 0 || s == nil || len(d.rec.late) > 0 {
		d.changed()
		return
	}
	for i := range s.Tracks {
		t := &s.Tracks[i]
		if !t.Closed {
			t.End = raw.leadOut
		}
		t.Closed, t.Next = true, t.End
	}
	if packs := raw.text.packs; len(packs) > 0 {
		d.disc.st.CDText = packs
	}
	s.Format = raw.format
	d.closeSession(s, raw.leadOut)
	d.disc.st.Final = true
	d.changed()
}
