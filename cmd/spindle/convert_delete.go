package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"spindle/check"
	"spindle/cue"
	"spindle/disc"
	"spindle/image"
	"spindle/image/format"
	"spindle/internal/packed"
	"spindle/internal/printable"
)

// readBack opens the new image, and compares all of it with the one that it was made from. Only
// when they are the same may the files of that be deleted.
// of was found when that was opened.
func (r *convertResult) readBack(ctx context.Context, a *app, from disc.Image, of *findings) error {
	if r.Status != exitDone {
		a.note(r.In + " was kept: it is damaged.")
		return nil
	}
	switch what, err := onlyInSheet(ctx, r.In); {
	case err != nil:
		return err
	case what != "":
		a.note(fmt.Sprintf("%s was kept: %s does not keep its line %q.", r.In, r.out, what))
		return nil
	}
	img, found, err := openImage(ctx, a, mainFile(r.out, r.Files))
	if err != nil {
		return err
	}
	defer img.Close()
	bar := a.newProgress()
	defer bar.stop()
	rep, err := check.Sectors(ctx, from, check.Options{NoHashes: true, Progress: bar.step("checking")})
	if err != nil {
		return err
	}
	if len(rep.Bad) > 0 {
		bar.note(r.In + " was kept: it is damaged.")
		return nil
	}
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
	if slices.ContainsFunc(of.layers, func(l *format.Layer) bool { return len(l.Parts) > 0 }) {
		a.note(fmt.Sprintf("%s was kept: it is a disk with partitions, and %s has what is in one of them.", r.In, r.out))
		return nil
	}
	parents, own := of.parents(), img.Files()
	for _, f := range parents {
		a.note(fmt.Sprintf("%s was kept: %s holds only what differs from it.", f, r.In))
	}
	r.sources = slices.DeleteFunc(slices.Clone(from.Files()), func(f string) bool {
		return slices.Contains(parents, f) || slices.ContainsFunc(own, func(o string) bool { return sameFile(o, f) }) // as a .sub of both
	})
	return nil
}

// sameFile reports whether two names are those of one file.
func sameFile(a, b string) bool {
	x, errX := os.Stat(a)
	y, errY := os.Stat(b)
	return errX == nil && errY == nil && os.SameFile(x, y)
}

// mainFile is the file by which a new image is opened: the sheet of one that has a sheet.
func mainFile(out string, made []string) string {
	for _, f := range made {
		if strings.EqualFold(filepath.Ext(f), ".cue") {
			return f
		}
	}
	return out
}

// structural are the beginnings of the remarks in a CUE sheet that say how the disc is laid out:
// other formats keep these.
var structural = []string{"SESSION", "LEAD-OUT", "LEAD-IN", "PREGAP", "RUN-OUT", "ORIGINAL MEDIA-TYPE", "SINGLE-DENSITY", "HIGH-DENSITY"}

// onlyInSheet returns a line of a CUE sheet that no other format has a place for, or nothing.
func onlyInSheet(ctx context.Context, in string) (string, error) {
	if !strings.EqualFold(filepath.Ext(packed.Inner(in)), ".cue") {
		return "", nil
	}
	f, err := format.OpenFile(ctx, in)
	if err != nil {
		return "", err
	}
	defer f.Close()
	sheet, err := cue.Parse(io.NewSectionReader(f, 0, f.Size))
	if err != nil {
		return "", err
	}
	lines := sheet.Comments
	for i := range sheet.Tracks {
		lines = append(lines, sheet.Tracks[i].Comments...)
	}
	for _, line := range lines {
		if !slices.ContainsFunc(structural, func(start string) bool { return strings.HasPrefix(strings.ToUpper(line), start) }) {
			return "REM " + printable.Line(line), nil
		}
	}
	return "", nil
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

// deletable are those files of images that were read back that no other image needs: neither one
// of kept, nor one that lies beside them. Where it is not known which files belong to an image of
// kept, all in its folder stay.
func deletable(ctx context.Context, a *app, sources, kept []string) []string {
	needed, folders := map[string]string{}, map[string]bool{}
	need := func(in string) error {
		img, err := image.Open(ctx, in, func(image.Remark) {})
		if err != nil {
			return err
		}
		defer img.Close()
		for _, f := range img.Files() {
			needed[fullPath(f)] = in
		}
		return nil
	}
	for _, in := range kept {
		if need(in) != nil {
			folders[filepath.Dir(fullPath(in))] = true
		}
	}
	for _, f := range beside(sources) { // most files are no image
		if errors.Is(need(f), fs.ErrNotExist) { // it is a sheet, say, one of whose files is missing
			folders[filepath.Dir(fullPath(f))] = true
		}
	}
	for link, f := range linksTo(sources) {
		needed[fullPath(f)] = link
	}
	var all []string
	for _, f := range sources {
		f = filepath.Clean(f)
		switch by, ok := needed[fullPath(f)]; {
		case slices.Contains(all, f):
		case ok:
			a.note(f + " was kept: " + by + " needs it, too.")
		case folders[filepath.Dir(fullPath(f))]:
			a.note(f + " was kept: an image in its folder may need it.")
		default:
			all = append(all, f)
		}
	}
	return all
}

// linksTo lists the symbolic links in the folders of files that lead to these, each with its file.
func linksTo(files []string) map[string]string {
	links := map[string]string{}
	for _, dir := range foldersOf(files) {
		entries, _ := os.ReadDir(dir) // if it cannot be listed, none of its files can be deleted either
		for _, e := range entries {
			if e.Type()&fs.ModeSymlink == 0 {
				continue
			}
			link := filepath.Join(dir, e.Name())
			i := slices.IndexFunc(files, func(f string) bool { return filepath.Clean(f) != link && sameFile(f, link) })
			if i >= 0 && !slices.ContainsFunc(files, func(f string) bool { return filepath.Clean(f) == link }) {
				links[link] = files[i]
			}
		}
	}
	return links
}

// foldersOf lists the folders of files, each once.
func foldersOf(files []string) []string {
	var dirs []string
	for _, f := range files {
		dirs = append(dirs, filepath.Dir(f))
	}
	slices.Sort(dirs)
	return slices.Compact(dirs)
}

// fullPath is a path by which a file is known, however it was named.
func fullPath(path string) string {
	if full, err := filepath.Abs(path); err == nil {
		return full
	}
	return filepath.Clean(path)
}

// beside lists the other files in the folders of some, without those that would have to be
// unpacked.
func beside(files []string) []string {
	var own, all []string
	for _, f := range files {
		own = append(own, filepath.Clean(f))
	}
	for _, dir := range foldersOf(files) {
		entries, err := os.ReadDir(dir)
		if err != nil {
			continue // none of its files can be deleted either
		}
		for _, e := range entries {
			path := filepath.Join(dir, e.Name())
			if e.Type().IsRegular() && !slices.Contains(own, path) && packed.Inner(path) == path {
				all = append(all, path)
			}
		}
	}
	return all
}
