package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"spindle/image/format"
	"spindle/internal/printable"
)

// infoLayer is a container, or a compression, that a file of an image was looked through.
type infoLayer struct {
	File      string   `json:"file"`
	Container string   `json:"container"`
	Codec     string   `json:"codec,omitempty"`
	Stored    int64    `json:"stored"` // bytes
	Size      int64    `json:"size"`   // bytes of what it holds
	Parents   []string `json:"parents,omitempty"`
	Parts     []string `json:"partitions,omitempty"`
}

func newInfoLayer(l *format.Layer) infoLayer {
	return infoLayer{File: l.File, Container: l.Name, Codec: l.Codec, Stored: l.Stored, Size: l.Size, Parents: l.Files, Parts: l.Parts}
}

// text describes the layer, and names its file where that is not the main one.
func (l *infoLayer) text(main string) string {
	text := l.Container
	if l.File != main {
		text = printable.Line(filepath.Base(l.File)) + ": " + text
	}
	if l.Codec != "" {
		text += ", " + l.Codec
	}
	if len(l.Parts) > 0 { // one of them is the image
		text += fmt.Sprintf(", %s of %s", sizeText(l.Size), sizeText(l.Stored))
	} else {
		text += fmt.Sprintf(", %s in %s", sizeText(l.Size), sizeText(l.Stored))
	}
	if l.Size > 0 && len(l.Parts) == 0 {
		text += fmt.Sprintf(" (%.0f %%)", 100*float64(l.Stored)/float64(l.Size))
	}
	const most = 3
	for _, parent := range l.Parents[:min(len(l.Parents), most)] {
		text += ", with " + printable.Line(filepath.Base(parent))
	}
	if more := len(l.Parents) - most; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	for _, part := range l.Parts {
		text += "; " + printable.Line(part)
	}
	return text
}

// checkLayers compares what containers hold with the checksums that they state, where reading
// does not notice that something is wrong, and watch does not. It returns what was compared.
func (f *findings) checkLayers(ctx context.Context, bar *progress) ([]ownSum, error) {
	return f.checkThose(ctx, bar, func(l *format.Layer) bool { return l.Blind && l.Watch == nil })
}

// checkUnwatched compares those that watch would, for a command that needs to know before it reads.
func (f *findings) checkUnwatched(ctx context.Context, a *app) error {
	bar := a.newProgress()
	defer bar.stop()
	_, err := f.checkThose(ctx, bar, func(l *format.Layer) bool { return l.Blind && l.Watch != nil })
	return err
}

// checkOthers compares the rest, which takes reading all of it once more: before files are deleted.
func (f *findings) checkOthers(ctx context.Context, a *app) error {
	bar := a.newProgress()
	defer bar.stop()
	_, err := f.checkThose(ctx, bar, func(l *format.Layer) bool { return !l.Blind || l.Watch != nil })
	return err
}

// checkThose compares what those containers hold that are wanted.
func (f *findings) checkThose(ctx context.Context, bar *progress, wanted func(*format.Layer) bool) ([]ownSum, error) {
	var all []ownSum
	for _, l := range f.layers {
		if l.Check == nil || !wanted(l) {
			continue
		}
		s, err := checkLayer(ctx, bar, l)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	f.notice(all)
	return all, nil
}

// watch has what containers hold compared with the checksums that they state, while all of an image
// is read. The function it returns says, after that, how those came out of which all was read.
func (f *findings) watch() func() []ownSum {
	type watched struct {
		layer  *format.Layer
		result func() (bool, error)
	}
	var all []watched
	for _, l := range f.layers {
		if l.Watch != nil {
			all = append(all, watched{l, l.Watch()})
		}
	}
	return func() []ownSum {
		var sums []ownSum
		for _, w := range all {
			whole, err := w.result()
			if !whole {
				continue
			}
			s := ownSum{File: w.layer.File, Name: w.layer.Sums, Right: err == nil}
			if err != nil {
				s.why = err.Error()
			}
			sums = append(sums, s)
		}
		return sums
	}
}

// notice remembers which of these checksums are wrong.
func (f *findings) notice(sums []ownSum) {
	for i := range sums {
		if text := sums[i].text(); !sums[i].Right && !slices.Contains(f.inside, text) {
			f.inside = append(f.inside, text)
		}
	}
}

// needsUnpacking reports whether a file was looked through something that opening does not try.
func (f *findings) needsUnpacking() bool {
	for _, l := range f.layers {
		if l.Name != "gzip" && l.Name != "bzip2" { // these are read through
			return true
		}
	}
	return false
}

// parents are the files of which the image holds only differences. They hold more than that.
func (f *findings) parents() []string {
	var all []string
	for _, l := range f.layers {
		if !l.Split {
			all = append(all, l.Files...)
		}
	}
	return all
}
