package cue

import (
	"slices"

	"spindle/addr"
	"spindle/disc"
)

// packTexts pairs the texts of a sheet with their pack types. GENRE and DISC_ID
// are left to CDTEXTFILE: a sheet cannot say the genre code.
func (t *Text) packTexts() map[disc.PackType]*string {
	return map[disc.PackType]*string{
		disc.PackTitle: &t.Title, disc.PackPerformer: &t.Performer, disc.PackSongwriter: &t.Songwriter,
		disc.PackComposer: &t.Composer, disc.PackArranger: &t.Arranger, disc.PackMessage: &t.Message,
	}
}

// encodeTexts makes CD-TEXT packs of the texts in the sheet, and returns how many
// characters CD-TEXT cannot say. Without any text there are no packs.
func (sh *Sheet) encodeTexts() (packs []disc.Pack, lost int, err error) {
	type entry struct {
		kind  disc.PackType
		track int
		text  string
	}
	var entries []entry
	var all []string
	add := func(n int, t *Text) {
		for k, s := range t.packTexts() {
			if *s != "" {
				entries = append(entries, entry{k, n, *s})
				all = append(all, *s)
			}
		}
	}
	add(0, &sh.Text)
	first, last := 99, 1
	for i := range sh.Tracks {
		t := &sh.Tracks[i]
		add(t.Number, &t.Text)
		first, last = min(first, t.Number), max(last, t.Number)
	}
	block := disc.TextBlock{Language: disc.LanguageEnglish, Charset: disc.FitCharset(all...)}
	said := false
	for _, e := range entries {
		text, n := disc.FitText(e.text, block.Charset)
		lost += n
		if text != "" {
			block.SetText(e.kind, e.track, text)
			said = true
		}
	}
	if !said {
		return nil, lost, nil
	}
	packs, err = disc.EncodeCDText([]disc.TextBlock{block}, first, last)
	return packs, lost, err
}

// setTexts fills the texts of the sheet from CD-TEXT and reports whether the
// sheet now says all of it, so that no CDTEXTFILE is needed.
func (sh *Sheet) setTexts(packs []disc.Pack) bool {
	if len(packs) == 0 || len(sh.Tracks) == 0 {
		return len(packs) == 0
	}
	blocks := disc.DecodeCDText(packs, sh.Tracks[0].Number)
	if len(blocks) == 0 {
		return false
	}
	b := &blocks[0]
	set := func(n int, t *Text) {
		for k, s := range t.packTexts() {
			*s = b.Text(k, n)
		}
	}
	set(0, &sh.Text)
	for i := range sh.Tracks {
		set(sh.Tracks[i].Number, &sh.Tracks[i].Text)
	}
	// Quoting may have to change a text: compare what would be read again.
	again, _, err := sh.quoted().encodeTexts()
	return err == nil && slices.Equal(again, packs)
}

// quoted returns a copy of the sheet with its texts as writing and reading them
// leaves them.
func (sh *Sheet) quoted() *Sheet {
	c := Sheet{Text: sh.Text, Tracks: slices.Clone(sh.Tracks)}
	fix := func(t *Text) {
		for _, s := range t.packTexts() {
			q := quote(*s)
			*s = q[1 : len(q)-1]
		}
	}
	fix(&c.Text)
	for i := range c.Tracks {
		fix(&c.Tracks[i].Text)
	}
	return &c
}

// fileNames are the files of an image that fromLayout describes.
type fileNames struct {
	// Files holds one name for the whole image, or one for each track.
	Files []string
	// CDText is the name to give the file of CD-TEXT packs, if one is needed.
	CDText string
}

// fromLayout makes the sheet of a CD whose sectors stand raw, 2352 bytes each,
// in the named files, track after track without the gaps between sessions.
// needCDText says that the disc has CD-TEXT that the sheet cannot say: the
// packs must be written to names.CDText, which the sheet then names.
func fromLayout(l *disc.Layout, names fileNames) (sheet *Sheet, needCDText bool) {
	sh := &Sheet{Catalog: l.MCN}
	for _, n := range names.Files {
		sh.Files = append(sh.Files, File{Name: n, Type: Binary})
	}
	file, frame := 0, 0
	for i := range l.Sessions {
		s := &l.Sessions[i]
		if len(l.Sessions) > 1 {
			sh.addSession(l, i)
		}
		for j := range s.Tracks {
			t := &s.Tracks[j]
			if len(names.Files) > 1 && len(sh.Tracks) > 0 {
				file, frame = file+1, 0
			}
			sh.Tracks = append(sh.Tracks, fromTrack(t, s, file, frame))
			frame += t.Sectors()
		}
	}
	needCDText = !sh.setTexts(l.CDText)
	if needCDText {
		sh.CDTextFile = names.CDText
	}
	return sh, needCDText
}

func fromTrack(t *disc.Track, s *disc.Session, file, frame int) Track {
	out := Track{
		Number: t.Number, Type: Audio, Session: s.Number, ISRC: t.ISRC,
		Control: t.Control &^ disc.DataTrack,
	}
	switch t.Mode {
	case disc.Mode0, disc.Mode1:
		out.Type = Mode12352
	case disc.Mode2:
		out.Type = Mode22352
		if s.Format == disc.FormatCDI {
			out.Type = CDI2352
		}
	}
	if t.Mode.IsData() {
		out.Control |= disc.DataTrack
	}
	add := func(n int, a disc.LBA) {
		out.Indexes = append(out.Indexes, Index{Number: n, File: file, Frame: frame + int(a-t.Begin())})
	}
	if t.Pregap > 0 {
		add(0, t.Begin())
	}
	add(1, t.Start)
	for k, a := range t.Indexes {
		add(k+2, a)
	}
	return out
}

// addSession states the gaps around the i-th session, so that the addresses of
// its tracks can be had from the sheet again.
func (sh *Sheet) addSession(l *disc.Layout, i int) {
	s := Session{Number: l.Sessions[i].Number, LeadIn: -1, Pregap: -1, LeadOut: -1}
	if i > 0 {
		s.LeadIn, s.Pregap = addr.LeadIn, addr.Pregap
	}
	if i+1 < len(l.Sessions) {
		gap := int(l.Sessions[i+1].Tracks[0].Begin() - l.Sessions[i].LeadOut)
		s.LeadOut = max(0, gap-addr.LeadIn-addr.Pregap)
	}
	sh.Sessions = append(sh.Sessions, s)
}
