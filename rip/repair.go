package rip

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"slices"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/drive"
	"spindle/image/mapfile"
)

// A Repair is what makes audio right that was read wrong, or not at all.
type Repair struct {
	Right   []drive.Stretch // what is right with it, whatever the drive says
	Changed []disc.LBA      // the sectors that it changes, in order; all of them are in Right
	// Apply changes sectors from first on.
	Apply func(first disc.LBA, sectors []byte)
}

// Repaired is a sector of audio that [Options.Repair] changed.
type Repaired struct {
	At      disc.LBA
	Samples int // that were wrong, or all of a sector that was not read
	Silent  int // of them, those that came without a sign of error
}

// A Suspect is a run of samples of a sector that may be wrong: [First, End).
type Suspect struct {
	At         disc.LBA
	First, End int
}

// mostRepaired bounds the sectors that are repaired: the state of the rip lists them.
const mostRepaired = 20000

// repairPass asks for what makes audio right that nothing proves yet.
func (r *reader) repairPass(ctx context.Context) error {
	if r.opts.Repair == nil || !r.wantsRepair() {
		return nil
	}
	r.sink.drain()
	fix, err := r.opts.Repair(ctx, r.reading())
	if err != nil || fix == nil || len(r.repaired)+len(fix.Changed) > mostRepaired {
		return err
	}
	fixed, err := r.repairedSectors(fix)
	if err != nil {
		return err
	}
	r.prove(fix.Right)
	for _, x := range fixed { // no map may call finished what is listed as repaired, and is not written yet
		r.tracker.set(r.plan.regions.audioAt(x.At).position(x.At), cdsector.Size, flawed)
	}
	r.repaired = mergeRepaired(r.repaired, fixed)
	r.sink.repaired(slices.Clone(r.repaired)) // first: nor may it without saying so
	for i := range fixed {
		if err := r.mend(fix, fixed[i].At); err != nil {
			return err
		}
	}
	r.sink.drain()
	for _, s := range fix.Right {
		r.eachIn(s, func(pos, size int64) { r.tracker.set(pos, size, mapfile.Finished) })
	}
	r.lastGood = r.clock().Now()
	return nil
}

// reading is the audio as it was read so far.
func (r *reader) reading() *Reading {
	return &Reading{Layout: r.disc.Layout, regions: r.plan.regions, out: r.image, tracker: r.tracker, votes: &r.votes, twice: r.plan.readTwice,
		compared: r.compared, proven: slices.Clone(r.proven), jitters: r.plan.displaced}
}

// wantsRepair reports whether there is something to repair: a whole disc, with audio that is
// not right, or a track that nothing proves.
func (r *reader) wantsRepair() bool {
	if r.plan.only != nil || !r.plan.regions.hasAudio() {
		return false
	}
	for _, t := range r.disc.Layout.Tracks() {
		if !t.Mode.IsData() && !slices.ContainsFunc(r.proven, func(s drive.Stretch) bool { return s.First < t.End && t.Start < s.End }) {
			return true
		}
	}
	return len(r.reading().Suspects()) > 0
}

// repairedSectors says what a repair changes.
func (r *reader) repairedSectors(fix *Repair) ([]Repaired, error) {
	var all []Repaired
	x := r.reading()
	for _, at := range fix.Changed {
		g := r.plan.regions.audioAt(at)
		if g == nil {
			return nil, errNotAudio
		}
		var was [cdsector.Size]byte
		if err := r.image.readAt(was[:], g.position(at)); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrOutput, err)
		}
		now, one := was, Repaired{At: at}
		fix.Apply(at, now[:])
		suspects := x.suspectsOf(at, g.position(at))
		for i := range samplesPerSector {
			if [bytesPerSample]byte(was[i*bytesPerSample:]) == [bytesPerSample]byte(now[i*bytesPerSample:]) {
				continue
			}
			one.Samples++
			if !slices.ContainsFunc(suspects, func(s Suspect) bool { return s.First <= i && i < s.End }) {
				one.Silent++
			}
		}
		if !x.came(g.position(at)) {
			one.Samples = samplesPerSector
		}
		all = append(all, one)
	}
	return all, nil
}

// mergeRepaired adds what is repaired now to what was before.
func mergeRepaired(before, now []Repaired) []Repaired {
	all := append(slices.Clone(now), before...)
	slices.SortStableFunc(all, func(a, b Repaired) int { return cmp.Compare(a.At, b.At) })
	return slices.CompactFunc(all, func(a, b Repaired) bool { return a.At == b.At })
}

// mend writes a repaired sector.
func (r *reader) mend(fix *Repair, at disc.LBA) error {
	g := r.plan.regions.audioAt(at)
	pos := g.position(at)
	b := r.sink.take()
	b.prepare(r.plan, g, at, 1)
	clear(b.buf)
	if err := r.image.readAt(b.buf[:cdsector.Size], pos); err != nil {
		r.sink.drop(b)
		return fmt.Errorf("%w: %w", ErrOutput, err)
	}
	fix.Apply(at, b.buf[:cdsector.Size])
	b.noSub, b.intent = true, repaired
	r.votes.forget(pos)
	r.sink.send(b)
	return nil
}

// keepRepairs takes over what earlier runs repaired, as far as the map says that they came to it. It is not read
// again: the drive does not give it.
func (r *reader) keepRepairs(earlier []Repaired) {
	if len(earlier) == 0 {
		return
	}
	r.repaired = slices.DeleteFunc(slices.Clone(earlier), func(x Repaired) bool {
		g := r.plan.regions.audioAt(x.At)
		return g == nil || r.tracker.at(g.position(x.At)) != mapfile.Finished
	})
	r.sink.repaired(slices.Clone(r.repaired))
}

// Suspects are the samples of audio that may be wrong, by what the drive said of them, and as far as they were
// compared. Those of a sector that was not read are all of it.
func (x *Reading) Suspects() []Suspect {
	var all []Suspect
	for i := range x.regions {
		g := &x.regions[i]
		if g.coding != drive.Audio || g.void != notVoid {
			continue
		}
		for at := g.first; at < g.last(); at++ {
			all = append(all, x.suspectsOf(at, g.position(at))...)
		}
	}
	return all
}

// suspectsOf are those of a sector.
func (x *Reading) suspectsOf(at disc.LBA, pos int64) []Suspect {
	s := x.tracker.at(pos)
	if s == mapfile.Finished || s == readOnce && !x.compared {
		return nil
	}
	open, ok := x.openOf(pos)
	if !ok || s != flawed && s != readOnce {
		return []Suspect{{at, 0, samplesPerSector}}
	}
	var all []Suspect
	for i := range samplesPerSector {
		if !isMarked(&open, i*bytesPerSample) {
			continue
		}
		if n := len(all); n > 0 && all[n-1].End == i {
			all[n-1].End++
			continue
		}
		all = append(all, Suspect{at, i, i + 1})
	}
	return all
}

// openOf marks the bytes of a sector that are in doubt, if what is known of it is about what the image
// holds.
func (x *Reading) openOf(pos int64) (open cdsector.Erasures, ok bool) {
	known := x.votes.of[pos]
	var here [cdsector.Size]byte
	if len(known) == 0 || x.out.readAt(here[:], pos) != nil {
		return open, false
	}
	if len(known) == 1 {
		if known[0].Marks != nil {
			open = *known[0].Marks
		}
		return open, here == known[0].Data && known[0].Marks != nil
	}
	for i := 0; i < cdsector.Size; i += bytesPerSample {
		c := countSample(known, i)
		if c.value != binary.LittleEndian.Uint32(here[i:]) {
			return open, false
		}
		if !c.decided(x.twice) {
			for k := range bytesPerSample {
				open.Set(i + k)
			}
		}
	}
	return open, true
}

// came reports whether a sector was read.
func (x *Reading) came(pos int64) bool {
	switch x.tracker.at(pos) {
	case unread, mapfile.NonTried, mapfile.NonTrimmed:
		return false
	}
	return true
}

// Jitters reports whether the drive gives audio from a little before or after the place asked for (without "accurate
// stream"): that all of it is the same somewhat later or earlier then proves nothing.
func (x *Reading) Jitters() bool { return x.jitters }

// Proven are the sectors that [Options.Prove] and [Options.Repair] returned so far.
func (x *Reading) Proven() []drive.Stretch { return x.proven }
