package main

import (
	"context"
	"errors"

	"spindle/disc"
	"spindle/image"
	"spindle/image/audio"
)

// unpackable reports whether an error is that a part of an image cannot be unpacked, or decoded.
func unpackable(err error) bool {
	return errors.Is(err, image.ErrPackedDamaged) || errors.Is(err, audio.ErrDamaged)
}

// usable stands for an image that could not be read for such an error, as far as it goes.
func usable(ctx context.Context, a *app, img disc.Image, why error) (disc.Image, error) {
	if !errors.Is(why, audio.ErrDamaged) {
		return salvaged(ctx, a, img)
	}
	bar := a.newProgress()
	defer bar.stop()
	x, err := audio.Examine(ctx, img, bar.step("reading around the damage"))
	bar.stop()
	if err != nil {
		return nil, err
	}
	for _, d := range x.Damaged {
		a.note(songDamage(img.Layout(), d) + ". What can be decoded is used; the rest is silence, and counts as not read. Get the file again, or rip the disc again.")
	}
	return x.Image, nil
}

// salvaged stands for an image of which a part cannot be unpacked: what can be is used, and the
// rest is empty, and known to be. It says what is damaged. Closing it closes the image.
func salvaged(ctx context.Context, a *app, img disc.Image) (disc.Image, error) {
	bar := a.newProgress()
	defer bar.stop()
	whole, errs, err := image.Salvage(ctx, img, bar.step("reading around the damage"))
	bar.stop()
	if err != nil {
		return nil, err
	}
	for i, e := range errs {
		if i == mostListed {
			a.note(plural(len(errs)-i, "place") + " more cannot be unpacked.")
			break
		}
		a.note(damagedText(e.Error()))
	}
	return whole, nil
}

// damagedText says what is wrong with a file that cannot be unpacked, and what becomes of it.
func damagedText(what string) string {
	return what + ". What can be unpacked is used, and counts as damaged with the rest. Get the file again."
}
