package main

import (
	"errors"
	"fmt"
	"strings"

	"spindle/iso"
	"spindle/rip"
)

// incompleteRip is the result of a rip that ended before all of the disc was tried.
type incompleteRip struct {
	ending
	Map     string         `json:"map"`
	Sectors int64          `json:"sectors"`
	Left    []rip.BadRange `json:"left"`
	Files   []string       `json:"files,omitempty"` // that are not whole

	Parts []iso.DamagedFile `json:"file_parts,omitempty"` // what of them
}

// whyIncomplete says why such a rip ended, and with which status.
func whyIncomplete(err error, o *rip.Options) (what string, status int) {
	switch {
	case errors.Is(err, rip.ErrTimeUp):
		return fmt.Sprintf("stopped after %s (--max-time)", o.MaxTime), exitBadSectors
	case errors.Is(err, rip.ErrManyErrors):
		return fmt.Sprintf("stopped at %s (--max-errors)", plural(o.MaxErrors, "unreadable sector")), exitBadSectors
	}
	if errors.Is(err, rip.ErrWorse) {
		return fmt.Sprintf("the new image is damaged more than %q, which stays", o.Output), exitBadSectors
	}
	return "interrupted", exitInterrupted
}

// newIncompleteRip says what a rip that ended early has, what it does not have, and how to resume it.
func newIncompleteRip(left *rip.IncompleteError, o *rip.Options) *incompleteRip {
	what, status := whyIncomplete(left, o)
	missing := int64(0)
	for _, b := range left.Left {
		if b.Reason != rip.Flawed && b.Reason != rip.NotCompared {
			missing += int64(b.Last-b.First) + 1
		}
	}
	return &incompleteRip{
		ending: failed(message{
			status: status,
			what:   fmt.Sprintf("%s: %d%% of the disc is read and kept", what, percent(left.Sectors-missing, left.Sectors)),
			next:   resumeBy(o, missing == left.Sectors && errors.Is(left, rip.ErrTimeUp)),
		}),
		Map: left.Map, Sectors: left.Sectors, Left: left.Left, Files: namesOf(left.Files), Parts: left.Files,
	}
}

// sameCommand names the command that resumes: with --force it would start over, with --quick retry nothing.
func sameCommand(force, quick bool) string {
	switch {
	case force && quick:
		return "the same command without --force and --quick"
	case force:
		return "the same command without --force"
	case quick:
		return "the same command without --quick"
	}
	return "the same command"
}

// resumeBy says which command reads what a rip has not, where its time was up perhaps before it had read anything.
func resumeBy(o *rip.Options, tooShort bool) string {
	switch {
	case tooShort:
		return "Finding out what is on the disc takes longer: run the same command with a longer --max-time."
	case o.Force && o.Quick:
		return "The same command without --force and --quick resumes from there, and retries what failed; with --force, it starts over."
	case o.Force:
		return "Run the same command without --force to resume from there: with it, the rip starts over."
	case o.Quick:
		return "The same command without --quick resumes from there, and retries what failed."
	}
	return "Run the same command to resume from there."
}

// mostLeft is how many ranges of what is missing are printed; all are in the map and in JSON.
const mostLeft = 10

// Text implements event.
func (r *incompleteRip) Text(p *page) {
	if len(r.Left) == 0 {
		return
	}
	n, once := 0, 0
	for _, b := range r.Left {
		if b.Reason == rip.NotCompared {
			once += int(b.Last-b.First) + 1
		} else {
			n += int(b.Last-b.First) + 1
		}
	}
	switch {
	case n == 0:
		p.text("%s of %d %s read once, and not compared yet:", plural(once, "sector"), r.Sectors, wasOrWere(once))
	case once > 0:
		p.text("%s of %d %s missing or not right yet, and %d %s read only once:", plural(n, "sector"), r.Sectors, isOrAre(n), once, wasOrWere(once))
	default:
		p.text("%s of %d %s missing or not right yet:", plural(n, "sector"), r.Sectors, isOrAre(n))
	}
	for i, b := range r.Left {
		if i == mostLeft {
			p.line("  and %s more: see %s", plural(len(r.Left)-i, "range"), r.Map)
			break
		}
		p.line("  %s: %s", sectorsText(int(b.First), int(b.Last)), leftReasons[b.Reason])
	}
	listDamaged(p, "files that are not whole", r.Parts)
}

// leftReasons says in what state sectors are that a rip did not come to, or could not read yet.
var leftReasons = map[rip.Reason]string{
	rip.NotTried:    "not read yet",
	rip.GivenUp:     "failed together, not tried one by one yet",
	rip.NotCompared: "read once, not compared yet",
	rip.Unreadable:  "unreadable so far",
	rip.Protected:   "copy-protected",
	rip.Flawed:      "read with errors so far",
}

// combinedText says how sectors of data came to be right that never read right.
func combinedText(n int) string {
	was, it := "were", "their checksums (EDC) and addresses prove them"
	if n == 1 {
		was, it = "was", "its checksum (EDC) and address prove it"
	}
	return fmt.Sprintf("%s of data %s put together from several damaged readings: %s.", plural(n, "sector"), was, it)
}

// A forcedRip is the error of a rip with --force. What it has read is resumed without that.
type forcedRip struct{ error }

func (e forcedRip) Unwrap() error { return e.error }

// withoutForce is advice to resume, for a command with --force, which would start over.
func withoutForce(advice string) string {
	if !strings.Contains(advice, "resume") {
		return advice
	}
	return strings.Replace(advice, "the same command", "the same command without --force", 1)
}
