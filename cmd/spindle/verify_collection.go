package main

import (
	"context"
	"fmt"
	"os"

	"spindle/check"
	"spindle/check/dat"
	"spindle/internal/printable"
)

// isCollection reports whether verify is given a folder of images to compare with DAT files.
func isCollection(path, with string) bool {
	st, err := os.Stat(path)
	return with != "" && !isSumFile(with) && isDATFile(with) && !isDriveName(path) && err == nil && st.IsDir()
}

// collectedImage is what was found of one image of a collection.
type collectedImage struct {
	Event   string `json:"event"` // image
	Image   string `json:"image"`
	Game    string `json:"game,omitempty"` // that it is
	DAT     string `json:"dat,omitempty"`  // that lists Game, or Near
	Near    string `json:"near,omitempty"` // the disc that it nearly is
	Differ  []int  `json:"differ,omitempty"`
	Damaged int    `json:"damaged,omitempty"` // sectors with wrong codes, or that a map lists
	Error   string `json:"error,omitempty"`

	match dat.Match
}

func (c *collectedImage) Text(p *page) {
	is := "no DAT file lists it"
	if c.Game+c.Near != "" {
		is = datText(p, c.match)
	}
	if c.Damaged > 0 {
		is += "; " + string(p.red(plural(c.Damaged, "sector")+" damaged"))
	}
	if c.Error != "" {
		is = string(p.red(printable.Line(c.Error)))
	}
	p.text("%s: %s", c.Image, painted(is))
}

// collectionResult is the result of verify for a folder of images.
type collectionResult struct {
	ending
	Folder  string            `json:"folder"`
	Images  int               `json:"images"`
	Listed  int               `json:"listed"`
	Wrong   int               `json:"wrong"`   // of which only some tracks are those that are listed
	Damaged int               `json:"damaged"` // whatever they are
	Unknown int               `json:"unknown"`
	Failed  int               `json:"failed"` // that could not be read
	Others  int               `json:"others"` // files that are no images
	DATs    []collectionShare `json:"dats"`
}

// collectionShare is how much of a DAT file a collection holds.
type collectionShare struct {
	DAT     string   `json:"dat"`
	Discs   int      `json:"discs"`
	Have    int      `json:"have"`
	Missing []string `json:"missing"`
}

// mostMissing is how many missing discs of a DAT file are named.
const mostMissing = 20

func (r *collectionResult) Text(p *page) {
	p.text("%s: %d listed, %d wrong, %d damaged, %d unknown, %d not readable.", plural(r.Images, "image"), r.Listed, r.Wrong, r.Damaged, r.Unknown, r.Failed)
	for _, d := range r.DATs {
		p.line("%s: %d of %s", d.DAT, d.Have, plural(d.Discs, "disc"))
		for i, name := range d.Missing {
			if i == mostMissing {
				p.line("  and %d more (--json lists all)", len(d.Missing)-i)
				break
			}
			p.line("  missing: %s", printable.Line(name))
		}
	}
	if r.Others > 0 {
		is := "are no images"
		if r.Others == 1 {
			is = "is no image"
		}
		p.line("%s %s.", plural(r.Others, "other file"), is)
	}
}

// take counts an image.
func (r *collectionResult) take(c *collectedImage) {
	r.Images++
	switch {
	case c.Error != "":
		r.Failed++
	case c.Game != "":
		r.Listed++
	case c.Near != "":
		r.Wrong++
	default:
		r.Unknown++
	}
	if c.Damaged > 0 {
		r.Damaged++
	}
}

// runVerifyCollection compares all images in a folder with DAT files.
func runVerifyCollection(ctx context.Context, a *app, folder string, o verifyFlags) (result, error) {
	if o.noHashes || o.repair != "" || o.accurateRip != "" || len(o.ctdb) > 0 || o.lookup {
		return nil, usage("a folder of images is compared with DAT files by hashes alone: leave out the other options, or name one image")
	}
	x, err := openDATs(ctx, a, o.with)
	if err != nil {
		return nil, err
	}
	defer x.Close()
	images, others, err := findImages(ctx, []string{folder})
	if err != nil {
		return nil, err
	}
	if len(images) == 0 {
		return nil, usage("there is no image in %s", folder)
	}
	r := &collectionResult{ending: done(), Folder: folder, Others: others}
	held := map[[2]string]bool{} // by DAT file and name
	bar := a.newProgress()
	defer bar.stop()
	for i, f := range images {
		c, err := collect(ctx, a, x, f.path, bar.step(fmt.Sprintf("checking %d of %d", i+1, len(images))))
		bar.stop()
		if err != nil {
			return nil, err
		}
		if c.Game != "" {
			held[[2]string{c.DAT, c.Game}] = true
		}
		a.show(c)
		r.take(c)
	}
	if r.DATs, err = shares(ctx, x, held); err != nil {
		return nil, err
	}
	switch {
	case r.Failed > 0:
		r.Status = exitFailed
	case r.Wrong+r.Damaged > 0:
		r.Status = exitDifferent
	}
	return r, nil
}

// collect checks one image, and looks for it.
func collect(ctx context.Context, a *app, x *dat.Index, path string, progress func(done, total int64)) (*collectedImage, error) {
	c := &collectedImage{Event: "image", Image: path}
	img, found, err := openImage(ctx, a, path)
	if err == nil {
		defer img.Close()
		var rep *check.Report
		if rep, err = check.Sectors(ctx, img, check.Options{Progress: progress}); err == nil {
			c.Damaged = img.Flaws().Union(badFlaws(rep.Bad)).Sectors()
			c.match, err = x.Find(rep.Disc())
		}
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		c.Error = explain(err).what
		return c, nil
	}
	if found.noteWithSub(a, exitDone) != exitDone { // nobody knows which sectors are not right
		c.Damaged = max(c.Damaged, 1)
	}
	c.Game, c.Near, c.Differ, c.DAT = c.match.Name, c.match.Near, c.match.Differ, c.match.File
	return c, nil
}

// shares says how much is there of each DAT file of which something is.
func shares(ctx context.Context, x *dat.Index, held map[[2]string]bool) ([]collectionShare, error) {
	sources := x.Sources()
	all := make([]collectionShare, len(sources))
	for i := range x.Len() {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		g, source, err := x.Game(i)
		if err != nil {
			return nil, err
		}
		s := &all[source]
		s.Discs++
		if held[[2]string{sources[source].Name(), g.Name}] {
			s.Have++
		} else {
			s.Missing = append(s.Missing, g.Name)
		}
	}
	var some []collectionShare
	for i, s := range all {
		if s.Have > 0 || len(all) == 1 {
			s.DAT = sources[i].Name()
			some = append(some, s)
		}
	}
	return some, nil
}
