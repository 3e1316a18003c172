package album

import (
	"context"
	"errors"
	"hash/crc32"
	"io"
	"io/fs"
	"path/filepath"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/image/audio"
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

// VerifySong compares a song's file in a folder with what a log states of it. Start is the
// first sector that is in the file: that of its first song. The error says why a file is
// Unreadable, or that ctx ended.
func VerifySong(ctx context.Context, dir string, s LoggedSong, start disc.LBA) (Finding, error) {
	f, err := audio.Open(ctx, filepath.Join(dir, s.File))
	if errors.Is(err, fs.ErrNotExist) {
		return Missing, nil
	}
	if err != nil {
		return Unreadable, errors.Join(err, ctx.Err())
	}
	defer f.Close()
	offset, size := int64(s.First-start)*cdsector.Size, int64(s.End-s.First)*cdsector.Size
	if f.Lack > 0 || f.Size < offset+size || f.Swapped {
		return Different, nil
	}
	sum := crc32.NewIEEE()
	r := io.NewSectionReader(f.Source, f.Offset+offset, size)
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

// Starts returns, for each file of a log, the first sector that is in it.
func Starts(songs []LoggedSong) map[string]disc.LBA {
	starts := make(map[string]disc.LBA)
	for _, s := range songs {
		if at, ok := starts[s.File]; !ok || s.First < at {
			starts[s.File] = s.First
		}
	}
	return starts
}
