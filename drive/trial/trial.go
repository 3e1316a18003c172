// Package trial finds out what a drive can do by trying it. What a drive claims in
// its features and mode pages and what it does are two things: whoever rips or
// burns with it wants to know the second.
//
// A trial writes nothing, and changes no setting of the drive.
package trial

import (
	"context"
	"time"

	"spindle/addr"
	"spindle/disc"
	"spindle/drive"
	"spindle/scsi/mmc"
)

// An Outcome is what came of one attempt.
type Outcome string

// The outcomes.
const (
	Untried Outcome = ""
	Works   Outcome = "works"
	Refused Outcome = "refused" // the drive says that it cannot
	Failed  Outcome = "failed"  // any other error, also of the connection
	Wrong   Outcome = "wrong"   // no error, and not what was asked for
)

// outcome classifies how a command ended.
func outcome(err error) Outcome {
	switch {
	case err == nil:
		return Works
	case drive.Classify(err) == drive.Refused:
		return Refused
	}
	return Failed
}

// A Question is a command that only asks, and what came of it.
type Question struct {
	Name    string // of the command, and of what is asked for
	Outcome Outcome
	Took    time.Duration
}

// A Form is one way to ask for whole sectors with READ CD.
type Form struct {
	Expect  mmc.SectorType
	C2      mmc.C2Mode
	Sub     mmc.SubMode
	Outcome Outcome
	// Flagged is the share of sectors, 0 to 1, with bits set in their error
	// pointers. On a disc without damage, more than a few are false.
	Flagged float64
}

// A Speed is how fast sectors came from one place on a disc.
type Speed struct {
	At   addr.LBA
	Rate float64 // bytes of user data (audio: of samples) in a second
}

// A Stretch is what was found out on the sectors of one kind.
type Stretch struct {
	Coding  drive.Coding
	At, End addr.LBA
	Forms   []Form // of a CD
	// Transfer is the largest number of bytes that one command brought.
	Transfer int
	// Limited: more than Transfer did not come, at two places.
	Limited bool
	// Short: some replies were cut, and the drive or a bridge reported no error.
	Short bool
	Cache Cache
	// Stream says whether reads that overlap join: the drive has accurate stream.
	Stream Outcome
	// QAhead is by how many sectors the Q sub-channel runs ahead of the sectors;
	// it means something where Q is [Works].
	QAhead int
	Q      Outcome
	Speeds []Speed
}

// A Report is what a trial found.
type Report struct {
	Inquiry   mmc.Inquiry
	Profile   mmc.Profile // of the disc; [mmc.ProfileNone] without one
	Questions []Question
	// Turnaround is the median time of a command that does nothing.
	Turnaround time.Duration
	Stretches  []Stretch // one of audio, one of data, as far as the disc has them
}

// Stages of a trial, for a progress display.
const stages = 3

// Run tries a drive, with the disc that is in it. A drive without a disc, or with a
// blank one, is asked only what needs none. Progress, which may be nil, hears which
// part of how many is done. The error is one of the device as such: what the drive
// refuses is a result.
func Run(ctx context.Context, d *mmc.Drive, progress func(done, total int)) (*Report, error) {
	if progress == nil {
		progress = func(int, int) {}
	}
	r := &Report{}
	var err error
	if r.Inquiry, err = d.Inquiry(ctx); err != nil {
		return nil, err
	}
	m, err := drive.Survey(ctx, d, drive.ForReading)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err == nil:
		r.Profile = m.Profile
	}
	if r.Questions, err = ask(ctx, d); err != nil {
		return nil, err
	}
	progress(1, stages)
	if r.Turnaround, err = turnaround(ctx, d); err != nil {
		return nil, err
	}
	for i, s := range stretches(m) {
		t := reading{d: d, cd: m.Contents.Layout.Medium == disc.CD, s: s, most: leastBatch, batch: leastBatch}
		if err := t.run(ctx); err != nil {
			return nil, err
		}
		r.Stretches = append(r.Stretches, t.s)
		progress(2+i, stages)
	}
	progress(stages, stages)
	return r, nil
}

// tail is what a data track may end with that is no data of it: run-out blocks, and
// the pregap of an audio track, which a table of contents counts with it.
const tail = 2 + 2*disc.FramesPerSecond

// least is how many sectors a stretch must have to be worth a trial: those of the batches
// that measure its speed.
const least = speedBatches * mostBatch

// stretches chooses where to read: the longest track of each coding.
func stretches(m *drive.Medium) []Stretch {
	if m == nil || m.Contents == nil {
		return nil
	}
	longest := make(map[drive.Coding]Stretch)
	for _, t := range m.Contents.Layout.Tracks() {
		k := drive.CodingOf(t)
		s := Stretch{Coding: k, At: t.Start, End: t.End}
		if k == drive.Data {
			s.End -= tail
		}
		if n := s.End - s.At; n >= least && n > longest[k].End-longest[k].At {
			longest[k] = s
		}
	}
	var found []Stretch
	for _, k := range [...]drive.Coding{drive.Audio, drive.Data} {
		if s, ok := longest[k]; ok {
			found = append(found, s)
		}
	}
	return found
}
