package cuefile

import (
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"spindle/cue"
	"spindle/image/format"
)

// A sheet may be of a disc of which not all is there, as of an album of which some songs were ripped.
// "REM ABSENT 2 4" at its head names the tracks, 0 being audio hidden before the first; "REM ABSENT
// 03:10:27" before the first INDEX of a file says that the file is not there, and how long it is.
// Sectors of those are flaws of the image: its tracks are those of the disc.

// absentFile stands for such a file.
type absentFile struct{ *cue.File }

func (f *absentFile) ReadAt([]byte, int64) (int, error) {
	return 0, fmt.Errorf("%s: %w", f.Name, fs.ErrNotExist)
}

// lack notes that a file is not there, as the sheet says.
func (o *opener) lack(f *cue.File) cue.Content {
	x := &absentFile{f}
	o.lacking = append(o.lacking, x)
	return cue.Content{Source: x, Absent: f.Absent}
}

// lacks reports whether a file was found not to be there.
func (o *opener) lacks(f *cue.File) bool {
	return slices.ContainsFunc(o.lacking, func(x *absentFile) bool { return x.File == f })
}

// emptyAbsent makes flaws of the sectors of files that are not there.
func (o *opener) emptyAbsent(c *format.Completer) {
	silent := new(format.File) // their lengths are stated: there is nothing to remark
	for _, x := range o.lacking {
		c.Complete(silent, x, 0, silent)
	}
	o.absent = c.Flaws
}

// absentTracks are the numbers of the tracks that the sheet says are not there, but for those whose files
// are there by now.
func (o *opener) absentTracks() (numbers []string) {
	for _, c := range o.sheet.Comments {
		if list, ok := strings.CutPrefix(c, "ABSENT "); ok {
			numbers = append(numbers, strings.Fields(list)...)
		}
	}
	for i := range o.sheet.Tracks {
		t := &o.sheet.Tracks[i]
		for _, x := range t.Indexes {
			number := t.Number
			if i == 0 && x.Number == 0 {
				number = 0
			} else if x.Number != 1 {
				continue
			}
			if f := &o.sheet.Files[x.File]; f.Absent > 0 && !o.lacks(f) {
				numbers = slices.DeleteFunc(numbers, func(s string) bool { return s == strconv.Itoa(number) })
			}
		}
	}
	return numbers
}
