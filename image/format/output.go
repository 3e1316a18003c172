package format

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/disc/digest"
	"spindle/image/sbi"
	"spindle/internal/atomicfile"
)

// ErrCannotHold means that the format of the new file cannot hold the image.
var ErrCannotHold = errors.New("cannot hold this image")

// ErrExists means that a file to be made is there already.
var ErrExists = errors.New("already exists")

// ErrShadows is an [ErrExists] for a file that would be read instead of a new one. It is not
// replaced, also with Force.
var ErrShadows = fmt.Errorf("%w, and the new CUE sheet would take it for its own", ErrExists)

// ErrNoTrack is returned for a track that an image does not have.
var ErrNoTrack = errors.New("no such track")

// ErrSource means that a file to be made is one of those of the image that is read.
var ErrSource = atomicfile.ErrSource

// HiddenTrack is, as the track to take of an image, the audio hidden before track 1
// (INDEX 00 of track 1), which players and programs call track 0.
const HiddenTrack = -1

// Options say what to take of an image, and how to write it.
type Options struct {
	Track int  // take this track only; 0: all; or [HiddenTrack]
	Split bool // one file a track, where the format knows that
	Lossy bool // take what the format can hold
	// Codecs are how a .chd is compressed: of zlib, lzma, zstd, flac and huff, or none. Of
	// each part the smallest result is kept.
	Codecs []string
	// SectorSize is how many bytes of each sector an .iso gets: 2048 (also for
	// 0), 2336, 2352, or 2448 with the sub-channels.
	SectorSize int
	// NoCheck copies only: it does not look at the EDC of data sectors.
	NoCheck bool
	Hashes  digest.Set // which to compute
	Force   bool       // replace existing files
	// Keep are files that are not replaced, also with Force, as are those of the image.
	Keep []string
	// MapEach makes a map beside each file, too, whose sectors are not all right: for files that
	// are of use without the main one.
	MapEach bool
	// Doubts says, in one line and once all sectors were copied, what may be wrong with the image though
	// no flaw of it says so, or nothing. The maps of the new image pass that on.
	Doubts func() string
	// LostSub says, in one line, what of the sub-channels of the image is lost, or nothing: those that are made
	// in their place are no copy. The maps of a new image that holds sub-channels pass it on.
	LostSub string
	// Unchanged, when it is not nil, says once all was read whether the files of the image are what they were when
	// it was opened. Where it fails, nothing is made; the error is best an [ErrChanged].
	Unchanged func() error
	// Naming, when it is not nil, is called with all files once they are whole, before any gets its name. Where it
	// fails, none does.
	Naming   func([]Pending) error
	Progress func(done, total int64)
}

// A Pending file is whole under a temporary name, and about to get its own.
type Pending struct{ Temp, Path string }

// Created is what was made.
type Created struct {
	Files []string
	Whole digest.Sums // of the sectors, in the order of the files; always their size, and the hashes that were wanted
	// Damaged counts the data sectors whose EDC is wrong. They are written
	// as they are, or in an .iso with the user data they have.
	Damaged int
	First   disc.LBA // the first of them
	Lost    []Loss   // what was left out
	// Flaws are the sectors, by their addresses in the source, that the new image
	// has and that are not right: those with flaws in the source, and those with a
	// wrong EDC of which only the user data was written. The new image has maps
	// beside it that say so.
	Flaws disc.Flaws
	Maps  []string // the paths of those, or of those that pass on doubts
	// LostSub: the new image holds sub-channels, and passes on [Options.LostSub].
	LostSub bool
}

// An Output is an image on its way into a new file. A format's Create says what
// it cannot hold ([Output.Omit]), claims the files it will make ([Output.Reserve]),
// and writes them ([Output.Write]); the Output checks and hashes the sectors on
// the way.
type Output struct {
	Options
	Path   string // of the main file
	Image  disc.Image
	Layout *disc.Layout

	ctx      context.Context
	res      Created
	hash     *digest.Hasher
	written  []*atomicfile.File
	reserved []string
	paths    []string // final names of those
	flush    *flushing
	done     int64
	total    int64
	copies   []copied
	withSub  bool         // the sub-channels of the image are in the new one
	changedQ []sbi.Record // what a .sbi beside a sheet is to list
	unasked  []Loss       // of what is left out, that is refused unless it was asked for
	unsaid   []disc.Flaw  // wrong by an EDC that is not written
}

// Create makes path, and what belongs to it, in the format f. All files are
// written under temporary names and renamed when they are whole; on an error none
// is left.
func Create(ctx context.Context, f Format, path string, img disc.Image, o Options) (*Created, error) {
	out := &Output{Options: o, Path: path, Image: img, Layout: img.Layout(), ctx: ctx}
	defer func() {
		for _, w := range out.written {
			w.Discard() // those that were committed stay
		}
	}()
	before := statesOf(img.Files())
	err := f.Create(out)
	if cerr := before.same(); cerr != nil {
		return nil, cerr // it explains any other error
	}
	if o.Unchanged != nil {
		if cerr := o.Unchanged(); cerr != nil {
			return nil, cerr
		}
	}
	if err == nil {
		err = out.refuseLoss() // of what was noted late
	}
	if err != nil {
		return nil, err
	}
	if err := out.writeMaps(); err != nil {
		return nil, err
	}
	if err := out.commit(); err != nil {
		return nil, err
	}
	return &out.res, nil
}

// Omit notes that something is left out. Unless that was asked for, [Output.Reserve] refuses to
// go on, so that its error names all that would be lost.
func (o *Output) Omit(what Loss) {
	o.leaveOut(what)
	if !slices.Contains(o.unasked, what) {
		o.unasked = append(o.unasked, what)
	}
}

// leaveOut notes that something is left out which is no reason to refuse: who asks for songs
// knows that they are no disc.
func (o *Output) leaveOut(what Loss) {
	if !slices.Contains(o.res.Lost, what) {
		o.res.Lost = append(o.res.Lost, what)
	}
}

// refuseLoss is a [*LossError] where something is left out that was not asked for.
func (o *Output) refuseLoss() error {
	if o.Lossy || len(o.unasked) == 0 {
		return nil
	}
	return &LossError{filepath.Ext(o.Path), o.unasked}
}

// CannotHold is the error for an image that the format cannot hold at all. It is a
// [*CannotHoldError].
func (o *Output) CannotHold(why Reason, count int) error {
	return &CannotHoldError{Suffix: filepath.Ext(o.Path), Reason: why, Count: count, Medium: o.Layout.Medium}
}

// NoCodec is the error for a codec that is none of those that the format has for the medium.
func (o *Output) NoCodec(known []string) error {
	return &CannotHoldError{Suffix: filepath.Ext(o.Path), Reason: BadCodec, Medium: o.Layout.Medium, Codecs: known}
}

// OneCodec returns the codec that was asked for, or the usual one, of a format that uses one.
func (o *Output) OneCodec(usual string, others ...string) (string, error) {
	known := append([]string{usual}, others...)
	switch {
	case len(o.Codecs) == 0:
		return usual, nil
	case len(o.Codecs) > 1 || !slices.Contains(known, o.Codecs[0]):
		return "", &CannotHoldError{Suffix: filepath.Ext(o.Path), Reason: BadOneCodec, Medium: o.Layout.Medium, Codecs: known}
	}
	return o.Codecs[0], nil
}

// WholeCD refuses what a format for whole CDs cannot take: a single track, another
// medium.
func (o *Output) WholeCD() error {
	switch {
	case o.Layout.Medium != disc.CD:
		return o.CannotHold(OnlyCDs, 0)
	case o.Track != 0:
		return o.CannotHold(WholeDiscs, 0)
	}
	return nil
}

// NameInText refuses a name that a line of text, in which the format states it, cannot hold.
func (o *Output) NameInText() error {
	if strings.ContainsFunc(filepath.Base(o.Path), unicode.IsControl) {
		return o.CannotHold(BadName, 0)
	}
	return nil
}

// FromTrackOne refuses a disc whose first track has another number, for a format that has no place
// for it.
func (o *Output) FromTrackOne() error {
	if n := o.Layout.Tracks()[0].Number; n != 1 {
		return o.CannotHold(FirstTrack, n)
	}
	return nil
}

// Tracks returns the tracks to take.
func (o *Output) Tracks() ([]*disc.Track, error) {
	all := o.Layout.Tracks()
	if o.Track == 0 {
		return all, nil
	}
	for _, t := range all {
		if t.Number == o.Track {
			return []*disc.Track{t}, nil
		}
	}
	return nil, fmt.Errorf("%w: %d", ErrNoTrack, o.Track)
}

// OneDataTrack finds the one track that a format for the files of a disc can hold.
func (o *Output) OneDataTrack() (*disc.Track, error) {
	tracks, err := o.Tracks()
	if err != nil {
		return nil, err
	}
	var data []*disc.Track
	for _, t := range tracks {
		if t.Mode.IsData() {
			data = append(data, t)
		}
	}
	switch {
	case len(data) == 0:
		return nil, o.CannotHold(NoData, 0)
	case len(data) > 1:
		return nil, o.CannotHold(OneDataTrack, len(data))
	}
	if n := len(tracks) - 1; n > 0 {
		o.Omit(Loss{Kind: AudioTracks, Count: n})
	}
	return data[0], nil
}

// ReserveISO prepares a file that gets the user data of the one data track, as a container of an
// ISO does, and returns the track and how many bytes these are.
func (o *Output) ReserveISO() (*disc.Track, int64, error) {
	t, err := o.OneDataTrack()
	if err != nil {
		return nil, 0, err
	}
	if err := o.OmitSubchannels([]*disc.Track{t}); err != nil {
		return nil, 0, err
	}
	size := int64(t.End-t.Start) * int64(UserData.Size(o.Layout.Medium))
	return t, size, o.Reserve(size, o.Path)
}

// Context ends when the image is not wanted any more.
func (o *Output) Context() context.Context { return o.ctx }

// Base is the path of the main file without its suffix.
func (o *Output) Base() string { return strings.TrimSuffix(o.Path, filepath.Ext(o.Path)) }

// Reserve makes sure that nothing is left out that may not be (the error is a [*LossError]),
// that no file exists already, and, also with Force, that none of the image itself is. It says
// how many bytes of sectors will be written.
func (o *Output) Reserve(bytes int64, files ...string) error {
	if err := o.refuseLoss(); err != nil {
		return err
	}
	o.reserved = files
	for _, f := range append(o.mapPaths(), files...) {
		if _, err := os.Lstat(f); err == nil && !o.Force {
			return fmt.Errorf("%s %w", f, ErrExists)
		}
	}
	if err := atomicfile.KeepSources(append(o.mapPaths(), files...), slices.Concat(o.Image.Files(), o.Keep)); err != nil {
		return err
	}
	o.total = bytes
	o.res.Whole.Size = bytes
	if o.Hashes != 0 {
		o.hash = digest.New(o.Hashes, []int64{bytes})
	}
	return nil
}

// Write makes one file.
func (o *Output) Write(path string, fill func(*os.File) error) error {
	f, err := atomicfile.Create(path)
	if err != nil {
		return err
	}
	o.written, o.paths = append(o.written, f), append(o.paths, path)
	o.flush = startFlushing(f.File)
	err = fill(f.File)
	o.flush.stop()
	if err != nil {
		return f.Error(err)
	}
	return f.Close()
}

// Amend changes a file that [Output.Write] made, before it gets its name.
func (o *Output) Amend(path string, change func(*os.File) error) error {
	i := slices.Index(o.paths, path)
	if i < 0 {
		return fs.ErrNotExist
	}
	f, err := os.OpenFile(o.written[i].Name(), os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(change(f), f.Sync(), f.Close())
}

// flushing has what was written so far brought to the disk while more is written, so
// that the file is not to be waited for at the end.
type flushing struct {
	now     chan struct{}
	ended   chan struct{}
	pending int
}

// flushEvery is how many bytes are written between two of them.
const flushEvery = 64 << 20

func startFlushing(f *os.File) *flushing {
	x := &flushing{now: make(chan struct{}, 1), ended: make(chan struct{})}
	go func() {
		defer close(x.ended)
		for range x.now {
			_ = f.Sync() // errors are reported at the end
		}
	}()
	return x
}

// wrote counts what was written.
func (x *flushing) wrote(n int) {
	if x.pending += n; x.pending < flushEvery {
		return
	}
	select {
	case x.now <- struct{}{}:
		x.pending = 0
	default: // it is still at it
	}
}

func (x *flushing) stop() {
	close(x.now)
	<-x.ended
}

// WriteBytes makes one file that is at hand.
func (o *Output) WriteBytes(path string, b []byte) error {
	return o.Write(path, func(f *os.File) error {
		_, err := f.Write(b)
		return err
	})
}

// A Stored is what of each sector a file gets.
type Stored uint8

// What a file can get of a sector.
const (
	Whole          Stored = iota // all that disc.Image gives: 2352 bytes of a CD, 2048 of a DVD
	UserData                     // the 2048 bytes of user data of Mode 1, XA form 1 or a DVD
	NoHeader                     // 2336 bytes of Mode 2: all but sync pattern and header
	WithSub                      // 2352 bytes, then 96 of sub-channel, interleaved
	Swapped                      // 2352 bytes of audio, most significant byte first
	SwappedWithSub               // the same, then the sub-channel as of WithSub
)

// Size returns how many bytes of a sector of the medium are stored.
func (s Stored) Size(m disc.Medium) int {
	switch s {
	case UserData:
		return cdsector.UserSize
	case NoHeader:
		return cdsector.Mode2Size
	case WithSub, SwappedWithSub:
		return cdsector.Size + cdsector.SubSize
	}
	return m.SectorSize()
}

// hasSub reports whether the sub-channel follows each sector.
func (s Stored) hasSub() bool { return s == WithSub || s == SwappedWithSub }

// pick takes what is stored of a sector, without a sub-channel, out of it.
func (s Stored) pick(sector []byte, t *disc.Track, at disc.LBA) ([]byte, error) {
	switch {
	case s == Swapped || s == SwappedWithSub:
		for i := 0; i+1 < len(sector); i += 2 {
			sector[i], sector[i+1] = sector[i+1], sector[i]
		}
		return sector, nil
	case s == Whole || s == WithSub || len(sector) == cdsector.UserSize:
		return sector, nil
	}
	raw := (*[cdsector.Size]byte)(sector)
	if s == NoHeader {
		if f, ok := t.Reframed(raw, at); ok {
			raw = f
		}
		switch kind := cdsector.Classify(raw); kind {
		case cdsector.Mode2, cdsector.Form1, cdsector.Form2:
			return sector[16:], nil
		default:
			return nil, fmt.Errorf("sectors of 2336 bytes %w: sector %d is %s", ErrCannotHold, at, kind)
		}
	}
	block, _, err := t.Block(raw, at)
	if err != nil {
		return nil, fmt.Errorf("an ISO %w: sector %d: %w", ErrCannotHold, at, err)
	}
	return block, nil
}
