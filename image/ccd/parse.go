// Package ccd reads and writes the images of CloneCD: a .ccd that describes the
// disc by its table of contents, an .img with the sectors of all tracks, 2352 bytes
// each, and a .sub with their sub-channels, 96 bytes each, de-interleaved. The
// format was never published; the meaning of its fields is that which libmirage
// (cdemu) and Aaru have established.
package ccd

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"strings"

	"spindle/disc"
	"spindle/disc/cdsector"
)

// maxDescriptor is far above what 99 tracks and CD-TEXT can need.
const maxDescriptor = 1 << 20

// A Descriptor is the content of a .ccd file.
type Descriptor struct {
	Sessions  int // as stated
	Stated    int // entries of the table of contents; 0: not stated
	Catalog   string
	Scrambled bool // data sectors are scrambled in the .img
	Entries   []Entry
	Tracks    map[int]*Track // by number
	CDText    []disc.Pack
}

// An Entry is an entry of the table of contents, as READ TOC format 2 (full TOC)
// gives it.
type Entry struct {
	Session int
	Point   int // 1 to 99: a track; A0h: session format; A1h: last track; A2h: lead-out
	ADR     int
	Control disc.Control
	P       disc.MSF // what the entry says
	PLBA    disc.LBA // the same as an address
	Line    int

	hasPLBA bool
	hasP    bool // the last part of P
}

// address returns the place that the entry states.
func (e *Entry) address() disc.LBA {
	if e.hasPLBA {
		return e.PLBA
	}
	return e.P.LBA()
}

// A Track is what is said of a track beyond the table of contents.
type Track struct {
	Mode    int // 0: audio
	ISRC    string
	Indexes map[int]int // sectors, from a place that all indexes of a session share
	Line    int
}

// A ParseError says what is wrong with a .ccd file and where.
type ParseError struct {
	Line int // from 1
	Msg  string
}

func (e *ParseError) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Msg) }

type parser struct {
	d     Descriptor
	line  int
	block string // "disc", "session", "entry", "track", "cdtext"
	entry *Entry
	track *Track
}

// Parse reads a .ccd file. An error about the content is a [*ParseError].
func Parse(r io.Reader) (*Descriptor, error) {
	p := parser{d: Descriptor{Tracks: make(map[int]*Track)}}
	scan := bufio.NewScanner(io.LimitReader(r, maxDescriptor))
	for scan.Scan() {
		p.line++
		line := strings.TrimSpace(strings.TrimPrefix(scan.Text(), "\uFEFF"))
		if line == "" || line[0] == ';' {
			continue
		}
		var err error
		if line[0] == '[' {
			err = p.header(line)
		} else {
			err = p.value(line)
		}
		if err != nil {
			return nil, &ParseError{Line: p.line, Msg: err.Error()}
		}
	}
	if err := scan.Err(); err != nil {
		return nil, &ParseError{Line: p.line + 1, Msg: err.Error()}
	}
	if len(p.d.Entries) == 0 {
		return nil, &ParseError{Line: max(1, p.line), Msg: "there is no table of contents"}
	}
	return &p.d, nil
}

// most is how many entries a full TOC can have: 99 tracks, and some ten of each
// session.
const most = 2048

// header begins a block.
func (p *parser) header(line string) error {
	name, ok := strings.CutSuffix(line[1:], "]")
	if !ok {
		return fmt.Errorf("%q has no closing bracket", line)
	}
	word, number, _ := strings.Cut(strings.TrimSpace(name), " ")
	p.block, p.entry, p.track = strings.ToLower(word), nil, nil
	switch p.block {
	case "entry":
		if len(p.d.Entries) >= most {
			return fmt.Errorf("more than %d entries", most)
		}
		p.d.Entries = append(p.d.Entries, Entry{Line: p.line, ADR: 1})
		p.entry = &p.d.Entries[len(p.d.Entries)-1]
	case "track":
		n, err := strconv.Atoi(strings.TrimSpace(number))
		if err != nil || n < 1 || n > 99 {
			return fmt.Errorf("track number %q is not 1 to 99", number)
		}
		p.track = &Track{Indexes: make(map[int]int), Line: p.line}
		p.d.Tracks[n] = p.track
	}
	return nil
}

// value reads a line KEY=VALUE.
func (p *parser) value(line string) error {
	key, text, ok := strings.Cut(line, "=")
	if !ok {
		return fmt.Errorf("%q is neither a [block] nor KEY=VALUE", line)
	}
	key, text = strings.ToLower(strings.Join(strings.Fields(key), " ")), strings.TrimSpace(text)
	switch p.block {
	case "disc":
		return p.discValue(key, text)
	case "entry":
		return p.entryValue(key, text)
	case "track":
		return p.trackValue(key, text)
	case "cdtext":
		return p.textValue(key, text)
	}
	return nil // [CloneCD], [Session], and what later versions may add
}

// number reads a number of a key, decimal or with 0x.
func number(key, text string) (int, error) {
	n, err := strconv.ParseInt(text, 0, 32)
	if err != nil {
		return 0, fmt.Errorf("%s=%q is not a number", key, text)
	}
	return int(n), nil
}

func (p *parser) discValue(key, text string) error {
	if key == "catalog" {
		if !cdsector.ValidMCN(text) {
			return fmt.Errorf("CATALOG=%q is not 13 digits", text)
		}
		p.d.Catalog = text
		return nil
	}
	n, err := number(key, text)
	switch key {
	case "tocentries":
		p.d.Stated = n
	case "sessions":
		p.d.Sessions = n
	case "datatracksscrambled":
		p.d.Scrambled = n != 0
	}
	return err
}

func (p *parser) entryValue(key, text string) error {
	n, err := number(key, text)
	if err != nil {
		return err
	}
	e := p.entry
	switch key {
	case "session":
		e.Session = n
	case "point":
		e.Point = n
	case "adr":
		e.ADR = n
	case "control":
		e.Control = disc.Control(n & 15)
	case "pmin":
		e.P.M = n
	case "psec":
		e.P.S = n
	case "pframe":
		e.P.F, e.hasP = n, true
	case "plba":
		e.PLBA, e.hasPLBA = disc.LBA(n), true
	}
	return nil
}

func (p *parser) trackValue(key, text string) error {
	if key == "isrc" {
		code := strings.ToUpper(strings.ReplaceAll(text, "-", ""))
		if code != "" && !cdsector.ValidISRC(code) {
			return fmt.Errorf("ISRC=%q is not five letters or digits and seven digits", text)
		}
		p.track.ISRC = code
		return nil
	}
	if key != "mode" && !strings.HasPrefix(key, "index ") {
		return nil // FLAGS: the entries have them
	}
	n, err := number(key, text)
	if err != nil {
		return err
	}
	if key == "mode" {
		p.track.Mode = n
		return nil
	}
	x, err := strconv.Atoi(strings.TrimPrefix(key, "index "))
	if err != nil || x < 0 || x > 99 {
		return fmt.Errorf("%s: an index is 0 to 99", key)
	}
	p.track.Indexes[x] = n
	return nil
}

// textValue reads a CD-TEXT pack, with or without its CRC.
func (p *parser) textValue(key, text string) error {
	if !strings.HasPrefix(key, "entry ") {
		return nil
	}
	var b []byte
	for _, word := range strings.Fields(text) {
		if len(word) == 1 {
			word = "0" + word
		}
		v, err := hex.DecodeString(word)
		if err != nil {
			return fmt.Errorf("%s: %q is not a hexadecimal byte", key, word)
		}
		b = append(b, v...)
	}
	const bare = disc.PackSize - 2
	if len(b) != bare && len(b) != disc.PackSize {
		return fmt.Errorf("%s: a pack of %d bytes, not %d", key, len(b), bare)
	}
	if len(p.d.CDText) >= most {
		return fmt.Errorf("more than %d packs of CD-TEXT", most)
	}
	p.d.CDText = append(p.d.CDText, disc.SealPack([bare]byte(b)))
	return nil
}
