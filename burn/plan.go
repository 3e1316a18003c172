package burn

import (
	"context"
	"fmt"
	"strings"
	"time"

	"spindle/disc"
	"spindle/scsi/mmc"
)

// A Plan lists the steps in which an image comes onto a disc.
type Plan struct {
	Profile mmc.Profile
	Mode    Mode
	Speed   int // kB/s; 0: the drive's own
	Steps   []Step
	// Content is what of the image is on the disc once the plan is done:
	// what [Verify] compares. Of a resumed burn it includes what was there.
	Content  []Region
	Simulate bool
	// Streaming: whole chunks are sent with WRITE (12), which the drive does not verify.
	Streaming bool
	Final     bool     // nothing can be appended afterwards
	Start     disc.LBA // of the first sector of the image on the disc
	Expected  time.Duration
	Notes     []Note
}

// Bytes is how much the plan writes.
func (p *Plan) Bytes() int64 {
	var n int64
	for _, s := range p.Steps {
		if w, ok := s.(writing); ok {
			n += w.area().bytes()
		}
	}
	return n
}

// ContentBytes is how much of what the plan sends comes from the image: what a [Sum]
// covers at the end.
func (p *Plan) ContentBytes() int64 {
	var n int64
	for _, s := range p.Steps {
		switch s := s.(type) {
		case WriteStep:
			n += s.bytes() - int64(s.Pad)*int64(s.Form.Size())
		case RawStep:
			n += s.area().bytes()
		}
	}
	return n
}

// String lists the steps.
func (p *Plan) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %s, %d kB/s\n", p.Profile, p.Mode, p.Speed)
	for _, s := range p.Steps {
		fmt.Fprintf(&b, "  %s\n", s)
	}
	return b.String()
}

// content is what of the image stands where on the disc after the steps.
func content(steps []Step, src *Source) []Region {
	var out []Region
	for _, s := range steps {
		switch s := s.(type) {
		case WriteStep:
			r := s.Region
			r.Count -= s.Pad
			out = append(out, r)
		case RawStep:
			for _, t := range src.layout().Tracks() {
				form, _, _ := trackForm(t.Mode)
				from := t.Begin()
				if t.Mode.IsData() {
					from = t.Start
				}
				out = append(out, Region{LBA: from, Source: from, Count: int(t.End - from), Form: form})
			}
		}
	}
	return out
}

// planner makes one plan.
type planner struct {
	m    Medium // a copy, which becomes what the steps planned so far make of it
	src  *Source
	o    Options
	plan *Plan
}

func (p *planner) add(s ...Step) { p.plan.Steps = append(p.plan.Steps, s...) }

// MakePlan plans how src is burned on the disc m. It sends nothing to the drive, leaves m
// as it is, and reads a few sectors of the image. Its errors wrap one of those of this
// package, or are those of ctx.
func MakePlan(ctx context.Context, m *Medium, src *Source, o Options) (*Plan, error) {
	if err := m.Writable(); err != nil && !(o.Blank && m.Erasable && m.Writes) {
		return nil, err
	}
	p := &planner{m: *m, src: src, o: o, plan: &Plan{Profile: m.Profile, Simulate: o.Simulate, Streaming: o.Streaming, Speed: m.chooseSpeed(o.Speed)}}
	if err := p.prepare(); err != nil {
		return nil, err
	}
	if o.Streaming && m.Profile != mmc.ProfileDVDRAM && m.Profile != mmc.ProfileBDRE {
		return nil, &Refusal{Kind: ErrOptions, Reason: NeverVerified, Disc: m.Profile}
	}
	if o.Simulate && !p.m.Simulates {
		return nil, &Refusal{Kind: ErrNoSimulation, Reason: CannotSimulate, Disc: m.Profile}
	}
	if err := p.image(ctx); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil { // what could not be read of the image counted for nothing
		return nil, err
	}
	p.plan.Content = content(p.plan.Steps, src)
	if err := p.holdsVolume(); err != nil {
		return nil, err
	}
	p.plan.estimate(p.m.Capacity)
	return p.plan, nil
}

// holdsVolume makes sure that as much of a stream is written as the volume in it has.
func (p *planner) holdsVolume() error {
	want, n := p.src.volume(p.plan.Start), int64(sectors(p.plan.Content))
	switch {
	case want <= n:
		return nil
	case p.src.blocks > 0:
		return &Refusal{Kind: ErrOptions, Reason: SmallSize, Disc: p.m.Profile, A: p.src.blocks, B: int(want)}
	}
	return &FitError{Need: int(want), Free: int(n)}
}

// image plans the writing of the image, as the kind of disc wants it.
func (p *planner) image(ctx context.Context) error {
	switch p.m.Profile {
	case mmc.ProfileCDR, mmc.ProfileCDRW:
		return p.cd(ctx)
	case mmc.ProfileDVDR, mmc.ProfileDVDRW, mmc.ProfileDVDRDL:
		return p.dvdR(ctx)
	case mmc.ProfileDVDPlusR, mmc.ProfileDVDPlusRDL:
		return p.dvdPlusR(ctx)
	case mmc.ProfileBDR:
		return p.bdR(ctx)
	}
	return p.overwrite(ctx)
}

// prepare blanks what is to be blanked.
func (p *planner) prepare() error {
	used := p.m.usedSequential()
	switch {
	case p.o.Blank && !p.m.Erasable:
		return &Refusal{Kind: ErrOptions, Reason: NotErasable, Disc: p.m.Profile}
	case p.o.Blank && p.o.Simulate:
		return &Refusal{Kind: ErrOptions, Reason: NoSimulatedWipe, Disc: p.m.Profile}
	case p.o.Blank && used:
		kind := mmc.BlankMinimal
		if p.o.Full || p.m.Profile == mmc.ProfileDVDRW && p.incremental() {
			kind = mmc.BlankAll // after a minimal blank a DVD-RW takes disc at once only
		}
		p.add(BlankStep{kind})
		p.m.blanked()
	case used && p.m.Erasable && (p.m.Status == mmc.DiscComplete || p.m.Damaged || p.m.NoPoint):
		return ErrNotBlank
	}
	return nil
}

// usedSequential reports whether the disc must be blanked before all of it can be written
// in order.
func (m *Medium) usedSequential() bool {
	return (m.Profile == mmc.ProfileCDRW || m.Profile == mmc.ProfileDVDRW) && (m.Status != mmc.DiscBlank || m.Damaged)
}

// blanked makes of the medium what it is after it was blanked.
func (m *Medium) blanked() {
	m.Status, m.Damaged, m.NoPoint, m.NextWritable, m.Sessions, m.Open, m.LastTrack = mmc.DiscBlank, false, false, 0, 1, false, 1
	m.Writes, m.Free = true, max(m.Capacity, m.Free)
	if m.Capacity == 0 {
		m.Capacity = blankCapacity(m.Profile)
	}
	m.AtOnce = true
}

// blankCapacity is what a disc that is full holds once it is blank: such a disc
// does not say it.
func blankCapacity(p mmc.Profile) int {
	if p == mmc.ProfileCDRW {
		return 79*60*75 + 59*75 + 74 - 150
	}
	return 2297888
}

// fits checks that an image of n sectors that begins at start fits.
func (p *planner) fits(start disc.LBA, n int) error {
	if end := int(start) + n; end > p.m.Capacity {
		if p.o.Overburn && p.m.Kind() == disc.CD {
			p.plan.Notes = append(p.plan.Notes, Note{Code: NoteOverburn, Sectors: end - p.m.Capacity})
			return nil
		}
		return &FitError{Need: n, Free: p.m.Capacity - int(start)}
	}
	return nil
}

// writeData adds the writing of a data track, padded to whole blocks of the
// medium.
func (p *planner) writeData(t *disc.Track, at disc.LBA) {
	n := p.padded(t)
	p.plan.Start = at
	s := WriteStep{Region: Region{LBA: at, Source: t.Start, Count: n}, Pad: n - int(t.End-t.Start)}
	switch {
	case p.src.stream != nil && p.plan.Mode != DiscAtOnce:
		s.Unit = p.m.blocking()
	case p.src.stream != nil:
		p.plan.Notes = append(p.plan.Notes, Note{Code: NoteFixed, Sectors: n})
	}
	p.add(s)
}

// data returns the one data track that the disc takes, from at on. Of a stream without a
// length it is as long as the disc has room for, less what the drive needs after it.
func (p *planner) data(at disc.LBA, after int) (*disc.Track, error) {
	t, err := p.src.data()
	if err != nil || p.src.stream == nil || p.src.blocks > 0 {
		return t, err
	}
	block := disc.LBA(p.m.blocking())
	t.End = (disc.LBA(p.m.Capacity-after) - at) / block * block
	if t.End <= 0 {
		return nil, &FitError{Need: int(block), Free: p.m.Capacity - int(at)}
	}
	return t, nil
}

// padded is the length of a track in whole blocks of the medium.
func (p *planner) padded(t *disc.Track) int {
	n, block := int(t.End-t.Start), p.m.blocking()
	if p.m.Kind() == disc.CD {
		return max(n, leastTrack)
	}
	return (n + block - 1) / block * block
}

// address checks that a file system that is burned at an address was made for it.
func (p *planner) address(ctx context.Context, t *disc.Track, at disc.LBA) error {
	if p.o.AnyPlace || p.src.stream != nil {
		return nil
	}
	root, ok := rootExtent(ctx, p.src.image, t)
	if !ok {
		return nil
	}
	made := t.Start // what the addresses in the image count from
	if int64(root) >= int64(t.End-t.Start) {
		made = -1
	}
	switch {
	case at == made || made == 0 && at == 0:
		return nil
	case made == -1 && disc.LBA(root) >= at && disc.LBA(root) < at+(t.End-t.Start):
		return nil
	case made == -1:
		return &Refusal{Kind: ErrAddress, Reason: MadeFor, Disc: p.m.Profile, A: int(root), B: int(at)}
	}
	return &Refusal{Kind: ErrAddress, Reason: MadeForBlank, Disc: p.m.Profile, A: int(at)}
}

// estimate says how long the plan will take on a disc of so many sectors.
func (p *Plan) estimate(capacity int) {
	oneX := speedUnit(p.Profile)
	speed := float64(p.Speed) * 1000
	if speed <= 0 {
		speed = 4 * oneX
	}
	seconds := func(bytes float64) time.Duration { return time.Duration(bytes / speed * float64(time.Second)) }
	// Drives reach their highest speed at the edge only.
	const mean = 0.75
	p.Expected = seconds(float64(p.Bytes()) / mean)
	for _, s := range p.Steps {
		switch s := s.(type) {
		case BlankStep:
			p.Expected += time.Minute
			if s.Type == mmc.BlankAll {
				p.Expected += seconds(float64(capacity) * 2048)
			}
		case FormatStep, CloseStep:
			p.Expected += 30 * time.Second
		case CueSheetStep:
			p.Expected += seconds(150 * oneX) // lead-in and lead-out
		}
	}
	p.Expected = p.Expected.Round(time.Second)
}
