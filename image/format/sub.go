package format

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/image/sbi"
	"spindle/internal/subfile"
)

// OmitSubchannels leaves out the sub-channels of tracks. Those that say nothing beyond the
// layout, which any disc made of the new image has too, are no loss.
func (o *Output) OmitSubchannels(tracks []*disc.Track) error {
	more, err := SubchannelsSayMore(o.ctx, o.Image, tracks)
	if more {
		o.Omit(Loss{Kind: SavedSub})
	}
	return err
}

// LeaveSubchannels is OmitSubchannels for formats of songs, which are not refused for that.
func (o *Output) LeaveSubchannels(tracks []*disc.Track) error {
	more, err := SubchannelsSayMore(o.ctx, o.Image, tracks)
	if more {
		o.leaveOut(Loss{Kind: SavedSub})
	}
	return err
}

// OmitQ leaves out the Q channel of tracks, for a format that keeps R to W alone. A Q that says nothing beyond
// the layout is no loss.
func (o *Output) OmitQ(tracks []*disc.Track) error {
	more, err := anySub(o.ctx, o.Image, tracks, qSaysMore)
	if more {
		o.Omit(Loss{Kind: SavedQ})
	}
	return err
}

// SubchannelsSayMore reports whether the saved sub-channels of tracks say what the layout does
// not, and what no disc made of the sectors alone would have.
func SubchannelsSayMore(ctx context.Context, img disc.Image, tracks []*disc.Track) (bool, error) {
	return anySub(ctx, img, tracks, saysMore)
}

// anySub reports whether a saved sub-channel of tracks says more than the layout, as says judges.
func anySub(ctx context.Context, img disc.Image, tracks []*disc.Track, says func(*disc.Layout, *disc.Track, *disc.Layout, disc.LBA, *[cdsector.SubSize]byte) bool) (bool, error) {
	saved := img.Subchannels()
	if saved == nil {
		return false, nil
	}
	plain := img.Layout().Clone()
	plain.MCN = "" // its frames stand anywhere
	for _, t := range plain.Tracks() {
		t.ISRC = ""
	}
	err := eachSub(ctx, tracks, func(t *disc.Track, p []byte, a disc.LBA) error {
		if err := saved.ReadSubchannel(ctx, p, a); err != nil {
			return err
		}
		for i := 0; i < len(p); i += cdsector.SubSize {
			if says(img.Layout(), t, plain, a+disc.LBA(i/cdsector.SubSize), (*[cdsector.SubSize]byte)(p[i:])) {
				return errSaysMore
			}
		}
		return nil
	})
	if errors.Is(err, errSaysMore) {
		return true, nil
	}
	return false, err
}

// SubBeside decides on the file of sub-channels beside a new CUE sheet, whose opener takes one
// with the name of the sheet for its own: a .sub, or a .sbi where that says all. It returns the
// path of the file to write, or nothing where the layout says all that the sub-channels do, or
// where the file is that of the source and holds just these. Where another file would be taken,
// the error is an [ErrShadows].
func (o *Output) SubBeside(sheet string) (path string, err error) {
	o.withSub = true // none say that they are those of the tracks
	stem := strings.TrimSuffix(sheet, filepath.Ext(sheet))
	more, err := SubchannelsSayMore(o.ctx, o.Image, o.Layout.Tracks())
	if err != nil {
		return "", err
	}
	wanted := ""
	if more {
		wanted = ".sub"
		if o.changedQ, err = o.onlyChangedQ(); err != nil {
			return "", err
		}
		if o.changedQ != nil {
			wanted = ".sbi"
		}
	}
	for _, suffix := range []string{".sub", ".sbi", ".lsd"} {
		if suffix == wanted {
			continue
		}
		if err := o.shadowed(stem + suffix); err != nil {
			return "", err
		}
	}
	switch path = stem + wanted; {
	case wanted == "":
		return "", nil
	case wanted == ".sbi" && (o.isSource(path) || o.isSource(stem+".lsd")):
		return "", nil
	}
	if own, err := o.OwnSub(path); own || err != nil {
		return "", err
	}
	return path, nil
}

// shadowed is an error where a file is there that a new sheet would take for its own.
func (o *Output) shadowed(path string) error {
	there, err := FindCompanion(filepath.Dir(path), filepath.Base(path))
	if err != nil || o.isSource(there) {
		return nil // no such file, or one that says what the image does
	}
	if filepath.Ext(path) == ".sub" {
		if taken, err := o.wouldTake(there); !taken || err != nil {
			return err
		}
	}
	return fmt.Errorf("%s %w", there, ErrShadows)
}

// wouldTake reports whether the opener of a new sheet would take a file for its sub-channels, or for what is left of them.
func (o *Output) wouldTake(path string) (bool, error) {
	f, err := OpenDamaged(o.ctx, path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	if f.Damage != nil {
		return true, nil // and fail with it
	}
	return subfile.Fits(o.ctx, o.Layout, f, f.Size)
}

// mostChangedQ is how many sectors may have a changed Q that a .sbi lists: those of LibCrypt
// are 16 or 32.
const mostChangedQ = 1000

// onlyChangedQ returns what a .sbi is to list of the sub-channels of the image, or nil where they
// say more than that.
func (o *Output) onlyChangedQ() ([]sbi.Record, error) {
	var all []sbi.Record
	_, err := anySub(o.ctx, o.Image, o.Layout.Tracks(), func(l *disc.Layout, t *disc.Track, plain *disc.Layout, a disc.LBA, p *[cdsector.SubSize]byte) bool {
		if !saysMore(l, t, plain, a, p) {
			return false
		}
		r, ok := sbi.Of(a, (*[cdsector.QSize]byte)(p[cdsector.QSize:]))
		if ok = ok && len(all) < mostChangedQ && [rwSize]byte(p[2*cdsector.QSize:]) == [rwSize]byte{}; !ok {
			all = nil
			return true
		}
		all = append(all, r)
		return false
	})
	return all, err
}

// rwSize is the length of R to W.
const rwSize = cdsector.SubSize - 2*cdsector.QSize

// OwnSub reports whether a file is one of the image that is read, and holds its sub-channels, so
// that it may be one of the new image, too.
func (o *Output) OwnSub(path string) (bool, error) {
	if !o.isSource(path) {
		return false, nil
	}
	return o.holdsSub(path)
}

// isSource reports whether a file is one of the image that is read.
func (o *Output) isSource(path string) bool {
	st, err := os.Stat(path)
	return err == nil && slices.ContainsFunc(o.Image.Files(), func(f string) bool {
		own, err := os.Stat(f)
		return err == nil && os.SameFile(st, own)
	})
}

// errOther ends the comparison with a file that holds something else.
var errOther = errors.New("other sub-channels")

// holdsSub reports whether a file holds the sub-channels of the image, and nothing else.
func (o *Output) holdsSub(path string) (bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil || st.Size() != int64(o.Layout.Sectors())*cdsector.SubSize {
		return false, err
	}
	there := make([]byte, copyBatch*cdsector.SubSize)
	err = eachSub(o.ctx, o.Layout.Tracks(), func(_ *disc.Track, p []byte, a disc.LBA) error {
		if err := o.readSub(o.ctx, p, a); err != nil {
			return err
		}
		if _, err := io.ReadFull(f, there[:len(p)]); err != nil {
			return err
		}
		if !bytes.Equal(p, there[:len(p)]) {
			return errOther
		}
		return nil
	})
	if errors.Is(err, errOther) {
		return false, nil
	}
	return err == nil, err
}

// WriteSubFile writes the file that [Output.SubBeside] decided on: the sub-channels of the image, 96
// de-interleaved bytes a sector, or the changed Q in them.
func (o *Output) WriteSubFile(path string) error {
	if filepath.Ext(path) == ".sbi" {
		return o.WriteBytes(path, sbi.Encode(o.changedQ))
	}
	return o.Write(path, func(f *os.File) error { return o.WriteSubchannels(f, o.Layout.Tracks()) })
}

// errSaysMore ends the look at sub-channels once one says more than the layout.
var errSaysMore = errors.New("more than the layout says")

// saysMore reports whether a sub-channel says what the layout does not: graphics or text in
// R to W, a Q that is wrong on purpose, another position or number.
func saysMore(l *disc.Layout, t *disc.Track, plain *disc.Layout, a disc.LBA, p *[cdsector.SubSize]byte) bool {
	const q = cdsector.QSize
	return !bytes.Equal(p[2*q:], make([]byte, cdsector.SubSize-2*q)) || qSaysMore(l, t, plain, a, p)
}

// qSaysMore reports whether the Q channel does.
func qSaysMore(l *disc.Layout, t *disc.Track, plain *disc.Layout, a disc.LBA, p *[cdsector.SubSize]byte) bool {
	frame := [cdsector.QSize]byte(p[cdsector.QSize:])
	is, err := cdsector.DecodeQ(&frame)
	if err != nil {
		return true
	}
	switch is.ADR {
	case 2:
		return is.MCN != l.MCN
	case 3:
		return is.ISRC != t.ISRC
	}
	own := plain.Q(a)
	return own.Encode() != frame
}

// WriteSubchannels writes the sub-channels of tracks, 96 de-interleaved bytes a
// sector: those of the image, or what a disc of its layout has.
func (o *Output) WriteSubchannels(w io.Writer, tracks []*disc.Track) error {
	return eachSub(o.ctx, tracks, func(_ *disc.Track, p []byte, a disc.LBA) error {
		if err := o.readSub(o.ctx, p, a); err != nil {
			return err
		}
		_, err := w.Write(p)
		return err
	})
}

// eachSub calls do with room for the sub-channels of one batch of sectors after the other,
// and with the address of the first.
func eachSub(ctx context.Context, tracks []*disc.Track, do func(t *disc.Track, p []byte, a disc.LBA) error) error {
	buf := make([]byte, copyBatch*cdsector.SubSize)
	for _, t := range tracks {
		for a := t.Begin(); a < t.End; a += copyBatch {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := do(t, buf[:min(copyBatch, int(t.End-a))*cdsector.SubSize], a); err != nil {
				return err
			}
		}
	}
	return nil
}

// Subchannels returns the sub-channels of the image, or nil, for a format that keeps them.
func (o *Output) Subchannels() disc.Subchannels {
	o.withSub = true
	return o.Image.Subchannels()
}

// readSub reads the sub-channels of the image, or makes those that a disc of its
// layout has.
func (o *Output) readSub(ctx context.Context, p []byte, first disc.LBA) error {
	if sub := o.Subchannels(); sub != nil {
		return sub.ReadSubchannel(ctx, p, first)
	}
	for i := 0; i < len(p); i += cdsector.SubSize {
		o.Layout.Subchannel(first+disc.LBA(i/cdsector.SubSize), (*[cdsector.SubSize]byte)(p[i:]))
	}
	return nil
}
