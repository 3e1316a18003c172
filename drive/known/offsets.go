package known

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"strings"

	"spindle/internal/regular"
)

// AccurateRip's list of read offsets is a file of records without a header
// (CUETools.AccurateRip, FindDriveReadOffset): the offset in samples as a 16-bit
// little-endian number, a name of 33 bytes, "VENDOR - MODEL", padded with zeros, and 34
// bytes of statistics.
const (
	offsetRecord = 69
	offsetName   = 33
	mostRecords  = 1 << 16
)

// An offsetList is AccurateRip's list, by squeezed name. Where one name has several
// offsets, none is known.
type offsetList map[string]offsets

type offsets struct {
	samples   int
	ambiguous bool
}

// listed are the makers that AccurateRip's list names otherwise than their drives do.
var listed = map[string]string{
	"hldtst": "lgelectronics", "jlms": "liteon", "matshita": "panasonic",
}

func readOffsets(path string) (offsetList, error) {
	f, err := regular.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, mostRecords*offsetRecord+1))
	if err != nil {
		return nil, err
	}
	list, err := decodeOffsets(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return list, nil
}

func decodeOffsets(b []byte) (offsetList, error) {
	if len(b) == 0 || len(b)%offsetRecord != 0 || len(b) > mostRecords*offsetRecord {
		return nil, fmt.Errorf("%w: it has %d bytes, not 1 to %d records of %d", ErrFile, len(b), mostRecords, offsetRecord)
	}
	list := make(offsetList)
	for at := 0; at < len(b); at += offsetRecord {
		samples := int(int16(binary.LittleEndian.Uint16(b[at:])))
		name, _, _ := bytes.Cut(b[at+2:][:offsetName], []byte{0})
		if samples < -mostOffset || samples > mostOffset {
			continue // some entries say so that the drive is not to be used
		}
		key := squeeze(string(name))
		if key == "" {
			continue
		}
		if was, ok := list[key]; ok && was.samples != samples {
			list[key] = offsets{ambiguous: true}
			continue
		} else if !ok {
			list[key] = offsets{samples: samples}
		}
	}
	return list, nil
}

// find looks a drive up under the name it states, and under its maker's.
func (l offsetList) find(id ID) (samples int, ok bool) {
	vendor, product := squeeze(id.Vendor), squeeze(id.Product)
	for _, v := range [...]string{vendor, listed[vendor]} {
		if o, ok := l[v+product]; ok && strings.TrimSpace(v) != "" {
			return o.samples, !o.ambiguous
		}
	}
	if vendor == "" {
		o, ok := l[product]
		return o.samples, ok && !o.ambiguous
	}
	return 0, false
}
