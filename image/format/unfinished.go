package format

import (
	"path/filepath"
	"slices"
	"strings"

	"spindle/image/mapfile"
	"spindle/internal/packed"
)

// partSuffix is appended to the name of what a rip has not finished.
const partSuffix = ".part"

// Unfinished returns how many bytes the file will have once the copy is finished that it is part
// of, by the map beside it, or 0 where no map says that it is part of one. A copy ends at what
// was read last, and its map at the end of the disc, which may lie far behind the file
// system. The map of a larger copy is that of another one if it has read what the file does
// not have.
func (f *File) Unfinished() int64 {
	names := mapNames(f.Path)
	part := strings.EqualFold(filepath.Ext(packed.Inner(f.Path)), partSuffix)
	if part {
		names = append(names, sheetMapNames(f.Path)...)
	}
	most := int64(0)
	for _, b := range named(f.Path, names) {
		if b.bond < byStem || b.err != nil || b.m.Size() <= max(f.Size, most) {
			continue
		}
		behind := func(x mapfile.Block) bool { return x.Status == mapfile.Finished && x.End() > f.Size }
		own := part && slices.Contains(b.m.Comments, mapfile.Title)
		if own || !slices.ContainsFunc(b.m.Blocks(), behind) {
			most = b.m.Size()
		}
	}
	return most
}
