package burn

import (
	"context"
	"fmt"
	"strings"

	"spindle/disc"
	"spindle/scsi/mmc"
)

// A Step is one step of a plan: one of the types of this package that end in Step.
// Its String describes it in a line.
type Step interface {
	fmt.Stringer
	// run executes the step, the i-th one of the plan.
	run(ctx context.Context, b *burner, i int) error
	// doing names the step in the middle of a sentence.
	doing() string
}

// The steps that prepare a disc.
type (
	// BlankStep erases a rewritable disc.
	BlankStep struct{ Type mmc.BlankType }

	// FormatStep formats a disc that has to be.
	FormatStep struct {
		Request mmc.FormatRequest
		// Optional: a drive that refuses the command does not need it.
		Optional bool
	}

	// LayerStep sets the layer break of a DVD+R DL, after so many blocks. It is
	// optional.
	LayerStep struct{ Blocks uint32 }

	// ParamsStep sends mode page 05h.
	ParamsStep struct{ Params mmc.WriteParameters }

	// CalibrateStep lets the drive calibrate its laser. It is optional.
	CalibrateStep struct{}

	// ReserveStep reserves a track of so many blocks, for DVD-R disc at once.
	ReserveStep struct{ Blocks uint32 }

	// CueSheetStep announces the tracks of a session at once.
	CueSheetStep struct{ Entries []mmc.CueEntry }

	// ExpectStep checks that the disc takes the next sector at LBA.
	ExpectStep struct{ LBA disc.LBA }
)

// The steps that write.
type (
	// WriteStep writes sectors of the image.
	WriteStep struct {
		Region     // Count includes the padding
		Pad    int // the last sectors of Count are zeros
		// Unit is not 0 where the step ends with the stream: after a multiple of
		// so many sectors, and after Count at the latest.
		Unit int
	}

	// ZeroStep writes Count sectors of zeros from LBA on.
	ZeroStep struct {
		LBA   disc.LBA
		Count int
		Form  Form
	}

	// TextStep writes a lead-in with CD-TEXT: the packs, repeated.
	TextStep struct {
		LBA   disc.LBA
		Count int
		Packs []disc.Pack
	}

	// RawStep writes a whole session, with its lead-in and sub-channels.
	RawStep struct {
		LBA   disc.LBA
		Count int
	}
)

// The steps after writing.
type (
	// SyncStep makes the drive write what it holds in its buffer.
	SyncStep struct {
		Last bool // nothing but closing follows
	}

	// CloseStep closes a track, a session or the disc.
	CloseStep struct {
		Function mmc.CloseFunction
		Track    int // 0: the drive's last one
		// Optional: a drive that refuses the command does not need it.
		Optional bool
	}
)

// A Region is a run of sectors that come from the image: Count sectors, from Source
// on in the image and from LBA on on the disc.
type Region struct {
	LBA    disc.LBA
	Source disc.LBA
	Count  int
	Form   Form
}

func (r Region) end() disc.LBA { return r.LBA + disc.LBA(r.Count) }

func (r Region) bytes() int64 { return int64(r.Count) * int64(r.Form.Size()) }

// A filler fills p with the sectors of a writing step from its done-th one on. It
// returns the part of p that comes from the image.
type filler func(ctx context.Context, p []byte, done int) (content []byte, err error)

// writing is a step that writes.
type writing interface {
	Step
	// area is what the step writes; its Source counts for WriteStep only.
	area() Region
	filler(src *Source) filler
}

// Writes reports whether a step writes sectors.
func Writes(s Step) bool {
	_, ok := s.(writing)
	return ok
}

func (s WriteStep) area() Region { return s.Region }
func (s ZeroStep) area() Region  { return Region{LBA: s.LBA, Count: s.Count, Form: s.Form} }
func (s TextStep) area() Region  { return Region{LBA: s.LBA, Count: s.Count, Form: FormText} }
func (s RawStep) area() Region   { return Region{LBA: s.LBA, Count: s.Count, Form: FormRaw96} }

func (s WriteStep) filler(src *Source) filler {
	size := s.Form.Size()
	return func(ctx context.Context, p []byte, done int) ([]byte, error) {
		content := p
		if over := done + len(p)/size - (s.Count - s.Pad); over > 0 {
			content = p[:len(p)-min(over, len(p)/size)*size]
			clear(p[len(content):])
		}
		if len(content) == 0 {
			return nil, nil
		}
		if src.stream != nil {
			n, err := src.readStream(content, s.Source+disc.LBA(done), s.Count-s.Pad)
			return content[:n], err
		}
		return content, src.read(ctx, content, s.Source+disc.LBA(done), s.Form)
	}
}

// length is how many sectors the step writes of a stream that has ended after so many.
func (s WriteStep) length(sectors int) int {
	switch s.Unit {
	case 0:
		return s.Count
	case 1: // a CD
		sectors = max(sectors, leastTrack)
	default:
		sectors = (sectors + s.Unit - 1) / s.Unit * s.Unit
	}
	return min(sectors, s.Count)
}

func (s ZeroStep) filler(*Source) filler {
	return func(_ context.Context, p []byte, _ int) ([]byte, error) {
		clear(p)
		return nil, nil
	}
}

func (s TextStep) filler(*Source) filler {
	return func(_ context.Context, p []byte, done int) ([]byte, error) {
		for i := range len(p) / 96 {
			textSector((*[96]byte)(p[i*96:]), s.Packs, done+i)
		}
		return nil, nil
	}
}

func (s RawStep) filler(src *Source) filler {
	raw := newRawMaker(src, s.LBA)
	return func(ctx context.Context, p []byte, done int) ([]byte, error) {
		return p, raw.read(ctx, p, s.LBA+disc.LBA(done))
	}
}

func (s BlankStep) String() string { return fmt.Sprintf("blank, type %d", s.Type) }

func (s FormatStep) String() string {
	f := s.Request
	return fmt.Sprintf("format, type %02Xh.%d, %d blocks, parameter %06Xh", uint8(f.Type), f.SubType, f.Blocks, f.Param)
}

func (s LayerStep) String() string { return fmt.Sprintf("layer break after %d blocks", s.Blocks) }

func (s ParamsStep) String() string {
	p := s.Params
	return fmt.Sprintf("write parameters: type %d, multi-session %d, track mode %d, block type %d, session format %02Xh, packets of %d, test %t, MCN %q",
		p.Type, p.MultiSession, p.TrackMode, p.Block, uint8(p.SessionFormat), p.FixedPacket, p.TestWrite, p.MCN)
}

func (CalibrateStep) String() string { return "calibrate" }

func (s ReserveStep) String() string { return fmt.Sprintf("reserve a track of %d blocks", s.Blocks) }

func (s CueSheetStep) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "cue sheet of %d entries:", len(s.Entries))
	for i := range s.Entries {
		e := s.Entries[i].Encode()
		fmt.Fprintf(&b, " % x,", e[:])
	}
	return strings.TrimSuffix(b.String(), ",")
}

func (s ExpectStep) String() string { return fmt.Sprintf("expect the next writable address %d", s.LBA) }

// describeWriting describes a writing step.
func describeWriting(r Region, what string) string {
	return fmt.Sprintf("write %d to %d, %d bytes each: %s", r.LBA, r.end()-1, r.Form.Size(), what)
}

func (s WriteStep) String() string {
	what := fmt.Sprintf("the image's from %d on", s.Source)
	if s.Unit > 0 {
		what = "what the pipe gives, or less"
	}
	if s.Pad > 0 {
		what += fmt.Sprintf(", the last %d zeros", s.Pad)
	}
	return describeWriting(s.Region, what)
}

func (s ZeroStep) String() string { return describeWriting(s.area(), "zeros") }

func (s TextStep) String() string {
	return describeWriting(s.area(), fmt.Sprintf("%d CD-TEXT packs, repeated", len(s.Packs)))
}

func (s RawStep) String() string { return describeWriting(s.area(), "the image's from 0 on") }

func (SyncStep) String() string { return "synchronize" }

func (s CloseStep) String() string {
	return fmt.Sprintf("close, function %d, track %d", s.Function, s.Track)
}

func (BlankStep) doing() string     { return "blanking" }
func (FormatStep) doing() string    { return "formatting" }
func (LayerStep) doing() string     { return "setting the layer break" }
func (ParamsStep) doing() string    { return "setting the write parameters" }
func (CalibrateStep) doing() string { return "calibrating the laser" }
func (ReserveStep) doing() string   { return "reserving the track" }
func (CueSheetStep) doing() string  { return "sending the cue sheet" }
func (ExpectStep) doing() string    { return "finding the next writable address" }
func (WriteStep) doing() string     { return "writing" }
func (ZeroStep) doing() string      { return "writing" }
func (TextStep) doing() string      { return "writing" }
func (RawStep) doing() string       { return "writing" }
func (SyncStep) doing() string      { return "synchronizing" }
func (CloseStep) doing() string     { return "closing" }
