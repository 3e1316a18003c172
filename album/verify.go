package album

import (
	"context"
	"errors"
	"hash/crc32"
	"io"
	"io/fs"
	"path/filepath"

	"spindle/disc/cdsector"
	"spindle/image/audio"
	"spindle/image/riplog"
	"spindle/internal/regular"
)

// A Finding is how a song's file compares with its log.
type Finding uint8

// The findings.
const (
	Same       Finding = iota // the samples are those that were written
	Different                 // they are others
	Missing                   // there is no such file
	Unreadable                // it is damaged, or no sound file of a CD
)

// VerifySong compares a song's file in a folder with what a log states of it, among all its
// songs. The error says why a file is Unreadable, or that ctx ended.
func VerifySong(ctx context.Context, dir string, s riplog.Song, all []riplog.Song) (Finding, error) {
	sum, found, err := songSum(ctx, dir, s, all)
	if found == Same && sum != s.CRC32 {
		found = Different
	}
	return found, err
}

// songSum computes the checksum of a song's file as a log states it, where the file is as
// long as it states.
func songSum(ctx context.Context, dir string, s riplog.Song, all []riplog.Song) (uint32, Finding, error) {
	if s.Data {
		return dataSum(ctx, filepath.Join(dir, s.File), s)
	}
	f, err := audio.Open(ctx, filepath.Join(dir, s.File))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, Missing, nil
	}
	if err != nil {
		return 0, Unreadable, errors.Join(err, ctx.Err())
	}
	defer f.Close()
	first, end := riplog.Holds(all, s.File)
	offset, size := int64(s.First-first)*cdsector.Size, int64(s.End-s.First)*cdsector.Size
	if f.Lack > 0 || f.Size != int64(end-first)*cdsector.Size || f.Swapped {
		return 0, Different, nil
	}
	return sumOf(ctx, io.NewSectionReader(f.Source, f.Offset+offset, size))
}

// dataSum computes the checksum of the file of a track of data.
func dataSum(ctx context.Context, path string, s riplog.Song) (uint32, Finding, error) {
	f, err := regular.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, Missing, nil
	}
	if err != nil {
		return 0, Unreadable, err
	}
	defer f.Close()
	most := int64(s.End-s.First)*cdsector.Size + 1 // what is longer is another
	return sumOf(ctx, io.NewSectionReader(f, 0, most))
}

// sumOf computes the checksum of what a reader gives.
func sumOf(ctx context.Context, r io.Reader) (uint32, Finding, error) {
	sum := crc32.NewIEEE()
	buf := make([]byte, 64*cdsector.Size)
	for {
		if err := ctx.Err(); err != nil {
			return 0, Unreadable, err
		}
		n, err := r.Read(buf)
		sum.Write(buf[:n])
		if errors.Is(err, io.EOF) {
			return sum.Sum32(), Same, nil
		}
		if err != nil {
			return 0, Unreadable, err
		}
	}
}
