package format

import (
	"context"
	"fmt"
	"hash/crc32"
	"io"
	"path/filepath"
	"slices"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/image/riplog"
)

// A logReader takes from the logs of albums what they say of the files of an image that have
// no map.
//
// A log counts the sectors of the disc and states a checksum of each song. Only where the
// song is still what the log states are its sectors that are not right flaws of the image.
// Of another song the log says nothing, and no longer does anything say which of its sectors
// are right: unless another log states it, the image is in doubt. So it is where a log
// was changed.
type logReader struct {
	img     disc.Image
	main    string // the path of the image
	remark  func(Remark)
	folders map[string][]riplog.File
	broken  []string // logs that were remarked
	flaws   disc.Flaws
}

// in returns the logs in a folder.
func (r *logReader) in(dir string) []riplog.File {
	if logs, ok := r.folders[dir]; ok {
		return logs
	}
	logs := riplog.In(dir)
	if r.folders == nil {
		r.folders = make(map[string][]riplog.File)
	}
	r.folders[dir] = logs
	return logs
}

// file takes what the logs beside a file say of it. source is what the extents of the image
// have as the file. An error is one of reading that ends the opening of the image.
func (r *logReader) file(ctx context.Context, path string, source io.ReaderAt) error {
	name := filepath.Base(path)
	var logs []riplog.File
	for _, p := range lookedFor(path) {
		logs = append(logs, r.in(filepath.Dir(p))...)
	}
	for _, l := range logs {
		if l.Err != nil && (len(l.Songs) == 0 && Stem(l.Path) == Stem(r.main) || slices.ContainsFunc(l.Songs, func(s riplog.Song) bool { return s.File == name })) {
			if err := r.doubt(l.Path, l.Err); err != nil {
				return err
			}
		}
		for _, s := range l.Songs {
			if s.File != name || len(s.Flaws) == 0 {
				continue
			}
			if err := r.song(ctx, logged{l, s, source}, logs); err != nil {
				return err
			}
		}
	}
	return ctx.Err()
}

// logged is a song of a log with sectors that are not right, and the file that has its name.
type logged struct {
	log    riplog.File
	song   riplog.Song
	source io.ReaderAt
}

// song takes what a log says of a song, if its file is the one that the log states.
func (r *logReader) song(ctx context.Context, x logged, logs []riplog.File) error {
	s := &x.song
	runs, sum, err := r.compare(ctx, x)
	if err != nil {
		return err
	}
	if sum == s.CRC32 {
		r.take(x, runs)
		return nil
	}
	states := func(o riplog.Song) bool { return o.File == s.File && o.CRC32 == sum && o.End-o.First == s.End-s.First }
	if slices.ContainsFunc(logs, func(l riplog.File) bool { return l.Err == nil && slices.ContainsFunc(l.Songs, states) }) {
		return nil
	}
	return r.doubt(x.log.Path, fmt.Errorf("it calls sectors of %s not right, and the file is another by now", s.File))
}

// compare returns the sectors of the image that a file has, and the checksum of those that
// would be the song. Of a file of another length than the log states it is not the song's.
func (r *logReader) compare(ctx context.Context, x logged) (runs []disc.Flaw, sum uint32, err error) {
	s := &x.song
	first, end := riplog.Holds(x.log.Songs, s.File)
	runs, _ = storedRuns(r.img, x.source)
	if count(runs) != int64(end-first) {
		return runs, ^s.CRC32, nil
	}
	sum, err = r.sum(ctx, x, place(runs, int64(s.First-first), int64(s.End-first), disc.Unread))
	return runs, sum, err
}

// take takes the sectors that a log calls not right, of a song that is what it states.
func (r *logReader) take(x logged, runs []disc.Flaw) {
	first, _ := riplog.Holds(x.log.Songs, x.song.File)
	for _, f := range x.song.Flaws {
		r.flaws = r.flaws.Union(disc.FlawsOf(place(runs, int64(f.First-first), int64(f.End()-first), f.Kind)...))
	}
	if r.remark != nil {
		r.remark(Remark{Kind: UsedLog, File: x.log.Path})
	}
}

// sum computes the checksum of a song as a log states it. Of what cannot be read it is one
// that no log states.
func (r *logReader) sum(ctx context.Context, x logged, runs []disc.Flaw) (uint32, error) {
	sum := crc32.NewIEEE()
	if x.song.Data {
		most := int64(x.song.End-x.song.First)*cdsector.Size + 1 // what is longer is another
		if _, err := io.Copy(sum, io.NewSectionReader(x.source, 0, most)); err != nil {
			return ^x.song.CRC32, ctx.Err()
		}
		return sum.Sum32(), nil
	}
	const chunk = 64
	buf := make([]byte, chunk*cdsector.Size)
	for _, run := range runs {
		for at := run.First; at < run.End(); at += chunk {
			p := buf[:min(chunk, int(run.End()-at))*cdsector.Size]
			if err := r.img.ReadSectors(ctx, p, at); err != nil {
				return ^x.song.CRC32, ctx.Err()
			}
			sum.Write(p)
		}
	}
	return sum.Sum32(), nil
}

// doubt says, once of each log, that nothing says which sectors are right. Without anybody to
// report it to, it is an error.
func (r *logReader) doubt(path string, err error) error {
	if r.remark == nil {
		return fmt.Errorf("%s: %w: %w", path, ErrMap, err)
	}
	if !slices.Contains(r.broken, path) {
		r.broken = append(r.broken, path)
		r.remark(Remark{Kind: BrokenLog, File: path, Err: err})
	}
	return nil
}
