package burn

import (
	"fmt"
	"strings"
	"time"

	"spindle/disc"
	"spindle/scsi/mmc"
)

// Op is what a step does.
type Op string

// The operations.
const (
	OpBlank     Op = "blank"
	OpFormat    Op = "format"
	OpLayer     Op = "layer break"
	OpParams    Op = "write parameters"
	OpCalibrate Op = "calibrate"
	OpReserve   Op = "reserve"
	OpCueSheet  Op = "cue sheet"
	OpExpect    Op = "expect" // that the disc goes on where the image does
	OpWrite     Op = "write"
	OpSync      Op = "synchronize"
	OpClose     Op = "close"
)

// doing says the operation in the middle of a sentence.
func (o Op) doing() string {
	switch o {
	case OpBlank:
		return "blanking the disc"
	case OpFormat:
		return "formatting the disc"
	case OpLayer:
		return "setting the layer break"
	case OpParams:
		return "setting the mode of writing"
	case OpCalibrate:
		return "calibrating the laser"
	case OpReserve:
		return "reserving the track"
	case OpCueSheet:
		return "announcing the tracks"
	case OpExpect:
		return "looking where the session begins"
	case OpSync:
		return "the drive wrote the rest of its buffer"
	case OpClose:
		return "closing the disc"
	}
	return "writing"
}

// A Step is one step of a plan. Which fields count depends on Op.
type Step struct {
	Op Op `json:"op"`

	Blank  mmc.BlankType        `json:"blank,omitempty"`
	Format *mmc.FormatRequest   `json:"format,omitempty"`
	Layer0 uint32               `json:"layer0,omitempty"` // sectors
	Params *mmc.WriteParameters `json:"params,omitempty"`
	Blocks uint32               `json:"blocks,omitempty"` // of OpReserve
	Cue    []mmc.CueEntry       `json:"cue,omitempty"`
	LBA    disc.LBA             `json:"lba,omitempty"` // of OpExpect and OpWrite: on the disc
	// Soft: a drive that does not know the command does not need it.
	Soft bool `json:"soft,omitempty"`

	// Of OpWrite: Count sectors from LBA on, sent in Form; they are those of
	// the image from Source on, or zeros. Of FormText they are Packs,
	// repeated; of FormRaw96 the session that Raw makes.
	Count  int         `json:"count,omitempty"`
	Form   Form        `json:"form,omitempty"`
	Source disc.LBA    `json:"source,omitempty"`
	Zeros  bool        `json:"zeros,omitempty"`
	Pad    int         `json:"pad,omitempty"` // of Count, the last ones are zeros
	Packs  []disc.Pack `json:"packs,omitempty"`

	Last  bool              `json:"last,omitempty"` // of OpSync: after it nothing but closing comes
	Close mmc.CloseFunction `json:"close,omitempty"`
	Track int               `json:"track,omitempty"` // of OpClose; 0: the drive's last one
}

// bytes is how much a step writes.
func (s *Step) bytes() int64 {
	if s.Op != OpWrite {
		return 0
	}
	return int64(s.Count) * int64(s.Form.Size())
}

// String describes the step in a line.
func (s *Step) String() string {
	switch s.Op {
	case OpBlank:
		return fmt.Sprintf("blank, type %d", s.Blank)
	case OpFormat:
		return fmt.Sprintf("format, type %02Xh.%d, %d blocks, parameter %06Xh", uint8(s.Format.Type), s.Format.SubType, s.Format.Blocks, s.Format.Param)
	case OpLayer:
		return fmt.Sprintf("layer break after %d blocks", s.Layer0)
	case OpParams:
		p := s.Params
		return fmt.Sprintf("write parameters: type %d, multi-session %d, track mode %d, block type %d, session format %02Xh, packets of %d, test %t, MCN %q",
			p.Type, p.MultiSession, p.TrackMode, p.Block, uint8(p.SessionFormat), p.FixedPacket, p.TestWrite, p.MCN)
	case OpReserve:
		return fmt.Sprintf("reserve a track of %d blocks", s.Blocks)
	case OpCueSheet:
		var b strings.Builder
		fmt.Fprintf(&b, "cue sheet of %d entries:", len(s.Cue))
		for i := range s.Cue {
			e := s.Cue[i].Encode()
			fmt.Fprintf(&b, " % x,", e[:])
		}
		return strings.TrimSuffix(b.String(), ",")
	case OpExpect:
		return fmt.Sprintf("expect the next writable address %d", s.LBA)
	case OpWrite:
		what := fmt.Sprintf("the image's from %d on", s.Source)
		switch {
		case s.Zeros:
			what = "zeros"
		case s.Form == FormText:
			what = fmt.Sprintf("%d CD-TEXT packs, repeated", len(s.Packs))
		}
		if s.Pad > 0 {
			what += fmt.Sprintf(", the last %d zeros", s.Pad)
		}
		return fmt.Sprintf("write %d to %d, %d bytes each: %s", s.LBA, int(s.LBA)+s.Count-1, s.Form.Size(), what)
	case OpSync:
		return "synchronize"
	case OpClose:
		return fmt.Sprintf("close, function %d, track %d", s.Close, s.Track)
	}
	return string(s.Op)
}

// A Plan is in which steps an image comes onto a disc.
type Plan struct {
	Profile  mmc.Profile   `json:"profile"`
	Mode     Mode          `json:"mode"`
	Speed    int           `json:"speed"` // kB/s; 0: the drive's own
	Steps    []Step        `json:"steps"`
	Simulate bool          `json:"simulate,omitempty"`
	Final    bool          `json:"final,omitempty"` // nothing can be appended afterwards
	Start    disc.LBA      `json:"start"`           // of the first sector of the image on the disc
	Expected time.Duration `json:"expected"`
	Notes    []string      `json:"notes,omitempty"`
}

// Bytes is how much the plan writes.
func (p *Plan) Bytes() int64 {
	var n int64
	for i := range p.Steps {
		n += p.Steps[i].bytes()
	}
	return n
}

// String lists the steps.
func (p *Plan) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %s, %d kB/s\n", p.Profile, p.Mode, p.Speed)
	for i := range p.Steps {
		fmt.Fprintf(&b, "  %s\n", p.Steps[i].String())
	}
	return b.String()
}

// planner makes one plan.
type planner struct {
	m    Medium // a copy, which becomes what the steps planned so far make of it
	src  *Source
	o    Options
	plan *Plan
}

func (p *planner) add(s ...Step) { p.plan.Steps = append(p.plan.Steps, s...) }

// MakePlan plans how src is burned on the disc m. It sends nothing to the drive and
// leaves m as it is. Its errors wrap one of those of this package.
func MakePlan(m *Medium, src *Source, o Options) (*Plan, error) {
	if err := m.Writable(); err != nil && !(o.Blank && m.Erasable && m.Writes) {
		return nil, err
	}
	p := &planner{m: *m, src: src, o: o, plan: &Plan{Profile: m.Profile, Simulate: o.Simulate, Speed: m.chooseSpeed(o.Speed)}}
	if err := p.prepare(); err != nil {
		return nil, err
	}
	if o.Simulate && !p.m.Simulates {
		return nil, fmt.Errorf("%s: %w", m.Profile, ErrNoSimulation)
	}
	var err error
	switch p.m.Profile {
	case mmc.ProfileCDR, mmc.ProfileCDRW:
		err = p.cd()
	case mmc.ProfileDVDR, mmc.ProfileDVDRW, mmc.ProfileDVDRDL:
		err = p.dvdR()
	case mmc.ProfileDVDPlusR, mmc.ProfileDVDPlusRDL:
		err = p.dvdPlusR()
	case mmc.ProfileBDR:
		err = p.bdR()
	default:
		err = p.overwrite()
	}
	if err != nil {
		return nil, err
	}
	p.estimate()
	return p.plan, nil
}

// prepare blanks what is to be blanked.
func (p *planner) prepare() error {
	sequential := p.m.Profile == mmc.ProfileCDRW || p.m.Profile == mmc.ProfileDVDRW
	used := p.m.Status != mmc.DiscBlank || p.m.Damaged
	switch {
	case p.o.Blank && !p.m.Erasable:
		return fmt.Errorf("a %s cannot be erased: %w", p.m.Profile, ErrOptions)
	case p.o.Blank && p.o.Simulate:
		return fmt.Errorf("a simulation would blank the disc: %w", ErrOptions)
	case p.o.Blank && sequential && used:
		kind := mmc.BlankMinimal
		if p.o.Full || p.m.Profile == mmc.ProfileDVDRW && p.incremental() {
			kind = mmc.BlankAll // after a minimal blank a DVD-RW takes disc at once only
		}
		p.add(Step{Op: OpBlank, Blank: kind})
		m := &p.m
		m.Status, m.Damaged, m.NextWritable, m.Sessions, m.Open, m.LastTrack = mmc.DiscBlank, false, 0, 1, false, 1
		m.Writes, m.Free = true, max(m.Capacity, m.Free)
		if m.Capacity == 0 {
			m.Capacity = blankCapacity(m.Profile)
		}
		m.AtOnce = true
	case sequential && used && p.m.Erasable && (p.m.Status == mmc.DiscComplete || p.m.Damaged):
		return fmt.Errorf("%w: erase it with --blank", ErrNotBlank)
	}
	return nil
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
			p.plan.Notes = append(p.plan.Notes, fmt.Sprintf("%d sectors more than the disc is made for: the drive may refuse them, and the end may be unreadable",
				end-p.m.Capacity))
			return nil
		}
		return fmt.Errorf("%w: it needs %d sectors (%s), and %d (%s) are free; %d are missing", ErrTooLarge,
			n, size(n), p.m.Capacity-int(start), size(p.m.Capacity-int(start)), end-p.m.Capacity)
	}
	return nil
}

// size gives blocks of 2048 bytes in the units on a disc's box.
func size(blocks int) string {
	n := float64(blocks) * 2048
	if n < 1e9 {
		return fmt.Sprintf("%.1f MB", n/1e6)
	}
	return fmt.Sprintf("%.2f GB", n/1e9)
}

// writeData adds the writing of a data track, padded to whole blocks of the
// medium.
func (p *planner) writeData(t *disc.Track, at disc.LBA) {
	n := p.padded(t)
	p.plan.Start = at
	p.add(Step{Op: OpWrite, LBA: at, Count: n, Source: t.Start, Pad: n - int(t.End-t.Start)})
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
func (p *planner) address(t *disc.Track, at disc.LBA) error {
	if p.o.AnyPlace || p.src.stream != nil {
		return nil
	}
	root, ok := rootExtent(p.src.image, t)
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
		return fmt.Errorf("the file system in the image begins near sector %d, and the disc would take it at %d: it %w", root, at, ErrAddress)
	}
	return fmt.Errorf("the disc goes on at sector %d, and the image %w, its beginning", at, ErrAddress)
}

// estimate says how long the plan will take.
func (p *planner) estimate() {
	speed := float64(p.plan.Speed) * 1000
	if speed <= 0 {
		speed = 4 * speedUnit(p.m.Profile)
	}
	// Drives reach their highest speed at the edge only.
	const mean = 0.75
	p.plan.Expected = time.Duration(float64(p.plan.Bytes()) / (speed * mean) * float64(time.Second))
	for i := range p.plan.Steps {
		switch s := &p.plan.Steps[i]; s.Op {
		case OpBlank:
			p.plan.Expected += time.Minute
			if s.Blank == mmc.BlankAll {
				p.plan.Expected += time.Duration(float64(p.m.Capacity) * 2048 / speed * float64(time.Second))
			}
		case OpFormat, OpClose:
			p.plan.Expected += 30 * time.Second
		case OpCueSheet:
			p.plan.Expected += time.Duration(150 / (speed / speedUnit(p.m.Profile)) * float64(time.Second)) // lead-in and lead-out
		}
	}
	p.plan.Expected = p.plan.Expected.Round(time.Second)
}
