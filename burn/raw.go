package burn

import (
	"context"

	"spindle/addr"
	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/scsi/mmc"
)

// raw plans a session whose every bit is made here: lead-in, sub-channels,
// scrambled data. It is for drives that refuse a cue sheet.
func (p *planner) raw() error {
	l := p.src.layout()
	if err := checkTracks(l); err != nil {
		return err
	}
	switch {
	case len(l.Sessions) != 1:
		return &Refusal{Kind: ErrOptions, Reason: RawSessions, Disc: p.m.Profile, A: len(l.Sessions)}
	case p.o.Multi || p.m.Status != mmc.DiscBlank:
		return &Refusal{Kind: ErrOptions, Reason: RawOnUsed, Disc: p.m.Profile}
	case p.m.LeadInStart >= -addr.Pregap:
		return &Refusal{Kind: ErrOptions, Reason: NoLeadIn, Disc: p.m.Profile}
	}
	if err := p.fits(0, int(l.End())); err != nil {
		return err
	}
	params := mmc.WriteParameters{Type: mmc.WriteRaw, TestWrite: p.o.Simulate, UnderrunFree: p.m.UnderrunFree, Block: mmc.BlockRaw96,
		SessionFormat: mmc.SessionFormat(l.Sessions[0].Format)}
	p.params(params)
	p.add(RawStep{p.m.LeadInStart, int(l.End()-p.m.LeadInStart) + addr.FirstLeadOut}, SyncStep{Last: true})
	return nil
}

// rawMaker makes the sectors of a raw session.
type rawMaker struct {
	src   *Source
	l     *disc.Layout
	start disc.LBA // of the lead-in
	toc   *disc.LeadIn
	main  [cdsector.Size]byte
}

func newRawMaker(src *Source, start disc.LBA) *rawMaker {
	l := src.layout()
	return &rawMaker{src: src, l: l, start: start, toc: disc.NewLeadIn(&l.Sessions[0])}
}

// read fills p with sectors of 2448 bytes from a on.
func (r *rawMaker) read(ctx context.Context, p []byte, a disc.LBA) error {
	const size = cdsector.Size + cdsector.SubSize
	for ; len(p) >= size; p, a = p[size:], a+1 {
		if err := r.mainChannel(ctx, a); err != nil {
			return err
		}
		copy(p, r.main[:])
		var sub, wound [cdsector.SubSize]byte
		if err := r.subChannels(ctx, &sub, a); err != nil {
			return err
		}
		cdsector.Interleave(&wound, &sub)
		copy(p[cdsector.Size:], wound[:])
		if a < -addr.Pregap {
			r.text(p[cdsector.Size:size], a)
		}
	}
	return nil
}

// mainChannel makes the 2352 bytes of a sector, scrambled where they are data.
func (r *rawMaker) mainChannel(ctx context.Context, a disc.LBA) error {
	s := &r.l.Sessions[0]
	t := r.l.TrackAt(a)
	if t != nil && (t.Mode == disc.Audio || a >= t.Start) {
		if err := r.src.failed(r.src.image.ReadSectors(ctx, r.main[:], a)); err != nil {
			return err
		}
		if t.Mode.IsData() {
			at := a.MSF() // of an image that was moved, the header states another place
			r.place(at)
			cdsector.Scramble(&r.main)
		}
		return nil
	}
	clear(r.main[:])
	neighbour := &s.Tracks[len(s.Tracks)-1]
	switch {
	case t != nil:
		neighbour = t
	case a < s.LeadOut:
		neighbour = &s.Tracks[0]
	}
	if neighbour.Mode.IsData() {
		mode, kind := byte(1), cdsector.Mode1
		if neighbour.Mode == disc.Mode2 {
			mode, kind = 2, cdsector.Form1
		}
		at := a.MSF()
		cdsector.SetHeader(&r.main, at, mode)
		cdsector.Seal(&r.main, kind)
		cdsector.Scramble(&r.main)
	}
	return nil
}

// place gives a data sector the header of a time. One that has it already stays as the
// image has it, and so does the EDC of one that is wrong: what is wrong stays wrong.
func (r *rawMaker) place(at addr.MSF) {
	before, mode := r.main, r.main[15]
	cdsector.SetHeader(&r.main, at, mode)
	if r.main == before {
		return
	}
	if k := cdsector.Classify(&r.main); k == cdsector.Mode1 && cdsector.EDCOK(&before, k) {
		cdsector.Seal(&r.main, k)
	}
}

// subChannels are those that are saved of a sector of a track; of others, it makes P and Q.
func (r *rawMaker) subChannels(ctx context.Context, sub *[cdsector.SubSize]byte, a disc.LBA) error {
	if saved := r.src.image.Subchannels(); saved != nil && r.l.TrackAt(a) != nil {
		return r.src.failed(saved.ReadSubchannel(ctx, sub[:], a))
	}
	q := r.q(a)
	copy(sub[cdsector.QSize:], q[:])
	t := r.l.TrackAt(a)
	if a >= -addr.Pregap && (t == nil && a < 0 || t != nil && a < t.Start) {
		for i := range cdsector.QSize {
			sub[i] = 0xFF
		}
	}
	return nil
}

// q makes the Q frame of a sector.
func (r *rawMaker) q(a disc.LBA) [cdsector.QSize]byte {
	if a < -addr.Pregap {
		return r.toc.Q(int(a-r.start), a)
	}
	q := r.l.Q(a)
	return q.Encode()
}

// text puts CD-TEXT into R to W of a sector of the lead-in.
func (r *rawMaker) text(sub []byte, a disc.LBA) {
	if len(r.l.CDText) == 0 {
		return
	}
	var six [cdsector.SubSize]byte
	textSector(&six, r.l.CDText, int(a-r.start))
	for i := range six {
		sub[i] |= six[i]
	}
}

// textSector makes the 96 symbols of R to W of the n-th sector of a lead-in: four
// packs, each as 24 symbols of six bits; after the last pack the first one
// follows.
func textSector(out *[cdsector.SubSize]byte, packs []disc.Pack, n int) {
	for k := range 4 {
		p := &packs[(n*4+k)%len(packs)]
		for i := range 6 {
			v := uint32(p[i*3])<<16 | uint32(p[i*3+1])<<8 | uint32(p[i*3+2])
			at := out[k*24+i*4:]
			at[0], at[1], at[2], at[3] = byte(v>>18)&63, byte(v>>12)&63, byte(v>>6)&63, byte(v)&63
		}
	}
}
