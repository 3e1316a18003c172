package accuraterip

import (
	"encoding/binary"
	"errors"
	"fmt"

	"spindle/disc/discid"
)

// A Response is what the database has about a disc: a chunk for each pressing and kind of
// checksum.
type Response []Chunk

// A Chunk has an entry for each track.
type Chunk []Entry

// An Entry is what the database states of a track.
type Entry struct {
	Confidence int    // how many people submitted it
	Sum        uint32 // of version 1 or 2; 0: none
	Frame450   uint32 // 0: not known
}

// The errors of [Parse].
var (
	ErrResponse  = errors.New("no whole response of AccurateRip")
	ErrOtherDisc = errors.New("response of AccurateRip about another disc")
)

const (
	headerSize = 13
	entrySize  = 9

	// MaxResponse bounds a response in bytes; those of the most common discs have
	// some 30 kB.
	MaxResponse = 1 << 20
)

// Parse reads the response about a disc. The error wraps [ErrResponse] or [ErrOtherDisc].
func Parse(b []byte, id discid.AccurateRip) (Response, error) {
	if len(b) == 0 || len(b) > MaxResponse {
		return nil, fmt.Errorf("%w: %d bytes", ErrResponse, len(b))
	}
	var r Response
	for at := 0; at < len(b); {
		rest := b[at:]
		n := int(rest[0])
		size := headerSize + n*entrySize
		if n == 0 || len(rest) < size {
			return nil, fmt.Errorf("%w: chunk at byte %d: %d tracks, %d bytes left", ErrResponse, at, n, len(rest))
		}
		le := binary.LittleEndian.Uint32
		if found := (discid.AccurateRip{Tracks: n, ID1: le(rest[1:]), ID2: le(rest[5:]), CDDB: le(rest[9:])}); found != id {
			return nil, fmt.Errorf("%w: %s, not %s", ErrOtherDisc, found, id)
		}
		c := make(Chunk, n)
		for i := range c {
			e := rest[headerSize+i*entrySize:]
			c[i] = Entry{Confidence: int(e[0]), Sum: le(e[1:]), Frame450: le(e[5:])}
		}
		r = append(r, c)
		at += size
	}
	return r, nil
}

// Track returns the entries of the track at a place in the table of contents that have a checksum.
func (r Response) Track(slot int) []Entry {
	var all []Entry
	for _, c := range r {
		if slot < len(c) && c[slot].Sum != 0 && c[slot].Confidence > 0 {
			all = append(all, c[slot])
		}
	}
	return all
}
