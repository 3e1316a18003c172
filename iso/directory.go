package iso

import (
	"encoding/binary"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"
	"unicode/utf16"
)

// isoTree is a hierarchy of ISO 9660 directories.
type isoTree struct {
	r      io.ReaderAt
	root   record
	joliet bool
	rock   bool
	skip   int // bytes before the first SUSP entry of a record
}

// openISO opens the hierarchy that says most of the session at start.
func openISO(r io.ReaderAt, start int64) (*isoTree, error) {
	t := &isoTree{r: r}
	var joliet *record
	found := false
	for n := start + FirstDescriptor; n < start+FirstDescriptor+maxDescriptors; n++ {
		b, err := readBlock(r, n)
		if err != nil || string(b[1:6]) != isoID || b[0] == typeTerminator {
			break
		}
		root := parseRoot(b)
		switch {
		case b[0] == typePrimary && !found:
			t.root, found = root, true
		case b[0] == typeSupplementary && joliet == nil && isJoliet(b):
			joliet = &root
		}
	}
	if !found {
		return nil, ErrNoVolume
	}
	t.skip, t.rock = findRockRidge(r, t.root.block)
	if !t.rock && joliet != nil {
		t.root, t.joliet = *joliet, true
	}
	return t, nil
}

func (t *isoTree) rootEntry() *Entry {
	return &Entry{Mode: fs.ModeDir | 0o555, ModTime: t.root.time, dir: ref{block: t.root.block, size: t.root.size}}
}

// findRockRidge looks in the root's own record for the SP entry of SUSP, which states
// how many bytes stand before the entries of other records (IEEE P1281 5.3).
func findRockRidge(r io.ReaderAt, root int64) (skip int, ok bool) {
	b, err := readBlock(r, root)
	if err != nil {
		return 0, false
	}
	rec, ok := parseRecord(b)
	if !ok {
		return 0, false
	}
	for e := range suspEntries(rec.use) {
		if e.is("SP") && len(e.data) >= 3 && e.data[0] == 0xBE && e.data[1] == 0xEF {
			return int(e.data[2]), true
		}
	}
	return 0, false
}

// record is a directory record (ECMA-119 9.1).
type record struct {
	block, size int64
	flags       byte
	name        []byte
	time        time.Time
	use         []byte // system use
	length      int
}

// Flags of a record (ECMA-119 9.1.6).
const (
	flagHidden      = 0x01
	flagDirectory   = 0x02
	flagAssociated  = 0x04
	flagMultiExtent = 0x80
)

func parseRecord(b []byte) (record, bool) {
	if len(b) < 34 || int(b[0]) < 34 || int(b[0]) > len(b) {
		return record{}, false
	}
	length, nameLen := int(b[0]), int(b[32])
	if 33+nameLen > length {
		return record{}, false
	}
	use := min(33+nameLen+(nameLen+1)%2, length)
	return record{
		block: int64(binary.LittleEndian.Uint32(b[2:])) + int64(b[1]), size: int64(binary.LittleEndian.Uint32(b[10:])),
		flags: b[25], name: b[33 : 33+nameLen], time: recordTime(b[18:25]), use: b[use:length], length: length,
	}, true
}

// recordTime reads a date and time of seven bytes (ECMA-119 9.1.5). All zeros mean that
// none is stated.
func recordTime(b []byte) time.Time {
	if [7]byte(b) == [7]byte{} {
		return time.Time{}
	}
	zone := time.FixedZone("", int(int8(b[6]))*15*60)
	return time.Date(1900+int(b[0]), time.Month(b[1]), int(b[2]), int(b[3]), int(b[4]), int(b[5]), 0, zone)
}

// list implements tree. Records do not cross blocks, so that a bad one costs those after
// it in its block only.
func (t *isoTree) list(dir ref) ([]*Entry, error) {
	if dir.size > maxDirSize {
		return nil, fmt.Errorf("%w: a directory of %d bytes", ErrFileSystem, dir.size)
	}
	l := lister{t: t}
	faults := 0
	var first error
	for n := range (dir.size + BlockSize - 1) / BlockSize {
		err := l.block(dir.block + n)
		if err == nil {
			continue
		}
		if first == nil {
			first = err
		}
		if faults++; faults >= maxFaults {
			break
		}
	}
	l.finish()
	return l.entries, first
}

// audio reports whether the attributes of CD-ROM XA call a file audio. They begin the system use field: group, user,
// attributes, mark.
func (r *record) audio() bool {
	const cdda = 0x40 // of the first byte of the attributes
	return len(r.use) >= 8 && string(r.use[6:8]) == "XA" && r.use[4]&cdda != 0
}

// lister collects the entries of a directory.
type lister struct {
	t       *isoTree
	entries []*Entry
	pending *Entry // a file of several extents, not complete
	name    string // its name in ISO 9660
}

func (l *lister) finish() {
	if l.pending != nil {
		l.entries = append(l.entries, l.pending)
		l.pending = nil
	}
}

// block takes the records of a block.
func (l *lister) block(n int64) error {
	b, err := readBlock(l.t.r, n)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrFileSystem, err)
	}
	for len(b) > 0 && b[0] != 0 {
		rec, ok := parseRecord(b)
		if !ok {
			return fmt.Errorf("%w: bad directory record in block %d", ErrFileSystem, n)
		}
		b = b[rec.length:]
		if len(rec.name) == 1 && rec.name[0] <= 1 {
			continue // itself, or its parent
		}
		l.take(&rec)
	}
	return nil
}

func (l *lister) take(rec *record) {
	e := l.t.entry(rec)
	if e == nil {
		return
	}
	if l.pending != nil && l.name == string(rec.name) {
		l.pending.Size += e.Size
		l.pending.extents = append(l.pending.extents, e.extents...)
	} else {
		l.finish()
		l.pending, l.name = e, string(rec.name)
	}
	if rec.flags&flagMultiExtent == 0 {
		l.finish()
	}
}

// entry makes the entry of a record. It is nil in the place where Rock Ridge keeps
// directories that are shown elsewhere.
func (t *isoTree) entry(rec *record) *Entry {
	e := &Entry{
		Mode: 0o444, Size: rec.size, ModTime: rec.time, extents: []run{{block: rec.block, size: rec.size}},
		Hidden: rec.flags&flagHidden != 0, Associated: rec.flags&flagAssociated != 0, Audio: rec.audio(),
	}
	if rec.flags&flagDirectory != 0 {
		e.toDirectory(ref{block: rec.block, size: rec.size})
	}
	name := t.name(rec)
	if t.rock {
		r := t.rockRidge(rec)
		if r.relocated {
			return nil
		}
		if r.name != "" {
			name = r.name
		}
		r.apply(e)
		if r.childAt > 0 { // a directory that was moved
			t.moved(e, r.childAt)
		}
	}
	e.Name = cleanName(name)
	return e
}

func (e *Entry) toDirectory(dir ref) {
	e.Mode = e.Mode.Perm() | e.Mode.Perm()>>2&0o111 | fs.ModeDir
	e.Size, e.extents, e.Link, e.dir = 0, nil, "", dir
}

// moved makes the entry that of the directory whose records begin at a block.
func (t *isoTree) moved(e *Entry, block int64) {
	size := int64(BlockSize)
	b, err := readBlock(t.r, block)
	if err == nil {
		self, ok := parseRecord(b)
		if !ok {
			err = fmt.Errorf("bad directory record in block %d", block)
		}
		size = self.size
	}
	e.toDirectory(ref{block: block, size: size})
	if err != nil {
		e.err = fmt.Errorf("%w: %w", ErrFileSystem, err)
	}
}

// name is the name of a record without its version number.
func (t *isoTree) name(rec *record) string {
	s := latin1(rec.name)
	if t.joliet {
		s = utf16BE(rec.name)
	}
	if i := strings.LastIndexByte(s, ';'); i > 0 && rec.flags&flagDirectory == 0 {
		s = s[:i]
	}
	if !t.joliet {
		s = strings.TrimSuffix(s, ".")
	}
	return s
}

// utf16BE decodes UTF-16, most significant byte first. An odd byte at the end is left
// out.
func utf16BE(b []byte) string {
	u := make([]uint16, 0, len(b)/2)
	for ; len(b) >= 2; b = b[2:] {
		u = append(u, binary.BigEndian.Uint16(b))
	}
	return string(utf16.Decode(u))
}
