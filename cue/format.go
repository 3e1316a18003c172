package cue

import (
	"bytes"
	"io"
	"path/filepath"
	"regexp"

	"spindle/image/format"
)

func init() {
	format.Register(format.Format{
		Name: "CUE sheet", Suffixes: []string{".cue"},
		Match: match, Open: openFile, Companions: companions, Create: Create,
	})
}

// trackLine is what every CUE sheet has and no binary format starts with.
var trackLine = regexp.MustCompile(`(?im)^\s*TRACK\s+\d+\s+\S+`)

func match(p *format.Probe) format.Score {
	head := decode(p.Head)
	if p.Size > maxSheet || bytes.IndexByte(head, 0) >= 0 || !trackLine.Match(head) {
		return format.No
	}
	return format.Likely
}

// companions lists the files of a sheet that are there.
func companions(path string) []string {
	f, err := format.OpenFile(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	sheet, err := Parse(io.NewSectionReader(f, 0, f.Size))
	if err != nil {
		return nil
	}
	b := newBuilder(sheet, path)
	var files []string
	for _, named := range sheet.Files {
		if p, err := b.find(filepath.Dir(path), &named); err == nil {
			files = append(files, p)
		}
	}
	return files
}
