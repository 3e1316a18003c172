package toc

import (
	"fmt"
	"io"
	"slices"
	"strconv"

	"spindle/addr"
	"spindle/disc"
	"spindle/disc/cdsector"
)

// maxFile is far above what 99 tracks and CD-TEXT in eight languages can need.
const maxFile = 4 << 20

// Parse reads a TOC file. An error about the content is a [*ParseError].
func Parse(r io.Reader) (*File, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(b) > maxFile {
		return nil, &ParseError{Line: 1, Msg: "this is no TOC file: it is larger than 4 MiB"}
	}
	p := parser{lex: lexer{in: string(b), line: 1}, f: &File{Type: CDDA, FirstNumber: 1}}
	p.texts.init()
	if err := p.advance(); err != nil {
		return nil, err
	}
	if err := p.file(); err != nil {
		return nil, err
	}
	p.f.Text = p.texts.blocks()
	return p.f, nil
}

type parser struct {
	lex   lexer
	tok   token // the next one
	f     *File
	texts texts
}

func (p *parser) advance() (err error) {
	p.tok, err = p.lex.next()
	return err
}

func (p *parser) fail(format string, args ...any) error {
	return &ParseError{Line: p.tok.line, Msg: fmt.Sprintf(format, args...)}
}

// at reports whether the next token is a word or a mark.
func (p *parser) at(s string) bool {
	return (p.tok.kind == word || p.tok.kind == mark) && p.tok.text == s
}

// accept takes the next token when it is one of some words or marks.
func (p *parser) accept(words ...string) (string, bool, error) {
	if p.tok.kind != word && p.tok.kind != mark || !slices.Contains(words, p.tok.text) {
		return "", false, nil
	}
	s := p.tok.text
	return s, true, p.advance()
}

func (p *parser) expect(s string) error {
	if !p.at(s) {
		return p.fail("%s where %q is expected", p.tok, s)
	}
	return p.advance()
}

func (p *parser) text(of string) (token, error) {
	if p.tok.kind != text {
		return token{}, p.fail("%s where the text of %s is expected, in quotation marks", p.tok, of)
	}
	t := p.tok
	return t, p.advance()
}

// integer reads a number from 0 to most.
func (p *parser) integer(most int64) (int64, error) {
	if p.tok.kind != number {
		return 0, p.fail("%s where a number is expected", p.tok)
	}
	n, err := strconv.ParseInt(p.tok.text, 10, 64)
	if err != nil || n > most {
		return 0, p.fail("%s is too large a number", p.tok.text)
	}
	return n, p.advance()
}

// file reads everything.
func (p *parser) file() error {
	for {
		switch {
		case p.at("CATALOG"):
			if err := p.catalog(); err != nil {
				return err
			}
			continue
		case p.tok.kind == word && slices.Contains([]string{string(CDDA), string(CDROM), string(CDROMXA), string(CDI)}, p.tok.text):
			p.f.Type = Type(p.tok.text)
			if err := p.advance(); err != nil {
				return err
			}
			continue
		}
		break
	}
	if err := p.firstNumber(); err != nil {
		return err
	}
	if p.at("CD_TEXT") {
		if err := p.cdText(0); err != nil {
			return err
		}
	}
	for p.at("TRACK") {
		if err := p.track(); err != nil {
			return err
		}
	}
	if p.tok.kind != end {
		return p.fail("%s where TRACK is expected", p.tok)
	}
	if len(p.f.Tracks) == 0 {
		return p.fail("there is no TRACK")
	}
	return nil
}

// firstNumber reads the number of the first track, where it is stated.
func (p *parser) firstNumber() error {
	_, ok, err := p.accept("FIRST_TRACK_NO")
	if err != nil || !ok {
		return err
	}
	n, err := p.integer(99)
	if err != nil {
		return err
	}
	if n == 0 {
		return p.fail("track numbers are 1 to 99")
	}
	p.f.FirstNumber = int(n)
	return nil
}

func (p *parser) catalog() error {
	line := p.tok.line
	if err := p.advance(); err != nil {
		return err
	}
	t, err := p.text("CATALOG")
	if err != nil {
		return err
	}
	if !cdsector.ValidMCN(t.text) {
		return &ParseError{Line: line, Msg: fmt.Sprintf("CATALOG %q is not 13 digits", t.text)}
	}
	if t.text != "0000000000000" { // what drives state that find none
		p.f.Catalog = t.text
	}
	return nil
}

// track reads a TRACK statement and what belongs to it.
func (p *parser) track() error {
	t := Track{Line: p.tok.line, StartPiece: -1, EndPiece: -1}
	if p.f.FirstNumber+len(p.f.Tracks) > 99 {
		return p.fail("more than 99 tracks")
	}
	if err := p.advance(); err != nil {
		return err
	}
	t.Mode = Mode(p.tok.text)
	mode, _, ok := t.Mode.stored()
	if p.tok.kind != word || !ok {
		return p.fail("unknown track mode %s", p.tok)
	}
	if mode.IsData() {
		t.Control = disc.DataTrack
	}
	if err := p.advance(); err != nil {
		return err
	}
	sub, _, err := p.accept(string(SubRW), string(SubRaw))
	if err != nil {
		return err
	}
	t.Sub = Sub(sub)
	if err := p.flags(&t); err != nil {
		return err
	}
	if p.at("CD_TEXT") {
		if err := p.cdText(p.f.FirstNumber + len(p.f.Tracks)); err != nil {
			return err
		}
	}
	started, err := p.pregap(&t)
	if err != nil {
		return err
	}
	if err := p.pieces(&t, started); err != nil {
		return err
	}
	if err := p.indexes(&t); err != nil {
		return err
	}
	p.f.Tracks = append(p.f.Tracks, t)
	return nil
}

// pregap reads the PREGAP of a track, which states where it starts.
func (p *parser) pregap(t *Track) (started bool, err error) {
	_, ok, err := p.accept("PREGAP")
	if err != nil || !ok {
		return false, err
	}
	n, err := p.msf()
	if err != nil {
		return false, err
	}
	if n == 0 {
		return false, p.fail("a PREGAP of no length")
	}
	t.Pieces = append(t.Pieces, Piece{Mode: t.Mode, Sub: t.Sub, Length: Length{Sectors: n}, Line: t.Line})
	t.Start = n
	return true, nil
}

// indexes reads where the indexes from 2 on begin, counted from the start of the track.
func (p *parser) indexes(t *Track) error {
	for p.at("INDEX") {
		if err := p.advance(); err != nil {
			return err
		}
		n, err := p.msf()
		if err != nil {
			return err
		}
		if n == 0 || len(t.Indexes) > 0 && n <= t.Indexes[len(t.Indexes)-1] {
			return p.fail("INDEX %s is not after the one before", addr.Frames(n))
		}
		if len(t.Indexes) >= 98 {
			return p.fail("more than 99 indexes")
		}
		t.Indexes = append(t.Indexes, n)
	}
	return nil
}

// flags reads what the Q sub-channel says of a track.
func (p *parser) flags(t *Track) error {
	for {
		switch {
		case p.at("ISRC"):
			line := p.tok.line
			if err := p.advance(); err != nil {
				return err
			}
			s, err := p.text("ISRC")
			if err != nil {
				return err
			}
			switch {
			case s.text == "" || s.text == "000000000000":
			case !cdsector.ValidISRC(s.text):
				return &ParseError{Line: line, Msg: fmt.Sprintf("ISRC %q is not five letters or digits and seven digits", s.text)}
			default:
				t.ISRC = s.text
			}
			continue
		case p.at("NO"):
			if err := p.advance(); err != nil {
				return err
			}
			what, ok, err := p.accept("COPY", "PRE_EMPHASIS")
			if err != nil {
				return err
			}
			if !ok {
				return p.fail("%s where COPY or PRE_EMPHASIS is expected", p.tok)
			}
			t.Control &^= flagOf(what)
			continue
		}
		what, ok, err := p.accept("COPY", "PRE_EMPHASIS", "FOUR_CHANNEL_AUDIO", "TWO_CHANNEL_AUDIO")
		if !ok || err != nil {
			return err
		}
		if what == "TWO_CHANNEL_AUDIO" {
			t.Control &^= disc.FourChannel
		}
		t.Control |= flagOf(what)
	}
}

func flagOf(s string) disc.Control {
	switch s {
	case "COPY":
		return disc.CopyPermitted
	case "PRE_EMPHASIS":
		return disc.PreEmphasis
	case "FOUR_CHANNEL_AUDIO":
		return disc.FourChannel
	}
	return 0
}

// maxPieces bounds the pieces of a track.
const maxPieces = 10000

// pieces reads the parts of a track, and its START and END.
func (p *parser) pieces(t *Track, started bool) error {
	ended := false
	for {
		name, ok, err := p.accept("FILE", "AUDIOFILE", "DATAFILE", "FIFO", "SILENCE", "ZERO", "START", "END")
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		switch name {
		case "START":
			if err := p.mark(name, &started, &t.Start, &t.StartPiece, len(t.Pieces)); err != nil {
				return err
			}
			continue
		case "END":
			if err := p.mark(name, &ended, &t.End, &t.EndPiece, len(t.Pieces)); err != nil {
				return err
			}
			continue
		case "FIFO":
			return p.fail("a FIFO cannot be read: it has no beginning")
		}
		piece, err := p.piece(t, name)
		if err != nil {
			return err
		}
		if t.Pieces = append(t.Pieces, piece); len(t.Pieces) > maxPieces {
			return p.fail("more than %d parts in the track", maxPieces)
		}
	}
	if len(t.Pieces) == 0 {
		return p.fail("%s where FILE, DATAFILE, SILENCE or ZERO is expected", p.tok)
	}
	return nil
}

// mark reads a START or an END, which there may be once: a time, or the place before the
// part n.
func (p *parser) mark(name string, seen *bool, at, part *int, n int) (err error) {
	time := -1
	if p.tok.kind == number {
		if time, err = p.msf(); err != nil {
			return err
		}
	}
	if *seen {
		return p.fail("a second %s in the track", name)
	}
	*seen = true
	if time < 0 {
		*part = n
	} else {
		*at = time
	}
	return nil
}

// piece reads one part of a track.
func (p *parser) piece(t *Track, name string) (x Piece, err error) {
	x = Piece{Mode: t.Mode, Sub: t.Sub, Line: p.tok.line}
	switch name {
	case "SILENCE":
		x.Sound = true
		return x, p.length(&x, name)
	case "ZERO":
		if err := p.zeros(&x); err != nil {
			return x, err
		}
		return x, p.length(&x, name)
	}
	x.Sound = name != "DATAFILE"
	file, err := p.text(name)
	if err != nil {
		return x, err
	}
	if x.Name = file.text; x.Name == "" {
		return x, p.fail("%s has no name", name)
	}
	if x.Sound {
		if _, x.Swap, err = p.accept("SWAP"); err != nil {
			return x, err
		}
	}
	if p.at("#") {
		if err := p.advance(); err != nil {
			return x, err
		}
		if x.Offset, err = p.integer(1 << 50); err != nil {
			return x, err
		}
	}
	if x.Sound {
		if x.Start, err = p.duration(); err != nil {
			return x, err
		}
	}
	if p.tok.kind == number {
		x.Length, err = p.duration()
	}
	return x, err
}

// zeros reads the mode and the sub-channel of a ZERO, which may be left out.
func (p *parser) zeros(x *Piece) error {
	if m := Mode(p.tok.text); p.tok.kind == word {
		if _, _, ok := m.stored(); ok {
			x.Mode = m
			if err := p.advance(); err != nil {
				return err
			}
		}
	}
	sub, ok, err := p.accept(string(SubRW), string(SubRaw))
	if ok {
		x.Sub = Sub(sub)
	}
	return err
}

// length reads the length of a piece that has one.
func (p *parser) length(x *Piece, name string) (err error) {
	if x.Length, err = p.duration(); err != nil {
		return err
	}
	if x.Length == (Length{}) {
		return p.fail("a %s of no length", name)
	}
	return nil
}

// maxMinutes bounds times: longer ones are on no disc.
const maxMinutes = 10000

// msf reads MM:SS:FF and returns it in sectors.
func (p *parser) msf() (int, error) {
	var v [3]int64
	for i := range v {
		if i > 0 {
			if err := p.expect(":"); err != nil {
				return 0, err
			}
		}
		line := p.tok.line
		n, err := p.integer(maxMinutes)
		if err != nil {
			return 0, err
		}
		switch {
		case i == 1 && n > 59:
			return 0, &ParseError{Line: line, Msg: fmt.Sprintf("%d seconds: they must be 0 to 59", n)}
		case i == 2 && n > 74:
			return 0, &ParseError{Line: line, Msg: fmt.Sprintf("%d frames: they must be 0 to 74", n)}
		}
		v[i] = n
	}
	return disc.MSF{M: int(v[0]), S: int(v[1]), F: int(v[2])}.Frames(), nil
}

// duration reads a time, or a number of samples or bytes.
func (p *parser) duration() (Length, error) {
	if p.tok.kind != number {
		return Length{}, p.fail("%s where a time is expected (MM:SS:FF, or a number)", p.tok)
	}
	save := *p
	n, err := p.integer(1 << 50)
	if err != nil {
		return Length{}, err
	}
	if !p.at(":") {
		return Length{Units: n}, nil
	}
	p.lex, p.tok = save.lex, save.tok
	sectors, err := p.msf()
	return Length{Sectors: sectors}, err
}
