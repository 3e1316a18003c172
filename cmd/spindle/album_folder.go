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
	case opts.OneFile && !p.Whole():
		return nil, usage("--image makes one file of all songs, and --track takes some: leave one of them out")
	}
	if p.Unsealed != "" && !p.Done() {
		a.note(fmt.Sprintf("The log has no checksum of %s, as those of early versions: it says what would be written now, and is replaced.", p.Unsealed))
	}
	p.Options(opts)
	return p, nil
}

// checkOffset refuses to add songs that would not join those that are there.
func checkOffset(p *folder.Plan, offset int) error {
	if was := p.Offset(); was != "" && was != strconv.Itoa(offset) {
		return refusal{fmt.Errorf("the songs in %s were read with --offset %s", p.Dir, was), exitUsage, "Use the same, or name another folder."}
	}
	return nil
}

// onlySongs says which sectors of the disc are to be read; nil: all.
func onlySongs(p *folder.Plan) func(*disc.Layout) []drive.Stretch {
	if p.Whole() {
		return nil
	}
	return func(l *disc.Layout) []drive.Stretch { return stretches(p.Sectors(album.Of(l))) }
}

// heldSongs is what a rip compares with the disc; nil: nothing stays.
func heldSongs(ctx context.Context, p *folder.Plan) *rip.Held {
	h := p.Held()
	if h == nil {
		return nil
	}
	return &rip.Held{
		MCN: h.MCN, Codes: h.Codes, Good: stretches(h.Good), Once: stretches(h.Once),
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
}

// takeFolder says in a result what is there besides the songs that were made.
func (r *albumResult) takeFolder(p *folder.Plan, x *album.Album) {
	for _, s := range p.Kept {
		r.Kept = append(r.Kept, keptSong{s.Number, filepath.Join(r.Folder, s.File), s.Proof.Words})
	}
	_, r.Absent = p.Numbers(x)
	r.there = p.There
}
