package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"spindle/album"
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
	coding := album.FLAC
	if o.format == "wav" {
		coding = album.Wave
	}
	known := o.album.evidence(a, x.Layout)
	if err := known.nameBy(ctx, filepath.Dir(in), dir); err != nil {
		return nil, err
	}
	opts, err := o.album.options(x, coding, known)
	if err != nil {
		return nil, err
	}
	opts.Force = o.Force
	switch {
	case o.Track < 0: // what is hidden
		opts.Only = []int{0}
	case o.Track > 0:
		opts.Only = []int{o.Track}
	}
	if err := albumInTheWay(dir, x, opts, nil); err != nil {
		return nil, err
	}
	if err := known.proveBy(ctx, filepath.Dir(in), dir); err != nil {
		return nil, err
	}
	opts.Databases = known.Databases
	if !o.NoCheck {
		if err := found.checkSums(ctx, a, img); err != nil {
			return nil, err
		}
	}
	isNew := !exists(dir)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	known.keep(dir)
	made, err := createAlbum(ctx, a, dir, x, img, opts)
	if err != nil {
		if isNew {
			os.Remove(dir)
		}
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
