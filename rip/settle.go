package rip

import (
	"context"
	"encoding/binary"
	"slices"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/drive"
	"spindle/image/mapfile"
)

// Samples on which no readings agree have mostly come with two values. Which of them are right,
// checksums that somebody else has of the track can tell.

// An OpenSample is a sample of audio that came with different values: the two that came most often. The
// image holds the first.
type OpenSample struct {
	At     disc.LBA
	Index  int // in the sector, from 0
	Values [2]uint32
}

// A Choice is what is known of an [OpenSample].
type Choice uint8

// The choices.
const (
	Undecided Choice = iota
	FirstValue
	SecondValue
)

// Settled is a sector of audio whose samples were decided on.
type Settled struct {
	At      disc.LBA
	Samples int
}

// mostOpen bounds the samples that are passed on.
const mostOpen = 10000

// settlePass asks for the values of samples that are open still.
func (r *reader) settlePass(ctx context.Context) error {
	if r.opts.Settle == nil {
		return nil
	}
	r.sink.drain()
	var open []OpenSample
	var sectors []sectorRef
	for _, s := range r.badSectors(flawed, readOnce) {
		known := r.votes.of[s.g.position(s.at)]
		if s.g.coding != drive.Audio || len(known) < 2 || len(open) > mostOpen {
			continue
		}
		r.vote(s.g, s.at, known) // the image is to have the likeliest values
		if known = r.votes.of[s.g.position(s.at)]; len(known) > 1 {
			sectors, open = append(sectors, s), append(open, openSamples(s.at, known, r.plan.readTwice)...)
		}
	}
	if len(open) == 0 {
		return nil
	}
	choices, err := r.opts.Settle(ctx, r.reading(), open)
	if err != nil || len(choices) != len(open) {
		return err
	}
	for _, s := range sectors {
		from := slices.IndexFunc(open, func(x OpenSample) bool { return x.At == s.at })
		if from < 0 {
			continue
		}
		n := 0
		for from+n < len(open) && open[from+n].At == s.at {
			n++
		}
		if !slices.Contains(choices[from:from+n], Undecided) {
			r.decide(s, open[from:from+n], choices[from:from+n])
		}
	}
	return nil
}

// openSamples are those of a sector that no vote decides on.
func openSamples(at disc.LBA, known []cdsector.Reading, twice bool) (open []OpenSample) {
	for i := range samplesPerSector {
		if values := likeliest(known, i*bytesPerSample, twice); len(values) > 1 {
			open = append(open, OpenSample{at, i, [2]uint32(values)})
		}
	}
	return open
}

// likeliest returns the value that a vote gives a sample, and the one that came most often beside it, if the vote
// does not decide.
func likeliest(known []cdsector.Reading, at int, twice bool) (values []uint32) {
	first := countSample(known, at)
	if first.decided(twice) {
		return nil
	}
	counts := map[uint32]int{}
	for _, k := range known {
		if v := binary.LittleEndian.Uint32(k.Data[at:]); v != first.value {
			counts[v]++
			if !isMarked(k.Marks, at) {
				counts[v] += mostReadings
			}
		}
	}
	values = []uint32{first.value}
	best := 0
	for _, k := range known { // in their order, for the same result each time
		if v := binary.LittleEndian.Uint32(k.Data[at:]); counts[v] > best {
			best = counts[v]
			values = append(values[:1], v)
		}
	}
	return values
}

// decide writes a sector whose samples are decided on.
func (r *reader) decide(s sectorRef, open []OpenSample, choices []Choice) {
	pos := s.g.position(s.at)
	data, _, _ := voteSamples(r.votes.of[pos], r.plan.readTwice)
	for i, x := range open {
		if choices[i] == SecondValue {
			binary.LittleEndian.PutUint32(data[x.Index*bytesPerSample:], x.Values[1])
		}
	}
	b := r.sink.take()
	b.prepare(r.plan, s.g, s.at, 1)
	clear(b.buf)
	copy(b.buf, data[:])
	b.noSub, b.intent = true, voted
	r.settled = append(r.settled, Settled{s.at, len(open)})
	r.sink.settled(slices.Clone(r.settled)) // first: no map may call it finished without saying so
	r.votes.forget(pos)
	r.sink.send(b)
	r.sink.drain()
}

// Bad reports whether a sector is not right: it was not read, or with errors.
func (x *Reading) Bad(at disc.LBA) bool {
	g := x.regions.audioAt(at)
	if g == nil || x.tracker == nil {
		return true
	}
	return x.tracker.at(g.position(at)) != mapfile.Finished
}
