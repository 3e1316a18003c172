package iso

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"spindle/internal/corpus"

	"github.com/google/go-cmp/cmp"
)

// udfBuilder lays out a UDF volume by hand. The partition is blocks 300 to 399.
type udfBuilder struct{ b []byte }

const udfStart, udfEnd = 300, 400

func (u *udfBuilder) block(n int) []byte { return u.b[n*BlockSize : (n+1)*BlockSize] }

// seal gives the block n the tag of a descriptor that says it lies at at.
func (u *udfBuilder) seal(n, at, kind int) {
	b := u.block(n)
	binary.LittleEndian.PutUint16(b, uint16(kind))
	binary.LittleEndian.PutUint32(b[12:], uint32(at))
	b[4] = 0
	var sum byte
	for i, c := range b[:16] {
		if i != 4 {
			sum += c
		}
	}
	b[4] = sum
}

// fid makes a file identifier in a directory.
func fid(name string, block, part int, flags byte) []byte {
	id := append([]byte{8}, name...)
	if name == "" {
		id = nil
	}
	b := make([]byte, (38+len(id)+3)&^3)
	binary.LittleEndian.PutUint16(b, tagFileID)
	b[18], b[19] = flags, byte(len(id))
	binary.LittleEndian.PutUint32(b[24:], uint32(block))
	binary.LittleEndian.PutUint16(b[28:], uint16(part))
	copy(b[38:], id)
	return b
}

// entry makes a file entry at block n, which says it lies at at: with its content
// inside (form 3), or short allocation descriptors (form 0).
func (u *udfBuilder) entry(n, at int, kind byte, form uint16, size int64, data []byte) {
	b := u.block(n)
	b[27] = kind
	binary.LittleEndian.PutUint16(b[34:], form)
	binary.LittleEndian.PutUint32(b[44:], 7|5<<5|5<<10)
	binary.LittleEndian.PutUint64(b[56:], uint64(size))
	copy(b[84:], []byte{0, 0x10, 0xE7, 7, 11, 14, 22, 13, 20})
	binary.LittleEndian.PutUint32(b[172:], uint32(len(data)))
	copy(b[176:], data)
	u.seal(n, at, tagFileEntry)
}

func shortAD(length, block uint32) []byte {
	return binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(nil, length), block)
}

// newUDF makes a volume whose second partition map is given, if any. The file set
// is in the partition with number part; where gives the block of the disc for a
// block of that partition.
func newUDF(second []byte, part int, where func(int) int) *udfBuilder {
	u := &udfBuilder{make([]byte, udfEnd*BlockSize)}
	copy(u.block(16), "\x00BEA01\x01")
	copy(u.block(17), "\x00NSR03\x01")
	copy(u.block(18), "\x00TEA01\x01")
	le := binary.LittleEndian
	anchor := u.block(256)
	le.PutUint32(anchor[16:], 16*BlockSize)
	le.PutUint32(anchor[20:], 32)
	u.seal(256, 256, tagAnchor)
	p := u.block(32)
	le.PutUint32(p[188:], udfStart)
	le.PutUint32(p[192:], udfEnd-udfStart)
	u.seal(32, 32, tagPartition)
	l := u.block(33)
	le.PutUint32(l[212:], BlockSize)
	le.PutUint16(l[256:], uint16(part))
	maps := append([]byte{1, 6, 1, 0, 0, 0}, second...)
	le.PutUint32(l[264:], uint32(len(maps)))
	copy(l[440:], maps)
	u.seal(33, 33, tagLogical)
	u.seal(34, 34, tagTerminator)

	set := u.block(where(0))
	le.PutUint32(set[404:], 1)
	le.PutUint16(set[408:], uint16(part))
	u.seal(where(0), 0, tagFileSet)
	dir := bytes.Join([][]byte{
		fid("", 1, part, 8), fid("plain.txt", 2, part, 0), fid("inside", 3, part, 0), fid("gone", 9, part, 4), fid("sub", 4, part, 2),
	}, nil)
	u.entry(where(1), 1, icbDirectory, 3, int64(len(dir)), dir)
	u.entry(where(3), 3, icbRegular, 3, 6, []byte("inside"))
	u.entry(where(4), 4, icbDirectory, 3, int64(len(fid("link", 5, part, 0))), fid("link", 5, part, 0))
	u.entry(where(5), 5, icbLink, 3, 17, []byte{3, 0, 0, 0, 5, 9, 0, 0, 8, 'p', 'l', 'a', 'i', 'n', '.', 't', 'x'})
	return u
}

func typeTwo(name string) []byte {
	m := make([]byte, 64)
	m[0], m[1] = 2, 64
	copy(m[5:], name)
	return m
}

func TestUDFPartitions(t *testing.T) {
	le := binary.LittleEndian
	plain := newUDF(nil, 0, func(n int) int { return udfStart + n })
	// Two pieces, the second of them a hole, in a continued list.
	ads := append(shortAD(2048, 20), shortAD(3<<30|2048, 30)...)
	plain.entry(udfStart+2, 2, icbRegular, 0, 3000, ads)
	copy(plain.block(udfStart+20), strings.Repeat("A", 2048))
	more := plain.block(udfStart + 30)
	le.PutUint32(more[20:], 8)
	copy(more[24:], shortAD(1<<30|952, 0))
	plain.seal(udfStart+30, 30, tagAllocation)
	holed := strings.Repeat("A", 2048) + strings.Repeat("\x00", 952)

	file := func(u *udfBuilder, at int) { // one piece, at block 20 of the first partition
		u.entry(at, 2, icbRegular, 1, 5, append(shortAD(5, 20), make([]byte, 8)...))
		copy(u.block(udfStart+20), "hello")
	}
	meta := typeTwo("*UDF Metadata Partition")
	le.PutUint32(meta[40:], 70)
	le.PutUint32(meta[44:], 71)
	metadata := newUDF(meta, 1, func(n int) int { return udfStart + 40 + n })
	file(metadata, udfStart+42)
	metadata.entry(udfStart+71, 71, 250, 0, 10*BlockSize, append(shortAD(3*BlockSize, 40), shortAD(7*BlockSize, 43)...)) // the mirror

	virtual := newUDF(typeTwo("*UDF Virtual Partition"), 1, func(n int) int { return udfStart + 60 - n })
	file(virtual, udfStart+58)
	vat := make([]byte, 152)
	le.PutUint16(vat, 152)
	for n := range 6 {
		vat = le.AppendUint32(vat, uint32(60-n))
	}
	virtual.entry(udfEnd-2, udfEnd-2-udfStart, icbVAT, 3, int64(len(vat)), vat)

	spare := typeTwo("*UDF Sparable Partition")
	le.PutUint16(spare[40:], 32)
	spare[42] = 1
	le.PutUint32(spare[48:], 280)
	sparable := newUDF(spare, 1, func(n int) int { // the first packet went bad, and lies elsewhere
		return udfStart + 64 + n
	})
	file(sparable, udfStart+66)
	table := sparable.block(280)
	copy(table[17:], "*UDF Sparing Table")
	le.PutUint16(table[48:], 1)
	le.PutUint32(table[56:], 0)
	le.PutUint32(table[60:], udfStart+64)

	for name, test := range map[string]struct {
		u    *udfBuilder
		file string
	}{"plain": {plain, holed}, "metadata": {metadata, "hello"}, "virtual": {virtual, "hello"}, "sparable": {sparable, "hello"}} {
		got, err := paths(t, test.u.b)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		want := map[string]string{"plain.txt": test.file, "inside": "inside", "sub/": "", "sub/link": "-> ../plain.tx"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestUDFMalformed(t *testing.T) {
	build := func(change func(u *udfBuilder)) []byte {
		u := newUDF(nil, 0, func(n int) int { return udfStart + n })
		u.entry(udfStart+2, 2, icbRegular, 3, 2, []byte("ok"))
		change(u)
		return u.b
	}
	for name, change := range map[string]func(u *udfBuilder){
		"directory in itself": func(u *udfBuilder) {
			u.entry(udfStart+4, 4, icbDirectory, 3, int64(len(fid("loop", 4, 0, 2))), fid("loop", 4, 0, 2))
		},
		"no such block":     func(u *udfBuilder) { u.entry(udfStart+4, 4, icbDirectory, 3, 44, fid("x", 5000, 0, 0)) },
		"no such partition": func(u *udfBuilder) { u.entry(udfStart+4, 4, icbDirectory, 3, 44, fid("x", 5, 7, 0)) },
		"huge directory":    func(u *udfBuilder) { u.entry(udfStart+4, 4, icbDirectory, 0, 1<<40, shortAD(2048, 9)) },
		"pieces in a circle": func(u *udfBuilder) {
			u.entry(udfStart+2, 2, icbRegular, 0, 1<<30, shortAD(3<<30|2048, 30))
			b := u.block(udfStart + 30)
			binary.LittleEndian.PutUint32(b[20:], 8)
			copy(b[24:], shortAD(3<<30|2048, 30))
			u.seal(udfStart+30, 30, tagAllocation)
		},
		"content longer than its block": func(u *udfBuilder) {
			binary.LittleEndian.PutUint32(u.block(udfStart + 2)[172:], 5000)
		},
	} {
		if _, err := paths(t, build(change)); !errors.Is(err, ErrFileSystem) {
			t.Errorf("%s: %v", name, err)
		}
	}
	up := build(func(u *udfBuilder) {
		u.entry(udfStart+4, 4, icbDirectory, 3, int64(len(fid("../../etc", 2, 0, 0))), fid("../../etc", 2, 0, 0))
	})
	got, err := paths(t, up)
	if err != nil || got["sub/.._.._etc"] != "ok" {
		t.Errorf("%v, %v", got, err)
	}
}

// The bridge that genisoimage makes says the same on both sides.
func TestUDFBridge(t *testing.T) {
	path := filepath.Join(os.Getenv("SPINDLE_MADE"), "udf-bridge.iso")
	if os.Getenv("SPINDLE_MADE") == "" {
		path = corpus.Path(t, "libcdio", "test-udf1.iso")
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	r := bytes.NewReader(b)
	u := openUDF(r, int64(len(b)/BlockSize))
	if u == nil {
		t.Fatal("no UDF")
	}
	i, err := openISO(r, 0)
	if err != nil {
		t.Fatal(err)
	}
	sizes := func(f *FileSystem) map[string]int64 {
		all := make(map[string]int64)
		if err := fs.WalkDir(f, ".", func(name string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return err
			}
			info, err := d.Info()
			if err == nil && info.Size() > 0 {
				all[name] = info.Size()
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		return all
	}
	if diff := cmp.Diff(sizes(newFileSystem(r, i, i.rootEntry())), sizes(newFileSystem(r, u, u.rootEntry()))); diff != "" {
		t.Error(diff)
	}
}
