package check

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"spindle/disc"
	"spindle/disc/cdsector"
)

// Repaired is what a [Repairer] did.
type Repaired struct {
	Sectors int        // corrected
	Bytes   int        // changed in them
	Left    []BadRange // that stay bad
}

// A Repairer is an image of a CD whose damaged data sectors are corrected by their
// parity as they are read, as far as that goes. What cannot be corrected comes as
// it is, and so do audio and the sub-channels, which have no parity.
type Repairer struct {
	img disc.Image

	mu     sync.Mutex
	mended map[disc.LBA]int // bytes changed in a sector
	left   map[disc.LBA]BadRange
	proven disc.Flaws // sectors whose own EDC vouches for what was given, as flaws
}

// NewRepairer makes a Repairer of an image of a CD. Closing it closes the image.
func NewRepairer(img disc.Image) *Repairer {
	return &Repairer{img: img, mended: make(map[disc.LBA]int), left: make(map[disc.LBA]BadRange)}
}

// Result returns what was repaired in the sectors that were read so far.
func (r *Repairer) Result() *Repaired {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := &Repaired{Sectors: len(r.mended)}
	for _, n := range r.mended {
		out.Bytes += n
	}
	var all []BadRange
	for _, b := range r.left {
		all = append(all, b)
	}
	slices.SortFunc(all, func(a, b BadRange) int { return cmp.Compare(a.First, b.First) })
	var report Report
	for _, b := range all {
		report.add(b)
	}
	out.Left = report.Bad
	return out
}

// Layout implements [disc.Image].
func (r *Repairer) Layout() *disc.Layout { return r.img.Layout() }

// Subchannels implements [disc.Image]: those of the image.
func (r *Repairer) Subchannels() disc.Subchannels { return r.img.Subchannels() }

// ReadUser implements [disc.Image]: what is stored is not what is given, so there
// is no short way.
func (r *Repairer) ReadUser(context.Context, []byte, disc.LBA) (bool, error) { return false, nil }

// ExtentAt implements [disc.Image]: sectors of audio stand where the image has
// them. Those of data tracks are not given as they are stored.
func (r *Repairer) ExtentAt(a disc.LBA) (disc.Extent, bool) {
	t := r.Layout().TrackAt(a)
	if t == nil || t.Mode.IsData() {
		return disc.Extent{}, false
	}
	e, ok := r.img.ExtentAt(a)
	e.Count = min(e.Count, int(t.End-a))
	return e, ok
}

// Flaws implements [disc.Image]: those of the image, without the sectors that were
// read and that their own EDC proves, mended or not. That of XA does not cover the header:
// it proves a sector where the header was right.
func (r *Repairer) Flaws() disc.Flaws {
	r.mu.Lock()
	defer r.mu.Unlock()
	flaws := r.img.Flaws()
	for _, x := range r.proven {
		flaws = flaws.Without(x.First, x.End())
	}
	return flaws
}

// Files implements [disc.Image]: those that are repaired.
func (r *Repairer) Files() []string { return r.img.Files() }

// Close implements [disc.Image].
func (r *Repairer) Close() error { return r.img.Close() }

// ReadSectors implements [disc.Image].
func (r *Repairer) ReadSectors(ctx context.Context, p []byte, first disc.LBA) error {
	if err := r.img.ReadSectors(ctx, p, first); err != nil {
		return err
	}
	for i := range len(p) / cdsector.Size {
		at := first + disc.LBA(i)
		if t := r.Layout().TrackAt(at); t != nil && t.Mode.IsData() {
			r.sector((*[cdsector.Size]byte)(p[i*cdsector.Size:]), t, at)
		}
	}
	return nil
}

// sector corrects one sector, or notes that it stays bad.
func (r *Repairer) sector(s *[cdsector.Size]byte, t *disc.Track, at disc.LBA) {
	problem, coded := SectorProblem(s, t, at)
	changed, placed := 0, t.Mode != disc.Mode2 || names(s, at)
	if problem != "" {
		if changed = correct(s, t, at); changed > 0 {
			problem = ""
		}
	}
	proves := problem == "" && coded && placed && r.img.Flaws().Contains(at) && r.storesEDC(at)
	if problem == "" && changed == 0 && !proves {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case problem != "":
		r.left[at] = BadRange{Track: t.Number, First: at, Last: at, Problem: problem}
	case changed > 0:
		r.mended[at] = changed
	}
	if proves {
		r.proven = r.proven.Union(disc.FlawsOf(disc.Flaw{First: at, Count: 1, Kind: disc.Unproven}))
	}
}

// storesEDC reports whether the EDC of a sector is in a file. One that was computed
// when the sector was built around its user data proves nothing.
func (r *Repairer) storesEDC(a disc.LBA) bool {
	e, ok := r.img.ExtentAt(a)
	return ok && e.Source != nil && (e.Form == disc.FormRaw || e.Form == disc.FormMode2)
}

// correct corrects a sector by its parity and returns how many bytes it changed:
// 0 when the sector cannot be corrected, or when no code tells that it belongs there.
func correct(s *[cdsector.Size]byte, t *disc.Track, at disc.LBA) int {
	before := *s
	for _, k := range candidates(t) {
		try := before
		if k == cdsector.Form1 {
			// Neither EDC nor parity of form 1 covers the header. One that names another
			// address may be damaged, or be that of a sector from there: nothing tells.
			if _, ok := cdsector.Address(s); ok && !names(s, at) {
				return 0
			}
			cdsector.SetHeader(&try, at.MSF(), 2)
		}
		if _, ok := cdsector.Correct(&try, k, nil); !ok {
			continue
		}
		if p, _ := SectorProblem(&try, t, at); p != "" {
			continue
		}
		*s = try
		changed := 0
		for i := range s {
			if s[i] != before[i] {
				changed++
			}
		}
		return changed
	}
	return 0
}

// names reports whether the header of a sector names an address.
func names(s *[cdsector.Size]byte, at disc.LBA) bool {
	own, ok := cdsector.Address(s)
	return ok && own == at.MSF()
}

// candidates are the kinds of sector that a track may hold and parity protects.
func candidates(t *disc.Track) []cdsector.Kind {
	if t.Mode == disc.Mode2 {
		return []cdsector.Kind{cdsector.Form1}
	}
	return []cdsector.Kind{cdsector.Mode1}
}
