// Package isofile opens and writes image files of data discs: .iso files, and files of
// whole sectors without a sheet that describes them.
package isofile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/hfs"
	"spindle/image/format"
	"spindle/iso"
)

func init() {
	format.Register(format.Format{
		Name: name, Suffixes: []string{".iso"}, Match: match, Open: as(disc.MediumFor), Salvages: true, Create: create,
	})
}

// name is that of the format in the register.
const name = "ISO"

// errSize is returned for a file that cannot be a whole image of a data disc.
var errSize = errors.New("not a whole number of sectors")

// stored is how a file holds the sectors of a data disc.
type stored struct {
	form   disc.Form
	stride int
	mode   disc.Mode
	sub    bool // 96 bytes of sub-channel, interleaved, follow each sector
	user   int  // where in a sector its 2048 bytes of user data begin
}

// subHeaderSize is that of the sub-header of XA, in bytes (ECMA-130 has none; System Description
// CD-ROM XA, 4.4.3).
const subHeaderSize = 8

// layouts are the ways in which data discs are stored, by the place of the first
// volume descriptor: user data; all of Mode 2 but sync pattern and header; sub-header and user
// data, as Toast does; whole sectors; these with sub-channels.
func layouts() []stored {
	return []stored{
		{disc.FormMode1, iso.BlockSize, disc.Mode1, false, 0},
		{disc.FormMode2, cdsector.Mode2Size, disc.Mode2, false, 8},
		{disc.FormXA1, subHeaderSize + iso.BlockSize, disc.Mode2, false, subHeaderSize},
		{disc.FormRaw, cdsector.Size, disc.Mode1, false, 16},
		{disc.FormRaw, cdsector.Size, disc.Mode2, false, 24},
		{disc.FormRaw, cdsector.Size + cdsector.SubSize, disc.Mode1, true, 16},
		{disc.FormRaw, cdsector.Size + cdsector.SubSize, disc.Mode2, true, 24},
	}
}

// recognise finds out how a file r that starts with head is stored. signed says that
// there is a file system; without, the sync patterns of whole sectors tell.
func recognise(head []byte, r io.ReaderAt) (s stored, signed, ok bool) {
	for _, s := range layouts() {
		at := iso.FirstDescriptor*s.stride + s.user
		if at+6 > len(head) || s.form == disc.FormRaw && !isData(head, s) {
			continue
		}
		if id := head[at+1 : at+6]; bytes.Equal(id, []byte("CD001")) || bytes.Equal(id, []byte("BEA01")) {
			return s, true, true
		}
	}
	if s, ok := recogniseHFS(head, r); ok {
		return s, true, true
	}
	for _, s := range layouts() {
		if s.form == disc.FormRaw && isData(head, s) {
			return s, false, true
		}
	}
	return layouts()[0], false, false
}

// recogniseHFS finds out how a volume of HFS is stored. Its mark is in the first sector, which does not tell
// how long sectors are: its catalogue has to be where it says.
func recogniseHFS(head []byte, r io.ReaderAt) (found stored, ok bool) {
	for _, s := range layouts() {
		if s.form == disc.FormRaw && !isData(head, s) || !hfs.Announced(userReader{bytes.NewReader(head), s}) {
			continue
		}
		if _, err := hfs.Open(userReader{r, s}); err == nil {
			return s, true
		}
		if !ok {
			found, ok = s, true // which is damaged
		}
	}
	return found, ok
}

// isData reports whether whole sectors of a mode follow one another, s.stride
// bytes apart.
func isData(head []byte, s stored) bool {
	for i := range 3 {
		at := i * s.stride
		if at+cdsector.Size > len(head) {
			return i > 0 && at == len(head)
		}
		sector := (*[cdsector.Size]byte)(head[at:])
		want := byte(1)
		if s.mode == disc.Mode2 {
			want = 2
		}
		if !cdsector.HasSync(sector) || sector[15]&3 != want {
			return false
		}
	}
	return true
}

func match(p *format.Probe) format.Score {
	s, signed, ok := recognise(p.Head, p.R)
	switch {
	case signed:
		return format.Likely
	case ok && p.Size%int64(s.stride) == 0:
		return format.Guess // whole sectors without a descriptor
	case isISOName(p.Name) && p.Size%iso.BlockSize == 0 && p.Size > 0:
		return format.Guess // a data disc without a file system that is known here
	}
	return format.No
}

func isISOName(name string) bool {
	return len(name) > 4 && bytes.EqualFold([]byte(name[len(name)-4:]), []byte(".iso"))
}

// OpenAs opens an image file as a disc of the given medium, where the register opens it as
// the disc that its size is made for; see [disc.MediumFor]. Its sectors may be of 2048,
// 2336, 2352 or 2448 bytes. What a file that was cut short lacks of the volume in it is a
// flaw. Each remark receives what is found that is no error. The error for a file whose content
// is of another format wraps [format.ErrUnknown].
func OpenAs(ctx context.Context, path string, medium disc.Medium, remarks ...func(format.Remark)) (disc.Image, error) {
	open := as(func(int64) disc.Medium { return medium })
	return format.OpenPath(ctx, path, func(ctx context.Context, f *format.File) (disc.Image, error) {
		if err := refuseOthers(f); err != nil {
			f.Close()
			return nil, err
		}
		for _, r := range remarks {
			f.Observe(r)
		}
		return open(ctx, f)
	})
}

// refuseOthers makes sure that no other format claims a file. What is read of it would be the
// container, and not what it holds.
func refuseOthers(f *format.File) error {
	p, err := format.NewProbe(f)
	if err != nil {
		return err
	}
	found, ok := format.Find(p)
	if ok && found.Name != name {
		return fmt.Errorf("%s is no .iso, but has the format %s: %w", f.Path, found.Name, format.ErrUnknown)
	}
	return nil
}

// as opens files as discs of the medium that is chosen by their size.
func as(medium func(sectors int64) disc.Medium) func(context.Context, *format.File) (disc.Image, error) {
	return func(_ context.Context, f *format.File) (disc.Image, error) {
		img, err := layOut(f, medium)
		if err != nil {
			f.Close()
			return nil, fmt.Errorf("%s: %w", f.Path, err)
		}
		return img, nil
	}
}

// Recover opens the data disc with a file system that the content of a file begins with,
// whatever the file is. On an error it is not closed.
func Recover(f *format.File) (disc.Image, error) {
	s, signed, _, err := look(f)
	if err != nil {
		return nil, err
	}
	if !signed {
		return nil, iso.ErrNoVolume
	}
	return s.layOut(f, disc.MediumFor)
}

// RecoverLone opens what Recover does, but only where nothing shows that more was stored than that one
// disc's data: behind the volume come its padding, sectors that say that they are data, and at most
// a rest that follows knows by its first bytes, of which there may be none.
func RecoverLone(f *format.File, follows func(head []byte) bool) (disc.Image, error) {
	s, signed, _, err := look(f)
	if err != nil {
		return nil, err
	}
	if !signed {
		return nil, iso.ErrNoVolume
	}
	v, err := iso.ReadVolume(userReader{f.ReaderAt, s}, f.Size/int64(s.stride))
	if err != nil {
		return nil, err
	}
	head, err := s.behind(f, v.Blocks()*int64(s.stride))
	if err != nil {
		return nil, err
	}
	if len(head) > 0 && !follows(head) {
		return nil, errMixed
	}
	return s.layOut(f, disc.MediumFor)
}

// behind returns the first bytes from a place on that are neither zero nor of sectors with the marks of data.
func (s *stored) behind(f *format.File, at int64) ([]byte, error) {
	sector := make([]byte, s.stride)
	for ; at < f.Size; at += int64(s.stride) {
		p := sector[:min(int64(len(sector)), f.Size-at)]
		if n, err := f.ReadAt(p, at); n < len(p) {
			return nil, err
		}
		if s.form == disc.FormRaw && len(p) >= cdsector.Size && cdsector.HasSync((*[cdsector.Size]byte)(p)) {
			continue
		}
		if i := slices.IndexFunc(p, func(b byte) bool { return b != 0 }); i >= 0 {
			head := make([]byte, min(16, f.Size-at-int64(i)))
			if n, err := f.ReadAt(head, at+int64(i)); n < len(head) {
				return nil, err
			}
			return head, nil
		}
	}
	return nil, nil
}

// look recognises a file. damage is why a part of its start cannot be unpacked, or nil.
func look(f *format.File) (s stored, signed bool, damage, err error) {
	p, err := format.NewProbe(f)
	if err != nil {
		return stored{}, false, nil, err
	}
	s, signed, _ = recognise(p.Head, p.R)
	return s, signed, p.Damage, nil
}

// layOut makes an image of a file.
func layOut(f *format.File, medium func(sectors int64) disc.Medium) (disc.Image, error) {
	s, signed, damage, err := look(f)
	if err != nil {
		return nil, err
	}
	img, err := s.layOut(f, medium)
	if err == nil && !signed && s.stride == iso.BlockSize { // whole sectors have marks of their own
		f.Remark(format.Remark{Kind: format.NoFileSystem, File: f.Path, Err: damage})
	}
	return img, err
}

// fill makes whole sectors of a file that has a volume of HFS alone, which counts in 512 bytes: what lacks
// at its end is not missing.
func (s *stored) fill(f *format.File) {
	const unit = 512
	if s.stride != iso.BlockSize || f.Cut || f.Size%unit != 0 || f.Size%iso.BlockSize == 0 {
		return
	}
	v, err := iso.ReadVolume(f, f.Size/iso.BlockSize)
	if err == nil && v.FileSystems()[0] == v.HFS && v.HFSBlocks <= f.Size/iso.BlockSize+1 {
		f.ReaderAt = format.Padded(f.ReaderAt, f.Size)
		f.Size += iso.BlockSize - f.Size%iso.BlockSize
	}
}

func (s *stored) layOut(f *format.File, medium func(sectors int64) disc.Medium) (disc.Image, error) {
	s.fill(f)
	sectors, least, err := s.count(f)
	if err != nil {
		return nil, err
	}
	if sectors > disc.MaxLBA {
		return nil, fmt.Errorf("%d sectors are more than any disc holds", sectors)
	}
	extent := disc.Extent{Count: int(sectors), Source: f.ReaderAt, Form: s.form, Stride: s.stride}
	l := &disc.Layout{
		Sessions: []disc.Session{{
			Number:  1,
			LeadOut: disc.LBA(sectors),
			Tracks:  []disc.Track{{Number: 1, Mode: s.mode, Control: disc.DataTrack, End: disc.LBA(sectors)}},
		}},
	}
	if s.form == disc.FormMode1 {
		if l.Medium = medium(sectors); l.Medium != disc.CD {
			extent.Form = disc.FormBlock
		}
	}
	if s.form == disc.FormXA1 { // behind the sub-header of the first sector
		extent.Source = io.NewSectionReader(f.ReaderAt, subHeaderSize, math.MaxInt64-subHeaderSize)
	}
	if s.mode == disc.Mode2 {
		l.Sessions[0].Format = disc.FormatXA
	}
	if s.sub {
		extent.Sub = &disc.SubExtent{Source: f.ReaderAt, Offset: cdsector.Size, Stride: s.stride, Interleaved: true}
	}
	if s.form == disc.FormRaw && (sectors*int64(s.stride) == f.Size || f.Unfinished() > 0) {
		if err := endsAsData(f, *s); err != nil {
			return nil, err
		}
	}
	c := format.Completer{Layout: l, Extents: []disc.Extent{extent}, Least: least}
	c.Complete(f, extent.Source, f.Size, f)
	return c.Image(f.Files(), []io.Closer{f})
}

// mostMissing is how many times the size of the file a volume may have. What states more
// is damaged, or the file is of no use.
const mostMissing = 64

// count returns how many sectors the disc has: those of the file, or, where that was cut
// short, of the copy that it is part of, or of the volume in it; or the least that it has, where
// nothing says how many more.
func (s *stored) count(f *format.File) (sectors int64, least bool, err error) {
	stride := int64(s.stride)
	if whole := f.Unfinished(); whole > 0 && whole%stride == 0 && whole/stride <= disc.MaxLBA {
		return whole / stride, false, nil
	}
	sectors = f.Size / stride
	v, err := iso.ReadVolume(userReader{f.ReaderAt, *s}, sectors)
	switch {
	case err == nil && v.Blocks() > sectors && v.Blocks() <= min(disc.MaxLBA, mostMissing*sectors):
		return v.Blocks(), false, nil
	case f.Cut || err == nil && v.Blocks() > sectors || err == nil && f.Size%stride != 0 && sectors > 0:
		return sectors + 1, true, nil
	case f.Size == 0 || f.Size%stride != 0:
		return 0, false, fmt.Errorf("%w of %d bytes (it has %d bytes)", errSize, stride, f.Size)
	}
	return sectors, false, nil
}

// errMixed is returned for whole sectors that begin as data and do not end so.
var errMixed = errors.New("not all of it is one data track: open the .cue, .toc or .ccd file that belongs to it")

// endsAsData makes sure that the last sector of a file of whole sectors is data
// too. The .bin of a disc that has audio as well is not to be taken for one track.
func endsAsData(f *format.File, s stored) error {
	var last [cdsector.Size]byte
	if _, err := f.ReadAt(last[:], f.Size-int64(s.stride)); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if !cdsector.HasSync(&last) {
		return errMixed
	}
	return nil
}

// userReader gives the user data of a file whose sectors are stored with more.
type userReader struct {
	r io.ReaderAt
	s stored
}

func (u userReader) ReadAt(p []byte, off int64) (int, error) {
	if u.s.stride == iso.BlockSize {
		return u.r.ReadAt(p, off)
	}
	done := 0
	for done < len(p) {
		block, in := (off+int64(done))/iso.BlockSize, (off+int64(done))%iso.BlockSize
		want := min(len(p)-done, int(iso.BlockSize-in))
		n, err := u.r.ReadAt(p[done:done+want], block*int64(u.s.stride)+int64(u.s.user)+in)
		done += n
		if n < want {
			return done, err
		}
	}
	return done, nil
}

// create writes the user data of one data track, or with another SectorSize more
// of its sectors.
func create(o *format.Output) error {
	what := map[int]format.Stored{
		0: format.UserData, iso.BlockSize: format.UserData, cdsector.Mode2Size: format.NoHeader,
		cdsector.Size: format.Whole, cdsector.Size + cdsector.SubSize: format.WithSub,
	}
	stored, ok := what[o.SectorSize]
	switch {
	case !ok:
		return o.CannotHold(format.BadSectorSize, o.SectorSize)
	case stored != format.UserData && o.Layout.Medium != disc.CD:
		return o.CannotHold(format.BlocksOfTheDisc, o.SectorSize)
	}
	t, err := o.OneDataTrack()
	if err != nil {
		return err
	}
	if stored != format.WithSub {
		if err := o.OmitSubchannels([]*disc.Track{t}); err != nil {
			return err
		}
	}
	bytes := int64(t.End-t.Start) * int64(stored.Size(o.Layout.Medium))
	if err := o.Reserve(bytes, o.Path); err != nil {
		return err
	}
	return o.Write(o.Path, func(f *os.File) error { return o.Copy(f, t, t.Start, t.End, stored) })
}
