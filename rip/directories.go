package rip

import (
	"encoding/binary"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/image/mapfile"
	"spindle/iso"
)

// Bounds on what is looked at of a path table (ECMA-119 9.4).
const (
	mostTable       = 32 // blocks
	mostDirectories = 16 // compared beside the places, for each costs a seek
)

// directories returns where the directories of a data track stand that the path table names,
// and the table itself, as far as they were read: they hold the dates and places of all files.
// Of many directories, some are taken.
func (c *comparison) directories(g *region) []int64 {
	volume := c.block(g, g.track.Start+iso.FirstDescriptor)
	if volume == nil || volume[0] != 1 || string(volume[1:6]) != "CD001" {
		return nil
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
	return places
}

// block returns the user data of a sector as it was read, or nil where it was not.
func (c *comparison) block(g *region, at disc.LBA) []byte {
	if at < g.first || at >= g.last() || c.m.At(g.position(at)) != mapfile.Finished {
		return nil
	}
	sector := make([]byte, g.size)
	if c.reader.image.readAt(sector, g.position(at)) != nil {
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
