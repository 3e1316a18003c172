package folder

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"spindle/image/riplog"
)

// earlierLine says in the section of a song that stays when, and how, it was made.
const earlierLine = "from an earlier rip"

// An Offset is the correction with which songs were read.
type Offset struct {
	Samples int
	Known   bool // somebody stated that it is that of the drive
}

// Offset is how the songs that are there, and are joined, were read. ok is false where there are none, or their log does not say it.
func (p *Plan) Offset() (o Offset, ok bool) {
	if !p.joins() {
		return o, false
	}
	number, rest, _ := strings.Cut(p.log.Sections[0].Get(riplog.OffsetLine), " ")
	n, err := strconv.Atoi(number)
	return Offset{n, n != 0 || strings.Contains(rest, "(")}, err == nil
}

// Seal states in the first section of a log the checksum of the sheet at a path, if there is one: a later run replaces it
// only while it has that.
func Seal(s *riplog.Section, sheet string) {
	if b, err := readSmall(sheet); err == nil {
		s.Add(riplog.SheetLine, sheetSum(b))
	}
}

// Merge adds to the log of a run what the log in the folder says of the songs that stay.
func (p *Plan) Merge(l *riplog.Log) {
	if p.log == nil {
		return
	}
	about := &p.log.Sections[0]
	earlier := []string{cmp.Or(about.Get("date"), "at an unknown time")}
	if name := cmp.Or(about.Get("drive"), about.Get("made from")); name != "" {
		earlier = append(earlier, name)
	}
	if offset := about.Get(riplog.OffsetLine); offset != "" {
		earlier = append(earlier, riplog.OffsetLine+" "+offset)
	}
	for _, s := range p.Kept {
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
