// Package image is the one door to disc image files: it opens any that spindle
// knows by its content, through compression, and creates new ones by the suffix
// of their name.
//
// The formats are packages that register themselves with image/format; this
// package links in those that are part of spindle. A program adds another by
// importing it.
package image

import (
	"context"
	"fmt"
	"path/filepath"

	"spindle/disc"
	"spindle/image/format"
	"spindle/image/isofile"

	// The formats.
	_ "spindle/image/blindwrite"
	_ "spindle/image/c2d"
	_ "spindle/image/ccd"
	_ "spindle/image/cdi"
	_ "spindle/image/chd"
	_ "spindle/image/cif"
	_ "spindle/image/cso"
	_ "spindle/image/cuefile"
	_ "spindle/image/daa"
	_ "spindle/image/dmg"
	_ "spindle/image/ecm"
	_ "spindle/image/foreign"
	_ "spindle/image/gdi"
	_ "spindle/image/harddisk"
	_ "spindle/image/isz"
	_ "spindle/image/mds"
	_ "spindle/image/nrgfile"
	_ "spindle/image/packediso"
	_ "spindle/image/parts"
	_ "spindle/image/scram"
	_ "spindle/image/toc"
	_ "spindle/image/uif"
	_ "spindle/image/vhd"
)

// ErrUnknown is returned for a file that is no image of a known format.
var ErrUnknown = format.ErrUnknown

// ErrCannotHold means that the format of the new file cannot hold the image.
var ErrCannotHold = format.ErrCannotHold

// ErrExists means that a file to be made is there already.
var ErrExists = format.ErrExists

// ErrSource means that a file to be made is one of those of the image that is read.
var ErrSource = format.ErrSource

// ErrChanged means that a file of the image changed while it was read.
var ErrChanged = format.ErrChanged

// CreateOptions say what to take of an image, and how to write it.
type CreateOptions = format.Options

// A Remark is what opening an image found that is no error, and that its user should know.
type Remark = format.Remark

// Created is what [Create] made.
type Created = format.Created

// Open opens an image file. The error wraps [ErrUnknown] when its content has
// no known format, and says what the file is where that can be seen. The flaws of
// the image are those that a map beside it states; see [format.FlawsBeside].
//
// Opening reads through some compressed files, and ends with ctx; the image does not.
// Each remark receives what is found that is no error; see [Remark]. Where there is none, a
// map that names the image and cannot be read is an error that wraps [ErrMap].
func Open(ctx context.Context, path string, remarks ...func(Remark)) (disc.Image, error) {
	file, err := format.OpenDamaged(ctx, path)
	if err != nil {
		return nil, err
	}
	remark := all(remarks)
	file.Observe(remark)
	f, err := find(file)
	if err == nil && f.Open == nil {
		err = fmt.Errorf("%s: %w: it is %s%s", path, ErrUnknown, f.Refusal, file.Partitions())
	}
	if err == nil && file.Damage != nil && !f.Salvages {
		err = file.Damage
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	img, err := f.Open(ctx, file)
	if err != nil {
		return nil, err
	}
	whole, err := withMaps(ctx, path, img, remark)
	if err == nil {
		whole, err = withChangedQ(ctx, path, whole, remark)
	}
	if err != nil {
		img.Close()
		return nil, err
	}
	return whole, nil
}

// all makes one function of several, or nil of none.
func all(remarks []func(Remark)) func(Remark) {
	if len(remarks) == 0 {
		return nil
	}
	return func(r Remark) {
		for _, to := range remarks {
			to(r)
		}
	}
}

// OpenAs opens an .iso as a disc of the given medium, as [Open] does. The error for a file that
// [Open] takes for an image of another format wraps [ErrUnknown].
func OpenAs(ctx context.Context, path string, medium disc.Medium, remarks ...func(Remark)) (disc.Image, error) {
	img, err := isofile.OpenAs(ctx, path, medium, all(remarks))
	if err != nil {
		return nil, err
	}
	whole, err := withMaps(ctx, path, img, all(remarks))
	if err != nil {
		img.Close()
		return nil, err
	}
	return whole, nil
}

// find recognises a file.
func find(file *format.File) (format.Format, error) {
	path := file.Path
	if file.Size == 0 {
		return format.Format{}, fmt.Errorf("%s: %w: it is empty", path, ErrUnknown)
	}
	p, err := format.NewProbe(file)
	if err != nil {
		return format.Format{}, err
	}
	f, ok := format.Find(p)
	if !ok && p.Damage != nil {
		return f, p.Damage
	}
	if !ok {
		return f, fmt.Errorf("%s: %w", path, ErrUnknown)
	}
	return f, nil
}

// Create writes an image in the format that the suffix of path names. All files
// are written under temporary names and renamed when they are whole; on an error
// none is left.
func Create(ctx context.Context, path string, img disc.Image, o CreateOptions) (*Created, error) {
	f, err := format.ForSuffix(filepath.Ext(path))
	if err != nil {
		return nil, fmt.Errorf("%q: %w", filepath.Base(path), err)
	}
	return format.Create(ctx, f, path, img, o)
}
