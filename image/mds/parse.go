package mds

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"unicode/utf16"

	"spindle/disc"
	"spindle/image/laid"
)

const (
	magic       = "MEDIA DESCRIPTOR"
	headerSize  = 88
	sessionSize = 24
	blockSize   = 80
	extraSize   = 8
	footerSize  = 16

	maxSessions = 99
	maxTracks   = 99
	maxFiles    = 64
	maxName     = 4096 // bytes
)

// The media, and the points of the table of contents that are not tracks.
const (
	mediumDVD    = 0x10 // and above
	pointFormat  = 0xA0
	pointLast    = 0xA1
	pointLeadOut = 0xA2
)

// errEncrypted means that a descriptor is one of version 2, or an .mdx.
var errEncrypted = errors.New("its descriptor is of version 2, as in an .mdx, and encrypted: save the image as version 1 in Daemon Tools or Alcohol 120%")

// A descriptor is the content of an .mds file.
type descriptor struct {
	medium     uint16
	sessions   []session
	layerBreak disc.LBA
}

type session struct {
	start, end int32 // LBA, with the two seconds before; lead-out
	format     disc.SessionFormat
	tracks     []track
}

// A track is what a track block, and what that points to, states.
type track struct {
	mode       uint8
	sub        uint8 // 8: 96 bytes follow each sector
	control    disc.Control
	point      int
	size       int // bytes of a sector, with its sub-channel
	start      int64
	offset     int64
	pregap     int64 // that is not in the file
	length     int64 // without it
	names      []string
	descriptor int64 // where the block is
}

// reader reads from a descriptor.
type reader struct{ b []byte }

// at returns n bytes of it.
func (r reader) at(offset, n int64, what string) ([]byte, error) {
	if offset < 0 || n > int64(len(r.b)) || offset > int64(len(r.b))-n {
		return nil, laid.Errorf("%s of %d bytes at byte %d, and the file has %d", what, n, offset, len(r.b))
	}
	return r.b[offset : offset+n], nil
}

// parse reads a descriptor.
func parse(b []byte) (*descriptor, error) {
	le := binary.LittleEndian
	r := reader{b}
	h, err := r.at(0, headerSize, "a header")
	if err != nil {
		return nil, err
	}
	switch {
	case !bytes.HasPrefix(h, []byte(magic)):
		return nil, laid.Errorf("it does not begin with %s", magic)
	case h[16] == 2:
		return nil, errEncrypted
	case h[16] != 1:
		return nil, laid.Errorf("it is of version %d.%d (at byte 16)", h[16], h[17])
	}
	d := &descriptor{medium: le.Uint16(h[18:])}
	n := int64(le.Uint16(h[20:]))
	if n == 0 || n > maxSessions {
		return nil, laid.Errorf("it states %d sessions (at byte 20)", n)
	}
	at, tracks := int64(le.Uint32(h[80:])), 0
	for i := range n {
		s, err := d.session(r, at+i*sessionSize)
		if err != nil {
			return nil, fmt.Errorf("session %d: %w", i+1, err)
		}
		d.sessions = append(d.sessions, *s)
		if tracks += len(s.tracks); tracks > maxTracks { // each may name files to open
			return nil, laid.Errorf("session %d: more than %d tracks", i+1, maxTracks)
		}
	}
	if structures := int64(le.Uint32(h[64:])); d.isDVD() && structures != 0 {
		d.readStructures(r, structures)
	}
	return d, nil
}

func (d *descriptor) isDVD() bool { return d.medium >= mediumDVD }

// session reads a session block, and those of its tracks.
func (d *descriptor) session(r reader, at int64) (*session, error) {
	le := binary.LittleEndian
	b, err := r.at(at, sessionSize, "a session block")
	if err != nil {
		return nil, err
	}
	s := &session{start: int32(le.Uint32(b)), end: int32(le.Uint32(b[4:]))}
	n, first := int64(b[10]), int64(le.Uint32(b[20:]))
	for i := range n {
		b, err := r.at(first+i*blockSize, blockSize, "a track block")
		if err != nil {
			return nil, err
		}
		point := int(b[4])
		if point == pointFormat {
			s.format = disc.SessionFormat(b[10])
		}
		if b[0] == 0 || point < 1 || point > 99 {
			continue
		}
		t, err := d.track(r, b, first+i*blockSize)
		if err != nil {
			return nil, fmt.Errorf("track %d: %w", point, err)
		}
		s.tracks = append(s.tracks, *t)
	}
	if len(s.tracks) == 0 {
		return nil, laid.Errorf("no track (at byte %d)", at)
	}
	return s, nil
}

// track reads what a track block at a place states.
func (d *descriptor) track(r reader, b []byte, at int64) (*track, error) {
	le := binary.LittleEndian
	t := &track{
		mode: b[0] & 7, sub: b[1], control: disc.Control(b[2] & 15), point: int(b[4]),
		size: int(le.Uint16(b[16:])), start: int64(int32(le.Uint32(b[36:]))), descriptor: at,
	}
	if offset := le.Uint64(b[40:]); offset < 1<<62 {
		t.offset = int64(offset)
	} else {
		return nil, laid.Errorf("its sectors are at byte %d of their file (at byte %d)", offset, at+40)
	}
	extra := le.Uint32(b[12:])
	switch {
	case d.isDVD():
		t.length = int64(extra)
	case extra != 0:
		x, err := r.at(int64(extra), extraSize, "an extra block")
		if err != nil {
			return nil, err
		}
		t.pregap, t.length = int64(le.Uint32(x)), int64(le.Uint32(x[4:]))
	}
	files, footers := int64(le.Uint32(b[48:])), int64(le.Uint32(b[52:]))
	if files > maxFiles {
		return nil, laid.Errorf("it is in %d files (at byte %d)", files, at+48)
	}
	for i := range files {
		f, err := r.at(footers+i*footerSize, footerSize, "a footer")
		if err != nil {
			return nil, err
		}
		name, err := r.name(int64(le.Uint32(f)), le.Uint32(f[4:]) != 0)
		if err != nil {
			return nil, err
		}
		t.names = append(t.names, name)
	}
	return t, nil
}

// name reads the name of a file, which a NUL ends.
func (r reader) name(at int64, wide bool) (string, error) {
	if _, err := r.at(at, 1, "a name"); err != nil {
		return "", err
	}
	b := r.b[at:min(int64(len(r.b)), at+maxName)]
	if !wide {
		name, _, _ := bytes.Cut(b, []byte{0})
		return string(name), nil
	}
	var all []uint16
	for ; len(b) >= 2; b = b[2:] {
		c := binary.LittleEndian.Uint16(b)
		if c == 0 {
			break
		}
		all = append(all, c)
	}
	return string(utf16.Decode(all)), nil
}

// The structures of a DVD: copyright, manufacturing and physical format (MMC-5 table
// "READ DISC STRUCTURE Data"), without their heads.
const (
	copyrightSize = 4
	structureSize = 2048
	physicalAt    = copyrightSize + structureSize
	twoLayers     = 1
)

// readStructures finds where the second layer of a DVD begins, if there is one.
func (d *descriptor) readStructures(r reader, at int64) {
	p, err := r.at(at+physicalAt, structureSize, "the format of the DVD")
	if err != nil || p[2]>>5&3 != twoLayers {
		return
	}
	be := binary.BigEndian
	start, end := be.Uint32(p[4:])&0xFFFFFF, be.Uint32(p[12:])&0xFFFFFF
	if end > start {
		d.layerBreak = disc.LBA(end - start + 1)
	}
}
