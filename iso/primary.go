package iso

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// isoID stands in every volume descriptor of ISO 9660 (ECMA-119 8.1.2).
const isoID = "CD001"

// Types of volume descriptors (ECMA-119 8.1.1).
const (
	typeBoot          = 0
	typePrimary       = 1
	typeSupplementary = 2
	typeTerminator    = 255
)

// Where the record of the root directory stands in a descriptor (ECMA-119 8.4.18).
const (
	rootRecord     = 156
	rootRecordSize = 34
)

// appUseOffset and appUseSize are where in a primary volume descriptor its field for the
// use of applications stands (ECMA-119 8.4.32).
const (
	appUseOffset = 883
	appUseSize   = 512
)

// A Primary is a primary volume descriptor (ECMA-119 8.4).
type Primary struct {
	Block       int64 // where the descriptor is
	System      string
	Label       string
	Publisher   string
	Preparer    string
	Application string
	Blocks      int64  // the size of the volume, in blocks of 2048 bytes
	Root        Extent // the root directory
	AppUse      []byte // 512 bytes

	root record
}

// ReadPrimary reads the primary volume descriptor of the session that starts at a block
// of r. It returns [ErrNoVolume] where there is none, and any other error that reading
// met.
func ReadPrimary(r io.ReaderAt, start int64) (*Primary, error) {
	for n := start + FirstDescriptor; n < start+FirstDescriptor+maxDescriptors; n++ {
		b, err := readBlock(r, n)
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if string(b[1:6]) != isoID || b[0] == typeTerminator {
			break
		}
		if b[0] == typePrimary {
			return parsePrimary(b, n), nil
		}
	}
	return nil, fmt.Errorf("%w: no primary volume descriptor", ErrNoVolume)
}

func parsePrimary(b []byte, block int64) *Primary {
	le := binary.LittleEndian
	size := int64(le.Uint16(b[128:]))
	if size == 0 {
		size = BlockSize
	}
	root := parseRoot(b)
	return &Primary{
		Block: block, System: dString(b[8:40]), Label: dString(b[40:72]), Publisher: dString(b[318:446]),
		Preparer: dString(b[446:574]), Application: dString(b[574:702]),
		Blocks: (int64(le.Uint32(b[80:]))*size + BlockSize - 1) / BlockSize,
		Root:   Extent{root.block, root.size}, AppUse: b[appUseOffset : appUseOffset+appUseSize],
		root: root,
	}
}

// parseRoot reads the record of the root directory, whose length is given.
func parseRoot(b []byte) record {
	var r [rootRecordSize]byte
	copy(r[:], b[rootRecord:])
	r[0], r[32] = rootRecordSize, 1
	rec, _ := parseRecord(r[:])
	return rec
}

// isJoliet reports whether a supplementary descriptor announces UCS-2 of level 1, 2 or 3
// (Joliet specification, section 2).
func isJoliet(b []byte) bool {
	esc := b[88:91]
	return esc[0] == '%' && esc[1] == '/' && (esc[2] == '@' || esc[2] == 'C' || esc[2] == 'E')
}
