package burn

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"spindle/disc"
	"spindle/drive"
	"spindle/scsi/mmc"
)

// ErrFreshDisc: the disc in the drive cannot be used for the burn again; another
// one can.
var ErrFreshDisc = errors.New("a fresh disc is needed")

// Way is how a failed burn is gone on with.
type Way string

// The ways.
const (
	FromStart   Way = "from the start"           // on a blank disc
	AfterBlank  Way = "after erasing the disc"   // on a rewritable one
	FromFailure Way = "from where it broke off"  // what is there was compared
	Nothing     Way = "nothing is to be written" // all is there, and is to be closed
)

// Again says how a failed burn is to be gone on with.
type Again struct {
	Way   Way
	Plan  *Plan
	Whole *Plan    // to be verified
	From  disc.LBA // of FromFailure: the first sector that is written
}

// CheckImage says whether the image is still the one that was burned, by size and
// time, or, where it was only touched, by the sum of what was sent.
func (j *Journal) CheckImage(ctx context.Context, src *Source) error {
	err := j.Begin.Image.Same()
	if err == nil || !errors.Is(err, ErrChanged) {
		return err
	}
	now, ierr := Identify(j.Begin.Image.Path)
	if ierr != nil || now.Size != j.Begin.Image.Size || j.Last.SHA256 == "" || j.Last.Bytes == 0 {
		return err
	}
	sum, serr := sentSum(ctx, src, j.Begin.Plan, j.Last.Bytes)
	if serr != nil {
		return serr
	}
	if sum != j.Last.SHA256 {
		return err
	}
	return nil
}

// sentSum is the SHA-256 of the first n bytes that a plan sends of an image.
func sentSum(ctx context.Context, src *Source, plan *Plan, n int64) (string, error) {
	sum := sha256.New()
	for i := range plan.Steps {
		s := &plan.Steps[i]
		if s.Op != OpWrite || s.Zeros || s.Form == FormText || s.Form == FormRaw96 {
			continue
		}
		size := s.Form.Size()
		buf := make([]byte, chunkSize/size*size)
		for done := 0; done < s.Count-s.Pad && n > 0; {
			k := min(len(buf)/size, s.Count-s.Pad-done, int((n+int64(size)-1)/int64(size)))
			if err := src.read(ctx, buf[:k*size], s.Source+disc.LBA(done), s.Form); err != nil {
				return "", err
			}
			sum.Write(buf[:k*size])
			n -= int64(k * size)
			done += k
		}
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// PlanAgain says how a failed burn is gone on with on the disc m. What a disc
// holds already is read and compared first. The error wraps [ErrFreshDisc] when
// the disc is of no use.
func PlanAgain(ctx context.Context, d *mmc.Drive, m *Medium, src *Source, j *Journal, o Options, obs Observer) (*Again, error) {
	same := m.Profile == j.Begin.Plan.Profile || m.random() && m.Kind() == kindOf(j.Begin.Plan.Profile)
	sameID := m.ID == j.Begin.MediumID
	switch {
	case m.random():
		return overwriteAgain(ctx, d, m, src, j, o, same && sameID && j.Last.LBA > 0)
	case m.Status == mmc.DiscBlank && !m.Damaged:
		plan, err := MakePlan(m, src, o)
		return &Again{Way: FromStart, Plan: plan, Whole: plan}, err
	case m.Erasable:
		o.Blank = true
		plan, err := MakePlan(m, src, o)
		return &Again{Way: AfterBlank, Plan: plan, Whole: plan}, err
	}
	if same && sameID && m.Status == mmc.DiscComplete && !m.Damaged {
		// It may have been closed before the burn was broken off.
		n, err := equalUpTo(ctx, d, src, j.Begin.Plan, planCount(j.Begin.Plan))
		if err != nil {
			return nil, err
		}
		if n > 0 && n == planCount(j.Begin.Plan) {
			plan := *j.Begin.Plan
			plan.Steps = nil
			return &Again{Way: Nothing, Plan: &plan, Whole: j.Begin.Plan}, nil
		}
	}
	if same && sameID && m.Status == mmc.DiscAppendable && !m.Damaged && m.Open {
		return appendAgain(ctx, d, m, src, j, o)
	}
	return nil, fmt.Errorf("the %s in the drive is %s, and a %s is written once: %w", m.Profile, m.State(), m.Profile, ErrFreshDisc)
}

func kindOf(p mmc.Profile) disc.Medium { return (&Medium{Profile: p}).Kind() }

// overwriteAgain goes on from the first sector that is different.
func overwriteAgain(ctx context.Context, d *mmc.Drive, m *Medium, src *Source, j *Journal, o Options, look bool) (*Again, error) {
	o.Spare = "" // the disc was formatted
	plan, err := MakePlan(m, src, o)
	if err != nil {
		return nil, err
	}
	again := &Again{Way: FromStart, Plan: plan, Whole: plan}
	for i := range plan.Steps {
		if plan.Steps[i].Op == OpFormat && plan.Steps[i].Format.Param&1 == 0 {
			look = false // an unformatted disc holds nothing
		}
	}
	if !look {
		return again, nil
	}
	limit := int(j.Last.LBA)
	n, err := equalUpTo(ctx, d, src, plan, limit)
	if err != nil {
		return nil, err
	}
	return again.skip(n/m.blocking()*m.blocking(), nil), nil
}

// appendAgain goes on at the next writable address of an open track, if what lies
// before it is the beginning of the image. (growisofs can do so too, undocumented.)
func appendAgain(ctx context.Context, d *mmc.Drive, m *Medium, src *Source, j *Journal, o Options) (*Again, error) {
	before := j.Begin.Plan
	if again, err := closeAgain(ctx, d, m, src, j); again != nil || err != nil {
		return again, err
	}
	if before.Mode != Sequential && before.Mode != Incremental {
		return nil, fmt.Errorf("a burn %s cannot be gone on with: %w", before.Mode, ErrFreshDisc)
	}
	t, err := d.TrackInfo(ctx, m.LastTrack)
	if err != nil {
		return nil, err
	}
	if disc.LBA(t.Start) != before.Start {
		return nil, fmt.Errorf("the open track of the disc begins at %d, and the burn began at %d: %w", t.Start, before.Start, ErrFreshDisc)
	}
	fresh := *m
	fresh.NextWritable, fresh.Free, fresh.Open = before.Start, m.Capacity-int(before.Start), false
	if before.Start == 0 {
		fresh.Status = mmc.DiscBlank
	}
	o.Mode, o.Spare, o.AnyPlace = before.Mode, "", true // it was checked the first time
	plan, err := MakePlan(&fresh, src, o)
	if err != nil {
		return nil, err
	}
	there := int(m.NextWritable - before.Start)
	n, err := equalUpTo(ctx, d, src, plan, there)
	if err != nil {
		return nil, err
	}
	again := &Again{Plan: plan, Whole: plan}
	if want := min(there, planCount(plan)); n < want {
		return nil, fmt.Errorf("sector %d of the disc is not what was burned: %w", int(before.Start)+n, ErrFreshDisc)
	}
	return again.skip(there, &m.NextWritable), nil
}

// closeAgain closes a disc that a burn filled and could not close, if all of the
// image is on it; nil where that is not the case.
func closeAgain(ctx context.Context, d *mmc.Drive, m *Medium, src *Source, j *Journal) (*Again, error) {
	before := j.Begin.Plan
	if !j.Failed || j.Last.Step >= len(before.Steps) || before.Steps[j.Last.Step].Op != OpClose {
		return nil, nil
	}
	n, err := equalUpTo(ctx, d, src, before, planCount(before))
	if err != nil || n < planCount(before) {
		return nil, err
	}
	plan := *before
	plan.Steps = nil
	for i, s := range before.Steps {
		if s.Op == OpClose && s.Close == mmc.CloseTrack {
			s.Track = m.LastTrack
		}
		if s.Op == OpParams || i >= j.Last.Step {
			plan.Steps = append(plan.Steps, s)
		}
	}
	return &Again{Way: Nothing, Plan: &plan, Whole: before}, nil
}

// planCount is the number of sectors of the image that a plan writes.
func planCount(p *Plan) int {
	n := 0
	for i := range p.Steps {
		if s := &p.Steps[i]; s.Op == OpWrite && !s.Zeros {
			n += s.Count - s.Pad
		}
	}
	return n
}

// skip leaves the first n sectors of the writing out. With an address, the disc
// is expected to go on there.
func (a *Again) skip(n int, at *disc.LBA) *Again {
	if n == 0 && at == nil {
		return a
	}
	plan := *a.Plan
	plan.Steps = nil
	a.Way, a.From = FromFailure, a.Plan.Start+disc.LBA(n)
	left := false
	for _, s := range a.Plan.Steps {
		switch s.Op {
		case OpReserve, OpLayer, OpFormat:
			if s.Op != OpFormat || s.Format.Param&1 == 0 {
				continue
			}
		case OpExpect:
			if at == nil {
				continue
			}
			s.LBA = *at
		case OpWrite:
			k := min(n, s.Count)
			n -= k
			s.LBA, s.Source, s.Count = s.LBA+disc.LBA(k), s.Source+disc.LBA(k), s.Count-k
			s.Pad = min(s.Pad, s.Count)
			if s.Count == 0 {
				continue
			}
			left = true
		}
		plan.Steps = append(plan.Steps, s)
	}
	if !left {
		a.Way = Nothing
	}
	a.Plan = &plan
	return a
}

// equalUpTo reads the disc from the beginning of the burn on, and returns how many
// sectors, at most limit, are those of the image. A sector that cannot be read is
// not equal.
func equalUpTo(ctx context.Context, d *mmc.Drive, src *Source, plan *Plan, limit int) (int, error) {
	equal := 0
	for _, s := range plan.regions(src) {
		if s.Form != FormBlock {
			return equal, nil
		}
		const batch = chunkSize / 2048
		want, got := make([]byte, chunkSize), make([]byte, min(chunkSize, max(2048, d.MaxTransfer()/2048*2048)))
		for done := 0; done < s.Count && equal < limit; {
			n := min(batch, s.Count-done, limit-equal, len(got)/2048)
			if err := src.read(ctx, want[:n*2048], s.Source+disc.LBA(done), s.Form); err != nil {
				return equal, err
			}
			k, err := d.Read10(ctx, got[:n*2048], s.LBA+disc.LBA(done))
			if err != nil && !drive.Classify(err).Answered() {
				return equal, err
			}
			if err != nil {
				k = k / 2048 * 2048
			}
			same := 0
			for same < k/2048 && bytes.Equal(want[same*2048:(same+1)*2048], got[same*2048:(same+1)*2048]) {
				same++
			}
			equal += same
			done += same
			if same < n {
				return equal, nil
			}
		}
	}
	return equal, nil
}
