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
	var r responseReader
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) && r.begun && r.depth == 0 {
			return r.entries, nil
		}
		if err == nil {
			err = r.take(token)
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrResponse, err)
		}
	}
}

// A responseReader is what of the XML of a look-up was read.
type responseReader struct {
	entries []Entry
	begun   bool // its root element was
	depth   int  // of the element that is open
}

// take reads the next token.
func (r *responseReader) take(token xml.Token) error {
	switch x := token.(type) {
	case xml.Directive: // a DOCTYPE can define entities, and a page has one
		return errors.New("it has a DOCTYPE")
	case xml.StartElement:
		return r.element(x)
	case xml.EndElement:
		r.depth--
	}
	return nil
}

// element reads the start of an element: the entries are those in the root.
func (r *responseReader) element(x xml.StartElement) error {
	if r.depth == 0 && (r.begun || x.Name.Local != "ctdb") {
		return fmt.Errorf("element %.20q", x.Name.Local)
	}
	r.begun = true
	if r.depth++; r.depth > maxDepth {
		return fmt.Errorf("elements are nested %d deep", r.depth)
	}
	if r.depth != 2 || x.Name.Local != "entry" {
		return nil
	}
	e, err := newEntry(x.Attr)
	if err != nil {
		return fmt.Errorf("entry %d: %w", len(r.entries)+1, err)
	}
	if r.entries = append(r.entries, e); len(r.entries) > maxEntries {
		return fmt.Errorf("more than %d entries", maxEntries)
	}
	return nil
}

// newEntry reads the attributes of an entry.
func newEntry(attributes []xml.Attr) (Entry, error) {
	x := rawEntry{stride: rowSamples}
	for _, a := range attributes {
		if err := x.set(a.Name.Local, a.Value); err != nil {
			return x.Entry, fmt.Errorf("%s: %w", a.Name.Local, err)
		}
	}
	if x.Confidence < 0 {
		return x.Entry, fmt.Errorf("confidence: %d", x.Confidence)
	}
	if x.syndrome == nil {
		x.syndrome = syndromeOf(x.parity)
	}
	if x.stride != rowSamples {
		x.syndrome = nil // of other columns
	}
	return x.Entry, nil
}

// A rawEntry is an entry with the attributes that say what its syndrome is.
type rawEntry struct {
	Entry
	stride int      // samples
	parity []uint16 // of older entries, in the place of a syndrome
}

// set reads one attribute. Those that are not known are passed over.
func (e *rawEntry) set(name, value string) (err error) {
	switch name {
	case "id":
		e.ID = value
	case "hasparity":
		e.ParityURL = value
	case "confidence":
		e.Confidence, err = strconv.Atoi(value)
	case "stride":
		e.stride, err = strconv.Atoi(value)
	case "crc32":
		e.CRC, err = crcOf(value)
	case "trackcrcs":
		e.TrackCRCs, err = crcsOf(value)
	case "toc":
		e.TOC, err = discid.ParseTOC(value)
		if errors.Is(err, discid.ErrTOC) { // that of no disc: the entry is of no use, and does no harm
			e.TOC, err = discid.TOC{}, nil
		}
	case "syndrome":
		e.syndrome, err = wordsOf(value)
	case "parity":
		e.parity, err = wordsOf(value)
	}
	return err
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
