package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"spindle/addr"
	"spindle/album"
	"spindle/disc"
	"spindle/disc/discid"
	"spindle/drive"
	"spindle/image/riplog"
	"spindle/rip"
)

// albumResult is the result of what makes a folder of songs.
type albumResult struct {
	ending
	Folder   string        `json:"folder"`
	Album    string        `json:"album,omitempty"`
	Songs    []albumSong   `json:"songs"`
	Data     []albumData   `json:"data,omitempty"`
	Kept     []keptSong    `json:"kept,omitempty"`   // that were in the folder
	Absent   []int         `json:"absent,omitempty"` // songs that were not asked for
	Files    []string      `json:"files"`
	Log      string        `json:"log"`
	Evidence []string      `json:"evidence,omitempty"` // files of databases
	Flaws    []flawRange   `json:"flaws,omitempty"`
	Raw      string        `json:"raw,omitempty"` // the sheet of the raw rip that is kept
	Maps     []string      `json:"maps,omitempty"`
	Bytes    int64         `json:"bytes"`
	Seconds  float64       `json:"seconds,omitempty"`
	Offset   *offsetChoice `json:"read_offset,omitempty"`
	Seen     *offsetSeen   `json:"read_offset_seen,omitempty"`
	Silence  int           `json:"silent_samples,omitempty"` // at the edge of the audio
	proofs   map[proof]int
	ends     [2]int // sectors at the start and the end of proven audio that no database covers
	endsRead bool   // twice, with the same result
	silent   int    // songs, of which nothing else is known
	there    int    // songs that were asked for, and in the folder
	force    bool   // these options were given
	quick    bool
}

// albumSong is a song in it.
type albumSong struct {
	Number  int    `json:"number"`
	Title   string `json:"title,omitempty"`
	File    string `json:"file"`
	Sectors int    `json:"sectors"`
	CRC32   string `json:"crc32"`
	V1      string `json:"accuraterip_v1,omitempty"`
	V2      string `json:"accuraterip_v2,omitempty"`
	Proof   proof  `json:"proof"`
	Words   string `json:"proof_text"`
	Flawed  int    `json:"flawed,omitempty"`
	Silent  bool   `json:"silent,omitempty"`
}

// albumData is a track of data beside the songs.
type albumData struct {
	Number  int    `json:"number"`
	File    string `json:"file"`
	Sectors int    `json:"sectors"`
	CRC32   string `json:"crc32"` // of the file
	Flawed  int    `json:"flawed,omitempty"`
}

// A proof is what a song is known to be right by: all but riplog.Copied, which is unproven here.
type proof = riplog.Means

// proofOf says how a song is proven, and in words. res is nil for songs of an image.
func proofOf(m *album.Made, res *rip.Result) (proof, string) {
	if m.Flawed > 0 && onlyNotCompared(m, res) {
		return riplog.Unproven, fmt.Sprintf("%s read once, not compared", plural(m.Flawed, "sector"))
	}
	if m.Flawed > 0 {
		return riplog.NotRight, fmt.Sprintf("%s not right", plural(m.Flawed, "sector"))
	}
	fixed := repairedIn(m, res)
	said := databaseWords(&m.Proof, fixed)
	if m.Proof.ByAccurateRip() || m.Proof.ByCTDB() {
		return riplog.Database, said + settledWords(m, res) + edgeWords(m, res)
	}
	by, words := readWords(m, res, fixed)
	switch {
	case onlySilence(&m.Proof):
		words = silentWords + "; " + words
	case m.Proof.Silent:
		words = "silent; " + words
	}
	if said != "" {
		words += " (" + said + ")"
	}
	return by, words
}

// readWords says how a song was read, of which CTDB's parity repaired some samples and which no database proves.
func readWords(m *album.Made, res *rip.Result, fixed int) (proof, string) {
	gone := func(words string) string {
		if m.Proof.Silent {
			return ""
		}
		return words
	}
	switch {
	case res == nil:
		return riplog.Unproven, "copied from an image"
	case fixed > 0:
		return riplog.Unproven, plural(fixed, "sample") + " repaired by CTDB's parity" + gone(", and what proved them then is not here now")
	case slices.ContainsFunc(res.Proven, func(r drive.Stretch) bool { return r.First < m.End && m.First < r.End }):
		// The songs of an earlier reading are made without the file that proved it.
		return riplog.Unproven, "read once" + gone("; what proved it then is not here now")
	case res.ReadTwice:
		if v := votesIn(res.Votes, m.First, m.End); v != nil {
			return riplog.Votes, "two equal reads; " + v.text()
		}
		return riplog.TwoReads, "two equal reads"
	case res.Pointed:
		return riplog.OneRead, "read once, no error reported by the drive (C2)"
	}
	return riplog.Unproven, "read once"
}

// settledWords says how many samples of a song no readings decided on, but AccurateRip.
func settledWords(m *album.Made, res *rip.Result) string {
	n := 0
	for i := 0; res != nil && i < len(res.Settled); i++ {
		if s := res.Settled[i]; s.At >= m.First && s.At < m.End {
			n += s.Samples
		}
	}
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("; %s settled by it", plural(n, "sample"))
}

// repairedIn counts the samples of a song that CTDB's parity repaired.
func repairedIn(m *album.Made, res *rip.Result) (n int) {
	for i := 0; res != nil && i < len(res.Repaired); i++ {
		if x := res.Repaired[i]; x.At >= m.First && x.At < m.End {
			n += x.Samples
		}
	}
	return n
}

// edgeWords says how the sectors of a proven song are proven that the checksums of databases
// leave out: those at the ends of the disc.
func edgeWords(m *album.Made, res *rip.Result) string {
	var ends []string
	first, last := leftOut(m)
	if first > 0 {
		ends = append(ends, "first "+strconv.Itoa(first))
	}
	if last > 0 {
		ends = append(ends, "last "+strconv.Itoa(last))
	}
	if len(ends) == 0 {
		return ""
	}
	how := "not compared"
	switch {
	case res == nil:
	case res.ReadTwice:
		how = "two equal reads"
	default:
		how = "read once"
	}
	return fmt.Sprintf("; its %s sectors, which databases leave out: %s", strings.Join(ends, " and "), how)
}

// leftOut counts the sectors at the start and the end of a proven song that databases leave out.
func leftOut(m *album.Made) (first, last int) {
	return max(0, int(m.Proven.First-m.First)), max(0, int(m.End-m.Proven.End))
}

// onlyNotCompared reports whether nothing is known against a song but that the rip ended before
// its second reading.
func onlyNotCompared(m *album.Made, res *rip.Result) bool {
	if res == nil {
		return false
	}
	some := false
	for _, b := range res.Bad {
		if b.First >= m.End || b.Last < m.First {
			continue
		}
		if b.Reason != rip.NotCompared {
			return false
		}
		some = true
	}
	return some
}

// newAlbumResult describes what was made.
func newAlbumResult(dir string, x *album.Album, made *album.Created, res *rip.Result) *albumResult {
	r := &albumResult{
		ending: done(), Folder: dir, Album: x.Name(""), Files: made.Files, Flaws: flawRanges(made.Flaws), Maps: made.Maps,
		Bytes: made.Bytes, proofs: map[proof]int{}, endsRead: res != nil && res.ReadTwice,
	}
	for i := range made.Songs {
		m := &made.Songs[i]
		p, words := proofOf(m, res)
		if onlySilence(&m.Proof) && (p == riplog.Unproven || p == riplog.OneRead) {
			r.silent++
		} else {
			r.proofs[p]++
		}
		if p == riplog.Database {
			first, last := leftOut(m)
			r.ends[0], r.ends[1] = r.ends[0]+first, r.ends[1]+last
		}
		s := albumSong{
			Number: m.Number, Title: m.Title, File: m.Path, Sectors: int(m.End - m.First), CRC32: fmt.Sprintf("%08x", m.CRC32),
			Proof: p, Words: words, Flawed: m.Flawed, Silent: m.Proof.Silent,
		}
		if m.Number > 0 {
			s.V1, s.V2 = fmt.Sprintf("%08x", m.Sums.V1), fmt.Sprintf("%08x", m.Sums.V2)
		}
		r.Songs = append(r.Songs, s)
	}
	for _, d := range made.Data {
		r.Data = append(r.Data, albumData{d.Number, d.Path, int(d.End - d.First), fmt.Sprintf("%08x", d.CRC32), d.Flawed})
	}
	return r
}

// Text implements event.
func (r *albumResult) Text(p *page) {
	var sectors, widest int
	for _, s := range r.Songs {
		sectors += s.Sectors
		widest = min(mostWide, max(widest, len([]rune(r.label(&s)))))
	}
	if len(r.Songs) == 0 && len(r.Data) == 0 {
		r.textKept(p)
		return
	}
	took := ""
	if r.Seconds >= 1 {
		took = " in " + time.Duration(r.Seconds*float64(time.Second)).Round(time.Second).String()
	}
	length := time.Duration(sectors) * time.Second / disc.FramesPerSecond
	what := fmt.Sprintf("%s, %s", plural(len(r.Songs), "song"), length.Round(time.Second))
	if len(r.Songs) == 0 {
		what = plural(len(r.Data), "track") + " of data"
	}
	p.line("%s: %s%s", r.Folder, what, took)
	for _, s := range r.Songs {
		name := fmt.Sprintf("%-*s", widest, r.label(&s))
		if s.Proof == riplog.NotRight {
			p.line("  %s  %s", name, p.red(s.Words))
			continue
		}
		p.line("  %s  %s", name, s.Words)
	}
	bad := 0
	for _, d := range r.Data {
		name := fmt.Sprintf("%-*s", widest, filepath.Base(d.File))
		if d.Flawed > 0 {
			bad++
			p.line("  %s  %s", name, p.red(plural(d.Flawed, "sector")+" not right"))
			continue
		}
		p.line("  %s  data, %s", name, plural(d.Sectors, "sector"))
	}
	if len(r.Songs) > 0 {
		p.text("%s", r.summary())
	}
	if bad > 0 {
		p.text("%s not right: the log says where.%s", p.red(plural(bad, "track")+" of data"), r.again())
	}
	if r.Silence != 0 {
		side := "end"
		if r.Silence < 0 {
			side = "start"
		}
		p.text("%s of silence stand at the %s of the audio, where the offset correction puts what is there out of reach; the databases leave these places out.",
			plural(max(r.Silence, -r.Silence), "sample"), side)
	}
	r.textKept(p)
	r.Seen.text(p)
	if r.Log != "" {
		p.line("log: %s", filepath.Base(r.Log))
	}
}

// textKept says what is in the folder from earlier runs, and what is not.
func (r *albumResult) textKept(p *page) {
	switch {
	case len(r.Songs)+len(r.Data) == 0 && r.there > 0:
		p.text("%s: all that was asked for is there, as its log says. Nothing was read.", r.Folder)
	case r.there > 0:
		p.text("%s there before, as the log says, and not made again.", plural(r.there, "song"))
	}
	for i := range r.Kept {
		if k := &r.Kept[i]; k.isWrong() {
			p.text("%s was there before, and %s", filepath.Base(k.File), p.red(k.text()+"."))
		}
	}
	if len(r.Absent) > 0 {
		p.text("Not asked for: %s %s.", oneOr(len(r.Absent), "song", "songs"), numbersText(r.Absent))
	}
}

// mostWide is how wide the column of names may be.
const mostWide = 60

// label is what a song is called in the table: its file, or where that holds all, its number
// and title.
func (r *albumResult) label(s *albumSong) string {
	if len(r.Songs) > 1 && r.Songs[0].File == r.Songs[1].File {
		return fmt.Sprintf("%02d %s", s.Number, s.Title)
	}
	return filepath.Base(s.File)
}

// butEnds says what of songs that databases prove they do not cover, as the end of a sentence.
func (r *albumResult) butEnds() string {
	var which string
	switch first, last := r.ends[0], r.ends[1]; {
	case first+last == 0:
		return ""
	case first == last:
		which = fmt.Sprintf("first and last %d", first)
	case last == 0:
		which = fmt.Sprintf("first %d", first)
	case first == 0:
		which = fmt.Sprintf("last %d", last)
	default:
		which = fmt.Sprintf("first %d and last %d", first, last)
	}
	if r.endsRead {
		return fmt.Sprintf("; the %s sectors of the disc, which no database covers, were read twice with the same result", which)
	}
	return fmt.Sprintf(", but for the %s sectors of the disc, which no database covers", which)
}

// aboutDisc is the start of a log: the program, the disc and its ids.
func aboutDisc(x *album.Album, at time.Time, evidence []string) riplog.Section {
	var s riplog.Section
	s.Add("program", "spindle "+buildVersion())
	s.Add("date", at.UTC().Format(time.RFC3339))
	s.Add("album", x.Title())
	s.Add("artist", x.Artist())
	s.Add(riplog.CatalogueLine, x.Layout.MCN)
	if ids, err := discid.Of(x.Layout); err == nil {
		s.Add("AccurateRip disc id", ids.AccurateRip.String())
		s.Add("CDDB disc id", fmt.Sprintf("%08x", ids.CDDB))
		s.Add("MusicBrainz disc id", ids.MusicBrainz)
		s.Add("CTDB disc id", ids.CTDB)
	}
	s.Add("MusicBrainz release", x.Tags.Get("MUSICBRAINZ_ALBUMID"))
	for _, path := range evidence {
		s.Add("database", filepath.Base(path))
	}
	if len(evidence) == 0 {
		s.Add("database", "none")
	}
	s.Add("gaps", "at the end of the song before")
	return s
}

// aboutRip adds how the disc was read.
func aboutRip(s *riplog.Section, driveName string, o *ripFlags, res *rip.Result, choice *offsetChoice) {
	s.Add("drive", driveName)
	offset := fmt.Sprintf("%d samples", o.Offset)
	if choice.is(o.Offset) {
		offset += " (" + choice.Origin + ")"
	}
	s.Add(riplog.OffsetLine, offset)
	if res.Shift != 0 {
		s.Add("audio of this drive", laterWords(res.Shift)+" than that of the one before, and put where that has it")
	}
	if o.Offset != 0 {
		beyond := fmt.Sprintf("%d samples at the %s", max(o.Offset, -o.Offset), map[bool]string{true: "start", false: "end"}[o.Offset < 0])
		if res.Overread {
			s.Add("overread", beyond+", read")
		} else {
			s.Add("silence out of reach", beyond)
		}
	}
	s.Add("mode", audioMode(o))
	switch {
	case res.ReadTwice && len(res.Proven) > 0:
		s.Add("audio", "read twice and compared, but for what a database proved after one reading")
	case res.ReadTwice:
		s.Add("audio", "read twice and compared")
	default:
		s.Add("audio", "read once")
	}
	s.Add("errors in audio (C2)", map[bool]string{true: "reported by the drive", false: "not reported by the drive"}[res.Pointed])
	if res.Combined > 0 {
		s.Add("sectors of data put together from several readings", strconv.Itoa(res.Combined))
	}
	s.Add("resumed", map[bool]string{true: "yes"}[res.Resumed])
	for _, b := range res.Bad {
		s.Add("bad sectors", fmt.Sprintf("track %d, %d to %d (%s): %s", b.Track, b.First, b.Last, addr.Frames(int(b.Last-b.First)+1), b.Reason))
	}
	for _, v := range res.Votes {
		s.Add("voted", fmt.Sprintf("sector %d: %s, %d of %d readings agree", v.At, plural(v.Samples, "sample"), v.Agree, v.Of))
	}
	for _, x := range res.Settled {
		s.Add("settled", fmt.Sprintf("sector %d: %s of which no readings agree, by AccurateRip", x.At, plural(x.Samples, "sample")))
	}
	for _, run := range repairedRuns(res.Repaired) {
		s.Add("repaired", run)
	}
	for _, run := range res.Proven {
		s.Add("proven after one reading", fmt.Sprintf("sectors %d to %d", run.First, run.End-1))
	}
}

// repairedRuns says for each run of sectors how many samples CTDB's parity repaired.
func repairedRuns(all []rip.Repaired) (lines []string) {
	for i := 0; i < len(all); {
		k, n, silent := i, 0, 0
		for ; k < len(all) && all[k].At == all[i].At+disc.LBA(k-i); k++ {
			n, silent = n+all[k].Samples, silent+all[k].Silent
		}
		where := fmt.Sprintf("sector %d", all[i].At)
		if k-i > 1 {
			where = fmt.Sprintf("sectors %d to %d", all[i].At, all[k-1].At)
		}
		line := fmt.Sprintf("%s: %s, by the parity of CTDB", where, plural(n, "sample"))
		if silent > 0 {
			line += fmt.Sprintf("; %d came without a sign of error", silent)
		}
		lines = append(lines, line)
		i = k
	}
	return lines
}
