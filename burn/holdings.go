package burn

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"time"

	"spindle/disc"
	"spindle/drive"
	"spindle/iso"
	"spindle/scsi"
	"spindle/scsi/mmc"
)

// Holdings is what a disc holds: what is lost when it is erased or written over.
type Holdings struct {
	// Label, Files, Bytes and Made are those of the file system that a computer
	// shows. Made is when it was last changed, and zero where it does not say.
	FileSystem bool
	Label      string
	Files      int
	Bytes      int64 // in the files
	Made       time.Time
	More       bool // the files were not all counted

	AudioTracks  int
	AudioSectors int
	// Unknown: there are data, and no file system that spindle can read.
	Unknown bool
	// Unreadable: the drive could not read the places that were looked at, so that
	// it is not known what is there.
	Unreadable bool
}

// How long, and how far, the files of a disc are counted.
const (
	countLimit = 20 * time.Second
	countMost  = 50000
)

// Destroys reports whether the plan erases what is on the disc, or writes over it.
func (p *Plan) Destroys() bool {
	return !p.Simulate && slices.ContainsFunc(p.Steps, func(s Step) bool {
		switch s := s.(type) {
		case BlankStep:
			return true
		case FormatStep:
			return s.Request.Param&1 == 0 || s.Request.Type != mmc.FormatPlusRW
		}
		return Writes(s) && (&Medium{Profile: p.Profile}).random()
	})
}

// Held looks at what is on the disc m. It returns nil where there is nothing: the
// disc is blank, was never written, or holds nothing but zeros.
func Held(ctx context.Context, d *mmc.Drive, m *Medium) (*Holdings, error) {
	if m.empty() {
		return nil, nil
	}
	h := new(Holdings)
	r := &discReader{ctx, d}
	read, err := drive.Survey(ctx, d, drive.ForReading)
	if err != nil && !drive.Classify(err).Answered() && !errors.Is(err, drive.ErrTOC) {
		return nil, err
	}
	var tracks []*disc.Track
	end := m.NextWritable
	switch {
	case m.random():
		end = disc.LBA(m.Capacity)
	case err == nil && read.Contents != nil && read.Contents.Layout != nil:
		tracks, end = read.Contents.Layout.Tracks(), read.Contents.Layout.End()
	}
	h.listen(tracks)
	switch {
	case end <= 0: // of a session that was never closed nothing can be read, by anyone
		h.Unreadable = err != nil || !read.Unclosed
	case len(tracks) == 0 || slices.ContainsFunc(tracks, func(t *disc.Track) bool { return t.Mode.IsData() }):
		h.look(r, tracks, end)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !h.any() {
		return nil, nil
	}
	return h, nil
}

// empty reports whether the disc is one on which nothing can be.
func (m *Medium) empty() bool {
	if m.random() {
		return !m.Formatted
	}
	return m.Status == mmc.DiscBlank
}

// any reports whether something is on the disc, or may be.
func (h *Holdings) any() bool {
	return h.FileSystem || h.AudioTracks > 0 || h.Unknown || h.Unreadable
}

// listen counts the audio.
func (h *Holdings) listen(tracks []*disc.Track) {
	for _, t := range tracks {
		if t.Mode == disc.Audio {
			h.AudioTracks++
			h.AudioSectors += int(t.End - t.Start)
		}
	}
}

// look finds the file system of the last session that has one, or other data.
func (h *Holdings) look(r *discReader, tracks []*disc.Track, end disc.LBA) {
	starts := []disc.LBA{0}
	if len(tracks) > 0 {
		starts = nil
		for _, t := range slices.Backward(tracks) {
			if t.Mode.IsData() {
				starts = append(starts, t.Start)
			}
		}
	}
	for _, start := range starts {
		if f, err := iso.OpenSession(r, int64(start), int64(end)); err == nil {
			h.files(r, f, start, end)
			return
		}
	}
	h.Unknown, h.Unreadable = r.anything(places(starts, end), end)
}

// files counts the files of a file system.
func (h *Holdings) files(r *discReader, f *iso.FileSystem, start, end disc.LBA) {
	h.FileSystem = true
	if v, err := iso.ReadSession(r, int64(start), int64(end)); err == nil {
		h.Label = v.Label
	}
	h.Made = volumeTime(r, start)
	clock := r.drive.Clock()
	began := clock.Now()
	// What a damaged directory hides is not counted.
	_ = fs.WalkDir(f, ".", func(_ string, e fs.DirEntry, err error) error {
		switch {
		case r.ctx.Err() != nil:
			return r.ctx.Err()
		case h.Files >= countMost, clock.Now().Sub(began) > countLimit:
			h.More = true
			return fs.SkipAll
		case err != nil:
			h.More = true
			return nil
		case !e.Type().IsRegular():
			return nil
		}
		h.Files++
		if info, err := e.Info(); err == nil {
			h.Bytes += info.Size()
		}
		return nil
	})
}

// volumeTime is when an ISO 9660 volume was last changed, or made (ECMA-119
// 8.4.26 and 8.4.27).
func volumeTime(r io.ReaderAt, start disc.LBA) time.Time {
	p, err := iso.ReadPrimary(r, int64(start))
	if err != nil {
		return time.Time{}
	}
	var b [2 * 17]byte
	if _, err := r.ReadAt(b[:], p.Block*iso.BlockSize+813); err != nil {
		return time.Time{}
	}
	for _, text := range []string{string(b[17:31]), string(b[:14])} {
		if t, err := time.Parse("20060102150405", text); err == nil {
			return t
		}
	}
	return time.Time{}
}

// discReader reads the data of a disc, 2048 bytes a sector.
type discReader struct {
	ctx   context.Context
	drive *mmc.Drive
}

func (r *discReader) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, fmt.Errorf("offset %d: %w", off, fs.ErrInvalid)
	}
	buf := make([]byte, iso.BlockSize*min(max(1, r.drive.MaxTransfer()/iso.BlockSize), 16, 1+(len(p)+iso.BlockSize-1)/iso.BlockSize))
	done := 0
	for done < len(p) {
		if err := r.ctx.Err(); err != nil {
			return done, err
		}
		at := off + int64(done)
		skip := int(at % iso.BlockSize)
		n := min(len(buf), (skip+len(p)-done+iso.BlockSize-1)/iso.BlockSize*iso.BlockSize)
		if at/iso.BlockSize > disc.MaxLBA {
			return done, io.ErrUnexpectedEOF
		}
		got, err := r.drive.Read10(r.ctx, buf[:n], disc.LBA(at/iso.BlockSize))
		if err != nil {
			return done, err
		}
		if got <= skip {
			return done, errShortRead
		}
		done += copy(p[done:], buf[skip:got])
	}
	return done, nil
}

// places lists where data are looked for: at the beginning of the tracks, where file systems
// of other kinds begin, and at 32 places spread over the disc.
func places(starts []disc.LBA, end disc.LBA) []disc.LBA {
	all := slices.Clone(starts)
	for _, s := range starts {
		all = append(all, s+16, s+32, s+256)
	}
	for i := range disc.LBA(32) {
		all = append(all, end/32*i)
	}
	return all
}

// behind reports whether something is, or may be, on an overwritable disc from a place on:
// what was written there in one go is met near it.
func (r *discReader) behind(from, end disc.LBA) bool {
	var all []disc.LBA
	for step := disc.LBA(0); from+step < end; step = max(16, 2*step) {
		all = append(all, from+step)
	}
	something, unreadable := r.anything(all, end)
	return something || unreadable
}

// anything reports whether something other than zeros can be read at one of some places; and,
// if not, whether the drive failed to read one of them. Places that were never written, as
// the drive says, hold nothing.
func (r *discReader) anything(places []disc.LBA, end disc.LBA) (something, unreadable bool) {
	const run = 16
	buf := make([]byte, run*iso.BlockSize)
	clock := r.drive.Clock()
	began := clock.Now()
	for _, at := range places {
		n := min(run, max(1, r.drive.MaxTransfer()/iso.BlockSize), int(end-at))
		if n <= 0 {
			continue
		}
		var got int
		err := drive.Retry(r.ctx, r.drive, func() (err error) {
			got, err = r.drive.Read10(r.ctx, buf[:n*iso.BlockSize], at)
			return err
		})
		switch {
		case err == nil && !blankBytes(buf[:got]):
			return true, false
		case err == nil, neverWritten(err):
		case !drive.Classify(err).Answered():
			return false, true // the other places would take as long
		default:
			unreadable = true
		}
		if unreadable && clock.Now().Sub(began) > countLimit {
			return false, true
		}
	}
	return false, unreadable
}

// neverWritten reports whether a drive refused to read sectors because nothing was
// ever written there.
func neverWritten(err error) bool {
	s := scsi.SenseOf(err)
	return s != nil && !s.Deferred && (s.Key == scsi.BlankCheck || s.Is(scsi.IllegalRequest, scsi.ASCAddressOutOfRange, scsi.AnyQualifier))
}
