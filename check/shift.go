package check

import (
	"bytes"
	"context"
	"slices"

	"spindle/disc"
	"spindle/disc/cdsector"
)

// A drive gives audio a fixed number of samples early or late: its read offset. Images
// that differ by nothing else hold the same disc.

// sampleBytes is the size of a stereo sample of 16 bits.
const sampleBytes = 4

const (
	// shiftReach is how many sectors around a place a shift is searched in: drives are
	// known to be off by up to some 1800 samples.
	shiftReach = 5
	// shiftPlaces is how many places of the audio are looked at: damage at one of them
	// does not decide.
	shiftPlaces = 24
	// shiftProbes is how many sectors at a place are looked through for one that is
	// not constant.
	shiftProbes = 64
)

// audioRun is a run of audio sectors.
type audioRun struct{ first, end disc.LBA }

// audioRuns returns the audio of a disc; tracks that follow each other make one run.
func audioRuns(l *disc.Layout) []audioRun {
	var all []audioRun
	for _, t := range l.Tracks() {
		if t.Mode.IsData() {
			continue
		}
		if k := len(all) - 1; k >= 0 && all[k].end == t.Begin() {
			all[k].end = t.End
			continue
		}
		all = append(all, audioRun{t.Begin(), t.End})
	}
	return all
}

// findShift returns by how many samples the audio of b comes later than that of a. The
// shift that most places share counts, and of several the smallest; 0 where no two places
// share one.
func findShift(ctx context.Context, a, b disc.Image) int {
	votes, places := make(map[int]int), 0
	for _, run := range audioRuns(a.Layout()) {
		for i := range disc.LBA(shiftPlaces) {
			if ctx.Err() != nil {
				return 0
			}
			shifts := shiftsAt(ctx, a, b, run, run.first+(run.end-run.first)*i/shiftPlaces)
			if len(shifts) > 0 {
				places++
			}
			for _, s := range shifts {
				votes[s]++
			}
		}
	}
	best := 0
	for s, n := range votes {
		if n > votes[best] || n == votes[best] && (abs(s) < abs(best) || abs(s) == abs(best) && s < best) {
			best = s
		}
	}
	if votes[best] < min(2, places) {
		return 0
	}
	return best
}

func abs(n int) int { return max(n, -n) }

// shiftsAt returns the shifts at which a sector of a, at or behind a place, is found in b.
func shiftsAt(ctx context.Context, a, b disc.Image, run audioRun, at disc.LBA) []int {
	needle := make([]byte, cdsector.Size)
	for range shiftProbes {
		if at >= run.end || a.ReadSectors(ctx, needle, at) != nil {
			return nil
		}
		if !constant(needle) {
			break
		}
		at++
	}
	from, end := max(run.first, at-shiftReach), min(run.end, at+shiftReach+1)
	hay := make([]byte, int(end-from)*cdsector.Size)
	if constant(needle) || b.ReadSectors(ctx, hay, from) != nil {
		return nil
	}
	var all []int
	for pos := 0; pos+len(needle) <= len(hay); {
		i := bytes.Index(hay[pos:], needle)
		if i < 0 {
			break
		}
		if pos += i; pos%sampleBytes == 0 {
			all = append(all, (pos-int(at-from)*cdsector.Size)/sampleBytes)
		}
		pos++
	}
	return all
}

func constant(p []byte) bool { return bytes.Count(p, p[:1]) == len(p) }

// shiftedAudio reads audio of b as if it came as early as that of a. What lies outside
// of the audio of b is taken from own, which holds the same sectors of a.
func (c *comparer) shiftedAudio(ctx context.Context, p, own []byte, first disc.LBA) error {
	run := audioRun{first, first + disc.LBA(len(p)/cdsector.Size)}
	for _, r := range c.runs {
		if first >= r.first && first < r.end {
			run = r
		}
	}
	start := int64(first)*cdsector.Size + int64(c.shift)*sampleBytes // of p in the audio of b
	low, high := int64(run.first)*cdsector.Size, int64(run.end)*cdsector.Size
	from, to := max(start, low), min(start+int64(len(p)), high)
	copy(p, own)
	if from >= to {
		return nil
	}
	sector, last := disc.LBA(from/cdsector.Size), disc.LBA((to+cdsector.Size-1)/cdsector.Size)
	buf := make([]byte, int(last-sector)*cdsector.Size)
	if err := c.b.ReadSectors(ctx, buf, sector); err != nil {
		return err
	}
	copy(p[from-start:to-start], buf[from-int64(sector)*cdsector.Size:])
	return nil
}

// mostEdge is the most that an offset correction puts out of reach, in samples: ten
// sectors. What a rip has there is silence.
const mostEdge = 10 * cdsector.Size / sampleBytes

// findEdges finds the silence at the edges of the audio of a. It is none of the disc's
// where b has something there.
func (c *comparer) findEdges(ctx context.Context) error {
	for _, run := range audioRuns(c.a.Layout()) {
		n := min(mostEdge*sampleBytes/cdsector.Size, int(run.end-run.first)/2)
		if n == 0 {
			continue
		}
		p := make([]byte, n*cdsector.Size)
		if err := c.a.ReadSectors(ctx, p, run.first); err != nil {
			return err
		}
		head := len(p) - len(bytes.TrimLeft(p, "\x00"))
		if err := c.a.ReadSectors(ctx, p, run.end-disc.LBA(n)); err != nil {
			return err
		}
		tail := len(p) - len(bytes.TrimRight(p, "\x00"))
		if c.absent(run.first, run.first+disc.LBA(n)) {
			head = 0
		}
		if c.absent(run.end-disc.LBA(n), run.end) {
			tail = 0
		}
		first, end := int64(run.first)*cdsector.Size, int64(run.end)*cdsector.Size
		c.edges = append(c.edges, [2]int64{first, first + int64(head)/sampleBytes*sampleBytes},
			[2]int64{end - int64(tail)/sampleBytes*sampleBytes, end})
	}
	return nil
}

// absent reports whether a is known not to have sectors [first, end): the silence there is none of a rip.
func (c *comparer) absent(first, end disc.LBA) bool {
	return slices.ContainsFunc(c.lacks.Clip(first, end), func(f disc.Flaw) bool { return f.Kind == disc.Unread })
}

// leaveOutEdges takes what b has in the silent edges of a for silence, too, and counts the
// samples.
func (c *comparer) leaveOutEdges(pb []byte, at disc.LBA) {
	start := int64(at) * cdsector.Size
	for _, e := range c.edges {
		from, to := max(e[0], start), min(e[1], start+int64(len(pb)))
		for ; from < to; from += sampleBytes {
			if s := pb[from-start:][:sampleBytes]; !allZero(s) {
				clear(s)
				c.silent++
			}
		}
	}
}

func allZero(p []byte) bool { return bytes.Count(p, []byte{0}) == len(p) }
