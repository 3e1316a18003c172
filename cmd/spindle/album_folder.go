package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"spindle/album"
	"spindle/album/folder"
	"spindle/disc"
	"spindle/drive"
	"spindle/image/riplog"
	"spindle/rip"
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

// planFolder finds out which songs of an album are made, and which are in its folder. It says so in opts.
func planFolder(ctx context.Context, a *app, dir string, x *album.Album, r folder.Request, opts *album.Options) (*folder.Plan, error) {
	p, err := folder.Open(ctx, dir, x, r)
	switch {
	case errors.Is(err, folder.ErrOneFile):
		return nil, usage("%s has the songs in one file, to which --track adds none: name another folder", dir)
	case err != nil:
		return nil, err
	case opts.OneFile && !p.Whole() && r.Songs == nil:
		return nil, refusal{fmt.Errorf("%s has songs of this disc in files of their own already, and --image makes one file of all", dir), exitUsage,
			unchanged + "Leave --image out to add the others, or name another folder."}
	case opts.OneFile && !p.Whole():
		return nil, usage("--image makes one file of all songs, and --track takes some: leave one of them out")
	}
	if p.Unsealed != "" && !p.Done() {
		a.note(fmt.Sprintf("The log has no checksum of %s, as those of early versions: it says what would be written now, and is replaced.", p.Unsealed))
	}
	p.Options(opts)
	return p, nil
}

// checkOffset refuses to add songs that would not join those that are there. Where the offsets of both drives are known,
// all songs are at their place, whatever it took.
func checkOffset(p *folder.Plan, samples int, choice *offsetChoice) error {
	was, ok := p.Offset()
	now := choice.is(samples)
	if !ok || was.Samples == samples || was.Known && now {
		return nil
	}
	why := "and the read offset of the drive that read them was not known"
	if was.Known {
		why = "and the read offset of this drive is not known"
	}
	return refusal{fmt.Errorf("the songs in %s were read with --offset %d, %s: new songs would not line up with them", p.Dir, was.Samples, why), exitUsage,
		"Use the same on the same drive, or name another folder. On another drive, --offset has to be the right one for both."}
}

// noteOtherTags says which songs stay with other tags than the file that was named states. What they have may be what somebody
// gave them since.
func (o *albumFlags) noteOtherTags(a *app, p *folder.Plan, x *album.Album) {
	if o.tags == "" {
		return
	}
	if other := x.OtherTags(p.Dir, p.Kept); len(other) > 0 {
		list := numbersText(other)
		a.note(fmt.Sprintf("In %s, %s %s there before, with other tags than %s states: existing files keep their tags. You can change them with any tagger; "+
			"the log stays valid. \"--track %s --force\" makes these songs again, with the tags of %s.", p.Dir,
			oneOr(len(other), "song", "songs")+" "+list, wasOrWere(len(other)), o.tags, flagText(other), o.tags))
	}
}

// flagText gives "1,3-5" for numbers in order.
func flagText(numbers []int) string {
	return strings.NewReplacer(", ", ",", " to ", "-").Replace(numbersText(numbers))
}

// noteAgain says which songs are there and made again.
func noteAgain(a *app, p *folder.Plan) {
	if len(p.Again) > 0 {
		is, was, they := "songs", "were", "they are"
		if len(p.Again) == 1 {
			is, was, they = "song", "was", "it is"
		}
		a.note(fmt.Sprintf("In %s, %s %s %s read once, and nothing proves %s: %s read again.", p.Dir, is, numbersText(songNumbers(p.Again)), was,
			oneOr(len(p.Again), "it", "them"), they))
	}
}

// songNumbers are those of some songs.
func songNumbers(songs []riplog.Song) (numbers []int) {
	for i := range songs {
		numbers = append(numbers, songs[i].Number)
	}
	return numbers
}

// wrongOnce says what else there is to do if a disc is not that of songs which were read once: they may be wrong from end to end.
func wrongOnce(p *folder.Plan, err error) error {
	once := songNumbers(p.Once())
	if len(once) == 0 || !errors.Is(err, rip.ErrHeld) || !errors.Is(err, rip.ErrOtherDisc) {
		return err
	}
	songs, them := "Songs "+numbersText(once)+" were", "them"
	if len(once) == 1 {
		songs, them = "Song "+numbersText(once)+" was", "it"
	}
	return refusal{err, exitNoDisc, fmt.Sprintf("%sInsert the disc of the songs that are there, or name another folder. %s read once, and may be wrong: "+
		"if this is the right disc, \"--track %s --force\" makes %s again.", unchanged, songs, flagText(once), them)}
}

// noteReplaced says which songs came out other than the reading that they replace.
func noteReplaced(a *app, p *folder.Plan, made *album.Created) {
	for i := range p.Again {
		was := &p.Again[i]
		if slices.ContainsFunc(made.Songs, func(m album.Made) bool { return m.Number == was.Number && m.CRC32 != was.CRC32 }) {
			a.note(fmt.Sprintf("Song %d is not what was read once before (CRC-32 %08X): the new reading took its place.", was.Number, was.CRC32))
		}
	}
}

// noteLeft names the files of an album that was made again in another form, or under other names.
func noteLeft(a *app, p *folder.Plan, made *album.Created) {
	left := p.Left(made.Files)
	if n := len(left); n > 0 {
		it := oneOr(n, "it", "them")
		a.note(fmt.Sprintf("%s %s in %s, and the log no longer states %s. Remove %s if you need %s no more.",
			fileList(left), oneOr(n, "stays", "stay"), filepath.Clean(p.Dir), it, it, it))
	}
}

// onlySongs says which sectors of the disc are to be read; nil: all.
func onlySongs(p *folder.Plan) func(*disc.Layout) []drive.Stretch {
	if p.Whole() {
		return nil
	}
	return func(l *disc.Layout) []drive.Stretch { return stretches(p.Sectors(album.Of(l))) }
}

// heldSongs is what a rip compares with the disc; nil: nothing stays.
func heldSongs(ctx context.Context, a *app, p *folder.Plan) *rip.Held {
	h := p.Held()
	if h == nil {
		return nil
	}
	offset, _ := p.Offset()
	return &rip.Held{
		Offset: offset.Samples, MCN: h.MCN, Codes: h.Codes, Good: stretches(h.Good), Once: stretches(h.Once), Same: func() { noteAgain(a, p) },
		Read: func(b []byte, first disc.LBA) error { return p.ReadSectors(ctx, b, first) },
	}
}

// stretches are runs of sectors as a rip takes them.
func stretches(runs []album.Run) []drive.Stretch {
	var all []drive.Stretch
	for _, x := range runs {
		all = append(all, drive.Stretch{First: x.First, End: x.End})
	}
	return all
}

// aboutFolder says in the log which songs of the disc there are.
func aboutFolder(s *riplog.Section, p *folder.Plan, x *album.Album, sheet string) {
	if !p.Whole() {
		here, absent := p.Numbers(x)
		s.Add("songs here", numbersText(here))
		s.Add(riplog.AbsentLine, numbersText(absent))
	}
	folder.Seal(s, sheet)
}

// A keptSong is one that was there before.
type keptSong struct {
	Number int    `json:"number"`
	File   string `json:"file"`
	Words  string `json:"proof_text"`
	Found  string `json:"found,omitempty"` // different or unreadable: not what the log says
	Why    string `json:"why,omitempty"`
	Flawed int    `json:"flawed,omitempty"` // sectors that the log calls not right
}

// text says what is wrong with the song.
func (k *keptSong) text() string {
	name := filepath.Base(k.File) + " "
	if is, ok := strings.CutPrefix(k.Why, name); ok {
		return is
	}
	switch {
	case k.Why != "":
		return "cannot be read: " + k.Why
	case k.Found != "":
		return "is not what the log says it was"
	}
	return "has " + plural(k.Flawed, "sector") + " not right, as the log says"
}

// isWrong reports whether the song is not right.
func (k *keptSong) isWrong() bool { return k.Found != "" || k.Flawed > 0 }

// takeFolder says in a result what is there besides the songs that were made.
func (r *albumResult) takeFolder(p *folder.Plan, x *album.Album) {
	for _, s := range p.Kept {
		k := keptSong{Number: s.Number, File: filepath.Join(r.Folder, s.File), Words: s.Proof.Words, Flawed: s.Flaws.Sectors()}
		for _, w := range p.Wrong {
			if w.File == s.File && w.Found != album.Same {
				if k.Found = findingNames[w.Found]; w.Err != nil {
					k.Why = w.Err.Error()
				}
			}
		}
		if r.Kept = append(r.Kept, k); k.isWrong() && r.Status == exitDone {
			r.Status = exitDifferent
		}
	}
	_, r.Absent = p.Numbers(x)
	r.there = p.There
}
