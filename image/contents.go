package image

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"time"

	"spindle/disc"
	"spindle/image/audio"
	"spindle/image/format"
	"spindle/iso"
)

// ErrNoTrack is returned for a track that an image does not have.
var ErrNoTrack = format.ErrNoTrack

// HiddenTrack is, as the track to open or to take, the audio hidden before track 1.
const HiddenTrack = format.HiddenTrack

// Contents is all that is on a disc, as [fs.FS]: the files of a data track, and the audio
// as WAVE files beside them, such as "Track 02.wav". The audio is divided as [audio.Songs]
// says; what is hidden before track 1 is "Track 00.wav". Sys of the FileInfo of such a file
// is its *[audio.Song], of others what [iso.FileSystem] says.
type Contents struct {
	ctx   context.Context
	img   disc.Image
	data  *fileSystem // nil: no data track is shown
	audio []fs.DirEntry
}

// OpenContents opens the contents of an image: those of one track (or [HiddenTrack]), or
// with track 0 the file system that a computer shows, and all audio. Reading ends with ctx.
func OpenContents(ctx context.Context, img disc.Image, track int) (*Contents, error) {
	return OpenChosen(ctx, img, track, iso.Choice{})
}

// OpenChosen is OpenContents with the file system that is chosen, of a track that has several.
func OpenChosen(ctx context.Context, img disc.Image, track int, choice iso.Choice) (*Contents, error) {
	c := &Contents{ctx: ctx, img: img}
	var data *disc.Track
	for _, t := range img.Layout().Tracks() {
		if t.Number == track && t.Mode.IsData() {
			data = t
		}
	}
	if track == 0 {
		data = BestTrack(ctx, img)
	}
	if data != nil {
		f, err := openFileSystem(ctx, img, data, choice)
		if err != nil {
			return nil, fmt.Errorf("track %d: %w", data.Number, err)
		}
		c.data = f
	}
	for _, s := range audio.Songs(img.Layout()) {
		if track == 0 || s.Number == max(track, 0) {
			c.audio = append(c.audio, songInfo{c.songName(s.Number), &s})
		}
	}
	if c.data == nil && len(c.audio) == 0 {
		return nil, fmt.Errorf("%w: %d", ErrNoTrack, max(track, 0))
	}
	return c, nil
}

// songName names a song so that it does not hide a file.
func (c *Contents) songName(number int) string {
	name := fmt.Sprintf("Track %02d.wav", number)
	for c.data != nil {
		if _, err := c.data.Lstat(name); err != nil {
			break
		}
		name = "_" + name
	}
	return name
}

// song returns the song of a name, if it is one.
func (c *Contents) song(name string) (songInfo, bool) {
	for _, e := range c.audio {
		if s, ok := e.(songInfo); ok && s.name == name {
			return s, true
		}
	}
	return songInfo{}, false
}

// Open implements [fs.FS].
func (c *Contents) Open(name string) (fs.File, error) {
	if s, ok := c.song(name); ok {
		header := audio.WaveHeader(uint32(s.s.Bytes()))
		return &song{s, io.MultiReader(bytes.NewReader(header), Sectors(c.ctx, c.img, s.s.Start, s.s.End))}, nil
	}
	if name == "." {
		list, err := c.ReadDir(name)
		info, serr := c.Stat(name)
		if serr != nil {
			return nil, serr
		}
		return &rootDir{info, list, err}, nil
	}
	if c.data == nil {
		return nil, missing("open", name)
	}
	return c.data.Open(name)
}

// missing is the error for a name of a disc without a file system.
func missing(op, name string) error {
	err := fs.ErrNotExist
	if !fs.ValidPath(name) {
		err = fs.ErrInvalid
	}
	return &fs.PathError{Op: op, Path: name, Err: err}
}

// ReadDir implements [fs.ReadDirFS].
func (c *Contents) ReadDir(name string) ([]fs.DirEntry, error) {
	var list []fs.DirEntry
	var err error
	switch {
	case c.data != nil:
		list, err = c.data.ReadDir(name)
	case name != ".":
		return nil, missing("readdir", name)
	}
	if name == "." && len(c.audio) > 0 {
		list = slices.Concat(list, c.audio)
		slices.SortFunc(list, func(a, b fs.DirEntry) int { return cmp.Compare(a.Name(), b.Name()) })
	}
	return list, err
}

// Stat implements [fs.StatFS].
func (c *Contents) Stat(name string) (fs.FileInfo, error) { return c.stat("stat", name) }

// Lstat implements [fs.ReadLinkFS].
func (c *Contents) Lstat(name string) (fs.FileInfo, error) { return c.stat("lstat", name) }

func (c *Contents) stat(op, name string) (fs.FileInfo, error) {
	if s, ok := c.song(name); ok {
		return s, nil
	}
	switch {
	case c.data != nil && op == "lstat":
		return c.data.Lstat(name)
	case c.data != nil:
		return c.data.Stat(name)
	case name == ".":
		return bareRoot{}, nil
	}
	return nil, missing(op, name)
}

// ReadLink implements [fs.ReadLinkFS].
func (c *Contents) ReadLink(name string) (string, error) {
	if _, ok := c.song(name); ok || c.data == nil {
		return "", missing("readlink", name)
	}
	return c.data.ReadLink(name)
}

// songInfo is a song as a file.
type songInfo struct {
	name string
	s    *audio.Song
}

func (s songInfo) Name() string               { return s.name }
func (s songInfo) Size() int64                { return s.s.Bytes() + int64(len(audio.WaveHeader(0))) }
func (s songInfo) Mode() fs.FileMode          { return 0o444 }
func (s songInfo) Type() fs.FileMode          { return 0 }
func (s songInfo) ModTime() time.Time         { return time.Time{} }
func (s songInfo) IsDir() bool                { return false }
func (s songInfo) Sys() any                   { return s.s }
func (s songInfo) Info() (fs.FileInfo, error) { return s, nil }

// song is an open song.
type song struct {
	info songInfo
	io.Reader
}

func (s *song) Stat() (fs.FileInfo, error) { return s.info, nil }
func (s *song) Close() error               { return nil }

// bareRoot is the root of a disc without a file system.
type bareRoot struct{}

func (bareRoot) Name() string       { return "." }
func (bareRoot) Size() int64        { return 0 }
func (bareRoot) Mode() fs.FileMode  { return fs.ModeDir | 0o555 }
func (bareRoot) ModTime() time.Time { return time.Time{} }
func (bareRoot) IsDir() bool        { return true }
func (bareRoot) Sys() any           { return nil }

// rootDir is the open root.
type rootDir struct {
	info fs.FileInfo
	list []fs.DirEntry
	err  error // after the list
}

func (d *rootDir) Stat() (fs.FileInfo, error) { return d.info, nil }
func (d *rootDir) Close() error               { return nil }

func (d *rootDir) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: ".", Err: fs.ErrInvalid}
}

// ReadDir implements [fs.ReadDirFile].
func (d *rootDir) ReadDir(n int) ([]fs.DirEntry, error) {
	if n <= 0 {
		n = len(d.list)
		list := d.list[:n:n]
		d.list = nil
		return list, d.err
	}
	n = min(n, len(d.list))
	list := d.list[:n:n]
	d.list = d.list[n:]
	if n == 0 {
		return nil, cmp.Or(d.err, io.EOF)
	}
	return list, nil
}
