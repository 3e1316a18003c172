package iso

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"spindle/hfs"
)

// hfsTree is the file system of a volume of HFS or HFS Plus. Its directories are known by their
// numbers.
type hfsTree struct {
	r     io.ReaderAt
	v     *hfs.Volume
	forks bool // shows resource forks
}

// openHFS opens the volume of HFS in r.
func (c Choice) openHFS(r io.ReaderAt) (*FileSystem, error) {
	v, err := hfs.Open(r)
	if errors.Is(err, hfs.ErrNone) {
		return nil, ErrNoVolume
	}
	if err != nil {
		return nil, badHFS(err)
	}
	t := &hfsTree{r, v, c.ResourceForks}
	return newFileSystem(r, t, &Entry{Mode: fs.ModeDir | 0o555, dir: ref{block: hfs.RootID}}), nil
}

// list implements tree.
func (t *hfsTree) list(dir ref) ([]*Entry, error) {
	items, err := t.v.List(uint32(dir.block))
	entries := make([]*Entry, 0, len(items))
	for _, i := range items {
		entries = append(entries, t.entry(i))
		if i.Compressed && entries[len(entries)-1].hfs.packed != nil {
			i.Resource = hfs.Fork{} // it is where the data are, and not shown by a Mac either
		}
		if t.forks && !i.Folder && (i.Resource.Size > 0 || i.FinderInfo != [32]byte{}) {
			entries = append(entries, t.double(i))
		}
	}
	return entries, badHFS(err)
}

// badHFS is the error for a volume that makes no sense, and for others the error that it is.
func badHFS(err error) error {
	if errors.Is(err, hfs.ErrFormat) {
		return fmt.Errorf("%w: %w", ErrFileSystem, err)
	}
	return err
}

// entry makes the entry of a file or a folder.
func (t *hfsTree) entry(i *hfs.Item) *Entry {
	e := &Entry{Name: cleanName(i.Name), Mode: 0o444, Hidden: i.Invisible, ModTime: i.Modified, AccessTime: i.Accessed, CreateTime: i.Created}
	if i.Mode != 0 {
		e.HasMode, e.UID, e.GID, e.Mode = true, i.UID, i.GID, fs.FileMode(i.Mode&0o777)
	}
	if i.Folder {
		e.dir = ref{block: int64(i.ID)}
		if e.Mode |= fs.ModeDir; !e.HasMode {
			e.Mode |= 0o555
		}
		return e
	}
	e.Mode |= posixTypes[uint32(i.Mode)&typeBits] &^ fs.ModeDir
	e.hfs = &hfsFile{v: t.v, fork: i.Data}
	switch {
	case e.Mode&fs.ModeSymlink != 0:
		e.Link, e.err = t.link(e.hfs)
	case i.Compressed:
		t.packed(e, i)
	case e.Mode.IsRegular():
		e.Size = i.Data.Size
	}
	return e
}

// packed finds the content of a file that the file system compresses.
func (t *hfsTree) packed(e *Entry, i *hfs.Item) {
	p, err := t.v.Packed(i)
	if err != nil {
		e.hfs.err = badHFS(err)
		return
	}
	e.Size, e.hfs.packed, e.hfs.fork = p.Size, p, hfs.Fork{}
	if p.InFork {
		e.hfs.fork = i.Resource
	}
}

// link reads where a symbolic link leads.
func (t *hfsTree) link(f *hfsFile) (string, error) {
	const most = 4096
	if f.fork.Size > most {
		return "", fmt.Errorf("%w: a link of %d bytes", ErrFileSystem, f.fork.Size)
	}
	runs, _, err := f.place()
	if err != nil {
		return "", err
	}
	b, err := io.ReadAll(io.NewSectionReader(newContent(t.r, runs, nil), 0, f.fork.Size))
	return validText(string(b)), err
}

// hfsFile is a fork as the content of a file.
type hfsFile struct {
	v      *hfs.Volume
	fork   hfs.Fork
	before []byte      // what stands in front of it
	packed *hfs.Packed // what it is unpacked to, or nil
	err    error
}

// place finds the content of the file.
func (f *hfsFile) place() (runs []run, inline []byte, err error) {
	if f.err != nil {
		return nil, nil, f.err
	}
	found, err := f.v.Runs(&f.fork)
	if err != nil {
		return nil, nil, badHFS(err)
	}
	for _, r := range found {
		runs = append(runs, run{block: r.At / BlockSize, skip: r.At % BlockSize, size: r.Size})
	}
	return runs, f.before, nil
}

// double makes the AppleDouble file of an item: what the Finder keeps of it, and its resource fork
// (RFC 1740, appendix B).
func (t *hfsTree) double(i *hfs.Item) *Entry {
	const (
		finderInfo, resource = 9, 2 // entries
		entries              = 26   // where they are listed
		infoAt               = entries + 2*12
		forkAt               = infoAt + 32
	)
	be := binary.BigEndian
	b := be.AppendUint32(nil, 0x00051607)
	b = be.AppendUint32(b, 0x00020000)
	b = append(b, "Mac OS X        "...)
	b = be.AppendUint16(b, 2)
	for _, x := range [][3]uint32{{finderInfo, infoAt, 32}, {resource, forkAt, uint32(i.Resource.Size)}} {
		b = be.AppendUint32(be.AppendUint32(be.AppendUint32(b, x[0]), x[1]), x[2])
	}
	b = append(b, i.FinderInfo[:]...)
	e := &Entry{
		Name: "._" + cleanName(i.Name), Mode: 0o444, ModTime: i.Modified, AccessTime: i.Accessed, CreateTime: i.Created,
		Size: int64(len(b)) + i.Resource.Size, hfs: &hfsFile{v: t.v, fork: i.Resource, before: b},
	}
	if i.Resource.Size > 1<<32-1 {
		e.hfs.err = fmt.Errorf("%w: a resource fork of %d bytes", ErrFileSystem, i.Resource.Size)
	}
	return e
}
