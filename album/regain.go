package album

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"spindle/check"
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
		w.keptLoud = map[int]loudness.Result{}
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
			w.keptLoud[s.Number] = r
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

// regain gives the songs that were in the folder the gain of the album, and returns the numbers of those that did not state it
// before. Of one that does not take it, the error says why; the others get it.
func (w *writer) regain(ctx context.Context) (numbers []int, errs []*GainError) {
	if w.whole == nil {
		return nil, nil
	}
	for i := range w.Kept {
		s := &w.Kept[i]
		if s.Data {
			continue
		}
		song := w.keptLoud[s.Number]
		switch changed, err := regain(ctx, filepath.Join(w.dir, s.File), s, gains(&song, w.whole)); {
		case err != nil:
			errs = append(errs, &GainError{File: s.File, Err: err})
		case changed:
			numbers = append(numbers, s.Number)
		}
	}
	return numbers, errs
}

// Why the tags of a song are left.
var (
	errForm      = errors.New("neither a FLAC file nor a WAVE file with tags as spindle writes them, and its tags stay as they are")
	errLink      = errors.New("a symbolic link, and what it leads to stays as it is")
	errOtherGain = errors.New("another program gave it its ReplayGain, which stays as it is")
)

// A summedError means that a file has to stay as it is, as a checksum file states.
type summedError struct{ list string }

func (e *summedError) Error() string { return filepath.Base(e.list) + " has its checksum" }

// regain gives a song the gain of the album, one of the tags of ReplayGain that it should have. It reports whether it had to: a
// file that states it, or whose ReplayGain is that of another program, or that a checksum file names, is not touched.
func regain(ctx context.Context, path string, s *riplog.Song, tags Tags) (changed bool, err error) {
	was, err := os.Lstat(path)
	if err == nil && !was.Mode().IsRegular() {
		if err = regular.Check(path); err == nil {
			err = errLink
		}
	}
	if err != nil {
		return false, err
	}
	old, err := regular.Open(path)
	if err != nil {
		return false, err
	}
	defer old.Close()
	form := formOf(old)
	comments, err := form.read(old, was.Size())
	if err != nil {
		return false, formError(err)
	}
	if ok, err := takesGain(comments, tags); !ok {
		return false, err
	}
	if list := check.NamedBeside(path); list != "" {
		return false, &summedError{list}
	}
	return true, retagCopy(ctx, path, form, old, was, s, ofAlbum(tags))
}

// A tagForm is how a kind of file keeps its tags, or of a WAVE file those that a gain is among.
type tagForm struct {
	read func(r io.ReaderAt, size int64) ([][2]string, error)
	copy func(dst io.Writer, src io.ReaderAt, size int64, edit func([][2]string) [][2]string) error
}

var (
	flacForm = tagForm{func(r io.ReaderAt, _ int64) ([][2]string, error) { return flacenc.Comments(r) }, flacenc.CopyEdited}
	waveForm = tagForm{audio.WaveTexts, audio.CopyWaveEdited}
)

// formOf tells them apart.
func formOf(r io.ReaderAt) tagForm {
	var head [4]byte
	if _, err := r.ReadAt(head[:], 0); err == nil && string(head[:]) == "RIFF" {
		return waveForm
	}
	return flacForm
}

// formError tells a file of another form from one that cannot be read.
func formError(err error) error {
	if _, ok := errors.AsType[*fs.PathError](err); ok {
		return err
	}
	return fmt.Errorf("%w (%w)", errForm, err)
}

// retagCopy sets tags of a song. The new file takes the place of the old one when it gives back the same samples, and the old
// one is as it was when it was copied. Its mode, its time and, where that is permitted, its owner stay.
func retagCopy(ctx context.Context, path string, form tagForm, old *os.File, was fs.FileInfo, s *riplog.Song, tags Tags) error {
	now, err := atomicfile.Create(path)
	if err != nil {
		return err
	}
	defer now.Discard()
	if err := form.copy(now, old, was.Size(), func(c [][2]string) [][2]string { return replaced(c, tags) }); err != nil {
		return err
	}
	if err := now.Resemble(was); err != nil {
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

const (
	gainPrefix  = "REPLAYGAIN_"
	albumPrefix = gainPrefix + "ALBUM_"
	trackPrefix = gainPrefix + "TRACK_"
)

// hasPrefix is that of strings, for names of tags, whose case does not count.
func hasPrefix(name, prefix string) bool { return strings.HasPrefix(strings.ToUpper(name), prefix) }

// ofAlbum are the tags that the gain of an album changes. A song of before has the rest, or is silent.
func ofAlbum(tags Tags) Tags {
	return slices.DeleteFunc(slices.Clone(tags), func(t Tag) bool { return hasPrefix(t.Name, trackPrefix) })
}

// takesGain reports whether a song with some comments lacks tags of ReplayGain that it should have for its album. The error is
// [errOtherGain] where those of the song itself are other ones.
func takesGain(comments [][2]string, tags Tags) (bool, error) {
	has := map[string][]string{}
	for _, c := range comments {
		if name := strings.ToUpper(c[0]); hasPrefix(name, gainPrefix) {
			has[name] = append(has[name], c[1])
		}
	}
	lacks := false
	for _, t := range tags {
		right, ofSong := slices.Equal(has[t.Name], []string{t.Value}), !hasPrefix(t.Name, albumPrefix)
		lacks = lacks || !right && !hasPrefix(t.Name, trackPrefix)
		if right && ofSong {
			delete(has, t.Name)
		}
	}
	for name := range has {
		if !hasPrefix(name, albumPrefix) {
			return false, errOtherGain // other than that of the samples, or about something else
		}
	}
	return lacks, nil
}

// replaced are comments with some tags instead of those of the same names.
func replaced(comments [][2]string, tags Tags) [][2]string {
	comments = slices.DeleteFunc(slices.Clone(comments), func(c [2]string) bool {
		return slices.ContainsFunc(tags, func(t Tag) bool { return strings.EqualFold(t.Name, c[0]) })
	})
	return append(comments, tags.pairs()...)
}
