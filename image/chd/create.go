package chd

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/image/chd/hunks"
	"spindle/image/format"
	"spindle/image/laid"
)

// What chdman makes of discs, too.
const (
	framesPerHunk = 8 // of a CD
	blocksPerHunk = 2 // of a DVD
	noCodec       = "none"
)

// codecsCD and codecsDVD are the codecs for each kind of disc, by the names that they have
// without the disc.
var (
	codecsCD  = map[string]string{"zlib": "cdzl", "lzma": "cdlz", "zstd": "cdzs", "flac": "cdfl"}
	codecsDVD = map[string]string{"zlib": "zlib", "lzma": "lzma", "zstd": "zstd", "flac": "flac", "huff": "huff"}

	usualCD  = []string{"cdlz", "cdzl", "cdfl"}
	usualDVD = []string{"lzma", "zlib", "huff", "flac"}
)

// create writes a CHD of version 5: a CD with its sub-channels, if the image has them, or
// a DVD.
func create(o *format.Output) error {
	if o.Track != 0 {
		return o.CannotHold(format.WholeDiscs, 0)
	}
	if o.Layout.Medium != disc.CD {
		return createDVD(o)
	}
	if s := o.Layout.Sessions; len(s) == 2 && s[1].Tracks[0].Start == highDensity {
		return createGD(o)
	}
	return createCD(o)
}

// codecs are those that the options name, or the usual ones. Each has two names: "zlib" and,
// for a CD, "cdzl".
func codecs(o *format.Output, known map[string]string, usual []string) ([]string, error) {
	const most = 4
	switch {
	case len(o.Codecs) == 0:
		return usual, nil
	case len(o.Codecs) == 1 && o.Codecs[0] == noCodec:
		return nil, nil
	}
	full := maps.Clone(known)
	for _, c := range known {
		full[c] = c
	}
	var all []string
	for _, name := range o.Codecs {
		c := full[strings.ToLower(strings.TrimSpace(name))]
		if c == "" {
			return nil, o.NoCodec(slices.Sorted(maps.Keys(known)))
		}
		if !slices.Contains(all, c) {
			all = append(all, c)
		}
	}
	if len(all) > most {
		return nil, o.NoCodec(slices.Sorted(maps.Keys(known)))
	}
	return all, nil
}

func createDVD(o *format.Output) error {
	names, err := codecs(o, codecsDVD, usualDVD)
	if err != nil {
		return err
	}
	t := o.Layout.Tracks()[0]
	size := int64(t.Sectors()) * blockSize
	if err := o.Reserve(size, o.Path); err != nil {
		return err
	}
	return o.Write(o.Path, func(f *os.File) error {
		w, err := hunks.NewWriter(o.Context(), f, hunks.WriterOptions{
			Codecs: names, HunkBytes: blocksPerHunk * blockSize, UnitBytes: blockSize, Size: size,
			Metadata: []hunks.Metadata{{Tag: tagDVD, Data: []byte{0}}},
		})
		if err != nil {
			return err
		}
		err = o.CopyTo(t, t.Begin(), t.End, w.Write)
		return cmp.Or(err, w.Close())
	})
}

func createCD(o *format.Output) error {
	names, err := codecs(o, codecsCD, usualCD)
	if err != nil {
		return err
	}
	if err := o.FromTrackOne(); err != nil {
		return err
	}
	tracks := o.Layout.Sessions[0].Tracks
	o.OmitAll(format.LaterSessions, format.AllCDText, format.Catalogue, format.ISRCs, format.LaterIndexes,
		format.TrackFlags, format.ModeZero, format.CDIFormat)
	at := disc.LBA(0)
	for i := range tracks {
		if tracks[i].Begin() != at {
			return o.CannotHold(format.Gaps, 0)
		}
		at = tracks[i].End
	}
	w := cdWriter{o: o, sub: o.Subchannels()}
	var meta []hunks.Metadata
	frames := 0
	for i := range tracks {
		t := &tracks[i]
		meta = append(meta, hunks.Metadata{Tag: tagTrack, Data: w.describe(t)})
		frames += t.Sectors() + padding(t.Sectors())
	}
	return w.write(names, meta, at, frames, func() error {
		for i := range tracks {
			t := &tracks[i]
			if err := w.sectors(t, t.Begin(), t.End, t); err != nil {
				return err
			}
			if err := w.empty(padding(t.Sectors())); err != nil {
				return err
			}
		}
		return nil
	})
}

// createGD writes a GD-ROM, as chdman does from a .gdi: what is between the tracks, up to the
// second area, is filler at the end of those before it.
func createGD(o *format.Output) error {
	names, err := codecs(o, codecsCD, usualCD)
	if err != nil {
		return err
	}
	o.OmitAll(format.AllCDText, format.Catalogue, format.ISRCs, format.LaterIndexes, format.TrackFlags,
		format.ModeZero, format.CDIFormat)
	tracks, err := laid.Place(o)
	if err != nil {
		return err
	}
	w := cdWriter{o: o, sub: o.Subchannels()}
	var meta []hunks.Metadata
	frames := make([]int, len(tracks))
	all, stored := 0, 0
	for i := range tracks {
		t := &tracks[i]
		frames[i] = t.Length
		if i+1 < len(tracks) {
			frames[i] = int(tracks[i+1].Start - t.Start)
		}
		meta = append(meta, hunks.Metadata{Tag: tagGD, Data: w.describeGD(t, frames[i])})
		all += frames[i] + padding(frames[i])
		stored += t.Length
	}
	return w.write(names, meta, disc.LBA(stored), all, func() error {
		for i := range tracks {
			t := &tracks[i]
			end := t.Start + disc.LBA(t.Length)
			if err := w.sectors(t.Track, t.Start, t.End, t.Track); err != nil {
				return err
			}
			if end > t.End { // the pregap of the next track, where it holds something
				if err := w.sectors(tracks[i+1].Track, t.End, end, t.Track); err != nil {
					return err
				}
			}
			if err := w.empty(frames[i] - t.Length + padding(frames[i])); err != nil {
				return err
			}
		}
		return nil
	})
}

// padding is how many frames follow those of a track so that the next begins at a multiple.
func padding(frames int) int { return (trackPad - frames%trackPad) % trackPad }

// cdWriter writes the frames of a CD.
type cdWriter struct {
	o   *format.Output
	sub disc.Subchannels // or nil
	to  *hunks.Writer
	buf []byte
}

// userOnly reports whether the image has only the user data of a track of mode 1. Where some
// of that is not right, the EDC of whole sectors says so, too.
func (w *cdWriter) userOnly(t *disc.Track) bool {
	if len(w.o.Image.Flaws().Clip(t.Begin(), t.End)) > 0 {
		return false
	}
	for a := t.Begin(); a < t.End; {
		e, found := w.o.Image.ExtentAt(a)
		if !found || e.Form != disc.FormMode1 || t.Mode != disc.Mode1 {
			return false
		}
		a += disc.LBA(e.Count)
	}
	return true
}

// kind is how the sectors of a track are stored.
func (w *cdWriter) kind(t *disc.Track) string {
	switch {
	case t.Mode == disc.Audio:
		return "AUDIO"
	case t.Mode == disc.Mode2:
		return "MODE2_RAW"
	case w.userOnly(t):
		return "MODE1"
	}
	return "MODE1_RAW"
}

// describe makes the metadata of a track: its pregap is stored, which a V says.
func (w *cdWriter) describe(t *disc.Track) []byte {
	kind, sub, gap, gapSub := w.kind(t), "NONE", "MODE1", "NONE"
	if w.sub != nil {
		sub = "RW_RAW"
	}
	if t.Pregap > 0 {
		gap, gapSub = "V"+kind, sub
	}
	return fmt.Appendf(nil, "TRACK:%d TYPE:%s SUBTYPE:%s FRAMES:%d PREGAP:%d PGTYPE:%s PGSUB:%s POSTGAP:0\x00",
		t.Number, kind, sub, t.Sectors(), t.Pregap, gap, gapSub)
}

// describeGD makes the metadata of a track of a GD-ROM with so many frames.
func (w *cdWriter) describeGD(t *laid.Placed, frames int) []byte {
	sub := "NONE"
	if w.sub != nil {
		sub = "RW_RAW"
	}
	return fmt.Appendf(nil, "TRACK:%d TYPE:%s SUBTYPE:%s FRAMES:%d PAD:%d PREGAP:0 PGTYPE:MODE1 PGSUB:NONE POSTGAP:0\x00",
		t.Number, w.kind(t.Track), sub, frames, frames-t.Length)
}

// write makes the file: with so many sectors of the image among its frames, which fill writes.
func (w *cdWriter) write(codecs []string, meta []hunks.Metadata, sectors disc.LBA, frames int, fill func() error) error {
	if err := w.o.Reserve(int64(sectors)*cdsector.Size, w.o.Path); err != nil {
		return err
	}
	return w.o.Write(w.o.Path, func(f *os.File) error {
		var err error
		if w.to, err = hunks.NewWriter(w.o.Context(), f, hunks.WriterOptions{
			Codecs: codecs, HunkBytes: framesPerHunk * frameSize, UnitBytes: frameSize,
			Size: int64(frames) * frameSize, Metadata: meta,
		}); err != nil {
			return err
		}
		return cmp.Or(fill(), w.to.Close())
	})
}

// sectors writes the frames of sectors of a track, as those of the track in are stored.
func (w *cdWriter) sectors(t *disc.Track, at, end disc.LBA, in *disc.Track) error {
	user := w.kind(in) == "MODE1"
	return w.o.CopyTo(t, at, end, func(p []byte) (int, error) {
		n := len(p) / cdsector.Size
		if cap(w.buf) < n*frameSize {
			w.buf = make([]byte, n*frameSize)
		}
		b := w.buf[:n*frameSize]
		for i := range n {
			frame := (*[frameSize]byte)(b[i*frameSize:])
			fill(frame, p[i*cdsector.Size:(i+1)*cdsector.Size], in.Mode, user)
		}
		if err := w.subchannels(b, at); err != nil {
			return 0, err
		}
		at += disc.LBA(n)
		if _, err := w.to.Write(b); err != nil {
			return 0, err
		}
		return len(p), nil
	})
}

// empty writes n frames that are not part of the disc.
func (w *cdWriter) empty(n int) error {
	const batch = 256
	zeros := make([]byte, min(n, batch)*frameSize)
	for ; n > 0; n -= batch {
		if _, err := w.to.Write(zeros[:min(n, batch)*frameSize]); err != nil {
			return err
		}
	}
	return nil
}

// fill makes a frame of a sector, but for the sub-channel.
func fill(frame *[frameSize]byte, sector []byte, mode disc.Mode, user bool) {
	const userAt = 16
	clear(frame[:])
	switch {
	case user:
		copy(frame[:], sector[userAt:userAt+cdsector.UserSize])
	case mode == disc.Audio:
		for i := 0; i+1 < len(sector); i += 2 {
			frame[i], frame[i+1] = sector[i+1], sector[i]
		}
	default:
		copy(frame[:], sector)
	}
}

// subchannels puts those of sectors into their frames, as they are on the disc.
func (w *cdWriter) subchannels(frames []byte, first disc.LBA) error {
	if w.sub == nil {
		return nil
	}
	n := len(frames) / frameSize
	all := make([]byte, n*cdsector.SubSize)
	if err := w.sub.ReadSubchannel(w.o.Context(), all, first); err != nil {
		return err
	}
	for i := range n {
		to := (*[cdsector.SubSize]byte)(frames[i*frameSize+cdsector.Size:])
		cdsector.Interleave(to, (*[cdsector.SubSize]byte)(all[i*cdsector.SubSize:]))
	}
	return nil
}
