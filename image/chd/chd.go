// Package chd opens CHD files: discs, and what else MAME's chdman stores in them. It writes
// those of CDs and DVDs.
package chd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"spindle/disc"
	"spindle/image/chd/hunks"
	"spindle/image/format"
	"spindle/image/isofile"
)

func init() {
	format.Register(format.Format{
		Name: "CHD", Suffixes: []string{".chd"}, Match: match, Open: openFile, Create: create,
	})
}

func match(p *format.Probe) format.Score {
	if bytes.HasPrefix(p.Head, []byte(hunks.Magic)) {
		return format.Sure
	}
	return format.No
}

func openFile(ctx context.Context, f *format.File) (disc.Image, error) {
	o := opener{files: f.Files(), closers: []io.Closer{f}}
	img, err := o.open(ctx, f)
	if err != nil {
		o.close()
		return nil, fmt.Errorf("%s: %w", f.Path, err)
	}
	return img, nil
}

// opener opens a CHD and those that it needs.
type opener struct {
	files   []string
	closers []io.Closer
}

func (o *opener) close() {
	for _, c := range o.closers {
		c.Close()
	}
}

func (o *opener) open(ctx context.Context, f *format.File) (disc.Image, error) {
	if err := f.NeedWhole(); err != nil {
		return nil, err
	}
	h, err := o.openHunks(ctx, f)
	if err != nil {
		return nil, err
	}
	o.describe(f, h)
	changed := h.CheckMetadata()
	c, err := contentsOf(h)
	if err == nil && c == nil {
		c, err = bare(f, h)
	}
	switch {
	case err != nil && changed != nil:
		return nil, fmt.Errorf("%w (%w)", changed, err)
	case err != nil:
		return nil, err
	case changed != nil:
		doubt(c)
		f.Remark(format.Remark{Kind: format.DamagedFile, File: f.Path, Err: fmt.Errorf("%s: %w", f.Path, changed)})
	}
	c.Files, c.Closers = o.files, o.closers
	return disc.NewImage(*c)
}

// doubt makes flaws of all sectors: what they are of is not known for sure.
func doubt(c *disc.Contents) {
	for _, e := range c.Extents {
		c.Flaws = c.Flaws.Union(disc.FlawsOf(disc.Flaw{First: e.First, Count: e.Count, Kind: disc.ReadWithErrors}))
	}
}

// describe reports how the content is stored, and how its checksums are compared.
func (o *opener) describe(f *format.File, h *hunks.File) {
	l := format.Layer{
		File: f.Path, Name: fmt.Sprintf("CHD version %d", h.Version()), Codec: strings.Join(h.Codecs(), ", "),
		Stored: f.Size, Size: h.Size(), Inner: filepath.Base(f.Path), Files: o.files[len(f.Files()):],
	}
	if names := h.Sums(); len(names) > 0 {
		l.Sums = strings.Join(names, " and ")
		l.Check, l.Blind = h.Check, len(h.Codecs()) == 0 // then its hunks have no checksums
		l.Watch = func() func() (bool, error) {
			h.Watch()
			return h.Watched
		}
	}
	f.Remark(format.Remark{Kind: format.InLayer, File: f.Path, Layer: &l})
}

// maxParents bounds how many parents are one another's.
const maxParents = 16

// errNoParent means that a CHD holds only what differs from another one, which is missing.
var errNoParent = errors.New("it holds only what differs from its parent")

// openHunks opens the CHD in a file, and its parents.
func (o *opener) openHunks(ctx context.Context, f *format.File) (*hunks.File, error) {
	h, err := hunks.Open(f.ReaderAt, f.Size)
	if err != nil {
		return nil, err
	}
	id, ok := h.Parent()
	if !ok {
		return h, nil
	}
	if len(o.files) > maxParents {
		return nil, fmt.Errorf("%w: more than %d are one another's parents", hunks.ErrUnsupported, maxParents)
	}
	parent, err := o.findParent(ctx, filepath.Dir(f.Path), id)
	if err != nil {
		return nil, err
	}
	h.SetParent(parent)
	return h, nil
}

// findParent opens the CHD in a folder that has an id. Where several have it, it is the first of
// them that can be opened: the others are damaged copies.
func (o *opener) findParent(ctx context.Context, dir string, id hunks.ID) (*hunks.File, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var damaged error
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if !strings.EqualFold(filepath.Ext(e.Name()), ".chd") || slices.Contains(o.files, path) { // it would be its own parent
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		h, err := o.openParent(ctx, path, id)
		if h != nil {
			return h, nil
		}
		if damaged == nil {
			damaged = err
		}
	}
	if damaged != nil {
		return nil, damaged
	}
	return nil, fmt.Errorf("%w: no other .chd in %s has the %v: %w", errNoParent, dir, id, os.ErrNotExist)
}

// openParent opens a file, if it is a CHD that has an id, with its parents.
func (o *opener) openParent(ctx context.Context, path string, id hunks.ID) (*hunks.File, error) {
	f, err := format.OpenFile(ctx, path)
	if err != nil {
		return nil, nil // it may be anything
	}
	if own, err := hunks.Identify(f, f.Size); err != nil || !id.Names(own) {
		f.Close()
		return nil, nil
	}
	its := opener{files: append(slices.Clip(o.files), path), closers: []io.Closer{f}}
	h, err := its.openHunks(ctx, f)
	if err != nil {
		its.close()
		return nil, fmt.Errorf("its parent %s: %w", filepath.Base(path), err)
	}
	o.files, o.closers = its.files, append(o.closers, its.closers...)
	return h, nil
}

// bare opens what has no metadata that say which disc it is, as what they hold is opened when
// it is a file of its own. What is no file system of a disc is blocks: a hard disk, most often.
func bare(f *format.File, h *hunks.File) (*disc.Contents, error) {
	inner := *f
	inner.ReaderAt, inner.Size = h, h.Size()
	img, err := isofile.Recover(&inner)
	if err != nil {
		return blocks(h, disc.MediumFor)
	}
	c := &disc.Contents{Layout: img.Layout(), Flaws: img.Flaws()}
	for _, t := range c.Layout.Tracks() {
		for a := t.Begin(); a < t.End; {
			e, _ := img.ExtentAt(a)
			c.Extents = append(c.Extents, e)
			a += disc.LBA(max(1, e.Count))
		}
	}
	return c, nil
}
