// Package image is the one door to disc image files: it opens any that spindle
// knows by its content.
package image

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"spindle/cue"
	"spindle/disc"
	"spindle/iso"
	"spindle/nrg"
)

// ErrUnknown is returned for a file that is no image of a known format.
var ErrUnknown = errors.New("not a disc image that spindle knows")

// A Format is one kind of image file.
type Format struct {
	Name string
	// Match reports whether a file that starts with head, and is read with
	// r for whatever else must be seen, has this format.
	Match func(head []byte, r io.ReaderAt, size int64) bool
	Open  func(path string) (disc.Image, error)
}

// headSize is how much of a file's start a Match function gets: up to and with
// the first volume descriptor of an ISO.
const headSize = 17 * 2048

// trackLine is what every CUE sheet has and no binary format starts with.
var trackLine = regexp.MustCompile(`(?im)^\s*TRACK\s+\d+\s+\S+`)

// Formats returns the formats that [Open] tries, in this order.
func Formats() []Format {
	return []Format{
		{"Nero image", func(_ []byte, r io.ReaderAt, size int64) bool { return nrg.Detect(r, size) }, nrg.Open},
		{"ISO", matchISO, iso.Open},
		{"CUE sheet", matchCue, cue.Open},
	}
}

func matchISO(head []byte, _ io.ReaderAt, _ int64) bool {
	if len(head) < headSize {
		return false
	}
	id := head[16*2048+1 : 16*2048+6]
	return bytes.Equal(id, []byte("CD001")) || bytes.Equal(id, []byte("BEA01"))
}

func matchCue(head []byte, _ io.ReaderAt, size int64) bool {
	return size < 1<<20 && bytes.IndexByte(head, 0) < 0 && trackLine.Match(head)
}

// Open opens an image file. The error wraps [ErrUnknown] when its content has
// no known format, and says what the file is where that can be seen.
func Open(path string) (disc.Image, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !st.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: %w: it is no regular file", path, ErrUnknown)
	}
	head := make([]byte, headSize)
	n, err := f.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	head = head[:n]
	for _, format := range Formats() {
		if format.Match(head, f, st.Size()) {
			return format.Open(path)
		}
	}
	if strings.EqualFold(filepath.Ext(path), ".iso") && st.Size() > 0 && st.Size()%iso.BlockSize == 0 {
		return iso.Open(path) // a data disc without a file system that is known here
	}
	return nil, fmt.Errorf("%s: %w%s", path, ErrUnknown, guess(head, f, st.Size()))
}

// Files returns the files that an image consists of: path itself, and those that
// a CUE sheet names.
func Files(path string) []string {
	files := []string{path}
	f, err := os.Open(path)
	if err != nil {
		return files
	}
	defer f.Close()
	sheet, err := cue.Parse(f)
	if err != nil {
		return files
	}
	for _, named := range sheet.Files {
		if p, err := cue.FindCompanion(filepath.Dir(path), named.Name); err == nil {
			files = append(files, p)
		}
	}
	return files
}
