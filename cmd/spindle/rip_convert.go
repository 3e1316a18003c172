package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"spindle/disc"
	"spindle/drive"
	"spindle/image"
	"spindle/image/format"
	"spindle/image/mapfile"
	"spindle/rip"
)

// A rip into any other format than those that package rip makes goes by way of one of these, in
// a folder beside OUT: there it is resumed like any rip, and from there OUT is made. The folder
// goes when OUT is there and all of it is right.

// toOther reports whether OUT has a format that is made of a raw rip.
func (o *ripFlags) toOther() bool {
	ext := strings.ToLower(filepath.Ext(o.Output))
	if _, err := format.ForSuffix(ext); o.format != "" || err != nil {
		return false
	}
	return !slices.Contains([]string{".cue", ".iso", ".wav", ".flac"}, ext)
}

// runRipOther rips a disc into a format that package rip does not make.
func runRipOther(ctx context.Context, a *app, o ripFlags) (result, error) {
	out := o.Output
	switch {
	case o.Split || o.sha256:
		return nil, usage("--split and --sha256 are about a .cue or an .iso")
	case exists(out) && !o.Force && !exists(rawOf(out)):
		return nil, fmt.Errorf("%s %w", out, rip.ErrExists)
	}
	if err := folderOf(out); err != nil {
		return nil, err
	}
	s, err := openRip(ctx, a, &o)
	if err != nil {
		return nil, err
	}
	m, err := drive.Survey(ctx, s.dev, drive.ForReading)
	if err != nil {
		return nil, err
	}
	c, err := rip.Examine(ctx, s.dev, m, rip.ExamineOptions{})
	if err != nil {
		return nil, err
	}
	if c.Layout == nil {
		return nil, rip.ErrBlank
	}
	opts := image.CreateOptions{Lossy: o.lossy, Force: o.Force || exists(rawOf(out))}
	if err := wouldMake(ctx, out, c.Layout, opts); err != nil {
		return nil, err
	}
	o.Output, o.Format = filepath.Join(rawOf(out), "disc.cue"), rip.CueBin
	if c.Layout.Medium != disc.CD || blocksOnly(filepath.Ext(out)) && wouldMake(ctx, "x.iso", c.Layout, opts) == nil {
		o.Output, o.Format = filepath.Join(rawOf(out), "disc.iso"), rip.ISO
	}
	if err := o.makeRaw(out); err != nil {
		return nil, err
	}
	res, err := s.rip(ctx, a)
	if err != nil || res == nil {
		_ = os.Remove(rawOf(out)) // if nothing is in it
		return s.interrupted, err
	}
	return s.makeOther(ctx, a, out, opts, res)
}

// makeRaw makes the folder of the raw rip. One that is there is that of an earlier run, which did
// not come to its end.
func (o *ripFlags) makeRaw(out string) error {
	dir := rawOf(out)
	err := os.Mkdir(dir, 0o777)
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	switch st, err := os.Lstat(dir); {
	case err != nil:
		return err
	case !st.IsDir():
		return refusal{fmt.Errorf("%s exists already, and is not a folder", dir), exitFailed, "Remove it, or choose another name."}
	case !o.Force && exists(o.Output) && !exists(o.Output+mapfile.Suffix):
		return refusal{fmt.Errorf("the disc was read before, into %s", o.Output), exitUsage,
			fmt.Sprintf("Make %s of it with \"spindle convert %s %s\", or read the disc again with --force.", filepath.Base(out), quoted(o.Output), quoted(out))}
	}
	return nil
}

// removeRaw removes the files of the raw rip, and its folder unless something else is in it.
func (s *ripSession) removeRaw(out string, res *rip.Result) error {
	files := append([]string{s.o.Output}, res.Others...)
	for _, f := range res.Images {
		files = append(files, f.Path)
	}
	var errs []error
	for _, f := range files {
		if err := os.Remove(f); !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(append(errs, os.Remove(rawOf(out)))...)
}

// rawOf is the folder of the raw rip of which an image is made.
func rawOf(out string) string {
	dir, name := filepath.Split(filepath.Clean(out))
	return filepath.Join(dir, "."+name+".spindle-rip")
}

// blocksOnly reports whether a format holds the user data of one track alone, as an .iso does.
func blocksOnly(suffix string) bool {
	return slices.Contains([]string{".cso", ".zso", ".vhd", ".dmg"}, strings.ToLower(suffix))
}

// makeOther makes the image of a raw rip, and removes that, if all of it is right.
func (s *ripSession) makeOther(ctx context.Context, a *app, out string, opts image.CreateOptions, res *rip.Result) (result, error) {
	raw := s.o.Output
	img, _, err := openImage(ctx, a, raw)
	if err != nil {
		return nil, err
	}
	defer img.Close()
	bar := a.newProgress()
	opts.Progress = bar.step("making " + filepath.Base(out))
	made, err := image.Create(ctx, out, img, opts)
	bar.stop()
	if err != nil {
		m := explain(err)
		if errors.Is(err, context.Canceled) {
			m.status = exitInterrupted
		}
		return nil, refusal{fmt.Errorf("the disc is read, but %s was not made: %w", out, err), m.status,
			fmt.Sprintf("The rip is kept: make %s of it with \"spindle convert %s %s\".", filepath.Base(out), quoted(raw), quoted(out))}
	}
	noteLost(a, out, made.Lost)
	r := newRipResult(res)
	r.Files = filesHit(ctx, raw, res)
	r.Images, r.Others, r.Map = nil, made.Files, ""
	if len(made.Maps) > 0 {
		r.Map = made.Maps[0]
	}
	if r.ReadOnce || r.ReadTwice {
		if r.Offset = s.offset; !res.Overread {
			r.Silence = s.o.Offset
		}
	}
	if r.Status == exitDone {
		if err := s.removeRaw(out, res); err != nil {
			a.note("the raw rip could not be removed: " + err.Error())
		}
	}
	s.eject(ctx, a, r.Status)
	return r, nil
}

// wouldMake looks, before a disc is read, whether an image of it can be made: whether the format
// holds it, and no file is in the way.
func wouldMake(ctx context.Context, out string, l *disc.Layout, o image.CreateOptions) error {
	if _, err := image.Create(ctx, out, unreadImage{layout: l}, o); !errors.Is(err, errUnread) {
		return err
	}
	return nil
}

// errUnread ends making an image before anything of it is written.
var errUnread = errors.New("nothing was read yet")

// unreadImage is a disc of which nothing was read yet.
type unreadImage struct {
	disc.Plain
	layout *disc.Layout
}

func (u unreadImage) Layout() *disc.Layout                                   { return u.layout }
func (unreadImage) ReadSectors(context.Context, []byte, disc.LBA) error      { return errUnread }
func (unreadImage) ReadUser(context.Context, []byte, disc.LBA) (bool, error) { return false, errUnread }
func (unreadImage) Close() error                                             { return nil }
