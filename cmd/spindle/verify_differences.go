package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"spindle/check"
	"spindle/disc"
)

// verifyDifference is a difference as verify shows it.
type verifyDifference struct {
	Track  int      `json:"track,omitempty"`
	First  disc.LBA `json:"first"`
	Last   disc.LBA `json:"last"` // inclusive
	Text   string   `json:"text"`
	Unread bool     `json:"unread,omitempty"`  // not compared
	Lacks  bool     `json:"lacking,omitempty"` // known not to be in the image

	code bool // of a code or a text
}

// newDifferences describes differences.
func newDifferences(all []check.Difference) []verifyDifference {
	var out []verifyDifference
	for _, d := range all {
		v := verifyDifference{Text: differenceWords(d), Unread: d.Kind == check.Uncompared, Lacks: d.Kind == check.Lacking, code: otherCode(d) != ""}
		if v.Unread || v.Lacks || d.Kind == check.OtherContent {
			v.Track, v.First, v.Last = d.Track, d.First, d.Last
		}
		out = append(out, v)
	}
	return out
}

// differenceWords says what differs.
func differenceWords(d check.Difference) string {
	if words := otherCode(d); words != "" {
		return words
	}
	switch d.Kind {
	case check.Uncompared:
		return "cannot be read"
	case check.Lacking:
		return "not in this image"
	case check.OtherTracks:
		return fmt.Sprintf("one has %s, the other %d", plural(d.A, "track"), d.B)
	case check.OtherMode:
		return fmt.Sprintf("track %d is %s in one, %s in the other", d.Track, d.ModeA, d.ModeB)
	case check.OtherLength:
		return fmt.Sprintf("track %d has %d sectors in one, %d in the other", d.Track, d.A, d.B)
	case check.OtherPregap:
		return fmt.Sprintf("track %d has %d sectors of pregap in one, %d in the other", d.Track, d.A, d.B)
	}
	return "different content"
}

// otherCode says which code or text differs, or nothing where none does.
func otherCode(d check.Difference) string {
	in := fmt.Sprintf(" is %q in one, %q in the other", d.TextA, d.TextB)
	switch d.Kind {
	case check.OtherMCN:
		return "the catalogue number" + in
	case check.OtherISRC:
		return fmt.Sprintf("the ISRC of track %d", d.Track) + in
	case check.OtherText:
		of := "the disc"
		if d.Track > 0 {
			of = fmt.Sprintf("track %d", d.Track)
		}
		return "the " + textKinds[d.Text] + " of " + of + " in CD-TEXT" + in
	}
	return ""
}

// textKinds are the kinds of texts of CD-TEXT that are compared.
var textKinds = map[disc.PackType]string{
	disc.PackTitle: "title", disc.PackPerformer: "performer", disc.PackSongwriter: "songwriter",
	disc.PackComposer: "composer", disc.PackArranger: "arranger", disc.PackMessage: "message",
}

// subchannels notes in how many sectors two images have other sub-channels. That is no difference
// between the discs: sub-channels differ from one reading of a disc to the next.
func (v *verification) subchannels(ctx context.Context, other disc.Image) error {
	if len(v.Differences) > 0 || v.img.Subchannels() == nil || other.Subchannels() == nil ||
		!slices.EqualFunc(v.img.Layout().Tracks(), other.Layout().Tracks(), sameSectors) {
		return nil
	}
	n, first, err := check.OtherSubchannels(ctx, v.img, other)
	if n > 0 {
		v.a.note(fmt.Sprintf("The sub-channels of %s are not the same as in %s, the first at sector %d: two readings of a disc often differ in them.",
			plural(n, "sector"), v.o.with, first))
	}
	return err
}

// sameSectors reports whether two tracks are at the same addresses.
func sameSectors(a, b *disc.Track) bool { return a.Begin() == b.Begin() && a.End == b.End }

// ofSongs reports whether an image is an album in sound files, whose names and codes may be
// those of a database.
func ofSongs(img disc.Image) bool {
	return slices.ContainsFunc(img.Files(), isSong)
}

// String describes the difference in a line.
func (d verifyDifference) String() string {
	if d.Track == 0 {
		return d.Text
	}
	return fmt.Sprintf("track %d, %s: %s", d.Track, sectorsText(int(d.First), int(d.Last)), d.Text)
}

// reportDifferences lists what is not the same, and what could not be compared.
func (r *verifyResult) reportDifferences(p *page) {
	switch {
	case r.onlyUnread():
		p.line("%s is the same as far as it can be read:", r.o.with)
	case !slices.ContainsFunc(r.Differences, func(d verifyDifference) bool { return !d.Unread && !d.Lacks }):
		p.line("%s is the same as far as this image has it:", r.o.with)
	case !slices.ContainsFunc(r.Differences, func(d verifyDifference) bool { return !d.code }):
		p.line("%s has the same sectors, and %s:", r.o.with, p.red("other codes or texts"))
	default:
		p.line("%s is %s:", r.o.with, p.red("different"))
	}
	for i, d := range r.Differences {
		if i == mostListed {
			p.line("  and %d more (--json lists all)", len(r.Differences)-i)
			break
		}
		p.line("  %s", d)
	}
	if len(r.UnreadFiles) > 0 {
		p.line("files that cannot be read whole: %s", fileList(r.UnreadFiles))
	}
	r.reportShift(p)
}

// onlyUnread reports whether all that is not the same could not be read, or is not in this image.
func (r *verifyResult) onlyUnread() bool {
	return slices.ContainsFunc(r.Differences, func(d verifyDifference) bool { return d.Unread }) &&
		!slices.ContainsFunc(r.Differences, func(d verifyDifference) bool { return !d.Unread && !d.Lacks })
}

// unequal are those of some differences that are not of tracks that the image lacks, as it says.
func (f *findings) unequal(all []check.Difference) []check.Difference {
	return slices.DeleteFunc(slices.Clone(all), func(d check.Difference) bool {
		return d.Kind == check.Lacking && len(f.present(disc.FlawsOf(disc.Flaw{First: d.First, Count: int(d.Last-d.First) + 1, Kind: disc.Unread}))) == 0
	})
}

// unreadFlaws are the sectors of a disc that could not be compared.
func unreadFlaws(all []check.Difference) disc.Flaws {
	var flaws []disc.Flaw
	for _, d := range all {
		if d.Kind == check.Uncompared {
			flaws = append(flaws, disc.Flaw{First: d.First, Count: int(d.Last-d.First) + 1, Kind: disc.Unread})
		}
	}
	return disc.FlawsOf(flaws...)
}

// reportShift says with which read offset the disc was compared.
func (r *verifyResult) reportShift(p *page) {
	if r.Silent > 0 {
		p.line("at the edges of the audio the image has silence where the disc has %s, not compared", plural(r.Silent, "sample"))
	}
	if r.Shift == 0 {
		return
	}
	when, side := "late", "end"
	if r.Shift < 0 {
		when, side = "early", "beginning"
	}
	n := max(r.Shift, -r.Shift)
	p.line("the drive reads audio %s %s (its read offset): as much at the %s of the audio was not compared", plural(n, "sample"), when, side)
}

// differText names the tracks that differ.
func differText(tracks []int) string {
	if len(tracks) == 1 {
		return fmt.Sprintf("track %d differs", tracks[0])
	}
	const most = 8
	var list []string
	for i, n := range tracks {
		if i == most {
			return fmt.Sprintf("tracks %s and %d more differ", strings.Join(list, ", "), len(tracks)-i)
		}
		list = append(list, strconv.Itoa(n))
	}
	return "tracks " + strings.Join(list, ", ") + " differ"
}
