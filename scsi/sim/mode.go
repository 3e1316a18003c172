package sim

import (
	"encoding/binary"
	"slices"

	"spindle/scsi"
)

// modePages returns the pages of the drive, in ascending order.
func (d *Drive) modePages() [][]byte {
	recovery := make([]byte, 12)
	recovery[0], recovery[1] = 0x01, 10
	if d.transferB {
		recovery[2] = 0x20
	}
	recovery[3] = d.retries
	return d.withWritePage([][]byte{recovery, d.capabilitiesPage()}, d.rec.page[:])
}

// changeablePages are masks of the bits that MODE SELECT changes.
func (d *Drive) changeablePages() [][]byte {
	recovery := make([]byte, 12)
	recovery[0], recovery[1] = 0x01, 10
	recovery[2], recovery[3] = 0x20, 0xFF
	caps := d.capabilitiesPage()
	clear(caps[2:])
	return d.withWritePage([][]byte{recovery, caps}, writePageMask())
}

// capabilitiesPage is mode page 2Ah (MMC-3 6.3.11).
func (d *Drive) capabilitiesPage() []byte {
	caps := make([]byte, 32)
	caps[0] = 0x2A
	if !d.cfg.CannotWrite && d.disc != nil {
		caps = d.writeSpeedsOf(caps)
	}
	caps[1] = byte(len(caps) - 2)
	if !d.cfg.CannotWrite {
		caps[3] = 0x37 // writes CD-R, CD-RW, DVD-R, DVD-RAM; test write
	}
	caps[2] = 0x3F // reads everything
	caps[4] = 0xF0 // buffer underrun free, multi-session, mode 2 form 1 and 2
	caps[5] = 0x63 // MCN, ISRC, accurate CD-DA
	caps[6] = 0x29 // tray, eject, lock
	if !d.cfg.NoC2 {
		caps[5] |= 0x10
	}
	if !d.cfg.NoSubchannel {
		caps[5] |= 0x04
	}
	if d.locked {
		caps[6] |= 2
	}
	top := d.mech.kBps(d.mech.speed*d.mech.base, d.sectorSize())
	binary.BigEndian.PutUint16(caps[8:], uint16(min(top, 0xFFFF)))
	binary.BigEndian.PutUint16(caps[12:], bufferSize>>10)
	speed := top
	if d.readSpeed > 0 {
		speed = min(top, d.readSpeed)
	}
	binary.BigEndian.PutUint16(caps[14:], uint16(min(speed, 0xFFFF)))
	return caps
}

// writeSpeedsOf adds the current speed of writing to page 2Ah, and those there are.
func (d *Drive) writeSpeedsOf(caps []byte) []byte {
	speeds := d.writeSpeeds()
	caps = append(caps, make([]byte, 4*len(speeds))...)
	put := func(at int, x float64) {
		binary.BigEndian.PutUint16(caps[at:], uint16(min(d.speedKBps(x), 0xFFFF)))
	}
	put(18, speeds[0])
	put(20, d.writeSpeed())
	put(28, d.writeSpeed())
	binary.BigEndian.PutUint16(caps[30:], uint16(len(speeds)))
	for i, s := range speeds {
		put(34+4*i, s)
	}
	return caps
}

// withWritePage puts mode page 05h in its place, if the drive can write.
func (d *Drive) withWritePage(pages [][]byte, page []byte) [][]byte {
	if d.cfg.CannotWrite {
		return pages
	}
	return slices.Insert(pages, 1, slices.Clone(page))
}

func (d *Drive) modeSense(c *scsi.Command) (int, error) {
	page, control := c.CDB[2]&0x3F, c.CDB[2]>>6
	if control == 3 {
		return 0, fail(scsi.IllegalRequest, scsi.ASCSavingNotSupported, 0)
	}
	b := make([]byte, 8)
	found := false
	pages := d.modePages()
	if control == 1 {
		pages = d.changeablePages()
	}
	for _, h := range d.traits {
		for i := 0; h.page != nil && control != 1 && i < len(pages); i++ {
			h.page(d, pages[i])
		}
	}
	for _, p := range pages {
		if page == 0x3F || p[0] == page {
			b = append(b, p...)
			found = true
		}
	}
	if !found {
		return 0, badField(2)
	}
	return reply(c, d.sized16(b), alloc16(c, 7))
}

func (d *Drive) modeSelect(c *scsi.Command) (int, error) {
	bad := fail(scsi.IllegalRequest, scsi.ASCInvalidFieldInParameters, 0)
	if c.CDB[1]&0x10 == 0 {
		return 0, badField(1)
	}
	data := c.Data[:min(len(c.Data), alloc16(c, 7))]
	if len(data) < 8 {
		return 0, fail(scsi.IllegalRequest, scsi.ASCParameterListLength, 0)
	}
	pages := data[min(len(data), 8+int(binary.BigEndian.Uint16(data[6:]))):]
	for len(pages) >= 2 {
		n := 2 + int(pages[1])
		if n > len(pages) {
			return 0, fail(scsi.IllegalRequest, scsi.ASCParameterListLength, 0)
		}
		switch page := pages[0] & 0x3F; {
		case page == 0x01 && n == 12:
			d.transferB, d.retries = pages[2]&0x20 != 0, pages[3]
		case page == pageWrite && !d.cfg.CannotWrite:
			if !d.setWritePage(pages[:n]) {
				return 0, bad
			}
		case page == 0x2A: // speeds, for drives of old
		default:
			return 0, bad
		}
		pages = pages[n:]
	}
	return len(data), nil
}
