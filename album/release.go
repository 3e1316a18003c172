package album

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// A Release is what MusicBrainz states of a release that has a disc.
type Release struct {
	Tags      Tags         // of the album, by the names that Picard gives them
	Songs     map[int]Tags // by the number of the track; 0 is what is hidden before the first
	Among     int          // how many releases have the disc
	ByBarcode bool         // chosen by the catalogue number of the disc, and not for being the first
}

// The errors of [ParseRelease].
var (
	ErrRelease   = errors.New("no answer of MusicBrainz about this disc")
	ErrNoRelease = errors.New("MusicBrainz has no release of this disc")
)

// MaxRelease bounds an answer in bytes: that of a box of many discs, in several editions.
const MaxRelease = 16 << 20

// mostText bounds a text in it, in bytes.
const mostText = 4 << 10

// A text is one of a line: without control characters.
type text string

// UnmarshalJSON implements [json.Unmarshaler].
func (t *text) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	if len(s) > mostText {
		return fmt.Errorf("a text of %d bytes", len(s))
	}
	*t = text(line(s))
	return nil
}

// line is a text without control characters.
func line(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s))
}

// The parts of an answer to /ws/2/discid (web service of MusicBrainz, version 2) that are used.
type (
	mbDisc struct {
		ID       text        `json:"id"`
		Releases []mbRelease `json:"releases"`
	}
	mbRelease struct {
		ID      text      `json:"id"`
		Title   text      `json:"title"`
		Date    text      `json:"date"`
		Barcode text      `json:"barcode"`
		Credit  mbCredit  `json:"artist-credit"`
		Group   mbEntity  `json:"release-group"`
		Labels  []mbLabel `json:"label-info"`
		Media   []mbMedia `json:"media"`
	}
	mbLabel struct {
		Number text     `json:"catalog-number"`
		Label  mbEntity `json:"label"`
	}
	mbMedia struct {
		Position int        `json:"position"`
		Title    text       `json:"title"`
		Discs    []mbEntity `json:"discs"`
		Pregap   *mbTrack   `json:"pregap"`
		Tracks   []mbTrack  `json:"tracks"`
	}
	mbTrack struct {
		ID        text     `json:"id"`
		Position  int      `json:"position"`
		Title     text     `json:"title"`
		Credit    mbCredit `json:"artist-credit"`
		Recording mbEntity `json:"recording"`
	}
	mbEntity struct {
		ID   text `json:"id"`
		Name text `json:"name"`
	}
	mbCredit []struct {
		Name   text     `json:"name"`
		Join   string   `json:"joinphrase"` // its spaces count
		Artist mbEntity `json:"artist"`
	}
)

// ParseRelease reads what MusicBrainz says about the disc with an id, and chooses a release: the
// one whose barcode is the catalogue number of the disc (MCN), or the first. The error wraps
// [ErrRelease] or [ErrNoRelease].
func ParseRelease(b []byte, id, mcn string) (*Release, error) {
	if len(b) > MaxRelease {
		return nil, fmt.Errorf("%w: %d bytes", ErrRelease, len(b))
	}
	var d mbDisc
	if err := json.Unmarshal(b, &d); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRelease, err)
	}
	if d.ID != text(id) {
		return nil, fmt.Errorf("%w: it is about %.40q", ErrRelease, string(d.ID))
	}
	usable := slices.DeleteFunc(d.Releases, func(r mbRelease) bool { return r.Title == "" || r.medium(id) == nil })
	if len(usable) == 0 {
		return nil, ErrNoRelease
	}
	chosen := slices.IndexFunc(usable, func(r mbRelease) bool { return sameNumber(string(r.Barcode), mcn) })
	r := usable[max(chosen, 0)].release(id)
	r.Among, r.ByBarcode = len(usable), chosen >= 0
	return r, nil
}

// sameNumber compares a barcode (UPC of 12 digits or EAN of 13) with a catalogue number of 13.
func sameNumber(barcode, mcn string) bool {
	barcode = strings.TrimLeft(barcode, "0")
	return barcode != "" && barcode == strings.TrimLeft(mcn, "0")
}

// medium is the one of a release that is the disc: it has its id, or is the only one and states none.
func (r *mbRelease) medium(id string) *mbMedia {
	for i := range r.Media {
		if slices.ContainsFunc(r.Media[i].Discs, func(x mbEntity) bool { return x.ID == text(id) }) {
			return &r.Media[i]
		}
	}
	if len(r.Media) == 1 && len(r.Media[0].Discs) == 0 {
		return &r.Media[0]
	}
	return nil
}

func (r *mbRelease) release(id string) *Release {
	m := r.medium(id)
	out := &Release{Songs: map[int]Tags{}}
	t := &out.Tags
	t.Set("ALBUM", string(r.Title))
	t.Set("ALBUMARTIST", r.Credit.name())
	t.Set("DATE", string(r.Date))
	t.Set("TRACKTOTAL", number(len(m.Tracks)))
	t.Set("DISCNUMBER", number(m.Position))
	t.Set("DISCTOTAL", number(len(r.Media)))
	t.Set("DISCSUBTITLE", string(m.Title))
	t.Set("BARCODE", string(r.Barcode))
	for _, l := range r.Labels {
		t.add("LABEL", l.Label.Name)
	}
	for _, l := range r.Labels {
		t.add("CATALOGNUMBER", l.Number)
	}
	t.Set("MUSICBRAINZ_DISCID", id)
	t.Set("MUSICBRAINZ_ALBUMID", string(r.ID))
	t.Set("MUSICBRAINZ_RELEASEGROUPID", string(r.Group.ID))
	r.Credit.ids(t, "MUSICBRAINZ_ALBUMARTISTID")
	for i := range m.Tracks {
		out.Songs[m.Tracks[i].Position] = m.Tracks[i].tags()
	}
	if m.Pregap != nil {
		out.Songs[0] = m.Pregap.tags()
	}
	return out
}

func (x *mbTrack) tags() Tags {
	var t Tags
	t.Set("TITLE", string(x.Title))
	t.Set("ARTIST", x.Credit.name())
	t.Set("MUSICBRAINZ_TRACKID", string(x.Recording.ID)) // as Picard calls a recording's
	t.Set("MUSICBRAINZ_RELEASETRACKID", string(x.ID))
	x.Credit.ids(&t, "MUSICBRAINZ_ARTISTID")
	return t
}

// number is a count, or "" where there is none.
func number(n int) string {
	if n <= 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// name is how a credit stands on the cover.
func (c mbCredit) name() string {
	var s strings.Builder
	for _, x := range c {
		s.WriteString(string(x.Name) + x.Join)
	}
	if s.Len() > mostText {
		return ""
	}
	return line(s.String())
}

// ids adds those of the artists.
func (c mbCredit) ids(t *Tags, name string) {
	for _, x := range c {
		t.add(name, x.Artist.ID)
	}
}

// add adds a value that a name does not have yet.
func (t *Tags) add(name string, value text) {
	if x := (Tag{name, string(value)}); value != "" && !slices.Contains(*t, x) {
		*t = append(*t, x)
	}
}

// ApplyRelease names the album and its songs by a release. What the release does not state, such as
// the composers of CD-TEXT, stays. A release counts the tracks of a disc from 1, whatever their numbers.
func (a *Album) ApplyRelease(r *Release) {
	a.Tags.replace(r.Tags)
	first, last := a.numbers()
	if first > 1 && a.Tags.Get("TRACKTOTAL") != "" {
		a.Tags.Set("TRACKTOTAL", number(last))
	}
	for i := range a.Songs {
		position := a.Songs[i].Number
		if position > 0 {
			position -= first - 1
		}
		a.Songs[i].Tags.replace(r.Songs[position])
	}
}
