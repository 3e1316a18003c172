package testforeign

import (
	"bytes"
	"encoding/binary"
)

// A UIF says how an image of MagicISO is made.
type UIF struct {
	Version    int // 0: 1; from 3 on with LZMA
	Type       int // 0: 8, an ISO
	PlainTable bool
	Filter     bool // of machine code, with LZMA
	Backwards  bool // the last block comes first
	Key        byte // of a cipher
	Locked     bool // by a password
}

// UIFs are the kinds of images of MagicISO that are not encrypted.
func UIFs() map[string]*UIF {
	return map[string]*UIF{
		"first": {}, "second": {Version: 2, Key: 17}, "plain-table": {PlainTable: true}, "backwards": {Backwards: true},
		"lzma": {Version: 3}, "filter": {Version: 3, Filter: true, PlainTable: true},
	}
}

// Make makes an image of an ISO, whose last sector need not be whole.
func (u *UIF) Make(name string, content []byte) *Files {
	const sector, perBlock, plain, zeros, packed = 2048, 16, 1, 3, 5
	le := binary.LittleEndian
	total := (len(content) + sector - 1) / sector
	padded := append(append([]byte{}, content...), make([]byte, total*sector-len(content))...)
	out := []byte("no mark is at the start")
	var table []byte
	count := 0
	for first := 0; first < total; first += perBlock {
		n := min(perBlock, total-first)
		b := padded[first*sector : (first+n)*sector]
		kind, in := packed, u.pack(b)
		switch {
		case bytes.Count(b, []byte{0}) == len(b):
			kind, in = zeros, nil
		case len(in) >= len(b) || first == perBlock:
			kind, in = plain, bytes.TrimRight(b, "\x00")
		}
		e := le.AppendUint64(nil, uint64(len(out)))
		for _, v := range []int{len(in), first, n, kind} {
			e = le.AppendUint32(e, uint32(v))
		}
		if u.Backwards {
			table = append(e, table...)
		} else {
			table = append(table, e...)
		}
		out = append(out, in...)
		count++
	}
	at := len(out)
	t, isPacked := u.pack(table), 1
	if u.PlainTable {
		t, isPacked = table, 0
	}
	head := "blhr"
	if u.Locked {
		head = "bsdr"
	}
	out = append(out, head...)
	for _, v := range []int{8 + len(t), isPacked, count} {
		out = le.AppendUint32(out, uint32(v))
	}
	out = append(out, t...)
	return u.finish(name, out, at, total, len(content)%sector)
}

// finish adds the trailer.
func (u *UIF) finish(name string, out []byte, at, total, last int) *Files {
	le := binary.LittleEndian
	b := make([]byte, 64)
	copy(b, "bbis")
	le.PutUint32(b[4:], 64)
	le.PutUint16(b[8:], uint16(max(1, u.Version)))
	le.PutUint16(b[10:], 8)
	if u.Type > 0 {
		le.PutUint16(b[10:], uint16(u.Type))
	}
	le.PutUint32(b[16:], uint32(total))
	le.PutUint32(b[20:], 2048)
	le.PutUint32(b[24:], uint32(last))
	le.PutUint64(b[28:], uint64(at))
	le.PutUint32(b[36:], uint32(len(out)-at+len(b)))
	b[56] = u.Key
	f := &Files{}
	f.add(name+".uif", append(out, b...))
	return f
}

func (u *UIF) pack(b []byte) []byte {
	if u.Version < 3 {
		return zlibOf(b)
	}
	head := []byte{0, usualLZMA, 0, 0, 1, 0}
	size := binary.LittleEndian.AppendUint64(nil, uint64(len(b)))
	if u.Filter {
		head[0] = 1
		b = X86(b)
	}
	return append(append(head, size...), packedLZMA(b)...)
}

// MakeZeros makes an image of so many bytes, all of them zeros that are in one block.
func (u *UIF) MakeZeros(size int64) []byte {
	const zeros = 3
	return u.one(size, zeros, nil)
}

// MakeBomb makes an image of so many bytes in one block, which is compressed to next to nothing.
func (u *UIF) MakeBomb(size int64) []byte {
	const packed = 5
	return u.one(size, packed, u.pack(make([]byte, 1<<20)))
}

// one makes an image of one block.
func (u *UIF) one(size int64, kind int, in []byte) []byte {
	le := binary.LittleEndian
	total := int(size / 2048)
	table := le.AppendUint64(nil, 0)
	for _, v := range []int{len(in), 0, total, kind} {
		table = le.AppendUint32(table, uint32(v))
	}
	at := len(in)
	out := append(in, "blhr"...)
	for _, v := range []int{8 + len(table), 0, 1} {
		out = le.AppendUint32(out, uint32(v))
	}
	f := u.finish("x", append(out, table...), at, total, 0)
	return f.Bytes[f.Order[0]]
}
