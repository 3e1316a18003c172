package check

import (
	"context"
	"io"

	"spindle/disc"
	"spindle/disc/cdsector"
)

// Repaired is what [Repair] did.
type Repaired struct {
	Sectors int        // put right
	Bytes   int        // changed in them
	Left    []BadRange // that stay bad
}

// Repair writes the tracks of a CD image, 2352 bytes a sector, to w, with every
// damaged data sector corrected by its parity as far as that goes. What cannot
// be corrected is written as it is.
func Repair(ctx context.Context, img disc.Image, w io.Writer, progress func(done, total int64)) (*Repaired, error) {
	rep := new(Repaired)
	var report Report
	total := int64(img.Layout().Sectors()) * cdsector.Size
	var done int64
	buf := make([]byte, batchSectors*cdsector.Size)
	for _, t := range img.Layout().Tracks() {
		for a := t.Begin(); a < t.End; a += batchSectors {
			if err := ctx.Err(); err != nil {
				return rep, err
			}
			n := min(batchSectors, int(t.End-a))
			p := buf[:n*cdsector.Size]
			if err := img.ReadSectors(p, a); err != nil {
				return rep, err
			}
			if t.Mode.IsData() {
				for i := range n {
					s := (*[cdsector.Size]byte)(p[i*cdsector.Size:])
					rep.sector(s, t, a+disc.LBA(i), &report)
				}
			}
			if _, err := w.Write(p); err != nil {
				return rep, err
			}
			done += int64(len(p))
			if progress != nil {
				progress(done, total)
			}
		}
	}
	rep.Left = report.Bad
	return rep, nil
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
			cdsector.SetHeader(&try, m.M, m.S, m.F, 2)
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
