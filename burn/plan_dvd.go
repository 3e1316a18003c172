package burn

import (
	"context"
	"fmt"

	"spindle/scsi/mmc"
)

// incremental reports whether a DVD-R is to be written incrementally.
func (p *planner) incremental() bool {
	return p.o.Multi || p.o.Mode == Incremental ||
		// A stream ends where it likes. To erase all of a DVD-RW for that takes long.
		p.src != nil && p.src.stream != nil && p.o.Mode == Auto && (p.src.blocks == 0 || p.m.InPackets && !p.o.Blank)
}

// dvdR plans DVD-R and DVD-RW that are written sequentially.
func (p *planner) dvdR(ctx context.Context) error {
	if p.src.stream != nil && p.src.blocks == 0 && !p.incremental() {
		return &Refusal{Kind: ErrOptions, Reason: NeedsLength, Disc: p.m.Profile}
	}
	t, err := p.data(p.m.NextWritable, 0)
	if err != nil {
		return err
	}
	n := p.padded(t)
	if err := p.fits(p.m.NextWritable, n); err != nil {
		return err
	}
	blank := p.m.Status == mmc.DiscBlank
	if err := p.address(ctx, t, p.m.NextWritable); err != nil {
		return err
	}
	params := mmc.WriteParameters{TestWrite: p.o.Simulate, UnderrunFree: p.m.UnderrunFree, TrackMode: mmc.ControlData | mmc.ControlIncremental, Block: mmc.BlockMode1}
	if !p.incremental() && blank {
		p.plan.Mode, p.plan.Final = DiscAtOnce, true
		params.Type = mmc.WriteSessionAtOnce
		p.add(ParamsStep{params}, ReserveStep{uint32(n)})
		p.writeData(t, 0)
		p.add(SyncStep{Last: true})
		return nil
	}
	if !p.m.InPackets {
		return fmt.Errorf("%s: %w", p.m.Profile, ErrOnceOnly)
	}
	p.plan.Mode, p.plan.Final = Incremental, !p.o.Multi
	params.Type, params.FixedPacket, params.LinkSize = mmc.WriteIncremental, 16, p.m.linkSize()
	if p.o.Multi {
		params.MultiSession = mmc.NextSession
	}
	p.add(ParamsStep{params}, ExpectStep{p.m.NextWritable})
	p.writeData(t, p.m.NextWritable)
	p.add(SyncStep{})
	if !p.o.Simulate { // some drives do not close what was never written (cdrecord)
		p.add(CloseStep{Function: mmc.CloseTrack, Track: p.m.LastTrack}, CloseStep{Function: mmc.CloseSession})
	}
	return nil
}

// dvdPlusR plans DVD+R of one or two layers.
func (p *planner) dvdPlusR(ctx context.Context) error {
	t, err := p.data(p.m.NextWritable, 0)
	if err != nil {
		return err
	}
	if err := p.fits(p.m.NextWritable, p.padded(t)); err != nil {
		return err
	}
	if err := p.address(ctx, t, p.m.NextWritable); err != nil {
		return err
	}
	p.plan.Mode, p.plan.Final = Sequential, !p.o.Multi
	if p.m.Layer0 > 0 && p.m.Status == mmc.DiscBlank && !p.o.Multi && p.src.stream == nil {
		// Both layers of the same length, so that the second one does not end in
		// the middle (growisofs).
		if half := (p.padded(t)/2 + 15) / 16 * 16; half <= p.m.Layer0 {
			p.add(LayerStep{uint32(half)})
		}
	}
	p.add(ExpectStep{p.m.NextWritable})
	p.writeData(t, p.m.NextWritable)
	p.add(SyncStep{}, CloseStep{Function: mmc.CloseTrack, Track: p.m.LastTrack})
	switch {
	case p.o.Multi:
		p.add(CloseStep{Function: mmc.CloseSession})
	case p.m.Profile == mmc.ProfileDVDPlusRDL: // as growisofs does, for drives insist
		p.add(CloseStep{Function: mmc.CloseMinimum})
	default:
		p.add(CloseStep{Function: mmc.CloseFinalize})
	}
	return nil
}

// bdR plans BD-R.
func (p *planner) bdR(ctx context.Context) error {
	t, err := p.data(p.m.NextWritable, 0)
	if err != nil {
		return err
	}
	if spare := p.o.Spare; (spare == SpareMinimum || spare == SpareDefault) && !(p.m.Formatted && p.m.Status == mmc.DiscBlank) {
		f, err := p.spareFormat(mmc.FormatBDR, spare)
		if err != nil {
			return err
		}
		if p.m.Status != mmc.DiscBlank || p.m.NextWritable > 0 {
			return &Refusal{Kind: ErrOptions, Reason: SpareTooLate, Disc: p.m.Profile}
		}
		f.SubType = mmc.SubTypeNoPOW // which spindle does not use
		p.m.Capacity = int(f.Blocks)
		p.add(FormatStep{Request: *f})
	}
	if err := p.fits(p.m.NextWritable, p.padded(t)); err != nil {
		return err
	}
	if err := p.address(ctx, t, p.m.NextWritable); err != nil {
		return err
	}
	p.plan.Mode, p.plan.Final = Sequential, !p.o.Multi
	p.add(ExpectStep{p.m.NextWritable})
	p.writeData(t, p.m.NextWritable)
	p.add(SyncStep{}, CloseStep{Function: mmc.CloseTrack, Track: p.m.LastTrack})
	if p.o.Multi {
		p.add(CloseStep{Function: mmc.CloseSession})
	} else {
		p.add(CloseStep{Function: mmc.CloseFinalize})
	}
	return nil
}

// CapacityWith is how many sectors a Blu-ray disc holds with spare areas of a size,
// or 0 where that is not on offer.
func (m *Medium) CapacityWith(s Spare) int {
	kind := mmc.FormatBDR
	if m.Profile == mmc.ProfileBDRE {
		kind = mmc.FormatBDRE
	}
	if s == SpareNone {
		for i, f := range m.Formats {
			if i > 0 && f.Type == mmc.FormatBDRENoSpare {
				return int(f.Blocks)
			}
		}
		if m.Profile == mmc.ProfileBDR {
			return m.Capacity
		}
		return 0
	}
	f, err := (&planner{m: *m}).spareFormat(kind, s)
	if err != nil {
		return 0
	}
	return int(f.Blocks)
}

// spareFormat finds the format with spare areas of a size.
func (p *planner) spareFormat(kind mmc.FormatType, spare Spare) (*mmc.FormatRequest, error) {
	var found *mmc.FormatCapacity
	for i := range p.m.Formats {
		f := &p.m.Formats[i]
		if i == 0 || f.Type != kind {
			continue
		}
		// The first one is the default; of the others, the larger the payload,
		// the smaller the spare areas.
		if found == nil || spare == SpareMinimum && f.Blocks > found.Blocks {
			found = f
		}
	}
	if found == nil {
		return nil, &Refusal{Kind: ErrOptions, Reason: NoSpare, Disc: p.m.Profile}
	}
	return &mmc.FormatRequest{Type: kind, Blocks: found.Blocks, Param: found.Param}, nil
}

// overwrite plans the media that are written at any place.
func (p *planner) overwrite(ctx context.Context) error {
	t, err := p.src.data()
	if err != nil {
		return err
	}
	if p.o.Multi {
		return &Refusal{Kind: ErrOptions, Reason: NoSessions, Disc: p.m.Profile}
	}
	p.plan.Mode = Overwrite
	if err := p.format(p.padded(t)); err != nil {
		return err
	}
	if t, err = p.data(0, 0); err != nil { // once it is known how much fits
		return err
	}
	n := p.padded(t)
	if err := p.fits(0, n); err != nil {
		return err
	}
	if err := p.address(ctx, t, 0); err != nil {
		return err
	}
	p.writeData(t, 0)
	p.add(SyncStep{Last: true})
	switch p.m.Profile {
	case mmc.ProfileDVDPlusRW, mmc.ProfileDVDPlusRWDL:
		// End the format in the background, so that other drives read the disc.
		if p.m.Background != mmc.BackgroundComplete {
			p.add(CloseStep{Function: mmc.CloseBackground, Optional: true})
		}
		p.add(CloseStep{Function: mmc.CloseSession, Optional: true})
	case mmc.ProfileDVDRWRO:
		if p.m.Intermediate {
			p.add(CloseStep{Function: mmc.CloseSession})
		}
	}
	return nil
}

// format adds the formatting that the disc needs for n sectors.
func (p *planner) format(n int) error {
	full := p.o.Blank && p.o.Full
	switch p.m.Profile {
	case mmc.ProfileDVDPlusRW, mmc.ProfileDVDPlusRWDL:
		p.formatPlusRW(full)
	case mmc.ProfileBDRE:
		return p.formatBDRE(full)
	case mmc.ProfileDVDRAM:
		if !p.m.Formatted || full {
			p.add(FormatStep{Request: mmc.FormatRequest{Type: mmc.FormatFull, Blocks: p.offered(mmc.FormatFull), Param: 2048}})
		}
	case mmc.ProfileDVDRWRO:
		p.formatRW(n, full)
	}
	return nil
}

// offered is the number of blocks that a format type gives on this disc, or 0.
func (p *planner) offered(kind mmc.FormatType) uint32 {
	for i, f := range p.m.Formats {
		if i > 0 && f.Type == kind {
			return f.Blocks
		}
	}
	return 0
}

func (p *planner) formatPlusRW(full bool) {
	request := mmc.FormatRequest{Type: mmc.FormatPlusRW, Blocks: 0xFFFFFFFF}
	switch {
	case !p.m.Formatted || full:
		p.add(FormatStep{Request: request})
	case p.m.Background == mmc.BackgroundSuspended: // continues where it was stopped
		request.Param = 1
		p.add(FormatStep{Request: request, Optional: true})
	}
}

func (p *planner) formatBDRE(full bool) error {
	if p.m.Formatted && p.o.Spare == "" && !full {
		return nil
	}
	if p.o.Spare == SpareNone {
		blocks := p.offered(mmc.FormatBDRENoSpare)
		if blocks == 0 {
			return &Refusal{Kind: ErrOptions, Reason: OnlySpare, Disc: p.m.Profile}
		}
		p.m.Capacity = int(blocks)
		p.add(FormatStep{Request: mmc.FormatRequest{Type: mmc.FormatBDRENoSpare, Blocks: blocks, Param: 2048}})
		return nil
	}
	f, err := p.spareFormat(mmc.FormatBDRE, p.o.Spare)
	if err != nil {
		return err
	}
	p.m.Capacity = int(f.Blocks)
	p.add(FormatStep{Request: *f})
	return nil
}

// formatRW makes a DVD-RW that is overwritten large enough for n sectors.
func (p *planner) formatRW(n int, full bool) {
	quick := p.offered(mmc.FormatRWQuick)
	switch grow := n > p.m.Capacity && quick >= uint32(n) && !p.m.Intermediate; {
	case full || grow:
		p.m.Capacity = int(quick)
		p.add(FormatStep{Request: mmc.FormatRequest{Type: mmc.FormatRWQuick, Param: 16}})
		p.m.Intermediate = true
	case p.m.Intermediate:
		p.m.Capacity = max(p.m.Capacity, int(quick))
	}
}
