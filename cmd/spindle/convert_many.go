package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"spindle/album"
	"spindle/check"
	"spindle/check/dat"
	"spindle/image"
	"spindle/image/format"
	"spindle/internal/packed"
)

// mostAtOnce is how many images are converted at a time: each is read, checked and
// written by goroutines of its own already.
const mostAtOnce = 4

// A conversion is one of several.
type conversion struct {
	in, out string
	files   []string // of in
	err     error    // why it is not made
}

// folderKind is what a folder is filled with, that of --format, or the one that the folder is
// named for: flac or wav for songs, the suffix of images, or nothing.
func (o *convertFlags) folderKind(dir string) (kind string, songs bool) {
	for _, name := range []string{o.format, filepath.Base(dir)} {
		if name == "flac" || name == "wav" {
			return name, true
		}
		if _, err := format.ForSuffix("." + name); err == nil {
			return "." + name, false
		}
	}
	return "", false
}

// many reports whether a command line names several conversions.
func (o *convertFlags) many(args []string) bool {
	ins, out := args[:len(args)-1], args[len(args)-1]
	if st, err := os.Stat(ins[0]); len(ins) > 1 || err == nil && st.IsDir() {
		return true
	}
	kind, songs := o.folderKind(out)
	return isFolder(out) && kind != "" && !songs
}

// plan says which images are converted, and into what. What is found in folders and is no image
// is counted.
func (o *convertFlags) plan(ctx context.Context, a *app, ins []string, dir string) (all []conversion, others int, err error) {
	kind, songs := o.folderKind(dir)
	switch {
	case !isFolder(dir):
		return nil, 0, usage("several images go into a folder: end its name with /, as in %s/", dir)
	case songs && (o.album.tags != "" || o.album.accurateRip != "" || len(o.album.ctdb) > 0):
		return nil, 0, usage("--tags, --accuraterip and --ctdb are about one disc: convert one image at a time")
	case kind == "":
		return nil, 0, usage("say what to make of the images, as with --format cue; --format flac makes a folder of songs of each")
	}
	found, others, err := findImages(ctx, ins)
	if err != nil {
		return nil, 0, err
	}
	if len(found) == 0 {
		return nil, 0, refusal{fmt.Errorf("there is no image in %s", strings.Join(ins, ", ")), exitFailed, "Nothing was converted."}
	}
	names, err := o.names(ctx, a, found)
	if err != nil {
		return nil, 0, err
	}
	from := map[string]string{} // by what is made, whose names some systems take for one in any case
	for i, f := range found {
		out := filepath.Join(dir, f.below, names[i])
		if songs {
			out += "/"
		} else {
			out += kind
		}
		c := conversion{in: f.path, out: out, files: f.files}
		if other, ok := from[strings.ToLower(out)]; ok {
			c.err = usage("%s would become %s, as %s does: convert it alone", f.path, out, other)
		} else {
			from[strings.ToLower(out)] = f.path
		}
		all = append(all, c)
	}
	return all, others, nil
}

// names says what the new images are called, without suffix: what DAT files call the disc, where
// they are given and list it, else what the image is called.
func (o *convertFlags) names(ctx context.Context, a *app, found []foundImage) ([]string, error) {
	var names []string
	for _, f := range found {
		names = append(names, format.Stem(filepath.Base(f.path)))
	}
	if o.dat == "" {
		return names, nil
	}
	x, err := openDATs(ctx, a, o.dat)
	if err != nil {
		return nil, err
	}
	defer x.Close()
	bar := a.newProgress()
	defer bar.stop()
	for i, f := range found {
		name, err := discName(ctx, x, f.path, bar.step(fmt.Sprintf("looking up %d of %d", i+1, len(found))))
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case name != "":
			names[i] = album.FileName(name, "")
		case err == nil: // else converting it says what is wrong
			bar.note(f.path + " keeps its name: no DAT file lists it.")
		}
	}
	return names, nil
}

// discName returns what DAT files call an image, or nothing.
func discName(ctx context.Context, x *dat.Index, path string, progress func(done, total int64)) (string, error) {
	img, err := image.Open(ctx, path, func(image.Remark) {})
	if err != nil {
		return "", err
	}
	defer img.Close()
	rep, err := check.Sectors(ctx, img, check.Options{Progress: progress})
	if err != nil {
		return "", err
	}
	m, err := x.Find(rep.Disc())
	return m.Name, err
}

// A foundImage is a file, and the folder below the one that was named in which it lies.
type foundImage struct {
	path, below string
	named       bool     // itself, and not its folder
	files       []string // that it consists of
}

// imageSuffixes are those that only images have: a file in a folder that is named so, and is none, is broken.
var imageSuffixes = []string{
	".b5t", ".b6t", ".c2d", ".ccd", ".cdi", ".chd", ".cif", ".ciso", ".cso", ".cue", ".daa", ".dax", ".dmg", ".ecm", ".gbi", ".gdi", ".iso", ".isz", ".mds", ".nrg", ".uif", ".vhd", ".vhdx", ".ziso", ".zso",
}

// findImages looks for images among files and in folders. Files that are part of another
// image, as the .bin of a sheet, are left out; those in folders that are no images, by
// their names as by what is in them, are counted.
func findImages(ctx context.Context, ins []string) (found []foundImage, others int, err error) {
	all, err := findFiles(ins)
	if err != nil {
		return nil, 0, err
	}
	unknown, part := map[string]bool{}, map[string]bool{}
	for i := range all {
		f := &all[i]
		if err := ctx.Err(); err != nil {
			return nil, 0, err
		}
		if packed.Inner(f.path) != f.path {
			continue // to look into it is to unpack it
		}
		img, err := image.Open(ctx, f.path, func(image.Remark) {})
		if err != nil {
			unknown[f.path] = !f.named && errors.Is(err, image.ErrUnknown) && !slices.Contains(imageSuffixes, strings.ToLower(filepath.Ext(f.path)))
			continue
		}
		f.files = img.Files()
		for _, file := range f.files {
			if file = filepath.Clean(file); file != f.path {
				part[file] = true
			}
		}
		img.Close()
	}
	for _, f := range all {
		switch {
		case part[f.path]:
		case unknown[f.path]:
			others++
		default:
			found = append(found, f)
		}
	}
	return found, others, nil
}

// findFiles lists the files that are named, and those in the folders that are.
func findFiles(ins []string) ([]foundImage, error) {
	var all []foundImage
	for _, in := range ins {
		if st, err := os.Stat(in); err != nil || !st.IsDir() { // opening it says what is wrong
			all = append(all, foundImage{path: filepath.Clean(in), named: true, files: []string{in}})
			continue
		}
		err := filepath.WalkDir(in, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return err
			}
			below, err := filepath.Rel(in, filepath.Dir(path))
			all = append(all, foundImage{path: filepath.Clean(path), below: below, files: []string{path}})
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// convertManyResult is the result of several conversions.
type convertManyResult struct {
	ending
	Converted int      `json:"converted"` // also those of damaged images
	Damaged   []string `json:"damaged,omitempty"`
	There     []string `json:"there,omitempty"` // left alone, because what would be made exists
	Failed    []string `json:"failed,omitempty"`
	Others    int      `json:"others,omitempty"` // files in the folders that are no images
	Deleted   []string `json:"deleted,omitempty"`

	dir     string
	sources []string // files that new images replace
	kept    []string // images of which that is not known
}

func (r *convertManyResult) Text(p *page) {
	p.text("%s converted into %s.", plural(r.Converted, "image"), r.dir)
	list := func(what painted, names []string) {
		if len(names) > 0 {
			p.text("%s: %s.", what, strings.Join(names, ", "))
		}
	}
	list(p.red("Not converted"), r.Failed)
	list(p.red("Damaged, and converted as they are"), r.Damaged)
	list(painted("Left alone, because they were converted before (--force replaces)"), r.There)
	if r.Others > 0 {
		is := "are no images"
		if r.Others == 1 {
			is = "is no image"
		}
		p.text("%s %s.", plural(r.Others, "other file"), is)
	}
	deletedText(p, "each new image", r.Deleted)
}

// take counts how one conversion ended.
func (r *convertManyResult) take(in string, e ended) {
	r.sources = append(r.sources, e.sources...)
	if len(e.sources) == 0 {
		r.kept = append(r.kept, in)
	}
	switch {
	case errors.Is(e.err, image.ErrExists):
		r.There = append(r.There, in)
	case e.err != nil:
		r.Failed = append(r.Failed, in)
	default:
		r.Converted++
		if e.status != exitDone {
			r.Damaged = append(r.Damaged, in)
		}
	}
}

// status is that of the command: the worst that happened.
func (r *convertManyResult) status() int {
	switch {
	case len(r.Failed) > 0:
		return exitFailed
	case len(r.Damaged) > 0:
		return exitDifferent
	case len(r.There) > 0:
		return exitUsage
	}
	return exitDone
}

// runConvertMany converts several images, some at a time, and continues after one that fails.
func runConvertMany(ctx context.Context, a *app, args []string, o convertFlags) (result, error) {
	ins, dir := args[:len(args)-1], args[len(args)-1]
	all, others, err := o.plan(ctx, a, ins, dir)
	if err != nil {
		return nil, err
	}
	total := &convertManyResult{ending: done(), Others: others, dir: dir}
	bar := a.newProgress()
	defer bar.stop()
	advance := bar.step("converting")
	for _, c := range all {
		o.Keep = append(o.Keep, c.files...) // one may be about to replace what another is still to be made of
	}
	ends := convertAll(ctx, a, all, o)
	for i, c := range all {
		e := <-ends[i]
		bar.stop()
		a.repeat(e)
		total.take(c.in, e)
		advance(int64(i+1), int64(len(all)))
	}
	if err := ctx.Err(); err != nil {
		return nil, interruptedAt(err, "the images that were converted are kept", "The same command with --force converts all of them again.")
	}
	total.Status = total.status()
	if !o.remove {
		return total, nil
	}
	total.Deleted, err = deleteSources(deletable(ctx, a, total.sources, total.kept))
	if err != nil {
		a.show(total)
		return nil, err
	}
	return total, nil
}

// ended is how one of several conversions ended, and what it had to say.
type ended struct {
	status   int
	err      error
	out, log []byte   // for standard output, and for standard error
	sources  []string // files that the new image replaces
}

// repeat says what one of several conversions had to say.
func (a *app) repeat(e ended) {
	_, _ = a.stdout.Write(e.out) // it keeps its error
	_, _ = a.stderr.Write(e.log)
}

// convertAll converts images, mostAtOnce at a time, in their order.
func convertAll(ctx context.Context, a *app, all []conversion, o convertFlags) []chan ended {
	ends := make([]chan ended, len(all))
	for i := range ends {
		ends[i] = make(chan ended, 1)
	}
	var next sync.Mutex
	at := 0
	for range min(mostAtOnce, runtime.GOMAXPROCS(0)) {
		go func() {
			for {
				next.Lock()
				i := at
				at++
				next.Unlock()
				if i >= len(all) {
					return
				}
				ends[i] <- convertOne(ctx, a, all[i], o)
			}
		}()
	}
	return ends
}

// convertOne converts one image, and keeps its words.
func convertOne(ctx context.Context, a *app, c conversion, o convertFlags) ended {
	var e ended
	var out, log bytes.Buffer
	one := &app{databases: a.databases}
	one.console = console{stdout: &output{w: &out}, stderr: &log, json: a.json, quiet: true, color: a.color}
	one.deck.console = &one.console
	r, err := o.one(ctx, one, c) // an interrupted one leaves nothing
	e.err = err
	switch {
	case errors.Is(err, context.Canceled):
	case err != nil:
		m := explain(err)
		if !strings.Contains(m.what, c.in) {
			m.what = c.in + ": " + m.what
		}
		e.status = m.status
		f := failed(m)
		f.Event = "converted"
		one.show(&convertResult{ending: f, In: c.in})
	default:
		r.end().Event = "converted"
		e.status = r.end().Status
		if c, ok := r.(*convertResult); ok {
			e.sources = c.sources
		}
		one.show(r)
	}
	e.out, e.log = out.Bytes(), log.Bytes()
	return e
}

// one converts an image into a file, or into a folder of songs.
func (o convertFlags) one(ctx context.Context, a *app, c conversion) (result, error) {
	if err := errors.Join(ctx.Err(), c.err); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(strings.TrimSuffix(c.out, "/")), 0o777); err != nil {
		return nil, err
	}
	if strings.HasSuffix(c.out, "/") {
		return runConvertAlbum(ctx, a, c.in, c.out, o)
	}
	return runConvert(ctx, a, c.in, c.out, o)
}
