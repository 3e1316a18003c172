package hunks

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Magic is what every CHD begins with.
const Magic = "MComprHD"

// An ID is what names a CHD in another one whose parent it is. What a version does not
// have is zeros.
type ID struct {
	SHA1 [20]byte // from version 3 on; from version 4 on, of data and metadata together
	MD5  [16]byte // up to version 3
}

// Names reports whether an ID that a CHD gives for its parent is that of another one.
func (id ID) Names(other ID) bool {
	if id.SHA1 != [20]byte{} {
		return id.SHA1 == other.SHA1
	}
	return id.MD5 != [16]byte{} && id.MD5 == other.MD5
}

func (id ID) String() string {
	if id.SHA1 != [20]byte{} {
		return fmt.Sprintf("SHA-1 %x", id.SHA1)
	}
	return fmt.Sprintf("MD5 %x", id.MD5)
}

// A header is what all versions state at the start of the file.
type header struct {
	version      int
	hunkBytes    int
	unitBytes    int // 0: not stated
	hunks        int64
	logicalBytes int64
	mapOffset    int64
	metaOffset   int64
	codecs       [4]codec // version 5
	compression  uint32   // before
	id, parent   ID
	raw          [20]byte // SHA-1 of the data, from version 4 on
	hasParent    bool
}

// Limits: MAME's for a hunk; and more than the largest disc for the whole.
const (
	maxHunk    = 512 << 10
	maxLogical = 1 << 38
	maxHunks   = 1 << 25 // of which a map needs 20 MB of memory
)

// headerLengths are those of the versions, in bytes.
var headerLengths = [...]int{1: 76, 2: 80, 3: 120, 4: 108, 5: 124}

// Identify reads what names a CHD, and nothing else of it.
func Identify(r io.ReaderAt, size int64) (ID, error) {
	h, err := readHeader(r, size)
	if err != nil {
		return ID{}, err
	}
	return h.id, nil
}

func readHeader(r io.ReaderAt, size int64) (*header, error) {
	var b [124]byte
	n, err := r.ReadAt(b[:], 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if n < 16 || !bytes.HasPrefix(b[:], []byte(Magic)) {
		return nil, fmt.Errorf("%w: it does not begin with %s", ErrFormat, Magic)
	}
	length, version := binary.BigEndian.Uint32(b[8:]), binary.BigEndian.Uint32(b[12:])
	switch {
	case version == 0 || version >= uint32(len(headerLengths)):
		return nil, fmt.Errorf("%w: it is of version %d (at byte 12)", ErrUnsupported, version)
	case length != uint32(headerLengths[version]) || n < int(length):
		return nil, fmt.Errorf("%w: a header of %d bytes (at byte 8) for version %d", ErrFormat, length, version)
	}
	h := &header{version: int(version)}
	switch version {
	case 1, 2:
		h.parse12(b[:])
	case 3, 4:
		h.parse34(b[:])
	default:
		h.parse5(b[:])
	}
	return h, h.check(size)
}

func (h *header) parse12(b []byte) {
	be := binary.BigEndian
	sector := int64(512)
	if h.version == 2 {
		sector = int64(be.Uint32(b[76:]))
	}
	h.hasParent = be.Uint32(b[16:])&1 != 0
	h.compression = be.Uint32(b[20:])
	h.hunkBytes = bounded(int64(be.Uint32(b[24:])), sector)
	h.hunks = int64(be.Uint32(b[28:]))
	h.logicalBytes = product(int64(be.Uint32(b[32:])), int64(be.Uint32(b[36:])), int64(be.Uint32(b[40:])), sector)
	h.unitBytes = bounded(sector, 1)
	h.id.MD5, h.parent.MD5 = [16]byte(b[44:]), [16]byte(b[60:])
	h.mapOffset = int64(headerLengths[h.version])
}

func (h *header) parse34(b []byte) {
	be := binary.BigEndian
	h.hasParent = be.Uint32(b[16:])&1 != 0
	h.compression = be.Uint32(b[20:])
	h.hunks = int64(be.Uint32(b[24:]))
	h.logicalBytes = int64(be.Uint64(b[28:]))
	h.metaOffset = int64(be.Uint64(b[36:]))
	if h.version == 3 {
		h.id = ID{[20]byte(b[80:]), [16]byte(b[44:])}
		h.parent = ID{[20]byte(b[100:]), [16]byte(b[60:])}
		h.hunkBytes = bounded(int64(be.Uint32(b[76:])), 1)
	} else {
		h.id.SHA1, h.parent.SHA1 = [20]byte(b[48:]), [20]byte(b[68:])
		h.hunkBytes = bounded(int64(be.Uint32(b[44:])), 1)
		h.raw = [20]byte(b[88:])
	}
	h.mapOffset = int64(headerLengths[h.version])
}

func (h *header) parse5(b []byte) {
	be := binary.BigEndian
	for i := range h.codecs {
		h.codecs[i] = codec(b[16+4*i : 20+4*i])
	}
	h.logicalBytes = int64(be.Uint64(b[32:]))
	h.mapOffset = int64(be.Uint64(b[40:]))
	h.metaOffset = int64(be.Uint64(b[48:]))
	h.hunkBytes = bounded(int64(be.Uint32(b[56:])), 1)
	h.unitBytes = bounded(int64(be.Uint32(b[60:])), 1)
	h.raw, h.id.SHA1, h.parent.SHA1 = [20]byte(b[64:]), [20]byte(b[84:]), [20]byte(b[104:])
	h.hasParent = h.parent.SHA1 != [20]byte{}
	if h.hunkBytes > 0 && h.logicalBytes > 0 {
		h.hunks = (h.logicalBytes-1)/int64(h.hunkBytes) + 1
	}
}

// product multiplies, and is -1 where that is more than any disc has.
func product(factors ...int64) int64 {
	p := int64(1)
	for _, x := range factors {
		if x > maxLogical || p > 0 && x > maxLogical/p {
			return -1
		}
		p *= x
	}
	return p
}

// bounded multiplies sizes of hunks and units, and is -1 where that is too much.
func bounded(a, b int64) int {
	if p := product(a, b); p <= maxHunk {
		return int(p)
	}
	return -1
}

func (h *header) check(size int64) error {
	bad := func(what string, value int64) error {
		return fmt.Errorf("%w: its header states %d %s", ErrFormat, value, what)
	}
	switch {
	case h.hunkBytes <= 0:
		return bad("bytes a hunk (-1: more than 524288)", int64(h.hunkBytes))
	case h.version >= 5 && h.unitBytes == 0 || h.unitBytes < 0 || h.unitBytes > 0 && h.hunkBytes%h.unitBytes != 0:
		return bad("bytes a unit", int64(h.unitBytes))
	case h.logicalBytes <= 0 || h.logicalBytes > maxLogical:
		return bad("bytes in all", h.logicalBytes)
	case h.hunks > maxHunks || product(h.hunks, int64(h.hunkBytes)) < h.logicalBytes:
		return bad("hunks", h.hunks)
	case h.version >= 5 && h.mapOffset == 0:
		return fmt.Errorf("%w: it has no map (at byte 40): it was not finished", ErrFormat)
	case h.mapOffset < 0 || h.mapOffset >= size:
		return fmt.Errorf("%w: its map is at byte %d, and the file has %d: %w", ErrFormat, h.mapOffset, size, cutError{})
	}
	return nil
}

func (h *header) compressed() bool { return h.version < 5 || h.codecs[0] != codec{} }

// decoders returns those that the map counts.
func (h *header) decoders() (all [4]decoder, err error) {
	if h.version < 5 {
		switch h.compression {
		case 0:
		case 1, 2:
			all[0] = inflate
		default:
			return all, fmt.Errorf("%w: its compression is number %d (at byte 20)", ErrUnsupported, h.compression)
		}
		return all, nil
	}
	for i, c := range h.codecs {
		if c == (codec{}) {
			continue
		}
		if all[i] = c.decoder(h.hunkBytes); all[i] == nil {
			return all, fmt.Errorf("%w: its codec is %q (at byte %d)", ErrUnsupported, c[:], 16+4*i)
		}
	}
	return all, nil
}
