package dat

import (
	"archive/zip"
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"spindle/internal/atomicfile"
	"spindle/internal/regular"
)

// IsFile reports whether a name is that of a DAT file, or of an archive of them.
func IsFile(name string) bool {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".dat", ".xml", ".zip":
		return true
	}
	return false
}

// Open opens the index of the DAT files in a folder and those below it, or of one file, also in
// ZIP archives, as databases distribute them. The index is kept in the folder cache, and made
// again when a DAT file changed. A DAT file that cannot be used is left out; its [Source] says
// why. When none can be used, the error wraps [ErrSyntax] or [fs.ErrNotExist].
func Open(ctx context.Context, path, cache string) (*Index, error) {
	sources, err := list(path)
	if err != nil {
		return nil, err
	}
	if len(sources) == 0 {
		return nil, fmt.Errorf("%s: there is no DAT file in it (.dat, .xml or .zip): %w", path, fs.ErrNotExist)
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	name := sha256.Sum256([]byte(abs))
	kept := filepath.Join(cache, hex.EncodeToString(name[:8])+".index")
	if x, err := openKept(kept, sources); err == nil {
		return x, nil
	}
	x, err := create(ctx, kept, sources, writeIndex)
	if err != nil {
		return nil, err
	}
	if x.Len() == 0 {
		defer x.Close()
		for _, s := range x.Sources() {
			if s.Err != "" {
				return nil, fmt.Errorf("%s: %w: %s", s.Name(), ErrSyntax, strings.TrimPrefix(s.Err, ErrSyntax.Error()+": "))
			}
		}
		return nil, fmt.Errorf("%s: %w", path, ErrSyntax)
	}
	return x, nil
}

// list finds the DAT files in a folder, or takes the one that is named.
func list(path string) ([]Source, error) {
	var all []Source
	err := filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || p != path && !IsFile(p) {
			return err
		}
		st, err := os.Stat(p)
		if err != nil || !st.Mode().IsRegular() {
			return err
		}
		all = append(all, Source{Path: p, Size: st.Size(), Time: st.ModTime().UnixNano()})
		return nil
	})
	return all, err
}

// openKept opens an index that was made before, if it is of these files as they are now.
func openKept(path string, sources []Source) (*Index, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	x, err := openFile(f)
	if err != nil {
		f.Close()
		return nil, err
	}
	same := func(a, b Source) bool { return a.Path == b.Path && a.Size == b.Size && a.Time == b.Time }
	if !slices.EqualFunc(x.files(), sources, same) {
		x.Close()
		return nil, errIndex
	}
	return x, nil
}

func openFile(f *os.File) (*Index, error) {
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	x, err := readIndex(f, st.Size())
	if err != nil {
		return nil, err
	}
	x.close = f.Close
	return x, nil
}

// files are the sources, those in one archive as one.
func (x *Index) files() []Source {
	return slices.CompactFunc(slices.Clone(x.header.Sources), func(a, b Source) bool { return a.Path == b.Path })
}

// create makes an index, and keeps it if it can be kept: a folder that cannot be written, or a full
// disk, takes nothing away but the time to make it again.
func create(ctx context.Context, kept string, sources []Source, write func(context.Context, io.Writer, []Source) error) (*Index, error) {
	if err := os.MkdirAll(filepath.Dir(kept), 0o777); err == nil {
		err := atomicfile.Write(kept, func(f *os.File) error { return write(ctx, f, sources) })
		switch {
		case err == nil:
			return openKept(kept, sources)
		case ctx.Err() != nil || errors.Is(err, errMany):
			return nil, err
		}
	}
	f, err := os.CreateTemp("", "spindle-dat")
	if err != nil {
		return nil, err
	}
	remove := func() error { return errors.Join(f.Close(), os.Remove(f.Name())) }
	if err := write(ctx, f, sources); err != nil {
		return nil, errors.Join(err, remove())
	}
	x, err := openFile(f)
	if err != nil {
		return nil, errors.Join(err, remove())
	}
	x.close = remove
	return x, nil
}

// writeIndex writes the index of DAT files.
func writeIndex(ctx context.Context, w io.Writer, sources []Source) error {
	x := &indexWriter{w: bufio.NewWriterSize(w, 1<<20)}
	for _, s := range sources {
		if err := x.addFile(ctx, s); err != nil {
			return err
		}
	}
	return x.finish()
}

// addFile adds the games of a DAT file, or of those in an archive.
func (x *indexWriter) addFile(ctx context.Context, s Source) error {
	if !strings.EqualFold(filepath.Ext(s.Path), ".zip") {
		f, err := regular.Open(s.Path)
		if err != nil {
			return x.unusable(s, err)
		}
		defer f.Close()
		return x.addGames(ctx, s, f)
	}
	z, err := zip.OpenReader(s.Path)
	if err != nil {
		return x.unusable(s, err)
	}
	defer z.Close()
	found := false
	for _, e := range z.File {
		if ext := strings.ToLower(filepath.Ext(e.Name)); ext != ".dat" && ext != ".xml" {
			continue
		}
		found = true
		s.Entry = e.Name
		if err := x.addEntry(ctx, s, e); err != nil {
			return err
		}
	}
	if !found {
		return x.unusable(s, errors.New("there is no DAT file in it"))
	}
	return nil
}

func (x *indexWriter) addEntry(ctx context.Context, s Source, e *zip.File) error {
	r, err := e.Open()
	if err != nil {
		return x.unusable(s, err)
	}
	defer r.Close()
	return x.addGames(ctx, s, r)
}

// addGames adds the games of a DAT file. What came before an error stays.
func (x *indexWriter) addGames(ctx context.Context, s Source, r io.Reader) error {
	x.header.Sources = append(x.header.Sources, s)
	games := NewReader(r)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		g, err := games.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			x.header.Sources[len(x.header.Sources)-1].Err = err.Error()
			return nil
		}
		if err := x.add(g); err != nil {
			return err
		}
	}
}

// unusable adds a file without games.
func (x *indexWriter) unusable(s Source, err error) error {
	s.Err = err.Error()
	x.header.Sources = append(x.header.Sources, s)
	return nil
}
