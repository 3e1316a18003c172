package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"spindle/check"
	"spindle/disc"
	"spindle/image"
)

// readBack opens the new image, and compares all of it with the one that it was made from. Only
// when they are the same may the files of that be deleted.
func (r *convertResult) readBack(ctx context.Context, a *app, from disc.Image) error {
	if r.Status != exitDone {
		a.note(r.In + " was kept: it is damaged.")
		return nil
	}
	img, found, err := openImage(ctx, a, r.out)
	if err != nil {
		return err
	}
	defer img.Close()
	bar := a.newProgress()
	defer bar.stop()
	err = check.Identical(ctx, from, img, bar.step("comparing"))
	bar.stop()
	switch {
	case errors.Is(err, check.ErrNotIdentical):
		a.note(r.In + " was kept: " + r.out + " does not give all of it back (" + err.Error() + ").")
		return nil
	case err != nil:
		return err
	case found.doubtful():
		a.note(r.In + " was kept: it is not known whether " + r.out + " is intact.")
		return nil
	}
	r.sources = from.Files()
	return nil
}

// deleteSources deletes the files of images that were read back, and returns those that it could.
func deleteSources(files []string) (deleted []string, err error) {
	var errs []error
	for _, f := range files {
		err := os.Remove(f)
		if err == nil {
			deleted = append(deleted, f)
		}
		errs = append(errs, err)
	}
	return deleted, errors.Join(errs...)
}

// deletedText says which files were deleted.
func deletedText(p *page, out string, files []string) {
	if len(files) > 0 {
		p.text("Deleted, as %s was read back and is the same: %s.", out, strings.Join(files, ", "))
	}
}

// deletable are the files of those images that were read back, without those that belong to
// another image, too. Where it is not known which files belong to an image, all in its folder
// stay.
func (r *convertManyResult) deletable(ctx context.Context) []string {
	keep, folders := map[string]bool{}, map[string]bool{}
	for _, in := range r.kept {
		img, err := image.Open(ctx, in, func(image.Remark) {})
		if err != nil {
			folders[filepath.Dir(in)] = true
			continue
		}
		for _, f := range img.Files() {
			keep[filepath.Clean(f)] = true
		}
		img.Close()
	}
	var all []string
	for _, f := range r.sources {
		if f = filepath.Clean(f); !keep[f] && !folders[filepath.Dir(f)] && !slices.Contains(all, f) {
			all = append(all, f)
		}
	}
	return all
}
