package cue

import (
	"path"
	"strings"

	"spindle/disc"
)

// A Set is the files that a CD is written to: a sheet, a .bin or one for each
// track, and a .cdt where the disc has CD-TEXT that a sheet cannot say.
type Set struct {
	Path string   // of the sheet
	Bins []string // paths: one, or one for each track
	// CDText is the path of the file of CD-TEXT packs, or empty.
	CDText string
	Sheet  *Sheet
	layout *disc.Layout
}

// NewSet names the files of a disc by the path of its sheet, beside which the
// others stand: disc.cue and disc.bin, or with split files as redump names
// them, and disc.cdt. The .bin files hold 2352 bytes of each sector, track after
// track.
func NewSet(sheet string, l *disc.Layout, split bool) *Set {
	base := strings.TrimSuffix(sheet, suffix(sheet))
	s := &Set{Path: sheet, Bins: []string{base + ".bin"}, layout: l}
	if split {
		s.Bins = nil
		tracks := l.Tracks()
		for _, t := range tracks {
			s.Bins = append(s.Bins, base+disc.TrackSuffix(t.Number, len(tracks))+".bin")
		}
	}
	names := fileNames{CDText: name(base + ".cdt")}
	for _, b := range s.Bins {
		names.Files = append(names.Files, name(b))
	}
	var text bool
	s.Sheet, text = fromLayout(l, names)
	if text {
		s.CDText = base + ".cdt"
	}
	return s
}

// name is the last part of a path of any system, and suffix that from its last dot on.
func name(p string) string   { return p[strings.LastIndexAny(p, `/\`)+1:] }
func suffix(p string) string { return path.Ext(name(p)) }

// Paths returns all files of the set, the sheet last.
func (s *Set) Paths() []string {
	all := append([]string(nil), s.Bins...)
	if s.CDText != "" {
		all = append(all, s.CDText)
	}
	return append(all, s.Path)
}

// A TextFile is a small file of a [Set], whole.
type TextFile struct {
	Path string
	Data []byte
}

// Texts returns the files of the set that hold no sectors: the CD-TEXT, where there
// is a file for it, and the sheet.
func (s *Set) Texts() []TextFile {
	var all []TextFile
	if s.CDText != "" {
		all = append(all, TextFile{s.CDText, disc.PackBytes(s.layout.CDText)})
	}
	return append(all, TextFile{s.Path, s.Sheet.Bytes()})
}
