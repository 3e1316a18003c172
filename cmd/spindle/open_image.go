package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"spindle/disc"
	"spindle/image"
	"spindle/image/format"
	"spindle/iso"
)

// openImage opens an image, and says what is found that is no error.
func openImage(ctx context.Context, a *app, path string) (disc.Image, error) {
	return image.Open(ctx, path, func(r image.Remark) { a.note(remarkText(r)) })
}

// openStored opens an image with its sectors as they are stored: of an .iso, the
// 2048 bytes of user data, and not the CD sectors that they would make.
func openStored(ctx context.Context, a *app, path string) (disc.Image, error) {
	img, err := openImage(ctx, a, path)
	if ext := strings.ToLower(filepath.Ext(path)); err != nil || ext == ".cue" || ext == ".nrg" {
		return img, err
	}
	e, ok := img.ExtentAt(0)
	if st, err := os.Stat(path); err != nil || !ok || e.Form != disc.FormMode1 || e.Offset != 0 || len(img.Files()) != 1 ||
		st.Size() > int64(img.Layout().Sectors())*iso.BlockSize {
		return img, nil
	}
	img.Close()
	return image.OpenAs(ctx, path, disc.DVD)
}

// remarkText says what was found when an image was opened.
func remarkText(r image.Remark) string {
	switch r.Kind {
	case format.CutShort:
		have := fmt.Sprintf("%s is incomplete: it has %s", r.File, sizeText(r.Have))
		if r.Want > 0 {
			have += " of " + sizeText(r.Want)
		}
		return have + ". What is missing counts as not read. " + downloadNew
	case format.OtherMap:
		return fmt.Sprintf("%s is not used: it is the map of a copy of %d bytes, and the image has %d.", r.File, r.Have, r.Want)
	}
	return r.File
}
