package vhd

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf16"

	"spindle/image/format"
	"spindle/internal/blocks"
)

// maxParents bounds how many disks are one another's parents.
const maxParents = 16

// errNoParent means that a disk holds only what differs from another one, which is missing.
var errNoParent = errors.New("it holds only what differs from its parent")

// parent opens the parent of a differencing disk, which is padded with zeros where it is smaller.
func (o *opener) parent(ctx context.Context, f *format.File, h *header, foot *footer) (io.ReaderAt, error) {
	if len(o.paths) > maxParents {
		return nil, fmt.Errorf("%w: more than %d are one another's parents", errKind, maxParents)
	}
	d, err := o.findParent(ctx, filepath.Dir(f.Path), h)
	if err != nil {
		return nil, err
	}
	return format.Padded(d.r, min(foot.size, d.footer.size)), nil
}

// findParent opens the parent in a folder: by the names that the disk states, and then among all
// others. Its unique id has to be the one that is stated. Where several have it, it is the first of
// them that can be opened: the others are damaged copies.
func (o *opener) findParent(ctx context.Context, dir string, h *header) (*opened, error) {
	names := h.parentNames()
	var candidates []string
	for _, name := range names {
		if path, err := format.FindCompanion(dir, name); err == nil {
			candidates = append(candidates, path)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if ext := strings.ToLower(filepath.Ext(e.Name())); ext == ".vhd" || ext == ".avhd" {
			candidates = append(candidates, filepath.Join(dir, e.Name()))
		}
	}
	var damaged error
	other := ""
	for _, path := range candidates {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if slices.Contains(o.paths, path) { // it would be its own parent
			continue
		}
		d, err := o.openParent(ctx, path, h.parentID)
		switch {
		case d != nil:
			return d, nil
		case err != nil:
			damaged = cmp.Or(damaged, err)
		case other == "" && slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(filepath.Base(path), lastPart(n)) }):
			other = path
		}
	}
	return nil, cmp.Or(damaged, h.noParent(other, names))
}

// noParent is the error for a parent that is not there. The other file has its name, where there is one.
func (h *header) noParent(other string, names []string) error {
	if other != "" {
		return fmt.Errorf("%w: %s has another unique id than %s, and no other .vhd beside it has that one: %w",
			errNoParent, filepath.Base(other), diskID(h.parentID), os.ErrNotExist)
	}
	name := "a disk"
	if len(names) > 0 {
		name = fmt.Sprintf("%q", lastPart(names[0]))
	}
	return fmt.Errorf("%w: %s with the unique id %s, which is not beside it: %w", errNoParent, name, diskID(h.parentID), os.ErrNotExist)
}

// openParent opens a file, if it is a disk that has an id, with its parents.
func (o *opener) openParent(ctx context.Context, path string, id [16]byte) (*opened, error) {
	f, err := format.OpenStored(ctx, path)
	if err != nil {
		return nil, nil // it may be anything
	}
	if foot, _, err := readFooter(f, f.Size); err != nil || f.Damage != nil || f.Cut || foot.id != id {
		f.Close()
		return nil, nil
	}
	its := opener{paths: append(slices.Clip(o.paths), path), closers: []io.Closer{f}}
	d, err := its.open(ctx, f)
	if err == nil && d.cut {
		err = fmt.Errorf("%w: it is cut short", errFormat)
	}
	if err != nil {
		its.close()
		return nil, fmt.Errorf("its parent %s: %w", filepath.Base(path), err)
	}
	o.paths, o.closers = its.paths, append(o.closers, its.closers...)
	return d, nil
}

// lastPart is the name of a file without its folders, of any system.
func lastPart(path string) string { return path[strings.LastIndexAny(path, `/\`)+1:] }

// parentNames are the names that the header, and the paths that it points to, give the parent.
func (h *header) parentNames() []string {
	var names []string
	add := func(b []byte, order binary.ByteOrder) {
		var text []uint16
		for i := 0; i+1 < len(b); i += 2 {
			c := order.Uint16(b[i:])
			if c == 0 {
				break
			}
			text = append(text, c)
		}
		if name := string(utf16.Decode(text)); name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	add(h.raw[64:64+512], binary.BigEndian)
	const locators, size, count, longest = 576, 24, 8, 4096
	for i := range count {
		l := h.raw[locators+i*size:][:size]
		length, at := int64(binary.BigEndian.Uint32(l[8:])), int64(binary.BigEndian.Uint64(l[16:]))
		if code := string(l[:4]); code != "W2ru" && code != "W2ku" || length > longest || at < 0 || at > h.disk.stored-length {
			continue
		}
		b := make([]byte, length)
		if blocks.ReadFull(h.disk.r, b, at) == nil {
			add(b, binary.LittleEndian)
		}
	}
	return names
}
