package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"spindle/album"
	"spindle/disc"
	"spindle/disc/discid"
	"spindle/drive"
	"spindle/image/mapfile"
	"spindle/image/riplog"
)

// A songsFlag is the numbers of songs: "3,5-7".
type songsFlag []int

func (v *songsFlag) String() string { return numbersText(*v) }
func (v *songsFlag) Type() string   { return "LIST" }
func (v *songsFlag) Set(s string) error {
	for _, part := range strings.Split(s, ",") {
		from, to, isRange := strings.Cut(part, "-")
		first, err := strconv.Atoi(from)
		last := first
		if isRange && err == nil {
			last, err = strconv.Atoi(to)
		}
		const most = 99
		if err != nil || first < 0 || last < first || last > most {
			return fmt.Errorf("it is the numbers of tracks, such as 3,5-7; 0: audio hidden before track 1")
		}
		for n := first; n <= last; n++ {
			*v = append(*v, n)
		}
	}
	slices.Sort(*v)
	*v = slices.Compact(*v)
	return nil
}

// numbersText gives "1, 3 to 5" for numbers in order.
func numbersText(numbers []int) string {
	var all []string
	for i := 0; i < len(numbers); {
		k := i + 1
		for k < len(numbers) && numbers[k] == numbers[k-1]+1 {
			k++
		}
		switch first, last := numbers[i], numbers[k-1]; k - i {
		case 1:
			all = append(all, strconv.Itoa(first))
		case 2:
			all = append(all, strconv.Itoa(first), strconv.Itoa(last))
		default:
			all = append(all, fmt.Sprintf("%d to %d", first, last))
		}
		i = k
	}
	return strings.Join(all, ", ")
}

// check makes sure that a disc has the songs that are asked for.
func (v songsFlag) check(name string, x *album.Album) error {
	tracks := x.Layout.Tracks()
	for _, n := range v {
		if slices.ContainsFunc(x.Songs, func(s album.Song) bool { return s.Number == n }) {
			continue
		}
		at := slices.IndexFunc(tracks, func(t *disc.Track) bool { return t.Number == n })
		switch {
		case n == 0:
			return usage("%s has no audio hidden before its first track", name)
		case at >= 0:
			return usage("track %d holds data, and --track is for songs", n)
		}
		return usage("%s has no track %d: its tracks are %d to %d", name, n, tracks[0].Number, tracks[len(tracks)-1].Number)
	}
	return nil
}

// An albumPart is what becomes of an album some songs of which are made now, while others are
// in its folder, or are not asked for.
type albumPart struct {
	numbers songsFlag     // that are asked for; nil: all
	make    []int         // songs that are made now
	there   []riplog.Song // asked for, and in the folder as their log says
	kept    []riplog.Song // all that stay, those included
	same    []riplog.Song // of them, those that are as their log says
	codes   *disc.Layout  // with the ISRCs of what is there
	own     []string      // files that this run may replace: the sheet and the log
	log     *riplog.Log   // of what is there; nil: nothing
	dir     string
}

// Lines of the log of a part of an album.
const (
	absentLine  = "songs not asked for"
	sheetLine   = "CRC-32 of the sheet"
	mcnLine     = "catalogue number"
	offsetLine  = "read offset correction"
	earlierLine = "from an earlier rip"
)

// partOf looks for songs that an earlier run left in the folder of an album, and decides which are made. It
// returns nil where the whole album is made.
func partOf(ctx context.Context, dir string, x *album.Album, numbers songsFlag, force bool) (*albumPart, error) {
	p := &albumPart{numbers: numbers, dir: dir}
	if err := p.open(x); err != nil {
		return nil, err
	}
	if numbers == nil && !p.lacks(x) {
		return nil, nil
	}
	if err := p.keep(ctx, force); err != nil {
		return nil, err
	}
	if len(p.kept) > 0 {
		if err := p.sameCodes(x.Layout); err != nil {
			return nil, err
		}
	}
	for i := range x.Songs {
		n := x.Songs[i].Number
		if p.wants(n) && !slices.ContainsFunc(p.kept, func(s riplog.Song) bool { return s.Number == n && !s.Data }) {
			p.make = append(p.make, n)
		}
	}
	return p, nil
}

// wants reports whether a song is asked for.
func (p *albumPart) wants(number int) bool {
	return p.numbers == nil || slices.Contains(p.numbers, number)
}

// lacks reports whether some of the songs and tracks of data of a disc are in the folder, and others are not.
func (p *albumPart) lacks(x *album.Album) bool {
	if p.log == nil {
		return false
	}
	songs, err := p.log.Songs()
	if err != nil {
		return false
	}
	here := 0
	for _, s := range songs {
		if exists(filepath.Join(p.dir, s.File)) {
			here++
		}
		if first, end := riplog.Holds(songs, s.File); first != s.First || end != s.End {
			return p.log.Sections[0].Get(absentLine) != "" // it is made again whole
		}
	}
	all := len(x.Songs)
	for _, t := range x.Layout.Tracks() {
		if t.Mode.IsData() {
			all++
		}
	}
	return here > 0 && here < all
}

// open reads the log of the album, where there is one of this disc. Another file of its name is in the way.
func (p *albumPart) open(x *album.Album) error {
	path := filepath.Join(p.dir, x.LogName())
	text, err := readSmall(path, riplog.MaxSize)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	l, err := riplog.Parse(text)
	if err != nil {
		return nil //nolint:nilerr // it proves nothing of the songs, and is not replaced unasked
	}
	const idLine = "CTDB disc id"
	if ids, err := discid.Of(x.Layout); err != nil || l.Sections[0].Get(idLine) != ids.CTDB {
		return refusal{fmt.Errorf("%s is the log of another disc", path), exitUsage, "Name another folder."}
	}
	p.log, p.own = l, []string{path}
	sheet := filepath.Join(p.dir, x.SheetName())
	b, err := readSmall(sheet, riplog.MaxSize)
	if err != nil || fmt.Sprintf("%08X", crc32.ChecksumIEEE(b)) != l.Sections[0].Get(sheetLine) {
		b = nil
	} else {
		p.own = append(p.own, sheet)
	}
	p.codes = codesOf(x.Layout, b)
	return nil
}

// keep decides which of the songs of the log stay.
func (p *albumPart) keep(ctx context.Context, force bool) error {
	if p.log == nil {
		return nil
	}
	songs, err := p.log.Songs()
	if err != nil {
		return nil //nolint:nilerr // as for a log that was changed
	}
	for _, s := range songs {
		if first, end := riplog.Holds(songs, s.File); first != s.First || end != s.End {
			return usage("%s has the songs in one file, to which --track adds none: name another folder", p.dir)
		}
		found, err := album.VerifySong(ctx, p.dir, s, songs)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		asked := p.wants(s.Number) && (!s.Data || p.numbers == nil)
		same := err == nil && found == album.Same
		switch good := same && len(s.Flaws) == 0 && (p.numbers == nil || isProven(s.Proof)); {
		case found == album.Missing:
		case asked && good && !force:
			p.there = append(p.there, s)
			p.kept = append(p.kept, s)
		case !asked:
			p.kept = append(p.kept, s)
		default:
			continue
		}
		if same && found != album.Missing {
			p.same = append(p.same, s)
		}
	}
	return nil
}

// isProven reports whether what a log says of a song is more than that it was read once.
func isProven(words string) bool {
	return words != "" && !strings.HasPrefix(words, "read once") && !strings.HasPrefix(words, "copied from") && !strings.HasSuffix(words, "not compared")
}

// apply says in the options of an album what is made, and what stays.
func (p *albumPart) apply(o *album.Options) error {
	switch {
	case p == nil:
		return nil
	case o.OneFile:
		return usage("--image makes one file of all songs, and --track takes some: leave one of them out")
	}
	if o.Kept = p.kept; p.numbers != nil {
		o.Only = append([]int{}, p.make...)
	}
	return nil
}

// done reports whether all that is asked for is there.
func (p *albumPart) done() bool { return p != nil && p.numbers != nil && len(p.make) == 0 }

// only says which sectors of the disc are to be read; nil: all.
func (p *albumPart) only() func(*disc.Layout) []drive.Stretch {
	if p == nil {
		return nil
	}
	return func(l *disc.Layout) []drive.Stretch { return p.sectors(album.Of(l)) }
}

// sectors are those of the songs and the tracks of data that are made.
func (p *albumPart) sectors(x *album.Album) []drive.Stretch {
	var all []drive.Stretch
	for i := range x.Songs {
		if s := &x.Songs[i]; slices.Contains(p.make, s.Number) {
			all = append(all, drive.Stretch{First: s.Start, End: s.End})
		}
	}
	for _, t := range x.Layout.Tracks() {
		if t.Mode.IsData() && p.numbers == nil && !slices.ContainsFunc(p.kept, func(s riplog.Song) bool { return s.Data && s.Number == t.Number }) {
			all = append(all, drive.Stretch{First: t.Begin(), End: t.End})
		}
	}
	return all
}

// checkOffset refuses to add songs that would not join those that are there.
func (p *albumPart) checkOffset(offset int) error {
	if p == nil || p.log == nil || len(p.kept) == 0 {
		return nil
	}
	was, _, _ := strings.Cut(p.log.Sections[0].Get(offsetLine), " ")
	if was == "" || was == strconv.Itoa(offset) {
		return nil
	}
	return refusal{fmt.Errorf("the songs in %s were read with --offset %s", p.dir, was), exitUsage, "Use the same, or name another folder."}
}

// files are those that stay, with their maps.
func (p *albumPart) files() (all []string, flawed bool) {
	if p == nil {
		return nil, false
	}
	for _, s := range p.kept {
		path := filepath.Join(p.dir, s.File)
		all = append(all, path)
		if exists(path + mapfile.Suffix) {
			all = append(all, path+mapfile.Suffix)
		}
		flawed = flawed || len(s.Flaws) > 0
	}
	return all, flawed
}

// mayReplace are the files that this run may replace.
func (p *albumPart) mayReplace() []string {
	if p == nil {
		return nil
	}
	return p.own
}

// absent are the numbers of the songs that are not in the folder when this run is over.
func (p *albumPart) absent(x *album.Album) (here, absent []int) {
	for i := range x.Songs {
		n := x.Songs[i].Number
		kept := slices.ContainsFunc(p.kept, func(s riplog.Song) bool { return s.Number == n && !s.Data })
		if kept || slices.Contains(p.make, n) {
			here = append(here, n)
			continue
		}
		absent = append(absent, n)
	}
	return here, absent
}

// about says in the log which songs of the disc there are.
func (p *albumPart) about(s *riplog.Section, x *album.Album, sheet string) {
	if p != nil {
		here, absent := p.absent(x)
		s.Add("songs here", numbersText(here))
		s.Add(absentLine, numbersText(absent))
	}
	if b, err := readSmall(sheet, riplog.MaxSize); err == nil {
		s.Add(sheetLine, fmt.Sprintf("%08X", crc32.ChecksumIEEE(b)))
	}
}

// merge adds to a log what an earlier one says of the songs that stay.
func (p *albumPart) merge(l *riplog.Log) {
	if p == nil || p.log == nil {
		return
	}
	about := &p.log.Sections[0]
	earlier := []string{cmp.Or(about.Get("date"), "at an unknown time")}
	if name := cmp.Or(about.Get("drive"), about.Get("made from")); name != "" {
		earlier = append(earlier, name)
	}
	for _, s := range p.kept {
		name := s.Section().Name
		was := p.log.Section(name)
		if was == nil {
			continue
		}
		x := riplog.Section{Name: name, Lines: slices.Clone(was.Lines)}
		if x.Get(earlierLine) == "" {
			x.Add(earlierLine, strings.Join(earlier, ", "))
		}
		l.Sections = append(l.Sections, x)
	}
	const fixed = 2 // what it is about, and the table of contents
	number := func(s riplog.Section) int {
		_, n, _ := strings.Cut(s.Name, " ")
		v, _ := strconv.Atoi(n) //nolint:errcheck // spindle wrote it
		return v
	}
	slices.SortStableFunc(l.Sections[fixed:], func(a, b riplog.Section) int { return number(a) - number(b) })
}

// A keptSong is one that was there before.
type keptSong struct {
	Number int    `json:"number"`
	File   string `json:"file"`
	Words  string `json:"proof_text"`
}

// report says in a result what is there besides the songs that were made.
func (p *albumPart) report(r *albumResult, x *album.Album) {
	if p == nil {
		return
	}
	for _, s := range p.kept {
		r.Kept = append(r.Kept, keptSong{s.Number, filepath.Join(r.Folder, s.File), s.Proof})
	}
	_, r.Absent = p.absent(x)
	r.there = len(p.there)
}
