package toc

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"

	"spindle/addr"
	"spindle/disc"
	"spindle/disc/cdsector"
)

// repack makes packs of texts, as they will be made when the file is read.
func repack(l *disc.Layout, text []disc.TextBlock) ([]disc.Pack, error) {
	if len(text) == 0 {
		return nil, nil
	}
	tracks := l.Tracks()
	return disc.EncodeCDText(text, tracks[0].Number, tracks[len(tracks)-1].Number)
}

type writer struct {
	bin   string
	sub   bool
	bare  bool // only audio: places in the file are times
	packs []disc.Pack
	out   bytes.Buffer
}

func (w *writer) block() int64 {
	if w.sub {
		return cdsector.Size + cdsector.SubSize
	}
	return cdsector.Size
}

func (w *writer) line(format string, args ...any) { fmt.Fprintf(&w.out, format+"\n", args...) }

// describe makes the TOC file.
func (w *writer) describe(l *disc.Layout, text []disc.TextBlock) []byte {
	s := &l.Sessions[0]
	w.line("%s\n", typeOf(s))
	if l.MCN != "" {
		w.line("CATALOG %q\n", l.MCN)
	}
	if s.Tracks[0].Number != 1 {
		w.line("FIRST_TRACK_NO %d\n", s.Tracks[0].Number)
	}
	if len(text) > 0 {
		w.texts(text, 0)
	}
	at := int64(0)
	for i := range s.Tracks {
		t := &s.Tracks[i]
		w.line("\n// Track %d", t.Number)
		w.track(t, text, at)
		at += int64(t.Sectors()) * w.block()
	}
	return w.out.Bytes()
}

func typeOf(s *disc.Session) Type {
	data := slices.ContainsFunc(s.Tracks, func(t disc.Track) bool { return t.Mode.IsData() })
	switch {
	case s.Format == disc.FormatXA:
		return CDROMXA
	case s.Format == disc.FormatCDI:
		return CDI
	case data:
		return CDROM
	}
	return CDDA
}

func (w *writer) track(t *disc.Track, text []disc.TextBlock, at int64) {
	mode := Mode1Raw
	switch t.Mode {
	case disc.Audio:
		mode = Audio
	case disc.Mode2:
		mode = Mode2Raw
	}
	sub := ""
	if w.sub {
		sub = " " + string(SubRaw)
	}
	w.line("TRACK %s%s", mode, sub)
	w.line("%s", no(t.Control&disc.CopyPermitted == 0)+"COPY")
	if t.Mode == disc.Audio {
		w.line("%s", no(t.Control&disc.PreEmphasis == 0)+"PRE_EMPHASIS")
		if t.Control&disc.FourChannel != 0 {
			w.line("FOUR_CHANNEL_AUDIO")
		} else {
			w.line("TWO_CHANNEL_AUDIO")
		}
	}
	if t.ISRC != "" {
		w.line("ISRC %q", t.ISRC)
	}
	if len(text) > 0 {
		w.texts(text, t.Number)
	}
	length := addr.Frames(t.Sectors())
	switch {
	case w.bare:
		w.line("FILE %s %s %s", quote(w.bin), addr.Frames(int(at/cdsector.Size)), length)
	case t.Mode == disc.Audio && !w.sub:
		w.line("FILE %s #%d 0 %s", quote(w.bin), at, length)
	default:
		w.line("DATAFILE %s #%d %s", quote(w.bin), at, length)
	}
	if t.Pregap > 0 {
		w.line("START %s", addr.Frames(t.Pregap))
	}
	for _, x := range t.Indexes {
		w.line("INDEX %s", addr.Frames(int(x-t.Start)))
	}
}

func no(yes bool) string {
	if yes {
		return "NO "
	}
	return ""
}

// texts writes the texts of the disc, or of a track, in all languages.
func (w *writer) texts(text []disc.TextBlock, track int) {
	w.line("CD_TEXT {")
	if track == 0 {
		w.line("  LANGUAGE_MAP {")
		for i := range text {
			w.line("    %d : %d", i, text[i].Language)
		}
		w.line("  }")
	}
	for i := range text {
		b := &text[i]
		w.line("  LANGUAGE %d {", i)
		for _, name := range itemNames(track) {
			if s := b.Text(packTypes()[name], track); s != "" {
				w.line("    %s %s", name, quoteIn(s, b.Charset))
			}
		}
		if track == 0 && (b.GenreCode != 0 || b.Genre != "") {
			data := []byte{byte(b.GenreCode >> 8), byte(b.GenreCode)}
			data = append(append(data, encodeIn(b.Genre, b.Charset)...), 0)
			w.line("    GENRE { %s }", list(data))
		}
		// It says the character code, in a way that every version of cdrdao knows.
		if info := sizeInfo(w.packs, i); track == 0 && info != nil && b.Charset == disc.CharsetShiftJIS {
			w.line("    SIZE_INFO { %s }", list(info))
		}
		w.line("  }")
	}
	w.line("}")
}

func list(b []byte) string {
	var all []string
	for _, c := range b {
		all = append(all, fmt.Sprint(c))
	}
	return strings.Join(all, ", ")
}

// sizeInfo joins the size information of a block, or returns nil when that is not
// whole.
func sizeInfo(packs []disc.Pack, block int) []byte {
	var b []byte
	for i := range packs {
		if p := &packs[i]; p.Type() == disc.PackSizeInfo && p.Block() == block {
			b = append(b, p[4:16]...)
		}
	}
	if len(b) != 36 {
		return nil
	}
	return b
}

// itemNames are the items of CD-TEXT that are texts, in cdrdao's order.
func itemNames(track int) []string {
	names := []string{"TITLE", "PERFORMER", "SONGWRITER", "COMPOSER", "ARRANGER", "MESSAGE"}
	if track == 0 {
		return append(names, "DISC_ID", "UPC_EAN")
	}
	return append(names, "ISRC")
}

// quote writes a file name: only its quotation marks and backslashes need care.
func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// quoteIn writes a text, what is not ASCII as bytes of its character code: every
// version of cdrdao takes that.
func quoteIn(s string, charset byte) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, c := range encodeIn(s, charset) {
		switch {
		case c == '"' || c == '\\' && charset != disc.CharsetShiftJIS:
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < ' ' || c >= 0x7F || c == '\\':
			fmt.Fprintf(&b, `\%03o`, c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

func encodeIn(s string, charset byte) []byte {
	e := charmap.ISO8859_1.NewEncoder()
	if charset == disc.CharsetShiftJIS {
		e = japanese.ShiftJIS.NewEncoder()
	}
	b, err := e.Bytes([]byte(s))
	if err != nil {
		return []byte(s)
	}
	return b
}
