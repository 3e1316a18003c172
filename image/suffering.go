package image

import (
	"context"
	"io/fs"
	"slices"

	"spindle/disc"
	"spindle/image/audio"
	"spindle/iso"
)

// FilesAt returns the names of the files, at most so many, that have one of the
// sectors, in the file systems of all data tracks. What a damaged directory hides is
// not named.
func FilesAt(ctx context.Context, img disc.Image, sectors disc.Flaws, most int) []string {
	var names []string
	for _, f := range DamagedFiles(ctx, img, sectors, most) {
		names = append(names, f.Name)
	}
	return names
}

// DamagedFiles returns the files that [FilesAt] names, and which bytes of them lie in the sectors.
func DamagedFiles(ctx context.Context, img disc.Image, sectors disc.Flaws, most int) []iso.DamagedFile {
	var all []iso.DamagedFile
	if len(sectors) == 0 {
		return nil
	}
	for _, t := range img.Layout().Tracks() {
		if !t.Mode.IsData() {
			continue
		}
		files, err := openFileSystem(ctx, img, t, iso.Choice{})
		if err != nil {
			continue
		}
		_ = fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return ctx.Err()
			}
			if len(all) >= most {
				return fs.SkipAll
			}
			if info, err := d.Info(); err == nil && !slices.ContainsFunc(all, func(f iso.DamagedFile) bool { return f.Name == name }) {
				if parts := files.partsOf(info, sectors); len(parts) > 0 {
					all = append(all, iso.DamagedFile{Name: name, Size: info.Size(), Parts: parts})
				}
			}
			return ctx.Err()
		})
	}
	return all
}

// partsOf returns which bytes of a file lie in some sectors.
func (f *fileSystem) partsOf(file fs.FileInfo, sectors disc.Flaws) []iso.Part {
	e, ok := file.Sys().(*iso.Entry)
	if !ok || len(f.flawsOf(file, sectors)) == 0 {
		return nil
	}
	parts, err := e.Parts(func(block int64) bool { return sectors.Contains(f.base + disc.LBA(block)) })
	if err != nil {
		return nil
	}
	return parts
}

// flawsOf returns those of some sectors that a file has.
func (f *fileSystem) flawsOf(file fs.FileInfo, sectors disc.Flaws) disc.Flaws {
	e, ok := file.Sys().(*iso.Entry)
	if !ok {
		return nil
	}
	extents, err := e.Extents()
	if err != nil {
		return nil
	}
	return f.sectorsOf(extents, sectors)
}

// sectorsOf returns those of some sectors that lie in extents.
func (f *fileSystem) sectorsOf(extents []iso.Extent, sectors disc.Flaws) disc.Flaws {
	var found disc.Flaws
	for _, x := range extents {
		first := f.base + disc.LBA(x.Block)
		found = found.Union(sectors.Clip(first, first+disc.LBA((x.Size+iso.BlockSize-1)/iso.BlockSize)))
	}
	return found
}

// foreign are the sectors of a file that are in no data track: those of audio, or between sessions. They are not its
// content, unless it says that it is audio. What lies outside of the image cannot be read, and is not among them.
func (f *fileSystem) foreign(e *iso.Entry) disc.Flaws {
	l := f.img.Layout()
	extents, err := e.Extents()
	if err != nil || e.Audio || l.Medium != disc.CD {
		return nil
	}
	others := disc.FlawsOf(disc.Flaw{Count: int(l.End()), Kind: disc.Unread})
	for _, t := range l.Tracks() {
		if t.Mode.IsData() {
			others = others.Without(t.Begin(), t.End)
		}
	}
	return f.sectorsOf(extents, others)
}

// FlawsOf returns those of some sectors that hold a file, or an audio track, whose
// FileInfo the Contents gave; and in any case those of a file that are in no data track, which are not
// its content.
func (c *Contents) FlawsOf(file fs.FileInfo, sectors disc.Flaws) disc.Flaws {
	if s, ok := file.Sys().(*audio.Song); ok {
		return sectors.Clip(s.Start, s.End)
	}
	if c.data == nil || !file.Mode().IsRegular() {
		return nil
	}
	found := c.data.flawsOf(file, sectors)
	if e, ok := file.Sys().(*iso.Entry); ok {
		found = found.Union(c.data.foreign(e))
	}
	return found
}
