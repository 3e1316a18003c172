package cuefile

import (
	"context"
	"io"
	"io/fs"
	"slices"

	"spindle/cue"
	"spindle/disc"
	"spindle/image/format"
	"spindle/iso"
)

// longestCD bounds what is believed of the size of a volume: 100 minutes.
const longestCD = 100 * 60 * 75

// slack is by how many sectors volumes of sound discs are larger than their tracks: some count the two seconds
// of the gap that follows, or the two blocks in which a recorder runs out. No file lies there.
const slack = 150 + 2

// toVolume makes an image of one data track as long as the volume in it says: the file was
// cut short where a sector ended.
func toVolume(ctx context.Context, img disc.Image, c *format.Completer, o *opener) (disc.Image, error) {
	tracks := img.Layout().Tracks()
	if len(tracks) != 1 || !tracks[0].Mode.IsData() || tracks[0].Start != 0 {
		return img, nil
	}
	t := tracks[0]
	v, err := iso.ReadVolume(&userData{ctx: ctx, img: img}, int64(t.End))
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

// toVolumes states of files that end in a data track how much they lack of the volume in that, on a disc of several
// tracks. It reports whether there are such.
func (o *opener) toVolumes(ctx context.Context, contents []cue.Content, l *disc.Layout, extents []disc.Extent) bool {
	if len(l.Tracks()) < 2 { // see toVolume
		return false
	}
	img, err := disc.NewExtentImage(l, extents)
	if err != nil {
		return false
	}
	longer := false
	for _, t := range l.Tracks() {
		x, end := o.lastFile(t, extents)
		if x == nil {
			continue
		}
		if n := lacking(ctx, img, t, end); n > 0 {
			x.content(contents).Lack, x.least, longer = n, true, true
		}
	}
	return longer
}

// lastFile is the file that ends in a data track, and where on the disc it does, or nil.
func (o *opener) lastFile(t *disc.Track, extents []disc.Extent) (*opened, disc.LBA) {
	if !t.Mode.IsData() {
		return nil, 0
	}
	var last *disc.Extent
	for i := range extents {
		if e := &extents[i]; e.Source != nil && t.Start <= e.First && e.First < t.End && (last == nil || e.First > last.First) {
			last = e
		}
	}
	if last == nil {
		return nil, 0
	}
	i := slices.IndexFunc(o.opened, func(x opened) bool { return x.source == last.Source })
	if i < 0 || byteAfter(last) < o.opened[i].end {
		return nil, 0
	}
	return &o.opened[i], last.First + disc.LBA(last.Count)
}

// lacking is how many sectors the data of a track, which end at an address, lack of the volume in them.
func lacking(ctx context.Context, img disc.Image, t *disc.Track, end disc.LBA) int {
	u := &userData{ctx: ctx, img: img}
	files, err := u.open(t)
	if err != nil {
		return 0
	}
	size := u.volumeEnd(t)
	if size <= end || size > longestCD {
		return 0
	}
	u.from, u.to = end, size
	others := false // it has what lies in other tracks
	for _, x := range img.Layout().Tracks() {
		if x.Start >= end {
			if x.Mode.IsData() {
				u.to = min(u.to, x.Start)
			}
			others = others || x.Mode.IsData() && x.Start < size || max(x.End-size, size-x.End) <= slack
		}
	}
	audio := u.walk(files)
	switch {
	case u.reach > 0 && (others || audio):
		return int(u.reach - end)
	case u.reach > 0:
		return int(size - end)
	case others, audio, t.Start > 0, size <= t.End+slack:
		// Of a later track, the size may be that of the disc up to its end, or that of the track.
		return 0
	}
	return int(size - end)
}

// userData is the user data of a disc, by the addresses of its data tracks.
type userData struct {
	ctx      context.Context
	img      disc.Image
	base     disc.LBA // of byte 0
	from, to disc.LBA // sectors that no data track has
	reach    disc.LBA // the end of those of them that files have
}

// open opens the file system in a track, which counts its blocks from the start of the disc, or from its own.
func (u *userData) open(t *disc.Track) (*iso.FileSystem, error) {
	end := int64(u.img.Layout().End())
	f, err := iso.OpenSession(u, int64(t.Start), end)
	if err == nil && (t.Start == 0 || f.Root() >= int64(t.Start)) {
		return f, nil
	}
	u.base = t.Start
	return iso.OpenFiles(u, end-int64(t.Start))
}

// volumeEnd is where the volume in a track ends on the disc, at the least that its size may mean.
func (u *userData) volumeEnd(t *disc.Track) disc.LBA {
	start := int64(t.Start - u.base)
	v, err := iso.ReadSession(u, start, int64(t.End-u.base))
	if err != nil {
		return 0
	}
	size := v.Blocks()
	if size <= start { // of a later session: its own
		size += start
	}
	return u.base + disc.LBA(min(size, disc.MaxLBA))
}

// walk finds what files, and directories, have of the sectors from u.from to u.to. It reports whether there are files
// of audio.
func (u *userData) walk(files *iso.FileSystem) (audio bool) {
	_ = fs.WalkDir(files, ".", func(_ string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return u.ctx.Err()
		}
		info, err := d.Info()
		if err != nil {
			return u.ctx.Err()
		}
		e, ok := info.Sys().(*iso.Entry)
		if ok && e.Audio {
			audio = true
			return nil
		}
		all, _ := e.Extents()
		for _, x := range all {
			first := u.base + disc.LBA(min(x.Block, disc.MaxLBA))
			u.touch(first, first+disc.LBA(min((x.Size+iso.BlockSize-1)/iso.BlockSize, disc.MaxLBA)))
		}
		return u.ctx.Err()
	})
	return audio
}

// touch notes that a file has sectors.
func (u *userData) touch(first, end disc.LBA) {
	if first < u.to && end > u.from && first < end {
		u.reach = max(u.reach, min(end, u.to))
	}
}

func (u *userData) ReadAt(p []byte, off int64) (int, error) {
	var block [iso.BlockSize]byte
	for done := 0; ; {
		if done == len(p) {
			return done, nil
		}
		at := u.base + disc.LBA(min((off+int64(done))/iso.BlockSize, disc.MaxLBA))
		u.touch(at, at+1)
		t := u.img.Layout().TrackAt(at)
		if t == nil || !t.Mode.IsData() || at < t.Start {
			return done, io.EOF
		}
		if err := disc.ReadUser(u.ctx, u.img, block[:], at); err != nil {
			return done, err
		}
		done += copy(p[done:], block[(off+int64(done))%iso.BlockSize:])
	}
}
