package image

import (
	"fmt"
	"io"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/iso"
)

// UserData returns the user data of a data track, 2048 bytes a sector from the
// track's start (INDEX 01) on, as a reader of file systems wants it.
func UserData(img disc.Image, t *disc.Track) io.ReaderAt {
	return &userData{img, t}
}

type userData struct {
	img disc.Image
	t   *disc.Track
}

func (u *userData) ReadAt(p []byte, off int64) (int, error) {
	done := 0
	if off >= 0 && off%iso.BlockSize == 0 {
		first := int64(u.t.Start) + off/iso.BlockSize
		n := min(int64(len(p)/iso.BlockSize), int64(u.t.End)-first)
		ok, err := u.blocks(p[:max(0, n)*iso.BlockSize], disc.LBA(first))
		if err != nil {
			return 0, err
		}
		if ok {
			done = int(max(0, n) * iso.BlockSize)
		}
	}
	for done < len(p) {
		at := int64(u.t.Start) + (off+int64(done))/iso.BlockSize
		if off < 0 || at >= int64(u.t.End) {
			return done, io.EOF
		}
		data, err := u.sector(disc.LBA(at))
		if err != nil {
			return done, err
		}
		done += copy(p[done:], data[(off+int64(done))%iso.BlockSize:])
	}
	return done, nil
}

// blocks reads whole blocks straight into p, where the image gives them so.
func (u *userData) blocks(p []byte, first disc.LBA) (bool, error) {
	if len(p) == 0 {
		return false, nil
	}
	if u.img.Layout().Medium.SectorSize() == iso.BlockSize {
		return true, u.img.ReadSectors(p, first)
	}
	if user, ok := u.img.(disc.UserReader); ok && u.t.Mode == disc.Mode1 {
		return user.ReadUser(p, first)
	}
	return false, nil
}

func (u *userData) sector(at disc.LBA) ([]byte, error) {
	raw := make([]byte, u.img.Layout().Medium.SectorSize())
	if err := u.img.ReadSectors(raw, at); err != nil {
		return nil, err
	}
	if len(raw) == iso.BlockSize {
		return raw, nil
	}
	kind := cdsector.Classify((*[cdsector.Size]byte)(raw))
	if kind != cdsector.Mode1 && kind != cdsector.Form1 {
		return nil, fmt.Errorf("sector %d is %s and has no 2048 bytes of user data", at, kind)
	}
	from, _ := kind.UserData()
	return raw[from : from+iso.BlockSize], nil
}

// Sectors reads the whole sectors of a track, from its start (INDEX 01) on.
func Sectors(img disc.Image, t *disc.Track) io.Reader {
	return &sectors{img: img, at: t.Start, end: t.End}
}

type sectors struct {
	img     disc.Image
	at, end disc.LBA
	buf     []byte
	left    []byte // of buf
}

func (s *sectors) Read(p []byte) (int, error) {
	if len(s.left) == 0 {
		const batch = 64
		n := min(batch, int(s.end-s.at))
		if n <= 0 {
			return 0, io.EOF
		}
		size := s.img.Layout().Medium.SectorSize()
		if s.buf == nil {
			s.buf = make([]byte, batch*size)
		}
		s.left = s.buf[:n*size]
		if err := s.img.ReadSectors(s.left, s.at); err != nil {
			return 0, err
		}
		s.at += disc.LBA(n)
	}
	n := copy(p, s.left)
	s.left = s.left[n:]
	return n, nil
}
