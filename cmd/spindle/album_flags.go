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
	"spindle/disc/ctdb"
	"spindle/disc/discid"
	"spindle/internal/regular"

	"github.com/spf13/pflag"
)

// albumFlags are the options of what makes a folder of songs.
type albumFlags struct {
	oneFile     bool
	embed       bool
	tags        string
	accurateRip string // files of databases
	ctdb        string
}

// add defines them.
func (o *albumFlags) add(f *pflag.FlagSet) {
	f.BoolVar(&o.oneFile, "image", false, "into a folder: make one sound file of all songs")
	f.BoolVar(&o.embed, "embed-cue", false, "with --image: put the CUE sheet into the FLAC file, too")
	f.StringVar(&o.tags, "tags", "", "into a folder: take names from this `FILE`, a CUE sheet or lines of NAME=value")
	f.StringVar(&o.accurateRip, "accuraterip", "", "into a folder: prove the songs by this `FILE` of AccurateRip (default: dBAR-*.bin in it)")
	f.StringVar(&o.ctdb, "ctdb", "", "into a folder: prove the songs by this `FILE` of CTDB (default: ctdb-*.xml in it)")
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

// find returns what databases say of a disc: from the files that were named, or from those
// in the folders, or beside them, that have the disc's names. It returns their paths, too.
func (o *albumFlags) find(a *app, l *disc.Layout, dirs ...string) (found album.Databases, paths []string, err error) {
	ids, err := discid.Of(l)
	if err != nil {
		return found, nil, nil // no audio CD
	}
	for _, dir := range dirs {
		dirs = append(dirs, filepath.Dir(filepath.Clean(dir)))
	}
	for _, x := range []struct {
		name, given string
		most        int64
		parse       func([]byte) error
	}{
		{ids.AccurateRip.File(), o.accurateRip, accuraterip.MaxResponse, func(b []byte) (err error) {
			found.AccurateRip, err = accuraterip.Parse(b, ids.AccurateRip)
			return err
		}},
		{"ctdb-" + ids.CTDB + ".xml", o.ctdb, ctdb.MaxResponse, func(b []byte) (err error) {
			found.CTDB, err = ctdb.ParseResponse(b)
			return err
		}},
	} {
		candidates := []string{x.given}
		if x.given == "" {
			candidates = nil
			for _, dir := range dirs {
				candidates = append(candidates, filepath.Join(dir, x.name))
			}
		}
		for _, path := range candidates {
			b, err := readSmall(path, x.most)
			if x.given == "" && errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err == nil {
				err = x.parse(b)
			}
			if err == nil {
				paths = append(paths, path)
				break
			}
			if x.given != "" {
				return found, nil, fmt.Errorf("%s: %w", path, err)
			}
			a.note(fmt.Sprintf("%s is not used: %v.", path, err))
		}
	}
	return found, paths, nil
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
