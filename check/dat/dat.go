// Package dat reads DAT files in Logiqx's XML, in which collectors' databases such as
// redump.info list discs by the size and the hashes of each track, and finds discs in them:
// in one file, or in an index of many.
package dat

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"spindle/disc/digest"
)

// A ROM is one file of a disc: mostly a track. Hashes that the DAT file does not state are
// empty.
type ROM struct {
	Name  string `json:"name"`
	Size  int64  `json:"size,omitempty"` // bytes; 0: not stated
	CRC32 string `json:"crc,omitempty"`
	MD5   string `json:"md5,omitempty"`
	SHA1  string `json:"sha1,omitempty"`
}

// A Game is one disc of a DAT file.
type Game struct {
	Name string `json:"name"`
	ROMs []ROM  `json:"roms"`
}

// A Disc is what is looked for. The tracks are whole sectors, as a .bin holds them.
type Disc struct {
	Whole  digest.Sums
	Tracks []Track
}

// A Track is a track of a disc.
type Track struct {
	Number int
	digest.Sums
}

// ErrSyntax is what errors about the content of DAT files wrap.
var ErrSyntax = errors.New("not a DAT file in Logiqx's XML")

// Limits of a DAT file: its size does not matter, but that of its parts.
const (
	maxPart  = 1 << 20 // bytes of a game with all its files, or of anything outside of one
	maxDepth = 64
)

// errPart: a part of a DAT file is larger than any that is meant seriously.
var errPart = errors.New("a part of it is too large")

// A Reader reads the games of a DAT file, one after the other, in bounded memory.
type Reader struct {
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
		return 0, errPart
	}
	n, err := p.r.Read(b[:min(len(b), p.left)])
	p.left -= n
	return n, err
}

// NewReader returns a Reader of a DAT file.
func NewReader(r io.Reader) *Reader {
	part := &partReader{r, maxPart}
	d := &Reader{xml: xml.NewDecoder(part), part: part}
	d.xml.Strict = false
	d.xml.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil }
	return d
}

// Next returns the next game, or [io.EOF]. Other errors wrap [ErrSyntax] and name the line; a
// file without games is one.
func (d *Reader) Next() (*Game, error) {
	g, err := d.next()
	switch {
	case err == nil:
		d.games++
		return g, nil
	case !errors.Is(err, io.EOF):
		line, _ := d.xml.InputPos()
		return nil, fmt.Errorf("%w: line %d: %w", ErrSyntax, line, err)
	case d.games == 0:
		return nil, ErrSyntax
	}
	return nil, io.EOF
}

func (d *Reader) next() (*Game, error) {
	var g *Game
	at := 0 // the depth of g
	for {
		if g == nil {
			d.part.left = maxPart
		}
		tok, err := d.xml.Token()
		if err != nil {
			return nil, err
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			if d.depth++; d.depth > maxDepth {
				return nil, errPart
			}
			switch name := tok.Name.Local; {
			case g == nil && (name == "game" || name == "machine"):
				g, at = &Game{Name: attribute(tok, "name")}, d.depth
			case g != nil && name == "rom" && d.depth == at+1:
				rom, err := newROM(tok)
				if err != nil {
					return nil, err
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

func newROM(e xml.StartElement) (ROM, error) {
	rom := ROM{Name: attribute(e, "name"), CRC32: attribute(e, "crc"), MD5: attribute(e, "md5"), SHA1: attribute(e, "sha1")}
	var err error
	if size := attribute(e, "size"); size != "" {
		rom.Size, err = strconv.ParseInt(size, 10, 64)
	}
	return rom, err
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
