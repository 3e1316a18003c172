package album

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"spindle/cue"
)

// ErrTags is what errors about a text of tags wrap.
var ErrTags = errors.New("tags cannot be read")

// A tagError says where.
type tagError struct {
	line int
	what string
}

func (e *tagError) Error() string { return fmt.Sprintf("%v: line %d: %s", ErrTags, e.line, e.what) }
func (e *tagError) Unwrap() error { return ErrTags }

// Apply names the album and its songs by a text, which is either a CUE sheet or lines of
// NAME=value as metaflac exports them. Lines at the start are about the album; after a
// line "[3]" they are about track 3. Empty lines, and those that begin with "#", say
// nothing. An empty value removes what the disc says.
//
// What the text says of the album stands for what was known of each song, and what it says of
// a song stands for both. Errors wrap [ErrTags], or are those of [cue.Parse].
func (a *Album) Apply(text []byte) error {
	a.renamed = true
	if cue.Detect(text, int64(len(text))) {
		sheet, err := cue.Parse(bytes.NewReader(text))
		if err != nil {
			return err
		}
		return a.applySheet(sheet)
	}
	return a.applyLines(text)
}

func (a *Album) applyLines(text []byte) error {
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	if !utf8.Valid(text) {
		return fmt.Errorf("%w: not in UTF-8", ErrTags)
	}
	take, tags := a.replace, Tags(nil)
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, 1<<20)
	n := 0
	for lines.Scan() {
		n++
		line := strings.TrimSpace(lines.Text())
		switch {
		case line == "" || line[0] == '#':
		case line[0] == '[':
			take(tags)
			tags = nil
			s, err := a.song(strings.Trim(line, "[]"))
			if err != nil {
				return &tagError{n, err.Error()}
			}
			take = s.Tags.replace
		default:
			name, value, ok := strings.Cut(line, "=")
			if name = strings.ToUpper(strings.TrimSpace(name)); !ok || !isFieldName(name) {
				return &tagError{n, fmt.Sprintf("%q is not NAME=value", line)}
			}
			tags = append(tags, Tag{name, strings.TrimSpace(value)})
		}
	}
	if err := lines.Err(); err != nil {
		return &tagError{n + 1, err.Error()}
	}
	take(tags)
	return nil
}

// replace takes tags of the album, for what was known of its songs, too.
func (a *Album) replace(tags Tags) {
	a.Tags.replace(tags)
	for _, x := range tags {
		if x.Name == "TITLE" || x.Name == "ISRC" {
			continue // no two songs have the same
		}
		for i := range a.Songs {
			a.Songs[i].Tags.Set(x.Name, "")
		}
	}
	has := func(name string) bool { return slices.ContainsFunc(tags, func(x Tag) bool { return x.Name == name }) }
	if has("ARTIST") && !has("ALBUMARTIST") {
		a.Tags.Set("ALBUMARTIST", tags.Get("ARTIST"))
	}
}

// song finds a song by the number of its track.
func (a *Album) song(number string) (*Song, error) {
	n, err := strconv.Atoi(number)
	if err != nil {
		return nil, fmt.Errorf("%q is not the number of a track", number)
	}
	for i := range a.Songs {
		if a.Songs[i].Number == n {
			return &a.Songs[i], nil
		}
	}
	return nil, fmt.Errorf("the disc has no song %d", n)
}

// isFieldName reports whether a name is one of a Vorbis comment: printable ASCII without
// "=" (Vorbis I, section 5.2.2).
func isFieldName(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool { return r < 0x20 || r > 0x7D || r == '=' }) < 0
}

// remarks are the REM lines of sheets that Exact Audio Copy and others write about an
// album, and the names of the tags.
var remarks = map[string]string{
	"GENRE": "GENRE", "DATE": "DATE", "DISCNUMBER": "DISCNUMBER", "TOTALDISCS": "DISCTOTAL", "COMPOSER": "COMPOSER",
	"LABEL": "LABEL", "CATALOGNUMBER": "CATALOGNUMBER",
}

// applySheet takes the texts of a sheet, which is to have the tracks of the disc: the first is the first, as
// programs number those of a disc that begins with another than track 1 anew.
func (a *Album) applySheet(sheet *cue.Sheet) error {
	tracks := a.Layout.Tracks()
	if n, of := len(sheet.Tracks), len(tracks); n != of {
		return fmt.Errorf("%w: the sheet is of another disc: it has %d tracks, and this one has %d", ErrTags, n, of)
	}
	tags := ofText(&sheet.Text, "ALBUM", "ALBUMARTIST")
	tags = append(tags, ofRemarks(sheet.Comments)...)
	a.replace(tags)
	if sheet.Text.Performer != "" { // that of each track that states no other
		for i := range a.Songs {
			a.Songs[i].Tags.Set("ARTIST", "")
		}
	}
	for i := range sheet.Tracks {
		t := &sheet.Tracks[i]
		if s, err := a.song(strconv.Itoa(tracks[i].Number)); err == nil {
			s.Tags.replace(append(ofText(&t.Text, "TITLE", "ARTIST"), ofRemarks(t.Comments)...))
			if t.ISRC != "" {
				s.Tags.Set("ISRC", t.ISRC)
			}
		}
	}
	return nil
}

func ofText(t *cue.Text, title, artist string) Tags {
	var tags Tags
	tags.Set(title, t.Title)
	tags.Set(artist, t.Performer)
	tags.Set("LYRICIST", t.Songwriter)
	tags.Set("COMPOSER", t.Composer)
	tags.Set("ARRANGER", t.Arranger)
	tags.Set("GENRE", t.Genre)
	return tags
}

func ofRemarks(lines []string) Tags {
	var tags Tags
	for _, line := range lines {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if tag, ok := remarks[strings.ToUpper(name)]; ok {
			tags.Set(tag, strings.Trim(strings.TrimSpace(value), `"`))
		}
	}
	return tags
}
