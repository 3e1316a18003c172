// Package pcm keeps what is around certain places of the audio of a CD while it passes.
// Databases of CDs know other pressings, in which the same audio begins some samples
// earlier or later: whether one of them is at hand is decided at the edges of tracks.
//
// A sample is a stereo sample: four bytes, left then right, 16 bits little endian each,
// as a number its 32 bits little endian.
package pcm

import (
	"cmp"
	"slices"
)

// SampleSize is the size of a stereo sample in bytes.
const SampleSize = 4

// A Window is a run of samples that is kept.
type Window struct {
	First, End int64 // in samples from the start of the stream
	Bytes      []byte
}

// Sample returns the sample at a place in the window.
func (w *Window) Sample(at int64) uint32 {
	b := w.Bytes[(at-w.First)*SampleSize:]
	return uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24
}

// Windows keeps runs of samples, which may overlap.
type Windows struct {
	all    []*Window // by First
	behind int       // all before are complete
}

// Keep adds a window around a place, before the first Write: radius samples before and behind
// it, as far as the stream of a length has them.
func (k *Windows) Keep(at, radius, length int64) *Window {
	return k.KeepRun(at-radius, at+radius, length)
}

// KeepRun adds a window over a run of samples, as far as the stream of a length has them.
func (k *Windows) KeepRun(first, end, length int64) *Window {
	w := &Window{First: min(max(first, 0), length), End: max(min(end, length), 0)}
	w.End = max(w.End, w.First)
	w.Bytes = make([]byte, (w.End-w.First)*SampleSize)
	i, _ := slices.BinarySearchFunc(k.all, w.First, func(x *Window, at int64) int { return cmp.Compare(x.First, at) })
	k.all = slices.Insert(k.all, i, w)
	return w
}

// Write takes whole samples that begin at a place in the stream. They come in order.
func (k *Windows) Write(at int64, p []byte) {
	end := at + int64(len(p)/SampleSize)
	for k.behind < len(k.all) && k.all[k.behind].End <= at {
		k.behind++
	}
	for _, w := range k.all[k.behind:] {
		if w.First >= end {
			return
		}
		from, to := max(w.First, at), min(w.End, end)
		if from < to {
			copy(w.Bytes[(from-w.First)*SampleSize:], p[(from-at)*SampleSize:(to-at)*SampleSize])
		}
	}
}
