package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"spindle/check"
	"spindle/disc"
	"spindle/image"
	"spindle/image/audio"
	"spindle/iso"

	"github.com/spf13/cobra"
)

// fileFlags are the options of ls and extract.
type fileFlags struct {
	track  int
	choice iso.Choice
	dir    string
	force  bool
}

// register adds the flags that ls and extract have in common.
func (o *fileFlags) register(c *cobra.Command) {
	f := c.Flags()
	f.Var(trackFlag{&o.track}, "track", trackHelp)
	f.Var(fsFlag{&o.choice.Kind}, "fs", "look into this file system of several: iso, udf or hfs (by default the first of these that is there)")
	f.BoolVar(&o.choice.ResourceForks, "resource-forks", false, "show resource forks and Finder information of HFS, as ._NAME (AppleDouble)")
	complete(c, "fs", fsNames)
}

// trackHelp describes --track for ls and extract.
const trackHelp = "look into this track (by default the data track that a computer shows, and all audio; 0: audio hidden before track 1)"

// errNoSuchFile: a path is not in the image.
var errNoSuchFile = errors.New("not in the image")

// openedFiles is what ls and extract look into.
type openedFiles struct {
	*image.Contents
	img   disc.Image
	found *findings
}

// openFiles opens the contents of an image. The paths are those that the user asked for,
// all of which must be there.
func openFiles(ctx context.Context, a *app, name string, o fileFlags, paths []string) (*openedFiles, error) {
	img, found, err := openStored(ctx, a, name)
	if err != nil {
		return nil, err
	}
	img = check.Watch(img)
	c, err := contentsOf(ctx, img, o, paths)
	if errors.Is(err, image.ErrPackedDamaged) {
		if whole, serr := salvaged(ctx, a, img); serr == nil {
			img = whole
			c, err = contentsOf(ctx, img, o, paths)
		}
	}
	switch {
	case errors.Is(err, image.ErrNoTrack):
		err = noTrack(name, o.track)
	case errors.Is(err, iso.ErrNoVolume) && o.choice.Kind != iso.Best:
		err = usage("%s has no file system of the kind %q", name, fsFlag{&o.choice.Kind})
	case err != nil && !errors.Is(err, errNoSuchFile):
		err = fmt.Errorf("%s: %w", name, err)
	}
	if err != nil {
		img.Close()
		return nil, err
	}
	return &openedFiles{c, img, found}, nil
}

// contentsOf opens the contents of an image, which have to have some paths.
func contentsOf(ctx context.Context, img disc.Image, o fileFlags, paths []string) (*image.Contents, error) {
	c, err := image.OpenChosen(ctx, img, o.track, o.choice)
	if err == nil {
		err = allThere(c, paths)
	}
	return c, err
}

// salvage continues with what can be unpacked of the image, or decoded.
func (f *openedFiles) salvage(ctx context.Context, a *app, o fileFlags, why error) error {
	img, err := usable(ctx, a, f.img, why)
	if err != nil {
		return err
	}
	f.img = img
	f.Contents, err = image.OpenChosen(ctx, img, o.track, o.choice)
	return err
}

// absent reports whether a file is a track that the image lacks, as its sheet says.
func (f *openedFiles) absent(info fs.FileInfo) bool {
	song, ok := info.Sys().(*audio.Song)
	return ok && f.found.absent.Contains(song.Start)
}

// wanted are the paths to extract: of an image that lacks tracks, those that it has. Nil is all.
func (f *openedFiles) wanted(name string, paths []string) ([]string, error) {
	if len(f.found.absent) == 0 {
		return paths, nil
	}
	all, err := f.ReadDir(".")
	if err != nil {
		return nil, err
	}
	var there []string
	for _, e := range all {
		info, err := e.Info()
		switch {
		case err != nil:
			return nil, err
		case !f.absent(info):
			there = append(there, e.Name())
		case slices.Contains(paths, e.Name()):
			return nil, usage("%s lacks %s", name, e.Name())
		}
	}
	if len(paths) > 0 && !slices.Contains(paths, ".") {
		return paths, nil
	}
	if len(there) == 0 {
		return nil, usage("%s lacks all its tracks", name)
	}
	return there, nil
}

// noTrack is the error for a track that an image does not have.
func noTrack(name string, track int) error {
	if track == image.HiddenTrack {
		return usage("%s has no audio hidden before its first track", name)
	}
	return usage("%s has no track %d", name, track)
}

// allThere makes sure that paths exist.
func allThere(c *image.Contents, paths []string) error {
	for _, p := range paths {
		if _, err := c.Lstat(p); errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s: %w", p, errNoSuchFile)
		} else if err != nil {
			return err
		}
	}
	return nil
}

// cleanPaths brings paths as users type them into the form of [fs.ValidPath].
func cleanPaths(args []string) []string {
	var out []string
	for _, s := range args {
		p := strings.TrimPrefix(path.Clean("/"+s), "/")
		if p == "" {
			p = "."
		}
		out = append(out, p)
	}
	return out
}
