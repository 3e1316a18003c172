package iso

import (
	"encoding/binary"
	"fmt"
	"io"
	"io/fs"
	"path"
	"time"
	"unicode/utf16"
)

// Tags of the descriptors of a UDF file set (ECMA-167 4/7.2.1).
const (
	tagFileSet       = 256
	tagFileID        = 257
	tagAllocation    = 258
	tagFileEntry     = 261
	tagExtendedEntry = 266
)

// File types of an ICB (ECMA-167 4/14.6.6, UDF 2.60 2.3.5.2).
const (
	icbUnspecified = 0
	icbDirectory   = 4
	icbRegular     = 5
	icbLink        = 12
	icbRealTime    = 249
	icbVAT         = 248
)

// udfTree is the file system of a UDF volume.
type udfTree struct {
	r     io.ReaderAt
	parts []udfPartition // by reference number: what the partition maps of the volume say
	root  udfAddr
}

// udfAddr is a block of a partition.
type udfAddr struct {
	block int64
	part  int
}

// udfPartition finds the blocks of a partition on the disc.
type udfPartition interface {
	// locate returns where a block is, and how many of the following ones
	// follow it there.
	locate(block int64) (at, run int64, err error)
}

func badUDF(format string, args ...any) error {
	return fmt.Errorf("%w: UDF: "+format, append([]any{ErrFileSystem}, args...)...)
}

// block reads a block of a partition.
func (u *udfTree) block(a udfAddr) ([]byte, error) {
	at, _, err := u.locate(a)
	if err != nil {
		return nil, err
	}
	return readBlock(u.r, at)
}

func (u *udfTree) locate(a udfAddr) (at, run int64, err error) {
	if a.part < 0 || a.part >= len(u.parts) || u.parts[a.part] == nil {
		return 0, 0, badUDF("block %d of partition %d, which there is not", a.block, a.part)
	}
	return u.parts[a.part].locate(a.block)
}

// described reads a block and checks its tag, which states the block's own address.
func (u *udfTree) described(a udfAddr, tags ...int) ([]byte, int, error) {
	b, err := u.block(a)
	if err != nil {
		return nil, 0, err
	}
	got := tag(b, a.block)
	for _, t := range tags {
		if got == t {
			return b, got, nil
		}
	}
	return nil, 0, badUDF("block %d of partition %d holds no descriptor of kind %v", a.block, a.part, tags)
}

// udfNode is what a file entry says.
type udfNode struct {
	kind    byte
	size    int64
	mode    fs.FileMode
	time    time.Time
	inline  []byte // the content, when it stands in the entry itself
	extents []udfExtent
}

// udfExtent is a run of bytes of a file.
type udfExtent struct {
	at     udfAddr
	length int64
	hole   bool // nothing is recorded: zeros
}

// maxUDFExtents bounds the extents of a file: a file of 100 GB in pieces of 64 KiB.
const maxUDFExtents = 2 << 20

// node reads a file entry (ECMA-167 4/14.9, 4/14.17).
func (u *udfTree) node(a udfAddr) (*udfNode, error) {
	b, kind, err := u.described(a, tagFileEntry, tagExtendedEntry)
	if err != nil {
		return nil, err
	}
	le := binary.LittleEndian
	modified, attributes, data := 84, 168, 176
	if kind == tagExtendedEntry {
		modified, attributes, data = 92, 208, 216
	}
	n := &udfNode{kind: b[27], size: int64(le.Uint64(b[56:])), mode: udfMode(le.Uint32(b[44:])), time: udfTime(b[modified:])}
	skip, length := int64(le.Uint32(b[attributes:])), int64(le.Uint32(b[attributes+4:]))
	if n.size < 0 || int64(data)+skip+length > BlockSize {
		return nil, badUDF("the file entry in block %d is longer than a block", a.block)
	}
	ads := b[int64(data)+skip:][:length]
	form := le.Uint16(b[34:]) & 7
	if form == 3 { // the content itself
		n.inline = ads[:min(int64(len(ads)), n.size)]
		return n, nil
	}
	return n, u.allocation(n, ads, form, a.part)
}

// allocation reads allocation descriptors, and follows those that continue
// elsewhere.
func (u *udfTree) allocation(n *udfNode, ads []byte, form uint16, part int) error {
	le := binary.LittleEndian
	size := map[uint16]int{0: 8, 1: 16, 2: 20}[form]
	if size == 0 {
		return badUDF("allocation descriptors of kind %d", form)
	}
	var total int64
	for steps := 0; len(ads) >= size; ads = ads[min(size, len(ads)):] {
		if steps++; steps > maxUDFExtents || len(n.extents) > maxUDFExtents {
			return badUDF("a file of too many pieces")
		}
		v := le.Uint32(ads)
		length, kind := int64(v&(1<<30-1)), v>>30
		at := udfAddr{int64(le.Uint32(ads[4:])), part}
		switch form {
		case 1:
			at.part = int(le.Uint16(ads[8:]))
		case 2:
			at = udfAddr{int64(le.Uint32(ads[12:])), int(le.Uint16(ads[16:]))}
		}
		if length == 0 {
			return nil
		}
		if kind == 3 {
			b, _, err := u.described(at, tagAllocation)
			if err != nil {
				return err
			}
			more := int64(le.Uint32(b[20:]))
			if 24+more > BlockSize {
				return badUDF("allocation descriptors longer than a block")
			}
			rest := make([]byte, size+int(more))
			copy(rest[size:], b[24:24+more])
			ads = rest
			continue
		}
		if total >= n.size {
			return nil // what was reserved, and not used
		}
		length = min(length, n.size-total)
		total += length
		n.extents = append(n.extents, udfExtent{at, length, kind != 0})
	}
	return nil
}

// udfMode turns the permissions of a file entry into those of POSIX (ECMA-167
// 4/14.9.5): five bits for others, group and owner each, of which the lowest three
// are execute, write and read.
func udfMode(p uint32) fs.FileMode {
	var m fs.FileMode
	for who := range 3 {
		m |= fs.FileMode(p>>(5*who)&7) << (3 * who)
	}
	return m
}

// udfTime reads a timestamp (ECMA-167 1/7.3).
func udfTime(b []byte) time.Time {
	le := binary.LittleEndian
	v := le.Uint16(b)
	zone := time.UTC
	if minutes := int(int16(v<<4)) >> 4; v>>12 == 1 && minutes > -1440 && minutes < 1440 {
		zone = time.FixedZone("", minutes*60)
	}
	nano := int(b[9])*10_000_000 + int(b[10])*100_000 + int(b[11])*1000
	return time.Date(int(int16(le.Uint16(b[2:]))), time.Month(b[4]), int(b[5]), int(b[6]), int(b[7]), int(b[8]), nano, zone)
}

// entry makes the entry of a node.
func (u *udfTree) entry(n *udfNode, name string) (*Entry, error) {
	e := &Entry{Path: name, Size: n.size, ModTime: n.time, Mode: n.mode, HasMode: true}
	switch n.kind {
	case icbDirectory:
		e.Mode |= fs.ModeDir
		e.Size = 0
		return e, nil
	case icbRegular, icbUnspecified, icbRealTime:
	case icbLink:
		b, err := u.content(n, 64<<10)
		if err != nil {
			return nil, err
		}
		e.Mode |= fs.ModeSymlink
		e.Link, e.Size = udfLink(b), 0
		return e, nil
	default: // devices, pipes and sockets have no content
		e.Mode |= fs.ModeIrregular
		return e, nil
	}
	if n.inline != nil {
		e.inline = n.inline
		return e, nil
	}
	for _, x := range n.extents {
		if err := u.runs(e, x); err != nil {
			return nil, err
		}
	}
	return e, nil
}

// runs appends where on the disc an extent is.
func (u *udfTree) runs(e *Entry, x udfExtent) error {
	if x.hole {
		e.extents = append(e.extents, run{block: -1, size: x.length})
		return nil
	}
	for left, block := x.length, x.at.block; left > 0; {
		at, n, err := u.locate(udfAddr{block, x.at.part})
		if err != nil {
			return err
		}
		size := min(left, n*BlockSize)
		if size <= 0 {
			return badUDF("block %d of partition %d is nowhere", block, x.at.part)
		}
		if len(e.extents) > maxUDFExtents {
			return badUDF("a file of too many pieces")
		}
		e.extents = append(e.extents, run{at, size})
		left -= size
		block += n
	}
	return nil
}

// content reads a small file.
func (u *udfTree) content(n *udfNode, most int64) ([]byte, error) {
	if n.inline != nil {
		return n.inline, nil
	}
	if n.size > most {
		return nil, badUDF("%d bytes where at most %d make sense", n.size, most)
	}
	e := new(Entry)
	for _, x := range n.extents {
		if err := u.runs(e, x); err != nil {
			return nil, err
		}
	}
	// What is stated may be more than there is: memory is taken as it comes.
	b, err := io.ReadAll(io.LimitReader(openRuns(u.r, e), n.size))
	if err == nil && int64(len(b)) < n.size {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, badUDF("%w", err)
	}
	return b, nil
}

// udfLink reads the components of a symbolic link (ECMA-167 4/14.16.1).
func udfLink(b []byte) string {
	var l linkBuilder
	for len(b) >= 4 && 4+int(b[1]) <= len(b) {
		part := ""
		switch b[0] {
		case 3:
			part = ".."
		case 4:
			part = "."
		case 5:
			part = ostaChars(b[4 : 4+int(b[1])])
		}
		l.parts = append(l.parts, part)
		b = b[4+int(b[1]):]
	}
	return l.String()
}

// ostaChars reads compressed Unicode (UDF 2.60 2.1.1).
func ostaChars(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	var u []uint16
	switch s := b[1:]; b[0] {
	case 8, 254:
		for _, c := range s {
			u = append(u, uint16(c))
		}
	case 16, 255:
		for ; len(s) >= 2; s = s[2:] {
			u = append(u, binary.BigEndian.Uint16(s))
		}
	}
	return string(utf16.Decode(u))
}

// udfWalker walks over the directories.
type udfWalker struct {
	u     *udfTree
	do    func(*Entry) error
	seen  map[udfAddr]bool // directories on the way: no cycles
	count int
}

func (u *udfTree) walk(do func(*Entry) error) error {
	w := udfWalker{u: u, do: do, seen: make(map[udfAddr]bool)}
	n, err := u.node(u.root)
	if err != nil {
		return err
	}
	return w.dir(n, u.root, "", 0)
}

// dir reads the file identifiers of a directory (ECMA-167 4/14.4).
func (w *udfWalker) dir(n *udfNode, at udfAddr, name string, depth int) error {
	if n.kind != icbDirectory {
		return badUDF("%q is no directory", name)
	}
	if w.seen[at] {
		return badUDF("directory %q leads back to itself", name)
	}
	if depth > maxDepth {
		return badUDF("directory %q is too deep", name)
	}
	w.seen[at] = true
	defer delete(w.seen, at)
	b, err := w.u.content(n, maxDirSize)
	if err != nil {
		return fmt.Errorf("directory %q: %w", name, err)
	}
	const (
		header             = 38
		deleted, parentDir = 4, 8
	)
	for len(b) >= header {
		nameLen, useLen := int(b[19]), int(binary.LittleEndian.Uint16(b[36:]))
		size := (header + nameLen + useLen + 3) &^ 3
		if binary.LittleEndian.Uint16(b) != tagFileID || header+nameLen+useLen > len(b) {
			return badUDF("directory %q has a bad record", name)
		}
		flags, id := b[18], b[header+useLen:header+useLen+nameLen]
		child := udfAddr{int64(binary.LittleEndian.Uint32(b[24:])), int(binary.LittleEndian.Uint16(b[28:]))}
		b = b[min(size, len(b)):]
		if flags&(deleted|parentDir) != 0 {
			continue
		}
		if w.count++; w.count > maxEntries {
			return badUDF("more than %d entries", maxEntries)
		}
		if err := w.child(child, path.Join(name, cleanName(ostaChars(id))), depth); err != nil {
			return err
		}
	}
	return nil
}

func (w *udfWalker) child(at udfAddr, name string, depth int) error {
	n, err := w.u.node(at)
	if err != nil {
		return fmt.Errorf("%q: %w", name, err)
	}
	e, err := w.u.entry(n, name)
	if err != nil {
		return fmt.Errorf("%q: %w", name, err)
	}
	if err := w.do(e); err != nil || !e.IsDir() {
		return err
	}
	return w.dir(n, at, name, depth+1)
}
