package main

import (
	"context"

	"spindle/disc"
	"spindle/image"
)

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
