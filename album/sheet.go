package album

import (
	"fmt"
	"slices"
	"strings"

	"spindle/cue"
	"spindle/disc"
	"spindle/disc/discid"
	"spindle/image/audio/flacenc"
	"spindle/image/audio/loudness"
)

// A part is a file of the album, and the sectors that are in it.
type part struct {
	name     string // in its folder
	kind     cue.FileType
	from, to disc.LBA
	songs    []*Song     // or
	track    *disc.Track // a track of data
	block    bool        // of which the user data alone is kept
	kept     bool        // it is in the folder
	absent   bool        // it is not, and is not made
	loudness loudness.Result
	crc      uint32 // of the file of a track of data
}

// sheet makes the sheet of the disc whose sectors are in parts, in the order of the disc. A
// gap stands at the end of the file before its song, as Exact Audio Copy writes it and
// players expect. cdText is the name of a file of CD-TEXT, should one be needed; it comes
// back as "" where the sheet says all.
func (a *Album) sheet(parts []part, path string) (*cue.Sheet, []cue.TextFile) {
	set := cue.NewSet(path, a.Layout, true)
	sheet := set.Sheet
	sheet.Files = nil
	for _, p := range parts {
		f := cue.File{Name: p.name, Type: p.kind}
		if p.absent {
			f.Absent = int(p.to - p.from)
		}
		sheet.Files = append(sheet.Files, f)
	}
	tracks := a.Layout.Tracks()
	for i := range sheet.Tracks {
		t := &sheet.Tracks[i]
		t.Indexes = indexes(tracks[i], parts)
		if len(t.Indexes) > 0 && parts[t.Indexes[len(t.Indexes)-1].File].block {
			t.Type = cue.Mode12048
		}
	}
	if absent := a.absent(parts); len(absent) > 0 {
		sheet.Comments = append(sheet.Comments, "ABSENT "+strings.Trim(fmt.Sprint(absent), "[]"))
	}
	if a.renamed {
		sheet.CDTextFile, set.CDText = "", "" // it has the old names
	}
	a.nameSheet(sheet)
	var texts []cue.TextFile
	for _, x := range set.Texts() {
		if x.Path == set.CDText {
			texts = append(texts, x)
		}
	}
	return sheet, append(texts, cue.TextFile{Path: path, Data: sheet.Bytes()})
}

// absent are the numbers of the tracks that begin in no file that is there, and 0 where audio hidden
// before the first track is in none.
func (a *Album) absent(parts []part) (numbers []int) {
	there := func(at disc.LBA) bool {
		return slices.ContainsFunc(parts, func(p part) bool { return !p.absent && p.from <= at && at < p.to })
	}
	if len(a.Songs) > 0 && a.Songs[0].Number == 0 && !there(a.Songs[0].Start) {
		numbers = append(numbers, 0)
	}
	for _, t := range a.Layout.Tracks() {
		if !there(t.Start) {
			numbers = append(numbers, t.Number)
		}
	}
	return numbers
}

// indexes says where the indexes of a track are in the files.
func indexes(t *disc.Track, parts []part) []cue.Index {
	var all []cue.Index
	add := func(number int, at disc.LBA) {
		i := slices.IndexFunc(parts, func(p part) bool { return p.from <= at && at < p.to })
		if i >= 0 {
			all = append(all, cue.Index{Number: number, File: i, Frame: int(at - parts[i].from)})
		}
	}
	if t.Begin() < t.Start {
		add(0, max(t.Begin(), 0))
	}
	add(1, t.Start)
	for i, at := range t.Indexes {
		add(i+2, at)
	}
	return all
}

// nameSheet puts the tags into a sheet.
func (a *Album) nameSheet(sheet *cue.Sheet) {
	rem := func(name, value string) {
		if value != "" {
			sheet.Comments = append(sheet.Comments, name+" "+value)
		}
	}
	if genre := a.Tags.Get("GENRE"); genre != "" {
		rem("GENRE", fmt.Sprintf("%q", genre))
	}
	rem("DATE", a.Tags.Get("DATE"))
	if ids, err := discid.Of(a.Layout); err == nil {
		rem("DISCID", fmt.Sprintf("%08X", ids.CDDB))
	}
	rem("DISCNUMBER", a.Tags.Get("DISCNUMBER"))
	rem("TOTALDISCS", a.Tags.Get("DISCTOTAL"))
	rem("COMMENT", `"spindle"`)
	sheet.Text.Title, sheet.Text.Performer = a.Title(), a.Artist()
	for i := range a.Songs {
		s := &a.Songs[i]
		at := slices.IndexFunc(sheet.Tracks, func(t cue.Track) bool { return t.Number == s.Number })
		if at < 0 {
			continue
		}
		t := &sheet.Tracks[at]
		t.Text.Title, t.Text.Performer = s.Tags.Get("TITLE"), s.Tags.Get("ARTIST")
		t.Text.Songwriter, t.Text.Composer = s.Tags.Get("LYRICIST"), s.Tags.Get("COMPOSER")
	}
}

// leadIn is how many samples precede the first one of every CD: two seconds.
const leadIn = 2 * 44100

// embedded makes the sheet that goes into a file of songs, as text and as the block of a
// FLAC file.
func (a *Album) embedded(p *part) (string, *flacenc.CueSheet) {
	sheet, _ := a.sheet([]part{*p}, p.name)
	sheet.Tracks = slices.DeleteFunc(sheet.Tracks, func(t cue.Track) bool {
		return !slices.ContainsFunc(t.Indexes, func(x cue.Index) bool { return x.Number == 1 })
	})
	sheet.CDTextFile, sheet.Sessions = "", nil
	block := &flacenc.CueSheet{Catalog: a.Layout.MCN, LeadIn: leadIn, LeadOut: samples(int(p.to - p.from))}
	for _, t := range sheet.Tracks {
		x := flacenc.CueTrack{
			Number: t.Number, Offset: samples(t.Indexes[0].Frame), ISRC: t.ISRC, PreEmphasis: t.Control&disc.PreEmphasis != 0,
		}
		for _, at := range t.Indexes {
			x.Indexes = append(x.Indexes, flacenc.CueIndex{Number: at.Number, Offset: samples(at.Frame) - x.Offset})
		}
		block.Tracks = append(block.Tracks, x)
	}
	return string(sheet.Bytes()), block
}

// samples is how many samples of each channel so many sectors have.
func samples(sectors int) int64 { return int64(sectors) * discid.SectorSamples }
