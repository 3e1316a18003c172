package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"

	"spindle/disc"
	"spindle/image/audio"
	"spindle/image/extract"
	"spindle/image/format"
	"spindle/image/mapfile"
	"spindle/iso"

	"github.com/spf13/cobra"
)

func extractCommand(a *app) *cobra.Command {
	var o fileFlags
	c := &cobra.Command{
		Use:   "extract IMAGE [PATH...]",
		Short: "Take files out of an image",
		Long: `Extract the files in an image: all of them, or those named by PATH, directories with
everything in them. Permissions and times are kept where the image states them;
symbolic links are created if they stay inside the folder. Nothing is ever written
outside it.

Audio tracks become WAVE files, each with the gap that follows it ("spindle convert IMAGE
OUT.flac --split" makes FLAC files). The files of a Video CD, whose sectors have form 2, are extracted with all
their user data: 2324 bytes per sector, an MPEG stream that players accept.

Of files of a Mac (HFS, HFS+), the data fork is extracted; with --resource-forks, also the
resource fork and what the Finder keeps of a file, as "._NAME" (AppleDouble).

The exit status is 5 if a file has sectors with a wrong EDC, or sectors that a map
beside the image lists as not read correctly, or that lie in an audio track; these files are named. It is also 5 if
all is extracted, and a checksum file beside the image does not match it.`,
		Example: `  spindle extract debian-live.iso -C folder
  spindle extract backup.nrg docs/readme.txt`,
		Args: needs(1, unlimited, "name the image to take files out of, e.g. \"spindle extract debian-live.iso -C folder\""),
		RunE: a.run(func(ctx context.Context, args []string) (result, error) {
			return runExtract(ctx, a, args[0], args[1:], o)
		}),
	}
	f := c.Flags()
	o.register(c)
	f.StringVarP(&o.dir, "directory", "C", ".", "extract to this `FOLDER`")
	f.BoolVar(&o.force, "force", false, "replace existing files")
	return c
}

// errExtracting: files were being written. It adds no words.
var errExtracting = errors.New("")

// extractResult is the result of extract.
type extractResult struct {
	ending
	Files   int         `json:"files"`
	Bytes   int64       `json:"bytes"`
	Left    int         `json:"left_out,omitempty"`
	Skipped []leftEvent `json:"skipped,omitempty"`
	Damaged []string    `json:"damaged,omitempty"` // files with sectors that are not right

	dir string
}

// leftEvent is an entry that was left out.
type leftEvent struct {
	Path   string `json:"path"`
	Reason string `json:"reason"`
}

// newExtractResult describes what was extracted. Files of which the content is missing
// make it a failure.
func newExtractResult(res *extract.Result, dir string) *extractResult {
	r := &extractResult{ending: done(), Files: res.Files + res.Links, Bytes: res.Bytes, Left: len(res.Skipped), dir: dir}
	for _, s := range res.Skipped {
		r.Skipped = append(r.Skipped, leftEvent{s.Path, s.Reason.String()})
		if s.Reason == extract.Unreadable || s.Reason == extract.Incomplete {
			r.Status = exitFailed
		}
	}
	return r
}

// Text implements event.
func (r *extractResult) Text(p *page) {
	p.line("%s, %s, extracted to %s", plural(r.Files, "file"), sizeText(r.Bytes), r.dir)
	if r.Left > 0 {
		p.line("%s left out; see the notes", plural(r.Left, "entry"))
	}
	if n := len(r.Damaged); n > 0 {
		them := "them"
		if n == 1 {
			them = "it"
		}
		p.text("%s: %s. What was extracted of %s is not what the disc held.", p.red("Damaged: "+plural(n, "file")), fileList(r.Damaged), them)
	}
}

func runExtract(ctx context.Context, a *app, name string, args []string, o fileFlags) (result, error) {
	paths := cleanPaths(args)
	f, err := openFiles(ctx, a, name, o, paths)
	if err != nil {
		return nil, err
	}
	defer f.img.Close()
	const most = 16 // times what the image has: files may share sectors
	wanted, err := f.wanted(name, paths)
	if err != nil {
		return nil, err
	}
	opts := extract.Options{Paths: wanted, Replace: o.force, Sources: f.img.Files(), MaxBytes: most*int64(f.img.Layout().Sectors())*iso.BlockSize + 1<<30}
	bar := a.newProgress()
	defer bar.stop()
	if len(paths) == 0 {
		if err := errors.Join(f.found.checkSums(ctx, a, f.img), f.found.checkUnwatched(ctx, a)); err != nil {
			return nil, err
		}
	}
	total, err := extract.Size(ctx, f, opts)
	if err != nil {
		return nil, err
	}
	opts.Observer = &extractProgress{bar, bar.step("extracting"), total}
	res, err := extract.Run(ctx, o.dir, f, opts)
	bar.stop()
	if err != nil {
		return nil, fmt.Errorf("%w%w", errExtracting, err)
	}
	if again, why := unpackedInPart(res); len(again) > 0 {
		if err := f.salvage(ctx, a, o, why); err != nil {
			return nil, err
		}
		opts.Paths, opts.Replace = again, true // what there is of them was extracted just now
		more, err := extract.Run(ctx, o.dir, f, opts)
		bar.stop()
		if err != nil {
			return nil, fmt.Errorf("%w%w", errExtracting, err)
		}
		res.Files, res.Links, res.Bytes = res.Files+more.Files, res.Links+more.Links, res.Bytes+more.Bytes
		res.Skipped = append(slices.DeleteFunc(res.Skipped, isUnpackable), more.Skipped...)
	}
	r := newExtractResult(res, o.dir)
	if r.Damaged, err = damagedFiles(ctx, f, paths); err != nil {
		return nil, err
	}
	if n := f.found.present(f.img.Flaws()).Sectors(); n > 0 && len(paths) == 0 && len(r.Damaged) == 0 {
		a.note(f.found.damageText(n) + ", none of them in a file that was found: a damaged directory may lack files.")
		r.Status = cmp.Or(r.Status, exitDifferent)
	}
	if len(r.Damaged) > 0 && r.Status == exitDone {
		r.Status = exitDifferent
	}
	if err := mapSongs(f, o.dir, paths); err != nil {
		return nil, err
	}
	r.Status = f.found.note(a, r.Status)
	return r, f.found.writtenTo()
}

// isUnpackable reports whether an entry was left out because it cannot be unpacked, or decoded.
func isUnpackable(s extract.Skipped) bool { return unpackable(s.Err) }

// unpackedInPart are the paths of such entries, and what is wrong with the first.
func unpackedInPart(res *extract.Result) (paths []string, why error) {
	for _, s := range res.Skipped {
		if isUnpackable(s) {
			why, paths = cmp.Or(why, s.Err), append(paths, s.Path)
		}
	}
	return paths, why
}

// mapSongs puts a map beside each extracted audio track with damaged sectors, one that cannot
// be used if nothing says which they are, and removes the map of a track that is intact now.
func mapSongs(f *openedFiles, dir string, paths []string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	list, err := f.ReadDir(".")
	if err != nil {
		return nil // nothing of it was extracted, which is reported
	}
	for _, e := range list {
		info, err := e.Info()
		if err != nil || len(paths) > 0 && !slices.Contains(paths, e.Name()) && !slices.Contains(paths, ".") {
			continue
		}
		song, ok := info.Sys().(*audio.Song)
		if _, err := root.Lstat(e.Name()); err != nil || !ok || f.absent(info) {
			continue
		}
		var content io.WriterTo
		if m := format.SongMap(song.Start, song.End, f.img.Flaws(), f.found.doubts()); m != nil {
			content = m
		}
		if err := writeSongMap(root, e.Name()+mapfile.Suffix, content); err != nil {
			return err
		}
	}
	return nil
}

// writeSongMap writes a map to a new file; nil only removes the one that is there.
func writeSongMap(root *os.Root, name string, m io.WriterTo) error {
	if err := root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if m == nil {
		return nil
	}
	w, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	_, err = m.WriteTo(w)
	return errors.Join(err, w.Close())
}

// damagedFiles lists the extracted files with sectors that a map says are not right,
// or whose EDC was found wrong when they were read.
func damagedFiles(ctx context.Context, f *openedFiles, paths []string) ([]string, error) {
	flaws := f.found.present(f.img.Flaws())
	if len(flaws) == 0 && f.img.Layout().Medium != disc.CD { // where no file lies in a track of audio
		return nil, nil
	}
	if len(paths) == 0 {
		paths = []string{"."}
	}
	var names []string
	for _, p := range paths {
		err := fs.WalkDir(f, p, func(name string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return ctx.Err() // what cannot be read was left out, and reported
			}
			if info, err := d.Info(); err == nil && len(f.FlawsOf(info, flaws)) > 0 && !slices.Contains(names, name) {
				names = append(names, name)
			}
			return ctx.Err()
		})
		if err != nil {
			return nil, err
		}
	}
	return names, nil
}

// extractProgress observes an extraction.
type extractProgress struct {
	bar   *progress
	step  func(done, total int64)
	total int64
}

// Progress implements [extract.Observer].
func (p *extractProgress) Progress(_ string, bytes int64) { p.step(bytes, p.total) }

// Skipped implements [extract.Observer].
func (p *extractProgress) Skipped(s extract.Skipped) {
	if !isUnpackable(s) { // which is read around, later
		p.bar.note(skippedText(s))
	}
}

// skippedText says why an entry was left out.
func skippedText(s extract.Skipped) string {
	why := ""
	switch s.Reason {
	case extract.Unreadable:
		why = s.Err.Error()
	case extract.Incomplete:
		return fmt.Sprintf("Not all of %q could be read: %v.", s.Path, s.Err)
	case extract.LinkOutside:
		why = fmt.Sprintf("it is a link to %q, outside the folder", s.Target)
	case extract.LinkUnresolved, extract.LinkRefused:
		why = fmt.Sprintf("the link to %q cannot be made here: %v", s.Target, s.Err)
	case extract.Special:
		why = "it is a device, a pipe or a socket"
	case extract.NameRefused:
		why = "this system has no such name"
	case extract.NameTaken:
		why = "something else of that name is there"
	}
	return fmt.Sprintf("%q was left out: %s.", s.Path, why)
}
