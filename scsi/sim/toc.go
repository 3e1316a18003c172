package sim

import (
	"context"
	"encoding/binary"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/scsi"
)

// startOf is the address the TOC states for a track.
func (d *Drive) startOf(t *disc.Track) disc.LBA {
	if d.cfg.Lie == "overlap" && t.Number > 1 {
		return max(0, d.toc.Sessions[0].Tracks[0].Start-150)
	}
	return t.Start
}

// leadOutOf is the address the TOC states for a session's lead-out.
func (d *Drive) leadOutOf(s *disc.Session) disc.LBA {
	if d.cfg.Lie == "leadout" {
		return s.Tracks[len(s.Tracks)-1].Start - 1
	}
	return s.LeadOut
}

// readTOC is READ TOC/PMA/ATIP (MMC-6 6.25).
func (d *Drive) readTOC(c *scsi.Command) (int, error) {
	format := tocFormat(c)
	msf, from := c.CDB[1]&2 != 0, c.CDB[6]
	cd := d.media.medium() == disc.CD
	var b []byte
	switch {
	case !cd && format > 1:
	case format == 3 && d.disc != nil:
		b = d.pma()
	case format == 4 && d.disc != nil:
		b = d.atip()
	case d.toc == nil:
	case format == 0:
		if b = d.formattedTOC(from, msf); b == nil {
			return 0, badField(6)
		}
	case format == 1:
		b = d.sessionTOC(msf)
	case format == 2 && !d.cfg.NoFullTOC:
		b = d.fullTOC(int(from))
	case format == 5:
		b = d.textTOC()
	}
	if b == nil {
		return 0, badField(2)
	}
	return reply(c, d.sized16(b), alloc16(c, 7))
}

// tocFormat is what READ TOC/PMA/ATIP asks for.
func tocFormat(c *scsi.Command) byte {
	if format := c.CDB[2] & 15; format != 0 {
		return format
	}
	return c.CDB[9] >> 6 // where MMC-1 had it
}

// sessionTOC is format 1: where the last session begins.
func (d *Drive) sessionTOC(msf bool) []byte {
	last := &d.toc.Sessions[len(d.toc.Sessions)-1]
	t := &last.Tracks[0]
	b := []byte{0, 0, 1, byte(last.Number), 0, 0x10 | byte(t.Control), byte(t.Number), 0}
	return appendAddress(b, d.startOf(t), msf)
}

// textTOC is format 5: CD-TEXT.
func (d *Drive) textTOC() []byte {
	b := make([]byte, 4)
	for _, p := range d.toc.CDText {
		b = append(b, p[:]...)
	}
	return b
}

func appendAddress(b []byte, a disc.LBA, msf bool) []byte {
	if !msf {
		return binary.BigEndian.AppendUint32(b, uint32(a))
	}
	t := a.MSF()
	return append(b, 0, byte(t.M), byte(t.S), byte(t.F))
}

// formattedTOC is format 0, from a track on; nil if there is no such track.
func (d *Drive) formattedTOC(from byte, msf bool) []byte {
	tracks := d.toc.Tracks()
	last := tracks[len(tracks)-1]
	if int(from) > last.Number && from != cdsector.LeadOut {
		return nil
	}
	b := []byte{0, 0, byte(tracks[0].Number), byte(last.Number)}
	for _, t := range tracks {
		if t.Number < int(from) {
			continue
		}
		b = append(b, 0, 0x10|byte(t.Control), byte(t.Number), 0)
		b = appendAddress(b, d.startOf(t), msf)
	}
	b = append(b, 0, 0x10|byte(last.Control), cdsector.LeadOut, 0)
	return appendAddress(b, d.leadOutOf(&d.toc.Sessions[len(d.toc.Sessions)-1]), msf)
}

// fullTOC is format 2: the points of each lead-in, from a session on.
func (d *Drive) fullTOC(from int) []byte {
	sessions := d.toc.Sessions
	b := []byte{0, 0, byte(sessions[0].Number), byte(sessions[len(sessions)-1].Number)}
	for i := range sessions {
		s := &sessions[i]
		if s.Number < from {
			continue
		}
		add := func(ctlADR, point byte, address [3]byte, zero byte, p [3]byte) {
			b = append(b, byte(s.Number), ctlADR, 0, point, address[0], address[1], address[2], zero, p[0], p[1], p[2])
		}
		first, last := &s.Tracks[0], &s.Tracks[len(s.Tracks)-1]
		ctl := func(t *disc.Track) byte { return 0x10 | byte(t.Control) }
		add(ctl(first), 0xA0, [3]byte{}, 0, [3]byte{byte(first.Number), byte(s.Format), 0})
		add(ctl(last), 0xA1, [3]byte{}, 0, [3]byte{byte(last.Number), 0, 0})
		add(ctl(last), 0xA2, [3]byte{}, 0, msfBytes(d.leadOutOf(s)))
		for j := range s.Tracks {
			t := &s.Tracks[j]
			add(ctl(t), byte(t.Number), [3]byte{}, 0, msfBytes(d.startOf(t)))
		}
		if open := d.appendable(); len(sessions) > 1 || open || d.disc != nil && d.disc.st.NextFF {
			next := [3]byte{0xFF, 0xFF, 0xFF}
			switch {
			case i+1 < len(sessions):
				next = msfBytes(sessions[i+1].Tracks[0].Begin() - 150)
			case open:
				next = msfBytes(d.beginning() - 150)
			}
			add(0x50|byte(first.Control), 0xB0, next, 1, msfBytes(disc.LBA(d.mech.full)))
		}
	}
	return b
}

// appendable reports whether another session can follow.
func (d *Drive) appendable() bool {
	return d.disc != nil && !d.disc.st.Final && d.disc.kind.class == cdRecord
}

func msfBytes(a disc.LBA) [3]byte {
	t := a.MSF()
	return [3]byte{byte(t.M), byte(t.S), byte(t.F)}
}

// readSubChannel answers READ SUB-CHANNEL.
func (d *Drive) readSubChannel(c *scsi.Command) (int, error) {
	if d.media.medium() != disc.CD || d.toc == nil {
		return 0, fail(scsi.IllegalRequest, scsi.ASCIncompatibleMedium, scsi.ASCQCannotReadFormat)
	}
	const noAudio = 0x15
	b := make([]byte, 24)
	b[1], b[4] = noAudio, c.CDB[3]
	switch c.CDB[3] {
	case 1:
		b = b[:16]
		at := max(0, d.mech.next-1)
		if t := d.layout.TrackAt(at); t != nil {
			b[5], b[6], b[7] = 0x10|byte(t.Control), byte(t.Number), byte(t.IndexAt(at))
			copy(b[8:], appendAddress(nil, at, c.CDB[1]&2 != 0))
			copy(b[12:], appendAddress(nil, at-t.Start-150, c.CDB[1]&2 != 0))
		}
	case 2:
		if d.toc.MCN != "" {
			b[8] = 0x80
			copy(b[9:], d.toc.MCN)
		}
	case 3:
		var track *disc.Track
		for _, t := range d.toc.Tracks() {
			if t.Number == int(c.CDB[6]) {
				track = t
			}
		}
		if track == nil {
			return 0, badField(6)
		}
		b[5], b[6] = 0x10|byte(track.Control), byte(track.Number)
		if track.ISRC != "" {
			b[8] = 0x80
			copy(b[9:], track.ISRC)
		}
	default:
		return 0, badField(3)
	}
	if c.CDB[2]&0x40 == 0 {
		b = b[:4]
	}
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)-4))
	return reply(c, b, alloc16(c, 7))
}

// subchannel gives the 96 bytes of P to W at an address, de-interleaved: those of
// the image, or what a disc of this layout has.
func (d *Drive) subchannel(a disc.LBA, p *[cdsector.SubSize]byte) error {
	if s := d.image.Subchannels(); s != nil {
		return s.ReadSubchannel(context.Background(), p[:], a)
	}
	d.layout.Subchannel(a, p)
	return nil
}
