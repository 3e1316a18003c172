package format

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"spindle/disc"
	"spindle/image/riplog"
)

// A logFile is a file of an image of which a log may say something.
type logFile struct {
	path   string
	source io.ReaderAt
	mapped bool // a map says what is right in it
}

func (f *logFile) is(name string) bool { return filepath.Base(f.path) == name }

// renamed takes what the logs beside the files of an image say of songs that none of these
// has the name of: they may be among them by another name.
func (r *logReader) renamed(ctx context.Context, files []logFile) error {
	var logs []riplog.File
	for _, f := range files {
		for _, p := range lookedFor(f.path) {
			for _, l := range r.in(filepath.Dir(p)) {
				if !slices.ContainsFunc(logs, func(o riplog.File) bool { return o.Path == l.Path }) {
					logs = append(logs, l)
				}
			}
		}
	}
	for _, l := range logs {
		for _, s := range l.Songs {
			if len(s.Flaws) == 0 || slices.ContainsFunc(files, func(f logFile) bool { return f.is(s.File) }) {
				continue
			}
			if err := r.lost(ctx, logged{log: l, song: s}, files, logs); err != nil {
				return err
			}
		}
	}
	return ctx.Err()
}

// lost looks for a song among the files that its log does not name, by its checksum. A file
// that may be the song with other bytes leaves the image in doubt.
func (r *logReader) lost(ctx context.Context, x logged, files []logFile, logs []riplog.File) error {
	names := func(f logFile) bool {
		return slices.ContainsFunc(x.log.Songs, func(s riplog.Song) bool { return f.is(s.File) })
	}
	ofAlbum := slices.ContainsFunc(files, names)
	doubtful := false
	for _, f := range files {
		if f.mapped || names(f) {
			continue
		}
		x.source = f.source
		runs, sum, err := r.compare(ctx, x)
		switch {
		case err != nil:
			return err
		case sum == x.song.CRC32 && x.log.Err != nil:
			return r.doubt(x.log.Path, x.log.Err)
		case sum == x.song.CRC32:
			r.take(x, runs)
			return nil
		case ofAlbum || r.inPlace(x, runs):
			stated, err := r.stated(ctx, f, logs)
			if err != nil {
				return err
			}
			doubtful = doubtful || !stated
		}
	}
	if _, err := os.Lstat(filepath.Join(filepath.Dir(x.log.Path), x.song.File)); err == nil || !doubtful {
		return nil
	}
	return r.doubt(x.log.Path, fmt.Errorf("it calls sectors of %s not right, and that is no file of the image by now", x.song.File))
}

// inPlace reports whether sectors of the image are the track of a song, and as long.
func (r *logReader) inPlace(x logged, runs []disc.Flaw) bool {
	first, end := riplog.Holds(x.log.Songs, x.song.File)
	if count(runs) != int64(end-first) {
		return false
	}
	t := r.img.Layout().TrackAt(runs[0].First)
	return t != nil && t.Number == max(1, x.song.Number)
}

// stated reports whether a log states the content of a file.
func (r *logReader) stated(ctx context.Context, f logFile, logs []riplog.File) (bool, error) {
	for _, l := range logs {
		for _, s := range l.Songs {
			if l.Err != nil || !f.is(s.File) {
				continue
			}
			if _, sum, err := r.compare(ctx, logged{l, s, f.source}); err != nil || sum == s.CRC32 {
				return err == nil, err
			}
		}
	}
	return false, nil
}
