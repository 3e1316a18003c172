// Package hfs reads the file systems of Apple's computers: HFS (Inside Macintosh: Files, chapter
// 2) and HFS Plus (Apple's Technical Note TN1150), also where a partition map leads to them, and
// HFS Plus that is wrapped in HFS. It reads from an [io.ReaderAt] and knows neither image files
// nor drives.
//
// Nothing that a volume states is believed: places are checked, walks through its trees end.
package hfs

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// ErrNone is returned for data without a volume of HFS.
var ErrNone = errors.New("no HFS file system")

// ErrFormat is what errors about malformed volumes wrap.
var ErrFormat = errors.New("malformed HFS volume")

// RootID is the number of the root folder (TN1150, "Catalog File").
const RootID = 2

// Numbers of the files that hold the trees.
const (
	extentsID    = 3
	catalogID    = 4
	attributesID = 8
)

const (
	headerAt   = 1024 // where in a volume its header is
	headerSize = 512
	// maxBlock bounds the allocation blocks: those of HFS reach 32 MiB on disks of 2 TB.
	maxBlock = 64 << 20
	// sector is what HFS counts its places in.
	sector = 512
)

// A Volume is an opened volume. It may be used by several goroutines at once.
type Volume struct {
	Kind  string    // "HFS", "HFS+" or "HFSX"
	Name  string    // of the volume
	Made  time.Time // zero where it is not stated
	Start int64     // where the volume begins, in bytes
	Size  int64     // in bytes, from there

	r          io.ReaderAt
	plus       bool
	base       int64 // the byte where allocation block 0 is
	blockSize  int64
	blocks     int64
	extents    *tree // further extents of files that are in many pieces
	catalog    *tree
	attributes *tree // extended attributes of files of HFS Plus, or nil

	extentsErr, attributesErr error // why these trees are nil, where there are such

	mu    sync.Mutex
	links map[string]*Item // what hard links lead to, by its name; nil: not read yet
}

// signed reports whether b, [1024, 1536) of something, is the header of a volume.
func signed(b []byte) bool {
	if len(b) < headerSize {
		return false
	}
	be := binary.BigEndian
	switch string(b[:2]) {
	case "BD":
		size := be.Uint32(b[20:])
		return size >= sector && size%sector == 0 && size <= maxBlock && be.Uint16(b[18:]) > 0
	case "H+", "HX":
		size := be.Uint32(b[40:])
		return size >= sector && size&(size-1) == 0 && size <= maxBlock && be.Uint32(b[44:]) > 0 && (be.Uint16(b[2:]) == 4 || be.Uint16(b[2:]) == 5)
	}
	return false
}

// Open opens the volume in r: one that begins at byte 0, or the first to which an Apple partition
// map leads. The error wraps [ErrNone] where there is none.
func Open(r io.ReaderAt) (*Volume, error) {
	at, ok := find(r)
	if !ok {
		return nil, ErrNone
	}
	return openAt(r, at)
}

// openAt opens the volume that begins at a byte.
func openAt(r io.ReaderAt, at int64) (*Volume, error) {
	b, err := readHeader(r, at)
	if err != nil {
		return nil, err
	}
	if string(b[:2]) == "BD" {
		const embedded = 124 // signature and place of what is wrapped (TN1150, "HFS Wrapper")
		if inner := string(b[embedded : embedded+2]); inner == "H+" || inner == "HX" {
			start := int64(binary.BigEndian.Uint16(b[embedded+2:]))*int64(binary.BigEndian.Uint32(b[20:])) + int64(binary.BigEndian.Uint16(b[28:]))*sector
			if h, err := readHeader(r, at+start); err == nil && string(h[:2]) != "BD" {
				return openPlus(r, at+start, h)
			}
		}
		return openHFS(r, at, b)
	}
	return openPlus(r, at, b)
}

func readHeader(r io.ReaderAt, at int64) ([]byte, error) {
	b := make([]byte, headerSize)
	if err := readFull(r, b, at+headerAt); err != nil {
		return nil, err
	}
	if !signed(b) {
		return nil, ErrNone
	}
	return b, nil
}

// openHFS opens a volume by its master directory block (Inside Macintosh: Files, 2-61).
func openHFS(r io.ReaderAt, at int64, b []byte) (*Volume, error) {
	be := binary.BigEndian
	v := &Volume{
		Kind: "HFS", Made: localTime(be.Uint32(b[2:])), Start: at, r: r,
		base: at + int64(be.Uint16(b[28:]))*sector, blockSize: int64(be.Uint32(b[20:])), blocks: int64(be.Uint16(b[18:])),
	}
	v.Name, _ = romanName(b[36:], 27)
	v.Size = v.base - at + v.blocks*v.blockSize
	return v, v.openTrees(
		v.fork(extentsID, dataFork, uint64(be.Uint32(b[130:])), b[134:146]),
		v.fork(catalogID, dataFork, uint64(be.Uint32(b[146:])), b[150:162]))
}

// openPlus opens a volume by its header (TN1150, "Volume Header").
func openPlus(r io.ReaderAt, at int64, b []byte) (*Volume, error) {
	be := binary.BigEndian
	v := &Volume{
		Kind: "HFS+", Made: localTime(be.Uint32(b[16:])), Start: at, r: r, plus: true,
		base: at, blockSize: int64(be.Uint32(b[40:])), blocks: int64(be.Uint32(b[44:])),
	}
	if string(b[:2]) == "HX" {
		v.Kind = "HFSX"
	}
	v.Size = v.blocks * v.blockSize
	err := v.openTrees(v.plusFork(extentsID, dataFork, b[192:272]), v.plusFork(catalogID, dataFork, b[272:352]))
	if err != nil {
		return nil, err
	}
	attributes := v.plusFork(attributesID, dataFork, b[352:432])
	if attributes.Size > 0 || attributes.bad {
		v.attributes, v.attributesErr = v.openTree(&attributes) // needed by few files: they say what is wrong
	}
	v.Name = v.rootName()
	return v, nil
}

// openTrees opens the catalogue, and the tree of further extents, which is missing in none but
// is needed by few files: they say what is wrong.
func (v *Volume) openTrees(extents, catalog Fork) (err error) {
	v.extents, v.extentsErr = v.openTree(&extents)
	if v.catalog, err = v.openTree(&catalog); err != nil {
		return fmt.Errorf("its catalogue: %w", err)
	}
	return nil
}

// readFull reads all of b, or fails.
func readFull(r io.ReaderAt, b []byte, at int64) error {
	n, err := r.ReadAt(b, at)
	if n == len(b) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return err
}

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrFormat}, args...)...)
}
