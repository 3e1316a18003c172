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
	kind, _ := blockTypeOf(d.rec.blockType())
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
		d.rec.weak = !d.rec.underrunFree()
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

// rawSector takes one sector of a raw session: its Q says what it is.
func (d *Drive) rawSector(raw *rawSession, main, sub []byte, a disc.LBA) error {
	var q [cdsector.QSize]byte
	if len(sub) == cdsector.SubSize {
		q = cdsector.DeinterleaveQ((*[cdsector.SubSize]byte)(sub))
	} else {
		copy(q[:], sub)
	}
	ok := cdsector.CRC16(q[:10]) == binary.BigEndian.Uint16(q[10:])
	bcd := func(b byte) int { return int(b>>4)*10 + int(b&15) }
	number, index := bcd(q[1]), bcd(q[2])
	if a < -addr.Pregap {
		if ok && q[0]&15 == 1 && q[1] == 0 {
			p := disc.MSF{M: bcd(q[7]), S: bcd(q[8]), F: bcd(q[9])}
			switch {
			case q[2] == 0xA0:
				raw.format = disc.SessionFormat(q[8])
			case index >= 1 && index <= 99:
				raw.starts[index] = p.LBA()
			}
		}
		if len(sub) == cdsector.SubSize {
			raw.text.add(sub)
		}
		return nil
	}
	decoded, err := cdsector.DecodeQ(&q)
	if err == nil && decoded.ADR == 2 {
		d.disc.st.MCN = decoded.MCN
	}
	t := d.openTrack()
	switch {
	case ok && q[0]&15 == 1 && q[1] == cdsector.LeadOut:
		if raw.leadOut == 0 {
			raw.leadOut = a
		}
		return nil
	case raw.leadOut != 0:
		return nil
	case ok && q[0]&15 == 1 && (t == nil || number == t.Number+1):
		if t != nil {
			t.Closed, t.End = true, a
		}
		if t, err = d.addTrack(TrackState{Control: disc.Control(q[0] >> 4), Start: max(a, 0), Next: max(a, 0)}); err != nil {
			return err
		}
	case ok && q[0]&15 == 1 && index > 1 && index == len(t.Indexes)+2:
		t.Indexes = append(t.Indexes, a)
	case err == nil && decoded.ADR == 3 && t != nil && t.ISRC == "":
		t.ISRC = decoded.ISRC
	}
	if a < 0 || t == nil {
		return nil
	}
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
	return nil
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
