package cue

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"spindle/addr"
	"spindle/disc"
)

// WriteTo writes what [Sheet.Bytes] returns.
func (sh *Sheet) WriteTo(w io.Writer) (int64, error) {
	n, err := w.Write(sh.Bytes())
	return int64(n), err
}

// Bytes returns the text of the sheet, in UTF-8 with CRLF line ends, which every
// known reader takes.
func (sh *Sheet) Bytes() []byte {
	var b bytes.Buffer
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\r\n", args...) }
	for _, c := range sh.Comments {
		line("REM %s", c)
	}
	if sh.Catalog != "" {
		line("CATALOG %s", sh.Catalog)
	}
	if sh.CDTextFile != "" {
		line("CDTEXTFILE %s", quote(sh.CDTextFile))
	}
	sh.Text.write("", line)
	file, session := -1, 0
	for i := range sh.Tracks {
		t := &sh.Tracks[i]
		if t.Session != session && len(sh.Sessions) > 0 {
			sh.writeSession(session, t.Session, line)
		}
		session = t.Session
		sh.writeTrack(t, &file, line)
	}
	return b.Bytes()
}

func (sh *Sheet) writeSession(from, to int, line func(string, ...any)) {
	rem := func(key string, frames int) {
		if frames >= 0 {
			line("REM %s %s", key, addr.Frames(frames))
		}
	}
	if from > 0 && from <= len(sh.Sessions) {
		rem("LEAD-OUT", sh.Sessions[from-1].LeadOut)
	}
	line("REM SESSION %02d", to)
	if to <= len(sh.Sessions) {
		rem("LEAD-IN", sh.Sessions[to-1].LeadIn)
		rem("PREGAP", sh.Sessions[to-1].Pregap)
	}
}

func (sh *Sheet) writeTrack(t *Track, file *int, line func(string, ...any)) {
	absent := 0 // sectors of a file that is not there, which its first index says
	openFile := func(n int) {
		if n != *file {
			absent = sh.Files[n].Absent
			line("FILE %s %s", quote(sh.Files[n].Name), sh.Files[n].Type)
			*file = n
		}
	}
	if len(t.Indexes) > 0 {
		openFile(t.Indexes[0].File)
	}
	line("  TRACK %02d %s", t.Number, t.Type)
	t.Text.write("    ", line)
	for _, c := range t.Comments {
		line("    REM %s", c)
	}
	var flags []string
	for _, f := range [...]struct {
		bit  disc.Control
		name string
	}{{disc.CopyPermitted, "DCP"}, {disc.FourChannel, "4CH"}, {disc.PreEmphasis, "PRE"}} {
		if t.Control&f.bit != 0 {
			flags = append(flags, f.name)
		}
	}
	if len(flags) > 0 {
		line("    FLAGS %s", strings.Join(flags, " "))
	}
	if t.ISRC != "" {
		line("    ISRC %s", t.ISRC)
	}
	if t.Pregap > 0 {
		line("    PREGAP %s", addr.Frames(t.Pregap))
	}
	for _, x := range t.Indexes {
		openFile(x.File)
		if absent > 0 {
			line("    REM ABSENT %s", addr.Frames(absent))
			absent = 0
		}
		line("    INDEX %02d %s", x.Number, addr.Frames(x.Frame))
	}
	if t.Postgap > 0 {
		line("    POSTGAP %s", addr.Frames(t.Postgap))
	}
}

func (t *Text) write(indent string, line func(string, ...any)) {
	for _, f := range t.lines() {
		if f.text != "" {
			line("%s%s %s", indent, f.key, quote(f.text))
		}
	}
}

type textLine struct{ key, text string }

func (t *Text) lines() []textLine {
	return []textLine{
		{"TITLE", t.Title}, {"PERFORMER", t.Performer}, {"SONGWRITER", t.Songwriter},
		{"COMPOSER", t.Composer}, {"ARRANGER", t.Arranger}, {"MESSAGE", t.Message},
		{"DISC_ID", t.DiscID}, {"GENRE", t.Genre},
	}
}

// quote puts a text in double quotes. The format has no way to write a quotation
// mark or a line end inside; the mark becomes an apostrophe, the rest a blank.
func quote(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '"':
			return '\''
		case r < ' ' || r == 0x7F:
			return ' '
		}
		return r
	}, s)
	return `"` + s + `"`
}
