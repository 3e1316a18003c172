package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"spindle/burn"
	"spindle/burn/journal"
	"spindle/iso"
	"spindle/scsi"
)

// doing names a step of a burn in the middle of a sentence.
func doing(s burn.Step) string {
	switch s.(type) {
	case burn.BlankStep:
		return "blanking the disc"
	case burn.FormatStep:
		return "formatting the disc"
	case burn.LayerStep:
		return "setting the layer break"
	case burn.ParamsStep:
		return "setting the mode of writing"
	case burn.CalibrateStep:
		return "calibrating the laser"
	case burn.ReserveStep:
		return "reserving the track"
	case burn.CueSheetStep:
		return "announcing the tracks"
	case burn.ExpectStep:
		return "looking where the session begins"
	case burn.SyncStep:
		return "the drive wrote the rest of its buffer"
	case burn.CloseStep:
		return "closing the disc"
	}
	return "writing"
}

// whyFailed says how the burn of a journal ended.
func whyFailed(j *journal.Journal) string {
	switch j.Failure.Reason {
	case journal.Broken:
		return "it was cut off"
	case journal.Interrupted:
		return "it was interrupted " + sentWords(j.At.LBA)
	case journal.Different:
		return "the disc differs from the image"
	case journal.Unverified:
		if j.Failure.Text == "" {
			return "the disc was burned completely; comparing it was interrupted"
		}
		return "the disc was burned, and could not be compared with the image: " + journalCause(j.Failure)
	}
	text := "the burn failed"
	if j.At.Step < len(j.Plan.Steps) {
		s := j.Plan.Steps[j.At.Step]
		text += " while " + doing(s)
		if burn.Writes(s) {
			text += ", " + sentWords(j.At.LBA)
		}
	}
	return text + ": " + journalCause(j.Failure)
}

// journalCause says what an error means that a journal has kept, in words.
func journalCause(f journal.Failure) string {
	if f.Sense != "" {
		var s scsi.Sense
		if _, err := fmt.Sscanf(f.Sense, "%x/%x/%x", &s.Key, &s.ASC, &s.ASCQ); err == nil {
			if m, ok := senseWords(s); ok {
				return m.what
			}
		}
		return "the drive reported an error"
	}
	for _, m := range linkMeanings {
		if strings.Contains(f.Text, m.err.Error()) {
			return m.what
		}
	}
	for reason := range refusals {
		if strings.HasSuffix(f.Text, string(reason)) {
			return "the drive did not take the burn: " + string(reason)
		}
	}
	return inWords(f.Text)
}

// touchedWords says that an image was written to since it was burned.
func touchedWords(err error) string {
	var c *burn.ImageChangedError
	if !errors.As(err, &c) {
		return err.Error()
	}
	return fmt.Sprintf("%s was written to at %s; what the drive took of it is unchanged, and the rest is burned as it is now",
		c.File, c.ModTime.Format(time.DateTime))
}

// burnNotes are the sentences of the notes of a burn.
var burnNotes = map[burn.NoteCode]func(n burn.Note) string{
	burn.NoteOverburn: func(n burn.Note) string {
		return fmt.Sprintf("%d sectors more than the disc is made for: the drive may refuse them, and the end may be unreadable", n.Sectors)
	},
	burn.NotePadded: func(burn.Note) string {
		return "the image is padded with zeros to 4 seconds, the shortest track a CD may have"
	},
	burn.NoteLengthened: func(n burn.Note) string {
		return fmt.Sprintf("%s of zeros are added before a lead-out, so that the next session begins where the image has it", plural(n.Sectors, "sector"))
	},
	burn.NoteFixed: func(n burn.Note) string {
		return fmt.Sprintf("written in this way, the disc must know the length before the first write: what the pipe does not fill of %s becomes zeros",
			plural(n.Sectors, "sector"))
	},
	burn.NoteStream: func(n burn.Note) string {
		return fmt.Sprintf("%s came through the pipe; on the disc they fill %s", sizeText(n.Bytes), plural(n.Sectors, "sector"))
	},
	burn.NoteNoText: func(burn.Note) string {
		return "the drive does not write CD-TEXT onto this disc: it is left out"
	},
	burn.NoteCalibration: func(burn.Note) string {
		return "the drive could not calibrate its laser when it was asked to; it may manage at the first write"
	},
	burn.NoteUnread: func(burn.Note) string {
		return "the drive does not read a session that is open: the burn is resumed where the drive and the journal say; only the comparison afterwards proves the disc"
	},
	burn.NoteResidue: func(burn.Note) string {
		return "the adapter claims that it did not pass on all of the data, and the drive reported no error; only the comparison with the image will tell"
	},
	burn.NoteFullBlank: func(burn.Note) string {
		return "the quick way of blanking failed; the whole disc is erased, which takes as long as writing it"
	},
}

// noteWords says what a note of a burn means.
func noteWords(n burn.Note) string {
	if sentence, ok := burnNotes[n.Code]; ok {
		return sentence(n)
	}
	return n.String()
}

// resumeWords says how a burn is resumed.
func resumeWords(r *burn.ResumePlan, t *target, compare bool) string {
	how := "from the start, "
	switch r.Mode {
	case burn.CloseOnly:
		if len(r.Plan.Steps) > 0 {
			return howLong("close the disc (all data are written already)", r.Plan, compare)
		}
		if compare {
			return "compare only (all data are written already)"
		}
		return "nothing to do (all data are written already)"
	case burn.RestartErased:
		how = "after erasing the disc, "
	case burn.Resume:
		how = fmt.Sprintf("from where it was cut off (sector %d), ", r.From)
	}
	return howLong(how+planWords(t), r.Plan, compare)
}

// fitWords says that an image does not fit.
func fitWords(e *burn.FitError) string {
	return fmt.Sprintf("the image does not fit on the disc: it needs %d sectors (%s), and %d (%s) are free; %d are missing", e.Need,
		sizeText(int64(e.Need)*iso.BlockSize), e.Free, sizeText(int64(e.Free)*iso.BlockSize), e.Need-e.Free)
}

// dataDiscs are the kinds of disc that hold data, in sectors, from the smallest: DVD+R (ECMA-349) and DVD-R DL
// (ECMA-382) as the smaller of their kind, and the Blu-ray discs of one to four layers.
var dataDiscs = []struct {
	sectors int
	name    string
}{
	{2295104, "DVD (4.7 GB)"}, {4171712, "DVD DL (8.5 GB)"}, {12219392, "BD (25 GB)"},
	{24438784, "BD DL (50 GB)"}, {48878592, "BD XL (100 GB)"}, {62500864, "BD XL (128 GB)"},
}

// fitAdvice says which kind of disc an image fits on. One hardly larger than that in the drive is of its kind, and lacks
// what spare areas take.
func fitAdvice(e *burn.FitError) string {
	for _, d := range dataDiscs {
		if d.sectors >= e.Need && d.sectors > e.Free+e.Free/8 {
			return fmt.Sprintf("Use a larger disc; for data, a blank %s is large enough.", d.name)
		}
	}
	return "spindle knows no larger disc."
}
