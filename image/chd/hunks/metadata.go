package hunks

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Metadata is one entry of the metadata of a CHD.
type Metadata struct {
	Tag    string // four characters
	Offset int64  // of the entry in the file
	length int64  // of the data in the file, in bytes
	Data   []byte // nil where it is longer than any that says what a disc holds
}

// Limits of the metadata. The first is MAME's.
const (
	maxEntries   = 64 << 10
	maxEntry     = 4 << 10 // bytes that are read of one
	maxMetadata  = 1 << 20 // bytes that are kept of all
	entryHead    = 16
	lengthMask   = 1<<24 - 1
	inSum        = 1 // flag: it counts for the checksum
	nextOffsetAt = 8
)

// readMetadata reads the chain that begins at a byte of the file.
func readMetadata(r io.ReaderAt, size, at int64) ([]Metadata, error) {
	var all []Metadata
	kept := 0
	for n := 0; at != 0; n++ {
		var head [entryHead]byte
		if n == maxEntries {
			return nil, fmt.Errorf("%w: its metadata do not end (at byte %d)", ErrFormat, at)
		}
		if at < 0 || at > size-entryHead {
			return nil, fmt.Errorf("%w: metadata at byte %d, and the file has %d: %w", ErrFormat, at, size, cutError{})
		}
		if _, err := r.ReadAt(head[:], at); err != nil && !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("metadata at byte %d: %w", at, err)
		}
		length := int64(binary.BigEndian.Uint32(head[4:]) & lengthMask)
		if length > size-entryHead-at {
			return nil, fmt.Errorf("%w: %d bytes of metadata at byte %d, and the file has %d", ErrFormat, length, at, size)
		}
		m := Metadata{Tag: string(head[:4]), Offset: at, length: length}
		if length <= maxEntry {
			if kept += int(length) + entryHead; kept > maxMetadata {
				return nil, fmt.Errorf("%w: more than %d bytes of metadata (at byte %d)", ErrFormat, maxMetadata, at)
			}
			m.Data = make([]byte, length)
			if _, err := r.ReadAt(m.Data, at+entryHead); err != nil && !errors.Is(err, io.EOF) {
				return nil, fmt.Errorf("metadata at byte %d: %w", at, err)
			}
		}
		all = append(all, m)
		at = int64(binary.BigEndian.Uint64(head[nextOffsetAt:]))
	}
	return all, nil
}
