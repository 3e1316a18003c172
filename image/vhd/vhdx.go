package vhd

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"math/bits"

	"spindle/image/format"
	"spindle/internal/blocks"
	"spindle/internal/packed"
)

const (
	magicX     = "vhdxfile"
	mib        = 1 << 20
	entrySizeX = 8
	maxBlockX  = 256 * mib
)

// Where the two headers and the two region tables stand ([MS-VHDX] 2.2), and how large they are.
const (
	headX       = 64 << 10
	headSizeX   = 4 << 10
	regionsX    = 192 << 10
	regionSizeX = 64 << 10
)

// What GUIDs name, as they stand in a file.
var (
	regionTable    = guid("2DC27766-F623-4200-9D64-115E9BFD4A08")
	regionMetadata = guid("8B7CA206-4790-4B9A-B8FE-575F050F886E")
	itemParameters = guid("CAA16737-FA36-4D43-B3B6-33F0AA44E76B")
	itemSize       = guid("2FA54224-CD1B-4876-B211-5DBED83BF4B8")
	itemSector     = guid("8141BF1D-A96F-4709-BA47-F233A8FAAB5F")
)

// guid makes the bytes of a GUID, of which the first three parts are little-endian.
func guid(text string) [16]byte {
	b, err := hex.DecodeString(string(bytes.ReplaceAll([]byte(text), []byte("-"), nil)))
	if err != nil || len(b) != 16 {
		panic("vhd: " + text)
	}
	return [16]byte{b[3], b[2], b[1], b[0], b[5], b[4], b[7], b[6], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]}
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// sumRightX compares the CRC-32C at byte 4 of a structure.
func sumRightX(b []byte) bool {
	c := bytes.Clone(b)
	clear(c[4:8])
	return crc32.Checksum(c, castagnoli) == binary.LittleEndian.Uint32(b[4:])
}

// A diskX is the blocks of a VHDX.
type diskX struct {
	r      io.ReaderAt
	stored int64
	size   int64
	block  int64
	ratio  int64 // after so many blocks, the table has an entry for something else
	table  []byte
}

func openX(_ context.Context, f *format.File) (*format.Content, error) {
	right, err := headersX(f)
	if err != nil {
		return nil, err
	}
	d := &diskX{r: f, stored: f.Size}
	regions, err := d.regions()
	if err != nil {
		return nil, err
	}
	if err := d.metadata(regions[regionMetadata]); err != nil {
		return nil, err
	}
	if err := d.readTable(regions[regionTable]); err != nil {
		return nil, err
	}
	c := &format.Content{ReaderAt: d, Size: d.size, Codec: "blocks of " + fmt.Sprint(d.block/mib) + " MiB", Sums: "CRC-32Cs of the headers"}
	c.Check = func(context.Context, func(done, total int64)) error {
		if !right {
			return fmt.Errorf("%w: the CRC-32C of a header is wrong", packed.ErrDamaged)
		}
		return nil
	}
	return c, nil
}

// headersX makes sure that the file was closed: that nothing in its log has still to be written.
// It reports whether both headers are right.
func headersX(r io.ReaderAt) (bool, error) {
	var best []byte
	right := 0
	for i := range int64(2) {
		b := make([]byte, headSizeX)
		if blocks.ReadFull(r, b, headX*(i+1)) != nil || string(b[:4]) != "head" || !sumRightX(b) {
			continue
		}
		right++
		if best == nil || binary.LittleEndian.Uint64(b[8:]) > binary.LittleEndian.Uint64(best[8:]) {
			best = b
		}
	}
	switch {
	case best == nil:
		return false, fmt.Errorf("%w: both headers (bytes %d and %d) are damaged", errFormat, headX, 2*headX)
	case binary.LittleEndian.Uint16(best[66:]) != 1:
		return false, fmt.Errorf("%w: version %d", errKind, binary.LittleEndian.Uint16(best[66:]))
	case [16]byte(best[48:]) != [16]byte{}:
		return false, fmt.Errorf("%w: it was not closed, and its log has to be replayed; \"qemu-img check -r all\" does that", errKind)
	}
	return right == 2, nil
}

// A region is a part of the file.
type region struct{ at, length int64 }

// regions reads the first region table that is right (2.2.3).
func (d *diskX) regions() (map[[16]byte]region, error) {
	for i := range int64(2) {
		b := make([]byte, regionSizeX)
		if blocks.ReadFull(d.r, b, regionsX+i*regionSizeX) != nil || string(b[:4]) != "regi" || !sumRightX(b) {
			continue
		}
		all := make(map[[16]byte]region)
		const first, size = 16, 32
		for n := range min(int(binary.LittleEndian.Uint32(b[8:])), (regionSizeX-first)/size) {
			e := b[first+n*size:]
			x := region{int64(binary.LittleEndian.Uint64(e[16:])), int64(binary.LittleEndian.Uint32(e[24:]))}
			if x.at < mib || x.at > d.stored-x.length {
				return nil, fmt.Errorf("%w: a region of %d bytes at byte %d (byte %d)", errFormat, x.length, x.at, regionsX+i*regionSizeX+int64(first+n*size))
			}
			all[[16]byte(e)] = x
		}
		return all, nil
	}
	return nil, fmt.Errorf("%w: both region tables (bytes %d and %d) are damaged", errFormat, regionsX, regionsX+regionSizeX)
}

// metadata reads what is known of the disk (2.6).
func (d *diskX) metadata(x region) error {
	const tableSize, first, entry = 64 << 10, 32, 32
	b := make([]byte, min(x.length, mib))
	if len(b) < tableSize || blocks.ReadFull(d.r, b, x.at) != nil || string(b[:8]) != "metadata" {
		return fmt.Errorf("%w: there are no metadata at byte %d", errFormat, x.at)
	}
	item := func(id [16]byte, size int64) []byte {
		for n := range min(int(binary.LittleEndian.Uint16(b[10:])), (tableSize-first)/entry) {
			e := b[first+n*entry:]
			at := int64(binary.LittleEndian.Uint32(e[16:]))
			if [16]byte(e) == id && at >= tableSize && at <= int64(len(b))-size {
				return b[at:]
			}
		}
		return make([]byte, size)
	}
	parameters, size, sector := item(itemParameters, 8), binary.LittleEndian.Uint64(item(itemSize, 8)), binary.LittleEndian.Uint32(item(itemSector, 4))
	d.block = int64(binary.LittleEndian.Uint32(parameters))
	const hasParent = 2
	switch {
	case binary.LittleEndian.Uint32(parameters[4:])&hasParent != 0:
		return fmt.Errorf("%w: it holds only what differs from its parent", errKind)
	case d.block < mib || d.block > maxBlockX || bits.OnesCount64(uint64(d.block)) != 1:
		return fmt.Errorf("%w: blocks of %d bytes, in its metadata at byte %d", errFormat, d.block, x.at)
	case sector != 512 && sector != 4096:
		return fmt.Errorf("%w: sectors of %d bytes, in its metadata at byte %d", errFormat, sector, x.at)
	case size == 0 || size > math.MaxInt64/2 || size%512 != 0:
		return fmt.Errorf("%w: a disk of %d bytes, in its metadata at byte %d", errFormat, size, x.at)
	}
	d.size = int64(size)
	d.ratio = 1 << 23 * int64(sector) / d.block
	return nil
}

// readTable reads where the blocks stand (2.5).
func (d *diskX) readTable(x region) error {
	n := (d.size + d.block - 1) / d.block
	n += (n - 1) / d.ratio // an entry for a bitmap between each so many
	switch {
	case n > maxEntries:
		return fmt.Errorf("%w: %d blocks", errKind, n)
	case n*entrySizeX > x.length:
		return fmt.Errorf("%w: a table of %d bytes at byte %d for a disk of %d", errFormat, x.length, x.at, d.size)
	}
	d.table = make([]byte, n*entrySizeX)
	if err := blocks.ReadFull(d.r, d.table, x.at); err != nil {
		return fmt.Errorf("%w: its table at byte %d: %w", errFormat, x.at, err)
	}
	return nil
}

// ReadAt implements [io.ReaderAt].
func (d *diskX) ReadAt(p []byte, off int64) (int, error) {
	return readBlocks(p, off, d.size, d.block, d.readBlock)
}

// readBlock reads a part of a block.
func (d *diskX) readBlock(p []byte, n, in int64) error {
	const states, notPresent, undefined, zero, unmapped, present = 7, 0, 1, 2, 3, 6
	e := binary.LittleEndian.Uint64(d.table[(n+n/d.ratio)*entrySizeX:])
	begin := int64(e>>20) * mib
	var err error
	switch e & states {
	case notPresent, undefined, zero, unmapped:
		clear(p)
		return nil
	case present:
		if err = errPlace; begin >= mib && begin <= d.stored-in-int64(len(p)) {
			err = blocks.ReadFull(d.r, p, begin+in)
		}
	default:
		err = fmt.Errorf("a block in state %d", e&states)
	}
	if err != nil {
		return &blocks.DamagedError{Piece: n, Offset: begin, Err: err}
	}
	return nil
}
