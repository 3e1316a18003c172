package sim

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"

	"spindle/disc"
	"spindle/scsi"
)

// An Identity is what a drive says it is (INQUIRY).
type Identity struct {
	Vendor   string `json:"vendor"`   // up to 8 bytes
	Product  string `json:"product"`  // up to 16
	Revision string `json:"revision"` // up to 4
}

// serial is the drive's serial number.
const serial = "SIM0001"

// bytes are bytes 8 to 35 of the answer to INQUIRY.
func (i Identity) bytes() string {
	if i == (Identity{}) {
		i = Identity{"SPINDLE", "SIMULATED DRIVE", "1.00"}
	}
	return fmt.Sprintf("%-8.8s%-16.16s%-4.4s", i.Vendor, i.Product, i.Revision)
}

func (d *Drive) inquiry(c *scsi.Command) (int, error) {
	allocation := alloc16(c, 3)
	if c.CDB[1]&1 == 0 {
		if c.CDB[2] != 0 {
			return 0, badField(2)
		}
		b := make([]byte, 96)
		b[0], b[1], b[2], b[3], b[4] = 5, 0x80, 6, 2, byte(len(b)-5)
		copy(b[8:], d.cfg.Identity.bytes())
		return reply(c, b, allocation)
	}
	switch c.CDB[2] {
	case 0x00:
		return reply(c, []byte{5, 0, 0, 2, 0x00, 0x80}, allocation)
	case 0x80:
		return reply(c, append([]byte{5, 0x80, 0, byte(len(serial))}, serial...), allocation)
	}
	return 0, badField(2)
}

func (d *Drive) requestSense(c *scsi.Command) (int, error) {
	s := d.sense
	d.sense = scsi.Sense{}
	if len(d.attention) > 0 {
		s = d.attention[0]
		d.attention = d.attention[1:]
	}
	return reply(c, s.Fixed(), int(c.CDB[4]))
}

// getEventStatus answers polled requests for media events.
func (d *Drive) getEventStatus(c *scsi.Command) (int, error) {
	const mediaClass = 4
	if c.CDB[1]&1 == 0 {
		return 0, badField(1) // asynchronous notification
	}
	b := []byte{0, 0, mediaClass, 1 << mediaClass, 0, 0, 0, 0}
	if c.CDB[4]&(1<<mediaClass) == 0 {
		b = b[:4]
		b[2] = 0x80 // no event available of these classes
	} else {
		b[4], d.event = d.event, 0
		if d.loaded() {
			b[5] |= 2
		}
		if d.tray == trayOpen {
			b[5] |= 1
		}
	}
	return reply(c, d.sized16(b), alloc16(c, 7))
}

// feature makes a descriptor. Its data are padded to a multiple of four.
func feature(code uint16, persistent, current bool, data ...byte) []byte {
	for len(data)%4 != 0 {
		data = append(data, 0)
	}
	flags := byte(0)
	if persistent {
		flags |= 2
	}
	if current {
		flags |= 1
	}
	return append([]byte{byte(code >> 8), byte(code), flags, byte(len(data))}, data...)
}

// getConfiguration is GET CONFIGURATION (MMC-6 6.6).
func (d *Drive) getConfiguration(c *scsi.Command) (int, error) {
	now := d.currentProfile()
	b := make([]byte, 8)
	binary.BigEndian.PutUint16(b[6:], uint16(now))
	from, which := uint16(alloc16(c, 2)), c.CDB[1]&3
	if which == 3 {
		return 0, badField(1)
	}
	for _, f := range d.features(now) {
		code, current := binary.BigEndian.Uint16(f), f[2]&1 != 0
		switch {
		case which == 2 && code != from, which != 2 && code < from, which == 1 && !current:
			continue
		}
		b = append(b, f...)
	}
	n := uint32(len(b) - 4)
	if d.long {
		n = 0xFFFFFFFF
	}
	binary.BigEndian.PutUint32(b, n)
	return reply(c, b, alloc16(c, 7))
}

// currentProfile is that of the disc in the drive.
func (d *Drive) currentProfile() profile {
	if d.loaded() {
		return d.media
	}
	return profileNone
}

// profiles are the kinds of media that a drive of today takes, in the order in
// which it lists them.
var profiles = [...]profile{profileBDRE, profileBDR, profileBDROM, profilePlusRDL, profilePlusR, profilePlusRW, profileDVDRDL,
	profileDVDRW, profileDVDRWRO, profileDVDRAM, profileDVDR, profileDVDROM, profileCDRW, profileCDR, profileCDROM}

// profileList is the feature 0000h, without those that this drive cannot write.
func (d *Drive) profileList(now profile) []byte {
	var list []byte
	for _, p := range profiles {
		current := byte(0)
		if p == now {
			current = 1
		}
		if p.pressed() || !d.cfg.CannotWrite || current == 1 {
			list = append(list, byte(p>>8), byte(p), current, 0)
		}
	}
	return list
}

// features are the descriptors of all features, in ascending order.
func (d *Drive) features(now profile) [][]byte {
	loaded := now != profileNone
	medium := now.medium()
	cdRead := byte(0x01) // CD-TEXT
	if !d.cfg.NoC2 {
		cdRead |= 0x02
	}
	all := [][]byte{
		feature(0x0000, true, true, d.profileList(now)...),
		feature(0x0001, true, true, 0, 0, 0, 7, 1, 0, 0, 0), // SATA
		feature(0x0003, true, true, 0x29, 0, 0, 0),          // tray, eject, lock
		feature(0x0010, false, loaded && d.layout != nil, 0, 0, 0x08, 0, 0, byte(now.blocking()), 1, 0),
		feature(0x001D, false, loaded),
		feature(0x001E, false, loaded && medium == disc.CD, cdRead, 0, 0, 0),
		feature(0x001F, false, loaded && medium == disc.DVD, 1, 0, 1, 0),
		feature(0x0040, false, loaded && medium == disc.BD, make([]byte, 28)...),
		feature(0x0100, true, true),
		feature(0x0105, true, true, 0, 0, 0, 0),
		feature(0x0106, false, loaded && medium == disc.DVD && d.cfg.CSS, 0, 0, 0, 1),
		feature(0x0107, true, loaded, 0x1F, 0, 0, 0),
		feature(0x0108, true, true, []byte(serial)...),
	}
	all = append(all, d.writeFeatures(now)...)
	for _, h := range d.traits {
		if h.features != nil {
			all = h.features(d, all)
		}
	}
	slices.SortFunc(all, func(a, b []byte) int { return bytes.Compare(a[:2], b[:2]) })
	return all
}

func (d *Drive) mechanismStatus(c *scsi.Command) (int, error) {
	b := make([]byte, 8)
	if d.tray == trayOpen {
		b[1] |= 0x10
	}
	at := uint32(max(0, d.mech.next))
	b[2], b[3], b[4] = byte(at>>16), byte(at>>8), byte(at)
	return reply(c, b, alloc16(c, 8))
}

func (d *Drive) reportKey(c *scsi.Command) (int, error) {
	if c.CDB[7] != 0 || c.CDB[10]&0x3F != 8 {
		return 0, badField(10)
	}
	return reply(c, []byte{0, 6, 0, 0, 0x25, 0xFF, 1, 0}, alloc16(c, 8))
}

func (d *Drive) formatCapacities(c *scsi.Command) (int, error) {
	b := make([]byte, 12)
	b[3] = 8
	b[8], b[10] = 3, 0x08 // no medium; blocks of 2048 bytes
	switch {
	case d.loaded() && d.disc != nil:
		b = d.recordedFormats(b)
	case d.loaded():
		b[8] = 2
		binary.BigEndian.PutUint32(b[4:], uint32(d.layout.End()))
	}
	return reply(c, b, alloc16(c, 7))
}

func (d *Drive) readCapacity(c *scsi.Command) (int, error) {
	b := make([]byte, 8)
	switch {
	case d.toc != nil:
		binary.BigEndian.PutUint32(b, uint32(max(0, d.toc.End()-1)))
	case d.disc != nil && d.disc.st.Format.POW && d.layout != nil: // no session needs to be closed
		binary.BigEndian.PutUint32(b, uint32(max(0, d.layout.End()-1)))
	}
	binary.BigEndian.PutUint32(b[4:], 2048)
	return reply(c, b, len(b))
}

func (d *Drive) sectorSize() int {
	if d.layout == nil {
		return disc.CD.SectorSize()
	}
	return d.layout.Medium.SectorSize()
}

// setSpeed limits the reading speed, in kB/s.
func (d *Drive) setSpeed(kBps int) (int, error) {
	d.readSpeed, d.mech.limit = 0, 0
	if kBps > 0 && kBps != 0xFFFF {
		d.readSpeed = kBps
		oneX := d.mech.base * float64(d.sectorSize()) / 1000
		d.mech.limit = max(1, float64(kBps)/oneX)
	}
	d.mech.lose()
	return 0, nil
}

func (d *Drive) setStreaming(c *scsi.Command) (int, error) {
	if len(c.Data) < 28 {
		return 0, fail(scsi.IllegalRequest, scsi.ASCParameterListLength, 0)
	}
	if ms := binary.BigEndian.Uint32(c.Data[24:]); d.disc != nil {
		switch {
		case c.Data[0]&4 != 0 || ms == 0:
			d.setWriteSpeed(0)
		default:
			d.setWriteSpeed(int(min(uint64(binary.BigEndian.Uint32(c.Data[20:]))*1000/uint64(ms), 1<<24)))
		}
	}
	size, ms := binary.BigEndian.Uint32(c.Data[12:]), binary.BigEndian.Uint32(c.Data[16:])
	if c.Data[0]&4 != 0 || ms == 0 {
		return d.setSpeed(0)
	}
	return d.setSpeed(int(min(uint64(size)*1000/uint64(ms), 0xFFFF)))
}

func (d *Drive) getPerformance(c *scsi.Command) (int, error) {
	b := make([]byte, 8)
	switch c.CDB[10] {
	case 0:
		// The tolerance must be 10b; of growisofs, which leaves it out when it
		// asks for writing, drives take it.
		if c.CDB[1]>>3&3 != 2 && c.CDB[1]&4 == 0 {
			return 0, badField(1)
		}
		if c.CDB[1]&4 != 0 {
			b = d.writePerformance(b, 0)
		} else if d.toc != nil {
			end := d.toc.End() - 1
			b = binary.BigEndian.AppendUint32(b, 0)
			b = binary.BigEndian.AppendUint32(b, uint32(d.mech.kBps(d.mech.rate(0), d.sectorSize())))
			b = binary.BigEndian.AppendUint32(b, uint32(end))
			b = binary.BigEndian.AppendUint32(b, uint32(d.mech.kBps(d.mech.rate(float64(end)), d.sectorSize())))
		}
	case 3:
		b = d.writePerformance(b, 3)
	default:
		return 0, badField(10)
	}
	binary.BigEndian.PutUint32(b, uint32(len(b)-4))
	return reply(c, b, 8+16*alloc16(c, 8))
}

func (d *Drive) discInfo(c *scsi.Command) (int, error) {
	if kind := c.CDB[1] & 7; kind != 0 {
		b := d.resources(kind)
		if b == nil {
			return 0, badField(1)
		}
		return reply(c, d.sized16(b), alloc16(c, 7))
	}
	b := make([]byte, 34)
	if d.media.rewritable() {
		b[2] |= 0x10
	}
	b[3], b[4], b[5], b[6] = 1, 1, 1, 1
	for i := 16; i < 24; i++ {
		b[i] = 0xFF
	}
	if d.disc != nil {
		b = d.recordedInfo(b)
	} else {
		sessions := d.layout.Sessions
		last := sessions[len(sessions)-1]
		b[2] |= 0x0E // last session complete, disc complete
		b[3] = byte(sessions[0].Tracks[0].Number)
		b[4] = byte(len(sessions))
		b[5] = byte(last.Tracks[0].Number)
		b[6] = byte(last.Tracks[len(last.Tracks)-1].Number)
		b[8] = byte(sessions[0].Format)
	}
	return reply(c, d.sized16(b), alloc16(c, 7))
}

// dataMode is the field of READ TRACK INFORMATION for the mode of a track.
func dataMode(m disc.Mode) byte {
	switch m {
	case disc.Mode1:
		return 1
	case disc.Mode2:
		return 2
	}
	return 0x0F
}

func (d *Drive) trackInfo(c *scsi.Command) (int, error) {
	if d.disc != nil {
		return d.recordedTrack(c)
	}
	number := binary.BigEndian.Uint32(c.CDB[2:])
	var t *disc.Track
	for i := range d.layout.Sessions {
		s := &d.layout.Sessions[i]
		for j := range s.Tracks {
			u := &s.Tracks[j]
			var hit bool
			switch c.CDB[1] & 3 {
			case 0:
				hit = disc.LBA(number) >= u.Begin() && disc.LBA(number) < u.End
			case 1:
				hit = int(number) == u.Number
			case 2:
				hit = int(number) == s.Number && j == 0
			}
			if hit && t == nil {
				t = u
			}
		}
	}
	if t == nil {
		return 0, badField(2)
	}
	b := make([]byte, 36)
	b[2], b[3] = byte(t.Number), byte(d.layout.SessionOf(t.Number).Number)
	b[5], b[6] = byte(t.Control), dataMode(t.Mode)
	binary.BigEndian.PutUint32(b[8:], uint32(t.Start))
	binary.BigEndian.PutUint32(b[24:], uint32(t.End-t.Start))
	return reply(c, d.sized16(b), alloc16(c, 7))
}

func (d *Drive) discStructure(c *scsi.Command) (int, error) {
	medium := d.media.medium()
	if medium == disc.CD {
		return 0, fail(scsi.IllegalRequest, scsi.ASCIncompatibleMedium, scsi.ASCQCannotReadFormat)
	}
	if wantBD := c.CDB[1]&15 == 1; wantBD != (medium == disc.BD) {
		return 0, badField(1)
	}
	if c.CDB[7] == 0xFF {
		return reply(c, d.sized16(d.structureList(medium)), alloc16(c, 8))
	}
	if b := d.recordedStructure(c.CDB[7]); b != nil {
		return reply(c, d.sized16(b), alloc16(c, 8))
	}
	var b []byte
	switch format := c.CDB[7]; {
	case format == 0 && medium == disc.DVD:
		b = d.dvdPhysical()
	case format == 1 && medium == disc.DVD:
		b = make([]byte, 8)
		if d.cfg.CSS {
			b[4], b[5] = 1, 0xFD // CSS, region 2
		}
	case format == 4 && medium == disc.DVD:
		b = make([]byte, 2052)
	case format == 0 && medium == disc.BD:
		b = d.bdInfo()
	default:
		return 0, badField(7)
	}
	return reply(c, d.sized16(b), alloc16(c, 8))
}

// firstPSN is the physical sector number of LBA 0 on a DVD.
const firstPSN = 0x30000

// singleLayerDVD is the most sectors of one layer.
const singleLayerDVD = 2298496

func (d *Drive) sectors() int {
	switch {
	case d.layout == nil && d.disc != nil:
		return d.disc.st.Capacity
	case d.layout == nil:
		return int(d.mech.full)
	}
	return int(d.layout.End())
}

func (d *Drive) dvdPhysical() []byte {
	b := make([]byte, 2052)
	n := d.sectors()
	end, layer0 := firstPSN+n-1, 0
	b[4] = d.media.bookType()<<4 | 1
	b[5] = 0x02
	b[6] = 0x01
	twoLayers := d.disc != nil && d.disc.kind.layers == 2
	if twoLayers || n > singleLayerDVD || d.layout != nil && d.layout.LayerBreak > 0 {
		half := (n + 31) / 32 * 16
		if twoLayers { // where they meet is fixed, or was chosen, before the disc is full
			if half = d.disc.st.Layer0; half == 0 {
				half = (d.disc.st.Capacity + 31) / 32 * 16
			}
			n = max(n, half)
		}
		if d.layout != nil && d.layout.LayerBreak > 0 {
			half = int(d.layout.LayerBreak)
		}
		layer0 = firstPSN + half - 1
		b[6] |= 0x30 // two layers, opposite track path
		// Layer 1 is numbered with the complement of layer 0's addresses.
		end = ^(layer0 - (n - half) + 1) & 0xFFFFFF
	}
	put24 := func(at, v int) { b[at], b[at+1], b[at+2] = byte(v>>16), byte(v>>8), byte(v) }
	if d.disc != nil && (d.disc.kind.class == plusRecord || d.media == profilePlusRW) {
		copy(b[4+19:], d.disc.kind.maker)
		copy(b[4+27:], d.disc.kind.model)
	}
	put24(9, firstPSN)
	put24(13, end)
	put24(17, layer0)
	return b
}

func (d *Drive) bdInfo() []byte {
	b := make([]byte, 4100)
	u := b[4:]
	copy(u, "DI")
	u[2], u[6] = 1, 64
	copy(u[8:], "BDO")
	if d.disc != nil {
		u[6] = 112
		copy(u[8:], "BDR")
		if d.media == profileBDRE {
			copy(u[8:], "BDW")
		}
		copy(u[100:], d.disc.kind.maker)
		copy(u[106:], d.disc.kind.model)
	}
	const first = 0x100000
	u[12] = 0x10
	binary.BigEndian.PutUint32(u[20:], uint32(first+d.sectors()-1))
	binary.BigEndian.PutUint32(u[24:], first)
	binary.BigEndian.PutUint32(u[28:], uint32(first+d.sectors()-2))
	return b
}
