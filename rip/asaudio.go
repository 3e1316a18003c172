package rip

import (
	"bytes"
	"context"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/drive"
	"spindle/image/mapfile"
	"spindle/scsi/mmc"
)

// Some drives give data that is asked for as audio: as it stands on the disc, scrambled, displaced by the read
// offset, corrected by CIRC only, with C2, and without an error where the sector's own parity does not correct it. So
// bytes come of sectors of which the drive otherwise gives none. Whether a drive does is found with a sector that is
// known.

// streamReach is how many sectors before and behind one are read to find where it begins: drives displace audio by up to
// some 1800 samples.
const streamReach = 3

// An audioWay is how data comes as audio.
type audioWay struct {
	tried  bool
	forms  []mmc.C2Mode // the first one works; empty: none does
	shift  int          // bytes that a sector begins late
	misses int          // damaged sectors in a row that did not come
}

// audioPass puts together what is still bad of some sectors of data by what comes of them as audio.
func (r *reader) audioPass(ctx context.Context, sectors []sectorRef) error {
	var left []sectorRef
	for _, s := range sectors {
		if r.maybeKnown(s) {
			left = append(left, s)
		}
	}
	if !r.plan.caps.Raw || len(left) == 0 {
		return nil
	}
	if !r.audioWay.tried {
		r.audioWay.tried = true
		r.findAudioWay(ctx, left[0])
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return r.eachRun(left, func(s sectorRef) (bool, error) { return r.gatherWith(ctx, s, r.readAsAudio) })
}

// findAudioWay tries with a good sector before some damage, or behind it, whether data comes as audio.
func (r *reader) findAudioWay(ctx context.Context, s sectorRef) {
	at, ok := r.goodNear(s)
	if !ok {
		return
	}
	var known [cdsector.Size]byte
	if r.drive.ReadRaw(ctx, &known, at, mmc.AnySector) != nil {
		return
	}
	for i, form := range evidenceForms {
		p, marks, err := r.readStream(ctx, at-streamReach, 2*streamReach+1, form)
		if err != nil {
			continue
		}
		want := known
		cdsector.Scramble(&want)
		if k := bytes.Index(p, want[:]); k >= 0 && marks != nil {
			r.audioWay.forms, r.audioWay.shift = evidenceForms[i:], k-streamReach*cdsector.Size
			return
		}
	}
}

// goodNear returns a sector of the region that was read, with good ones around it, as near as there is one.
func (r *reader) goodNear(s sectorRef) (disc.LBA, bool) {
	good := func(at disc.LBA) bool {
		for a := at - streamReach; a <= at+streamReach; a++ {
			if a < s.g.first || a >= s.g.last() || r.tracker.at(s.g.position(a)) != mapfile.Finished {
				return false
			}
		}
		return true
	}
	const farthest = 2000
	for d := disc.LBA(0); d < farthest; d++ {
		for _, at := range []disc.LBA{s.at - d, s.at + d} {
			if good(at) {
				return at, true
			}
		}
	}
	return 0, false
}

// readStream reads sectors as audio: their bytes one after the other, and which C2 marks. marks is nil where it does
// not show which.
func (r *reader) readStream(ctx context.Context, at disc.LBA, n int, form mmc.C2Mode) (p []byte, marks []bool, err error) {
	stride := cdsector.Size + form.Size()
	buf := make([]byte, n*stride)
	err = drive.Whole(buf, n, func() (int, error) {
		return r.drive.Drive.ReadCD(ctx, buf, mmc.CDReadRequest{LBA: at, Count: n, Expect: mmc.CDDASector, Fields: mmc.UserData, C2: form})
	})
	if err != nil {
		return nil, nil, err
	}
	marks = make([]bool, 0, n*cdsector.Size)
	for i := range n {
		s := buf[i*stride:][:stride]
		p = append(p, s[:cdsector.Size]...)
		e := drive.Pointers(s[cdsector.Size:])
		if e == nil && form != mmc.NoC2 {
			return p, nil, nil
		}
		for k := range cdsector.Size {
			marks = append(marks, e != nil && e.Has(k))
		}
	}
	return p, marks, nil
}

// readAsAudio reads the bytes of a damaged sector of data as audio. came is false where the drive gives none.
func (r *reader) readAsAudio(ctx context.Context, g *region, at disc.LBA) (x cdsector.Reading, came bool, err error) {
	w := &r.audioWay
	if len(w.forms) == 0 {
		return x, false, nil
	}
	begin := r.clock().Now()
	r.tracker.working(g.position(at))
	skip := (w.shift%cdsector.Size + cdsector.Size) % cdsector.Size
	first, n := at+disc.LBA((w.shift-skip)/cdsector.Size), 1
	if skip > 0 {
		n = 2
	}
	p, marks, err := r.readStream(ctx, first, n, w.forms[0])
	if err != nil {
		r.report(at, 0, r.clock().Now().Sub(begin))
		_, fatal := r.judge(ctx, err)
		if w.misses++; w.misses >= mostMisses {
			w.forms, w.misses = nil, 0
		}
		return x, false, fatal
	}
	w.misses = 0
	copy(x.Data[:], p[skip:])
	cdsector.Scramble(&x.Data)
	if w.forms[0] != mmc.NoC2 && marks != nil {
		x.Marks = new(cdsector.Erasures)
		for i, m := range marks[skip : skip+cdsector.Size] {
			if m {
				x.Marks.Set(i)
			}
		}
	}
	r.report(at, 1, r.clock().Now().Sub(begin))
	return x, true, nil
}
