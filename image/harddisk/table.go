package harddisk

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
)

const (
	sector = 512
	// maxPartitions bounds a table; GPT has room for 128 as a rule.
	maxPartitions = 1024
	// mostBytes is more than any disk has.
	mostBytes = 1 << 55
)

// A partition is a part of a disk. Its place and size are in bytes.
type partition struct {
	kind        string // what the table says of it
	start, size int64
}

// read returns the partitions of a disk, or none where there is no table that makes sense. Where
// the file was cut short, they may end behind it.
func read(r io.ReaderAt, size int64) []partition {
	b := make([]byte, sector)
	if n, _ := r.ReadAt(b, 0); n < sector || b[510] != 0x55 || b[511] != 0xAA || isBootSector(b) {
		return nil
	}
	for _, block := range []int64{sector, 4096} {
		if all := readGPT(r, size, block); len(all) > 0 {
			return all
		}
	}
	return readMBR(r, b, size)
}

// isBootSector knows the boot sectors of file systems, which have the mark of a table and code in its place.
func isBootSector(b []byte) bool {
	for _, m := range marks()[:5] {
		if string(b[m.at:m.at+int64(len(m.text))]) == m.text {
			return true
		}
	}
	return false
}

// Types of partitions that hold others, and of those that protect a GPT.
var (
	extended   = []byte{0x05, 0x0F, 0x85}
	protective = byte(0xEE)
)

// entry reads an entry of a master boot record: its state, type, first sector and length.
func entry(b []byte) (kind byte, p partition, ok bool) {
	le := binary.LittleEndian
	kind = b[4]
	p = partition{fmt.Sprintf("type %02Xh", kind), int64(le.Uint32(b[8:])) * sector, int64(le.Uint32(b[12:])) * sector}
	return kind, p, (b[0] == 0 || b[0] == 0x80) && (kind == 0) == (p.size == 0)
}

// readMBR reads the table in a master boot record. All its entries have to make sense: its mark is that of
// much else.
func readMBR(r io.ReaderAt, b []byte, size int64) []partition {
	const table, entries, each = 446, 4, 16
	var all []partition
	for i := range entries {
		kind, p, ok := entry(b[table+i*each:])
		switch {
		case !ok || kind == protective:
			return nil
		case kind == 0:
			continue
		case p.start == 0:
			return nil
		case slices.Contains(extended, kind):
			all = append(all, readLogical(r, p, size)...)
		default:
			all = append(all, p)
		}
	}
	if overlap(all) {
		return nil
	}
	return all
}

// readLogical follows the chain of tables in an extended partition.
func readLogical(r io.ReaderAt, in partition, size int64) []partition {
	const most, table, each = 128, 446, 16
	var all []partition
	b := make([]byte, sector)
	for at := in.start; len(all) < most; {
		if n, _ := r.ReadAt(b, at); n < sector || b[510] != 0x55 || b[511] != 0xAA {
			break
		}
		kind, p, ok := entry(b[table:])
		if p.start += at; ok && kind != 0 && p.start < size {
			all = append(all, p)
		}
		_, next, _ := entry(b[table+each:])
		if next.start == 0 || in.start+next.start <= at {
			break // what leads back is no chain
		}
		at = in.start + next.start
	}
	return all
}

// readGPT reads a GUID partition table (UEFI 2.10, 5.3) of a disk with blocks of a size.
func readGPT(r io.ReaderAt, size, block int64) []partition {
	le := binary.LittleEndian
	h := make([]byte, sector)
	if n, _ := r.ReadAt(h, block); n < sector || string(h[:8]) != "EFI PART" {
		return nil
	}
	at, count, each := le.Uint64(h[72:]), int64(le.Uint32(h[80:])), int64(le.Uint32(h[84:]))
	if each < 128 || each > 4096 || at > uint64(size/block) {
		return nil
	}
	var all []partition
	b := make([]byte, 128)
	for i := range min(count, maxPartitions) {
		if n, _ := r.ReadAt(b, int64(at)*block+i*each); n < len(b) {
			break
		}
		first, last := le.Uint64(b[32:]), le.Uint64(b[40:])
		if [16]byte(b) == [16]byte{} {
			continue
		}
		if first > last || last >= mostBytes/uint64(block) {
			return nil
		}
		all = append(all, partition{guid(b), int64(first) * block, int64(last-first+1) * block})
	}
	if overlap(all) {
		return nil
	}
	return all
}

// guid writes the type of a partition, as it is listed.
func guid(b []byte) string {
	le := binary.LittleEndian
	return fmt.Sprintf("type %08X-%04X-%04X-%X-%X", le.Uint32(b), le.Uint16(b[4:]), le.Uint16(b[6:]), b[8:10], b[10:16])
}

// overlap reports whether two partitions have the same sector.
func overlap(all []partition) bool {
	sorted := slices.SortedFunc(slices.Values(all), func(a, b partition) int { return cmp.Compare(a.start, b.start) })
	for i := 1; i < len(sorted); i++ {
		if sorted[i].start < sorted[i-1].start+sorted[i-1].size {
			return true
		}
	}
	return false
}
