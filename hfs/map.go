package hfs

import (
	"bytes"
	"encoding/binary"
	"io"
	"slices"
	"strings"
)

// A Partition is an entry of an Apple partition map (Inside Macintosh: Devices, 3-24).
type Partition struct {
	Name, Type  string
	Start, Size int64 // in bytes
}

// Marked reports whether something that begins with these 2048 bytes may have a volume of HFS: the
// header of one, or of a partition map.
func Marked(b []byte) bool {
	return len(b) >= headerAt+headerSize && (string(b[:2]) == "ER" || signed(b[headerAt:]))
}

// Announced reports whether there is a header of a volume, or a partition map with one of HFS. It looks at
// some kilobytes in front.
func Announced(r io.ReaderAt) bool {
	if _, err := readHeader(r, 0); err == nil {
		return true
	}
	return slices.ContainsFunc(Partitions(r), func(p Partition) bool { return strings.HasPrefix(p.Type, hfsType) })
}

// hfsType begins the type of a partition of HFS.
const hfsType = "Apple_HFS"

// maxPartitions bounds a map: real ones have a dozen entries at most.
const maxPartitions = 128

// Partitions returns the entries of the Apple partition map in r, or nil. Discs count in blocks of
// 2048 bytes, or of 512; some state the one in block 0 and use the other.
func Partitions(r io.ReaderAt) []Partition {
	var head [2048 + sector]byte
	if n, _ := r.ReadAt(head[:], 0); n < len(head) || string(head[:2]) != "ER" {
		return nil
	}
	for _, block := range []int64{sector, 2048} {
		if string(head[block:block+2]) == "PM" {
			return readMap(r, block)
		}
	}
	return nil
}

func readMap(r io.ReaderAt, block int64) []Partition {
	be := binary.BigEndian
	var all []Partition
	var b [sector]byte
	for i, n := int64(1), int64(1); i <= n; i++ {
		if readFull(r, b[:], i*block) != nil || string(b[:2]) != "PM" {
			break
		}
		n = min(int64(be.Uint32(b[4:])), maxPartitions)
		all = append(all, Partition{
			Name: text(b[16:48]), Type: text(b[48:80]), Start: int64(be.Uint32(b[8:])) * block, Size: int64(be.Uint32(b[12:])) * block,
		})
	}
	return all
}

// text is what stands in a field before its first NUL.
func text(b []byte) string {
	b, _, _ = bytes.Cut(b, []byte{0})
	return decodeRoman(b)
}

// find returns where in r a volume begins.
func find(r io.ReaderAt) (int64, bool) {
	if _, err := readHeader(r, 0); err == nil {
		return 0, true
	}
	for _, p := range Partitions(r) {
		if !strings.HasPrefix(p.Type, hfsType) {
			continue
		}
		places := []int64{p.Start, p.Start * 4, p.Start / 4}
		i := slices.IndexFunc(places, func(at int64) bool {
			_, err := readHeader(r, at)
			return err == nil
		})
		if i >= 0 {
			return places[i], true
		}
	}
	return 0, false
}
