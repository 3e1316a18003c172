package riplog

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"spindle/addr"
	"spindle/disc"
)

// The sections and lines that a checker needs.
const (
	songPrefix  = "song "
	dataPrefix  = "data "
	titleLine   = "title"
	fileLine    = "file"
	sectorsLine = "sectors"
	lengthLine  = "length"
	crcLine     = "CRC-32"
	flawLine    = "not right"
	proofLine   = "proof"
)

// A Song is what a log states of a song's file, or of that of a track of data.
type Song struct {
	Number int
	Data   bool
	Title  string
	File   string   // in the folder of the log
	First  disc.LBA // its sectors [First, End) of the disc
	End    disc.LBA
	CRC32  uint32 // of its samples, or of a file of data
	More   []Line // what only people read
	// Flaws are its sectors that are not right.
	Flaws disc.Flaws
	Proof Proof
}

// Section is the part of a log that states a song.
func (x *Song) Section() Section {
	prefix, from := songPrefix, func(f disc.Flaw) string {
		return ", from " + addr.Frames(int(f.First-x.First)).String() + " of the song"
	}
	if x.Data {
		prefix, from = dataPrefix, func(disc.Flaw) string { return "" }
	}
	s := Section{Name: prefix + strconv.Itoa(x.Number)}
	s.Add(titleLine, x.Title)
	s.Add(fileLine, x.File)
	s.Add(sectorsLine, fmt.Sprintf("%d to %d", x.First, x.End-1))
	if !x.Data {
		s.Add(lengthLine, addr.Frames(int(x.End-x.First)).String())
	}
	s.Add(crcLine, fmt.Sprintf("%08X", x.CRC32))
	s.Lines = append(s.Lines, x.More...)
	for _, f := range x.Flaws.Clip(x.First, x.End) {
		s.Add(flawLine, fmt.Sprintf("sectors %d to %d%s: %s", f.First, f.End()-1, from(f), f.Kind))
	}
	s.Add(proofLine, x.Proof.Words)
	s.Add(codeLine, x.Proof.code())
	return s
}

// Songs returns the songs of a log. Errors wrap [ErrSyntax].
func (l *Log) Songs() ([]Song, error) {
	var all []Song
	for i := range l.Sections {
		s := &l.Sections[i]
		number, song := strings.CutPrefix(s.Name, songPrefix)
		number, data := strings.CutPrefix(number, dataPrefix)
		if !song && !data {
			continue
		}
		x, err := s.song(number)
		x.Data = data
		if err != nil {
			return nil, fmt.Errorf("%w: section %q", ErrSyntax, s.Name)
		}
		all = append(all, x)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%w: it names no songs", ErrSyntax)
	}
	return all, nil
}

// song reads the section of a song.
func (s *Section) song(number string) (Song, error) {
	n, err := strconv.Atoi(number)
	crc, cerr := strconv.ParseUint(s.Get(crcLine), 16, 32)
	x := Song{Number: n, Title: s.Get(titleLine), File: s.Get(fileLine), CRC32: uint32(crc), Proof: s.proof()}
	var serr error
	x.First, x.End, serr = sectors(s.Get(sectorsLine))
	if err := errors.Join(err, cerr, serr); err != nil {
		return x, err
	}
	if x.File != base(x.File) || slices.Contains([]string{"", ".", ".."}, x.File) {
		return x, ErrSyntax
	}
	var flaws []disc.Flaw
	for _, l := range s.Lines {
		if l.Name != flawLine {
			continue
		}
		f, err := flaw(l.Value)
		if err != nil || f.First < x.First || f.End() > x.End {
			return x, ErrSyntax
		}
		flaws = append(flaws, f)
	}
	x.Flaws = disc.FlawsOf(flaws...)
	return x, nil
}

// sectors reads the start of a text: "0 to 5".
func sectors(text string) (first, end disc.LBA, err error) {
	var last disc.LBA
	if _, err := fmt.Sscanf(text, "%d to %d", &first, &last); err != nil {
		return 0, 0, err
	}
	if first < 0 || last < first || last >= disc.LargestCD {
		return 0, 0, ErrSyntax
	}
	return first, last + 1, nil
}

// flaw reads what a line says is not right.
func flaw(text string) (disc.Flaw, error) {
	where, ok := strings.CutPrefix(text, "sectors ")
	at := strings.LastIndex(text, ": ")
	if !ok || at < 0 {
		return disc.Flaw{}, ErrSyntax
	}
	first, end, err := sectors(where)
	if err != nil {
		return disc.Flaw{}, err
	}
	for _, kind := range []disc.FlawKind{disc.Unproven, disc.ReadWithErrors, disc.Unread} {
		if text[at+2:] == kind.String() {
			return disc.Flaw{First: first, Count: int(end - first), Kind: kind}, nil
		}
	}
	return disc.Flaw{}, ErrSyntax
}

// base is the last part of a path of any system.
func base(path string) string { return path[strings.LastIndexAny(path, `/\`)+1:] }

// Holds returns the sectors [first, end) that a file of the log has: those of all its songs.
func Holds(songs []Song, file string) (first, end disc.LBA) {
	for _, s := range songs {
		switch {
		case s.File != file:
		case end == 0:
			first, end = s.First, s.End
		default:
			first, end = min(first, s.First), max(end, s.End)
		}
	}
	return first, end
}
