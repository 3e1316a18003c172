// Package dmg reads and writes Apple disk images of the Universal Disk Image Format (.dmg): a
// disk in runs of sectors that are stored as they are, compressed in several ways, or empty.
//
// Apple never published the format. The sources are libdmg-hfsplus, dmg.c of QEMU, and what
// libmirage and Aaru read.
package dmg

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"slices"
	"sort"
	"strings"

	"spindle/image/format"
	"spindle/internal/blocks"
	"spindle/internal/packed"
)

func init() {
	format.RegisterContainer(format.Container{
		Name: "Apple disk image", Suffixes: []string{".dmg"}, Inner: ".iso", Open: open,
		Match: func(p *format.Probe) bool { return bytes.HasPrefix(p.Tail(trailerSize), []byte(magicTrailer)) },
	})
	format.Register(format.Format{Name: "Apple disk image", Suffixes: []string{".dmg"}, Create: create})
}

const (
	magicTrailer = "koly"
	magicTable   = "mish"
	trailerSize  = 512
	tableSize    = 204
	runSize      = 40
	sectorSize   = 512
	crcType      = 2
	// maxList bounds the property list, which has some 50 bytes for each run.
	maxList = 16 << 20
	// maxRuns bounds the runs: tables of a resource fork may overlap, and state the same ones again
	// and again.
	maxRuns = maxList / runSize
	// maxRun bounds what a compressed run becomes: programs make them of 256 KiB or 1 MiB.
	maxRun = 8 << 20
)

// The types of runs.
const (
	runZero    = 0
	runRaw     = 1
	runIgnore  = 2
	runADC     = 0x80000004
	runZlib    = 0x80000005
	runBzip2   = 0x80000006
	runLZFSE   = 0x80000007
	runLZMA    = 0x80000008
	runComment = 0x7FFFFFFE
	runEnd     = 0xFFFFFFFF
)

// codecs are the names of the ways to compress.
var codecs = map[uint32]string{runADC: "ADC", runZlib: "zlib", runBzip2: "bzip2", runLZFSE: "LZFSE", runLZMA: "LZMA"}

var (
	errFormat = errors.New("not a valid Apple disk image")
	// errKind means that the file is valid, and cannot be read.
	errKind = errors.New("a kind of Apple disk image that spindle does not read")
)

// A run is sectors that are stored together. Places are in bytes.
type run struct {
	kind       uint32
	begin, end int64 // on the disk
	at, length int64 // in the file
	bad        error // why it cannot be read, or nil
}

// A partition is what one table describes.
type partition struct {
	name   string
	runs   []run
	sum    uint32
	hasSum bool
}

// A file is an opened disk image.
type file struct {
	r      io.ReaderAt
	stored int64
	size   int64
	runs   []run // without gaps, in their order
	stated int64 // entries of the tables
	parts  []partition
	sum    uint32 // of the sums of the partitions
	hasSum bool
}

func open(_ context.Context, f *format.File) (*format.Content, error) {
	d, err := read(f, f.Size)
	if err != nil {
		return nil, err
	}
	c := &format.Content{ReaderAt: blocks.NewReader(d, d.size), Size: d.size, Codec: d.codec()}
	if slices.ContainsFunc(d.parts, func(p partition) bool { return p.hasSum }) {
		c.Sums = "CRC-32 of each partition"
		c.Check = func(ctx context.Context, progress func(done, total int64)) error { return d.check(ctx, c, progress) }
		c.Blind = slices.ContainsFunc(d.runs, func(r run) bool {
			return r.kind == runRaw || r.kind == runADC || r.kind == runLZFSE // the others have sums of their own
		})
	}
	for i := range d.parts {
		if name := d.parts[i].name; name != "" {
			c.Parts = append(c.Parts, name)
		}
	}
	return c, nil
}

// codec names the ways in which runs are stored.
func (d *file) codec() string {
	var all []string
	for _, r := range d.runs {
		if name := codecs[r.kind]; name != "" && !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	if len(all) == 0 {
		return "not compressed"
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

// read reads the trailer, and the tables that it leads to.
func read(r io.ReaderAt, stored int64) (*file, error) {
	b := make([]byte, trailerSize)
	if err := blocks.ReadFull(r, b, stored-trailerSize); err != nil {
		return nil, err
	}
	u64 := func(at int) int64 { return int64(binary.BigEndian.Uint64(b[at:])) }
	if n := binary.BigEndian.Uint32(b[60:]); n > 1 {
		return nil, fmt.Errorf("%w: in %d segments; \"hdiutil convert\" on a Mac makes one file of them", errKind, n)
	}
	d := &file{r: r, stored: stored}
	dataFork := u64(24)
	if dataFork < 0 || dataFork > stored {
		return nil, fmt.Errorf("%w: its data are said to begin at byte %d", errFormat, dataFork)
	}
	tables, err := readTables(r, stored, u64(216), u64(224), u64(40), u64(48))
	if err != nil {
		return nil, err
	}
	for i := range tables {
		if err := d.addTable(&tables[i], dataFork); err != nil {
			return nil, err
		}
	}
	if binary.BigEndian.Uint32(b[352:]) == crcType {
		d.sum, d.hasSum = binary.BigEndian.Uint32(b[360:]), true
	}
	sectors := binary.BigEndian.Uint64(b[492:])
	if sectors > math.MaxInt64/sectorSize/2 {
		return nil, fmt.Errorf("%w: a disk of %d sectors (byte 492 of its trailer)", errFormat, sectors)
	}
	if err := d.arrange(int64(sectors) * sectorSize); err != nil {
		return nil, err
	}
	return d, d.unreadable()
}

// unreadable is why no run can be read that holds something, where that is so: a single one costs
// its own sectors.
func (d *file) unreadable() (err error) {
	for i := range d.runs {
		switch r := &d.runs[i]; {
		case r.kind == runZero || r.kind == runIgnore:
		case r.bad == nil:
			return nil
		case err == nil:
			err = r.bad
		}
	}
	return err
}

// addTable reads a table of runs.
func (d *file) addTable(t *table, dataFork int64) error {
	b := t.data
	if len(b) < tableSize || string(b[:4]) != magicTable {
		return fmt.Errorf("%w: the table of %q is none", errFormat, t.name)
	}
	first, offset := binary.BigEndian.Uint64(b[8:]), binary.BigEndian.Uint64(b[24:])
	n := int64(binary.BigEndian.Uint32(b[200:]))
	if n > int64(len(b)-tableSize)/runSize {
		return fmt.Errorf("%w: the table of %q has %d bytes for %d runs", errFormat, t.name, len(b), n)
	}
	if d.stated += n; d.stated > maxRuns {
		return fmt.Errorf("%w: more than %d runs", errFormat, maxRuns)
	}
	p := partition{name: t.name, sum: binary.BigEndian.Uint32(b[72:]), hasSum: binary.BigEndian.Uint32(b[64:]) == crcType}
	const most = math.MaxInt64 / sectorSize / 4
	for i := range n {
		e := b[tableSize+i*runSize:]
		kind := binary.BigEndian.Uint32(e)
		if kind == runEnd || kind == runComment {
			continue
		}
		sector, count := binary.BigEndian.Uint64(e[8:]), binary.BigEndian.Uint64(e[16:])
		at, length := binary.BigEndian.Uint64(e[24:]), binary.BigEndian.Uint64(e[32:])
		if first > most || sector > most || count > most || at > math.MaxInt64/4 || offset > math.MaxInt64/4 {
			return fmt.Errorf("%w: run %d of %q is said to be beyond any disk", errFormat, i, t.name)
		}
		r := run{kind: kind, begin: int64(first+sector) * sectorSize, at: dataFork + int64(offset+at), length: int64(length)}
		r.end = r.begin + int64(count)*sectorSize
		if err := d.checkRun(&r); err != nil {
			r.bad = fmt.Errorf("%w: run %d of %q, %w", errFormat, i, t.name, err)
		}
		if r.end > r.begin {
			p.runs = append(p.runs, r)
		}
	}
	d.parts = append(d.parts, p)
	return nil
}

// checkRun finds out whether a run can be read.
func (d *file) checkRun(r *run) error {
	switch {
	case r.kind == runZero || r.kind == runIgnore:
		return nil
	case r.kind != runRaw && codecs[r.kind] == "":
		return fmt.Errorf("of type %08Xh: %w", r.kind, errKind)
	case r.length < 0 || r.at > d.stored-r.length:
		return fmt.Errorf("%d bytes at byte %d: they are beyond the end of the file", r.length, r.at)
	case r.kind != runRaw && r.end-r.begin > maxRun, r.kind != runRaw && r.length > 2*maxRun:
		return fmt.Errorf("at byte %d: %d compressed bytes of %d are too many to unpack at once", r.at, r.length, r.end-r.begin)
	}
	return nil
}

// arrange puts the runs in their order, and empty ones where there are none.
func (d *file) arrange(size int64) error {
	var all []run
	for i := range d.parts {
		all = append(all, d.parts[i].runs...)
	}
	slices.SortStableFunc(all, func(a, b run) int { return cmp.Compare(a.begin, b.begin) })
	var at int64
	for _, r := range all {
		if r.begin < at {
			return fmt.Errorf("%w: two runs have the sector %d", errFormat, r.begin/sectorSize)
		}
		if r.begin > at {
			d.runs = append(d.runs, run{kind: runZero, begin: at, end: r.begin})
		}
		d.runs = append(d.runs, r)
		at = r.end
	}
	if size > at {
		d.runs = append(d.runs, run{kind: runZero, begin: at, end: size})
		at = size
	}
	if d.size = at; at == 0 {
		return fmt.Errorf("%w: it holds nothing", errFormat)
	}
	return nil
}

// pieceSize is how much of a run that is not compressed is read at a time.
const pieceSize = 256 << 10

// Piece implements [blocks.Source].
func (d *file) Piece(off int64) blocks.Piece {
	i := sort.Search(len(d.runs), func(i int) bool { return d.runs[i].begin > off }) - 1
	r := &d.runs[i]
	if codecs[r.kind] != "" && r.bad == nil {
		return blocks.Piece{Index: int64(i), Begin: r.begin, End: r.end}
	}
	n := (off - r.begin) / pieceSize
	begin := r.begin + n*pieceSize
	return blocks.Piece{Index: -1 - begin/sectorSize, Begin: begin, End: min(r.end, begin+pieceSize)}
}

// Read implements [blocks.Source].
func (d *file) Read(dst []byte, p blocks.Piece) error {
	i := sort.Search(len(d.runs), func(i int) bool { return d.runs[i].begin > p.Begin }) - 1
	r := &d.runs[i]
	err := r.bad
	if err == nil {
		err = d.unpack(dst, r, p.Begin-r.begin)
	}
	if err != nil {
		return &blocks.DamagedError{Piece: int64(i), Offset: r.at, Err: err}
	}
	return nil
}

// unpack fills dst with a run, or of one that is not compressed with what begins at a byte.
func (d *file) unpack(dst []byte, r *run, in int64) error {
	switch r.kind {
	case runZero, runIgnore:
		clear(dst)
		return nil
	case runRaw:
		// What is stored may be shorter than the sectors: the rest is zeros.
		n := max(0, min(int64(len(dst)), r.length-in))
		clear(dst[n:])
		return blocks.ReadFull(d.r, dst[:n], r.at+in)
	}
	src := make([]byte, r.length)
	if err := blocks.ReadFull(d.r, src, r.at); err != nil {
		return err
	}
	return decompress(dst, src, r.kind)
}

// check compares the partitions with their sums, and the sum of these.
func (d *file) check(ctx context.Context, c *format.Content, progress func(done, total int64)) error {
	var done int64
	master := crc32.NewIEEE()
	buf := make([]byte, 1<<20)
	for i := range d.parts {
		p := &d.parts[i]
		sum := crc32.NewIEEE()
		for _, r := range p.runs {
			for at := r.begin; at < r.end && r.kind != runIgnore && p.hasSum; {
				if err := ctx.Err(); err != nil {
					return err
				}
				b := buf[:min(int64(len(buf)), r.end-at)]
				if err := blocks.ReadFull(c, b, at); err != nil {
					return err
				}
				sum.Write(b)
				at += int64(len(b))
				done += int64(len(b))
				progress(done, d.size)
			}
		}
		if p.hasSum && sum.Sum32() != p.sum {
			return fmt.Errorf("%w: the CRC-32 of the partition %q is wrong", packed.ErrDamaged, p.name)
		}
		master.Write(binary.BigEndian.AppendUint32(nil, p.sum))
	}
	if d.hasSum && master.Sum32() != d.sum {
		return fmt.Errorf("%w: the CRC-32 of all partitions is wrong", packed.ErrDamaged)
	}
	return nil
}
