package cuefile

import (
	"context"
	"io"

	"spindle/disc"
	"spindle/image/format"
	"spindle/iso"
)

// longestCD bounds what is believed of the size of a volume: 100 minutes.
const longestCD = 100 * 60 * 75

// toVolume makes an image of one data track as long as the volume in it says: the file was
// cut short where a sector ended.
func toVolume(ctx context.Context, img disc.Image, c *format.Completer, o *opener) (disc.Image, error) {
	tracks := img.Layout().Tracks()
	if len(tracks) != 1 || !tracks[0].Mode.IsData() || tracks[0].Start != 0 {
		return img, nil
	}
	t := tracks[0]
	v, err := iso.ReadVolume(userData{ctx, img}, int64(t.End))
	if err != nil || v.Blocks() <= int64(t.End) || v.Blocks() > longestCD {
		return img, nil
	}
	first, n := t.End, int(v.Blocks()-int64(t.End))
	s := &c.Layout.Sessions[0]
	s.Tracks[0].End += disc.LBA(n)
	s.LeadOut = s.Tracks[0].End
	c.Extents = append(c.Extents, disc.Extent{First: first, Count: n, Form: format.EmptyForm(c.Layout, first)})
	c.Flaws = c.Flaws.Union(disc.FlawsOf(disc.Flaw{First: first, Count: n, Kind: disc.Unread}))
	size, have := img.Layout().Medium.SectorSize(), int64(first)-int64(c.Flaws.Clip(0, first).Sectors())
	o.main.Remark(format.Remark{Kind: format.CutShort, File: o.opened[0].file.Path,
		Have: have * int64(size), Want: v.Blocks() * int64(size)})
	return c.Image(o.files, o.closers)
}

// userData is the user data of a disc of one data track.
type userData struct {
	ctx context.Context
	img disc.Image
}

func (u userData) ReadAt(p []byte, off int64) (int, error) {
	var block [iso.BlockSize]byte
	for done := 0; ; {
		at := off + int64(done)
		if done == len(p) {
			return done, nil
		}
		if at/iso.BlockSize >= int64(u.img.Layout().End()) {
			return done, io.EOF
		}
		if err := disc.ReadUser(u.ctx, u.img, block[:], disc.LBA(at/iso.BlockSize)); err != nil {
			return done, err
		}
		done += copy(p[done:], block[at%iso.BlockSize:])
	}
}
