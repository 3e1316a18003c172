package check

import (
	"bytes"
	"context"

	"spindle/disc"
	"spindle/disc/cdsector"
)

// A Difference is a run of sectors that two images do not have in common, or a
// difference of their layouts.
type Difference struct {
	Kind        DifferenceKind
	Track       int      // 0: of all
	First, Last disc.LBA // of sectors, both included
	A, B        int      // what the images have, of a layout
	ModeA       disc.Mode
	ModeB       disc.Mode
	Text        disc.PackType // of OtherText; its track 0 is the disc
	TextA       string
	TextB       string
}

// A DifferenceKind says what differs.
type DifferenceKind uint8

// What can differ.
const (
	OtherContent DifferenceKind = iota + 1 // of sectors
	Uncompared                             // sectors that the second image does not give
	Lacking                                // sectors that the first image is known not to have (Unread among its flaws)
	OtherTracks                            // A and B tracks
	OtherMode                              // ModeA and ModeB
	OtherLength                            // A and B sectors
	OtherPregap                            // A and B sectors of pregap
	OtherMCN                               // TextA and TextB
	OtherISRC                              // TextA and TextB
	OtherText                              // TextA and TextB, in CD-TEXT
)

// mostDifferences bounds what Compare lists; past that the discs have nothing to
// do with each other.
const mostDifferences = 1000

// Comparison is what [Compare] found.
type Comparison struct {
	Differences []Difference
	// Shift is by how many samples the audio of the second image comes later than that
	// of the first; so many at its end, or its beginning, were not compared.
	Shift int
	// Silent counts samples at the edges of the audio that are silence in the first
	// image and not in the second, as after a rip with an offset correction.
	Silent int
}

// CompareOptions say how to compare.
type CompareOptions struct {
	// AnyOffset: the second image is read by a drive, which may give audio a fixed
	// number of samples early or late.
	AnyOffset bool
	// Codes compares also the catalogue numbers, ISRCs and CD-TEXT that both images state.
	Codes bool
	// Damaged reports whether an error of the second image is one of the sectors asked
	// for, so that others may be read. It may be nil: none is.
	Damaged func(err error) bool
	// Doubted reports whether what the second image gives of an audio sector that is not the
	// same is not what is on its disc: drives conceal damage. It may be nil: none is.
	Doubted func(ctx context.Context, at disc.LBA) bool
	// Progress receives how many sectors of how many are done. It may be nil.
	Progress func(done, total int64)
}

// Compare compares two images track by track, in whatever formats they are. A CD
// and a DVD (the .iso of a large disc, say, and that disc) are compared by user
// data. Where one image ends earlier, what both have is still compared.
func Compare(ctx context.Context, a, b disc.Image, o CompareOptions) (Comparison, error) {
	c := comparer{a: a, b: b, user: a.Layout().Medium.SectorSize() != b.Layout().Medium.SectorSize(), damaged: o.Damaged, doubted: o.Doubted, drive: o.AnyOffset, lacks: a.Flaws()}
	if c.damaged == nil {
		c.damaged = func(error) bool { return false }
	}
	if o.AnyOffset && !c.user {
		c.shift, c.runs = findShift(ctx, a, b), audioRuns(b.Layout())
		if err := c.findEdges(ctx); err != nil {
			return Comparison{}, err
		}
	}
	err := c.all(ctx, o.Progress)
	if err == nil && o.Codes {
		c.codes()
	}
	return Comparison{c.found, c.shift, c.silent}, err
}

func (c *comparer) all(ctx context.Context, progress func(done, total int64)) error {
	ta, tb := c.a.Layout().Tracks(), c.b.Layout().Tracks()
	if len(ta) != len(tb) {
		c.found = append(c.found, Difference{Kind: OtherTracks, A: len(ta), B: len(tb)})
	}
	n := min(len(ta), len(tb))
	for i := range n {
		c.total += int64(ta[i].Sectors())
	}
	for i := range n {
		if err := c.layouts(ctx, i); err != nil {
			return err
		}
		if err := c.track(ctx, ta[i], tb[i], progress); err != nil {
			return err
		}
		if len(c.found) >= mostDifferences {
			break
		}
	}
	return nil
}

type comparer struct {
	a, b        disc.Image
	user        bool // compare user data only
	drive       bool // b is a disc in a drive
	found       []Difference
	done, total int64

	damaged func(err error) bool
	doubted func(ctx context.Context, at disc.LBA) bool // or nil
	lacks   disc.Flaws                                  // of a

	shift int        // of the audio of b, in samples
	runs  []audioRun // of b

	edges  [][2]int64 // of the audio of a: silence, as bytes of the disc
	silent int
}

// layouts compares what the two images state of their i-th tracks.
func (c *comparer) layouts(ctx context.Context, i int) error {
	a, b := c.a.Layout().Tracks()[i], c.b.Layout().Tracks()[i]
	switch {
	case a.Mode.IsData() != b.Mode.IsData():
		c.found = append(c.found, Difference{Kind: OtherMode, Track: a.Number, ModeA: a.Mode, ModeB: b.Mode})
	case a.Sectors() != b.Sectors():
		padded, err := c.padded(ctx, i)
		if err != nil {
			return err
		}
		if !padded {
			c.found = append(c.found, Difference{Kind: OtherLength, Track: a.Number, A: a.Sectors(), B: b.Sectors()})
		}
	case a.Pregap != b.Pregap:
		c.found = append(c.found, Difference{Kind: OtherPregap, Track: a.Number, A: a.Pregap, B: b.Pregap})
	}
	return nil
}

// mostPadding is how many sectors a burn may add to a track that nothing follows: what is
// missing to four seconds on a CD, to an ECC block on other media, run-out blocks.
const mostPadding = 302

// padded reports whether the longer one of two tracks that end their sessions is the shorter
// one and the padding of a burn behind it: zeros, or, at the end of a track that was written
// at once, sectors that cannot be read. Where both have a further session at the same place,
// the padding has brought it there, however long it is.
func (c *comparer) padded(ctx context.Context, i int) (bool, error) {
	ta, tb := c.a.Layout().Tracks(), c.b.Layout().Tracks()
	a, b := ta[i], tb[i]
	if !endsSession(c.a.Layout(), a) || !endsSession(c.b.Layout(), b) || !a.Mode.IsData() && !c.drive {
		return false, nil
	}
	n := max(a.Sectors()-b.Sectors(), b.Sectors()-a.Sectors())
	if next := i + 1; n > mostPadding && (next >= len(ta) || next >= len(tb) || ta[next].Begin() != tb[next].Begin()) {
		return false, nil
	}
	if a.Sectors() > b.Sectors() {
		return c.zeros(ctx, c.a, a, n)
	}
	return c.zeros(ctx, c.b, b, n)
}

// zeros reports whether the last n sectors of a track are the padding of a burn.
func (c *comparer) zeros(ctx context.Context, of disc.Image, t *disc.Track, n int) (bool, error) {
	s := make([]byte, of.Layout().Medium.SectorSize())
	for at := t.End - disc.LBA(n); at < t.End; at++ {
		var err error
		if of == c.b {
			clear(s) // what a read offset puts out of reach
			err = c.other(ctx, s, s, t, at)
		} else {
			err = c.a.ReadSectors(ctx, s, at)
		}
		user := s
		if t.Mode.IsData() {
			user = userOf(s)
		}
		switch {
		case err != nil && (ctx.Err() != nil || !c.damaged(err)):
			return false, err
		case err != nil:
			return t.Mode.IsData() && at >= t.End-2, nil
		case !allZero(user):
			return false, nil
		}
	}
	return true, nil
}

// endsSession reports whether a track is the last of its session.
func endsSession(l *disc.Layout, t *disc.Track) bool {
	s := l.SessionOf(t.Number)
	return s != nil && &s.Tracks[len(s.Tracks)-1] == t
}

func (c *comparer) track(ctx context.Context, a, b *disc.Track, progress func(done, total int64)) error {
	n := min(a.Sectors(), b.Sectors())
	bufA := make([]byte, batchSectors*c.a.Layout().Medium.SectorSize())
	bufB := make([]byte, batchSectors*c.b.Layout().Medium.SectorSize())
	for i := 0; i < n; i += batchSectors {
		if err := ctx.Err(); err != nil {
			return err
		}
		k := min(batchSectors, n-i)
		pa, pb := bufA[:k*len(bufA)/batchSectors], bufB[:k*len(bufB)/batchSectors]
		if err := c.a.ReadSectors(ctx, pa, a.Begin()+disc.LBA(i)); err != nil {
			return err
		}
		if err := c.batch(ctx, [2]*disc.Track{a, b}, pa, pb, i); err != nil {
			return err
		}
		c.done += int64(k)
		if progress != nil {
			progress(c.done, c.total)
		}
		if len(c.found) >= mostDifferences {
			return nil
		}
	}
	return nil
}

// batch compares sectors of two tracks from the i-th on, those of a with what b reads, one
// by one where they do not come together.
func (c *comparer) batch(ctx context.Context, t [2]*disc.Track, pa, pb []byte, i int) error {
	size := c.a.Layout().Medium.SectorSize()
	n, at := len(pa)/size, t[0].Begin()+disc.LBA(i)
	err := c.other(ctx, pb, pa, t[1], t[1].Begin()+disc.LBA(i))
	switch {
	case err == nil:
		if !t[0].Mode.IsData() {
			c.leaveOutEdges(pb, at)
		}
		if c.user || !bytes.Equal(pa, pb) {
			c.sectors(ctx, t, pa, pb, n, at)
		}
		return nil
	case ctx.Err() != nil, !c.damaged(err):
		return err
	case n == 1:
		c.found = join(c.found, Difference{Kind: Uncompared, Track: t[0].Number, First: at, Last: at})
		return nil
	}
	for k := range n {
		if err := c.batch(ctx, t, pa[k*size:(k+1)*size], pb[k*len(pb)/n:(k+1)*len(pb)/n], i+k); err != nil {
			return err
		}
	}
	return nil
}

// join adds a difference to others, or to the last of them where it follows it.
func join(all []Difference, d Difference) []Difference {
	if k := len(all) - 1; k >= 0 && all[k].Track == d.Track && all[k].Last+1 == d.First && all[k].Kind == d.Kind {
		all[k].Last = d.Last
		return all
	}
	return append(all, d)
}

// other reads sectors of a track of b; own holds those of a.
func (c *comparer) other(ctx context.Context, p, own []byte, t *disc.Track, first disc.LBA) error {
	if c.shift != 0 && !t.Mode.IsData() {
		return c.shiftedAudio(ctx, p, own, first)
	}
	return c.b.ReadSectors(ctx, p, first)
}

// sectors finds which sectors of two batches differ.
func (c *comparer) sectors(ctx context.Context, t [2]*disc.Track, pa, pb []byte, n int, first disc.LBA) {
	sa, sb := len(pa)/n, len(pb)/n
	for i := range n {
		a, b := pa[i*sa:(i+1)*sa], pb[i*sb:(i+1)*sb]
		if c.user {
			a, b = userOf(a), userOf(b)
		}
		if bytes.Equal(a, b) {
			continue
		}
		at := first + disc.LBA(i)
		if c.bothWrong(at, t[1].Begin()+at-t[0].Begin()) && bytes.Equal(userOf(a), userOf(b)) {
			continue
		}
		kind := OtherContent
		switch flaw, _ := c.lacks.At(at); {
		case flaw == disc.Unread:
			kind = Lacking
		case c.concealed(ctx, t[1], t[1].Begin()+at-t[0].Begin()):
			kind = Uncompared
		}
		c.found = join(c.found, Difference{Kind: kind, Track: t[0].Number, First: at, Last: at})
	}
}

// bothWrong reports whether both images say that a sector is not right: then the codes
// around its data, which few formats keep, are no difference.
func (c *comparer) bothWrong(a, b disc.LBA) bool {
	return len(c.lacks) > 0 && c.lacks.Contains(a) && c.b.Flaws().Contains(b)
}

// concealed reports whether a sector of a track of b is audio that the drive could not read.
// Where that comes shifted, it is made of two sectors.
func (c *comparer) concealed(ctx context.Context, t *disc.Track, at disc.LBA) bool {
	if c.doubted == nil || t.Mode.IsData() {
		return false
	}
	start := int64(at)*cdsector.Size + int64(c.shift)*sampleBytes
	first := disc.LBA(floor(start, cdsector.Size))
	return c.doubted(ctx, first) || start%cdsector.Size != 0 && c.doubted(ctx, first+1)
}

// floor divides, and rounds down also what is less than 0.
func floor(a, b int64) int64 {
	if a < 0 {
		return (a - b + 1) / b
	}
	return a / b
}

// userOf returns the 2048 bytes of user data in a sector.
func userOf(p []byte) []byte {
	if len(p) != cdsector.Size {
		return p
	}
	at, n := cdsector.Classify((*[cdsector.Size]byte)(p)).UserData()
	return p[at : at+n]
}
