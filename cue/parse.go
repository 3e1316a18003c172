package cue

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"spindle/addr"
	"spindle/disc"
	"spindle/disc/cdsector"
)

// maxSheet is far above what 99 tracks can need.
const maxSheet = 1 << 20

// trackLine is what every CUE sheet has and no binary format starts with.
var trackLine = regexp.MustCompile(`(?im)^\s*TRACK\s+\d+\s+\S+`)

// Detect reports whether a file of the given size that begins with head is a CUE
// sheet.
func Detect(head []byte, size int64) bool {
	head = decode(head)
	return size <= maxSheet && bytes.IndexByte(head, 0) < 0 && trackLine.Match(head)
}

// Parse reads a CUE sheet: in UTF-8 or UTF-16, or in Shift-JIS or Windows-1252 by
// what its bytes look like. An error about the content is a [*ParseError].
func Parse(r io.Reader) (*Sheet, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxSheet+1))
	if err != nil {
		return nil, err
	}
	if len(b) > maxSheet {
		return nil, &ParseError{Line: 1, Msg: "this is no CUE sheet: it is larger than 1 MiB"}
	}
	p := parser{sheet: new(Sheet)}
	scan := bufio.NewScanner(bytes.NewReader(decode(b)))
	scan.Buffer(nil, maxSheet+1)
	scan.Split(splitLines)
	for scan.Scan() {
		p.line++
		if err := p.parseLine(scan.Text()); err != nil {
			return nil, &ParseError{Line: p.line, Msg: err.Error()}
		}
	}
	if err := scan.Err(); err != nil {
		return nil, err
	}
	if err := p.finishTrack(); err != nil {
		return nil, &ParseError{Line: p.line, Msg: err.Error()}
	}
	if len(p.sheet.Tracks) == 0 {
		return nil, &ParseError{Line: p.line, Msg: "the sheet has no TRACK"}
	}
	return p.sheet, nil
}

// splitLines is bufio.ScanLines that knows the lone carriage return too.
func splitLines(data []byte, atEOF bool) (int, []byte, error) {
	i := bytes.IndexAny(data, "\r\n")
	switch {
	case i < 0 && !atEOF:
		return 0, nil, nil
	case i < 0 && len(data) == 0:
		return 0, nil, nil
	case i < 0:
		return len(data), data, nil
	case data[i] == '\r' && i+1 == len(data) && !atEOF:
		return 0, nil, nil
	case data[i] == '\r' && i+1 < len(data) && data[i+1] == '\n':
		return i + 2, data[:i], nil
	}
	return i + 1, data[:i], nil
}

type parser struct {
	sheet   *Sheet
	line    int
	session int
	track   *Track // the one being read
}

func (p *parser) parseLine(line string) error {
	trimmed := strings.TrimSpace(line)
	if trimmed == "" || trimmed[0] == ';' {
		return nil
	}
	word, rest, _ := strings.Cut(trimmed, " ")
	if strings.EqualFold(word, "REM") {
		return p.rem(strings.TrimSpace(rest))
	}
	words, err := fields(trimmed)
	if err != nil {
		return err
	}
	cmd, args := strings.ToUpper(words[0]), words[1:]
	switch cmd {
	case "CATALOG":
		return p.catalog(args)
	case "CDTEXTFILE":
		return p.textFile(args)
	case "FILE":
		return p.file(args)
	case "TRACK":
		return p.newTrack(args)
	case "INDEX":
		return p.index(args)
	case "PREGAP", "POSTGAP":
		return p.silence(cmd, args)
	case "FLAGS":
		return p.flags(args)
	case "ISRC":
		return p.isrc(args)
	}
	if f := p.textField(cmd); f != nil {
		*f = strings.Join(args, " ") // unquoted text is common
		return nil
	}
	return fmt.Errorf("unknown command %q", words[0])
}

func argCount(cmd string, args []string, n int) error {
	if len(args) != n {
		return fmt.Errorf("%s has %d arguments, not %d", cmd, len(args), n)
	}
	return nil
}

func (p *parser) catalog(args []string) error {
	if err := argCount("CATALOG", args, 1); err != nil {
		return err
	}
	if !cdsector.ValidMCN(args[0]) {
		return fmt.Errorf("CATALOG %q is not 13 digits", args[0])
	}
	if p.sheet.Catalog != "" {
		return errors.New("a second CATALOG")
	}
	p.sheet.Catalog = args[0]
	return nil
}

func (p *parser) textFile(args []string) error {
	if err := argCount("CDTEXTFILE", args, 1); err != nil {
		return err
	}
	p.sheet.CDTextFile = args[0]
	return nil
}

// textField returns where a CD-TEXT command stores its text, or nil for another
// command.
func (p *parser) textField(cmd string) *string {
	t := &p.sheet.Text
	if p.track != nil {
		t = &p.track.Text
	}
	switch cmd {
	case "TITLE":
		return &t.Title
	case "PERFORMER":
		return &t.Performer
	case "SONGWRITER":
		return &t.Songwriter
	case "COMPOSER":
		return &t.Composer
	case "ARRANGER":
		return &t.Arranger
	case "MESSAGE":
		return &t.Message
	case "DISC_ID":
		return &t.DiscID
	case "GENRE":
		return &t.Genre
	}
	return nil
}

func (p *parser) file(args []string) error {
	switch {
	case len(args) == 0:
		return errors.New("FILE has no name")
	case len(args) == 1:
		return errors.New("FILE has no type (BINARY, MOTOROLA, WAVE...)")
	}
	// A name with blanks that is not quoted.
	name := strings.Join(args[:len(args)-1], " ")
	kind := FileType(strings.ToUpper(args[len(args)-1]))
	switch kind {
	case Binary, Motorola, Wave, AIFF, FLAC, MP3:
	default:
		return fmt.Errorf("unknown file type %q", args[len(args)-1])
	}
	if name == "" {
		return errors.New("FILE has no name")
	}
	if len(p.sheet.Files) >= 999 {
		return errors.New("too many files")
	}
	p.sheet.Files = append(p.sheet.Files, File{Name: name, Type: kind, Line: p.line})
	return nil
}

func (p *parser) newTrack(args []string) error {
	if err := p.finishTrack(); err != nil {
		return err
	}
	if err := argCount("TRACK", args, 2); err != nil {
		return err
	}
	n, err := strconv.Atoi(args[0])
	if err != nil || n < 1 || n > 99 {
		return fmt.Errorf("track number %q is not 1 to 99", args[0])
	}
	if len(p.sheet.Files) == 0 {
		return errors.New("TRACK before the first FILE")
	}
	if k := len(p.sheet.Tracks); k > 0 && n != p.sheet.Tracks[k-1].Number+1 {
		return fmt.Errorf("track %d follows track %d", n, p.sheet.Tracks[k-1].Number)
	}
	kind := TrackType(strings.ToUpper(args[1]))
	mode, ok := kind.Mode()
	if !ok {
		return fmt.Errorf("unknown track type %q", args[1])
	}
	p.track = &Track{Number: n, Type: kind, Session: max(1, p.session), Line: p.line}
	if mode.IsData() {
		p.track.Control = disc.DataTrack
	}
	return nil
}

// finishTrack checks the track that was read last and appends it.
func (p *parser) finishTrack() error {
	t := p.track
	if t == nil {
		return nil
	}
	if t.index(1) == nil {
		return fmt.Errorf("track %d has no INDEX 01", t.Number)
	}
	p.sheet.Tracks = append(p.sheet.Tracks, *t)
	p.track = nil
	return nil
}

func (p *parser) index(args []string) error {
	if err := argCount("INDEX", args, 2); err != nil {
		return err
	}
	t := p.track
	if t == nil {
		return errors.New("INDEX before the first TRACK")
	}
	n, err := strconv.Atoi(args[0])
	if err != nil || n < 0 || n > 99 {
		return fmt.Errorf("index number %q is not 0 to 99", args[0])
	}
	at, err := addr.ParseMSF(args[1])
	if err != nil {
		return err
	}
	x := Index{Number: n, File: len(p.sheet.Files) - 1, Frame: at.Frames()}
	if k := len(t.Indexes); k > 0 {
		before := t.Indexes[k-1]
		if n != before.Number+1 {
			return fmt.Errorf("INDEX %02d follows INDEX %02d", n, before.Number)
		}
		if x.File == before.File && x.Frame <= before.Frame && (n != 1 || x.Frame < before.Frame) {
			return fmt.Errorf("INDEX %02d at %s is not after INDEX %02d at %s",
				n, at, before.Number, addr.Frames(before.Frame))
		}
	} else if n > 1 {
		return fmt.Errorf("the first index of track %d is INDEX %02d", t.Number, n)
	}
	t.Indexes = append(t.Indexes, x)
	return nil
}

func (p *parser) silence(cmd string, args []string) error {
	if err := argCount(cmd, args, 1); err != nil {
		return err
	}
	if p.track == nil {
		return fmt.Errorf("%s before the first TRACK", cmd)
	}
	at, err := addr.ParseMSF(args[0])
	if err != nil {
		return err
	}
	if cmd == "PREGAP" {
		p.track.Pregap = at.Frames()
	} else {
		p.track.Postgap = at.Frames()
	}
	return nil
}

func (p *parser) flags(args []string) error {
	if p.track == nil {
		return errors.New("FLAGS before the first TRACK")
	}
	for _, a := range args {
		switch strings.ToUpper(a) {
		case "DCP":
			p.track.Control |= disc.CopyPermitted
		case "PRE":
			p.track.Control |= disc.PreEmphasis
		case "4CH":
			p.track.Control |= disc.FourChannel
		case "DATA":
			p.track.Control |= disc.DataTrack
		case "SCMS":
		default:
			return fmt.Errorf("unknown flag %q", a)
		}
	}
	return nil
}

func (p *parser) isrc(args []string) error {
	if err := argCount("ISRC", args, 1); err != nil {
		return err
	}
	if p.track == nil {
		return errors.New("ISRC before the first TRACK")
	}
	code := strings.ToUpper(strings.ReplaceAll(args[0], "-", ""))
	if !cdsector.ValidISRC(code) {
		return fmt.Errorf("ISRC %q is not five letters or digits and seven digits", args[0])
	}
	p.track.ISRC = code
	return nil
}

// rem keeps a comment, or obeys it where it means something: those about sessions, and about
// files that are absent.
func (p *parser) rem(rest string) error {
	if words := strings.Fields(rest); len(words) == 2 {
		if obeyed, err := p.remark(strings.ToUpper(words[0]), words[1]); obeyed {
			return err
		}
	}
	comments := &p.sheet.Comments
	if p.track != nil {
		comments = &p.track.Comments
	}
	*comments = append(*comments, rest)
	return nil
}

// remark obeys a comment of a key and a value. It reports whether it means something here.
func (p *parser) remark(key, value string) (obeyed bool, err error) {
	switch key {
	case "SESSION":
		return true, p.newSession(value)
	case "ABSENT":
		return p.absent(value), nil
	case "LEAD-OUT", "LEAD-IN", "PREGAP":
		if p.session == 0 {
			return false, nil
		}
		return true, p.sessionEdge(key, value)
	}
	return false, nil
}

func (p *parser) newSession(number string) error {
	n, err := strconv.Atoi(number)
	if err != nil || n != p.session+1 {
		return fmt.Errorf("session %q follows session %d", number, p.session)
	}
	if err := p.finishTrack(); err != nil {
		return err
	}
	if n == 1 && len(p.sheet.Tracks) > 0 {
		return errors.New("REM SESSION 01 after a TRACK")
	}
	p.session = n
	p.sheet.Sessions = append(p.sheet.Sessions, Session{Number: n, LeadIn: -1, Pregap: -1, LeadOut: -1})
	return nil
}

// absent notes how long the file of the track is, which is absent. It reports false for a
// comment that has no time, and names tracks.
func (p *parser) absent(length string) bool {
	n, err := addr.ParseMSF(length)
	if err != nil || p.track == nil {
		return false
	}
	p.sheet.Files[len(p.sheet.Files)-1].Absent = n.Frames()
	return true
}

// sessionEdge notes how long a part of the session is that no track holds.
func (p *parser) sessionEdge(part, length string) error {
	n, err := addr.ParseMSF(length)
	if err != nil {
		return err
	}
	s := &p.sheet.Sessions[p.session-1]
	switch part {
	case "LEAD-OUT":
		s.LeadOut = n.Frames()
	case "LEAD-IN":
		s.LeadIn = n.Frames()
	case "PREGAP":
		s.Pregap = n.Frames()
	}
	return nil
}
