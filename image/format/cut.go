package format

import (
	"fmt"
	"io"
	"slices"

	"spindle/disc"
	"spindle/internal/packed"
)

// NeedWhole refuses a file that was cut short and is of no use then, as a sheet is.
func (f *File) NeedWhole() error {
	if f.Cut {
		return fmt.Errorf("%s: %w", f.Path, packed.ErrDamaged)
	}
	return nil
}

// From is the file from a byte on. It is closed with it.
func (f *File) From(offset int64) *File {
	part := *f
	part.ReaderAt, part.Size = io.NewSectionReader(f.ReaderAt, offset, f.Size-offset), f.Size-offset
	return &part
}

// A Completer fills up what is missing of files that were cut short: with empty sectors,
// each of which is a flaw.
type Completer struct {
	Layout  *disc.Layout
	Extents []disc.Extent // may reach beyond the ends of their files
	Flaws   disc.Flaws
	// Least says that nothing states how long a file is that was cut short: what extents have
	// beyond its end is the least that is missing.
	Least bool
	// Displaced says that what follows a file that was cut short is, or may be, displaced; see [Remark].
	Displaced bool
}

// Complete replaces what extents have beyond the end of a file, and remarks that to. What
// extents call the file is source, and its content ends at the byte size.
func (c *Completer) Complete(file *File, source io.ReaderAt, size int64, to *File) {
	end := cut{size: size, want: size, kind: CutShort}
	var all []disc.Extent
	for _, e := range c.Extents {
		switch {
		case e.Sub != nil && e.Sub.Source == source && e.Source != source:
			all = append(all, c.completeSub(e, &end)...)
		case e.Source == source && source != nil:
			all = append(all, c.completeSectors(e, &end)...)
		default:
			all = append(all, e)
		}
	}
	c.Extents = all
	if file.Damage != nil {
		c.doubt(source)
		to.Remark(Remark{Kind: DamagedFile, File: file.Path, Err: file.Damage})
	}
	switch {
	case end.want > size && c.Least && end.kind == CutShort:
		to.Remark(Remark{Kind: CutShort, File: file.Path, Have: size, Displaced: c.Displaced})
	case end.want > size:
		to.Remark(Remark{Kind: end.kind, File: file.Path, Have: size, Want: end.want, Displaced: c.Displaced && end.kind == CutShort})
	case file.Cut:
		to.Remark(Remark{Kind: CutShort, File: file.Path, Have: size})
	}
}

// A cut is the end of a file, in bytes, and what extents want of it beyond that.
type cut struct {
	size, want int64
	kind       RemarkKind
}

// completeSub completes an extent whose sub-channels alone are in the file: what is missing of them is made from the layout.
func (c *Completer) completeSub(e disc.Extent, end *cut) []disc.Extent {
	stride := max(e.Sub.Stride, subSize)
	whole, rest := c.split(e, e.Sub.Offset, stride, subSize, end.size)
	if rest.Count == 0 {
		return []disc.Extent{e}
	}
	end.want, end.kind = max(end.want, e.Sub.Offset+int64(e.Count)*int64(stride)), NoSubchannels
	rest.Sub = nil
	return present(whole, rest)
}

// completeSectors completes an extent whose sectors are in the file: those that are missing are empty, and flaws.
func (c *Completer) completeSectors(e disc.Extent, end *cut) []disc.Extent {
	stride := max(e.Stride, e.Form.Size())
	piece := stride
	if e.Sub == nil { // what is between sectors, and behind the last, is of no use
		piece = e.Form.Size()
	}
	whole, rest := c.split(e, e.Offset, stride, piece, end.size)
	if rest.Count == 0 {
		return present(whole)
	}
	end.want = max(end.want, e.Offset+int64(e.Count)*int64(stride))
	c.Flaws = c.Flaws.Union(disc.FlawsOf(disc.Flaw{First: rest.First, Count: rest.Count, Kind: disc.Unread}))
	missing := c.empty(rest)
	if rest.Sub != nil && rest.Sub.Source != e.Source {
		missing.Sub = rest.Sub
	}
	return present(whole, missing)
}

// present are the extents that have sectors.
func present(all ...disc.Extent) []disc.Extent {
	return slices.DeleteFunc(all, func(e disc.Extent) bool { return e.Count == 0 })
}

// doubt makes flaws of all sectors of a file that could be unpacked, and is damaged.
func (c *Completer) doubt(source io.ReaderAt) {
	for _, e := range c.Extents {
		if e.Source == source {
			c.Flaws = c.Flaws.Union(disc.FlawsOf(disc.Flaw{First: e.First, Count: e.Count, Kind: disc.ReadWithErrors}))
		}
	}
}

// subSize is the number of bytes of a sub-channel.
const subSize = 96

// split divides an extent at the end of a file in which its pieces stand.
func (c *Completer) split(e disc.Extent, offset int64, stride, piece int, size int64) (whole, rest disc.Extent) {
	n := 0
	if left := size - offset - int64(piece); left >= 0 {
		n = int(min(int64(e.Count), left/int64(stride)+1))
	}
	whole, rest = e, e
	whole.Count = n
	rest.First, rest.Count = e.First+disc.LBA(n), e.Count-n
	rest.Offset += int64(n) * int64(max(e.Stride, e.Form.Size()))
	if e.Sub != nil {
		sub := *e.Sub
		sub.Offset += int64(n) * int64(max(sub.Stride, subSize))
		rest.Sub = &sub
	}
	return whole, rest
}

// empty makes an extent one of empty sectors, of the kind that its track has.
func (c *Completer) empty(e disc.Extent) disc.Extent {
	return disc.Extent{First: e.First, Count: e.Count, Form: EmptyForm(c.Layout, e.First)}
}

// EmptyForm is the form of empty sectors at an address: of data, with a header.
func EmptyForm(l *disc.Layout, a disc.LBA) disc.Form {
	if l.Medium != disc.CD {
		return disc.FormBlock
	}
	if t := l.TrackAt(a); t != nil {
		switch t.Mode {
		case disc.Mode1:
			return disc.FormMode1
		case disc.Mode2:
			return disc.FormXA1
		}
	}
	return disc.FormRaw
}

// Image makes an image of what was completed.
func (c *Completer) Image(files []string, closers []io.Closer) (disc.Image, error) {
	return disc.NewImage(disc.Contents{Layout: c.Layout, Extents: c.Extents, Flaws: c.Flaws, Files: files, Closers: closers})
}
