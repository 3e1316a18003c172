package album

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"spindle/image/audio"
	"spindle/image/audio/flacenc"
	"spindle/image/audio/loudness"
	"spindle/image/riplog"
	"spindle/internal/atomicfile"
	"spindle/internal/regular"
)

// When the last songs of an album are made, those that an earlier run left get the gain of the album, too: they are measured
// again, as samples are all that a log vouches for, and copied with other tags.

// A GainError says why the songs of an album, or one of those that were in its folder, did not get the gain of the album.
type GainError struct {
	File  string // the name of the song that is the reason
	Whole bool   // no song got it
	Err   error
}

func (e *GainError) Error() string { return e.File + ": " + e.Err.Error() }
func (e *GainError) Unwrap() error { return e.Err }

// completes reports whether all songs of the disc are in the folder after this run.
func (w *writer) completes() bool {
	for i := range w.album.Songs {
		n := w.album.Songs[i].Number
		made := slices.ContainsFunc(w.parts, func(p part) bool {
			return p.isMade() && slices.ContainsFunc(p.songs, func(s *Song) bool { return s.Number == n })
		})
		if !made && !w.keeps(n, false) {
			return false
		}
	}
	return true
}

// wholeLoudness is how loud the album is, or nil: not all of it is known. made are the songs of this run.
func (w *writer) wholeLoudness(ctx context.Context, made []loudness.Result) (*loudness.Result, error) {
	if w.completes() {
		for i := range w.Kept {
			s := &w.Kept[i]
			if s.Data {
				continue
			}
			r, err := measure(ctx, filepath.Join(w.dir, s.File), s)
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			if err != nil {
				w.gainErrs = append(w.gainErrs, &GainError{s.File, true, err})
				return nil, nil
			}
			made = append(made, r)
		}
		whole := loudness.Album(made...)
		return &whole, nil
	}
	return nil, nil
}

// measure says how loud the file of a song is, which has to hold what its log states.
func measure(ctx context.Context, path string, s *riplog.Song) (loudness.Result, error) {
	f, err := audio.Open(ctx, path)
	if err != nil {
		return loudness.Result{}, err
	}
	defer f.Close()
	if f.Swapped || f.Lack > 0 {
		return loudness.Result{}, ErrNotSame
	}
	meter, sum := loudness.New(sampleRate), crc32.NewIEEE()
	if _, err := io.Copy(io.MultiWriter(meter, sum, untilEnd{ctx}), io.NewSectionReader(f.Source, f.Offset, f.Size)); err != nil {
		return loudness.Result{}, err
	}
	if sum.Sum32() != s.CRC32 {
		return loudness.Result{}, ErrNotSame
	}
	return meter.Result(), nil
}

// untilEnd takes everything until ctx ends.
type untilEnd struct{ ctx context.Context }

func (u untilEnd) Write(p []byte) (int, error) { return len(p), u.ctx.Err() }

// regain gives the songs that were in the folder the gain of the album. Of one that does not take it, the error says why;
// the others get it.
func (w *writer) regain(ctx context.Context) (errs []*GainError) {
	if w.whole == nil {
		return nil
	}
	for i := range w.Kept {
		s := &w.Kept[i]
		if s.Data {
			continue
		}
		if err := regain(ctx, filepath.Join(w.dir, s.File), s, gains(nil, w.whole)); err != nil {
			errs = append(errs, &GainError{File: s.File, Err: err})
		}
	}
	return errs
}

// errNotFLAC means that the tags of a song cannot be changed.
var errNotFLAC = errors.New("not a FLAC file, and its tags stay as they are")

// regain sets tags of a song. The new file takes the place of the old one when it gives back the same samples, and the old
// one is as it was when it was copied.
func regain(ctx context.Context, path string, s *riplog.Song, tags Tags) (err error) {
	was, err := os.Lstat(path)
	if err == nil && !was.Mode().IsRegular() {
		err = regular.Check(path)
		if err == nil {
			err = errNotFLAC // a link, to what may be elsewhere
		}
	}
	if err != nil {
		return err
	}
	old, err := regular.Open(path)
	if err != nil {
		return err
	}
	defer old.Close()
	now, err := atomicfile.Create(path)
	if err != nil {
		return err
	}
	defer now.Discard()
	if err := flacenc.CopyEdited(now, old, was.Size(), func(c [][2]string) [][2]string { return replaced(c, tags) }); err != nil {
		return fmt.Errorf("%w (%w)", errNotFLAC, err)
	}
	if err := errors.Join(now.Chmod(was.Mode().Perm()), now.Close()); err != nil {
		return err
	}
	if _, err := measure(ctx, now.Name(), s); err != nil {
		return err
	}
	if is, err := os.Lstat(path); err != nil || !os.SameFile(is, was) || !is.ModTime().Equal(was.ModTime()) || is.Size() != was.Size() {
		return errors.Join(&ChangedError{path}, err)
	}
	return now.Commit()
}

// replaced are comments with some tags instead of those of the same names.
func replaced(comments [][2]string, tags Tags) [][2]string {
	comments = slices.DeleteFunc(slices.Clone(comments), func(c [2]string) bool {
		return slices.ContainsFunc(tags, func(t Tag) bool { return strings.EqualFold(t.Name, c[0]) })
	})
	return append(comments, tags.pairs()...)
}
