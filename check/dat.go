package check

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// A ROM is one file of a disc in a DAT file.
type ROM struct {
	Name             string
	Size             int64
	CRC32, MD5, SHA1 string
}

// A Game is one disc of a DAT file.
type Game struct {
	Name string
	ROMs []ROM
}

// ErrDAT is what errors about DAT files wrap.
var ErrDAT = errors.New("not a DAT file in Logiqx's XML")

// A Match is what a DAT file says about an image.
type Match struct {
	Name string // of the disc; empty: the file does not list it
	// Near is a disc of which some of the tracks, but not all, are those of the image.
	// It is empty where there is none, or where Name is not.
	Near string
	// Differ are the numbers of the tracks that are others, or missing, in Near.
	Differ []int
	Tracks int // of the image
}

// Limits of a DAT file: its size does not matter, but that of its parts.
const (
	maxDATPart  = 1 << 20 // bytes of a game with all its files, or of anything outside of one
	maxDATDepth = 64
)

// errDATPart: a part of a DAT file is larger than any that is meant seriously.
var errDATPart = errors.New("a part of it is too large")

// FindGame looks through a DAT file (Logiqx XML, as redump.org has it) for the disc whose
// tracks, or whose whole image, have these hashes. The file is read as a stream, in
// bounded memory. Errors that wrap [ErrDAT] name the line.
func FindGame(r io.Reader, rep *Report) (Match, error) {
	m := Match{Tracks: len(rep.Tracks)}
	d := newDATReader(r)
	for {
		g, err := d.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			line, _ := d.xml.InputPos()
			return Match{}, fmt.Errorf("%w: line %d: %w", ErrDAT, line, err)
		}
		if g.matches(rep) {
			return Match{Name: g.Name, Tracks: m.Tracks}, nil
		}
		if differ := g.differences(rep); len(differ) < m.Tracks && (m.Near == "" || len(differ) < len(m.Differ)) {
			m.Near, m.Differ = g.Name, differ
		}
	}
	if d.games == 0 {
		return Match{}, ErrDAT
	}
	return m, nil
}

// datReader reads the games of a DAT file, one after the other.
type datReader struct {
	xml   *xml.Decoder
	part  *partReader
	depth int
	games int
}

// partReader ends reading when a part becomes too large.
type partReader struct {
	r    io.Reader
	left int
}

func (p *partReader) Read(b []byte) (int, error) {
	if p.left <= 0 {
		return 0, errDATPart
	}
	n, err := p.r.Read(b[:min(len(b), p.left)])
	p.left -= n
	return n, err
}

func newDATReader(r io.Reader) *datReader {
	part := &partReader{r, maxDATPart}
	d := &datReader{xml: xml.NewDecoder(part), part: part}
	d.xml.Strict = false
	d.xml.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil }
	return d
}

// next returns the next game, or [io.EOF].
func (d *datReader) next() (*Game, error) {
	var g *Game
	at := 0 // the depth of g
	for {
		if g == nil {
			d.part.left = maxDATPart
		}
		tok, err := d.xml.Token()
		if err != nil {
			return nil, err
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			if d.depth++; d.depth > maxDATDepth {
				return nil, errDATPart
			}
			switch name := tok.Name.Local; {
			case g == nil && (name == "game" || name == "machine"):
				g, at = &Game{Name: attribute(tok, "name")}, d.depth
				d.games++
			case g != nil && name == "rom" && d.depth == at+1:
				rom := ROM{Name: attribute(tok, "name"), CRC32: attribute(tok, "crc"), MD5: attribute(tok, "md5"), SHA1: attribute(tok, "sha1")}
				if size := attribute(tok, "size"); size != "" {
					if rom.Size, err = strconv.ParseInt(size, 10, 64); err != nil {
						return nil, err
					}
				}
				g.ROMs = append(g.ROMs, rom)
			}
		case xml.EndElement:
			if d.depth--; g != nil && d.depth < at {
				return g, nil
			}
		}
	}
}

// attribute returns a copy of the value of an attribute, or "".
func attribute(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// tracks returns the files of a game that hold sectors.
func (g *Game) tracks() []ROM {
	var roms []ROM
	for _, r := range g.ROMs {
		if low := strings.ToLower(r.Name); !strings.HasSuffix(low, ".cue") && !strings.HasSuffix(low, ".gdi") {
			roms = append(roms, r)
		}
	}
	return roms
}

// matches reports whether the files of a game that hold sectors are the tracks,
// or the whole, of the image.
func (g *Game) matches(rep *Report) bool {
	roms := g.tracks()
	if len(roms) == 1 && same(roms[0], rep.Whole.Size, rep.Whole.SHA1, rep.Whole.MD5, rep.Whole.CRC32) {
		return true
	}
	return len(roms) == len(rep.Tracks) && len(g.differences(rep)) == 0
}

// differences returns the numbers of the tracks of the image that are not those of the
// game.
func (g *Game) differences(rep *Report) []int {
	roms := g.tracks()
	var differ []int
	for i, t := range rep.Tracks {
		if i >= len(roms) || !same(roms[i], t.Size, t.SHA1, t.MD5, t.CRC32) {
			differ = append(differ, t.Track)
		}
	}
	return differ
}

// same compares by the strongest hash that the DAT file states.
func same(r ROM, size int64, sha1, md5, crc string) bool {
	switch {
	case r.Size != 0 && r.Size != size:
		return false
	case r.SHA1 != "":
		return strings.EqualFold(r.SHA1, sha1)
	case r.MD5 != "":
		return strings.EqualFold(r.MD5, md5)
	}
	return r.CRC32 != "" && strings.EqualFold(r.CRC32, crc)
}
