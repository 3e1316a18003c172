package check

import (
	"spindle/disc"
	"spindle/disc/cdsector"
)

// Repaired is what a [Repairer] did.
type Repaired struct {
	Sectors int        // put right
	Bytes   int        // changed in them
	Left    []BadRange // that stay bad
}

// A Repairer is an image whose damaged data sectors are corrected by their parity
// as they are read, as far as that goes. What cannot be corrected comes as it is.
// It is for reading each sector once, from one goroutine.
type Repairer struct {
	disc.Image
	rep    Repaired
	report Report
}

// NewRepairer makes a Repairer of an image of a CD.
func NewRepairer(img disc.Image) *Repairer { return &Repairer{Image: img} }

// Result returns what was repaired in the sectors that were read so far.
func (r *Repairer) Result() *Repaired {
	r.rep.Left = r.report.Bad
	return &r.rep
}

// ReadSectors implements [disc.Image].
func (r *Repairer) ReadSectors(p []byte, first disc.LBA) error {
	if err := r.Image.ReadSectors(p, first); err != nil {
		return err
	}
	for i := range len(p) / cdsector.Size {
		at := first + disc.LBA(i)
		if t := r.Layout().TrackAt(at); t != nil && t.Mode.IsData() {
			r.rep.sector((*[cdsector.Size]byte)(p[i*cdsector.Size:]), t, at, &r.report)
		}
	}
	return nil
}

// sector corrects one sector, or notes that it stays bad.
func (rep *Repaired) sector(s *[cdsector.Size]byte, t *disc.Track, at disc.LBA, report *Report) {
	problem, _ := sectorProblem(s, t, at)
	if problem == "" {
		return
	}
	before := *s
	for _, k := range candidates(t) {
		try := before
		if k == cdsector.Form1 {
			m := at.MSF() // the parity of form 1 does not cover the header
			cdsector.SetHeader(&try, m, 2)
		}
		if _, ok := cdsector.Correct(&try, k, nil); !ok {
			continue
		}
		if p, _ := sectorProblem(&try, t, at); p != "" {
			continue
		}
		*s = try
		rep.Sectors++
		for i := range s {
			if s[i] != before[i] {
				rep.Bytes++
			}
		}
		return
	}
	report.add(BadRange{Track: t.Number, First: at, Last: at, Problem: problem})
}

// candidates are the kinds of sector that a track may hold and parity protects.
func candidates(t *disc.Track) []cdsector.Kind {
	if t.Mode == disc.Mode2 {
		return []cdsector.Kind{cdsector.Form1}
	}
	return []cdsector.Kind{cdsector.Mode1}
}
