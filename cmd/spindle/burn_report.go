package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"spindle/burn"
	"spindle/disc"
	"spindle/drive"
	"spindle/image"
	"spindle/scsi"
	"spindle/scsi/mmc"
)

// burnResult is the result of burn, reburn, blank and format.
type burnResult struct {
	ending
	asItIs     []string
	Drive      string       `json:"drive,omitempty"`
	State      string       `json:"state"` // of the disc
	Verified   int          `json:"verified,omitempty"`
	Different  []burn.Range `json:"different,omitempty"`
	Unreadable []burn.Range `json:"unreadable,omitempty"`
	Slow       []burn.Range `json:"slow,omitempty"`
	Files      []string     `json:"files,omitempty"`
	Missing    []burn.Label `json:"missing,omitempty"`
	NotAsked   []burn.Label `json:"not_asked,omitempty"`
	Misplaced  []int        `json:"misplaced_tracks,omitempty"`
	Damaged    int          `json:"damaged_sectors,omitempty"` // of the image
	Journal    string       `json:"journal,omitempty"`

	text   string
	burned bool
}

// Text implements event.
func (r *burnResult) Text(p *page) {
	switch wrong := strings.Join(r.asItIs, "; "); {
	case r.text == "":
	case wrong == "" || !r.burned:
		p.text("%s", r.text)
	case r.Damaged > 0:
		p.text("%s", p.red(strings.TrimSuffix(r.text, ".")+": "+wrong+"."))
	default:
		p.text("%s", p.red(strings.TrimSuffix(r.text, ".")+". The image may be damaged: "+wrong+"."))
	}
}

// fail makes the result one of a failure.
func (r *burnResult) fail(m message) { r.ending = failed(m) }

// discStates says what a disc is after a burn that did not end well.
var discStates = map[burn.DiscState]string{
	burn.Untouched:    "The disc was not touched.",
	burn.StillBlank:   "The disc is still blank.",
	burn.Appendable:   "The disc is partly written; the burn can be resumed.",
	burn.Overwritable: "The disc is not spoiled: it can be overwritten.",
	burn.Complete:     "The disc is closed.",
	burn.Spoiled:      "The disc is spoiled.",
}

func stateWords(s burn.DiscState) string {
	if words, ok := discStates[s]; ok {
		return words
	}
	return "The state of the disc is unknown; \"spindle info\" shows it."
}

// burnOutcome says how a burn ended.
func burnOutcome(ctx context.Context, a *app, t *target, r burn.Result, several bool) *burnResult {
	e := &burnResult{ending: done(), Drive: t.name, State: string(r.State), Damaged: t.damage.sectors, Files: t.damage.files, asItIs: a.asItIs}
	if t.journal != nil {
		e.Journal = t.journal.Path()
	}
	if v := r.Verification; v != nil {
		e.Verified, e.Different, e.Unreadable, e.Slow = v.Sectors, v.Different, v.Unreadable, v.Slow
		e.Files = slices.Compact(slices.Sorted(slices.Values(slices.Concat(e.Files, v.Files))))
		e.Missing, e.NotAsked, e.Misplaced = slices.Concat(v.Missing, v.LeftOut), v.NotAsked, v.Misplaced
		noteLabels(a, v)
	}
	switch v := r.Verification; {
	case r.Err != nil && (errors.Is(r.Err, context.Canceled) || ctx.Err() != nil && scsi.SenseOf(r.Err) == nil):
		e.fail(burnInterrupted(r, t).of(t, r))
	case r.Err != nil:
		e.fail(burnFailure(r, t).of(t, r))
	case t.plan.Simulate:
		e.text = "The simulation succeeded; the disc was not written."
	case v == nil && len(t.plan.Steps) == 0:
		e.text = "Nothing was written, and nothing compared."
	case v == nil:
		e.text, e.burned = "Burned; the disc was not compared with the image.", true
		if t.damage.sectors > 0 {
			e.text = "Burned as it is, and not compared; " + onDisc(t.plan)
		}
	case v.OK():
		e.text, e.burned = verifiedWords(t.plan, v), true
		if t.damage.sectors > 0 {
			e.text = "Burned as it is, and compared; " + onDisc(t.plan)
		}
		if len(v.Slow) > 0 {
			a.note(fmt.Sprintf("some places were hard to read (%s): the disc may not last; a slower speed writes better", ranges(v.Slow)))
		}
	default:
		e.fail(burnDiffers(v).of(t, r))
	}
	if several {
		if e.Error != "" {
			e.Error = t.name + ": " + e.Error
		} else {
			e.text = t.name + ": " + e.text
		}
	}
	return e
}

// damage is what is known to be wrong with an image that is burned.
type damage struct {
	sectors int
	files   []string
}

func damageOf(ctx context.Context, img disc.Image, known disc.Flaws) damage {
	return damage{known.Sectors(), image.FilesAt(ctx, img, known, mostFiles+1)}
}

// onDisc says, at the end of a sentence, what the damage of the image is on the disc: only in
// raw mode the drive makes no error codes of its own.
func onDisc(p *burn.Plan) string {
	if p.Mode == burn.Raw96 {
		return "the damage is on the disc as it is."
	}
	return "the damage is on the disc as if it were good."
}

// verifiedWords says that the disc holds the image. A plan without steps was only compared.
func verifiedWords(p *burn.Plan, v *burn.Verification) string {
	text := fmt.Sprintf("Burned and verified: all %s match the image", plural(v.Sectors, "sector"))
	switch {
	case len(p.Steps) == 0:
		text = fmt.Sprintf("Compared: the disc holds all %s of the image", plural(v.Sectors, "sector"))
	case v.Sectors == 1:
		text = "Burned and verified: the sector matches the image"
	}
	if v.Offset != 0 {
		text += fmt.Sprintf(" (the drive returns audio %d samples late)", v.Offset)
	}
	return text + labelsApart(v) + "."
}

// finishDisc opens the tray, or makes the system see what is on the disc now.
func finishDisc(ctx context.Context, a *app, t *target, r *burnResult, tray trayFlags) {
	switch {
	case r.Status != exitDone:
	case tray.eject:
		if err := moveTray(ctx, t.drive, mmc.Eject); err != nil {
			a.note("the tray could not be opened: " + err.Error())
		}
	case t.plan.Simulate || tray.keep || strings.HasPrefix(t.name, "sim:"):
	default:
		reload(ctx, a, t)
	}
}

// reload moves the tray out and in: the operating system looks at a disc when it
// comes, and would keep seeing the blank one.
func reload(ctx context.Context, a *app, t *target) {
	if err := moveTray(ctx, t.drive, mmc.Eject); err != nil {
		a.note("take the disc out and insert it again before other programs use it")
		return
	}
	err := moveTray(ctx, t.drive, mmc.Load)
	if err == nil {
		err = drive.WaitReady(ctx, t.drive, readyLimit)
	}
	switch {
	case errors.Is(err, drive.ErrNoMedium): // as of a laptop's drive
		a.note("the tray is open: push it in to use the disc")
	case err != nil:
		a.note("the disc was burned correctly, but the drive did not accept it again: " + err.Error())
	}
}

// mostRanges is how many ranges an error lists.
const mostRanges = 5

func ranges(list []burn.Range) string {
	var parts []string
	for i, r := range list {
		if i == mostRanges {
			parts = append(parts, fmt.Sprintf("and %d more", len(list)-i))
			break
		}
		parts = append(parts, r.String())
	}
	return strings.Join(parts, ", ")
}

// burnDiffers reports a disc that does not hold the image.
func burnDiffers(v *burn.Verification) message {
	var parts []string
	if len(v.Unreadable) > 0 {
		parts = append(parts, "unreadable: "+ranges(v.Unreadable))
	}
	if len(v.Different) > 0 {
		parts = append(parts, "different: "+ranges(v.Different))
	}
	if len(v.Misplaced) > 0 {
		parts = append(parts, trackList(v.Misplaced)+" not in its table of contents, or at another place")
	}
	what := "the disc does not match the image (" + strings.Join(parts, "; ") + ")"
	if v.Stream {
		what = "the disc does not match what came through the pipe"
	}
	if len(v.Files) > 0 {
		what += ". Affected files: " + strings.Join(v.Files, ", ")
	}
	return message{
		status: exitDifferent, what: what,
		next: "Do not rely on this disc. \"spindle reburn\" burns again, slower; a disc of another make may do better.",
	}
}

// burnInterrupted reports Ctrl-C.
func burnInterrupted(r burn.Result, t *target) message {
	m := message{status: exitInterrupted, what: "interrupted", next: stateWords(r.State) + " \"spindle reburn\" resumes, as far as the disc allows."}
	var verify *burn.VerifyError
	var failed *burn.Error
	switch {
	case r.State == burn.Spoiled:
		m.next = halfWritten + " " + afterSpoiling(t.medium)
	case errors.As(r.Err, &failed) && wasted(t, failed):
		m.next = wastedWords(t) + " " + afterSpoiling(t.medium)
	case errors.As(r.Err, &verify):
		m.next = "The disc was burned completely; only the comparison was stopped. \"spindle reburn\" compares it."
	}
	return m
}

// burnFailure reports a burn that failed.
func burnFailure(r burn.Result, t *target) message {
	m := message{status: exitBurnFailed, what: r.Err.Error(), next: tryAgain}
	if s := scsi.SenseOf(r.Err); s != nil {
		m.sense = s.String()
	}
	if what, next, ok := burnCause(r.Err); ok {
		m.what, m.next = what, next
	}
	var verify *burn.VerifyError
	var failed *burn.Error
	switch {
	case errors.As(r.Err, &verify):
		m.what, m.next = verify.Error(), compareAgain
		if errors.Is(r.Err, burn.ErrReload) {
			m.next = pushTray
		}
	case errors.As(r.Err, &failed):
		m.stopped(r, failed, t)
	}
	return m
}

// What to do after a burn that failed.
const (
	tryAgain     = "\"spindle reburn\" tries again, slower."
	resumeDisc   = "\"spindle reburn\" resumes on this disc."
	halfWritten  = "The disc is spoiled: it holds only a part of the image."
	burnAgain    = "\"spindle reburn\" erases it, and burns again, slower."
	burnFresh    = "Insert a fresh disc: \"spindle reburn\" burns the image onto it, slower."
	compareAgain = "The burn itself succeeded. Eject the disc, load it, and compare: "
	pushTray     = "Push the tray in, and compare: "
	takesStream  = "Send the data to \"spindle burn -\" again"
	sourceFailed = "Once the image can be read, \"spindle reburn\" resumes, as far as the disc allows."
	nowClosed    = "\"spindle reburn\" compares it once more."
	notClosed    = "This drive can read it, but others may refuse it. \"spindle reburn\" tries to close it, or burns it again."
)

// of fills in what the advice needs of a burn: names; and what came through a pipe is
// not burned again by reburn.
func (m message) of(t *target, r burn.Result) message {
	var verify *burn.VerifyError
	verifying := errors.As(r.Err, &verify)
	if t.image != "-" {
		if m.next == compareAgain || m.next == pushTray {
			m.next += t.compareCommand()
		}
		if t.noJournal && !verifying {
			m.next = withoutJournal(t, r)
		}
		if t.elsewhere != "" {
			m.next = strings.ReplaceAll(m.next, "\"spindle reburn\"", "\"spindle reburn "+quoted(t.elsewhere)+"\"")
		}
		return m
	}
	switch state := r.State; {
	case verifying:
		m.next = "What came through a pipe cannot be compared again."
	case r.Err == nil:
		m.next = "Do not rely on this disc. " + takesStream + ", onto another one."
	case state == burn.Untouched, state == burn.StillBlank, state == burn.Overwritable:
		m.next = stateWords(state) + " " + takesStream + "."
	case t.medium.Erasable:
		m.next = "The disc holds a part of what was sent. " + takesStream + ", with --blank."
	default:
		m.next = "The disc may hold a part of what was sent. " + takesStream + ", onto a fresh disc."
	}
	return m
}

// withoutJournal says what to do after a burn of an image that reburn does not know of.
func withoutJournal(t *target, r burn.Result) string {
	again := "burn the image again: spindle burn " + quoted(t.image)
	if t.name != "" {
		again += " -d " + quoted(t.name)
	}
	const part = "The disc may hold a part of the image, and without a journal nothing resumes. "
	switch state := r.State; {
	case r.Err == nil:
		return "Do not rely on this disc. Insert another one, and " + again
	case state == burn.Untouched, state == burn.StillBlank, state == burn.Overwritable:
		return stateWords(state) + " " + capital(again)
	case state == burn.Complete:
		return stateWords(state) + " Compare it with the image: " + t.compareCommand()
	case t.medium.Erasable:
		return part + "Erase it, and " + again + " --blank"
	}
	return part + "Insert a fresh disc, and " + again
}

// compareCommand compares the disc with the image.
func (t *target) compareCommand() string {
	return "spindle verify " + quoted(t.image) + " --with " + quoted(cmp.Or(t.name, "/dev/sr0"))
}

// stopped completes the message of a burn that a step ended.
func (m *message) stopped(r burn.Result, failed *burn.Error, t *target) {
	if errors.Is(r.Err, burn.ErrStillBlank) {
		*m = message{status: m.status, what: burn.ErrStillBlank.Error(), next: "Nothing was burned. " + tryAgain + " A disc of another make may do better."}
		return
	}
	whole := m.reason(r.Err, failed)
	lost := failed.State == burn.Spoiled || wasted(t, failed)
	state := stoppedWords(failed, t)
	if words, next := dataWords(r.Verification, failed); words != "" {
		state += words
		if next != "" {
			m.next, whole = next, true
		}
	}
	next := m.next
	switch {
	case lost:
		next, _, _ = strings.Cut(next, resumesMaybe) // it cannot
		next = strings.TrimSpace(strings.TrimSuffix(next, ";") + " " + afterSpoiling(t.medium))
	case !whole && failed.State != burn.Unknown && failed.State != burn.Complete:
		next += " " + resumeDisc
	}
	m.next = state + " " + next
}

// reason says what failed, and where. It reports whether what to do next is said already.
func (m *message) reason(err error, failed *burn.Error) (whole bool) {
	whole = strings.Contains(m.next, "spindle reburn")
	where := ""
	var short *burn.ShortStreamError
	switch {
	case errors.As(err, &short):
		m.what = fmt.Sprintf("the pipe ended after %d bytes, and the volume that came through it has %d", short.Got, short.Want)
	case errors.Is(err, burn.ErrSource):
		m.what, m.next, whole = failed.Err.Error(), sourceFailed, true
	case failed.Writing():
		where = " " + sentWords(failed.At.LBA)
	}
	if failed.State == burn.Spoiled && m.next == sourceFailed {
		m.next = "" // there is nothing to resume
	}
	m.what = "the burn failed" + where + ": " + m.what
	if failed.AtClose() {
		m.what += " (while closing the disc, after all data)"
	}
	return whole
}

// stoppedWords says in what state the disc is.
func stoppedWords(failed *burn.Error, t *target) string {
	switch {
	case failed.State == burn.Spoiled && failed.Writing():
		return halfWritten
	case failed.State != burn.Spoiled && wasted(t, failed):
		return wastedWords(t)
	}
	return stateWords(failed.State)
}

// dataWords says what is known of the data on the disc, and what to do next where that is
// another thing than after other failures.
func dataWords(v *burn.Verification, failed *burn.Error) (words, next string) {
	switch {
	case v != nil && v.OK() && failed.State == burn.Complete:
		return " All data on it are correct.", nowClosed
	case v != nil && v.OK():
		return " All data on it are correct.", notClosed
	case v != nil:
		return " Some of the data on it are wrong.", ""
	case !failed.Writing() && failed.State == burn.Complete:
		return " Whether all data are on it is not known.", "\"spindle reburn\" compares it with the image."
	}
	return "", ""
}

// sentWords says how far a burn came: the drive's buffer lies between what was sent and the
// place on the disc.
func sentWords(at disc.LBA) string {
	if at <= 0 {
		return "before the first sector was sent"
	}
	return fmt.Sprintf("after sector %d was sent", at-1)
}

// wasted reports whether a burn ended in the middle of what is written at once, and cannot be
// resumed, though the disc takes more.
func wasted(t *target, failed *burn.Error) bool {
	_, sync := failed.Step.(burn.SyncStep)
	resumes := t.plan.Mode == burn.Sequential || t.plan.Mode == burn.Incremental
	return failed.State == burn.Appendable && !resumes && !sync && !failed.AtClose() && failed.At.LBA > t.plan.Start
}

func wastedWords(t *target) string {
	text := "The disc holds only a part of the image, and a burn " + string(t.plan.Mode) + " cannot be resumed on it."
	if t.plan.Start > 0 {
		text += " Its earlier sessions were not touched."
	}
	return text
}

// afterSpoiling says how the burn of a spoiled disc is made good.
func afterSpoiling(d *burn.Medium) string {
	if d.Erasable {
		return burnAgain
	}
	return burnFresh
}
