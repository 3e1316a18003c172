package burn

import (
	"context"
	"fmt"

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
	full, spare := o.Full, o.Spare
	p := &planner{m: *m, plan: &Plan{Profile: m.Profile}, o: Options{Spare: spare, Blank: true, Full: true}}
	switch m.Profile {
	case mmc.ProfileDVDRW, mmc.ProfileDVDRWRO:
		f := &mmc.FormatRequest{Type: mmc.FormatRWQuick, Param: 16}
		if full {
			f = nil
			for i, c := range m.Formats {
				if i > 0 && c.Type == mmc.FormatFull {
					f = &mmc.FormatRequest{Type: mmc.FormatFull, Blocks: c.Blocks, Param: c.Param}
				}
			}
			if f == nil {
				return nil, &Refusal{Kind: ErrOptions, Reason: NoFullFormat, Disc: m.Profile}
			}
		}
		p.add(FormatStep{Request: *f})
		if !full {
			p.add(CloseStep{Function: mmc.CloseSession, Optional: true})
		}
	case mmc.ProfileBDR:
		if m.Status != mmc.DiscBlank || m.Formatted {
			return nil, &Refusal{Kind: ErrNotBlank, Reason: FormattedLate, Disc: m.Profile}
		}
		if spare == "" {
			spare = SpareDefault
		}
		if spare == SpareNone {
			return nil, &Refusal{Kind: ErrOptions, Reason: NothingToFormat, Disc: m.Profile}
		}
		f, err := p.spareFormat(mmc.FormatBDR, spare)
		if err != nil {
			return nil, err
		}
		f.SubType = mmc.SubTypeNoPOW
		p.add(FormatStep{Request: *f})
	case mmc.ProfileDVDPlusRW, mmc.ProfileDVDPlusRWDL, mmc.ProfileDVDRAM, mmc.ProfileBDRE:
		if err := p.format(0); err != nil {
			return nil, err
		}
		if full && m.Profile == mmc.ProfileBDRE {
			certify(p.plan.Steps)
		}
	default:
		return nil, &Refusal{Kind: ErrOptions, Reason: NoFormat, Disc: m.Profile}
	}
	return p.plan, nil
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

// Execute runs a plan that writes no data: to erase or to format a disc.
func Execute(ctx context.Context, d *mmc.Drive, m *Medium, plan *Plan, o Observer) error {
	w := watch(o)
	defer w.close()
	b := &burner{drive: d.Patient(), medium: m, plan: plan, watch: w, record: func(Position) {}}
	return b.run(ctx)
}
