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
	if s.Data {
		return verifyData(ctx, filepath.Join(dir, s.File), s)
	}
	f, err := audio.Open(ctx, filepath.Join(dir, s.File))
	if errors.Is(err, fs.ErrNotExist) {
		return Missing, nil
	}
	if err != nil {
		return Unreadable, errors.Join(err, ctx.Err())
	}
	defer f.Close()
	first, end := riplog.Holds(all, s.File)
	offset, size := int64(s.First-first)*cdsector.Size, int64(s.End-s.First)*cdsector.Size
	if f.Lack > 0 || f.Size != int64(end-first)*cdsector.Size || f.Swapped {
		return Different, nil
	}
	return compareSum(ctx, io.NewSectionReader(f.Source, f.Offset+offset, size), s)
}

// verifyData compares the file of a track of data.
func verifyData(ctx context.Context, path string, s riplog.Song) (Finding, error) {
	f, err := regular.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Missing, nil
	}
	if err != nil {
		return Unreadable, err
	}
	defer f.Close()
	most := int64(s.End-s.First)*cdsector.Size + 1 // what is longer is another
	return compareSum(ctx, io.NewSectionReader(f, 0, most), s)
}

// compareSum compares what a reader gives with a checksum.
func compareSum(ctx context.Context, r io.Reader, s riplog.Song) (Finding, error) {
	sum := crc32.NewIEEE()
	buf := make([]byte, 64*cdsector.Size)
	for {
		if err := ctx.Err(); err != nil {
			return Unreadable, err
		}
		n, err := r.Read(buf)
		sum.Write(buf[:n])
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return Unreadable, err
		}
	}
	if sum.Sum32() != s.CRC32 {
		return Different, nil
	}
	return Same, nil
}
