package burn

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"spindle/scsi/mmc"
)

// Erasing says how a disc is erased.
type Erasing string

// The ways.
const (
	EraseQuick   Erasing = "fast"
	EraseFull    Erasing = "full"
	EraseSession Erasing = "session" // the last one, of a CD-RW
)

// PlanErase says how a rewritable disc becomes blank.
func PlanErase(m *Medium, how Erasing) (*Plan, error) {
	plan := &Plan{Profile: m.Profile}
	switch {
	case m.Profile == mmc.ProfileCDRW, m.Profile == mmc.ProfileDVDRW, m.Profile == mmc.ProfileDVDRWRO:
	case m.random():
		return nil, fmt.Errorf("%s: %w", m.Profile, ErrNeedsFormat)
	default:
		return nil, &Refusal{Kind: ErrNotWritable, Reason: WrittenOnce, Disc: m.Profile}
	}
	kind := mmc.BlankMinimal
	switch how {
	case EraseFull:
		kind = mmc.BlankAll
	case EraseSession:
		if m.Profile != mmc.ProfileCDRW {
			return nil, &Refusal{Kind: ErrOptions, Reason: OnlyCDRW, Disc: m.Profile}
		}
		kind = mmc.BlankSession
	}
	plan.Steps = []Step{BlankStep{kind}}
	return plan, nil
}

// FormatOptions say how a disc is formatted.
type FormatOptions struct {
	Full  bool  // write or certify every sector
	Spare Spare // BD
}

// PlanFormat plans the formatting of the disc m, which it leaves as it is. A DVD-RW
// becomes one that is overwritten.
func PlanFormat(m *Medium, o FormatOptions) (*Plan, error) {
	p := &planner{m: *m, plan: &Plan{Profile: m.Profile}, o: Options{Spare: o.Spare, Blank: true, Full: true}}
	var err error
	switch m.Profile {
	case mmc.ProfileDVDRW, mmc.ProfileDVDRWRO:
		err = p.formatDVDRW(o)
	case mmc.ProfileBDR:
		err = p.formatBDR(o.Spare)
	case mmc.ProfileDVDPlusRW, mmc.ProfileDVDPlusRWDL, mmc.ProfileDVDRAM, mmc.ProfileBDRE:
		err = p.format(0)
		if o.Full && m.Profile == mmc.ProfileBDRE {
			certify(p.plan.Steps)
		}
	default:
		err = &Refusal{Kind: ErrOptions, Reason: NoFormat, Disc: m.Profile}
	}
	if err != nil {
		return nil, err
	}
	return p.plan, nil
}

// formatDVDRW makes a DVD-RW one that is overwritten.
func (p *planner) formatDVDRW(o FormatOptions) error {
	if !o.Full {
		p.add(FormatStep{Request: mmc.FormatRequest{Type: mmc.FormatRWQuick, Param: 16}}, CloseStep{Function: mmc.CloseSession, Optional: true})
		return nil
	}
	var f *mmc.FormatRequest
	for i, c := range p.m.Formats {
		if i > 0 && c.Type == mmc.FormatFull {
			f = &mmc.FormatRequest{Type: mmc.FormatFull, Blocks: c.Blocks, Param: c.Param}
		}
	}
	if f == nil {
		return &Refusal{Kind: ErrOptions, Reason: NoFullFormat, Disc: p.m.Profile}
	}
	p.add(FormatStep{Request: *f})
	return nil
}

// formatBDR gives a blank BD-R spare areas.
func (p *planner) formatBDR(spare Spare) error {
	spare = cmp.Or(spare, SpareDefault)
	switch {
	case p.m.Status != mmc.DiscBlank || p.m.Formatted:
		return &Refusal{Kind: ErrNotBlank, Reason: FormattedLate, Disc: p.m.Profile}
	case spare == SpareNone:
		return &Refusal{Kind: ErrOptions, Reason: NothingToFormat, Disc: p.m.Profile}
	}
	f, err := p.spareFormat(mmc.FormatBDR, spare)
	if err != nil {
		return err
	}
	f.SubType = mmc.SubTypeNoPOW
	p.add(FormatStep{Request: *f})
	return nil
}

// certify makes the formatting of a BD-RE check every sector, which takes hours.
func certify(steps []Step) {
	for i := range steps {
		if s, ok := steps[i].(FormatStep); ok && s.Request.Type == mmc.FormatBDRE {
			s.Request.SubType = mmc.SubTypeCertify
			steps[i] = s
		}
	}
}

// Execute runs a plan that writes no data: to erase or to format a disc. Of an [*Error]
// it returns, State is what the disc is then.
func Execute(ctx context.Context, d *mmc.Drive, m *Medium, plan *Plan, o Observer) error {
	w := watch(o)
	defer w.close()
	b := &burner{drive: d.Patient(), medium: m, plan: plan, watch: w, record: func(Position) {}}
	err := b.run(ctx)
	var e *Error
	if errors.As(err, &e) {
		if e.State = stateAfter(ctx, b.drive); e.State != Unknown && !(b.begun && slices.ContainsFunc(plan.Steps[:e.At.Step+1], touches)) {
			e.State = Untouched
		}
	}
	return err
}
