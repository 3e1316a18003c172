package sim

import (
	"encoding/binary"
	"errors"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/scsi"
)

// Parts of a sector, as byte 9 of READ CD names them.
const (
	partEDC    = 0x08
	partUser   = 0x10
	partHeader = 0x20
	partSub    = 0x40
	partSync   = 0x80
	partAll    = partSync | partHeader | partSub | partUser | partEDC
)

// readCD is READ CD and READ CD MSF.
func (d *Drive) readCD(c *scsi.Command) (int, error) {
	if d.media.medium() != disc.CD || d.disc != nil && d.disc.blank() {
		return 0, fail(scsi.IllegalRequest, scsi.ASCIncompatibleMedium, scsi.ASCQCannotReadFormat)
	}
	d.settle()
	r := cdRead{
		d: d, expect: c.CDB[1] >> 2 & 7, parts: c.CDB[9] & partAll,
		c2: c.CDB[9] >> 1 & 3, sub: c.CDB[10] & 7,
	}
	a := disc.LBA(int32(binary.BigEndian.Uint32(c.CDB[2:])))
	n := int(c.CDB[6])<<16 | int(c.CDB[7])<<8 | int(c.CDB[8])
	if scsi.Opcode(c.CDB[0]) == scsi.OpReadCDMSF {
		at := func(i int) disc.LBA {
			return disc.MSF{M: int(c.CDB[i]), S: int(c.CDB[i+1]), F: int(c.CDB[i+2])}.LBA()
		}
		a, n = at(3), int(at(6)-at(3))
	}
	switch {
	case r.expect > 5:
		return 0, badField(1)
	case n < 0:
		return 0, badField(6)
	case r.c2 == 3, r.c2 != 0 && d.cfg.NoC2:
		return 0, badField(9)
	case r.sub == 3, r.sub > 4, r.sub != 0 && d.cfg.NoSubchannel:
		return 0, badField(10)
	case n == 0:
		return 0, nil
	case d.layout == nil || a < -disc.LBA(d.cfg.Overread) || int(a)+n > int(d.layout.End())+d.cfg.Overread:
		return 0, outOfRange(a)
	}
	d.readAhead(a, n)
	return r.fill(c.Data, a, n)
}

// cdRead is one READ CD under way.
type cdRead struct {
	d      *Drive
	expect byte
	parts  byte
	c2     byte
	sub    byte

	raw      [cdsector.Size]byte // the sector at hand
	pointers [c2Size]byte        // its errors
	read     sectorRead          // how it is asked for
	out      []byte              // and what is given of it
}

func (r *cdRead) fill(p []byte, a disc.LBA, n int) (int, error) {
	if r.plain() {
		if got, ok := r.readPlain(p, a, n); ok {
			return got, nil
		}
	}
	done := 0
	var firstKind cdsector.Kind
	for i := range n {
		out, kind, err := r.sector(a + disc.LBA(i))
		if err == nil && i > 0 && (kind == cdsector.Audio) != (firstKind == cdsector.Audio) {
			out, err = nil, wrongKind(a+disc.LBA(i)) // a transfer does not cross from data to audio
		}
		if err != nil {
			return done + copy(p[done:], out), err
		}
		if i == 0 {
			firstKind = kind
		}
		if done+len(out) > len(p) {
			return done + copy(p[done:], out), nil
		}
		done += copy(p[done:], out)
		r.d.stats.Sectors++
	}
	return done, nil
}

// plain reports whether sectors go from the image to the host as they are.
func (r *cdRead) plain() bool {
	return r.parts == partAll && r.c2 == 0 && r.sub == 0 && r.expect == 0 && !r.d.watchesSectors()
}

// readPlain reads whole sectors of one track without faults in one go. ok is
// false when the careful way has to be taken.
func (r *cdRead) readPlain(p []byte, a disc.LBA, n int) (got int, ok bool) {
	t := r.d.layout.TrackAt(a)
	end := a + disc.LBA(n)
	if t == nil || end > t.End || len(p) < n*cdsector.Size || r.d.runOutIn(a, end) ||
		r.d.cfg.Offset != 0 && !t.Mode.IsData() {
		return 0, false
	}
	if r.d.faulty(a, end) {
		return 0, false
	}
	p = p[:n*cdsector.Size]
	if err := r.d.readSectors(p, a); err != nil {
		return 0, false
	}
	r.d.stats.Sectors += n
	return len(p), true
}

// sector gives one sector as it was asked for, also with the error that its bytes are wrong.
func (r *cdRead) sector(a disc.LBA) ([]byte, cdsector.Kind, error) {
	kind, bad := r.readRaw(a)
	if bad != nil && !(r.d.transferB && errors.As(bad, new(uncorrected))) {
		return nil, kind, bad
	}
	if !r.expected(kind) {
		return nil, kind, wrongKind(a)
	}
	s := &r.read
	*s = sectorRead{at: a, main: &r.raw, form: r.c2, c2: &r.pointers, subForm: r.sub, subAt: a}
	if err := r.d.checkSector(s); err != nil {
		return nil, kind, err
	}
	out, err := r.cut(&r.raw, kind)
	if err != nil {
		return nil, kind, err
	}
	if r.out, err = r.appendSub(s.appendC2(out), s); err != nil {
		return nil, kind, err
	}
	return r.out, kind, bad
}

// readRaw reads all of one sector, and its error pointers. Only a drive that overreads gets beyond the disc, where
// there is audio.
func (r *cdRead) readRaw(a disc.LBA) (cdsector.Kind, error) {
	t := r.d.layout.TrackAt(a)
	beyond := a < 0 || a >= r.d.layout.End()
	if t == nil && !beyond {
		return 0, sectorError(scsi.IllegalRequest, scsi.ASCAddressOutOfRange, 0, a)
	}
	r.pointers = [c2Size]byte{}
	switch {
	case beyond || !t.Mode.IsData():
		return cdsector.Audio, r.d.audioSector(a, &r.raw, &r.pointers)
	case r.d.cfg.DataAsAudio && r.expect == 1:
		return cdsector.Audio, r.d.streamSector(a, &r.raw, &r.pointers)
	}
	return r.d.dataSector(a, &r.raw, &r.pointers)
}

// appendC2 adds the error pointers in the form that was asked for.
func (s *sectorRead) appendC2(out []byte) []byte {
	if s.form == 0 {
		return out
	}
	var block byte
	for _, b := range s.c2 {
		block |= b
	}
	if s.form == 2 && !s.last {
		out = append(out, block, 0)
	}
	out = append(out, s.c2[:]...)
	if s.form == 2 && s.last {
		out = append(out, block, 0)
	}
	return out
}

func (r *cdRead) expected(kind cdsector.Kind) bool {
	switch r.expect {
	case 1:
		return kind == cdsector.Audio
	case 2:
		return kind == cdsector.Mode1
	case 3:
		return kind == cdsector.Mode2
	case 4:
		return kind == cdsector.Form1
	case 5:
		return kind == cdsector.Form2
	}
	return true
}

// cut takes the parts of a sector that were asked for (MMC-6 table 354). They
// must stand next to each other.
func (r *cdRead) cut(s *[cdsector.Size]byte, kind cdsector.Kind) ([]byte, error) {
	out := r.out[:0]
	if kind == cdsector.Audio {
		if r.parts&partUser != 0 {
			out = append(out, s[:]...)
		}
		return out, nil
	}
	at, n := kind.UserData()
	end := -1
	for _, p := range [...]struct {
		bit      byte
		from, to int
	}{{partSync, 0, 12}, {partHeader, 12, 16}, {partSub, 16, at}, {partUser, at, at + n}, {partEDC, at + n, cdsector.Size}} {
		if r.parts&p.bit == 0 || p.from == p.to {
			continue
		}
		if end >= 0 && end != p.from {
			return nil, badField(9)
		}
		out = append(out, s[p.from:p.to]...)
		end = p.to
	}
	return out, nil
}

func (r *cdRead) appendSub(out []byte, s *sectorRead) ([]byte, error) {
	if r.sub == 0 {
		return out, nil
	}
	var sub, raw [cdsector.SubSize]byte
	if r.d.layout.TrackAt(s.subAt) != nil {
		if err := r.d.subchannel(s.subAt, &sub); err != nil {
			return nil, err
		}
	}
	s.sub = &sub
	if err := r.d.checkSub(s); err != nil {
		return nil, err
	}
	switch r.sub {
	case 1:
		cdsector.Interleave(&raw, &sub)
		return append(out, raw[:]...), nil
	case 2:
		out = append(out, sub[cdsector.QSize:2*cdsector.QSize]...)
		return append(out, 0, 0, 0, sub[0]&0x80), nil
	}
	clear(sub[:2*cdsector.QSize]) // R to W only
	cdsector.Interleave(&raw, &sub)
	return append(out, raw[:]...), nil
}
