// Package author makes the image of a data disc from a folder: ISO 9660 (ECMA-119)
// with the names of Rock Ridge (IEEE P1282) and Joliet, files of any size, and boot
// images (El Torito).
//
// The library kdomanski/iso9660, which judges this package in its tests, authors plain
// ISO 9660 only: no Joliet, no Rock Ridge, no links; names are shortened, and of two
// that become the same one file is kept; every file is copied to a temporary folder
// first; a file of 4 GiB does not fit. (What it does not read, package iso tests.)
package author

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"spindle/internal/atomicfile"
)

// blockSize is the number of bytes of a sector.
const blockSize = 2048

// Options say what image to make.
type Options struct {
	Label       string // volume label, up to 32 characters
	Publisher   string
	Application string
	NoJoliet    bool
	NoRockRidge bool
	Boot        []Boot
	// Time is that of the volume, and the latest that a file gets: with it, the
	// same folder gives the same image at any time.
	Time time.Time
	// Force replaces an existing file. For one that lies in the folder itself, the error
	// wraps [ErrSource].
	Force bool
	// Progress receives how many bytes of how many are written. It may be nil.
	Progress func(done, total int64)
}

// A Boot is a boot image, which is a file of the folder (El Torito 1.0, no
// emulation).
type Boot struct {
	Path string // below the folder, with slashes
	UEFI bool   // for UEFI; else for a PC's BIOS
	// LoadSectors is how many sectors of 512 bytes the BIOS loads: 4 for 0.
	LoadSectors int
	// InfoTable has the place of the volume and of the file written into the
	// file, as ISOLINUX and GRUB want it.
	InfoTable bool
}

// Made is what was made.
type Made struct {
	Sectors int
	Files   int
	Folders int
	// Left names what was left out, and why: devices, pipes, sockets.
	Left []string
	// Renamed are the files and folders whose names differ in Joliet, and what they are there: too long
	// ones, and those with characters that it forbids.
	Renamed [][2]string
	// Deep is set when folders lie more than eight deep, which ECMA-119 does
	// not foresee, though no system of today minds.
	Deep bool
}

// ErrLabel is returned for a label that does not fit.
var ErrLabel = errors.New("a label has up to 32 characters of ASCII")

// ErrBoot is what errors about boot images wrap.
var ErrBoot = errors.New("cannot boot from it")

// ErrChanged is returned when a file changes while the image is made.
var ErrChanged = errors.New("changed while it was read")

// ErrExists means that the file to be made is there already.
var ErrExists = errors.New("already exists")

// ErrSource means that the file to be made is one of the folder that it is made of.
var ErrSource = atomicfile.ErrSource

// Create makes the image of the folder dir in the file path, under a temporary name
// until it is whole; on an error, nothing is left.
func Create(ctx context.Context, path, dir string, o Options) (*Made, error) {
	if _, err := os.Lstat(path); err == nil && !o.Force {
		return nil, fmt.Errorf("%s %w", path, ErrExists)
	}
	v, err := plan(dir, path, o)
	if err != nil {
		return nil, err
	}
	f, err := atomicfile.Create(path)
	if err != nil {
		return nil, err
	}
	defer f.Discard()
	if err := v.write(ctx, f.File); err != nil {
		return nil, f.Error(err)
	}
	commit := f.CommitNew
	if o.Force {
		commit = f.Commit
	}
	if err := commit(); errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("%s %w", path, ErrExists)
	} else if err != nil {
		return nil, err
	}
	return &v.made, nil
}

// volume is an image that is being made.
type volume struct {
	o     Options
	root  *node
	dirs  []*node // breadth first, as the path tables list them
	files []*node // with content, in the order of their content
	boot  []bootImage
	made  Made

	primary, joliet tree
	catalog         uint32 // block of the boot catalogue
	end             uint32 // blocks
}

// bootImage is a boot image that was found.
type bootImage struct {
	Boot
	node *node
}

// tree is a hierarchy of directory records, with its path tables.
type tree struct {
	joliet     bool
	tableSize  uint32 // bytes
	tableL     uint32 // blocks: least significant byte first,
	tableM     uint32 // and last
	tableBlock uint32 // blocks of a table
}

// plan scans the folder and places everything. The file at out, which will be replaced,
// must not be in it.
func plan(dir, out string, o Options) (*volume, error) {
	if len(o.Label) > 32 || strings.IndexFunc(o.Label, func(r rune) bool { return r < ' ' || r > '~' }) >= 0 {
		return nil, fmt.Errorf("%w: %q", ErrLabel, o.Label)
	}
	if o.Time.IsZero() {
		o.Time = time.Now()
	}
	v := &volume{o: o, joliet: tree{joliet: true}}
	if err := v.scan(dir, out); err != nil {
		return nil, err
	}
	if err := v.findBoot(); err != nil {
		return nil, err
	}
	v.name()
	if err := v.place(); err != nil {
		return nil, err
	}
	return v, nil
}

func (v *volume) findBoot() error {
	for _, b := range v.o.Boot {
		n := v.root.find(strings.Split(strings.Trim(b.Path, "/"), "/"))
		if n == nil || !n.mode.IsRegular() {
			return fmt.Errorf("boot image %q: %w: there is no such file in the folder", b.Path, ErrBoot)
		}
		const infoTable = 64
		if n.size == 0 || b.InfoTable && n.size < infoTable {
			return fmt.Errorf("boot image %q: %w: it has %d bytes", b.Path, ErrBoot, n.size)
		}
		v.boot = append(v.boot, bootImage{b, n})
	}
	return nil
}
