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

// writePage is mode page 05h.
type writePage [pageWriteSize]byte

// defaultWritePage is what the drive has at power-on.
func defaultWritePage() (p writePage) {
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

// writePageRules say what of mode page 05h the media of a class allow. Those that
// are not here ignore the page.
var writePageRules = map[class]func(*writePage, *Recordable) bool{
	cdRecord:    (*writePage).suitsCD,
	minusRecord: (*writePage).suitsMinus,
}

// setWritePage takes a page from MODE SELECT, if the drive and the medium allow
// what it says.
func (d *Drive) setWritePage(data []byte) bool {
	if len(data) != pageWriteSize {
		return false
	}
	p := writePage(data)
	if !p.possible() {
		return false
	}
	if d.loaded() && d.disc != nil {
		if suits, ok := writePageRules[d.disc.kind.class]; ok && !suits(&p, d.disc) {
			return false
		}
	}
	copy(d.rec.page[2:], p[2:])
	return true
}

// possible reports whether the page says nothing that the standard rules out.
func (p *writePage) possible() bool {
	if p.multiSession() == 2 || p[3]&4 != 0 && p[3]&8 != 0 {
		return false
	}
	return p[8] == 0 || p[8] == 0x10 || p[8] == 0x20
}

// suitsCD is the rule for CD-R and CD-RW.
func (p *writePage) suitsCD(*Recordable) bool {
	block := p.blockType()
	raw := block >= 1 && block <= 3
	switch p.writeType() {
	case writeSAO: // the cue sheet says the rest
		return true
	case writeRaw:
		return raw
	case writeTAO:
	case writePacket:
		if p.fixed() && p.packetSize() == 0 {
			return false
		}
	default:
		return false
	}
	// Samples go into audio tracks, and nothing else does.
	_, known := blockTypeOf(block)
	return known && !raw && (p[3]&4 == 0) == (block == 0)
}

// suitsMinus is the rule for DVD-R and DVD-RW.
func (p *writePage) suitsMinus(r *Recordable) bool {
	if p.blockType() != 8 || p[3]&4 == 0 {
		return false
	}
	switch p.writeType() {
	case writeSAO:
		return true
	case writePacket:
		if r.st.Minimal && r.kind.profile == profileDVDRW {
			return false // after a minimal blank only disc at once is left
		}
		return !p.fixed() || p.packetSize() == 16
	}
	return false
}

func (p *writePage) writeType() byte       { return p[2] & 15 }
func (p *writePage) testWrite() bool       { return p[2]&0x10 != 0 }
func (p *writePage) underrunFree() bool    { return p[2]&0x40 != 0 }
func (p *writePage) multiSession() byte    { return p[3] >> 6 }
func (p *writePage) control() disc.Control { return disc.Control(p[3] & 15) }
func (p *writePage) blockType() byte       { return p[4] & 15 }
func (p *writePage) format() disc.SessionFormat {
	return disc.SessionFormat(p[8])
}

func (p *writePage) fixed() bool        { return p[3]&0x20 != 0 }
func (p *writePage) packetSize() uint32 { return binary.BigEndian.Uint32(p[10:]) }

// fixedPacket is the size of fixed packets in sectors, or 0.
func (p *writePage) fixedPacket() int {
	if !p.fixed() {
		return 0
	}
	return int(min(p.packetSize(), 1<<16))
}

// mcn is the catalogue number in the page, or empty.
func (p *writePage) mcn() string {
	if p[16]&0x80 == 0 {
		return ""
	}
	return validOr(string(p[17:30]), cdsector.ValidMCN)
}

// isrc is the recording code in the page, or empty.
func (p *writePage) isrc() string {
	if p[32]&0x80 == 0 {
		return ""
	}
	return validOr(string(p[33:45]), cdsector.ValidISRC)
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

// blockTypes are the data block types of mode page 05h (MMC-5 table 661).
var blockTypes = map[byte]blockType{
	0:  {2352, cdsector.Audio, 0, 0},
	1:  {2368, cdsector.Audio, 0, 16},
	2:  {2448, cdsector.Audio, 0, 96},
	3:  {2448, cdsector.Audio, 0, 96},
	8:  {2048, cdsector.Mode1, 16, 0},
	9:  {2336, cdsector.Mode2, 16, 0},
	10: {2048, cdsector.Form1, 24, 0},
	11: {2056, cdsector.Form1, 16, 0},
	12: {2324, cdsector.Form2, 24, 0},
	13: {2332, cdsector.Bad, 16, 0}, // form 1 or 2, as the sub-header says
}

// blockTypeOf gives a data block type; false for those that do not exist.
func blockTypeOf(n byte) (blockType, bool) {
	t, ok := blockTypes[n]
	return t, ok
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
