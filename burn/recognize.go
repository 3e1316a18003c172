package burn

import (
	"bytes"
	"context"
	"encoding/binary"

	"spindle/disc"
	"spindle/iso"
)

// recognized is how many sectors are compared of a disc that is burned from the
// start anyway: what names a volume is among them.
const recognized = 320

// Places of what names a volume, in sectors from the beginning of its track.
const (
	systemArea   = 16  // ISO 9660 begins with its primary volume descriptor (ECMA-119 8.4)
	sequenceEnd  = 48  // of the volume recognition sequence, as far as it is looked at (ECMA-167 2/8.3)
	anchorSector = 256 // of the anchor volume descriptor pointer (ECMA-167 3/8.4.2.1)
)

// Tags of UDF's descriptors (ECMA-167 3/7.2.1).
const (
	tagPrimary     = 1
	tagAnchor      = 2
	tagLogical     = 6
	tagTerminating = 8
)

// volumeNames lists the sectors of the image that tell its volume from others, counted
// from the beginning of the region r: of ISO 9660 the primary volume descriptor, and
// the root directory; of UDF the anchor, and the primary and logical volume
// descriptors. It is empty where the image has neither file system.
func volumeNames(ctx context.Context, src *Source, r Region) []int {
	if r.Form != FormBlock {
		return nil
	}
	b := make([]byte, iso.BlockSize)
	sector := func(n int) []byte {
		if n < 0 || n >= r.Count || src.read(ctx, b, r.Source+disc.LBA(n), r.Form) != nil {
			return nil
		}
		return b
	}
	return append(isoNames(sector, r), udfNames(sector)...)
}

// isoNames lists the sectors that name a volume of ISO 9660.
func isoNames(sector func(int) []byte, r Region) []int {
	s := sector(systemArea)
	if s == nil || s[0] != 1 || string(s[1:6]) != "CD001" {
		return nil
	}
	root := int(binary.LittleEndian.Uint32(s[156+2:])) - int(r.Source) // ECMA-119 8.4.18, 9.1.3
	if root <= systemArea || root >= r.Count {
		return []int{systemArea}
	}
	return []int{systemArea, root}
}

// hasUDF reports whether the volume recognition sequence announces UDF (ECMA-167 2/8.3, 3/9.1).
func hasUDF(sector func(int) []byte) bool {
	for n := systemArea; n < sequenceEnd; n++ {
		s := sector(n)
		if s == nil {
			return false
		}
		switch string(s[1:6]) {
		case "NSR02", "NSR03":
			return true
		case "TEA01", "\x00\x00\x00\x00\x00": // its end
			return false
		}
	}
	return false
}

// udfNames lists the sectors that name a UDF volume.
func udfNames(sector func(int) []byte) []int {
	tag := func(s []byte) uint16 { return binary.LittleEndian.Uint16(s) }
	if !hasUDF(sector) {
		return nil
	}
	s := sector(anchorSector)
	if s == nil || tag(s) != tagAnchor {
		return nil
	}
	const most = 64 // sectors of a volume descriptor sequence
	length, first := binary.LittleEndian.Uint32(s[16:]), int(binary.LittleEndian.Uint32(s[20:]))
	names := []int{anchorSector}
	for n := first; n < first+int(min(length/iso.BlockSize, most)); n++ {
		s := sector(n)
		if s == nil || tag(s) == tagTerminating {
			break
		}
		if t := tag(s); t == tagPrimary || t == tagLogical {
			names = append(names, n)
		}
	}
	return names
}

// sameVolume reports whether what was compared shows that the disc holds the image:
// all that names its volume is equal, as far as it was compared, and all that lies
// before that. Without a name it takes enough of other content, none of it different.
func (p *comparer) sameVolume(names []int) bool {
	const enough = 128 // sectors
	if len(names) == 0 {
		return p.equal >= p.limit && p.solid >= enough
	}
	found := false
	for _, n := range names {
		switch {
		case n >= p.limit:
		case n >= p.equal:
			return false
		case n != anchorSector: // which is the same on many discs
			found = true
		}
	}
	return found
}

// blankBytes reports whether b holds zeros only.
func blankBytes(b []byte) bool { return len(bytes.Trim(b, "\x00")) == 0 }
