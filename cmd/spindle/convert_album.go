package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"spindle/album"
	"spindle/album/folder"
	"spindle/disc"
	"spindle/image/format"
)

// runConvertAlbum makes the songs of an image into a folder, as rip does of a disc.
func runConvertAlbum(ctx context.Context, a *app, in, dir string, o convertFlags) (result, error) {
	img, found, err := openImage(ctx, a, in)
	if err != nil {
		return nil, err
	}
	defer img.Close()
	x := album.Of(img.Layout())
	if len(x.Songs) == 0 {
		return nil, refusal{fmt.Errorf("%s: %w, and a folder is for songs", in, album.ErrNoAudio), exitUsage,
			fmt.Sprintf("Name the image to make: spindle convert %s OUT.iso. \"spindle extract\" takes the files out.", quoted(in))}
	}
	known, plan, opts, err := o.albumOptions(ctx, a, in, dir, x, found)
	if err != nil {
		return nil, err
	}
	o.album.noteOtherTags(a, plan, x)
	if plan.Done() {
		r := newAlbumResult(dir, x, &album.Created{}, nil)
		r.takeFolder(plan, x)
		return r, nil
	}
	if err := plan.Compare(ctx, img); err != nil {
		return nil, err
	}
	sums := func() []ownSum { return nil }
	if !o.NoCheck {
		if err := found.checkSums(ctx, a, img); err != nil {
			return nil, err
		}
		sums = found.watch()
	}
	opts.Doubts = func() string {
		found.notice(sums())
		return found.doubts()
	}
	made, err := intoFolder(ctx, a, dir, x, img, opts, known)
	if unpackable(err) {
		if img, err = usable(ctx, a, img, err); err != nil {
			return nil, err
		}
		opts.Doubts = found.doubts
		made, err = intoFolder(ctx, a, dir, x, img, opts, known)
	}
	if err != nil {
		return nil, err
	}
	ctx = context.WithoutCancel(ctx) // the songs are there: so is their log
	if err := noteSubLost(ctx, a, img, made); err != nil {
		return nil, err
	}
	noteLeft(a, plan, made)
	r := newAlbumResult(dir, x, made, nil)
	r.Evidence = known.paths
	r.takeFolder(plan, x)
	about := aboutDisc(x, time.Now(), known.paths)
	about.Add("made from", filepath.Base(in))
	if err := keepFlaws(ctx, a, dir, made); err != nil {
		return nil, err
	}
	if err := r.writeLog(x, made, about, plan, opts.Force, nil); err != nil {
		return nil, err
	}
	kept, _ := plan.Files()
	if err := removeReplaced(plan.Own, append(slices.Concat(made.Files, made.Maps, kept), r.Log)); err != nil {
		a.note(fmt.Sprintf("%s could not be put in order: %v.", dir, err))
	}
	if len(made.Flaws) > 0 {
		r.Status = exitDifferent
	}
	r.Status = found.note(a, r.Status)
	return r, nil
}

// noteSubLost says that the sub-channels of an image are not in the files of a folder that was
// made of it, where they say more than the tracks do.
func noteSubLost(ctx context.Context, a *app, img disc.Image, made *album.Created) error {
	var tracks []*disc.Track
	for _, t := range img.Layout().Tracks() {
		if t.Mode.IsData() && len(made.Data) > 0 || slices.ContainsFunc(made.Songs, func(s album.Made) bool { return s.Number == t.Number }) {
			tracks = append(tracks, t)
		}
	}
	more, err := format.SubchannelsSayMore(ctx, img, tracks)
	if more {
		a.note("Left out, because files of songs cannot hold it: " + lossWords(format.Loss{Kind: format.SavedSub}) + ".")
	}
	return err
}

// albumOptions are those of the album, what is known of its disc, and what becomes of its folder. Nothing is in the way.
func (o *convertFlags) albumOptions(ctx context.Context, a *app, in, dir string, x *album.Album, found *findings) (*evidence, *folder.Plan, album.Options, error) {
	coding := album.FLAC
	if o.format == "wav" {
		coding = album.Wave
	}
	fail := func(err error) (*evidence, *folder.Plan, album.Options, error) { return nil, nil, album.Options{}, err }
	known := o.album.evidence(a, x.Layout)
	if err := known.nameBy(ctx, filepath.Dir(in), dir); err != nil {
		return fail(err)
	}
	opts, err := o.album.options(x, coding, known)
	if err != nil {
		return fail(err)
	}
	numbers, err := found.tracks(in, x, o.tracks)
	if err != nil {
		return fail(err)
	}
	if err := numbers.check(in, x); err != nil {
		return fail(err)
	}
	plan, err := planFolder(ctx, a, dir, x, folder.Request{Songs: numbers, Force: o.Force}, &opts)
	if err != nil {
		return fail(err)
	}
	opts.Force = o.Force
	if err := albumInTheWay(ctx, plan, x, opts, plan.Own); err != nil {
		return fail(err)
	}
	opts.Force = o.Force || len(plan.Own) > 0
	err = known.proveBy(ctx, filepath.Dir(in), dir)
	opts.Databases = known.Databases
	return known, plan, opts, err
}

// intoFolder writes an album into a folder, which it makes where there is none.
func intoFolder(ctx context.Context, a *app, dir string, x *album.Album, img disc.Image, opts album.Options, known *evidence) (*album.Created, error) {
	isNew := !exists(dir)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	known.keep(dir)
	made, err := createAlbum(ctx, a, dir, x, img, opts)
	if err != nil && isNew {
		os.Remove(dir)
	}
	return made, err
}
