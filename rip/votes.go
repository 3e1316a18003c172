package rip

import (
	"encoding/binary"
	"slices"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/drive"
	"spindle/image/mapfile"
)

// Audio that never comes twice the same is put together sample by sample: a scratch does
// not hit the same samples each time, or C2 says which it hit. What agrees is taken, and how
// many readings agreed is kept; a sector with a sample on which nothing is sure stays flawed.

// A Vote is how a sector of audio was put together from several readings.
type Vote struct {
	At      disc.LBA
	Samples int // on which not all readings agreed, or which C2 marked in some
	// Agree of Of readings had the value that was taken, at the sample where the fewest did.
	Agree, Of int
}

const (
	// leastAgree is how many readings that C2 does not mark have to agree on a sample, and
	// leastContested how many where others contradict them. They are more than half of all, too.
	leastAgree     = 2
	leastContested = 3
	// mostVotes bounds the sectors that are put together: the state of the rip lists them.
	mostVotes = 10000

	samplesPerSector = cdsector.Size / bytesPerSample
)

// A kept set of readings of damaged sectors, by their position in the image.
type readings struct {
	of    map[int64][]cdsector.Reading
	bytes int
}

const readingSize = cdsector.Size + cdsector.Size/8

// add keeps a reading, in place of the oldest where there are many. It reports whether there
// was room.
func (k *readings) add(pos int64, x cdsector.Reading) bool {
	known := k.of[pos]
	switch {
	case len(known) >= mostReadings:
		known = known[1:]
		k.bytes -= readingSize
	case k.bytes+readingSize > mostEvidence:
		return false
	case k.of == nil:
		k.of = map[int64][]cdsector.Reading{}
	}
	k.bytes += readingSize
	k.of[pos] = append(slices.Clip(known), x)
	return true
}

// forget drops what is known of a sector.
func (k *readings) forget(pos int64) {
	k.bytes -= len(k.of[pos]) * readingSize
	delete(k.of, pos)
}

// keepAudio keeps those sectors of audio that may have to be put together: with error
// pointers, and all that are read while it is retried.
func (r *reader) keepAudio(b *batch) {
	if b.r.coding != drive.Audio || r.plan.displaces(b.r) {
		return
	}
	stride := r.plan.caps.Stride(drive.Audio)
	for i := range b.n {
		s := b.buf[i*stride:][:stride]
		c2, _ := r.plan.caps.Split(s, drive.Audio)
		if r.progress.Phase != Retrying && allZero(c2) {
			continue
		}
		x := cdsector.Reading{Data: [cdsector.Size]byte(s), Marks: drive.Pointers(c2)}
		if x.Marks == nil && !allZero(c2) {
			continue // it does not show what they mark
		}
		r.votes.add(b.r.position(b.at+disc.LBA(i)), x)
	}
}

// keepImage keeps what the image holds of a sector of audio that came once without error, if nothing else of
// it is kept.
func (r *reader) keepImage(g *region, at disc.LBA) {
	pos := g.position(at)
	if g.coding != drive.Audio || r.plan.displaces(g) || r.tracker.at(pos) != readOnce || len(r.votes.of[pos]) > 0 {
		return
	}
	var x cdsector.Reading
	if r.image.readAt(x.Data[:], pos) == nil {
		r.votes.add(pos, x)
	}
}

// votePass puts those of some sectors together that are audio and still not right.
func (r *reader) votePass(sectors []sectorRef) {
	r.sink.drain()
	for _, s := range sectors {
		pos := s.g.position(s.at)
		state := r.tracker.at(pos)
		if s.g.coding != drive.Audio || state == mapfile.Finished {
			r.votes.forget(pos)
			continue
		}
		if known := r.votes.of[pos]; len(known) > 1 && state != unread {
			r.vote(s.g, s.at, known)
		}
	}
}

// vote writes what readings of a sector have in common: as right, where every sample is
// decided, and else as what is most likely.
func (r *reader) vote(g *region, at disc.LBA, known []cdsector.Reading) {
	s, open, v := voteSamples(known, r.plan.readTwice)
	b := r.sink.take()
	b.prepare(r.plan, g, at, 1)
	clear(b.buf)
	copy(b.buf, s[:])
	b.noSub = true
	if v.At = at; open == (cdsector.Erasures{}) && len(r.voted) < mostVotes {
		b.intent = voted
		r.voted = append(r.voted, v)
		r.sink.voted(slices.Clone(r.voted)) // first: no map may call it finished without saying so
		r.votes.forget(g.position(at))
		r.lastGood = r.clock().Now()
	} else if c2, _ := r.plan.caps.Split(b.buf, drive.Audio); len(c2) > 0 {
		copy(c2, open[:])
	}
	r.sink.send(b)
	r.sink.drain()
}

// voteSamples decides on each sample of a sector of audio. The bytes of those that stay open
// are marked; they have the likeliest value. Where audio is to be read twice, a sample wants
// two equal readings; a reading that C2 marks there counts for none.
func voteSamples(known []cdsector.Reading, twice bool) (s [cdsector.Size]byte, open cdsector.Erasures, v Vote) {
	for i := range samplesPerSector {
		at := i * bytesPerSample
		x := countSample(known, at)
		binary.LittleEndian.PutUint32(s[at:], x.value)
		if !x.decided(twice) {
			for k := range bytesPerSample {
				open.Set(at + k)
			}
		}
		if x.agree == len(known) {
			continue
		}
		if v.Samples++; v.Samples == 1 || x.agree*v.Of < v.Agree*len(known) {
			v.Agree, v.Of = x.agree, len(known)
		}
	}
	return s, open, v
}

// A sampleCount is the outcome for one sample.
type sampleCount struct {
	value        uint32
	agree, clean int // readings without marks that have it, and all without marks
}

// countSample counts what readings have at a sample.
func countSample(known []cdsector.Reading, at int) (x sampleCount) {
	var values [mostReadings]uint32
	var agree, marked [mostReadings]int
	n := 0
	for _, r := range known {
		v := binary.LittleEndian.Uint32(r.Data[at:])
		k := slices.Index(values[:n], v)
		if k < 0 {
			k = n
			values[k] = v
			n++
		}
		if isMarked(r.Marks, at) {
			marked[k]++
			continue
		}
		agree[k]++
		x.clean++
	}
	best := 0
	for k := 1; k < n; k++ {
		if agree[k] > agree[best] || agree[k] == agree[best] && marked[k] > marked[best] {
			best = k
		}
	}
	x.value, x.agree = values[best], agree[best]
	return x
}

// decided reports whether a value may be taken for right.
func (x sampleCount) decided(twice bool) bool {
	switch {
	case x.agree < x.clean:
		return x.agree >= leastContested && 2*x.agree > x.clean
	case twice:
		return x.agree >= leastAgree
	}
	return x.agree >= 1
}

// isMarked reports whether a byte of the sample at a byte is marked.
func isMarked(e *cdsector.Erasures, at int) bool {
	for k := range bytesPerSample {
		if e != nil && e.Has(at+k) {
			return true
		}
	}
	return false
}
