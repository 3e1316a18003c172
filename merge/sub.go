package merge

import (
	"cmp"
	"context"
	"slices"

	"spindle/disc"
	"spindle/disc/cdsector"
)

// Subchannels implements [disc.Image]: of each sector, those of an image that has it without a flaw, for a
// rip makes up those of a sector that it could not read. Images that end elsewhere than the new one have none
// of its own.
func (m *Image) Subchannels() disc.Subchannels {
	x := subchannels{layout: m.layout}
	for _, s := range slices.Concat([]*source{m.base}, m.sources) {
		if s.img.Subchannels() != nil && s.img.Layout().End() == m.layout.End() && !slices.Contains(x.sources, s) {
			x.sources = append(x.sources, s)
		}
	}
	if len(x.sources) == 0 {
		return nil
	}
	return &x
}

// subchannels are those of several images, the first of which has the layout, if it has any.
type subchannels struct {
	layout  *disc.Layout
	sources []*source
}

// ReadSubchannel implements [disc.Subchannels].
func (x *subchannels) ReadSubchannel(ctx context.Context, p []byte, first disc.LBA) error {
	end := first + disc.LBA(len(p)/cdsector.SubSize)
	best := x.sources[0]
	if !best.doubtful && len(best.own.Clip(first, end)) == 0 && best.img.Subchannels().ReadSubchannel(ctx, p, first) == nil {
		return nil
	}
	for a := first; a < end; a++ {
		if err := x.one(ctx, p[int(a-first)*cdsector.SubSize:][:cdsector.SubSize], a); err != nil {
			return err
		}
	}
	return nil
}

// one reads the sub-channel of one sector. One that no file gives is made from the layout.
func (x *subchannels) one(ctx context.Context, p []byte, a disc.LBA) error {
	ranked := slices.SortedStableFunc(slices.Values(x.sources), func(s, other *source) int {
		return cmp.Compare(s.kindAt(a), other.kindAt(a))
	})
	for _, s := range ranked {
		err := s.img.Subchannels().ReadSubchannel(ctx, p, a)
		if err == nil || ctx.Err() != nil {
			return ctx.Err()
		}
		s.lose(a, err)
	}
	x.layout.Subchannel(a, (*[cdsector.SubSize]byte)(p))
	return nil
}

// kindAt returns the flaw of a sector of the image, which one in doubt has everywhere, or 0.
func (s *source) kindAt(a disc.LBA) disc.FlawKind {
	if s.doubtful {
		return max(kindOf(s.own, a), disc.Unproven)
	}
	return kindOf(s.own, a)
}
