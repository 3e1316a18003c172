package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"spindle/album"
	"spindle/album/folder"
	"spindle/disc"
	"spindle/image/format"
	"spindle/rip"
)

// A songFolder is the folder of an album: what is in it from earlier runs, and what is left
// behind.
type songFolder struct {
	dir   string
	isNew bool        // it was not there before
	read  *rip.Result // of an earlier run whose songs were not made; nil: none
	own   []string    // files that an earlier run made, and this one replaces

	remembered []string // of own, those that were made of a disc with bad sectors, and that nobody changed
}

// unfinishedRips lists the folders in one that have a raw rip whose songs are not all right.
func unfinishedRips(dir string) []string {
	found, _ := filepath.Glob(filepath.Join(dir, "*", rawFolder)) // the pattern is right
	for i := range found {
		found[i] = filepath.Dir(found[i])
	}
	return found
}

// claim makes the folder, and keeps other processes from ripping into it until release.
func (f *songFolder) claim() (release func(), err error) {
	f.isNew = !exists(f.dir)
	if err := os.MkdirAll(f.dir, 0o777); err != nil {
		return nil, err
	}
	c, err := claimOut(filepath.Join(f.dir, rawFolder))
	if err != nil {
		return nil, err
	}
	return func() {
		c.Release()
		if f.isNew {
			os.Remove(f.dir) // if nothing is in it
		}
	}, nil
}

// raw is where the raw rip is.
func (f *songFolder) raw(keep bool) string {
	if keep {
		return filepath.Join(f.dir, "raw", "disc.cue") // apart: the album's sheet is the one beside the songs
	}
	return filepath.Join(f.dir, rawFolder, "disc.cue")
}

// manifest lists what was made.
func (f *songFolder) manifest() string { return filepath.Join(f.dir, rawFolder, "made.json") }

// check looks, before anything is read, for what would be replaced. What an earlier run made
// of a disc with bad sectors, and nobody has changed, is this one's to replace.
func (f *songFolder) check(ctx context.Context, raw string, plan *folder.Plan, o *ripFlags, x *album.Album, opts album.Options) error {
	if st, err := os.Lstat(filepath.Dir(raw)); err == nil && !st.IsDir() {
		return refusal{fmt.Errorf("%s is not a folder", filepath.Dir(raw)), exitFailed, "It is where the raw rip would go. Move it away."}
	}
	resumes := exists(rip.MapPath(raw))
	if (resumes || exists(f.manifest())) && !o.Force {
		var err error
		var changed *album.ChangedError
		if f.own, err = album.Remembered(f.manifest(), f.dir); errors.As(err, &changed) {
			return refusal{err, exitUsage, "Move it away, or use --force to replace it."}
		} else if err != nil {
			return err
		}
	}
	f.remembered = f.own
	f.own = append(slices.Clone(f.own), plan.Own...)
	opts.Force = o.Force
	if err := albumInTheWay(ctx, plan, x, opts, f.own); err != nil {
		return err
	}
	if !exists(raw) || resumes || o.Force {
		return nil
	}
	var err error
	if f.read, err = readFacts(f.facts(), x.Layout, o); f.read != nil || err != nil {
		return err
	}
	return fmt.Errorf("%s %w", raw, errAlbumExists)
}

// naming writes down which files are about to be in the folder: a run that is killed before the log lists them
// would not know them again.
func (f *songFolder) naming(files []format.Pending) error {
	if err := os.MkdirAll(filepath.Dir(f.manifest()), 0o777); err != nil {
		return err
	}
	earlier := slices.DeleteFunc(existing(f.remembered), func(path string) bool {
		return slices.Contains([]string{".log", ".cue", ".cdt"}, filepath.Ext(path)) // a log is written anew later, a sheet is one of files
	})
	for _, x := range files { // what a sheet replaces is there until it has its name
		if slices.Contains([]string{".cue", ".cdt"}, filepath.Ext(x.Path)) && exists(x.Path) {
			earlier = append(earlier, x.Path)
		}
	}
	return album.RememberPending(f.manifest(), files, earlier)
}

// existing are those of some files that are there.
func existing(files []string) []string {
	return slices.DeleteFunc(slices.Clone(files), func(path string) bool { return !exists(path) })
}

// facts says how the raw rip was read.
func (f *songFolder) facts() string { return filepath.Join(f.dir, rawFolder, "read.json") }

// removeEmpty removes the folder of the raw rip, if nothing is in it.
func (f *songFolder) removeEmpty() {
	os.Remove(filepath.Join(f.dir, rawFolder))
}

// readBack compares the songs with the raw rip, which goes only when they are the same. Those that are
// not are the next run's to replace.
func (f *songFolder) readBack(ctx context.Context, a *app, raw disc.Image, made *album.Created) error {
	bar := a.newProgress()
	defer bar.stop()
	err := made.ReadBack(ctx, raw, bar.step("comparing"))
	if err == nil {
		return nil
	}
	err = errors.Join(err, os.MkdirAll(filepath.Dir(f.manifest()), 0o777), album.Remember(f.manifest(), slices.Concat(made.Files, made.Maps)))
	next := "The disc is read, and kept: run the same command to make the songs again."
	if errors.Is(err, context.Canceled) {
		return refusal{errors.New("interrupted while the songs were compared with what was read"), exitInterrupted, next}
	}
	return refusal{err, exitFailed, next}
}

// finish removes what made files replace: those of an earlier run, and the raw rip, which
// stays while it is not whole. Of the files that were kept, only those are remembered that nobody had changed.
func (f *songFolder) finish(made, kept []string, bad bool) error {
	errs := []error{removeReplaced(f.own, slices.Concat(made, kept))}
	raw := filepath.Join(f.dir, rawFolder)
	if bad {
		errs = append(errs, os.MkdirAll(raw, 0o777), album.Remember(f.manifest(), append(made, f.unchanged(kept)...)))
		return errors.Join(errs...)
	}
	return errors.Join(append(errs, os.RemoveAll(raw))...)
}

// unchanged are those of some files that were as an earlier run made them when this one began.
func (f *songFolder) unchanged(files []string) []string {
	return slices.DeleteFunc(slices.Clone(files), func(path string) bool { return !slices.Contains(f.remembered, path) })
}

// removeReplaced removes files of an earlier run that were not made again, as maps of what is right now.
func removeReplaced(own, made []string) error {
	var errs []error
	for _, old := range own {
		if slices.Contains(made, old) {
			continue
		}
		if err := os.Remove(old); !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
