package iso

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sort"
)

// file is an open file. It implements [io.ReaderAt] and [io.Seeker] too.
type file struct {
	info
	*io.SectionReader
}

func (f *file) Size() int64                { return f.info.Size() }
func (f *file) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *file) Close() error               { return nil }

// openFile opens the content of a regular file.
func (f *FileSystem) openFile(i info) (fs.File, error) {
	runs, inline, err := i.e.place()
	if err != nil {
		return nil, err
	}
	if i.e.hfs != nil && i.e.hfs.packed != nil {
		return &file{i, io.NewSectionReader(i.e.hfs.packed, 0, i.e.Size)}, nil
	}
	return &file{i, io.NewSectionReader(newContent(f.r, runs, inline), 0, i.e.Size)}, nil
}

// content is what is in a file: bytes of its entry, and runs on the disc behind them.
type content struct {
	r      io.ReaderAt
	inline []byte
	runs   []run
	ends   []int64 // where in the file each run ends
}

func newContent(r io.ReaderAt, runs []run, inline []byte) *content {
	c := &content{r: r, inline: inline, runs: runs, ends: make([]int64, len(runs))}
	end := int64(len(inline))
	for i, x := range runs {
		end += x.size
		c.ends[i] = end
	}
	return c
}

// ReadAt implements [io.ReaderAt]. A file of which there is less than its size ends with
// [io.ErrUnexpectedEOF].
func (c *content) ReadAt(p []byte, off int64) (int, error) {
	done := 0
	if off < int64(len(c.inline)) {
		done = copy(p, c.inline[off:])
	}
	for i := sort.Search(len(c.ends), func(i int) bool { return c.ends[i] > off+int64(done) }); done < len(p) && i < len(c.runs); i++ {
		r := c.runs[i]
		in := off + int64(done) - (c.ends[i] - r.size)
		part := p[done:]
		part = part[:min(int64(len(part)), r.size-in)]
		if r.block < 0 {
			clear(part)
			done += len(part)
			continue
		}
		n, err := c.r.ReadAt(part, r.block*BlockSize+r.skip+in)
		done += n
		if n < len(part) {
			if err == nil || errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return done, err
		}
	}
	if done < len(p) {
		return done, fmt.Errorf("the file system has %d bytes of it: %w", off+int64(done), io.ErrUnexpectedEOF)
	}
	return done, nil
}

// openDir is an open directory.
type openDir struct {
	info
	list []fs.DirEntry
	err  error // after the list
}

func (d *openDir) Stat() (fs.FileInfo, error) { return d.info, nil }
func (d *openDir) Close() error               { return nil }

func (d *openDir) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: d.name, Err: fs.ErrInvalid}
}

// ReadDir implements [fs.ReadDirFile].
func (d *openDir) ReadDir(n int) ([]fs.DirEntry, error) {
	if n <= 0 {
		list := d.list
		d.list = nil
		return list, d.err
	}
	if len(d.list) == 0 {
		if d.err != nil {
			return nil, d.err
		}
		return nil, io.EOF
	}
	n = min(n, len(d.list))
	list := d.list[:n:n]
	d.list = d.list[n:]
	return list, nil
}
