package iso

import (
	"encoding/binary"
	"fmt"
	"io"
	"io/fs"
	"time"
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
	icbBlock       = 6
	icbCharacter   = 7
	icbFIFO        = 9
	icbSocket      = 10
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
	kind     byte
	size     int64
	mode     fs.FileMode
	uid, gid uint32
	modified time.Time
	accessed time.Time
	created  time.Time // only in an extended file entry

	form    uint16 // of the allocation descriptors
	ads     []byte // these, or the content itself
	part    int    // where short ones point to
	extents []udfExtent
}

// inline returns the content, when it stands in the entry itself.
func (n *udfNode) inline() ([]byte, bool) {
	const embedded = 3
	return n.ads[:min(int64(len(n.ads)), n.size)], n.form == embedded
}

// udfExtent is a run of bytes of a file.
type udfExtent struct {
	at     udfAddr
	length int64
	hole   bool // nothing is recorded: zeros
}

// maxUDFExtents bounds the extents of a file: a file of 100 GB in pieces of 64 KiB.
const maxUDFExtents = 2 << 20

// head reads a file entry (ECMA-167 4/14.9, 4/14.17), without following its allocation
// descriptors.
func (u *udfTree) head(a udfAddr) (*udfNode, error) {
	b, kind, err := u.described(a, tagFileEntry, tagExtendedEntry)
	if err != nil {
		return nil, err
	}
	le := binary.LittleEndian
	accessed, attributes := 72, 168
	if kind == tagExtendedEntry {
		accessed, attributes = 80, 208
	}
	n := &udfNode{
		kind: b[27], size: int64(le.Uint64(b[56:])), mode: udfMode(le.Uint32(b[44:])), uid: le.Uint32(b[36:]), gid: le.Uint32(b[40:]),
		accessed: udfTime(b[accessed:]), modified: udfTime(b[accessed+12:]), part: a.part,
	}
	if kind == tagExtendedEntry {
		n.created = udfTime(b[accessed+24:])
	}
	skip, length := int64(le.Uint32(b[attributes:])), int64(le.Uint32(b[attributes+4:]))
	data := int64(attributes) + 8
	if n.size < 0 || data+skip+length > BlockSize {
		return nil, badUDF("the file entry in block %d is longer than a block", a.block)
	}
	n.ads, n.form = b[data+skip:][:length], le.Uint16(b[34:])&7
	return n, nil
}

// node reads a file entry, and finds its content.
func (u *udfTree) node(a udfAddr) (*udfNode, error) {
	n, err := u.head(a)
	if err != nil {
		return nil, err
	}
	if _, ok := n.inline(); ok {
		return n, nil
	}
	return n, u.allocation(n)
}

// allocation reads allocation descriptors, and follows those that continue
// elsewhere.
func (u *udfTree) allocation(n *udfNode) error {
	le := binary.LittleEndian
	ads, form := n.ads, n.form
	size := map[uint16]int{0: 8, 1: 16, 2: 20}[form]
	if size == 0 {
		return badUDF("allocation descriptors of kind %d", form)
	}
	var total int64
	most := min(n.size/BlockSize+64, maxUDFExtents) // an extent that is not the last has a block at least
	for steps := int64(0); len(ads) >= size; ads = ads[min(size, len(ads)):] {
		if steps++; steps > most {
			return badUDF("a file of too many pieces")
		}
		v := le.Uint32(ads)
		length, kind := int64(v&(1<<30-1)), v>>30
		at := udfAddr{int64(le.Uint32(ads[4:])), n.part}
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

// udfTypes are the types of files. The others are parts of the file system itself.
var udfTypes = map[byte]fs.FileMode{
	icbUnspecified: 0,
	icbDirectory:   fs.ModeDir,
	icbRegular:     0,
	icbBlock:       fs.ModeDevice,
	icbCharacter:   fs.ModeDevice | fs.ModeCharDevice,
	icbFIFO:        fs.ModeNamedPipe,
	icbSocket:      fs.ModeSocket,
	icbLink:        fs.ModeSymlink,
	icbRealTime:    0,
}

// entry makes the entry of a file entry.
func (u *udfTree) entry(a udfAddr) (*Entry, error) {
	n, err := u.head(a)
	if err != nil {
		return nil, err
	}
	e := &Entry{
		HasMode: true, UID: n.uid, GID: n.gid, ModTime: n.modified, AccessTime: n.accessed, CreateTime: n.created, udf: u, icb: a,
	}
	kind, known := udfTypes[n.kind]
	if !known {
		kind = fs.ModeIrregular
	}
	e.Mode = n.mode | kind
	switch kind {
	case 0:
		e.Size = n.size
	case fs.ModeDir:
		e.dir = ref{block: a.block, part: a.part}
	case fs.ModeSymlink:
		const most = 64 << 10
		b, err := u.readAll(a, most)
		if err != nil {
			return nil, err
		}
		e.Link = udfLink(b)
	}
	return e, nil
}

func (u *udfTree) rootEntry() *Entry {
	e, err := u.entry(u.root)
	if err != nil { // it was read when the volume was opened
		e = &Entry{Mode: fs.ModeDir, err: err}
	}
	return e
}

// place finds the content of a file.
func (u *udfTree) place(a udfAddr) (runs []run, inline []byte, err error) {
	n, err := u.node(a)
	if err != nil {
		return nil, nil, err
	}
	if b, ok := n.inline(); ok {
		return nil, b, nil
	}
	runs, err = u.runs(n.extents)
	return runs, nil, err
}

// runs finds out where on the disc extents are.
func (u *udfTree) runs(extents []udfExtent) ([]run, error) {
	var all []run
	for _, x := range extents {
		if x.hole {
			all = append(all, run{block: -1, size: x.length})
			continue
		}
		for left, block := x.length, x.at.block; left > 0; {
			at, n, err := u.locate(udfAddr{block, x.at.part})
			if err != nil {
				return nil, err
			}
			size := min(left, n*BlockSize)
			if size <= 0 {
				return nil, badUDF("block %d of partition %d is nowhere", block, x.at.part)
			}
			if len(all) >= maxUDFExtents {
				return nil, badUDF("a file of too many pieces")
			}
			all = append(all, run{block: at, size: size})
			left -= size
			block += n
		}
	}
	return all, nil
}

// readAll reads a small file.
func (u *udfTree) readAll(a udfAddr, most int64) ([]byte, error) {
	n, err := u.head(a)
	if err != nil {
		return nil, err
	}
	if b, ok := n.inline(); ok {
		return b, nil
	}
	if n.size > most {
		return nil, badUDF("%d bytes where at most %d make sense", n.size, most)
	}
	if err := u.allocation(n); err != nil {
		return nil, err
	}
	return u.content(n)
}

// content reads what is in a file that is not in its entry.
func (u *udfTree) content(n *udfNode) ([]byte, error) {
	runs, err := u.runs(n.extents)
	if err != nil {
		return nil, err
	}
	// What is stated may be more than there is: memory is taken as it comes.
	b, err := io.ReadAll(io.NewSectionReader(newContent(u.r, runs, nil), 0, n.size))
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
	switch b[0] {
	case 8, 254:
		return latin1(b[1:])
	case 16, 255:
		return utf16BE(b[1:])
	}
	return ""
}

// list implements tree. It reads the file identifiers of a directory (ECMA-167 4/14.4).
func (u *udfTree) list(dir ref) ([]*Entry, error) {
	b, err := u.readAll(udfAddr{dir.block, dir.part}, maxDirSize)
	if err != nil {
		return nil, err
	}
	const (
		header                      = 38
		hidden, deleted, parentLink = 1, 4, 8
	)
	var entries []*Entry
	for len(b) >= header {
		nameLen, useLen := int(b[19]), int(binary.LittleEndian.Uint16(b[36:]))
		size := (header + nameLen + useLen + 3) &^ 3
		if binary.LittleEndian.Uint16(b) != tagFileID || header+nameLen+useLen > len(b) {
			return entries, badUDF("bad file identifier in a directory")
		}
		flags, id := b[18], b[header+useLen:header+useLen+nameLen]
		child := udfAddr{int64(binary.LittleEndian.Uint32(b[24:])), int(binary.LittleEndian.Uint16(b[28:]))}
		b = b[min(size, len(b)):]
		if flags&(deleted|parentLink) == 0 {
			entries = append(entries, u.child(child, ostaChars(id), flags))
			entries[len(entries)-1].Hidden = flags&hidden != 0
		}
	}
	return entries, nil
}

// child makes the entry of a file identifier. Where the file entry cannot be read, the
// name is known, and whether it is a directory.
func (u *udfTree) child(at udfAddr, name string, flags byte) *Entry {
	e, err := u.entry(at)
	if err != nil {
		const directory = 2
		e = &Entry{Mode: fs.ModeIrregular, err: err}
		if flags&directory != 0 {
			e.Mode = fs.ModeDir
		}
	}
	e.Name = cleanName(name)
	return e
}
