package rip

import (
	"encoding/binary"
	"io"
	"maps"
	"slices"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/drive"
	"spindle/image/mapfile"
	"spindle/iso"
)

// Bounds on what is looked at of a path table (ECMA-119 9.4).
const (
	mostTable       = 32 // blocks
	mostDirectories = 16 // compared beside the places, for each costs a seek
	// Where no path table names the directories:
	mostEntries = 4096 // looked at
	mostRuns    = 32   // of blocks of directories and file entries, compared
	mostBegun   = 16   // of which the first block is compared
)

// directories returns where the directories of a data track stand that the path table names,
// and the table itself, as far as they were read: they hold the dates and places of all files.
// Of many directories, some are taken.
func (c *comparison) directories(g *region) []int64 {
	volume := c.block(g, g.track.Start+iso.FirstDescriptor)
	if volume == nil || volume[0] != 1 || string(volume[1:6]) != "CD001" {
		return c.structures(g, iso.Best)
	}
	// ECMA-119 8.4.12 and 8.4.14
	size, first := binary.LittleEndian.Uint32(volume[132:]), binary.LittleEndian.Uint32(volume[140:])
	if size > mostTable*iso.BlockSize || first > disc.MaxLBA {
		size = 0 // what is damaged, or of a very large tree, is left to the places
	}
	var table []byte
	for at := disc.LBA(first); len(table) < int(size); at++ {
		b := c.block(g, at)
		if b == nil {
			break
		}
		table = append(table, b...)
	}
	table = table[:min(len(table), int(size))]
	var all []disc.LBA
	for len(table) >= 10 && table[0] > 0 {
		all = append(all, disc.LBA(binary.LittleEndian.Uint32(table[2:])&0x7FFFFFFF))
		n := 8 + int(table[0]) + int(table[0])%2
		table = table[min(n, len(table)):]
	}
	var places []int64
	add := func(at disc.LBA) {
		if g.first <= at && at < g.last() {
			places = append(places, g.position(at))
		}
	}
	add(disc.LBA(min(first, disc.MaxLBA)))
	for i := range min(len(all), mostDirectories) {
		add(all[i*len(all)/min(len(all), mostDirectories)])
	}
	return append(places, c.structures(g, iso.UDF)...)
}

// block returns the user data of a sector as it was read, or nil where it was not.
func (c *comparison) block(g *region, at disc.LBA) []byte {
	if at < g.first || at >= g.last() || c.m.At(g.position(at)) != mapfile.Finished {
		return nil
	}
	sector := make([]byte, g.size)
	if c.image.readAt(sector, g.position(at)) != nil {
		return nil
	}
	if g.size != cdsector.Size {
		return sector[:min(len(sector), iso.BlockSize)]
	}
	b, err := cdsector.Block((*[cdsector.Size]byte)(sector))
	if err != nil {
		return nil
	}
	return b
}

// structures returns where the file system of a data track stands that a path table does not
// name, UDF for example, as far as it was read: the blocks of its directories and file entries,
// with the dates, sizes and places of all files, and where some of the files begin. Of many
// blocks, some are taken.
func (c *comparison) structures(g *region, kind iso.Kind) []int64 {
	t := &structureReader{c: c, g: g, seen: map[disc.LBA]bool{}}
	f, err := iso.Choice{Kind: kind}.Open(t, 0, int64(g.track.End-g.track.Start))
	if err != nil {
		return nil
	}
	var files []disc.LBA
	entries := 0
	(&discFiles{f, g.track.Start}).each(func(_ string, _ *iso.Entry, extents []drive.Stretch) bool {
		if len(extents) > 0 {
			files = append(files, extents[0].First)
		}
		entries++
		return entries < mostEntries
	})
	var starts []disc.LBA // of runs that are compared at once
	for _, at := range slices.Sorted(maps.Keys(t.seen)) {
		if n := len(starts); n == 0 || at >= starts[n-1]+placeSectors {
			starts = append(starts, at)
		}
	}
	var places []int64
	for _, at := range append(some(starts, mostRuns), some(files, mostBegun)...) {
		if g.first <= at && at < g.last() {
			places = append(places, g.position(at))
		}
	}
	return places
}

// some returns at most n, spread over all.
func some(all []disc.LBA, n int) []disc.LBA {
	n = min(n, len(all))
	out := make([]disc.LBA, 0, n)
	for i := range n {
		out = append(out, all[i*len(all)/n])
	}
	return out
}

// A structureReader is a data track as far as it was read, and notes which blocks are asked for.
type structureReader struct {
	c    *comparison
	g    *region
	seen map[disc.LBA]bool
}

// ReadAt implements [io.ReaderAt].
func (t *structureReader) ReadAt(p []byte, off int64) (int, error) {
	for done := 0; ; {
		if done == len(p) {
			return done, nil
		}
		n := (off + int64(done)) / iso.BlockSize
		if n > disc.MaxLBA {
			return done, io.EOF
		}
		at := t.g.track.Start + disc.LBA(n)
		b := t.c.block(t.g, at)
		if b == nil {
			return done, io.ErrUnexpectedEOF
		}
		t.seen[at] = true
		done += copy(p[done:], b[(off+int64(done))%iso.BlockSize:])
	}
}
