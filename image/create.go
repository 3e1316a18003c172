package image

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"spindle/cue"
	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/disc/digest"
)

// ErrCannotHold: the format of the new file cannot hold the image.
var ErrCannotHold = errors.New("cannot hold this image")

// ErrExists: a file to be made is there already.
var ErrExists = errors.New("already exists")

// CreateOptions say what to take of an image, and how to write it.
type CreateOptions struct {
	Track    int  // take this track only; 0: all
	Split    bool // one file a track (.cue, .wav)
	Lossy    bool // take what the format can hold
	NoCheck  bool // do not look at the EDC of data sectors
	Force    bool // replace existing files
	Progress func(done, total int64)
}

// Created is what [Create] made.
type Created struct {
	Files []string
	Whole digest.Sums // of the sectors, in the order of the files
	// Damaged counts the data sectors whose EDC is wrong. They are written
	// as they are, or in an .iso with the user data they have.
	Damaged int
	First   disc.LBA // the first of them
	Lost    []string // what was left out
}

// Create writes an image in the format that the suffix of path names: .cue (with
// .bin), .iso or .wav. All files are written under temporary names and renamed
// when they are whole; on an error none is left.
func Create(ctx context.Context, path string, img disc.Image, o CreateOptions) (*Created, error) {
	c := &creator{ctx: ctx, path: path, img: img, o: o, res: new(Created)}
	var err error
	switch ext := strings.ToLower(filepath.Ext(path)); ext {
	case ".cue":
		err = c.cue()
	case ".iso":
		err = c.iso()
	case ".wav":
		err = c.wav()
	default:
		return nil, fmt.Errorf("%q: %w: known are .cue, .iso and .wav", filepath.Base(path), ErrUnknown)
	}
	for _, w := range c.written {
		os.Remove(w + partSuffix) // those that were renamed are no longer there
	}
	if err != nil {
		return nil, err
	}
	return c.res, nil
}

const partSuffix = ".part"

type creator struct {
	ctx     context.Context
	path    string
	img     disc.Image
	o       CreateOptions
	res     *Created
	hash    *digest.Hasher
	written []string // final names of files begun
	done    int64
	total   int64
}

// lose refuses to leave something out, unless that was asked for.
func (c *creator) lose(what string) error {
	if !c.o.Lossy {
		return fmt.Errorf("a %s file %w whole: it would lose %s", filepath.Ext(c.path), ErrCannotHold, what)
	}
	c.res.Lost = append(c.res.Lost, what)
	return nil
}

// tracks returns the tracks to take.
func (c *creator) tracks() ([]*disc.Track, error) {
	all := c.img.Layout().Tracks()
	if c.o.Track == 0 {
		return all, nil
	}
	for _, t := range all {
		if t.Number == c.o.Track {
			return []*disc.Track{t}, nil
		}
	}
	return nil, fmt.Errorf("there is no track %d: %w", c.o.Track, ErrCannotHold)
}

// begin makes sure that no file is in the way, and starts hashing.
func (c *creator) begin(files []string, sectorSize int, tracks []*disc.Track, fromStart bool) error {
	for _, f := range files {
		if _, err := os.Lstat(f); err == nil && !c.o.Force {
			return fmt.Errorf("%s %w", f, ErrExists)
		}
	}
	for _, t := range tracks {
		n := t.Sectors()
		if fromStart {
			n = int(t.End - t.Start)
		}
		c.total += int64(n) * int64(sectorSize)
	}
	c.hash = digest.New([]int64{c.total})
	return nil
}

// write makes one file.
func (c *creator) write(path string, fill func(io.Writer) error) error {
	f, err := os.Create(path + partSuffix)
	if err != nil {
		return err
	}
	c.written = append(c.written, path)
	err = fill(f)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// finish gives all files their final names.
func (c *creator) finish() error {
	for _, f := range c.written {
		if err := os.Rename(f+partSuffix, f); err != nil {
			return err
		}
		c.res.Files = append(c.res.Files, f)
	}
	c.res.Whole, _ = c.hash.Sums()
	return nil
}

// copyBatch is how many sectors are read at a time.
const copyBatch = 256

// copy writes the sectors [from, t.End) of a track as pick gives them.
func (c *creator) copy(w io.Writer, t *disc.Track, from disc.LBA, pick func(sector []byte, at disc.LBA) ([]byte, error)) error {
	size := c.img.Layout().Medium.SectorSize()
	in := make([]byte, copyBatch*size)
	h := startHashing(c.hash, len(in))
	defer h.stop()
	for a := from; a < t.End; a += copyBatch {
		if err := c.ctx.Err(); err != nil {
			return err
		}
		out := <-h.free
		n := min(copyBatch, int(t.End-a))
		if err := c.img.ReadSectors(in[:n*size], a); err != nil {
			return err
		}
		for i := range n {
			s := in[i*size : (i+1)*size]
			at := a + disc.LBA(i)
			if size == cdsector.Size && t.Mode.IsData() && at >= t.Start {
				c.look((*[cdsector.Size]byte)(s), at)
			}
			p, err := pick(s, at)
			if err != nil {
				return err
			}
			out = append(out, p...)
		}
		if _, err := w.Write(out); err != nil {
			return err
		}
		h.work <- out
		c.done += int64(len(out))
		if c.o.Progress != nil {
			c.o.Progress(c.done, c.total)
		}
	}
	return h.stop()
}

// hashing hashes buffers in a goroutine of its own, beside reading and writing.
type hashing struct {
	free chan []byte // empty, with room
	work chan []byte
	done chan error
	once sync.Once
	err  error
}

func startHashing(to *digest.Hasher, size int) *hashing {
	const buffers = 4
	h := &hashing{free: make(chan []byte, buffers), work: make(chan []byte, buffers), done: make(chan error, 1)}
	for range buffers {
		h.free <- make([]byte, 0, size)
	}
	go func() {
		var failed error
		for b := range h.work {
			if _, err := to.Write(b); err != nil && failed == nil {
				failed = err
			}
			h.free <- b[:0]
		}
		h.done <- failed
	}()
	return h
}

// stop waits until all is hashed.
func (h *hashing) stop() error {
	h.once.Do(func() {
		close(h.work)
		h.err = <-h.done
	})
	return h.err
}

// look counts a data sector whose EDC is wrong.
func (c *creator) look(s *[cdsector.Size]byte, at disc.LBA) {
	if c.o.NoCheck || cdsector.HasSync(s) && cdsector.EDCOK(s, cdsector.Classify(s)) {
		return
	}
	if c.res.Damaged == 0 {
		c.res.First = at
	}
	c.res.Damaged++
}

func whole(s []byte, _ disc.LBA) ([]byte, error) { return s, nil }

func (c *creator) base() string { return strings.TrimSuffix(c.path, filepath.Ext(c.path)) }

// trackName is how redump.org names the file of a track.
func (c *creator) trackName(number, of int, ext string) string {
	width := 1
	if of > 9 {
		width = 2
	}
	return fmt.Sprintf("%s (Track %0*d)%s", c.base(), width, number, ext)
}

// cue writes a .cue with its .bin, or one .bin a track.
func (c *creator) cue() error {
	l := c.img.Layout()
	switch {
	case l.Medium != disc.CD:
		return fmt.Errorf("a CUE sheet %w: it is one of a %s", ErrCannotHold, l.Medium)
	case c.o.Track != 0:
		return fmt.Errorf("a CUE sheet %w: it is for whole discs; take a track to .iso or .wav", ErrCannotHold)
	}
	if _, ok := c.img.(disc.Subchanneler); ok {
		if err := c.lose("the sub-channels"); err != nil {
			return err
		}
	}
	tracks := l.Tracks()
	bins := []string{c.base() + ".bin"}
	if c.o.Split {
		bins = nil
		for _, t := range tracks {
			bins = append(bins, c.trackName(t.Number, len(tracks), ".bin"))
		}
	}
	var names []string
	for _, b := range bins {
		names = append(names, filepath.Base(b))
	}
	sheet, cdText := cue.FromLayout(l, cue.Names{Files: names, CDText: filepath.Base(c.base()) + ".cdt"})
	files := append(append([]string{}, bins...), c.path)
	if cdText {
		files = append(files, c.base()+".cdt")
	}
	if err := c.begin(files, cdsector.Size, tracks, false); err != nil {
		return err
	}
	for i, bin := range bins {
		err := c.write(bin, func(w io.Writer) error {
			for k, t := range tracks {
				if len(bins) > 1 && k != i {
					continue
				}
				if err := c.copy(w, t, t.Begin(), whole); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	if cdText {
		err := c.write(c.base()+".cdt", func(w io.Writer) error {
			for _, p := range l.CDText {
				if _, err := w.Write(p[:]); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	if err := c.write(c.path, func(w io.Writer) error { _, err := sheet.WriteTo(w); return err }); err != nil {
		return err
	}
	return c.finish()
}

// iso writes the user data of one data track.
func (c *creator) iso() error {
	tracks, err := c.tracks()
	if err != nil {
		return err
	}
	t, err := c.onlyData(tracks)
	if err != nil {
		return err
	}
	if err := c.begin([]string{c.path}, cdsector.UserSize, []*disc.Track{t}, true); err != nil {
		return err
	}
	if err := c.write(c.path, func(w io.Writer) error { return c.copy(w, t, t.Start, userBlock) }); err != nil {
		return err
	}
	return c.finish()
}

// onlyData finds the one track that an ISO can hold.
func (c *creator) onlyData(tracks []*disc.Track) (*disc.Track, error) {
	var data []*disc.Track
	for _, t := range tracks {
		if t.Mode.IsData() {
			data = append(data, t)
		}
	}
	switch {
	case len(data) == 0:
		return nil, fmt.Errorf("an ISO %w: there is only audio; take it to .wav or .cue", ErrCannotHold)
	case len(data) > 1:
		return nil, fmt.Errorf("an ISO %w: it has %d data tracks; choose one with --track", ErrCannotHold, len(data))
	}
	if n := len(tracks) - 1; n > 0 {
		what := fmt.Sprintf("%d tracks of audio", n)
		if n == 1 {
			what = "a track of audio"
		}
		if err := c.lose(what); err != nil {
			return nil, err
		}
	}
	return data[0], nil
}

// userBlock returns the 2048 bytes of user data of a sector.
func userBlock(s []byte, at disc.LBA) ([]byte, error) {
	if len(s) == cdsector.UserSize {
		return s, nil
	}
	kind := cdsector.Classify((*[cdsector.Size]byte)(s))
	switch kind {
	case cdsector.Mode1, cdsector.Form1:
		from, n := kind.UserData()
		return s[from : from+n], nil
	}
	return nil, fmt.Errorf("an ISO %w: sector %d is %s and has no 2048 bytes of user data", ErrCannotHold, at, kind)
}

// wav writes audio tracks, each from its INDEX 01 to its end.
func (c *creator) wav() error {
	tracks, err := c.tracks()
	if err != nil {
		return err
	}
	var audio []*disc.Track
	for _, t := range tracks {
		if !t.Mode.IsData() {
			audio = append(audio, t)
		}
	}
	switch {
	case len(audio) == 0:
		return fmt.Errorf("a WAVE file %w: there is no audio", ErrCannotHold)
	case len(audio) > 1 && !c.o.Split:
		return fmt.Errorf("a WAVE file %w: it has %d tracks of audio; choose one with --track, or --split them",
			ErrCannotHold, len(audio))
	}
	names := []string{c.path}
	if c.o.Split {
		names = nil
		for _, t := range audio {
			names = append(names, c.trackName(t.Number, len(tracks), ".wav"))
		}
	}
	if err := c.begin(names, cdsector.Size, audio, true); err != nil {
		return err
	}
	for i, t := range audio {
		err := c.write(names[i], func(w io.Writer) error {
			if _, err := w.Write(waveHeader(uint32(t.End-t.Start) * cdsector.Size)); err != nil {
				return err
			}
			return c.copy(w, t, t.Start, whole)
		})
		if err != nil {
			return err
		}
	}
	return c.finish()
}

// waveHeader is the 44 bytes before the samples of a WAVE file: 44100 Hz, 16
// bits, stereo (RIFF, Microsoft 1991).
func waveHeader(samples uint32) []byte {
	b := make([]byte, 0, 44)
	b = append(b, "RIFF"...)
	b = binary.LittleEndian.AppendUint32(b, 36+samples)
	b = append(b, "WAVEfmt "...)
	b = binary.LittleEndian.AppendUint32(b, 16)
	b = binary.LittleEndian.AppendUint16(b, 1)
	b = binary.LittleEndian.AppendUint16(b, 2)
	b = binary.LittleEndian.AppendUint32(b, 44100)
	b = binary.LittleEndian.AppendUint32(b, 176400)
	b = binary.LittleEndian.AppendUint16(b, 4)
	b = binary.LittleEndian.AppendUint16(b, 16)
	b = append(b, "data"...)
	return binary.LittleEndian.AppendUint32(b, samples)
}
