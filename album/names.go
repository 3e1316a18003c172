package album

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"spindle/disc/discid"
)

// mostName is the longest name that common file systems take, in bytes.
const mostName = 255

// reserved are names of devices, which Windows keeps for itself, with any suffix.
var reserved = []string{
	"CON", "PRN", "AUX", "NUL",
	"COM1", "COM2", "COM3", "COM4", "COM5", "COM6", "COM7", "COM8", "COM9",
	"LPT1", "LPT2", "LPT3", "LPT4", "LPT5", "LPT6", "LPT7", "LPT8", "LPT9",
}

// FileName makes a text from a disc into a name that every common file system takes and
// no program mistakes for a path, an option or a hidden file. The suffix, such as ".flac",
// stays whole. What cannot stand becomes "_"; of a text of nothing, the name is "_".
func FileName(text, suffix string) string {
	name := strings.Map(func(r rune) rune {
		switch {
		case r == '/' || r == '\\':
			return '-'
		case unicode.IsSpace(r):
			return ' '
		case strings.ContainsRune(`<>:"|?*`, r), r == utf8.RuneError, unicode.IsControl(r), unicode.Is(unicode.Cf, r):
			return '_'
		}
		return r
	}, text)
	name = strings.TrimSpace(name)
	if strings.HasPrefix(name, ".") || strings.HasPrefix(name, "-") {
		name = "_" + name[1:]
	}
	for len(name)+len(suffix) > mostName {
		_, n := utf8.DecodeLastRuneInString(name)
		name = name[:len(name)-n]
	}
	// Windows drops dots and spaces at the end.
	if name = strings.TrimSpace(name); suffix == "" {
		name = strings.TrimRight(name, " .")
	}
	stem, _, _ := strings.Cut(name, ".")
	if name == "" || slices.Contains(reserved, strings.ToUpper(strings.TrimSpace(stem))) {
		name = "_" + name
	}
	return name + suffix
}

// Name is what a folder, a sheet or a log of the album is called, with a suffix: "Artist -
// Title", or what is known of it. It is "" for an album that has no name.
func (a *Album) Name(suffix string) string {
	name := cmp.Or(a.Title(), a.Artist())
	if name == "" {
		return ""
	}
	if a.Artist() != "" && a.Title() != "" {
		name = a.Artist() + " - " + a.Title()
	}
	if n := a.Tags.Get("DISCNUMBER"); n != "" && a.Tags.Get("DISCTOTAL") != "1" {
		name += fmt.Sprintf(" (disc %s)", n)
	}
	return FileName(name, suffix)
}

// Unnamed is what an album without a name is called: by the id that CDDB gave its disc, so
// that two of them get different names.
func (a *Album) Unnamed() string {
	if ids, err := discid.Of(a.Layout); err == nil {
		return fmt.Sprintf("Audio CD %08X", ids.CDDB)
	}
	return "Audio CD"
}

// fileName is that of a song: "01 - Title.flac". The number makes it unique in the album.
func (s *Song) fileName(suffix string) string {
	title := s.Tags.Get("TITLE")
	switch {
	case title == "" && s.Number == 0:
		title = "Hidden track"
	case title == "":
		title = fmt.Sprintf("Track %02d", s.Number)
	}
	return FileName(fmt.Sprintf("%02d - %s", s.Number, title), suffix)
}
