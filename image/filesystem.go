package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/iso"
)

// fileSystem is the file system in a data track of an image, as [fs.FS]. The names and
// what Sys returns are those of [iso.FileSystem].
type fileSystem struct {
	*iso.FileSystem
	ctx  context.Context
	img  disc.Image
	base disc.LBA // the address of what the file system calls block 0
}

// ErrElsewhere is returned for a file system of which the directories, or a file, lie outside
// of the image: as of one that was made as a later session of a disc.
var ErrElsewhere = errors.New("the file system was made for another place on a disc")

// openFileSystem opens the file system in a data track. Most count their blocks from the
// start of the disc, which lets files lie in other tracks and sessions; some that
// were made for the first track of a disc, and recorded elsewhere, from the start
// of their track. Reading ends with ctx.
func openFileSystem(ctx context.Context, img disc.Image, t *disc.Track, c iso.Choice) (*fileSystem, error) {
	whole := &blocks{ctx, img}
	start := int64(lastVolume(ctx, img, t))
	f, err := c.Open(whole, start, int64(img.Layout().End()))
	if err == nil && (start == 0 || f.Root() >= start) && f.Root() < int64(img.Layout().End()) {
		return &fileSystem{f, ctx, img, 0}, nil
	}
	own, ownErr := c.Open(UserData(ctx, img, t), 0, int64(t.End-t.Start))
	if ownErr != nil {
		return nil, ownErr
	}
	if root := own.Root(); root >= int64(img.Layout().End()) {
		return openElsewhere(ctx, img, t, root)
	}
	return &fileSystem{own, ctx, img, t.Start}, nil
}

// Base returns the address of what the file system calls block 0.
func (f *fileSystem) Base() disc.LBA { return f.base }

// BestTrack returns the data track whose file system a computer shows: the first of
// the last session that has one. It is nil for a disc without data.
func BestTrack(ctx context.Context, img disc.Image) *disc.Track {
	l := img.Layout()
	for i := len(l.Sessions) - 1; i >= 0; i-- {
		s := &l.Sessions[i]
		for j := range s.Tracks {
			t := &s.Tracks[j]
			if !t.Mode.IsData() {
				continue
			}
			if _, err := openFileSystem(ctx, img, t, iso.Choice{}); err == nil || i == 0 {
				return t
			}
			break
		}
	}
	return nil
}

// Open implements [fs.FS]. On a CD, the content of a file is the user data of each of its
// sectors, whatever its form has of them: 2048 bytes, 2324 of form 2 (as the films of a
// Video CD have), 2352 of audio. The size that the directory states counts sectors of
// 2048 bytes, and is that of the content only where all have them. In place of sectors of
// audio that are not its own it has zeros; see [Contents.FlawsOf].
func (f *fileSystem) Open(name string) (fs.File, error) {
	file, err := f.FileSystem.Open(name)
	if err != nil || f.img.Layout().Medium != disc.CD || f.Kind() == iso.HFS {
		return file, err
	}
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return file, err
	}
	e, ok := info.Sys().(*iso.Entry)
	if !ok {
		return file, nil
	}
	extents, err := e.Extents()
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	r := &fileReader{ctx: f.ctx, img: f.img, foreign: f.foreign(e)}
	for _, x := range extents {
		r.extents = append(r.extents, disc.LBA(x.Block)+f.base)
		r.lengths = append(r.lengths, x.Size)
	}
	if len(r.foreign) == 0 && !r.special() {
		return file, nil
	}
	return &sectorFile{info, r}, nil
}

// sectorFile is an open file whose sectors do not all have 2048 bytes of user data.
type sectorFile struct {
	info fs.FileInfo
	*fileReader
}

func (f *sectorFile) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *sectorFile) Close() error               { return nil }

// fileReader reads a file sector by sector.
type fileReader struct {
	ctx     context.Context
	img     disc.Image
	extents []disc.LBA
	lengths []int64 // bytes, in sectors of 2048
	foreign disc.Flaws
	data    []byte // what is left of the last sector
	buf     [cdsector.Size]byte
}

// special reports whether the file has sectors without 2048 bytes of user data. The
// first and the last sector tell, and some between them.
func (r *fileReader) special() bool {
	for i, first := range r.extents {
		n := (r.lengths[i] + iso.BlockSize - 1) / iso.BlockSize
		looks := min(n, 16)
		for k := range looks {
			at := first + disc.LBA((n-1)*k/max(1, looks-1))
			if k, err := r.sector(at); err == nil && (k == cdsector.Form2 || k == cdsector.Audio) {
				return true
			}
		}
	}
	return false
}

// sector reads a sector into the buffer. In a data track one without a sync pattern is damaged,
// and no audio.
func (r *fileReader) sector(at disc.LBA) (cdsector.Kind, error) {
	if r.foreign.Contains(at) {
		clear(r.buf[:])
		return cdsector.Mode1, nil
	}
	if err := r.img.ReadSectors(r.ctx, r.buf[:], at); err != nil {
		return 0, err
	}
	if t := r.img.Layout().TrackAt(at); t != nil {
		if f, ok := t.Reframed(&r.buf, at); ok {
			r.buf = *f
		}
	}
	return cdsector.Classify(&r.buf), nil
}

// Read implements [io.Reader].
func (r *fileReader) Read(p []byte) (int, error) {
	for len(r.data) == 0 {
		if len(r.extents) == 0 {
			return 0, io.EOF
		}
		if r.lengths[0] <= 0 {
			r.extents, r.lengths = r.extents[1:], r.lengths[1:]
			continue
		}
		kind, err := r.sector(r.extents[0])
		if err != nil {
			return 0, err
		}
		from, n := kind.UserData()
		if len(r.foreign) > 0 {
			n = int(min(int64(n), r.lengths[0]))
		}
		r.data = r.buf[from : from+n]
		r.extents[0]++
		r.lengths[0] -= iso.BlockSize
	}
	n := copy(p, r.data)
	r.data = r.data[n:]
	return n, nil
}

// ReadVolume reads what the descriptors in a data track say.
func ReadVolume(ctx context.Context, img disc.Image, t *disc.Track) (*iso.Volume, error) {
	start := lastVolume(ctx, img, t)
	if f, err := openFileSystem(ctx, img, t, iso.Choice{}); err == nil && f.base == 0 && start > 0 {
		return iso.ReadSession(&blocks{ctx, img}, int64(start), int64(img.Layout().End()))
	}
	return iso.ReadVolume(UserData(ctx, img, t), int64(t.End-t.Start))
}

// blocks gives the user data of the whole disc, 2048 bytes a sector, by the
// addresses of the disc.
type blocks struct {
	ctx context.Context
	img disc.Image
}

func (b *blocks) ReadAt(p []byte, off int64) (int, error) {
	l := b.img.Layout()
	done := 0
	for done < len(p) {
		at := disc.LBA(min((off+int64(done))/iso.BlockSize, disc.MaxLBA))
		t := l.TrackAt(at)
		if t == nil || !t.Mode.IsData() || at < t.Start {
			return done, fmt.Errorf("block %d is in no data track: %w", at, io.ErrUnexpectedEOF)
		}
		n, err := UserData(b.ctx, b.img, t).ReadAt(p[done:], off+int64(done)-int64(t.Start)*iso.BlockSize)
		done += n
		if err != nil && (!errors.Is(err, io.EOF) || n == 0) {
			return done, err
		}
	}
	return done, nil
}
