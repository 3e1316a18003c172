package rip

import (
	"context"
	"slices"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/drive"
	"spindle/image/mapfile"
	"spindle/scsi/mmc"
)

// A sector of data that no drive reads may still be known: from its bytes as they come,
// wrong at some places, read several times, with error pointers. What they have in common, and
// the parity that is spread over the sector, often give all of it; its EDC and its header
// say whether they did.

// An evidence is what damaged sectors of data gave.
type evidence struct {
	readings
	forms  []mmc.C2Mode // that may still work; nil before the first reading
	misses int          // in a row, of the first of the forms
	given  bool         // the drive gives bytes of damaged sectors in it
	won    int          // sectors that were put together
}

const (
	// perPass is how many times a sector is read in one pass, if each adds to what is known.
	perPass = 3
	// mostReadings is how many readings of a sector are kept: more vote hardly better.
	mostReadings = 12
	// mostEvidence bounds the bytes of all.
	mostEvidence = 64 << 20
	// mostMisses is how many sectors may give nothing in a form before it is given up.
	mostMisses = 2
	// leastSync is how many of the 12 bytes of the sync pattern have to be right, or what came
	// is taken for something else than a sector.
	leastSync = 6
)

// evidenceForms are the forms of error pointers to ask for, the likeliest to work first.
var evidenceForms = []mmc.C2Mode{mmc.C2AndBlock, mmc.C2Bits, mmc.NoC2}

// evidencePass reads those of some sectors as they are that are data and still bad, and puts
// together what it can.
func (r *reader) evidencePass(ctx context.Context, sectors []sectorRef) error {
	if r.evidence.forms == nil {
		r.evidence.forms = evidenceForms
	}
	if !r.plan.caps.Raw || len(r.evidence.forms) == 0 {
		return nil
	}
	sectors = slices.DeleteFunc(slices.Clone(sectors), func(s sectorRef) bool { return !r.maybeKnown(s) })
	if len(sectors) == 0 {
		return nil
	}
	defer r.transferDamaged(ctx)()
	return r.eachRun(sectors, func(s sectorRef) (bool, error) {
		if len(r.evidence.forms) == 0 {
			return false, nil
		}
		return r.gatherWith(ctx, s, r.readDamaged)
	})
}

// maybeKnown reports whether a sector is one that evidence can win: bad, and of a kind that
// has an EDC.
func (r *reader) maybeKnown(s sectorRef) bool {
	if s.g.coding != drive.Data || s.g.track.Mode.CodedKinds() == nil || r.refusals.has(s.g.position(s.at)) {
		return false
	}
	state := r.tracker.at(s.g.position(s.at))
	return state == unread || state == flawed
}

// transferDamaged tells the drive to give the bytes of sectors that it cannot correct, and
// returns what takes that back. Drives that do not listen are no error.
func (r *reader) transferDamaged(ctx context.Context) (restore func()) {
	d := r.drive.Drive
	was, err := d.ErrorRecovery(ctx)
	if err != nil || was.TransferBlock {
		return func() {}
	}
	now := was
	now.TransferBlock = true
	if d.SetErrorRecovery(ctx, now) != nil {
		return func() {}
	}
	return func() { _ = d.SetErrorRecovery(context.WithoutCancel(ctx), was) }
}

// A damagedRead reads the bytes of a damaged sector. came is false where the drive gives none.
type damagedRead func(ctx context.Context, g *region, at disc.LBA) (x cdsector.Reading, came bool, err error)

// gatherWith reads a damaged sector some times more, until it is known, or nothing new comes. It
// reports whether it is known.
func (r *reader) gatherWith(ctx context.Context, s sectorRef, read damagedRead) (won bool, err error) {
	g, at := s.g, s.at
	for range perPass {
		if err := r.bound(); err != nil {
			return false, err
		}
		if r.cache.way == byFlush {
			r.defeatCache(ctx, at)
		}
		x, came, err := read(ctx, g, at)
		if err != nil {
			return false, err
		}
		if !came || !r.evidence.addNew(g.position(at), x) {
			return false, nil
		}
		if r.recovered(g, at) {
			return true, nil
		}
	}
	return false, nil
}

// readDamaged reads the bytes of a damaged sector, in the forms that are left.
func (r *reader) readDamaged(ctx context.Context, g *region, at disc.LBA) (x cdsector.Reading, came bool, err error) {
	begin := r.clock().Now()
	r.tracker.working(g.position(at))
	for range maxResets {
		if len(r.evidence.forms) == 0 {
			break
		}
		if x, err = r.drive.ReadDamaged(ctx, at, r.evidence.forms[0]); err == nil && resemblesData(&x.Data) {
			r.evidence.given = true
			r.report(at, 1, r.clock().Now().Sub(begin))
			return x, true, nil
		}
		if err == nil { // an adapter that states no length, and a buffer of the system's with nothing in it
			r.evidence.missed(false)
			break
		}
		again, fatal := r.judge(ctx, err)
		if fatal != nil {
			return x, false, fatal
		}
		if !again && !r.evidence.missed(drive.Classify(err) != drive.Sector) {
			break
		}
	}
	r.report(at, 0, r.clock().Now().Sub(begin))
	return x, false, nil
}

// missed notes that nothing came in the form that is in use, which the drive may have refused, and reports whether another
// one is to be tried at once. A form that worked before is kept: the sector is too damaged.
func (e *evidence) missed(refused bool) (again bool) {
	if e.given {
		return false
	}
	e.misses++
	if refused || e.misses >= mostMisses {
		e.forms, e.misses = e.forms[1:], 0
	}
	return refused
}

// addNew keeps a reading that says something new, and reports whether it does: bytes that came before are
// those of a buffer, or of damage that is the same each time.
func (e *evidence) addNew(pos int64, x cdsector.Reading) bool {
	same := func(k cdsector.Reading) bool { return k.Data == x.Data }
	return resemblesData(&x.Data) && !slices.ContainsFunc(e.of[pos], same) && e.add(pos, x)
}

// resemblesData reports whether bytes may be those of a sector of data.
func resemblesData(s *[cdsector.Size]byte) bool {
	var want [cdsector.Size]byte
	cdsector.SetSync(&want)
	right := 0
	for i := range 12 {
		if s[i] == want[i] {
			right++
		}
	}
	return right >= leastSync
}

// recovered puts a sector together, and passes it on as if the drive had given it: it is
// checked as any other.
func (r *reader) recovered(g *region, at disc.LBA) bool {
	pos := g.position(at)
	for _, k := range g.track.Mode.CodedKinds() {
		s, ok := cdsector.Recover(k, at.MSF(), r.evidence.of[pos])
		if !ok {
			continue
		}
		b := r.sink.take()
		b.prepare(r.plan, g, at, 1)
		clear(b.buf)
		copy(b.buf, s[:])
		b.noSub = true
		r.sink.send(b)
		r.sink.drain()
		if r.tracker.at(pos) != mapfile.Finished {
			return false
		}
		r.evidence.forget(pos)
		r.evidence.won++
		r.lastGood = r.clock().Now()
		return true
	}
	return false
}
