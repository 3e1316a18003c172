// Package cif reads the images of Easy CD Creator (.cif): RIFF files, one behind the other, of which two describe the
// disc, and each further one holds a track.
//
// The format was never published; the meaning of its fields is that which libmirage (cdemu) has established. Tracks of
// mixed forms, which it stores without the forms' own codes, are refused by name.
package cif

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"

	"spindle/disc"
	"spindle/image/format"
	"spindle/image/laid"
)

func init() {
	format.Register(format.Format{Name: "Easy CD Creator image", Suffixes: []string{".cif"}, Match: match, Open: openFile})
}

// errKind means that the file is valid, and cannot be read.
var errKind = fmt.Errorf("%w: it is an image of Easy CD Creator (.cif)", format.ErrUnknown)

var errMixed = fmt.Errorf("%w with a track of mixed forms (as a Video CD has), stored without their codes; Roxio's programs save it as .iso or .bin", errKind)

func match(p *format.Probe) format.Score {
	const typeAt, headSize = 8, 12
	if p.HasMagic("RIFF") && len(p.Head) >= headSize && string(p.Head[typeAt:headSize]) == "imag" {
		return format.Sure
	}
	return format.No
}

func openFile(ctx context.Context, f *format.File) (disc.Image, error) {
	img, err := open(ctx, f)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", f.Path, err)
	}
	return img, nil
}

func open(ctx context.Context, f *format.File) (disc.Image, error) {
	about, places, err := findBlocks(f, f.Size)
	if err != nil {
		return nil, err
	}
	p := &parser{b: about.data, at: about.at}
	if p.places, err = parsePlaces(places); err != nil {
		return nil, err
	}
	l, err := p.parse(laid.NewSource(f))
	if err != nil {
		return nil, err
	}
	return l.Open(ctx, f, f)
}

// A part is the content of a RIFF file, and where it is.
type part struct {
	at   int64
	data []byte
}

const (
	riffHead  = 12 // the mark, the length, and the type
	riffType  = 8  // where the type is, which the length counts
	maxPart   = 1 << 20
	maxBefore = 16 // RIFF files in which what describes the disc is
)

// findBlocks finds what describes the disc, and says where its tracks are.
func findBlocks(r io.ReaderAt, size int64) (about, places *part, err error) {
	at := int64(0)
	for range maxBefore {
		var h [riffHead]byte
		if n, err := r.ReadAt(h[:], at); n < len(h) {
			if at > size-riffHead {
				err = laid.Errorf("it ends at byte %d, without what describes the disc", size)
			}
			return nil, nil, err
		}
		const counted = riffHead - riffType
		length, kind := int64(binary.LittleEndian.Uint32(h[4:])), string(h[riffType:])
		if string(h[:4]) != "RIFF" || length < counted {
			return nil, nil, laid.Errorf("no RIFF file at byte %d", at)
		}
		if kind == "disc" || kind == "ofs " {
			p, err := readPart(r, size, at+riffHead, length-counted)
			if err != nil {
				return nil, nil, err
			}
			if kind == "disc" {
				about = p
			} else {
				places = p
			}
		}
		if about != nil && places != nil {
			return about, places, nil
		}
		at += riffType + length + length%2
	}
	return nil, nil, laid.Errorf("nothing before byte %d describes the disc", at)
}

func readPart(r io.ReaderAt, size, at, length int64) (*part, error) {
	if length > maxPart || length > size-at {
		return nil, laid.Errorf("a description of %d bytes at byte %d, and the file has %d", length, at, size)
	}
	p := &part{at, make([]byte, length)}
	if n, err := r.ReadAt(p.data, at); n < len(p.data) {
		return nil, err
	}
	return p, nil
}

// A place is where the sectors of a track are.
type place struct{ at, size int64 }

// parsePlaces reads where the tracks are, in their order.
func parsePlaces(p *part) ([]place, error) {
	le := binary.LittleEndian
	const unknown, head, entry, most, typeSize = 8, 10, 22, 99, 4
	if len(p.data) < head {
		return nil, laid.Errorf("the list of tracks at byte %d has %d bytes", p.at, len(p.data))
	}
	count := int(le.Uint16(p.data[unknown:]))
	if count == 0 || count > most || len(p.data) < head+count*entry {
		return nil, laid.Errorf("the list of tracks at byte %d has %d entries in %d bytes", p.at, count, len(p.data))
	}
	var all []place
	for n := range count {
		e := p.data[head+n*entry:]
		if string(e[:4]) != "RIFF" {
			return nil, laid.Errorf("entry %d of the list of tracks at byte %d is none", n+1, p.at)
		}
		all = append(all, place{int64(le.Uint32(e[12:])) + typeSize, int64(le.Uint32(e[4:])) - typeSize})
	}
	return all, nil
}
