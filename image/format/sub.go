package format

import (
	"bytes"
	"errors"

	"spindle/disc"
	"spindle/disc/cdsector"
)

// OmitSubchannels leaves out the sub-channels of tracks. Those that say nothing beyond the
// layout, which any disc made of the new image has too, are no loss.
func (o *Output) OmitSubchannels(tracks []*disc.Track) error {
	saved := o.Image.Subchannels()
	if saved == nil {
		return nil
	}
	plain := *o.Layout
	plain.MCN = "" // its frames stand anywhere
	plain.Sessions = nil
	for _, s := range o.Layout.Sessions {
		s.Tracks = append([]disc.Track(nil), s.Tracks...)
		for i := range s.Tracks {
			s.Tracks[i].ISRC = ""
		}
		plain.Sessions = append(plain.Sessions, s)
	}
	err := o.eachSub(tracks, func(t *disc.Track, p []byte, a disc.LBA) error {
		if err := saved.ReadSubchannel(o.ctx, p, a); err != nil {
			return err
		}
		for i := 0; i < len(p); i += cdsector.SubSize {
			if o.saysMore(t, &plain, a+disc.LBA(i/cdsector.SubSize), (*[cdsector.SubSize]byte)(p[i:])) {
				return errSaysMore
			}
		}
		return nil
	})
	if errors.Is(err, errSaysMore) {
		o.Omit(Loss{Kind: SavedSub})
		return nil
	}
	return err
}

// errSaysMore ends the look at sub-channels once one says more than the layout.
var errSaysMore = errors.New("more than the layout says")

// saysMore reports whether a sub-channel says what the layout does not: graphics or text in
// R to W, a Q that is wrong on purpose, another position or number.
func (o *Output) saysMore(t *disc.Track, plain *disc.Layout, a disc.LBA, p *[cdsector.SubSize]byte) bool {
	const q = cdsector.QSize
	if !bytes.Equal(p[2*q:], make([]byte, cdsector.SubSize-2*q)) {
		return true
	}
	frame := [q]byte(p[q:])
	is, err := cdsector.DecodeQ(&frame)
	if err != nil {
		return true
	}
	switch is.ADR {
	case 2:
		return is.MCN != o.Layout.MCN
	case 3:
		return is.ISRC != t.ISRC
	}
	own := plain.Q(a)
	return own.Encode() != frame
}
