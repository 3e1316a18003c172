package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"spindle/album"
	"spindle/disc"
	"spindle/disc/accuraterip"
	"spindle/disc/discid"
	"spindle/internal/regular"

	"github.com/spf13/pflag"
)

// albumFlags are the options of what makes a folder of songs.
type albumFlags struct {
	oneFile  bool
	embed    bool
	tags     string
	response string // a file
}

// add defines them.
func (o *albumFlags) add(f *pflag.FlagSet) {
	f.BoolVar(&o.oneFile, "image", false, "into a folder: make one sound file of all songs")
	f.BoolVar(&o.embed, "embed-cue", false, "with --image: put the CUE sheet into the FLAC file, too")
	f.StringVar(&o.tags, "tags", "", "into a folder: take names from this `FILE`, a CUE sheet or lines of NAME=value")
	f.StringVar(&o.response, "accuraterip", "", "into a folder: take this `FILE` for what AccurateRip says of the disc (default: dBAR-*.bin in it)")
}

// options are those of the album, whose songs are named by what --tags says.
func (o *albumFlags) options(x *album.Album, coding album.Coding) (album.Options, error) {
	out := album.Options{Coding: coding, OneFile: o.oneFile, EmbedSheet: o.embed}
	switch {
	case o.embed && !o.oneFile:
		return out, usage("--embed-cue applies to --image: each song has its own file")
	case o.embed && coding != album.FLAC:
		return out, usage("--embed-cue applies to FLAC files: a WAVE file has no place for a CUE sheet")
	}
	return out, o.name(x)
}

// name names the songs by the file of tags.
func (o *albumFlags) name(x *album.Album) error {
	if o.tags == "" {
		return nil
	}
	const most = 4 << 20
	text, err := readSmall(o.tags, most)
	if err != nil {
		return err
	}
	if err := x.Apply(text); err != nil {
		return fmt.Errorf("%s: %w", o.tags, err)
	}
	return nil
}

// find returns what AccurateRip says of a disc: from the file that was named, or from the
// one in the folder, or beside it, that has the disc's name. It is nil where there is none.
func (o *albumFlags) find(a *app, l *disc.Layout, dir string) (accuraterip.Response, string, error) {
	ids, err := discid.Of(l)
	if err != nil {
		return nil, "", nil // no audio CD
	}
	id := ids.AccurateRip
	paths := []string{filepath.Join(dir, id.File()), filepath.Join(filepath.Dir(filepath.Clean(dir)), id.File())}
	if o.response != "" {
		paths = []string{o.response}
	}
	for _, path := range paths {
		b, err := readSmall(path, accuraterip.MaxResponse)
		if errors.Is(err, fs.ErrNotExist) && o.response == "" {
			continue
		}
		var r accuraterip.Response
		if err == nil {
			r, err = accuraterip.Parse(b, id)
		}
		switch {
		case err == nil:
			return r, path, nil
		case o.response != "":
			return nil, "", refusal{fmt.Errorf("%s: %w", path, err), exitFailed, "Without a file of AccurateRip, the audio is read twice and compared."}
		}
		a.note(fmt.Sprintf("%s is not used: %v.", path, err))
	}
	return nil, "", nil
}

// readSmall reads a regular file of at most so many bytes.
func readSmall(path string, most int64) ([]byte, error) {
	f, err := regular.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(b)) > most {
		err = fmt.Errorf("%s is larger than %s", path, sizeText(most))
	}
	return b, err
}

// isFolder reports whether a name is that of a folder: one that is there, or that ends like one.
func isFolder(name string) bool {
	if strings.HasSuffix(name, "/") || strings.HasSuffix(name, string(filepath.Separator)) {
		return true
	}
	st, err := os.Stat(name)
	return err == nil && st.IsDir()
}

// albumInTheWay looks, before anything is read, for files that would be replaced.
func albumInTheWay(dir string, x *album.Album, o album.Options) error {
	names, err := x.Files(o)
	if err != nil || o.Force {
		return err
	}
	for _, name := range names {
		path := filepath.Join(dir, name)
		if _, err := os.Lstat(path); err == nil {
			return fmt.Errorf("%s %w", path, errAlbumExists)
		}
	}
	return nil
}
