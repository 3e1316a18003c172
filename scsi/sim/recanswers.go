package sim

import (
	"encoding/binary"
	"math"
	"slices"

	"spindle/disc"
)

// writeFeatures are the features of a recorder.
func (d *Drive) writeFeatures(now profile) [][]byte {
	if d.cfg.CannotWrite {
		return nil
	}
	r := d.disc
	on := func(c class) bool { return now != profileNone && r != nil && !r.st.Final && r.kind.class == c }
	is := func(ps ...profile) bool { return r != nil && slices.Contains(ps, now) }
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

// A structure is one that READ DISC STRUCTURE gives of recordable discs only.
type structure struct {
	format byte
	of     func(*Drive) bool
	make   func(*Drive) []byte
}

// isBD reports whether the disc is a BD.
func (d *Drive) isBD() bool { return d.media.medium() == disc.BD }

// recordedStructures are those of recordable discs (MMC-6 6.21).
func recordedStructures() []structure {
	is := func(p profile) func(*Drive) bool { return func(d *Drive) bool { return d.disc.kind.profile == p } }
	of := func(c class) func(*Drive) bool { return func(d *Drive) bool { return d.disc.kind.class == c } }
	status := func(*Drive) []byte { return make([]byte, 8) }
	return []structure{
		{0x09, is(profileDVDRAM), status},
		{0x09, (*Drive).isBD, status},
		{0x0A, func(d *Drive) bool { return d.isBD() && d.disc.st.Format.Spares }, (*Drive).spareStructure},
		{0x0E, of(minusRecord), (*Drive).prerecorded},
		{0x0E, is(profileDVDRWRO), (*Drive).prerecorded},
		{0x10, func(d *Drive) bool { return d.media.medium() == disc.DVD }, (*Drive).dvdPhysical},
		{0x11, of(plusRecord), (*Drive).adip},
		{0x11, is(profilePlusRW), (*Drive).adip},
		{0x20, is(profilePlusRDL), (*Drive).layerBoundary},
		{0xC0, func(*Drive) bool { return true }, status},
	}
}

// recordedStructure answers READ DISC STRUCTURE formats that only recordable
// discs have; nil for others.
func (d *Drive) recordedStructure(format byte) []byte {
	if d.disc == nil {
		return nil
	}
	for _, s := range recordedStructures() {
		if s.format == format && s.of(d) {
			return s.make(d)
		}
	}
	return nil
}

// prerecorded is format 0Eh: who made a DVD-R.
func (d *Drive) prerecorded() []byte {
	b := make([]byte, 4+44)
	b[4+16], b[4+24] = 3, 4
	copy(b[4+17:], d.disc.kind.maker)
	copy(b[4+25:], d.disc.kind.model)
	return b
}

// adip is format 11h: who made a DVD+R.
func (d *Drive) adip() []byte {
	b := make([]byte, 4+256)
	b[4] = d.disc.kind.profile.bookType()<<4 | 1
	copy(b[4+19:], d.disc.kind.maker)
	copy(b[4+27:], d.disc.kind.model)
	return b
}

// layerBoundary is format 20h: where the layers of a DVD+R DL meet.
func (d *Drive) layerBoundary() []byte {
	b := make([]byte, 12)
	layer0 := d.disc.st.Layer0
	if layer0 > 0 {
		b[4] = 0x80
	} else {
		layer0 = d.disc.kind.capacity / 2
	}
	binary.BigEndian.PutUint32(b[8:], uint32(layer0))
	return b
}

// spareStructure is format 0Ah: the spare areas of a BD.
func (d *Drive) spareStructure() []byte {
	b := make([]byte, 16)
	spares := uint32(d.disc.kind.capacity-d.disc.st.Capacity) / 32
	binary.BigEndian.PutUint32(b[8:], spares)
	binary.BigEndian.PutUint32(b[12:], spares)
	return b
}
