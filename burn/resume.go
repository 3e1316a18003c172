package burn

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"spindle/disc"
	"spindle/iso"
	"spindle/scsi/mmc"
)

// ErrFreshDisc means that the disc in the drive cannot take the burn again; another one can.
var ErrFreshDisc = errors.New("a fresh disc is needed")

// An Attempt is a burn that failed or was interrupted, as far as it was recorded.
type Attempt struct {
	Plan     *Plan
	MediumID string // [Medium.ID] of its disc
	At       Position
	Failed   bool // it ended with an error, at At
	// Later: a burn onto a disc of the same make succeeded since, so that a disc which looks
	// like the one of this burn may be that of the other.
	Later bool
}

// ResumeMode is how a failed burn is resumed.
type ResumeMode string

// The modes.
const (
	RestartBlank  ResumeMode = "restart"             // from the start, on a blank disc or over what is there
	RestartErased ResumeMode = "restart after blank" // a rewritable disc is erased first
	Resume        ResumeMode = "resume"              // after what the disc holds already
	CloseOnly     ResumeMode = "close only"          // the disc holds all of the image
)

// A ResumePlan is how a failed burn is resumed.
type ResumePlan struct {
	Mode ResumeMode
	Plan *Plan
	From disc.LBA // of Resume: the first sector that is written
	// Other: the disc holds all of the image, and is not the one of the burn. It is only
	// compared.
	Other bool
}

// ground is what a disc offers to a burn that is resumed on it.
type ground uint8

const (
	worthless   ground = iota // a write-once disc that takes nothing any more, or another one
	blankGround               // to be written from the start
	erasable                  // to be erased
	overwritten               // by the burn, and it can be again
	complete                  // all on it is closed: it may hold all of the image
	open                      // the burn's session is open
)

// ground tells what the disc m offers.
func (a *Attempt) ground(m *Medium) ground {
	same := a.sameDisc(m)
	switch {
	case m.random() && same && m.Formatted && a.At.LBA > 0:
		return overwritten
	case m.random(), m.Status == mmc.DiscBlank && !m.Damaged:
		return blankGround
	case m.Erasable:
		return erasable
	case !same || m.Damaged:
		return worthless
	case m.Status == mmc.DiscAppendable && m.Open:
		return open
	case m.Status == mmc.DiscComplete, m.Status == mmc.DiscAppendable: // it may have been closed before the burn was interrupted
		return complete
	}
	return worthless
}

// sameDisc reports whether a disc can be the one of the burn. One that is written at any place may have another profile
// since it was formatted.
func (a *Attempt) sameDisc(m *Medium) bool {
	kind := (&Medium{Profile: a.Plan.Profile}).Kind()
	return m.ID == a.MediumID && (m.Profile == a.Plan.Profile || m.random() && m.Kind() == kind)
}

// foreign reports whether a disc holds more than the burn can have left on it, or other things.
// The content is that of all the image, which p compared with the disc; behind tells whether
// something is on the disc from a place on.
func (a *Attempt) foreign(m *Medium, content []Region, p *comparer, behind func(from disc.LBA) bool) bool {
	beyond := a.beyond(m)
	other := a.otherContent(m, p)
	switch a.ground(m) {
	case overwritten:
		return other || (a.Later || p.equal > int(beyond-a.Plan.Start)) && behind(beyond)
	case erasable:
		if other || a.Plan.Start > 0 {
			return true
		}
		closed := m.Status == mmc.DiscComplete && !m.Damaged // as drives leave some discs after a burn that failed
		return closed && (a.Later || !a.mayBeWhole(m, content) && behind(beyond))
	case complete:
		return a.Later || !a.mayBeWhole(m, content)
	case blankGround:
		return a.Later || m.ID != a.MediumID
	}
	return false
}

// otherContent reports whether a disc differs from the image where the burn must have written it.
func (a *Attempt) otherContent(m *Medium, p *comparer) bool {
	return p.differs && p.equal < int(a.earliest(m, p.buffer)-a.Plan.Start)
}

// mayBeWhole reports whether the burn can have written all of a content.
func (a *Attempt) mayBeWhole(m *Medium, content []Region) bool {
	reached := len(content) > 0 && a.beyond(m) >= content[len(content)-1].end()
	return reached || a.At.Step > lastWriting(a.Plan.Steps)
}

// closing reports whether the burn ended when it closed the disc.
func (a *Attempt) closing() bool {
	if a.At.Step >= len(a.Plan.Steps) {
		return false
	}
	_, ok := a.Plan.Steps[a.At.Step].(CloseStep)
	return ok
}

// sent reports whether the drive took all that the burn writes.
func (a *Attempt) sent(all []Region) bool {
	last := lastWriting(a.Plan.Steps)
	return a.At.Step > last && len(all) > 0 && a.At.LBA >= all[len(all)-1].end()
}

// trackClosed reports whether the track of the burn is closed, in a session that is
// open: the track that is open lies behind it, or none is, as where the disc is full.
func (a *Attempt) trackClosed(m *Medium, c *Comparison) bool {
	return m.NoPoint || c.Track > a.Plan.Start
}

// blocks is how many sectors of a content can be compared, from the beginning on, and
// whether those are all.
func blocks(content []Region) (n int, all bool) {
	for _, r := range content {
		if r.Form != FormBlock {
			return n, false
		}
		n += r.Count
	}
	return n, true
}

// content is what of the image the disc holds once the burn is done. A plan of an
// old journal does not say so.
func (a *Attempt) content(src *Source) []Region {
	if a.Plan.Content != nil {
		return a.Plan.Content
	}
	c := content(a.Plan.Steps, src)
	t, err := src.data()
	if err == nil && (len(c) == 0 || len(c) == 1 && c[0].Form == FormBlock) {
		return []Region{{LBA: a.Plan.Start, Source: t.Start, Count: int(t.End - t.Start)}}
	}
	return c
}

func sectors(content []Region) int {
	n := 0
	for _, r := range content {
		n += r.Count
	}
	return n
}

// covers reports whether a content is all of the image.
func covers(content []Region, src *Source) bool {
	tracks := src.layout().Tracks()
	end := disc.LBA(0)
	for _, r := range content {
		end = max(end, r.Source+disc.LBA(r.Count))
	}
	return len(tracks) > 0 && end == tracks[len(tracks)-1].End
}

// PlanResume plans how a failed burn is resumed on the disc m, of which c says how
// far it holds the image. It sends nothing to the drive, and leaves m as it is. The
// error wraps [ErrFreshDisc] when the disc cannot be used.
func PlanResume(ctx context.Context, m *Medium, src *Source, a *Attempt, c *Comparison, o Options) (*ResumePlan, error) {
	r, err := a.planResume(ctx, m, src, c, o)
	if err == nil && r.Mode == CloseOnly && c.Foreign {
		r.Other, r.Plan.Steps = true, nil
	}
	return r, err
}

func (a *Attempt) planResume(ctx context.Context, m *Medium, src *Source, c *Comparison, o Options) (*ResumePlan, error) {
	switch a.ground(m) {
	case overwritten:
		return planOverwrite(ctx, m, src, c, o)
	case blankGround:
		if m.random() {
			o.Spare = "" // the disc was formatted
		}
		plan, err := MakePlan(ctx, m, src, o)
		return &ResumePlan{Mode: RestartBlank, Plan: plan}, err
	case erasable:
		o.Blank = true
		plan, err := MakePlan(ctx, m, src, o)
		return &ResumePlan{Mode: RestartErased, Plan: plan}, err
	case complete:
		if a.holds(c, src) {
			return a.planClose(m, src, o, nil), nil
		}
		if m.Status == mmc.DiscAppendable && !m.NoPoint && m.NextWritable == a.Plan.Start { // nothing was added to it
			plan, err := MakePlan(ctx, m, src, o)
			return &ResumePlan{Mode: RestartBlank, Plan: plan}, err
		}
	case open:
		return a.planAppend(m, src, c, o)
	}
	return nil, fmt.Errorf("the %s in the drive is %s, and a %s is written once: %w", m.Profile, m.State(), m.Profile, ErrFreshDisc)
}

// holds reports whether a disc, on which all is closed, holds all of the image. What
// cannot be compared in blocks, as audio, the comparison after the burn decides, where
// the drive took all of it.
func (a *Attempt) holds(c *Comparison, src *Source) bool {
	all := a.content(src)
	n, whole := blocks(all)
	return c.Equal == n && covers(all, src) && (whole && n > 0 || !whole && a.sent(all))
}

// planOverwrite resumes at the first sector that differs.
func planOverwrite(ctx context.Context, m *Medium, src *Source, c *Comparison, o Options) (*ResumePlan, error) {
	o.Spare = "" // the disc was formatted
	plan, err := MakePlan(ctx, m, src, o)
	if err != nil {
		return nil, err
	}
	if c.Foreign && c.Equal == sectors(plan.Content) {
		return &ResumePlan{Mode: CloseOnly, Plan: plan}, nil
	}
	n := c.Equal / m.blocking() * m.blocking()
	for _, s := range plan.Steps {
		if f, ok := s.(FormatStep); ok && f.Request.Param&1 == 0 {
			n = 0 // a freshly formatted disc holds nothing
		}
	}
	if n == 0 {
		return &ResumePlan{Mode: RestartBlank, Plan: plan}, nil
	}
	return resume(plan, plan.Start+disc.LBA(n)), nil
}

// planAppend resumes at the next writable address of an open track, if what lies
// before it is the beginning of the image. (growisofs can do so too, undocumented.)
func (a *Attempt) planAppend(m *Medium, src *Source, c *Comparison, o Options) (*ResumePlan, error) {
	all := a.content(src)
	before := a.Plan
	written := min(int(m.NextWritable-before.Start), sectors(all))
	switch {
	case !covers(all, src):
		return nil, fmt.Errorf("the burn was one of another image: %w", ErrFreshDisc)
	case c.Unreadable && written > 0 && !a.endedNear(m, c, sectors(all)):
		return nil, &Refusal{Kind: ErrFreshDisc, Reason: EndedElsewhere, Disc: m.Profile, A: int(m.NextWritable), B: int(a.At.LBA)}
	case a.unclosed(m, c, all):
		r := a.planClose(m, src, o, a.closeSteps(a.trackClosed(m, c)))
		r.Plan.trust(c)
		return r, nil
	case m.NoPoint:
		return nil, fmt.Errorf("the disc takes nothing more: %w", ErrFreshDisc)
	case before.Mode != Sequential && before.Mode != Incremental:
		return nil, fmt.Errorf("a burn %s cannot be resumed: %w", before.Mode, ErrFreshDisc)
	case c.Track != before.Start:
		return nil, fmt.Errorf("the open track of the disc begins at %d, and the burn began at %d: %w", c.Track, before.Start, ErrFreshDisc)
	case c.Unreadable && written > 0:
		// The journal and the next writable address agree; the comparison after the
		// burn decides. growisofs resumes without reading.
	case c.Equal < written:
		return nil, fmt.Errorf("sector %d of the disc is not what was burned: %w", before.Start+disc.LBA(c.Equal), ErrFreshDisc)
	}
	plan := a.revised(m, src, o, before.Steps)
	plan.Steps = slices.Clone(plan.Steps)
	for i, s := range plan.Steps {
		if _, ok := s.(ExpectStep); ok {
			plan.Steps[i] = ExpectStep{m.NextWritable}
		}
	}
	r := resume(plan, m.NextWritable)
	r.Plan.estimate(m.Capacity)
	r.Plan.trust(c)
	return r, nil
}

// What a drive may have lost of what it took, and what a journal may lack.
const (
	usualBuffer = 4 << 20 // bytes, of a drive that does not say
	journalLag  = 2       // seconds: it is written twice a second, and brought to the disk
	usualSpeed  = 8       // times 1x, of a burn whose speed is not known
)

// endedNear reports whether writing continues where the burn can have ended: a disc of
// the same make that cannot be read may hold the burn of another image. A burn that
// failed lacks at most what was in the drive's buffer; one that was interrupted may
// have come farther than its journal says. n is the number of sectors of the image.
func (a *Attempt) endedNear(m *Medium, c *Comparison, n int) bool {
	buffer := cmp.Or(max(c.Buffer, 0), usualBuffer)
	unit := m.blocking()
	first, last := a.earliest(m, buffer), a.latest(m, buffer)
	end := int(a.Plan.Start) + (n+unit-1)/unit*unit
	return m.NextWritable >= first && m.NextWritable <= last && int(m.NextWritable) <= end
}

// earliest is the first place at which the burn can have ended, with a drive's buffer of so many
// bytes: all that the drive took and had no room for is on the disc.
func (a *Attempt) earliest(m *Medium, buffer int) disc.LBA {
	return a.At.LBA - disc.LBA(buffer/iso.BlockSize+m.blocking())
}

// latest is the last place to which the burn can have come, with a drive's buffer of so many
// bytes: that of an error, or a little after the last one in the journal.
func (a *Attempt) latest(m *Medium, buffer int) disc.LBA {
	const block = 2048
	last := a.At.LBA
	if a.closing() {
		last += disc.LBA(m.blocking()) // it was filled up
	}
	if !a.Failed {
		speed := float64(a.Plan.Speed) * 1000
		if speed <= 0 {
			speed = usualSpeed * speedUnit(m.Profile)
		}
		last += disc.LBA(journalLag*speed/block) + disc.LBA(buffer/block)
	}
	return last
}

// beyond is a place that the burn cannot have reached, also where the drive took a part of the
// WRITE that failed.
func (a *Attempt) beyond(m *Medium) disc.LBA {
	return a.latest(m, usualBuffer) + chunkSize/iso.BlockSize
}

// unclosed reports whether the open session of a disc holds all of the image.
func (a *Attempt) unclosed(m *Medium, c *Comparison, all []Region) bool {
	closed := a.trackClosed(m, c)
	if c.Unreadable {
		return (a.closing() || closed && a.sent(all)) && (m.NoPoint || int(m.NextWritable-a.Plan.Start) >= sectors(all))
	}
	// What the drive has lost from its buffer may be the padding, which is not compared.
	return c.Equal == sectors(all) && (closed || a.closing() || a.Plan.Mode == TrackAtOnce && a.sent(all))
}

// closeSteps are the steps of closing that are left.
func (a *Attempt) closeSteps(trackClosed bool) []Step {
	var left []Step
	for i, s := range a.Plan.Steps {
		switch s := s.(type) {
		case SyncStep:
			if a.Plan.Mode == TrackAtOnce && !trackClosed {
				left = append(left, s)
			}
		case CloseStep:
			if i < a.At.Step || trackClosed && s.Function == mmc.CloseTrack {
				continue
			}
			// A drive may have closed the track before the burn was interrupted.
			s.Optional = s.Optional || s.Function == mmc.CloseTrack
			left = append(left, s)
		}
	}
	return left
}

// trust notes that what the disc holds could not be read.
func (p *Plan) trust(c *Comparison) {
	if c.Unreadable {
		p.Notes = append(p.Notes, Note{Code: NoteUnread})
	}
}

// planClose plans the steps that are left of a burn whose data are all there.
func (a *Attempt) planClose(m *Medium, src *Source, o Options, left []Step) *ResumePlan {
	var steps []Step
	for _, s := range a.Plan.Steps {
		if _, ok := s.(ParamsStep); ok && len(left) > 0 {
			steps = append(steps, s)
		}
	}
	plan := a.revised(m, src, o, append(steps, left...))
	plan.estimate(m.Capacity)
	return &ResumePlan{Mode: CloseOnly, Plan: plan}
}

// revised is the attempt's plan with other steps, for the disc as it is now.
func (a *Attempt) revised(m *Medium, src *Source, o Options, steps []Step) *Plan {
	plan := *a.Plan
	plan.Speed, plan.Content, plan.Notes, plan.Steps = m.chooseSpeed(o.Speed), a.content(src), nil, slices.Clone(steps)
	for i, s := range plan.Steps {
		if s, ok := s.(CloseStep); ok && s.Function == mmc.CloseTrack {
			s.Track = m.LastTrack
			plan.Steps[i] = s
		}
	}
	return &plan
}

// resume leaves out what comes before a sector of the disc.
func resume(whole *Plan, from disc.LBA) *ResumePlan {
	plan := *whole
	plan.Steps = nil
	r := &ResumePlan{Mode: CloseOnly, Plan: &plan, From: from}
	for _, s := range whole.Steps {
		switch w := s.(type) {
		case ReserveStep, LayerStep:
			continue
		case FormatStep:
			if w.Request.Param&1 == 0 {
				continue
			}
		case WriteStep:
			k := min(max(0, int(from-w.LBA)), w.Count)
			w.LBA, w.Source, w.Count = w.LBA+disc.LBA(k), w.Source+disc.LBA(k), w.Count-k
			if w.Pad = min(w.Pad, w.Count); w.Count == 0 {
				continue
			}
			r.Mode, s = Resume, w
		}
		plan.Steps = append(plan.Steps, s)
	}
	return r
}
