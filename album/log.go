package album

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"spindle/addr"
	"spindle/disc"
)

// logTitle begins every log; the number is the version of its form.
const logTitle = "spindle rip log, version 1"

// sealName is the name of the last line, which holds the SHA-256 of all before it. It shows
// accidents, not forgeries: whoever changes a log can compute it anew.
const sealName = "SHA-256 of this log: "

// A Log says how an album was made, and how each song is proven. It is a text of lines
// "name: value" in sections "[name]".
type Log struct {
	Sections []LogSection
}

// A LogSection is a part of a log. The first has no name.
type LogSection struct {
	Name  string
	Lines []LogLine
}

// A LogLine is one statement.
type LogLine struct{ Name, Value string }

// Add appends a line to a section; a value of "" adds nothing.
func (s *LogSection) Add(name, value string) {
	if value != "" {
		s.Lines = append(s.Lines, LogLine{name, value})
	}
}

// Get returns the value of a line, or "".
func (s *LogSection) Get(name string) string {
	for _, l := range s.Lines {
		if l.Name == name {
			return l.Value
		}
	}
	return ""
}

// Bytes returns the text of the log, with its checksum at the end.
func (l *Log) Bytes() []byte {
	var b bytes.Buffer
	b.WriteString(logTitle + "\n")
	for _, s := range l.Sections {
		if s.Name != "" {
			fmt.Fprintf(&b, "\n[%s]\n", clean(s.Name))
		}
		for _, x := range s.Lines {
			fmt.Fprintf(&b, "%s: %s\n", clean(x.Name), clean(x.Value))
		}
	}
	b.WriteString("\n")
	fmt.Fprintf(&b, "%s%x\n", sealName, sha256.Sum256(b.Bytes()))
	return b.Bytes()
}

// clean keeps a text of a disc or a drive from making lines of its own.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7F {
			return ' '
		}
		return r
	}, s)
}

// The errors of [ParseLog].
var (
	ErrLog        = errors.New("not a log of a rip by spindle")
	ErrLogVersion = fmt.Errorf("%w of this version", ErrLog)
	ErrLogChanged = errors.New("the log was changed: its checksum is another")
)

// MaxLog bounds a log, in bytes.
const MaxLog = 4 << 20

// IsLog reports whether a text begins as a log does.
func IsLog(head []byte) bool {
	title, _, _ := strings.Cut(logTitle, ", version")
	return bytes.HasPrefix(head, []byte(title))
}

// ParseLog reads a log. The error is [ErrLogChanged] when the log is none that Bytes made,
// and comes with what it says then.
func ParseLog(b []byte) (*Log, error) {
	if len(b) > MaxLog || !IsLog(b) {
		return nil, ErrLog
	}
	body, seal := b, ""
	if at := bytes.LastIndex(b, []byte("\n"+sealName)); at >= 0 {
		body, seal = b[:at+1], strings.TrimSpace(string(b[at+1+len(sealName):]))
	}
	l := &Log{Sections: []LogSection{{}}}
	lines := bufio.NewScanner(bytes.NewReader(body))
	lines.Buffer(nil, MaxLog)
	lines.Scan()
	if lines.Text() != logTitle {
		return nil, ErrLogVersion
	}
	for n := 2; lines.Scan(); n++ {
		line := lines.Text()
		name, value, ok := strings.Cut(line, ": ")
		last := &l.Sections[len(l.Sections)-1]
		switch {
		case line == "":
		case strings.HasPrefix(line, "[") && strings.HasSuffix(line, "]"):
			l.Sections = append(l.Sections, LogSection{Name: line[1 : len(line)-1]})
		case ok:
			last.Lines = append(last.Lines, LogLine{name, value})
		default:
			return nil, fmt.Errorf("%w: line %d", ErrLog, n)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	if sum := sha256.Sum256(body); seal != hex.EncodeToString(sum[:]) {
		return l, ErrLogChanged
	}
	return l, nil
}

// Section returns the section of a name, or nil.
func (l *Log) Section(name string) *LogSection {
	if i := slices.IndexFunc(l.Sections, func(s LogSection) bool { return s.Name == name }); i >= 0 {
		return &l.Sections[i]
	}
	return nil
}

// The sections and lines that a checker needs.
const (
	songPrefix  = "song "
	dataPrefix  = "data "
	flawLine    = "not right"
	fileLine    = "file"
	sectorsLine = "sectors"
	crcLine     = "CRC-32"
)

// contents is the table of contents of the disc.
func (a *Album) contents() LogSection {
	s := LogSection{Name: "table of contents"}
	for i := range a.Layout.Sessions {
		for _, t := range a.Layout.Sessions[i].Tracks {
			kind := "audio"
			if t.Mode.IsData() {
				kind = "data"
			}
			s.Add(fmt.Sprintf("track %d", t.Number), fmt.Sprintf("session %d, %s, start %s (sector %d), length %s (%d sectors), pregap %d",
				i+1, kind, addr.Frames(int(t.Start)), t.Start, addr.Frames(int(t.End-t.Start)), t.End-t.Start, t.Pregap))
		}
	}
	s.Add("lead-out", fmt.Sprintf("sector %d", a.Layout.End()))
	return s
}

// Log begins the log of an album: about is what the caller has to say of the rip, and proof
// how a song is proven, in words.
func (c *Created) Log(a *Album, about LogSection, proof func(*Made) string) *Log {
	about.Name = ""
	l := &Log{Sections: []LogSection{about, a.contents()}}
	for i := range c.Songs {
		m := &c.Songs[i]
		s := LogSection{Name: songPrefix + strconv.Itoa(m.Number)}
		s.Add("title", m.Title)
		s.Add(fileLine, base(m.Path))
		s.Add(sectorsLine, fmt.Sprintf("%d to %d", m.First, m.End-1))
		s.Add("length", addr.Frames(int(m.End-m.First)).String())
		s.Add(crcLine, fmt.Sprintf("%08X", m.CRC32))
		if m.Number > 0 {
			s.Add("AccurateRip v1", fmt.Sprintf("%08X", m.Sums.V1))
			s.Add("AccurateRip v2", fmt.Sprintf("%08X", m.Sums.V2))
			s.Add("CRC-32 of the track", fmt.Sprintf("%08X", m.Sums.CRC32))
			s.Add("CRC-32 of the track without null samples", fmt.Sprintf("%08X", m.Sums.CRC32NonNull))
		}
		for _, f := range c.Flaws.Clip(m.First, m.End) {
			s.Add(flawLine, fmt.Sprintf("sectors %d to %d, from %s of the song: %s", f.First, f.End()-1, addr.Frames(int(f.First-m.First)), f.Kind))
		}
		s.Add("proof", proof(m))
		l.Sections = append(l.Sections, s)
	}
	for _, d := range c.Data {
		s := LogSection{Name: dataPrefix + strconv.Itoa(d.Number)}
		s.Add(fileLine, base(d.Path))
		s.Add(sectorsLine, fmt.Sprintf("%d to %d", d.First, d.End-1))
		s.Add(crcLine, fmt.Sprintf("%08X", d.CRC32))
		for _, f := range c.Flaws.Clip(d.First, d.End) {
			s.Add(flawLine, fmt.Sprintf("sectors %d to %d: %s", f.First, f.End()-1, f.Kind))
		}
		l.Sections = append(l.Sections, s)
	}
	return l
}

// A LoggedSong is what a log states of a song's file, or of that of a track of data.
type LoggedSong struct {
	Number int
	Data   bool
	File   string   // in the folder of the log
	First  disc.LBA // its sectors [First, End) of the disc
	End    disc.LBA
	CRC32  uint32 // of its samples, or of a file of data
	Proof  string
	// Flawed says that sectors of it are not right.
	Flawed bool
}

// Songs returns the songs of a log. Errors wrap [ErrLog].
func (l *Log) Songs() ([]LoggedSong, error) {
	var all []LoggedSong
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
			return nil, fmt.Errorf("%w: section %q", ErrLog, s.Name)
		}
		all = append(all, x)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%w: it names no songs", ErrLog)
	}
	return all, nil
}

// song reads the section of a song.
func (s *LogSection) song(number string) (LoggedSong, error) {
	n, err := strconv.Atoi(number)
	crc, cerr := strconv.ParseUint(s.Get(crcLine), 16, 32)
	x := LoggedSong{Number: n, File: s.Get(fileLine), CRC32: uint32(crc), Proof: s.Get("proof"), Flawed: s.Get(flawLine) != ""}
	var last disc.LBA
	_, serr := fmt.Sscanf(s.Get(sectorsLine), "%d to %d", &x.First, &last)
	x.End = last + 1
	if err := errors.Join(err, cerr, serr); err != nil {
		return x, err
	}
	if x.File != base(x.File) || slices.Contains([]string{"", ".", ".."}, x.File) || x.First < 0 || last < x.First || last >= disc.LargestCD {
		return x, ErrLog
	}
	return x, nil
}

// base is the last part of a path of any system.
func base(path string) string { return path[strings.LastIndexAny(path, `/\`)+1:] }
