package sim

import (
	"encoding/binary"

	"spindle/addr"
	"spindle/disc"
)

// recordedInfo fills in READ DISC INFORMATION for a recordable disc.
func (d *Drive) recordedInfo(b []byte) []byte {
	r := d.disc
	cd := r.kind.class == cdRecord
	if r.kind.class == random {
		b[2] |= randomStatus(r)
	} else {
		b[2] |= d.sequentialStatus()
	}
	b[7] = r.st.Format.Background & 3
	if cd && r.blank() {
		b[8] = 0xFF
	}
	d.infoTracks(b)
	for i := 16; i < 24; i++ {
		b[i] = 0xFF
	}
	if cd && !r.st.Final {
		d.infoPlaces(b)
	}
	return b
}

// States of a disc and of its last session, as in byte 2 of READ DISC INFORMATION.
const (
	discAppendable    = 1
	discComplete      = 2
	discRandom        = 3 // neither: any address can be written
	sessionIncomplete = 1 << 2
	sessionDamaged    = 2 << 2
	sessionComplete   = 3 << 2
)

// randomStatus is that of discs that take any address.
func randomStatus(r *Recordable) byte {
	p, f := r.kind.profile, &r.st.Format
	switch {
	case p == profilePlusRW && f.Background == 0, p == profileBDRE && !f.Done:
		return 0 // blank
	case p == profilePlusRW:
		return sessionComplete | discComplete
	case p == profileDVDRWRO && f.Intermediate:
		return sessionIncomplete | discRandom
	}
	return sessionComplete | discRandom
}

// sequentialStatus is that of all other discs.
func (d *Drive) sequentialStatus() byte {
	r := d.disc
	switch {
	case r.blank():
		if r.kind.profile == profileBDR && r.st.Format.Done {
			return discAppendable // formatted, and nothing written yet
		}
		return 0
	case r.st.Final:
		return sessionComplete | discComplete
	case r.st.Spoiled && d.rec.cue == nil && d.rec.raw == nil && !d.rec.atOnce:
		return sessionDamaged | discAppendable
	case r.open() != nil:
		return sessionIncomplete | discAppendable
	}
	return discAppendable
}

// infoTracks fills in how many sessions there are, and the tracks of the last one.
func (d *Drive) infoTracks(b []byte) {
	r := d.disc
	put := func(at int, n int) { b[at], b[at+5] = byte(n), byte(n>>8) }
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
		if r.kind.class == cdRecord {
			b[8] = byte(r.st.Sessions[0].Format)
		}
	}
	put(4, sessions)
	put(5, first)
	put(6, last)
}

// infoPlaces fills in where the next lead-in begins on a CD, and where its last
// lead-out can begin.
func (d *Drive) infoPlaces(b []byte) {
	r := d.disc
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
