package iso

import (
	"io/fs"
	"time"
)

// An Entry is what a disc says about a file, a directory or a symbolic link. The Sys
// method of a [fs.FileInfo] from a [FileSystem] returns a *Entry, which must not be
// changed.
type Entry struct {
	Name string // in UTF-8; see [FileSystem] for the mapping
	// Mode has the type and the permissions: those of Rock Ridge or UDF, or 0444
	// (0555 for a directory) where HasMode is not set.
	Mode fs.FileMode
	// HasMode reports whether the disc states permissions, UID and GID.
	HasMode  bool
	UID, GID uint32 // of UDF, 0xFFFFFFFF: not stated
	Size     int64  // bytes; 0 for what is not a regular file

	// The times that the disc states; zero for those that it does not.
	ModTime, AccessTime, CreateTime time.Time

	Link       string // the target of a symbolic link
	Hidden     bool   // not to be shown to users (ECMA-119 9.1.6, ECMA-167 4/14.4.3)
	Associated bool   // an associated file, such as the resource fork of a Mac's file
	Audio      bool   // its sectors are those of an audio track (System Description CD-ROM XA, II 2.7: attribute bit 14)

	extents []run    // ISO 9660
	hfs     *hfsFile // HFS
	dir     ref      // of a directory: its records
	udf     *udfTree // UDF: the file entry is at icb
	icb     udfAddr
	err     error // why nothing is known but the name
}

// Extent is a run of bytes of a file.
type Extent struct {
	Block int64 // of 2048 bytes, where it begins
	Size  int64 // bytes, from the beginning of that block on
}

// Extents returns where a file lies on the disc. A small file of UDF may lie in its
// file entry, and has none; holes, which read as zeros, are left out. The error wraps
// [ErrFileSystem].
func (e *Entry) Extents() ([]Extent, error) {
	runs, _, err := e.place()
	var all []Extent
	for _, r := range runs {
		if r.block >= 0 {
			all = append(all, Extent{r.block, r.skip + r.size})
		}
	}
	return all, err
}

// IsDir reports whether the entry is a directory.
func (e *Entry) IsDir() bool { return e.Mode.IsDir() }

// place finds the content of a file: what stands in its entry, and behind that runs on the disc.
func (e *Entry) place() (runs []run, inline []byte, err error) {
	switch {
	case e.udf != nil && e.Mode.IsRegular():
		return e.udf.place(e.icb)
	case e.hfs != nil:
		return e.hfs.place()
	}
	return e.extents, nil, e.err
}

// run is a run of bytes of a file. Its block is -1 for a hole.
type run struct {
	block, size int64
	skip        int64 // bytes of the block in front of it, which files of HFS have
}

// ref is where a directory is: a block, of a partition in UDF, and in ISO 9660 its size
// in bytes.
type ref struct {
	block int64
	part  int
	size  int64
}

// info is an entry as [fs.FileInfo] and [fs.DirEntry].
type info struct {
	name string // as it was asked for
	e    *Entry
}

func (i info) Name() string       { return i.name }
func (i info) Size() int64        { return i.e.Size }
func (i info) Mode() fs.FileMode  { return i.e.Mode }
func (i info) ModTime() time.Time { return i.e.ModTime }
func (i info) IsDir() bool        { return i.e.IsDir() }
func (i info) Sys() any           { return i.e }
func (i info) Type() fs.FileMode  { return i.e.Mode.Type() }
func (i info) String() string     { return fs.FormatDirEntry(i) }

// Info implements [fs.DirEntry]. Its error says why only the name could be read.
func (i info) Info() (fs.FileInfo, error) { return i, i.e.err }
