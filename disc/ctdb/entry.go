package ctdb

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"spindle/disc/discid"
)

// An Entry is what the database states of one version of a disc.
type Entry struct {
	ID         string
	Confidence int
	CRC        uint32 // of the disc
	TrackCRCs  []uint32
	TOC        discid.TOC
	ParityURL  string // where its parity is; may be relative to the database

	// syndrome is that of column 0: as many words as the entry has.
	syndrome []uint16
}

// ErrResponse is what errors about a response wrap that is not one of the database.
var ErrResponse = errors.New("no response of the CUETools database")

// Bounds of a response.
const (
	MaxResponse = 4 << 20 // bytes
	maxEntries  = 1000
	maxDepth    = 16
)

// ParseResponse reads the XML of a look-up. It may have no entries. The error wraps
// [ErrResponse].
func ParseResponse(b []byte) ([]Entry, error) {
	if len(b) > MaxResponse {
		return nil, fmt.Errorf("%w: %d bytes", ErrResponse, len(b))
	}
	d := xml.NewDecoder(bytes.NewReader(b))
	var entries []Entry
	for depth, begun := 0, false; ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) && begun && depth == 0 {
			return entries, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrResponse, err)
		}
		switch x := token.(type) {
		case xml.Directive: // a DOCTYPE can define entities, and a page has one
			return nil, fmt.Errorf("%w: it has a DOCTYPE", ErrResponse)
		case xml.StartElement:
			if depth == 0 && (begun || x.Name.Local != "ctdb") {
				return nil, fmt.Errorf("%w: element %.20q", ErrResponse, x.Name.Local)
			}
			begun = true
			if depth++; depth > maxDepth {
				return nil, fmt.Errorf("%w: elements are nested %d deep", ErrResponse, depth)
			}
			if depth != 2 || x.Name.Local != "entry" {
				continue
			}
			e, err := newEntry(x.Attr)
			if err != nil {
				return nil, fmt.Errorf("%w: entry %d: %w", ErrResponse, len(entries)+1, err)
			}
			if entries = append(entries, e); len(entries) > maxEntries {
				return nil, fmt.Errorf("%w: more than %d entries", ErrResponse, maxEntries)
			}
		case xml.EndElement:
			depth--
		}
	}
}

// newEntry reads the attributes of an entry.
func newEntry(attributes []xml.Attr) (e Entry, err error) {
	var syndrome, parity []uint16
	stride := rowSamples
	for _, a := range attributes {
		switch a.Name.Local {
		case "id":
			e.ID = a.Value
		case "hasparity":
			e.ParityURL = a.Value
		case "confidence":
			e.Confidence, err = strconv.Atoi(a.Value)
		case "stride":
			stride, err = strconv.Atoi(a.Value)
		case "crc32":
			e.CRC, err = crcOf(a.Value)
		case "trackcrcs":
			e.TrackCRCs, err = crcsOf(a.Value)
		case "toc":
			e.TOC, err = discid.ParseTOC(a.Value)
			if errors.Is(err, discid.ErrTOC) { // that of no disc: the entry is of no use, and does no harm
				e.TOC, err = discid.TOC{}, nil
			}
		case "syndrome":
			syndrome, err = wordsOf(a.Value)
		case "parity":
			parity, err = wordsOf(a.Value)
		}
		if err != nil {
			return e, fmt.Errorf("%s: %w", a.Name.Local, err)
		}
	}
	if e.Confidence < 0 {
		return e, fmt.Errorf("confidence: %d", e.Confidence)
	}
	if syndrome == nil {
		syndrome = syndromeOf(parity)
	}
	if stride == rowSamples {
		e.syndrome = syndrome
	}
	return e, nil
}

func crcOf(s string) (uint32, error) {
	n, err := strconv.ParseUint(s, 16, 32)
	return uint32(n), err
}

func crcsOf(s string) (all []uint32, err error) {
	for f := range strings.FieldsSeq(s) {
		crc, err := crcOf(f)
		if err != nil {
			return nil, err
		}
		if all = append(all, crc); len(all) > 99 {
			return nil, errors.New("more than 99 tracks")
		}
	}
	return all, nil
}

// wordsOf reads words in base64.
func wordsOf(s string) ([]uint16, error) {
	if len(s) > 4*MaxParity {
		return nil, fmt.Errorf("%d characters", len(s))
	}
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return nil, err
	}
	if len(b)%2 != 0 || len(b) > 2*MaxParity {
		return nil, fmt.Errorf("%d bytes", len(b))
	}
	return words(b), nil
}

func words(b []byte) []uint16 {
	w := make([]uint16, len(b)/2)
	for i := range w {
		w[i] = binary.LittleEndian.Uint16(b[2*i:])
	}
	return w
}

// syndromeOf returns the syndrome of a column from its check words, which older entries state: the
// column with these behind it has syndrome 0.
func syndromeOf(parity []uint16) []uint16 {
	f := gf()
	var s []uint16
	for i := range parity {
		var v uint16
		for j, p := range parity {
			v ^= f.mul(p, f.pow(-(j+1)*i))
		}
		s = append(s, v)
	}
	return s
}

// A Parity is the parity of a disc: the syndromes of all columns.
type Parity struct {
	rows int // words of each column
	data []byte
}

// ErrParity is what errors about parity wrap that is not of the right size.
var ErrParity = errors.New("no parity of the CUETools database")

// MaxParitySize is the size of the largest parity in bytes.
const MaxParitySize = MaxParity * rowBytes

// minParity is the least of which a disagreement with another disc is noticed.
const minParity = 4

// ParseParity reads the parity of a disc, which it keeps. The error wraps [ErrParity].
func ParseParity(b []byte) (*Parity, error) {
	n := len(b) / rowBytes
	if len(b)%rowBytes != 0 || n < minParity || n > MaxParity {
		return nil, fmt.Errorf("%w: %d bytes, not %d to %d times %d", ErrParity, len(b), minParity, MaxParity, rowBytes)
	}
	return &Parity{rows: n, data: b}, nil
}

// Parity returns the parity of the disc itself, with so many words of each column, in the form in which
// the database has it.
func (m *Meter) Parity(words int) []byte {
	b := make([]byte, words*rowBytes)
	for c, s := range m.syndromes() {
		for i := range words {
			binary.LittleEndian.PutUint16(b[2*(c+i*columns):], s[i])
		}
	}
	return b
}

// Words returns the number of parity words that each column has: half as many wrong words
// can be found, and as many can be restored whose places are known.
func (p *Parity) Words() int { return p.rows }

// column returns the syndrome of a column.
func (p *Parity) column(c int) (s syndrome) {
	for i := range p.rows {
		s[i] = binary.LittleEndian.Uint16(p.data[2*(c+i*columns):])
	}
	return s
}

// Of reports whether the parity can be that of an entry: whether the syndromes of column 0
// agree.
func (p *Parity) Of(e *Entry) bool {
	n := min(p.rows, len(e.syndrome))
	own := p.column(0)
	for i := range n {
		if own[i] != e.syndrome[i] {
			return false
		}
	}
	return n > 0
}
