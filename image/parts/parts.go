// Package parts joins a file that was split into numbered parts, name.001, name.002 and so on, as
// HJSplit and 7-Zip make them. The first stands for the whole.
//
// There is no standard: the parts are the file, one after the other, and nothing else is stored.
package parts

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"spindle/image/format"
	"spindle/internal/regular"
)

// first is the suffix of the first part.
const first = ".001"

// most bounds the parts: their suffix has three digits.
const most = 999

// errShort means that a part that others follow is shorter than the first: what is behind it would be displaced.
var errShort = errors.New("is shorter than the first part: it was cut short")

// errMissing means that a part is not there, and a later one is.
var errMissing = errors.New("is missing, and later parts are there")

func init() {
	format.RegisterContainer(format.Container{
		Name: "split file", Suffixes: []string{first}, Exact: true,
		Match: func(p *format.Probe) bool { return strings.HasSuffix(p.Name, first) },
		Open:  open,
	})
}

// open opens the parts behind the first, which lie beside it. One that is missing is an error
// when another follows it; that the last ones are missing, only the content shows.
func open(_ context.Context, f *format.File) (*format.Content, error) {
	stem := strings.TrimSuffix(f.Path, first)
	all, content := []*format.File{f}, &format.Content{Cut: f.Cut}
	for n := 2; n <= most; n++ {
		path := fmt.Sprintf("%s.%03d", stem, n)
		part, size, err := openPart(path)
		if errors.Is(err, fs.ErrNotExist) {
			if err = noneAfter(stem, n); err == nil {
				break
			}
		}
		if err != nil {
			return nil, closed(content, err)
		}
		content.Files, content.Closers = append(content.Files, path), append(content.Closers, part)
		if last := all[len(all)-1]; last.Size < f.Size {
			return nil, closed(content, fmt.Errorf("%s %w", filepath.Base(last.Path), errShort))
		}
		all = append(all, &format.File{ReaderAt: part, Path: path, Size: size})
	}
	content.ReaderAt, content.Size = format.Join(all)
	content.Stored, content.Split = content.Size, true
	return content, nil
}

// closed closes what was opened of a content, and returns err.
func closed(content *format.Content, err error) error {
	for _, c := range content.Closers {
		c.Close()
	}
	return err
}

func openPart(path string) (*os.File, int64, error) {
	f, err := regular.Open(path)
	if err != nil {
		return nil, 0, err
	}
	st, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	return f, st.Size(), nil
}

// noneAfter returns an error when there is a part beyond number n, which is missing.
func noneAfter(stem string, n int) error {
	for k := n + 1; k <= most; k++ {
		if _, err := os.Lstat(fmt.Sprintf("%s.%03d", stem, k)); err == nil {
			return fmt.Errorf("%s.%03d %w", filepath.Base(stem), n, errMissing)
		}
	}
	return nil
}
