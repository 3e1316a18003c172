package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"spindle/album"
	"spindle/album/folder"
	"spindle/internal/regular"

	"github.com/spf13/pflag"
)

// albumFlags are the options of what makes a folder of songs.
type albumFlags struct {
	oneFile     bool
	embed       bool
	tags        string
	accurateRip string // files of databases
	ctdb        []string
	lookup      bool // ask the databases
}

// isSet reports whether one of them was given.
func (o *albumFlags) isSet() bool {
	return o.oneFile || o.embed || o.tags != "" || o.accurateRip != "" || len(o.ctdb) > 0 || o.lookup
}

// add defines them.
func (o *albumFlags) add(f *pflag.FlagSet) {
	f.BoolVar(&o.oneFile, "image", false, "into a folder: make one sound file of all songs")
	f.BoolVar(&o.embed, "embed-cue", false, "with --image: put the CUE sheet into the FLAC file, too")
	f.StringVar(&o.tags, "tags", "", "into a folder: take names from this `FILE`, a CUE sheet or lines of NAME=value")
	f.StringVar(&o.accurateRip, "accuraterip", "", "into a folder: prove the songs by this `FILE` of AccurateRip (default: dBAR-*.bin in it)")
	f.StringArrayVar(&o.ctdb, "ctdb", nil, "into a folder: prove the songs by this `FILE` of CTDB, and repair them by one of parity (default: ctdb-* in it)")
	addLookup(f, &o.lookup, "into a folder: ask AccurateRip, CTDB and MusicBrainz for what is not there; they learn the disc's table of contents")
}

// options are those of the album, whose songs are named by what is known of them.
func (o *albumFlags) options(x *album.Album, coding album.Coding, known *evidence) (album.Options, error) {
	out := album.Options{Coding: coding, OneFile: o.oneFile, EmbedSheet: o.embed}
	switch {
	case o.embed && !o.oneFile:
		return out, usage("--embed-cue applies to --image: each song has its own file")
	case o.embed && coding != album.FLAC:
		return out, usage("--embed-cue applies to FLAC files: a WAVE file has no place for a CUE sheet")
	}
	return out, o.name(x, known)
}

// name names the songs: by CD-TEXT, over it by MusicBrainz, and over both by the file of tags.
func (o *albumFlags) name(x *album.Album, known *evidence) error {
	if known.release != nil {
		x.ApplyRelease(known.release)
	}
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
// Those of own are to be replaced.
func albumInTheWay(ctx context.Context, plan *folder.Plan, x *album.Album, o album.Options, own []string) error {
	names, err := x.Files(o)
	if err != nil || o.Force {
		return err
	}
	for _, name := range names {
		path := filepath.Join(plan.Dir, name)
		if !slices.Contains(own, path) && exists(path) {
			if why := plan.InTheWay(ctx, path); why != nil {
				return why
			}
			if !plan.Names(path) {
				return fmt.Errorf("%s %w", path, errUnlogged)
			}
			return fmt.Errorf("%s %w", path, errAlbumExists)
		}
	}
	return nil
}
