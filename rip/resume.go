package rip

import (
	"bytes"
	"context"
	"fmt"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/drive"
	"spindle/image/mapfile"
)

// How much of what was read before is compared with the disc.
const (
	// places is how many are spread over it, beside its ends and the start of
	// each track.
	places = 32
	// placeSectors is the most that is compared at one place.
	placeSectors = 32
	// allBelow is up to how many sectors all are compared.
	allBelow = places * placeSectors
	// leastPlaces is how many must be the same that are not constant.
	leastPlaces = 4
	// searched is how many sectors are looked through for one that is not
	// constant.
	searched = 256
)

// compareDisc compares what was read before with the disc, so that no two discs
// are joined. One difference makes it another disc. A comparison during which
// the disc may have been changed begins again.
func (r *reader) compareDisc(ctx context.Context) error {
	return r.compare(ctx, r.tracker.snapshot(), r.image)
}

// compareEarlier compares what an earlier run read, with an offset correction of begun samples, and maybe in
// another drive.
func (r *reader) compareEarlier(ctx context.Context, begun int) error {
	m := r.tracker.snapshot()
	if size := r.plan.regions.size(); m.Size() != size {
		return fmt.Errorf("%w: it is for an image of %d bytes, and this one has %d", mapfile.ErrSyntax, m.Size(), size)
	}
	return r.compareAligned(ctx, m, r.image, begun)
}

// An earlierImage is what was read before.
type earlierImage interface {
	readAt(p []byte, pos int64) error
}

// compare compares with the disc what a map says was read before.
func (r *reader) compare(ctx context.Context, m *mapfile.Map, was earlierImage) error {
	r.comparing = true
	defer func() { r.comparing = false }()
	for range maxResets {
		r.interrupts = 0
		c := newComparison(r, m, was)
		if err := c.run(ctx); err != nil {
			return err
		}
		if r.interrupts > 0 {
			continue
		}
		if c.decided() || r.opts.SameDisc && r.plan.shift == 0 {
			return nil
		}
		return fmt.Errorf("%w (%d of %d places could be compared)", ErrUndecided, c.same, leastPlaces)
	}
	return fmt.Errorf("%w: it was reset again and again", ErrDrive)
}

// A comparison is one of what was read before with the disc.
type comparison struct {
	reader *reader
	image  earlierImage
	m      *mapfile.Map

	compared int64 // sectors that are the same
	same     int   // places that are the same and not constant
	heard    int   // sectors of audio that are the same and not constant
	once     *mapfile.Map
	doubtful int  // places of audio read once that differ: damage, or another disc
	agreed   int  // and that are the same
	whole    bool // everything was compared
}

// newComparison makes one of what is finished and of what was read once.
func newComparison(r *reader, m *mapfile.Map, was earlierImage) *comparison {
	c := &comparison{reader: r, image: was, m: m.Clone(), once: m}
	for _, b := range m.Blocks() {
		if b.Status == readOnce {
			c.m.Set(b.Pos, b.Size, mapfile.Finished)
		}
	}
	for _, x := range r.repaired { // the disc does not have what is right
		r.eachIn(drive.Stretch{First: x.At, End: x.At + 1}, func(pos, size int64) { c.m.Set(pos, size, flawed) })
	}
	if r.plan.apart {
		c.leaveOutEnds()
	}
	return c
}

// differs is what becomes of doubts about sectors from one on. Audio that was read once
// may have been read wrong, and is read again in any case; but not everywhere, and where it is
// to be shifted, in few places only.
func (c *comparison) differs(g *region, at disc.LBA, open doubts) error {
	c.doubtful++
	many := c.doubtful >= leastPlaces && (c.doubtful > c.agreed || c.reader.plan.apart)
	for i, doubt := range open {
		a := at + disc.LBA(i)
		if doubt && (c.once.At(g.position(a)) != readOnce || many) {
			if g.coding == drive.Audio {
				return &audioError{at: a}
			}
			return fmt.Errorf("%w (its contents differ at sector %d)", ErrOtherDisc, a)
		}
	}
	return nil
}

// decided reports whether enough was the same. Where all is the same, nothing can
// be joined that is not. Of two drives, or two offset corrections, enough audio has to be.
func (c *comparison) decided() bool {
	return (c.whole || c.same >= leastPlaces) && (!c.reader.plan.apart || c.heard >= leastPlaces)
}

func (c *comparison) run(ctx context.Context) error {
	total := c.sectors()
	if total <= allBelow {
		if err := c.all(ctx); err != nil {
			return err
		}
		c.whole = c.compared == total
		return nil
	}
	for _, pos := range c.landmarks() {
		if err := c.place(ctx, pos); err != nil {
			return err
		}
	}
	done := c.m.Count(mapfile.Finished)
	const rounds = 4 // further ones, in between, where damage leaves too little
	for round := range int64(rounds) {
		for i := range int64(places) {
			pos, ok := nthFinished(c.m, done/places*i+done/places/rounds*round)
			if !ok {
				break
			}
			if err := c.place(ctx, c.telling(pos, done/places)); err != nil {
				return err
			}
		}
		if c.decided() {
			break
		}
	}
	return nil
}

// sectors counts what is finished.
func (c *comparison) sectors() int64 {
	n := int64(0)
	rs := c.reader.plan.regions
	for _, b := range c.m.Blocks() {
		if b.Status != mapfile.Finished {
			continue
		}
		for pos := b.Pos; pos < b.End(); {
			g := rs.find(pos)
			end := min(b.End(), g.pos+g.bytes())
			if g.void != notVoid {
				pos = end
				continue
			}
			n += (end - pos) / int64(g.size)
			pos = end
		}
	}
	return n
}

// each calls do for the finished sectors, a command's worth at a time.
func (c *comparison) each(do func(g *region, at disc.LBA, n int) error) error {
	for pos := int64(0); ; {
		b, ok := c.m.Next(pos, mapfile.Finished)
		if !ok {
			return nil
		}
		g, at, n := c.reader.piece(b)
		if err := do(g, at, n); err != nil {
			return err
		}
		pos = g.position(at) + int64(n*g.size)
	}
}

// all compares every finished sector. Of a few, each is a place.
func (c *comparison) all(ctx context.Context) error {
	return c.each(func(g *region, at disc.LBA, n int) error { return c.bisect(ctx, g, at, n) })
}

// bisect compares sectors in ever smaller pieces, down to those that cannot be
// read now.
func (c *comparison) bisect(ctx context.Context, g *region, at disc.LBA, n int) error {
	before, doubtful := c.compared, c.doubtful
	telling, err := c.piece(ctx, g, at, n)
	c.same += telling
	if err != nil || n == 1 || c.compared > before || c.doubtful > doubtful || g.void != notVoid {
		return err
	}
	if err := c.bisect(ctx, g, at, n/2); err != nil {
		return err
	}
	return c.bisect(ctx, g, at+disc.LBA(n/2), n-n/2)
}

// landmarks are the first and the last finished sector, and the first of each
// track.
func (c *comparison) landmarks() []int64 {
	var all []int64
	add := func(from, end int64) {
		if b, ok := c.m.Next(from, mapfile.Finished); ok && b.Pos < end {
			all = append(all, b.Pos)
		}
	}
	rs := c.reader.plan.regions
	for i := range rs {
		g := &rs[i]
		add(g.pos, g.pos+g.bytes())
		if g.track.Start > g.first {
			add(g.position(g.track.Start), g.pos+g.bytes())
		}
		if g.track.Mode.IsData() && g.void == notVoid {
			all = append(all, c.directories(g)...)
		}
	}
	if done := c.m.Count(mapfile.Finished); done > 0 {
		last, _ := nthFinished(c.m, done-1)
		g := rs.find(last)
		all = append(all, g.position(g.at(last)))
	}
	return all
}

// telling returns the first sector from a position on that is not constant in the
// image, within a stretch of bytes, or else the position itself.
func (c *comparison) telling(pos, stretch int64) int64 {
	g := c.reader.plan.regions.find(pos)
	pos = g.position(g.at(pos))
	sector := make([]byte, g.size)
	for at, i := pos, 0; i < searched && at < min(pos+stretch, g.pos+g.bytes()); i++ {
		if c.m.At(at) == mapfile.Finished && c.image.readAt(sector, at) == nil && !constant(sector) {
			return at
		}
		at += int64(g.size)
	}
	return pos
}

// place compares the finished sectors from a position on.
func (c *comparison) place(ctx context.Context, pos int64) error {
	b, ok := c.m.Next(pos, mapfile.Finished)
	if !ok || b.Pos != pos {
		return nil
	}
	g, at, n := c.reader.piece(b)
	n = min(n, placeSectors)
	before, doubtful := c.compared, c.doubtful
	telling, err := c.piece(ctx, g, at, n)
	if err == nil && c.compared == before && c.doubtful == doubtful && n > 1 { // damaged since, perhaps not at the first sector
		telling, err = c.piece(ctx, g, at, 1)
	}
	c.same += min(1, telling)
	return err
}

// How many times what differs is read before it is believed. Audio may come from
// a little before or after the sectors asked for (a drive without "accurate
// stream", MMC-6 5.3.10), and never twice the same.
const (
	dataTries  = rereads
	audioTries = 16 // all to one side by chance: once in 32,768
)

// triesFor returns how many times what differs is read.
func triesFor(g *region) int {
	if g.coding == drive.Audio {
		return audioTries
	}
	return dataTries
}

// piece compares sectors of one command. It returns how many of those that are the
// same are not constant, and 0 where they cannot be read.
func (c *comparison) piece(ctx context.Context, g *region, at disc.LBA, n int) (telling int, err error) {
	if g.void != notVoid {
		return 0, nil // not on the disc
	}
	m := match{was: make([]byte, n*g.size), open: newDoubts(n)}
	if err := c.image.readAt(m.was, g.position(at)); err != nil {
		return 0, fmt.Errorf("%w: %w", ErrOutput, err)
	}
	for try := range triesFor(g) {
		if try > 0 {
			c.reader.defeatCache(ctx, at)
		}
		b := c.reader.sink.take()
		b.prepare(c.reader.plan, g, at, n)
		came, err := c.fetch(ctx, b)
		same := false
		if came {
			b.check(c.reader.plan.caps)
			if same = m.reached(b); same {
				telling = c.count(m.was, b)
			}
		}
		c.reader.sink.drop(b)
		switch {
		case err != nil, !came && try == 0:
			return 0, err
		case same:
			c.agree(g, at, telling)
			return telling, nil
		}
	}
	return 0, c.differs(g, at, m.open)
}

// agree counts sectors that are the same, telling of which are not constant.
func (c *comparison) agree(g *region, at disc.LBA, telling int) {
	if g.coding == drive.Audio {
		c.heard += telling
	}
	if telling > 0 && c.once.At(g.position(at)) == readOnce {
		c.agreed++
	}
}

// A match is the comparison of one piece of the image, over all its readings.
type match struct {
	was         []byte // what the image has
	open        doubts
	early, late bool // audio came shifted to this side
}

// reached takes one more reading into account, and reports whether the disc has what the
// image has. Audio that comes shifted to both sides is the same; audio that always comes
// shifted to one side is of another pressing, or read with another offset.
func (m *match) reached(b *batch) bool {
	if m.open.settled(m.was, b) {
		return true
	}
	if b.r.coding != drive.Audio {
		return false
	}
	shift := shiftOf(m.was, b)
	m.early, m.late = m.early || shift < 0, m.late || shift > 0
	return m.early && m.late
}

// fetch reads a batch, again where the drive was reset. It reports whether the
// sectors came.
func (c *comparison) fetch(ctx context.Context, b *batch) (bool, error) {
	for range maxResets {
		if err := c.reader.bound(); err != nil {
			return false, err
		}
		err := c.reader.fetch(ctx, b)
		if err == nil {
			return true, nil
		}
		again, fatal := c.reader.judge(ctx, err)
		if fatal != nil || !again {
			return false, fatal
		}
	}
	return false, nil
}

// doubts are the sectors of a piece that came without error and were not those of the
// image. Only the same sector, read without error and the same, settles a doubt: one
// that did not come right is no evidence for either.
type doubts []bool

func newDoubts(n int) doubts { return make(doubts, n) }

// settled takes one more reading into account, and reports whether no doubt is left.
func (d doubts) settled(was []byte, b *batch) bool {
	size, left := b.r.size, false
	for i, good := range b.good {
		if good {
			d[i] = !bytes.Equal(was[i*size:][:size], b.main[i*size:][:size])
		}
		left = left || d[i]
	}
	return !left
}

// count counts the sectors that are the same, and returns how many of them are not
// constant.
func (c *comparison) count(was []byte, b *batch) (telling int) {
	size := b.r.size
	for i, good := range b.good {
		if !good {
			continue
		}
		c.compared++
		if !constant(was[i*size:][:size]) {
			telling++
		}
	}
	return telling
}

// mostShift is the most that jitter moves audio, in samples: one sector.
const mostShift = cdsector.Size / bytesPerSample

// shiftOf returns by how many samples audio that came lies behind the image, or 0
// where it is not the same at any shift. Only audio that came without error counts,
// and at least half of it has to lie over the image.
func shiftOf(was []byte, b *batch) int {
	if !b.allGood() {
		return 0
	}
	shift, _ := shiftBetween(was, b.main)
	return shift
}

// shiftBetween returns by how many samples one reading lies behind another, and whether
// they are the same without.
func shiftBetween(was, now []byte) (shift int, same bool) {
	if bytes.Equal(was, now) {
		return 0, true
	}
	for k := 1; k <= min(mostShift, len(was)/bytesPerSample/2); k++ {
		n := k * bytesPerSample
		if bytes.Equal(was[n:], now[:len(now)-n]) && !constant(was[n:]) {
			return k, false
		}
		if bytes.Equal(was[:len(was)-n], now[n:]) && !constant(now[n:]) {
			return -k, false
		}
	}
	return 0, false
}

// nthFinished returns the position of the n-th finished byte.
func nthFinished(m *mapfile.Map, n int64) (int64, bool) {
	for _, b := range m.Blocks() {
		if b.Status != mapfile.Finished {
			continue
		}
		if n < b.Size {
			return b.Pos + n, true
		}
		n -= b.Size
	}
	return 0, false
}
