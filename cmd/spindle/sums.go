package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"spindle/album"
	"spindle/check"
	"spindle/disc"
	"spindle/image/format"
	"spindle/image/mapfile"
	"spindle/rip"
)

// sumProgress shows how far the hashing of a file is.
func sumProgress(bar *progress) check.SumProgress {
	return func(a check.Algorithm) func(done, total int64) {
		bar.stop()
		return bar.step("checking " + string(a))
	}
}

// sumsBeside checks the files of an image against the checksum files beside them, and against
// the logs of albums but for those in skip.
func (f *findings) sumsBeside(ctx context.Context, a *app, img disc.Image, bar *progress, skip ...string) ([]check.SumResult, error) {
	files := img.Files()
	sheet, sub := subOf(files)
	if sub != "" && !slices.Contains(files, sub) && exists(sub) {
		files = append(slices.Clone(files), sub) // one that no longer fits is not used
	}
	results, unusable, err := check.Beside(ctx, append(check.Plain(files...), f.contents()...), sumProgress(bar))
	bar.stop()
	if err != nil {
		return nil, err
	}
	noteUnusable(a, unusable)
	for _, r := range results {
		if r.Names != "" {
			a.note(fmt.Sprintf("%s names %s; it was used for %s.", r.From, r.Names, filepath.Base(r.File)))
		}
	}
	if sealed, err := rip.ReadSealed(sheet + mapfile.Suffix); sub != "" && err == nil && sealed.Sub != "" {
		found, err := check.HashFile(ctx, sub, check.SHA256, nil)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		results = append(results, check.SumResult{File: sub, From: sheet + mapfile.Suffix, Algorithm: check.SHA256, Right: found == sealed.Sub, Stated: sealed.Sub, Found: found})
	}
	changed, err := f.changed(ctx, img, bar)
	if err != nil {
		return nil, err
	}
	results = append(results, changed...)
	songs, err := album.Beside(ctx, img.Files(), skip, bar.step("checking the songs"))
	bar.stop()
	return append(results, songs...), err
}

// contents are the files that are compressed in those of the image, or were split into them: a
// checksum may be of these.
func (f *findings) contents() []check.File {
	var all []check.File
	for _, l := range f.layers {
		if l.Content != nil {
			all = append(all, check.File{Path: filepath.Join(filepath.Dir(l.File), l.Inner), Content: l.Content, Size: l.Size})
		}
	}
	return all
}

// changed compares an image with what the rips left whose maps say that sectors of it are not right. Such
// a map vouches for the others only as long as they are what the rip wrote.
func (f *findings) changed(ctx context.Context, img disc.Image, bar *progress) ([]check.SumResult, error) {
	var all []check.SumResult
	for _, path := range f.maps {
		sealed, err := rip.ReadSealed(path)
		if err != nil || sealed.Image == "" { // a log, another program's map, or one of an older version
			continue
		}
		found, size, err := check.HashStored(ctx, img, bar.step("comparing with "+filepath.Base(path)))
		bar.stop()
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case err != nil || size != sealed.Size: // what is missing is found, and said, where sectors are read
			continue
		case found != sealed.Image:
			all = append(all, check.SumResult{
				File: strings.TrimSuffix(path, mapfile.Suffix), From: path, Algorithm: check.SHA256, Stated: sealed.Image, Found: found, Changed: true,
			})
		}
	}
	return all, nil
}

// subOf returns the CUE sheet among the files of an image, and the file of sub-channels
// that a rip saves beside one, which need not be there.
func subOf(files []string) (sheet, sub string) {
	i := slices.IndexFunc(files, func(f string) bool { return strings.EqualFold(filepath.Ext(f), ".cue") })
	if i < 0 {
		return "", ""
	}
	return files[i], format.Stem(files[i]) + ".sub"
}

// sumSuffixes are the suffixes of checksum files.
var sumSuffixes = []string{".md5", ".sha1", ".sha256", ".sha512", ".sfv", ".md5sum", ".sha1sum", ".sha256sum", ".sha512sum"}

// wrongSumText says that a checksum does not match.
func wrongSumText(r check.SumResult) string {
	if r.Changed {
		return fmt.Sprintf("%s was changed since it was ripped (its %s is not that in %s)", filepath.Base(r.File), r.Algorithm, filepath.Base(r.From))
	}
	return fmt.Sprintf("the %s of %s does not match %s", r.Algorithm, filepath.Base(r.File), filepath.Base(r.From))
}

// noteUnusable says what of checksum files states no checksum.
func noteUnusable(a *app, all []check.Unusable) {
	for _, u := range all {
		if u.Line > 0 {
			a.note(fmt.Sprintf("Line %d of %s names %s and states no checksum (is it cut off?): it was not used.", u.Line, u.From, filepath.Base(u.File)))
			continue
		}
		if u.File != "" {
			a.note(fmt.Sprintf("%s has no checksum for %s, only for other files: it was not used.", u.From, filepath.Base(u.File)))
			continue
		}
		a.note(u.From + " is named like a checksum file, but no checksum is in it (is it empty, or cut off?): it was not used.")
	}
}

// isSumFile tells checksum files from the other things that --with takes, by
// their names, or by their content.
func isSumFile(path string) bool {
	if isDriveName(path) {
		return false
	}
	name := strings.ToLower(filepath.Base(path))
	if slices.Contains(sumSuffixes, filepath.Ext(name)) {
		return true
	}
	return strings.HasSuffix(name, "sums") || strings.HasSuffix(name, "sum.txt") || strings.HasSuffix(name, "sums.txt") ||
		strings.HasSuffix(name, "checksum") || !isDATFile(path) && check.HoldsSums(path)
}
