package check

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// A ROM is one file of a disc in a DAT file.
type ROM struct {
	Name  string `xml:"name,attr"`
	Size  int64  `xml:"size,attr"`
	CRC32 string `xml:"crc,attr"`
	MD5   string `xml:"md5,attr"`
	SHA1  string `xml:"sha1,attr"`
}

// A Game is one disc of a DAT file.
type Game struct {
	Name string `xml:"name,attr"`
	ROMs []ROM  `xml:"rom"`
}

// ErrDAT is what errors about DAT files wrap.
var ErrDAT = errors.New("not a DAT file in Logiqx's XML")

// FindGame looks through a DAT file (Logiqx XML, as redump.org has it) for the
// disc whose tracks, or whose whole image, have these hashes. Without one, the
// name is empty. The file is read as a stream: its size does not matter.
func FindGame(r io.Reader, rep *Report) (name string, err error) {
	d := xml.NewDecoder(r)
	d.Strict = false
	d.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil }
	games := 0
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return "", fmt.Errorf("%w: %w", ErrDAT, err)
		}
		start, ok := tok.(xml.StartElement)
		if !ok || start.Name.Local != "game" && start.Name.Local != "machine" {
			continue
		}
		var g Game
		if err := d.DecodeElement(&g, &start); err != nil {
			return "", fmt.Errorf("%w: %w", ErrDAT, err)
		}
		games++
		if g.matches(rep) {
			return g.Name, nil
		}
	}
	if games == 0 {
		return "", ErrDAT
	}
	return "", nil
}

// matches reports whether the files of a game that hold sectors are the tracks,
// or the whole, of the image.
func (g *Game) matches(rep *Report) bool {
	var roms []ROM
	for _, r := range g.ROMs {
		if low := strings.ToLower(r.Name); !strings.HasSuffix(low, ".cue") && !strings.HasSuffix(low, ".gdi") {
			roms = append(roms, r)
		}
	}
	if len(roms) == 1 && same(roms[0], rep.Whole.Size, rep.Whole.SHA1, rep.Whole.MD5, rep.Whole.CRC32) {
		return true
	}
	if len(roms) != len(rep.Tracks) {
		return false
	}
	for i, t := range rep.Tracks {
		if !same(roms[i], t.Size, t.SHA1, t.MD5, t.CRC32) {
			return false
		}
	}
	return true
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
