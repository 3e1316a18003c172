package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"spindle/album"
	"spindle/check"
	"spindle/disc"
	"spindle/image"
	"spindle/internal/printable"
)

// mostFiles is how many damaged files are named.
const mostFiles = 20

// flawRange is a run of sectors that are known to be wrong.
type flawRange struct {
	First disc.LBA `json:"first"`
	Last  disc.LBA `json:"last"` // inclusive
	Kind  string   `json:"kind"` // unread, read with errors, unproven
}

func flawRanges(all disc.Flaws) []flawRange {
	var out []flawRange
	for _, f := range all {
		out = append(out, flawRange{f.First, f.End() - 1, f.Kind.String()})
	}
	return out
}

// String describes the range in a line.
func (f flawRange) String() string {
	if f.First == f.Last {
		return fmt.Sprintf("sector %d: %s", f.First, f.Kind)
	}
	return fmt.Sprintf("sectors %d to %d (%d): %s", f.First, f.Last, f.Last-f.First+1, f.Kind)
}

func sectorsOf(all []flawRange) int {
	n := 0
	for _, f := range all {
		n += int(f.Last-f.First) + 1
	}
	return n
}

// mapNames names the maps that say that sectors of an image are not right: one that was cut
// short needs none.
func (f *findings) mapNames() string {
	if n := len(f.maps); n > 1 {
		return strings.Join(f.maps[:n-1], ", ") + " and " + f.maps[n-1]
	}
	return strings.Join(f.maps, "")
}

// present are those of some flaws that are not of tracks that the image lacks.
func (f *findings) present(all disc.Flaws) disc.Flaws {
	for _, x := range f.absent {
		all = all.Without(x.First, x.End())
	}
	return all
}

// tracks are the songs that are made of an image: those that are asked for, or nil for all. Of an image that lacks
// songs, they are those that it has.
func (f *findings) tracks(name string, x *album.Album, asked songsFlag) (songsFlag, error) {
	if len(f.absent) == 0 {
		return asked, nil
	}
	var there songsFlag
	for i := range x.Songs {
		s := &x.Songs[i]
		switch lacks := f.absent.Contains(s.Start); {
		case !lacks:
			there = append(there, s.Number)
		case slices.Contains(asked, s.Number):
			return nil, usage("%s lacks track %d", name, s.Number)
		}
	}
	if asked != nil {
		there = asked
	}
	return there, nil
}

// flawText says how many sectors of an image are absent or not right, of n.
func (f *findings) flawText(n int) string {
	var all []string
	if absent := f.absent.Sectors(); absent > 0 && absent <= n {
		all, n = append(all, fmt.Sprintf("%s %s absent", plural(absent, "sector"), isOrAre(absent))), n-absent
	}
	if n > 0 {
		all = append(all, f.damageText(n))
	}
	return strings.Join(all, "; ")
}

// damageText says how many sectors of an image are not right, and by which map that is known.
func (f *findings) damageText(n int) string {
	text := plural(n, "sector") + " " + wereOrWas(n) + " not read correctly"
	if len(f.maps) > 0 {
		text += ", according to " + f.mapNames()
	}
	return text
}

// reportFlaws lists what is known to be wrong with an image, by a map beside it or by its size.
func reportFlaws(p *page, found *findings, all []flawRange) {
	if len(all) == 0 {
		return
	}
	p.line("%s:", p.red(found.flawText(sectorsOf(all))))
	for i, f := range all {
		if i == mostListed {
			p.line("  and %s more (--json lists all)", plural(len(all)-i, "range"))
			break
		}
		p.line("  %s", f)
	}
}

// badFlaws gives sectors that do not agree with their own codes as flaws.
func badFlaws(bad []check.BadRange) disc.Flaws {
	var all []disc.Flaw
	for _, b := range bad {
		all = append(all, disc.Flaw{First: b.First, Count: int(b.Last-b.First) + 1, Kind: disc.ReadWithErrors})
	}
	return disc.FlawsOf(all...)
}

// suffering names the files that sectors belong to, as the end of a sentence.
func suffering(ctx context.Context, img disc.Image, sectors disc.Flaws) string {
	files := image.FilesAt(ctx, img, sectors, mostFiles+1)
	if len(files) == 0 {
		return ""
	}
	return "; damaged files: " + fileList(files)
}

// fileList names files, not too many.
func fileList(names []string) string {
	var shown []string
	for i, name := range names {
		if i == mostFiles {
			shown = append(shown, "and more")
			break
		}
		shown = append(shown, printable.Line(name))
	}
	return strings.Join(shown, ", ")
}

func wereOrWas(n int) string {
	if n == 1 {
		return "was"
	}
	return "were"
}
