// Package merge makes one image of several damaged images of the same disc. Of each
// sector it takes the copy that is proven, and where none is, it puts the sector
// together from all of them as far as its own codes prove the result:
//
//   - A data sector of a CD whose address, EDC and parity are right is right. Two such
//     copies that differ are of two discs.
//   - One that parity makes right is right, be it a single copy, or several from which
//     each byte is voted and those that differ are erasures for the parity.
//   - Other sectors (audio, DVD, BD, those whose image stores no EDC) are as good as the
//     images say: right in one that has no flaw there, unless another that has none there
//     either holds other bytes. Then neither is believed.
//   - Nothing else is right. It gets the best bytes there are, and a flaw.
//
// Audio is aligned to the sample first: drives read it with an offset of their own.
package merge

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"

	"spindle/disc"
)

// ErrOtherDisc means that the images are not of the same disc.
var ErrOtherDisc = errors.New("the images are of different discs")

// ErrUndecided means that too little is good in both of two images to tell whether they
// are of the same disc.
var ErrUndecided = errors.New("too little can be compared to tell whether the images are of the same disc")

// ErrUnaligned means that the audio of two images could not be brought into step.
var ErrUnaligned = errors.New("the audio of the images cannot be aligned")

// An Input is one of the images to merge.
type Input struct {
	Name  string // for errors and the provenance
	Image disc.Image
	// Doubtful says that something is wrong with the image, and nobody knows where: only
	// what its own codes prove is taken for right.
	Doubtful bool
	// Origin is where the sectors of the image come from, when it was merged itself.
	Origin *Provenance
}

// Options say how to merge.
type Options struct {
	// SameDisc merges also where too little can be compared to tell that the discs are
	// the same. It does not merge what is known to differ.
	SameDisc bool
}

// An Image is what several images make together. It merges sectors as they are read, and
// knows the flaws, and what proves each sector, of those that were read so far.
type Image struct {
	sources []*source
	base    *source // has the layout
	layout  *disc.Layout
	common  disc.Flaws // of all images

	mu     sync.Mutex
	ledger ledger
	wrong  [][]disc.Flaw // of each input: what it has without a flaw, and others prove wrong
}

// New compares the images, which have to be at least two, and merges them. The error
// wraps [ErrOtherDisc], [ErrUndecided] or [ErrUnaligned] when they do not go together;
// the images stay open then. Otherwise closing the new image closes them.
func New(ctx context.Context, inputs []Input, o Options) (*Image, error) {
	if len(inputs) < 2 {
		return nil, errors.New("fewer than two images to merge")
	}
	base := longest(inputs)
	m := &Image{wrong: make([][]disc.Flaw, len(inputs))}
	for i, in := range inputs {
		m.sources = append(m.sources, newSource(i, in))
	}
	m.base = m.sources[base]
	m.layout = m.base.img.Layout().Clone()
	joined := []*source{m.base}
	for _, s := range m.sources {
		if s == m.base {
			continue
		}
		if err := sameLayout(m.base, s); err != nil {
			return nil, err
		}
		if err := align(ctx, joined, s); err != nil {
			return nil, err
		}
		if err := sameContent(ctx, joined, s, o.SameDisc); err != nil {
			return nil, err
		}
		joined = append(joined, s)
		complete(m.layout, s.img.Layout())
	}
	m.common = m.commonFlaws()
	return m, nil
}

// longest returns which input has the layout of the new image: the first of those whose
// disc ends last, for an image that was cut short does not know what it misses.
func longest(inputs []Input) int {
	best := 0
	for i, in := range inputs {
		if in.Image.Layout().End() > inputs[best].Image.Layout().End() {
			best = i
		}
	}
	return best
}

// complete adds to a layout the names that only another image of the disc has.
func complete(l, other *disc.Layout) {
	if l.MCN == "" {
		l.MCN = other.MCN
	}
	if len(l.CDText) == 0 {
		l.CDText = slices.Clone(other.CDText)
	}
	if l.LayerBreak == 0 {
		l.LayerBreak = other.LayerBreak
	}
	others := other.Tracks()
	for i, t := range l.Tracks() {
		if t.ISRC == "" {
			t.ISRC = others[i].ISRC
		}
	}
}

// commonFlaws returns the flaws that all images have.
func (m *Image) commonFlaws() disc.Flaws {
	all := m.base.flaws
	for _, s := range m.sources {
		if s == m.base {
			continue
		}
		var both []disc.Flaw
		for _, f := range s.flaws {
			for _, x := range all.Clip(f.First, f.End()) {
				both = append(both, disc.Flaw{First: x.First, Count: x.Count, Kind: min(x.Kind, f.Kind)})
			}
		}
		all = disc.FlawsOf(both...)
	}
	return all
}

// Layout implements [disc.Image].
func (m *Image) Layout() *disc.Layout { return m.layout }

// ReadUser implements [disc.Image]: what is stored is not what is given.
func (m *Image) ReadUser(context.Context, []byte, disc.LBA) (bool, error) { return false, nil }

// ExtentAt implements [disc.Image]: a sector may come from any of the images.
func (m *Image) ExtentAt(disc.LBA) (disc.Extent, bool) { return disc.Extent{}, false }

// Files implements [disc.Image]: those of all images.
func (m *Image) Files() []string {
	var all []string
	for _, s := range m.sources {
		for _, f := range s.img.Files() {
			if !slices.Contains(all, f) {
				all = append(all, f)
			}
		}
	}
	return all
}

// Close implements [disc.Image]. It closes the images.
func (m *Image) Close() error {
	var errs []error
	for _, s := range m.sources {
		errs = append(errs, s.img.Close())
	}
	return errors.Join(errs...)
}

// Flaws implements [disc.Image]: those of the sectors that were read so far, and of the
// others those that all images have.
func (m *Image) Flaws() disc.Flaws {
	m.mu.Lock()
	defer m.mu.Unlock()
	flaws := m.common
	for _, x := range m.ledger.covered() {
		flaws = flaws.Without(x.First, x.End())
	}
	return flaws.Union(m.ledger.flaws())
}

// batchSectors is how many sectors are merged at a time.
const batchSectors = 256

// ReadSectors implements [disc.Image].
func (m *Image) ReadSectors(ctx context.Context, p []byte, first disc.LBA) error {
	size := m.layout.Medium.SectorSize()
	if len(p)%size != 0 {
		return fmt.Errorf("a buffer of %d bytes for sectors of %d", len(p), size)
	}
	for len(p) > 0 {
		t := m.layout.TrackAt(first)
		if t == nil {
			return fmt.Errorf("%w: %d", disc.ErrNoSector, first)
		}
		n := min(batchSectors, len(p)/size, int(t.End-first))
		if err := m.batch(ctx, p[:n*size], t, first); err != nil {
			return err
		}
		p, first = p[n*size:], first+disc.LBA(n)
	}
	return nil
}

// batch merges sectors of one track.
func (m *Image) batch(ctx context.Context, p []byte, t *disc.Track, first disc.LBA) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	size := m.layout.Medium.SectorSize()
	n := len(p) / size
	reads := make([]*reading, len(m.sources))
	for i, s := range m.sources {
		r, err := s.read(ctx, t, first, n)
		if err != nil {
			return err
		}
		reads[i] = r
		defer r.release()
	}
	verdicts := make([]verdict, n)
	workers := runtime.GOMAXPROCS(0)
	share := (n + workers - 1) / workers
	var wg sync.WaitGroup
	for from := 0; from < n; from += share {
		wg.Go(func() {
			j := judge{medium: m.layout.Medium, track: t, copies: make([]piece, len(reads))}
			for i := from; i < min(from+share, n); i++ {
				for k, r := range reads {
					j.copies[k] = r.piece(i, size)
				}
				verdicts[i] = j.decide(p[i*size:(i+1)*size], first+disc.LBA(i))
			}
		})
	}
	wg.Wait()
	return m.record(first, verdicts)
}

// record keeps what was decided.
func (m *Image) record(first disc.LBA, verdicts []verdict) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range verdicts {
		v, at := &verdicts[i], first+disc.LBA(i)
		if v.other {
			return fmt.Errorf("%w: sector %d of %s and of %s holds different bytes, and each is proven by its own EDC",
				ErrOtherDisc, at, m.sources[v.input].name, m.sources[v.against].name)
		}
		for _, k := range v.disproved {
			m.wrong[k] = append(m.wrong[k], disc.Flaw{First: at, Count: 1, Kind: disc.ReadWithErrors})
		}
		m.ledger.add(at, v.entry)
	}
	return nil
}

// kindOf returns the flaw of a sector, or 0.
func kindOf(f disc.Flaws, a disc.LBA) disc.FlawKind {
	k, _ := f.At(a)
	return k
}

// constant reports whether all bytes are the same.
func constant(p []byte) bool {
	for _, b := range p {
		if b != p[0] {
			return false
		}
	}
	return true
}
