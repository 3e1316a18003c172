package blindwrite

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"unicode/utf16"

	"spindle/addr"
	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/image/laid"
)

// magic begins a descriptor.
const magic = "BWT5 STREAM SIGN"

// A descriptor is the content of a .b5t or .b6t file.
type descriptor struct {
	mcn      string
	text     []disc.Pack
	blocks   []block // by their addresses
	sessions []session
}

// A block is a run of sectors in a file.
type block struct {
	bytes, offset int64
	first         int64 // LBA
	sectors       int64
	name          string
}

// size is that of a sector, with its sub-channel.
func (b *block) size() int64 { return b.bytes / b.sectors }

func (b *block) end() int64 { return b.first + b.sectors }

type session struct {
	end    int64
	tracks []track
}

type track struct {
	at      int // byte of the descriptor
	kind    int
	control disc.Control
	point   int
	pregap  int64
	start   int64
	length  int64
}

// The kinds of tracks.
const (
	kindNone  = 0
	kindAudio = 1
	kindMode1 = 2
	kindDVD   = 6
)

// parser reads a descriptor from its start on.
type parser struct {
	b   []byte
	at  int
	err error
}

// take returns the next n bytes, or zeros once there are not so many.
func (p *parser) take(n uint32, what string) []byte {
	if p.err == nil && int64(n) > int64(len(p.b)-p.at) {
		p.err = laid.Errorf("%s of %d bytes at byte %d, and the file has %d", what, n, p.at, len(p.b))
	}
	if p.err != nil {
		const most = 1 << 10 // what is read of it is never more
		return make([]byte, min(n, most))
	}
	p.at += int(n)
	return p.b[p.at-int(n) : p.at]
}

func (p *parser) u32(what string) uint32 { return binary.LittleEndian.Uint32(p.take(4, what)) }

const (
	headerSize   = 112
	driveSize    = 32 + 8 + 16 + 4 + 20 + 32
	lengthsSize  = 5 * 4
	sessionSize  = 16
	trackSize    = 64
	trackMore    = 8 // of what is no DVD
	maxSessions  = 99
	maxBlocks    = 1024
	maxNameBytes = 4096
)

// parse reads a descriptor.
func parse(b []byte) (*descriptor, error) {
	le := binary.LittleEndian
	p := parser{b: b}
	if m := p.take(uint32(len(magic)), "a signature"); p.err == nil && string(m) != magic {
		return nil, laid.Errorf("it does not begin with %s", magic)
	}
	h := p.take(headerSize, "a header")
	p.take(driveSize, "the drive")
	lengths := p.take(lengthsSize, "lengths")
	if p.err != nil {
		return nil, p.err
	}
	d := &descriptor{}
	if mcn := string(h[49:62]); h[48] != 0 && cdsector.ValidMCN(mcn) {
		d.mcn = mcn
	}
	p.take(le.Uint32(lengths), "a mode page")
	p.take(le.Uint32(lengths[4:]), "a part")
	p.take(uint32(le.Uint16(h[80:])), "the PMA")
	p.take(uint32(le.Uint16(h[82:])), "the ATIP")
	d.readText(p.take(uint32(le.Uint16(h[84:])), "CD-TEXT"))
	p.take(le.Uint32(h[88:]), "the BCA")
	p.take(le.Uint32(h[104:]), "structures of a DVD")
	p.take(cmp.Or(uint32(le.Uint16(h[86:])), le.Uint32(h[108:])), "information")
	end := p.at + int(min(int64(le.Uint32(lengths[8:])), int64(len(b))))
	d.readBlocks(&p)
	if p.err == nil && p.at != end {
		return nil, laid.Errorf("the blocks of data end at byte %d, and not at %d", p.at, end)
	}
	if p.err != nil {
		return nil, p.err
	}
	n := int(le.Uint16(h[34:]))
	if n == 0 || n > maxSessions {
		return nil, laid.Errorf("it states %d sessions (at byte 50)", n)
	}
	for i := range n {
		d.readSession(&p)
		if p.err != nil {
			return nil, fmt.Errorf("session %d: %w", i+1, p.err)
		}
	}
	return d, nil
}

// readText takes the packs of CD-TEXT, before which the answer of a drive has four bytes.
func (d *descriptor) readText(b []byte) {
	const head = 4
	if len(b)%disc.PackSize == head {
		b = b[head:]
	}
	for ; len(b) >= disc.PackSize; b = b[disc.PackSize:] {
		d.text = append(d.text, disc.Pack(b))
	}
}

// readBlocks reads which sectors stand in which file.
func (d *descriptor) readBlocks(p *parser) {
	le := binary.LittleEndian
	n := p.u32("a number of blocks")
	p.take(p.u32("a length"), "a path")
	if n > maxBlocks && p.err == nil {
		p.err = laid.Errorf("%d blocks of data (before byte %d)", n, p.at)
	}
	for i := uint32(0); i < n && p.err == nil; i++ {
		at := p.at
		const size = 52
		b := p.take(size, "a block of data")
		x := block{
			bytes: int64(le.Uint32(b[4:])), offset: int64(le.Uint32(b[24:])),
			first: int64(int32(le.Uint32(b[40:]))), sectors: int64(int32(le.Uint32(b[44:]))),
		}
		name := p.take(le.Uint32(b[48:]), "the name of a file")
		p.take(4, "the end of a block of data")
		switch {
		case p.err != nil:
			return
		case x.sectors <= 0 || x.bytes%x.sectors != 0 || len(name) > maxNameBytes || x.first < -addr.Pregap || x.end() > disc.MaxLBA:
			p.err = laid.Errorf("a block of %d sectors in %d bytes from sector %d on (at byte %d)", x.sectors, x.bytes, x.first, at)
		}
		x.name = utf16Text(name)
		d.blocks = append(d.blocks, x)
	}
	slices.SortStableFunc(d.blocks, func(a, b block) int { return cmp.Compare(a.first, b.first) })
}

func utf16Text(b []byte) string {
	var all []uint16
	for ; len(b) >= 2; b = b[2:] {
		if c := binary.LittleEndian.Uint16(b); c != 0 {
			all = append(all, c)
		}
	}
	return string(utf16.Decode(all))
}

// readSession reads a session, and the entries of its table of contents.
func (d *descriptor) readSession(p *parser) {
	le := binary.LittleEndian
	b := p.take(sessionSize, "a session")
	s := session{end: int64(int32(le.Uint32(b[8:])))}
	for range b[2] {
		at := p.at
		e := p.take(trackSize, "a track")
		t := track{
			at: at, kind: int(e[0]), control: disc.Control(e[10] & 15), point: int(e[12]), pregap: int64(le.Uint32(e[22:])),
			start: int64(int32(le.Uint32(e[42:]))), length: int64(int32(le.Uint32(e[46:]))),
		}
		if t.kind != kindDVD {
			p.take(trackMore, "the end of a track")
		}
		if t.kind == kindNone || t.point < 1 || t.point > 99 {
			continue
		}
		if p.err == nil && (t.start < -addr.Pregap || t.start > disc.MaxLBA || t.length < 0 || t.length > disc.MaxLBA || t.pregap > t.start+addr.Pregap) {
			p.err = laid.Errorf("track %d starts at %d after %d sectors of pregap, and has %d (at byte %d)", t.point, t.start, t.pregap, t.length, at)
		}
		s.tracks = append(s.tracks, t)
	}
	if len(s.tracks) == 0 && p.err == nil {
		p.err = laid.Errorf("no track (before byte %d)", p.at)
	}
	d.sessions = append(d.sessions, s)
}

// isDVD reports whether the one track is that of a DVD.
func (d *descriptor) isDVD() bool {
	return len(d.sessions) == 1 && len(d.sessions[0].tracks) == 1 && d.sessions[0].tracks[0].kind == kindDVD
}

func hasMagic(head []byte) bool { return bytes.HasPrefix(head, []byte(magic)) }
