package check

import (
	"context"
	"sync"

	"spindle/disc"
	"spindle/disc/cdsector"
)

// A Watcher is an image whose data sectors are checked by their EDC as they are read.
// Those that are wrong are given as they are, and join its flaws.
type Watcher struct {
	img disc.Image

	mu    sync.Mutex
	wrong map[disc.LBA]bool
}

// Watch watches an image. Closing the watcher closes the image.
func Watch(img disc.Image) *Watcher { return &Watcher{img: img, wrong: make(map[disc.LBA]bool)} }

// Layout implements [disc.Image].
func (w *Watcher) Layout() *disc.Layout { return w.img.Layout() }

// ReadSectors implements [disc.Image].
func (w *Watcher) ReadSectors(ctx context.Context, p []byte, first disc.LBA) error {
	if err := w.img.ReadSectors(ctx, p, first); err != nil || w.Layout().Medium != disc.CD {
		return err
	}
	for i := range len(p) / cdsector.Size {
		at := first + disc.LBA(i)
		t := w.Layout().TrackAt(at)
		if t == nil || !t.Mode.IsData() || at < t.Start {
			continue
		}
		switch p, _ := SectorProblem((*[cdsector.Size]byte)(p[i*cdsector.Size:]), t, at); p {
		case BadSync, BadMode, BadEDC:
			w.mu.Lock()
			w.wrong[at] = true
			w.mu.Unlock()
		}
	}
	return nil
}

// Subchannels implements [disc.Image].
func (w *Watcher) Subchannels() disc.Subchannels { return w.img.Subchannels() }

// ReadUser implements [disc.Image]: what stores only user data has no EDC.
func (w *Watcher) ReadUser(ctx context.Context, p []byte, first disc.LBA) (bool, error) {
	return w.img.ReadUser(ctx, p, first)
}

// ExtentAt implements [disc.Image].
func (w *Watcher) ExtentAt(a disc.LBA) (disc.Extent, bool) { return w.img.ExtentAt(a) }

// Flaws implements [disc.Image]: those of the image, and the sectors that were read so
// far and whose EDC is wrong.
func (w *Watcher) Flaws() disc.Flaws {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []disc.Flaw
	for a := range w.wrong {
		all = append(all, disc.Flaw{First: a, Count: 1, Kind: disc.ReadWithErrors})
	}
	return w.img.Flaws().Union(disc.FlawsOf(all...))
}

// Files implements [disc.Image].
func (w *Watcher) Files() []string { return w.img.Files() }

// Close implements [disc.Image].
func (w *Watcher) Close() error { return w.img.Close() }
