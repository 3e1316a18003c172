package merge

import (
	"bytes"
	"context"
	"fmt"

	"spindle/disc"
	"spindle/disc/cdsector"
)

const (
	needleSectors = 2  // that are looked for at a place
	alignPlaces   = 48 // of each run of audio, beside the starts of tracks
	alignSearched = 64 // sectors looked through for some that are not constant
	leastAligned  = 2  // places that must agree
)

// align finds by how many samples the audio of an image comes later than that of those
// before it: by the shift that the most places share. It must be more than share any other.
func align(ctx context.Context, joined []*source, s *source) error {
	if len(s.audio) == 0 {
		return nil
	}
	var tried string
	for _, ref := range joined {
		if len(ref.edges) == 0 {
			ref.findEdges(ctx)
		}
		shift, why, err := shiftOf(ctx, ref, s)
		if err != nil {
			return err
		}
		if why == "" {
			s.move(shift)
			s.findEdges(ctx)
			return nil
		}
		tried = why
	}
	return fmt.Errorf("%w: %s: %s", ErrUnaligned, s.name, tried)
}

// shiftOf returns the shift of s against a source that is aligned, or why there is none.
func shiftOf(ctx context.Context, ref, s *source) (shift int, why string, err error) {
	votes, good := make(map[int]int), 0
	for _, t := range audioPlaces(ref) {
		found, ok, err := shiftsAt(ctx, ref, s, t)
		if err != nil {
			return 0, "", err
		}
		if ok {
			good++
		}
		for _, x := range found {
			votes[x]++
		}
	}
	best, second := 0, 0
	for x, n := range votes {
		switch {
		case n > best:
			shift, best, second = x, n, best
		case n > second:
			second = n
		}
	}
	switch {
	case good < leastAligned:
		return 0, "too little of it is good in two images", nil
	case best < leastAligned:
		return 0, fmt.Sprintf("nothing of it is found in another image, within %d samples", maxShift), nil
	case best == second:
		return 0, "it repeats itself, and fits in several places", nil
	case 2*best < good:
		return 0, fmt.Sprintf("%d of %d places fit, which is too few", best, good), nil
	}
	return shift, "", nil
}

// audioPlaces returns where to look: all over the audio, and around the starts of tracks,
// which are in no two places.
func audioPlaces(ref *source) []disc.LBA {
	var all []disc.LBA
	for _, x := range ref.audio {
		last := disc.LBA(-1 << 20)
		for i := range disc.LBA(alignPlaces) {
			if a := x.first + disc.LBA(int64(x.end-x.first)*int64(i)/alignPlaces); a >= last+needleSectors {
				all, last = append(all, a), a
			}
		}
	}
	for _, t := range ref.img.Layout().Tracks() {
		for _, a := range [...]disc.LBA{t.Begin(), t.Start} {
			if !t.Mode.IsData() {
				all = append(all, a-needleSectors/2)
			}
		}
	}
	return all
}

// shiftsAt returns the shifts at which the audio of ref at a place, or a little behind it, is
// found in s, and whether there was anything to look for.
func shiftsAt(ctx context.Context, ref, s *source, at disc.LBA) (found []int, ok bool, err error) {
	const reach = maxShift * sampleBytes / cdsector.Size
	needle, at, err := ref.needle(ctx, at)
	if needle == nil || err != nil {
		return nil, false, err
	}
	run := runOf(s.audio, at)
	from, end := max(run.first, at-reach), min(run.end, at+needleSectors+reach)
	if from >= end {
		return nil, false, nil
	}
	hay, good, err := s.haystack(ctx, from, int(end-from))
	if err != nil {
		return nil, false, err
	}
	for pos := 0; pos+len(needle) <= len(hay); pos++ {
		i := bytes.Index(hay[pos:], needle)
		if i < 0 {
			break
		}
		if pos += i; pos%sampleBytes == 0 && allOf(good[pos/cdsector.Size:(pos+len(needle)+cdsector.Size-1)/cdsector.Size]) {
			found = append(found, (pos-int(at-from)*cdsector.Size)/sampleBytes)
		}
	}
	return found, allOf(good), nil
}

// needle returns audio without a flaw that is not constant, and its place: the one given, or a little behind it.
// It is nil where there is none.
func (s *source) needle(ctx context.Context, from disc.LBA) (audio []byte, at disc.LBA, err error) {
	run := runOf(s.audio, from)
	for at = from; at < from+alignSearched; at++ {
		if at < run.first || at+needleSectors > run.end {
			break
		}
		audio, err := s.goodAudio(ctx, at)
		if err != nil || audio != nil && !constant(audio) {
			return audio, at, err
		}
	}
	return nil, at, nil
}

// haystack returns the audio of n sectors, and which of them are there without a flaw.
func (s *source) haystack(ctx context.Context, from disc.LBA, n int) (audio []byte, good []bool, err error) {
	audio, good = make([]byte, n*cdsector.Size), make([]bool, n)
	if err := s.readPlain(ctx, audio, good, from); err != nil {
		return nil, nil, err
	}
	for i := range good {
		good[i] = good[i] && kindOf(s.own, from+disc.LBA(i)) == 0 && !s.doubtful
	}
	return audio, good, nil
}

// runOf returns the run that has a sector, or an empty one.
func runOf(all []stretch, a disc.LBA) stretch {
	for _, x := range all {
		if x.has(a) {
			return x
		}
	}
	return stretch{}
}

// goodAudio reads needleSectors sectors that have no flaw, or returns nil.
func (s *source) goodAudio(ctx context.Context, at disc.LBA) ([]byte, error) {
	t := s.img.Layout().TrackAt(at)
	if t == nil || t.Mode.IsData() {
		return nil, nil
	}
	r, err := s.read(ctx, t, at, needleSectors)
	if err != nil {
		return nil, err
	}
	defer r.release()
	for i := range needleSectors {
		if !r.has[i] || r.kinds[i] != 0 {
			return nil, nil
		}
	}
	return bytes.Clone(r.store[:needleSectors*cdsector.Size]), nil
}

func allOf(has []bool) bool {
	for _, ok := range has {
		if !ok {
			return false
		}
	}
	return true
}
