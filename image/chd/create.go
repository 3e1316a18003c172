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
	tracks := o.Layout.Sessions[0].Tracks
	if err := o.OmitAll(format.LaterSessions, format.AllCDText, format.Catalogue, format.ISRCs, format.LaterIndexes,
		format.TrackFlags, format.ModeZero, format.CDIFormat); err != nil {
		return err
	}
	at := disc.LBA(0)
	for i := range tracks {
		if tracks[i].Begin() != at {
			return o.CannotHold(format.Gaps, 0)
		}
		at = tracks[i].End
	}
	w := cdWriter{o: o, sub: o.Image.Subchannels()}
	var meta []hunks.Metadata
	frames := 0
	for i := range tracks {
		t := &tracks[i]
		meta = append(meta, hunks.Metadata{Tag: tagTrack, Data: w.describe(t)})
		frames += t.Sectors() + padding(t)
	}
	if err := o.Reserve(int64(at)*cdsector.Size, o.Path); err != nil {
		return err
	}
	return o.Write(o.Path, func(f *os.File) error {
		var err error
		if w.to, err = hunks.NewWriter(o.Context(), f, hunks.WriterOptions{
			Codecs: names, HunkBytes: framesPerHunk * frameSize, UnitBytes: frameSize,
			Size: int64(frames) * frameSize, Metadata: meta,
		}); err != nil {
			return err
		}
		for i := range tracks {
			if err = w.track(&tracks[i]); err != nil {
				break
			}
		}
		return cmp.Or(err, w.to.Close())
	})
}

// padding is how many frames follow a track so that the next begins at a multiple.
func padding(t *disc.Track) int { return (trackPad - t.Sectors()%trackPad) % trackPad }

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

// track writes the frames of a track.
func (w *cdWriter) track(t *disc.Track) error {
	at := t.Begin()
	user := w.kind(t) == "MODE1"
	err := w.o.CopyTo(t, t.Begin(), t.End, func(p []byte) (int, error) {
		n := len(p) / cdsector.Size
		if cap(w.buf) < n*frameSize {
			w.buf = make([]byte, n*frameSize)
		}
		b := w.buf[:n*frameSize]
		for i := range n {
			frame := (*[frameSize]byte)(b[i*frameSize:])
			fill(frame, p[i*cdsector.Size:(i+1)*cdsector.Size], t.Mode, user)
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
	if err != nil {
		return err
	}
	_, err = w.to.Write(make([]byte, padding(t)*frameSize))
	return err
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
