package accuraterip

import "iter"

// At offset o, sample k of a track is the one that stands o samples later in the stream.

// v1 gives the first checksum of a track at each offset at which all its samples are there.
func (t *track) v1() iter.Seq2[int, uint32] {
	return func(yield func(int, uint32) bool) {
		a, b := walk(t.begin), walk(t.finish)
		for o := int64(-MaxOffset); o <= MaxOffset; o++ {
			if t.from+o < a.First || t.from+o > a.End || t.to+o < b.First || t.to+o > b.End {
				continue
			}
			a.to(t.from + o)
			b.to(t.to + o)
			sum, weighted := b.sum-a.sum, b.weighted-a.weighted
			if !yield(int(o), weighted-uint32(t.First+o)*sum) {
				return
			}
		}
	}
}

// A walker has the sums before each place around an edge.
type walker struct {
	edge
	at int64
}

func walk(e *edge) *walker { return &walker{*e, e.First} }

// to walks on to a place.
func (w *walker) to(place int64) {
	for ; w.at < place; w.at++ {
		s := w.Sample(w.at)
		w.sum += s
		w.weighted += s * uint32(w.at+1)
	}
}

// keyFrames gives the checksum of frame 450 at each offset; none for a shorter track.
func (t *track) keyFrames() iter.Seq2[int, uint32] {
	return func(yield func(int, uint32) bool) {
		w := t.key
		if w == nil {
			return
		}
		var sum, weighted uint32
		for i := range int64(frame) {
			s := w.Sample(w.First + i)
			sum += s
			weighted += s * uint32(i+1)
		}
		for first := w.First; ; first++ {
			if !yield(int(first-t.First-keyFrame*frame), weighted) || first+frame == w.End {
				return
			}
			s := w.Sample(first + frame)
			weighted += s*frame - sum
			sum += s - w.Sample(first)
		}
	}
}
