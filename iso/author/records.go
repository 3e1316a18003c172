package author

import (
	"encoding/binary"
	"io/fs"
	"slices"
	"strings"
	"time"
	"unicode/utf16"
)

func utf16Of(s string) []uint16 { return utf16.Encode([]rune(s)) }

// ucs2 is a text in the coding of Joliet, most significant byte first.
func ucs2(s string) []byte {
	var b []byte
	for _, u := range utf16Of(s) {
		b = binary.BigEndian.AppendUint16(b, u)
	}
	return b
}

// both16 and both32 append a number in both byte orders (ECMA-119 7.2.3, 7.3.3).
func both16(b []byte, v uint16) []byte {
	b = binary.LittleEndian.AppendUint16(b, v)
	return binary.BigEndian.AppendUint16(b, v)
}

func both32(b []byte, v uint32) []byte {
	b = binary.LittleEndian.AppendUint32(b, v)
	return binary.BigEndian.AppendUint32(b, v)
}

// shortTime is a date and time of a record (ECMA-119 9.1.5), in UTC.
func shortTime(t time.Time) []byte {
	t = t.UTC()
	year := min(max(t.Year()-1900, 0), 255)
	return []byte{byte(year), byte(t.Month()), byte(t.Day()), byte(t.Hour()), byte(t.Minute()), byte(t.Second()), 0}
}

// Flags of a record (ECMA-119 9.1.6).
const (
	flagDirectory   = 0x02
	flagMultiExtent = 0x80
)

// record makes a directory record (ECMA-119 9.1) with a system use field.
func record(name []byte, block, size uint32, flags byte, t time.Time, use []byte) []byte {
	n := 33 + len(name) + (len(name)+1)%2
	b := make([]byte, 2, n+len(use)+1)
	b = both32(b, block)
	b = both32(b, size)
	b = append(b, shortTime(t)...)
	b = append(b, flags, 0, 0)
	b = both16(b, 1)
	b = append(b, byte(len(name)))
	b = append(b, name...)
	for len(b) < n {
		b = append(b, 0)
	}
	b = append(b, use...)
	if len(b)%2 != 0 {
		b = append(b, 0)
	}
	b[0] = byte(len(b))
	return b
}

// maxRecord is the longest record: an even number that a byte holds.
const maxRecord = 254

// maxExtent is the most bytes of one extent of a file, in whole blocks.
const maxExtent = 1<<32 - blockSize

// extents returns the sizes of the extents of a file.
func (n *node) extents() []uint32 {
	var all []uint32
	for left := n.size; ; left -= maxExtent {
		if left <= maxExtent {
			return append(all, uint32(left))
		}
		all = append(all, maxExtent)
	}
}

// blocks returns the number of blocks of the content.
func (n *node) blocks() uint32 { return uint32((n.size + blockSize - 1) / blockSize) }

// records makes the records of a folder in a tree, each block filled with whole
// ones. It runs twice: for the sizes, and when all is placed.
func (v *volume) records(d *node, t int) []byte {
	if t == primary {
		d.ce = d.ce[:0]
	}
	use := func(n *node, self, root bool, nameLen int) []byte {
		if t == joliet || v.o.NoRockRidge {
			return nil
		}
		return d.susp(n, self, root, nameLen)
	}
	var b []byte
	add := func(r []byte) {
		if left := blockSize - len(b)%blockSize; len(r) > left {
			b = append(b, make([]byte, left)...)
		}
		b = append(b, r...)
	}
	add(record([]byte{0}, d.dirBlock[t], d.dirSize[t], flagDirectory, d.time, use(d, true, d.parent == d, 1)))
	p := d.parent
	add(record([]byte{1}, p.dirBlock[t], p.dirSize[t], flagDirectory, p.time, use(p, true, false, 1)))
	for _, c := range d.sorted(t) {
		name := []byte(c.isoName)
		if t == joliet {
			if c.mode&fs.ModeSymlink != 0 {
				continue
			}
			name = ucs2(c.jolietName)
		}
		rr := use(c, false, false, len(name))
		if c.mode.IsDir() {
			add(record(name, c.dirBlock[t], c.dirSize[t], flagDirectory, c.time, rr))
			continue
		}
		sizes, block := c.extents(), c.block
		for i, size := range sizes {
			flags := byte(flagMultiExtent)
			if i == len(sizes)-1 {
				flags = 0
			}
			add(record(name, block, size, flags, c.time, rr))
			block += size / blockSize
		}
	}
	return append(b, make([]byte, -len(b)&(blockSize-1))...)
}

// ce is the size of the entry that leads to a continuation area.
const ce = 28

// susp makes the system use field of a record in the folder n: the entries of Rock
// Ridge, of which those that do not fit go to the folder's continuation area.
func (n *node) susp(of *node, self, root bool, nameLen int) []byte {
	var entries [][]byte
	if root {
		entries = append(entries, []byte{'S', 'P', 7, 1, 0xBE, 0xEF, 0})
	}
	entries = append(entries, px(of), tf(of))
	if !self {
		entries = append(entries, nm(of.name)...)
		if of.mode&fs.ModeSymlink != 0 {
			entries = append(entries, sl(of.link)...)
		}
	}
	if root {
		entries = append(entries, er())
	}
	room := maxRecord - 33 - nameLen - (nameLen+1)%2
	total := 0
	for _, e := range entries {
		total += len(e)
	}
	var use []byte
	for i, e := range entries {
		if total <= room-len(use) || len(use)+len(e)+ce <= room {
			use = append(use, e...)
			total -= len(e)
			continue
		}
		return append(use, n.continued(slices.Concat(entries[i:]...))...)
	}
	return use
}

// continued puts entries into the continuation area, and returns the entry that
// leads there (IEEE P1281 5.1). They lie in one block: that is more than the longest
// name and the longest link need.
func (n *node) continued(rest []byte) []byte {
	if left := blockSize - len(n.ce)%blockSize; len(rest) > left {
		n.ce = append(n.ce, make([]byte, left)...)
	}
	at := uint32(len(n.ce))
	n.ce = append(n.ce, rest...)
	b := []byte{'C', 'E', ce, 1}
	b = both32(b, n.ceBlock+at/blockSize)
	b = both32(b, at%blockSize)
	return both32(b, uint32(len(rest)))
}

// px states type, permissions, links and owner (IEEE P1282 4.1.1). All files belong
// to root, and may be read by all: who burned a disc says nothing to who reads it.
func px(n *node) []byte {
	mode, links := uint32(n.mode.Perm()), uint32(1)
	switch {
	case n.mode.IsDir():
		mode |= 0o040000
		links = 2
		for _, c := range n.children {
			if c.mode.IsDir() {
				links++
			}
		}
	case n.mode&fs.ModeSymlink != 0:
		mode |= 0o120000
	default:
		mode |= 0o100000
	}
	b := []byte{'P', 'X', 36, 1}
	b = both32(b, mode)
	b = both32(b, links)
	b = both32(b, 0)
	return both32(b, 0)
}

// tf states the times of modification, access and change of attributes, which are
// the same here (IEEE P1282 4.1.6).
func tf(n *node) []byte {
	b := []byte{'T', 'F', 26, 1, 0x0E}
	for range 3 {
		b = append(b, shortTime(n.time)...)
	}
	return b
}

// nm states a name, in pieces where it is long (IEEE P1282 4.1.4).
func nm(name string) [][]byte {
	const piece = 200
	var all [][]byte
	for {
		n := min(piece, len(name))
		flags := byte(0)
		if n < len(name) {
			flags = 1
		}
		all = append(all, append([]byte{'N', 'M', byte(5 + n), 1, flags}, name[:n]...))
		if name = name[n:]; name == "" {
			return all
		}
	}
}

// sl states the target of a link, a component for each name in it (IEEE P1282
// 4.1.3).
func sl(target string) [][]byte {
	const most = 250
	var parts [][]byte
	component := func(flags byte, text string) {
		parts = append(parts, append([]byte{flags, byte(len(text))}, text...))
	}
	if strings.HasPrefix(target, "/") {
		component(8, "")
	}
	for _, name := range strings.Split(target, "/") {
		switch name {
		case "":
			continue
		case ".":
			component(2, "")
			continue
		case "..":
			component(4, "")
			continue
		}
		const piece = 240
		for ; len(name) > piece; name = name[piece:] {
			component(1, name[:piece])
		}
		component(0, name)
	}
	var all [][]byte
	cur := []byte{'S', 'L', 0, 1, 0}
	for _, p := range parts {
		if len(cur)+len(p) > most {
			cur[4] = 1 // it continues in the next
			all = append(all, cur)
			cur = []byte{'S', 'L', 0, 1, 0}
		}
		cur = append(cur, p...)
	}
	all = append(all, cur)
	for _, e := range all {
		e[2] = byte(len(e))
	}
	return all
}

// er says which extension of SUSP is used: Rock Ridge (IEEE P1281 5.5).
func er() []byte {
	const (
		id   = "RRIP_1991A"
		text = "THE ROCK RIDGE INTERCHANGE PROTOCOL PROVIDES SUPPORT FOR POSIX FILE SYSTEM SEMANTICS"
		from = "PLEASE CONTACT DISC PUBLISHER FOR SPECIFICATION SOURCE.  SEE PUBLISHER IDENTIFIER IN PRIMARY VOLUME DESCRIPTOR FOR CONTACT INFORMATION."
	)
	b := []byte{'E', 'R', byte(8 + len(id) + len(text) + len(from)), 1, byte(len(id)), byte(len(text)), byte(len(from)), 1}
	return append(b, id+text+from...)
}
