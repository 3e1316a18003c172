package testforeign

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"strings"

	"github.com/ulikunitz/xz/lzma"
)

// A DAA says how an image of PowerISO or gBurner is made.
type DAA struct {
	GBI         bool
	Second      bool // version 0x110, which all but Chunk, GBI, Volumes and Key need
	Chunk       int  // in bytes, or 0: 64 KiB; in version 2 a multiple of 16 KiB
	LZMA        bool // every second chunk, and what does not get shorter is stored
	Filter      bool // of machine code, with LZMA
	LengthBits  int  // of the table, from 11 on, or 0: as many as are needed
	MaskedBits  bool
	MaskedTable bool
	PackedTable bool
	Order       int // of deflate's kinds of blocks, 0 to 3, of a DAA
	Volumes     int // 0: one
	Key         bool
}

const (
	daaHeader = 76
	daaVolume = 40
	usualLZMA = 0x5D // the usual properties
)

// Make makes an image of some bytes. The name of its first file has no suffix yet.
func (d *DAA) Make(name string, content []byte) *Files {
	chunk := d.Chunk
	if chunk == 0 {
		chunk = 1 << 16
	}
	order := [4][3]uint{{0, 1, 2}, {1, 2, 0}, {0, 2, 1}, {1, 0, 2}}[d.Order]
	var data []byte
	var table daaTable
	for n := 0; n*chunk < len(content); n++ {
		b := content[n*chunk : min(len(content), (n+1)*chunk)]
		kind, packed := d.pack(b, n, order)
		if d.Second && len(packed) >= chunk { // it is stored, padded, with four bytes that mean nothing
			packed = append(append(append([]byte{}, b...), make([]byte, chunk-len(b))...), 0, 0, 0, 0)
		}
		data = append(data, packed...)
		table.lengths, table.kinds = append(table.lengths, len(packed)), append(table.kinds, kind)
	}
	h := make([]byte, daaHeader)
	copy(h, d.letters())
	put := binary.LittleEndian.PutUint32
	put(h[20:], 0x100)
	put(h[28:], 1)
	put(h[36:], uint32(chunk))
	binary.LittleEndian.PutUint64(h[40:], uint64(len(content)))
	before := d.descriptors()
	put(h[16:], uint32(daaHeader+len(before)))
	t := table.first()
	if d.Second {
		t = d.second(h, &table, chunk)
	}
	if d.MaskedTable {
		sectors := len(content) / 2048
		by := byte(sectors)
		for i := range t {
			t[i] += by
			by += byte(sectors >> 8)
		}
	}
	size := len(t)
	if d.PackedTable {
		size = len(daaDeflate(t, order))
	}
	put(h[24:], uint32(daaHeader+len(before)+size))
	binary.LittleEndian.PutUint64(h[48:], uint64(daaHeader+len(before)+size+len(data)))
	if d.PackedTable {
		put(h[57:], uint32(size))
	}
	sum := crc32.ChecksumIEEE(h[:daaHeader-4])
	put(h[daaHeader-4:], sum)
	if d.GBI {
		for i := range t {
			t[i] = (t[i] ^ byte(len(t)/4)) + byte(sum)
		}
	}
	if d.PackedTable {
		packed := daaDeflate(t, order)
		if len(packed) != size {
			panic("testforeign: a packed table cannot be masked by a sum of its own size")
		}
		t = packed
	}
	return d.split(name, append(append(h, before...), t...), data)
}

func (d *DAA) letters() string {
	if d.GBI {
		return "GBI"
	}
	return "DAA"
}

// pack packs a chunk. The kind is 0 for LZMA, and 1 for deflate.
func (d *DAA) pack(b []byte, n int, order [3]uint) (kind int, packed []byte) {
	if !d.LZMA || n%2 == 0 {
		return 1, daaDeflate(b, order)
	}
	if d.Filter {
		b = X86(b)
	}
	return 0, packedLZMA(b)
}

func packedLZMA(b []byte) []byte {
	return packed(b, func(out io.Writer) io.WriteCloser {
		w, err := lzma.WriterConfig{SizeInHeader: true, Size: int64(len(b)), DictCap: 1 << 16}.NewWriter(out)
		must(err)
		return w
	})[lzma.HeaderLen:]
}

// descriptors stand before the table.
func (d *DAA) descriptors() []byte {
	le := binary.LittleEndian
	one := func(kind uint32, b []byte) []byte {
		return append(le.AppendUint32(le.AppendUint32(nil, kind), uint32(8+len(b))), b...)
	}
	out := one(4, []byte("a comment\x00"))
	if d.Volumes > 1 {
		out = append(out, one(1, make([]byte, 20))...)
		split := le.AppendUint32(le.AppendUint32(nil, uint32(d.Volumes)), 1)
		out = append(out, one(2, append(split, make([]byte, 99*5)...))...)
	}
	if d.Key {
		out = append(out, one(3, make([]byte, 136))...)
	}
	return out
}

// A daaTable says how each chunk is packed, and how long it is.
type daaTable struct{ lengths, kinds []int }

// first is the table of version 0x100.
func (t *daaTable) first() (out []byte) {
	for _, n := range t.lengths {
		out = append(out, byte(n>>16), byte(n), byte(n>>8))
	}
	return out
}

// second makes the table of version 0x110, and what the header says of it.
func (d *DAA) second(h []byte, t *daaTable, chunk int) []byte {
	typeBits := 1
	if d.LengthBits > 0 {
		typeBits = 2
	}
	put := binary.LittleEndian.PutUint32
	put(h[20:], 0x110)
	number := uint32(d.Order)
	if d.GBI {
		number ^= 1
	}
	flags := uint32(chunk>>14) | number<<23
	for flag, on := range map[uint32]bool{1 << 14: d.PackedTable, 1 << 17: d.MaskedBits, 1 << 20: d.LZMA, 1 << 27: d.MaskedTable} {
		if on {
			flags |= flag
		}
	}
	put(h[36:], flags)
	bits := d.LengthBits
	if bits > 0 {
		h[61] = byte(typeBits | (bits-10)<<3)
	} else {
		h[61] = byte(typeBits)
		for n := chunk; n > typeBits; n >>= 1 {
			bits++
		}
	}
	if d.Filter {
		h[62] = 1
	}
	h[63] = usualLZMA
	put(h[64:], 1<<16)
	var w bitWriter
	mask := [8]byte{0x0A, 0x35, 0x2D, 0x3F, 0x08, 0x33, 0x09, 0x15}
	for n, length := range t.lengths {
		by := uint32(0)
		if d.MaskedBits {
			by = uint32(byte(n)^mask[n%8]) * 0x01010101
		}
		w.write((uint32(length-5)^by)&(1<<bits-1), bits)
		w.write((uint32(t.kinds[n])^by)&(1<<typeBits-1), typeBits)
	}
	return w.flush()
}

// split divides the data between volumes.
func (d *DAA) split(name string, head, data []byte) *Files {
	f := &Files{}
	ext := "." + strings.ToLower(d.letters())
	if d.Volumes <= 1 {
		f.add(name+ext, append(head, data...))
		return f
	}
	for n := range d.Volumes {
		part := data[n*len(data)/d.Volumes : (n+1)*len(data)/d.Volumes]
		h := head
		if n > 0 {
			h = make([]byte, daaVolume)
			copy(h, d.letters()+" VOL")
			binary.LittleEndian.PutUint32(h[16:], daaVolume)
			binary.LittleEndian.PutUint32(h[daaVolume-4:], crc32.ChecksumIEEE(h[:daaVolume-4]))
		}
		f.add(fmt.Sprintf("%s.part%02d%s", name, n+1, ext), append(append([]byte{}, h...), part...))
	}
	return f
}

// daaDeflate packs by deflate whose kinds of blocks have other numbers: blocks of each kind, in turn.
func daaDeflate(b []byte, order [3]uint) []byte {
	if order == [3]uint{0, 1, 2} {
		return deflate(b)
	}
	var w bitWriter
	const block = 3000
	for n := 0; n == 0 || n*block < len(b); n++ {
		part := b[n*block : min(len(b), (n+1)*block)]
		last := uint32(0)
		if (n+1)*block >= len(b) {
			last = 1
		}
		w.write(last, 1)
		w.write(uint32(order[n%3]), 2)
		[]func([]byte){w.stored, w.fixed, w.dynamic}[n%3](part)
	}
	return w.flush()
}

// bitWriter writes bits, the lowest of each byte first.
type bitWriter struct {
	out  []byte
	bits uint64
	n    int
}

func (w *bitWriter) write(v uint32, n int) {
	w.bits |= uint64(v) << w.n
	for w.n += n; w.n >= 8; w.n -= 8 {
		w.out = append(w.out, byte(w.bits))
		w.bits >>= 8
	}
}

// code writes a code, whose highest bit comes first.
func (w *bitWriter) code(v uint32, n int) {
	for i := n - 1; i >= 0; i-- {
		w.write(v>>i&1, 1)
	}
}

func (w *bitWriter) flush() []byte {
	if w.n > 0 {
		w.write(0, 8-w.n)
	}
	return w.out
}

// stored writes a block that is not compressed.
func (w *bitWriter) stored(b []byte) {
	w.flush()
	w.write(uint32(len(b)), 16)
	w.write(uint32(len(b))^0xFFFF, 16)
	w.out = append(w.out, b...)
}

// fixed writes a block in the fixed code. Of a run of equal bytes, all but the first are repetitions.
func (w *bitWriter) fixed(b []byte) {
	literal := func(s uint32) {
		switch {
		case s < 144:
			w.code(0x30+s, 8)
		case s < 256:
			w.code(0x190+s-144, 9)
		default:
			w.code(s-256, 7)
		}
	}
	for n := 0; n < len(b); n++ {
		literal(uint32(b[n]))
		const least = 3
		if n+least < len(b) && b[n+1] == b[n] && b[n+2] == b[n] && b[n+3] == b[n] {
			literal(257) // three bytes
			w.code(0, 5) // one back
			n += least
		}
	}
	literal(256)
}

// dynamic writes a block in a code that it states: 8 bits for a byte below 255, 9 for 255 and the end.
func (w *bitWriter) dynamic(b []byte) {
	w.write(0, 5)  // 257 literals
	w.write(0, 5)  // a distance
	w.write(14, 4) // 18 lengths of the code of the lengths: up to that of 1
	for _, s := range []int{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1} {
		length := uint32(0)
		if s == 8 || s == 9 || s == 1 || s == 0 {
			length = 2
		}
		w.write(length, 3)
	}
	small := map[int]uint32{0: 0, 1: 1, 8: 2, 9: 3} // in the order of the symbols
	for s := range 257 {
		if s < 255 {
			w.code(small[8], 2)
		} else {
			w.code(small[9], 2)
		}
	}
	w.code(small[1], 2) // the distance
	for _, c := range b {
		if c < 255 {
			w.code(uint32(c), 8)
		} else {
			w.code(0x1FE, 9)
		}
	}
	w.code(0x1FF, 9)
}

// DAAs are the kinds of images of PowerISO and gBurner, without those with a password.
func DAAs() map[string]*DAA {
	return map[string]*DAA{
		"first": {}, "volumes": {Volumes: 3}, "gbi": {GBI: true}, "gbi-volumes": {GBI: true, Volumes: 2},
		"second":   {Second: true, Chunk: 1 << 14},
		"lzma":     {Second: true, Chunk: 1 << 17, LZMA: true},
		"filter":   {Second: true, Chunk: 1 << 15, LZMA: true, Filter: true, LengthBits: 20},
		"masked":   {Second: true, Chunk: 1 << 14, MaskedTable: true, MaskedBits: true, LZMA: true},
		"packed":   {Second: true, Chunk: 1 << 14, PackedTable: true, MaskedBits: true},
		"order1":   {Second: true, Chunk: 1 << 14, Order: 1},
		"order2":   {Second: true, Chunk: 1 << 14, Order: 2, PackedTable: true},
		"order3":   {Second: true, Chunk: 1 << 14, Order: 3, Volumes: 4},
		"gbi-best": {Second: true, Chunk: 1 << 16, GBI: true, LZMA: true, MaskedBits: true, MaskedTable: true, Order: 1},
	}
}
