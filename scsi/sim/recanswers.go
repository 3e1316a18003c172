package sim

import (
	"encoding/binary"
	"math"

	"spindle/addr"
	"spindle/disc"
	"spindle/scsi"
)

// writeFeatures are the features of a recorder.
func (d *Drive) writeFeatures(now profile) [][]byte {
	if d.cfg.CannotWrite {
		return nil
	}
	r := d.disc
	on := func(c class) bool { return now != profileNone && r != nil && !r.st.Final && r.kind.class == c }
	is := func(ps ...profile) bool {
		for _, p := range ps {
			if now == p {
				return r != nil
			}
		}
		return false
	}
	capacity := make([]byte, 12)
	if r != nil {
		binary.BigEndian.PutUint32(capacity, uint32(r.st.Capacity-1))
	}
	binary.BigEndian.PutUint32(capacity[4:], 2048)
	capacity[9], capacity[10] = byte(now.blocking()), 1
	incremental := on(cdRecord) || on(minusRecord) && !r.st.Minimal
	linkSize := byte(16)
	if now.medium() == disc.CD {
		linkSize = linkSectors
	}
	pow := now == profileBDR && r != nil && r.st.Format.POW
	cueSize := []byte{0x7F, 0, maxCueSheet >> 8, maxCueSheet & 0xFF}
	return [][]byte{
		feature(0x0020, false, is(profileDVDRAM, profilePlusRW, profileBDRE) || pow, capacity...),
		feature(0x0021, false, incremental, 0x3F, 0x0F, 1, 1, linkSize),
		feature(0x0023, false, is(profileDVDRAM, profileDVDRW, profileDVDRWRO, profilePlusRW, profileBDRE, profileBDR), 0x0F, 0, 0, 0, 1, 0, 0, 0),
		feature(0x0024, false, is(profileDVDRAM, profileBDRE) || r != nil && r.st.Format.Spares, 0x80, 0, 0, 0),
		feature(0x0026, false, is(profileDVDRWRO)),
		feature(0x002A, false, is(profilePlusRW), 1, 0, 0, 0),
		feature(0x002B, false, is(profilePlusR), 1, 0, 0, 0),
		feature(0x002C, false, is(profileDVDRWRO), 0x0B, 0, 1, 16),
		feature(0x002D, false, on(cdRecord), 0x47, 0, 0x3F, 0x01),
		feature(0x002E, false, on(cdRecord), cueSize...),
		feature(0x002F, false, on(minusRecord), 0x4E, 0, 0, 0),
		feature(0x0037, false, is(profileCDRW), 0, 0, 0, 0),
		feature(0x0038, false, pow, 0, 0, 0, 0),
		feature(0x003B, false, is(profilePlusRDL), 1, 0, 0, 0),
		feature(0x0041, false, is(profileBDR, profileBDRE), make([]byte, 20)...),
	}
}

// speedKBps is a multiple of 1x in the kB/s that drives state.
func (d *Drive) speedKBps(x float64) int {
	switch d.media.medium() {
	case disc.DVD:
		return int(math.Round(x * 1385))
	case disc.BD:
		return int(math.Round(x * 4495.5))
	}
	return int(math.Round(x * 176.4))
}

// setWriteSpeed chooses the speed of writing, in kB/s.
func (d *Drive) setWriteSpeed(kBps int) {
	d.rec.speed = 0
	if kBps > 0 && kBps < 0xFFFF {
		d.rec.speed = float64(kBps) / float64(d.speedKBps(1)) * 1.02
	}
}

// writePerformance answers GET PERFORMANCE for writing: type 0, or type 3.
func (d *Drive) writePerformance(b []byte, kind byte) []byte {
	if d.disc == nil || d.cfg.CannotWrite {
		return b
	}
	end := uint32(d.disc.st.Capacity - 1)
	read := uint32(d.mech.kBps(d.mech.rate(float64(end)), d.media.medium().SectorSize()))
	if kind == 0 {
		v := uint32(d.speedKBps(d.writeSpeed()))
		for _, x := range []uint32{0, v, end, v} {
			b = binary.BigEndian.AppendUint32(b, x)
		}
		return b
	}
	for _, s := range d.writeSpeeds() {
		for _, x := range []uint32{0, end, read, uint32(d.speedKBps(s))} {
			b = binary.BigEndian.AppendUint32(b, x)
		}
	}
	return b
}

// recordedInfo fills in READ DISC INFORMATION for a recordable disc.
func (d *Drive) recordedInfo(b []byte) []byte {
	r := d.disc
	b[7] = r.st.Format.Background & 3
	cd := r.kind.class == cdRecord
	if cd && r.blank() {
		b[8] = 0xFF
	}
	put := func(at int, n int) { b[at], b[at+5] = byte(n), byte(n>>8) }
	switch {
	case r.kind.class == random:
		b[2] |= 0x0F // complete session; neither blank nor appendable
		if r.kind.profile == profilePlusRW {
			b[2] = b[2]&^3 | 2
			if r.st.Format.Background == 0 {
				b[2] &^= 0x0F // blank
			}
		}
		if r.kind.profile == profileDVDRWRO && r.st.Format.Intermediate {
			b[2] = b[2]&^0x0F | 3 | 1<<2
		}
		if r.kind.profile == profileBDRE && !r.st.Format.Done {
			b[2] &^= 0x0F
		}
	case r.blank():
		if r.kind.profile == profileBDR && r.st.Format.Done {
			b[2] |= 1 // formatted, and nothing written yet
		}
	case r.st.Final:
		b[2] |= 0x0E
	default:
		b[2] |= 1
		switch {
		case r.st.Spoiled && d.rec.cue == nil && d.rec.raw == nil && !d.rec.atOnce:
			b[2] |= 2 << 2 // damaged
		case r.open() != nil:
			b[2] |= 1 << 2
		}
	}
	for i := 16; i < 24; i++ {
		b[i] = 0xFF
	}
	sessions := max(len(r.st.Sessions), 1)
	first, last := 1, 1
	if r.kind.class != random && len(r.st.Sessions) > 0 && len(r.st.Sessions[0].Tracks) > 0 {
		last = r.lastTrack().numberOr(1)
		if r.st.Final {
			first = r.last().Tracks[0].Number
		} else {
			if r.open() == nil {
				sessions++
				first = last + 1
			} else if s := r.open(); len(s.Tracks) > 0 {
				first = s.Tracks[0].Number
			}
			last = max(last, d.invisibleNumber())
		}
		b[3] = byte(max(1, r.st.Sessions[0].Tracks[0].Number))
		if cd {
			b[8] = byte(r.st.Sessions[0].Format)
		}
	}
	put(4, sessions)
	put(5, first)
	put(6, last)
	if cd && !r.st.Final {
		leadIn := disc.LBA(leadInStart)
		if len(r.st.Sessions) > 0 && r.open() == nil {
			leadIn = d.beginning() - addr.Pregap - addr.LeadIn
		}
		b[16], b[20] = 0, 0
		if leadIn < 0 {
			copy(b[17:], leadInMSF)
		} else {
			m := msfBytes(leadIn)
			copy(b[17:], m[:])
		}
		m := msfBytes(disc.LBA(r.st.Capacity))
		copy(b[21:], m[:])
	}
	return b
}

func (t *TrackState) numberOr(n int) int {
	if t == nil {
		return n
	}
	return t.Number
}

// invisibleNumber is the number of the track in which writing would go on: the
// open one, or the one that would be begun.
func (d *Drive) invisibleNumber() int {
	if t := d.openTrack(); t != nil {
		return t.Number
	}
	return d.disc.lastTrack().numberOr(0) + 1
}

// recordedTrack answers READ TRACK INFORMATION for a recordable disc.
func (d *Drive) recordedTrack(c *scsi.Command) (int, error) {
	r := d.disc
	number := binary.BigEndian.Uint32(c.CDB[2:])
	if r.kind.class == random {
		switch {
		case c.CDB[1]&3 != 0 && number != 1 && number != 0xFF,
			c.CDB[1]&3 == 0 && number >= uint32(max(r.st.Capacity, 1)):
			return 0, badField(2)
		}
		t := TrackState{Number: 1, Mode: disc.Mode1, Control: disc.DataTrack, End: disc.LBA(r.st.Format.Blocks)}
		if !r.st.Format.Done {
			t.End = disc.LBA(r.st.Capacity)
		}
		b := trackAnswer(&t, 1)
		if !r.st.Format.Done {
			b[6] |= 0x40
		}
		if r.kind.profile == profileDVDRWRO { // its packets are the ECC blocks
			b[6] |= 0x10
			b[23] = 16
		}
		return reply(c, d.sized16(b), alloc16(c, 7))
	}
	t, session, invisible := d.findTrack(c.CDB[1]&3, number)
	if t == nil {
		return 0, badField(2)
	}
	b := trackAnswer(t, session)
	next := d.nwa(t)
	end := t.End
	if end == 0 {
		end = disc.LBA(r.st.Capacity)
	}
	if invisible && r.kind.class == cdRecord && r.open() == nil && d.rec.writeType() == writeSAO {
		next -= addr.Pregap // a session at once begins with its pregap
	}
	if !t.Closed {
		binary.BigEndian.PutUint32(b[16:], uint32(max(0, int(end)-int(max(next, 0)))))
		binary.BigEndian.PutUint32(b[24:], uint32(max(0, end-t.Start)))
		if invisible || t.Next == t.Start && next <= t.Start {
			b[6] |= 0x40 // blank
		}
		if !t.Damaged && !r.st.Final && (!r.st.Spoiled || d.rec.cue != nil) {
			b[7] |= 1
			binary.BigEndian.PutUint32(b[12:], uint32(next))
		} else {
			b[5] |= 0x20
		}
	}
	if r.kind.class == minusRecord || t.Packets {
		binary.BigEndian.PutUint32(b[20:], uint32(r.kind.profile.blocking()))
	}
	if r.kind.class == minusRecord && t.Packets {
		b[6] |= 0x20
	}
	if next > t.Start {
		b[7] |= 2
		binary.BigEndian.PutUint32(b[28:], uint32(next-1))
	}
	return reply(c, d.sized16(b), alloc16(c, 7))
}

// resources answers READ DISC INFORMATION types 1, track resources, and 2, those
// of pseudo-overwrite (MMC-6 6.22.3.2).
func (d *Drive) resources(kind byte) []byte {
	switch {
	case kind == 1 && d.disc != nil && d.disc.kind.class != random:
		b := make([]byte, 12)
		b[2] = 1 << 5
		used := d.disc.lastTrack().numberOr(0)
		binary.BigEndian.PutUint16(b[4:], 99)
		binary.BigEndian.PutUint16(b[6:], uint16(used))
		binary.BigEndian.PutUint16(b[8:], 99)
		binary.BigEndian.PutUint16(b[10:], uint16(max(0, 99-used)))
		return b
	case kind == 2 && d.disc != nil && d.disc.st.Format.POW:
		b := make([]byte, 16)
		b[2] = 2 << 5
		spares := uint32(d.disc.kind.capacity-d.disc.st.Capacity) / 32
		binary.BigEndian.PutUint32(b[4:], spares)
		binary.BigEndian.PutUint32(b[8:], spares)
		binary.BigEndian.PutUint32(b[12:], spares)
		return b
	}
	return nil
}

// structureList is READ DISC STRUCTURE FFh: the structures there are.
func (d *Drive) structureList(medium disc.Medium) []byte {
	b := make([]byte, 4)
	for format := range 0x100 {
		size := 0
		switch {
		case format == 0 && medium == disc.BD:
			size = 4100
		case (format == 0 || format == 4) && medium == disc.DVD:
			size = 2052
		case format == 1 && medium == disc.DVD:
			size = 8
		default:
			size = len(d.recordedStructure(byte(format)))
		}
		if size > 0 {
			flags := byte(0x40) // can be read
			if format == 0x20 {
				flags |= 0x80
			}
			b = append(b, byte(format), flags, byte(size>>8), byte(size))
		}
	}
	return b
}

// findTrack finds the track that READ TRACK INFORMATION asks for, its session,
// and whether it is the one that has not been begun yet.
func (d *Drive) findTrack(by byte, number uint32) (t *TrackState, session int, invisible bool) {
	r := d.disc
	for i := range r.st.Sessions {
		for j := range r.st.Sessions[i].Tracks {
			u := &r.st.Sessions[i].Tracks[j]
			a := disc.LBA(int32(number))
			switch {
			case by == 0 && a >= u.begin() && a < max(u.End, d.nwa(u)),
				by == 1 && int(number) == u.Number,
				by == 1 && number == 0xFF && u == d.openTrack(),
				by == 2 && int(number) == i+1 && j == 0:
				return u, i + 1, false
			}
		}
	}
	if r.st.Final || d.openTrack() != nil || int(d.beginning()) >= r.st.Capacity {
		return nil, 0, false
	}
	session = len(r.st.Sessions)
	if r.open() == nil {
		session++
	}
	a := disc.LBA(int32(number))
	hit := by == 0 && a >= d.beginning() && int(a) < r.st.Capacity || by == 1 && (number == 0xFF || int(number) == d.invisibleNumber()) ||
		by == 2 && int(number) == session
	if !hit {
		return nil, 0, false
	}
	begin := d.beginning()
	return &TrackState{Number: d.invisibleNumber(), Mode: disc.Mode1, Control: disc.DataTrack, Start: begin, Next: begin,
		Packets: r.kind.class == minusRecord && d.rec.writeType() == writePacket}, session, true
}

// trackAnswer is what is common to all answers of READ TRACK INFORMATION.
func trackAnswer(t *TrackState, session int) []byte {
	b := make([]byte, 36)
	b[2], b[3], b[32], b[33] = byte(t.Number), byte(session), byte(t.Number>>8), byte(session>>8)
	b[5], b[6] = byte(t.Control), 0x0F
	switch t.Mode {
	case disc.Mode1:
		b[6] = 1
	case disc.Mode2:
		b[6] = 2
	}
	if t.Reserved {
		b[6] |= 0x80
	}
	if t.Damaged {
		b[5] |= 0x20
	}
	binary.BigEndian.PutUint32(b[8:], uint32(t.Start))
	binary.BigEndian.PutUint32(b[24:], uint32(max(t.End, t.Next)-t.Start))
	return b
}

// recordedFormats answers READ FORMAT CAPACITIES for a recordable disc.
func (d *Drive) recordedFormats(b []byte) []byte {
	r := d.disc
	binary.BigEndian.PutUint32(b[4:], uint32(r.st.Capacity))
	b[8] = 1 // unformatted or blank
	switch {
	case r.kind.class == random && r.st.Format.Done:
		b[8] = 2
		binary.BigEndian.PutUint32(b[4:], uint32(r.st.Format.Blocks))
		if r.st.Format.Intermediate {
			b[8] = 3
		}
	case r.kind.class == random:
	case r.kind.profile == profileBDR && r.st.Format.Done && r.blank():
		b[8] = 2
	case d.toc != nil:
		b[8] = 2
		binary.BigEndian.PutUint32(b[4:], uint32(d.toc.End()))
	case !r.blank():
		b[8] = 3
	}
	for _, f := range d.formats() {
		b = binary.BigEndian.AppendUint32(b, uint32(f.blocks))
		b = binary.BigEndian.AppendUint32(b, uint32(f.kind)<<26|f.param)
	}
	b[3] = byte(len(b) - 4)
	return b
}

// atip is READ TOC format 4.
func (d *Drive) atip() []byte {
	b := make([]byte, 28)
	b[4] = 0xD0
	if d.disc.kind.profile == profileCDRW {
		b[6] = 0x40
		b[4] |= 1
	}
	b[6] |= 0x80
	copy(b[8:], leadInMSF)
	m := msfBytes(disc.LBA(d.disc.st.Capacity))
	copy(b[12:], m[:])
	return b
}

// pma is READ TOC format 3: the tracks that were begun.
func (d *Drive) pma() []byte {
	b := make([]byte, 4)
	for i := range d.disc.st.Sessions {
		for j := range d.disc.st.Sessions[i].Tracks {
			t := &d.disc.st.Sessions[i].Tracks[j]
			start, end := msfBytes(t.Start), msfBytes(max(t.End, t.Next))
			b = append(b, byte(i+1), 0x10|byte(t.Control), 0, byte(t.Number), end[0], end[1], end[2], 0, start[0], start[1], start[2])
		}
	}
	return b
}

// recordedStructure answers READ DISC STRUCTURE formats that only recordable
// discs have; nil for others.
func (d *Drive) recordedStructure(format byte) []byte {
	r := d.disc
	if r == nil {
		return nil
	}
	k := &r.kind
	put := func(size int, at int, s string) []byte {
		b := make([]byte, size)
		copy(b[at:], s)
		return b
	}
	medium := k.profile.medium()
	switch {
	case format == 0x0E && k.class == minusRecord || format == 0x0E && k.profile == profileDVDRWRO:
		b := make([]byte, 4+44)
		b[4+16], b[4+24] = 3, 4
		copy(b[4+17:], k.maker)
		copy(b[4+25:], k.model)
		return b
	case format == 0x11 && (k.class == plusRecord || k.profile == profilePlusRW):
		b := put(4+256, 4+19, k.maker)
		b[4] = k.profile.bookType()<<4 | 1
		copy(b[4+27:], k.model)
		return b
	case format == 0x10 && medium == disc.DVD:
		return d.dvdPhysical()
	case format == 0x20 && k.profile == profilePlusRDL:
		b := make([]byte, 12)
		layer0 := r.st.Layer0
		if layer0 > 0 {
			b[4] = 0x80
		} else {
			layer0 = k.capacity / 2
		}
		binary.BigEndian.PutUint32(b[8:], uint32(layer0))
		return b
	case format == 0x09 && k.profile == profileDVDRAM, format == 0x09 && medium == disc.BD, format == 0xC0:
		return make([]byte, 8)
	case format == 0x0A && medium == disc.BD && r.st.Format.Spares:
		b := make([]byte, 16)
		spares := uint32(k.capacity-r.st.Capacity) / 32
		binary.BigEndian.PutUint32(b[8:], spares)
		binary.BigEndian.PutUint32(b[12:], spares)
		return b
	}
	return nil
}
