package author

import (
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"time"
)

// trees lists the trees that are made.
func (v *volume) trees() []int {
	if v.o.NoJoliet {
		return []int{primary}
	}
	return []int{primary, joliet}
}

func (v *volume) tree(t int) *tree {
	if t == joliet {
		return &v.joliet
	}
	return &v.primary
}

// errTooLarge is returned for a folder that no image can hold.
var errTooLarge = errors.New("the folder is larger than an ISO 9660 volume can be (8 TiB)")

// place gives everything its block: descriptors, path tables, folders, the boot
// catalogue, then the content of the files.
func (v *volume) place() error {
	at := uint32(16 + 1 + 1) // system area, primary descriptor, terminator
	if len(v.boot) > 0 {
		at++
	}
	if !v.o.NoJoliet {
		at++
	}
	for _, t := range v.trees() {
		tr := v.tree(t)
		order := v.numbered(t)
		for _, d := range order {
			tr.tableSize += uint32(len(d.tableEntry(t, binary.LittleEndian)))
		}
		tr.tableBlock = (tr.tableSize + blockSize - 1) / blockSize
		tr.tableL, at = at, at+tr.tableBlock
		tr.tableM, at = at, at+tr.tableBlock
	}
	for _, t := range v.trees() {
		for _, d := range v.dirs {
			d.dirBlock[t] = at
			d.dirSize[t] = uint32(len(v.records(d, t)))
			at += d.dirSize[t] / blockSize
			if t == primary && len(d.ce) > 0 {
				d.ceBlock = at
				at += uint32(len(d.ce)+blockSize-1) / blockSize
			}
		}
	}
	if len(v.boot) > 0 {
		v.catalog, at = at, at+1
	}
	for _, f := range v.files {
		f.block = at
		if int64(at)+int64(f.blocks()) > 1<<32-1 {
			return errTooLarge
		}
		at += f.blocks()
	}
	v.end = at
	v.made.Sectors = int(at)
	return nil
}

// numbered returns the folders in the order of a path table, by level, then by the
// number of the parent, then by name (ECMA-119 6.9.1), and numbers them.
func (v *volume) numbered(t int) []*node {
	order := []*node{v.root}
	v.root.number[t] = 1
	for i := 0; i < len(order); i++ {
		for _, c := range order[i].sorted(t) {
			if c.mode.IsDir() {
				c.number[t] = uint16(len(order) + 1)
				order = append(order, c)
			}
		}
	}
	return order
}

// tableEntry is the record of a folder in a path table (ECMA-119 9.4).
func (n *node) tableEntry(t int, order binary.AppendByteOrder) []byte {
	name := []byte(n.isoName)
	switch {
	case n.parent == n:
		name = []byte{0}
	case t == joliet:
		name = ucs2(n.jolietName)
	}
	b := []byte{byte(len(name)), 0}
	b = order.AppendUint32(b, n.dirBlock[t])
	b = order.AppendUint16(b, n.parent.number[t])
	b = append(b, name...)
	if len(name)%2 != 0 {
		b = append(b, 0)
	}
	return b
}

// pathTable makes a path table, in whole blocks.
func (v *volume) pathTable(t int, order binary.AppendByteOrder) []byte {
	var b []byte
	for _, d := range v.numbered(t) {
		b = append(b, d.tableEntry(t, order)...)
	}
	return append(b, make([]byte, -len(b)&(blockSize-1))...)
}

// text fills a field of a descriptor with blanks behind the text; in Joliet both
// are UCS-2.
func (t *tree) text(s string, size int) []byte {
	if !t.joliet {
		s = s[:min(len(s), size)]
		return append([]byte(s), strings.Repeat(" ", size-len(s))...)
	}
	b := ucs2(s)
	b = b[:min(len(b), size&^1)]
	for len(b)+2 <= size {
		b = append(b, 0, ' ')
	}
	return append(b, make([]byte, size-len(b))...)
}

// longTime is a date and time of a descriptor (ECMA-119 8.4.26.1), in UTC.
func longTime(t time.Time) []byte {
	if t.IsZero() {
		return append([]byte("0000000000000000"), 0)
	}
	return append([]byte(t.UTC().Format("20060102150405")+"00"), 0)
}

// descriptor makes the primary volume descriptor, or that of Joliet (ECMA-119 8.4,
// 8.5).
func (v *volume) descriptor(t int) []byte {
	tr := v.tree(t)
	b := make([]byte, 0, blockSize)
	kind, escape := byte(1), ""
	if t == joliet {
		kind, escape = 2, "%/E" // UCS-2 level 3
	}
	b = append(b, kind)
	b = append(b, "CD001\x01\x00"...)
	b = append(b, tr.text("LINUX", 32)...)
	b = append(b, tr.text(v.o.Label, 32)...)
	b = append(b, make([]byte, 8)...)
	b = both32(b, v.end)
	b = append(b, (escape + strings.Repeat("\x00", 32-len(escape)))...)
	b = both16(b, 1)
	b = both16(b, 1)
	b = both16(b, blockSize)
	b = both32(b, tr.tableSize)
	b = binary.LittleEndian.AppendUint32(b, tr.tableL)
	b = binary.LittleEndian.AppendUint32(b, 0)
	b = binary.BigEndian.AppendUint32(b, tr.tableM)
	b = binary.BigEndian.AppendUint32(b, 0)
	b = append(b, record([]byte{0}, v.root.dirBlock[t], v.root.dirSize[t], flagDirectory, v.root.time, nil)...)
	b = append(b, tr.text("", 128)...) // volume set
	b = append(b, tr.text(v.o.Publisher, 128)...)
	b = append(b, tr.text("", 128)...) // preparer
	b = append(b, tr.text(v.o.Application, 128)...)
	for range 3 { // copyright, abstract and bibliographic file
		b = append(b, tr.text("", 37)...)
	}
	b = append(b, longTime(v.o.Time)...)
	b = append(b, longTime(v.o.Time)...)
	b = append(b, longTime(time.Time{})...) // it does not expire
	b = append(b, longTime(v.o.Time)...)
	b = append(b, 1, 0)
	return append(b, make([]byte, blockSize-len(b))...)
}

// bootRecord makes the descriptor that leads to the boot catalogue (El Torito 1.0,
// figure 7).
func (v *volume) bootRecord() []byte {
	b := make([]byte, blockSize)
	copy(b, "\x00CD001\x01EL TORITO SPECIFICATION")
	binary.LittleEndian.PutUint32(b[71:], v.catalog)
	return b
}

// bootCatalog makes the boot catalogue: its validation entry, the first image, then
// a section for each of the others (El Torito 1.0, section 2).
func (v *volume) bootCatalog() []byte {
	const entrySize = 32
	platform := func(b *bootImage) byte {
		if b.UEFI {
			return 0xEF
		}
		return 0
	}
	entry := func(x *bootImage) []byte {
		n := x.LoadSectors
		switch {
		case n > 0:
		case x.UEFI: // the whole of it, as far as that can be said
			n = int(min((x.node.size+511)/512, 65535))
		default:
			n = 4
		}
		e := make([]byte, entrySize)
		e[0] = 0x88
		binary.LittleEndian.PutUint16(e[6:], uint16(n))
		binary.LittleEndian.PutUint32(e[8:], x.node.block)
		return e
	}
	first := make([]byte, entrySize)
	first[0], first[1], first[30], first[31] = 1, platform(&v.boot[0]), 0x55, 0xAA
	var sum uint16
	for i := 0; i < entrySize; i += 2 {
		sum += binary.LittleEndian.Uint16(first[i:])
	}
	binary.LittleEndian.PutUint16(first[28:], -sum)
	b := slices.Concat(first, entry(&v.boot[0]))
	for i := range v.boot[1:] {
		x := &v.boot[i+1]
		header := make([]byte, entrySize)
		header[0], header[1], header[2] = 0x90, platform(x), 1
		if i == len(v.boot)-2 {
			header[0] = 0x91 // the last
		}
		b = slices.Concat(b, header, entry(x))
	}
	return append(b, make([]byte, blockSize-len(b))...)
}
