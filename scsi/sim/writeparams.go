package sim

import (
	"encoding/binary"
	"strings"

	"spindle/disc"
	"spindle/disc/cdsector"
)

// Mode page 05h, write parameters (MMC-5 7.5).
const (
	pageWrite     = 0x05
	pageWriteSize = 52
)

// Write types of mode page 05h.
const (
	writePacket = 0 // on DVD-R: incremental
	writeTAO    = 1
	writeSAO    = 2 // on DVD-R: disc at once
	writeRaw    = 3
)

// defaultWritePage is what the drive has at power-on.
func defaultWritePage() (p [pageWriteSize]byte) {
	p[0], p[1] = pageWrite, pageWriteSize-2
	p[2] = 0x40 | writeTAO // BUFE
	p[3] = 4               // data
	p[4] = 8               // mode 1
	p[15] = 150            // audio pause
	return p
}

// writePageMask has the bits that MODE SELECT changes.
func writePageMask() []byte {
	p := make([]byte, pageWriteSize)
	p[0], p[1] = pageWrite, pageWriteSize-2
	p[2], p[3], p[4], p[5], p[7], p[8] = 0x7F, 0xFF, 0x0F, 0xFF, 0x3F, 0xFF
	for i := 10; i < pageWriteSize; i++ {
		p[i] = 0xFF
	}
	return p
}

// setWritePage takes a page from MODE SELECT, if the drive and the medium allow
// what it says.
func (d *Drive) setWritePage(p []byte) bool {
	if len(p) != pageWriteSize {
		return false
	}
	kind, track, block, multi := p[2]&15, p[3]&15, p[4]&15, p[3]>>6
	if multi == 2 || track&4 != 0 && track&8 != 0 {
		return false
	}
	if f := p[8]; f != 0 && f != 0x10 && f != 0x20 {
		return false
	}
	fixed := p[3]&0x20 != 0
	c := pressed
	if d.loaded() && d.disc != nil {
		c = d.disc.kind.class
	}
	switch c {
	case cdRecord:
		switch kind {
		case writeTAO, writePacket:
			if _, ok := blockTypeOf(block); !ok || block >= 1 && block <= 3 {
				return false
			}
			// Samples go into audio tracks, and nothing else does.
			if (track&4 == 0) != (block == 0) {
				return false
			}
			if kind == writePacket && fixed && binary.BigEndian.Uint32(p[10:]) == 0 {
				return false
			}
		case writeSAO:
		case writeRaw:
			if block < 1 || block > 3 {
				return false
			}
		default:
			return false
		}
	case minusRecord:
		dao := kind == writeSAO
		if kind != writePacket && !dao || block != 8 || track&4 == 0 {
			return false
		}
		if kind == writePacket && d.disc.st.Minimal && d.disc.kind.profile == profileDVDRW {
			return false // after a minimal blank only disc at once is left
		}
		if !dao && fixed && binary.BigEndian.Uint32(p[10:]) != 16 {
			return false
		}
	}
	copy(d.rec.page[2:], p[2:])
	return true
}

func (r *recorder) writeType() byte       { return r.page[2] & 15 }
func (r *recorder) testWrite() bool       { return r.page[2]&0x10 != 0 }
func (r *recorder) underrunFree() bool    { return r.page[2]&0x40 != 0 }
func (r *recorder) multiSession() byte    { return r.page[3] >> 6 }
func (r *recorder) control() disc.Control { return disc.Control(r.page[3] & 15) }
func (r *recorder) blockType() byte       { return r.page[4] & 15 }
func (r *recorder) format() disc.SessionFormat {
	return disc.SessionFormat(r.page[8])
}

// fixedPacket is the size of fixed packets in sectors, or 0.
func (r *recorder) fixedPacket() int {
	if r.page[3]&0x20 == 0 {
		return 0
	}
	return int(min(binary.BigEndian.Uint32(r.page[10:]), 1<<16))
}

// mcn is the catalogue number in the page, or empty.
func (r *recorder) mcn() string {
	if r.page[16]&0x80 == 0 {
		return ""
	}
	return validOr(string(r.page[17:30]), cdsector.ValidMCN)
}

// isrc is the recording code in the page, or empty.
func (r *recorder) isrc() string {
	if r.page[32]&0x80 == 0 {
		return ""
	}
	return validOr(string(r.page[33:45]), cdsector.ValidISRC)
}

func validOr(s string, valid func(string) bool) string {
	if s = strings.ToUpper(s); valid(s) {
		return s
	}
	return ""
}

// blockType says how the host gives a sector.
type blockType struct {
	size int // bytes
	kind cdsector.Kind
	at   int // where they stand in a sector of 2352 bytes
	sub  int // bytes of sub-channel behind them
}

// blockTypeOf gives a data block type of mode page 05h (MMC-5 table 661); false for
// those that do not exist.
func blockTypeOf(n byte) (blockType, bool) {
	switch n {
	case 0:
		return blockType{2352, cdsector.Audio, 0, 0}, true
	case 1:
		return blockType{2368, cdsector.Audio, 0, 16}, true
	case 2, 3:
		return blockType{2448, cdsector.Audio, 0, 96}, true
	case 8:
		return blockType{2048, cdsector.Mode1, 16, 0}, true
	case 9:
		return blockType{2336, cdsector.Mode2, 16, 0}, true
	case 10:
		return blockType{2048, cdsector.Form1, 24, 0}, true
	case 11:
		return blockType{2056, cdsector.Form1, 16, 0}, true
	case 12:
		return blockType{2324, cdsector.Form2, 24, 0}, true
	case 13: // form 1 or 2, as the sub-header says
		return blockType{2332, cdsector.Bad, 16, 0}, true
	}
	return blockType{}, false
}

// modeOf is the track mode that sectors of a kind make.
func modeOf(k cdsector.Kind) disc.Mode {
	switch k {
	case cdsector.Audio:
		return disc.Audio
	case cdsector.Mode1:
		return disc.Mode1
	case cdsector.Mode0:
		return disc.Mode0
	}
	return disc.Mode2
}

// sector builds a sector of a data track at an address from what the host gave,
// which stands at an offset in it.
func buildSector(s *[cdsector.Size]byte, k cdsector.Kind, at int, data []byte, a disc.LBA) {
	clear(s[:])
	copy(s[at:], data)
	if k == cdsector.Bad { // mode 2 with a sub-header
		k = cdsector.Form1
		if s[18]&0x20 != 0 {
			k = cdsector.Form2
		}
	}
	mode := byte(2)
	switch k {
	case cdsector.Audio:
		return
	case cdsector.Mode0:
		mode = 0
	case cdsector.Mode1:
		mode = 1
	case cdsector.Form2:
		s[18] |= 0x20
		s[22] |= 0x20
	}
	t := a.MSF()
	cdsector.SetHeader(s, t, mode)
	cdsector.Seal(s, k)
}
