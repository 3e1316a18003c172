package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"spindle/album"
	"spindle/disc"
	"spindle/image"
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
	known, opts, err := o.albumOptions(ctx, a, in, dir, x)
	if err != nil {
		return nil, err
	}
	sums := func() []ownSum { return nil }
	if !o.NoCheck {
		if err := found.checkSums(ctx, a, img); err != nil {
			return nil, err
		}
		sums = found.watch()
	}
	made, err := intoFolder(ctx, a, dir, x, img, opts, known)
	if err == nil {
		sums()
	}
	if errors.Is(err, image.ErrPackedDamaged) {
		if img, err = salvaged(ctx, a, img); err != nil {
			return nil, err
		}
		made, err = intoFolder(ctx, a, dir, x, img, opts, known)
	}
	if err != nil {
		return nil, err
	}
	r := newAlbumResult(dir, x, made, nil)
	r.Evidence = known.paths
	about := aboutDisc(x, time.Now(), known.paths)
	about.Add("made from", filepath.Base(in))
	if err := r.writeLog(x, made, about, o.Force, nil); err != nil {
		return nil, err
	}
	if len(made.Flaws) > 0 {
		r.Status = exitDifferent
	}
	r.Status = found.note(a, r.Status)
	if made.Sheet == "" {
		return r, found.passOn(dir, made.Files)
	}
	return r, found.passOn(made.Sheet, made.Files)
}

// albumOptions are those of the album, and what is known of its disc. Nothing is in the way.
func (o *convertFlags) albumOptions(ctx context.Context, a *app, in, dir string, x *album.Album) (*evidence, album.Options, error) {
	coding := album.FLAC
	if o.format == "wav" {
		coding = album.Wave
	}
	known := o.album.evidence(a, x.Layout)
	if err := known.nameBy(ctx, filepath.Dir(in), dir); err != nil {
		return nil, album.Options{}, err
	}
	opts, err := o.album.options(x, coding, known)
	if err != nil {
		return nil, opts, err
	}
	opts.Force = o.Force
	switch {
	case o.Track == image.HiddenTrack:
		opts.Only = []int{0}
	case o.Track > 0:
		opts.Only = []int{o.Track}
	}
	if err := albumInTheWay(dir, x, opts, nil); err != nil {
		return nil, opts, err
	}
	err = known.proveBy(ctx, filepath.Dir(in), dir)
	opts.Databases = known.Databases
	return known, opts, err
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
