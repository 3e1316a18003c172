package riplog

import (
	"io"
	"os"
	"path/filepath"
	"strings"

	"spindle/internal/regular"
)

// A File is a log in a folder.
type File struct {
	Path  string
	Songs []Song
	Err   error // why it cannot be relied on
}

// In returns the logs in a folder. One that cannot be listed has none.
func In(dir string) []File {
	var logs []File
	list, _ := os.ReadDir(dir)
	for _, e := range list {
		if !strings.EqualFold(filepath.Ext(e.Name()), Suffix) {
			continue
		}
		if l, ok := readFile(filepath.Join(dir, e.Name())); ok {
			logs = append(logs, l)
		}
	}
	return logs
}

// readFile reads what is the log of an album.
func readFile(path string) (File, bool) {
	l := File{Path: path}
	f, err := regular.Open(path)
	if err != nil {
		return l, false
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, MaxSize+1))
	if err != nil || !Is(text) {
		return l, false
	}
	log, err := Parse(text)
	if l.Err = err; log == nil {
		return l, true
	}
	if l.Songs, err = log.Songs(); err != nil {
		l.Err = err
	}
	return l, true
}

// States reports whether a log, which can be relied on, states a file of a name.
func (f *File) States(name string) bool {
	if f.Err != nil {
		return false
	}
	for i := range f.Songs {
		if f.Songs[i].File == name {
			return true
		}
	}
	return false
}
