package image

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/image/format"
	"spindle/image/sbi"
	"spindle/internal/regular"
)

// qSuffixes are those of files that list changed Q. The second states checksums, too.
var qSuffixes = []string{".lsd", ".sbi"}

// withChangedQ gives the image of a CD, which was opened from path, the Q that a file beside it
// lists: [sbi]. It has the name of the image. One that is not of this image is not used, and
// remarked on.
func withChangedQ(ctx context.Context, path string, img disc.Image, remark func(Remark)) (disc.Image, error) {
	if img.Layout().Medium != disc.CD {
		return img, nil
	}
	if remark == nil {
		remark = func(Remark) {}
	}
	for _, suffix := range qSuffixes {
		file, err := format.FindCompanion(filepath.Dir(path), filepath.Base(format.Stem(path))+suffix)
		if errors.Is(err, fs.ErrNotExist) || slices.Contains(img.Files(), file) {
			continue
		}
		if err != nil {
			return nil, err
		}
		records, err := readChangedQ(file, img.Layout())
		if errors.Is(err, sbi.ErrFormat) {
			remark(Remark{Kind: format.BadQ, File: file, Err: err})
			continue
		}
		if err != nil {
			return nil, err
		}
		m := &changedImage{img, make(map[disc.LBA][cdsector.QSize]byte), file}
		other, err := m.take(ctx, records)
		if err != nil {
			return nil, err
		}
		remark(Remark{Kind: format.UsedQ, File: file, Have: int64(len(records))})
		if other > 0 {
			remark(Remark{Kind: format.OtherQ, File: file, Have: int64(other)})
		}
		return m, nil
	}
	return img, nil
}

// readChangedQ reads a file of changed Q. One with sectors that the image does not have
// is none of it.
func readChangedQ(file string, l *disc.Layout) ([]sbi.Record, error) {
	f, err := regular.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if st.Size() > sbi.MaxSize {
		return nil, fmt.Errorf("%w: it has %d bytes", sbi.ErrFormat, st.Size())
	}
	b := make([]byte, st.Size())
	if n, err := f.ReadAt(b, 0); n < len(b) {
		return nil, err
	}
	all, err := sbi.Parse(b)
	if err != nil {
		return nil, err
	}
	for _, r := range all {
		if l.TrackAt(r.At) == nil {
			return nil, fmt.Errorf("%w of this image: sector %d is in none of its tracks", sbi.ErrFormat, r.At)
		}
	}
	return all, nil
}

// changedImage is an image with Q that a file beside it lists.
type changedImage struct {
	img  disc.Image
	q    map[disc.LBA][cdsector.QSize]byte
	file string
}

// take makes the frames of records. Where the image has saved a Q that is wrong, too, that was
// read from the disc and stays; take counts those that are others than the record's.
func (m *changedImage) take(ctx context.Context, all []sbi.Record) (other int, err error) {
	l := m.img.Layout()
	for i := range all {
		r := &all[i]
		var sub [cdsector.SubSize]byte
		if err := m.readSaved(ctx, sub[:], r.At); err != nil {
			return 0, err
		}
		saved := [cdsector.QSize]byte(sub[cdsector.QSize:])
		if _, err := cdsector.DecodeQ(&saved); err != nil {
			same := slices.Equal(saved[r.From:r.From+len(r.Bytes)], r.Bytes)
			if !same {
				other++
			}
			continue
		}
		own := l.Q(r.At)
		q := own.Encode()
		r.Apply(&q)
		m.q[r.At] = q
	}
	return other, nil
}

// readSaved reads the sub-channels that are saved with the image, or makes those of its layout.
func (m *changedImage) readSaved(ctx context.Context, p []byte, first disc.LBA) error {
	if saved := m.img.Subchannels(); saved != nil {
		return saved.ReadSubchannel(ctx, p, first)
	}
	for i := 0; i < len(p); i += cdsector.SubSize {
		m.img.Layout().Subchannel(first+disc.LBA(i/cdsector.SubSize), (*[cdsector.SubSize]byte)(p[i:]))
	}
	return nil
}

// ReadSubchannel implements [disc.Subchannels].
func (m *changedImage) ReadSubchannel(ctx context.Context, p []byte, first disc.LBA) error {
	if err := m.readSaved(ctx, p, first); err != nil {
		return err
	}
	for i := 0; i < len(p); i += cdsector.SubSize {
		if q, ok := m.q[first+disc.LBA(i/cdsector.SubSize)]; ok {
			copy(p[i+cdsector.QSize:], q[:])
		}
	}
	return nil
}

// Subchannels implements [disc.Image].
func (m *changedImage) Subchannels() disc.Subchannels { return m }

// Files implements [disc.Image].
func (m *changedImage) Files() []string { return append(slices.Clone(m.img.Files()), m.file) }

// Layout implements [disc.Image].
func (m *changedImage) Layout() *disc.Layout { return m.img.Layout() }

// ReadSectors implements [disc.Image].
func (m *changedImage) ReadSectors(ctx context.Context, p []byte, first disc.LBA) error {
	return m.img.ReadSectors(ctx, p, first)
}

// ReadUser implements [disc.Image].
func (m *changedImage) ReadUser(ctx context.Context, p []byte, first disc.LBA) (bool, error) {
	return m.img.ReadUser(ctx, p, first)
}

// ExtentAt implements [disc.Image].
func (m *changedImage) ExtentAt(a disc.LBA) (disc.Extent, bool) { return m.img.ExtentAt(a) }

// Flaws implements [disc.Image].
func (m *changedImage) Flaws() disc.Flaws { return m.img.Flaws() }

// Close implements [disc.Image].
func (m *changedImage) Close() error { return m.img.Close() }
