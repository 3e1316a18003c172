package image

import (
	"context"
	"io"

	"spindle/disc"
	"spindle/iso"
)

// UserData returns the user data of a data track, 2048 bytes a sector from the
// track's start (INDEX 01) on, as a reader of file systems wants it. Reading ends
// with ctx.
func UserData(ctx context.Context, img disc.Image, t *disc.Track) io.ReaderAt {
	return &userData{ctx, img, t}
}

type userData struct {
	ctx context.Context
	img disc.Image
	t   *disc.Track
}

func (u *userData) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, io.EOF
	}
	done := 0
	for done < len(p) {
		at, in := off+int64(done), (off+int64(done))%iso.BlockSize
		left := int64(u.t.End-u.t.Start) - at/iso.BlockSize
		if left <= 0 {
			return done, io.EOF
		}
		first := u.t.Start + disc.LBA(at/iso.BlockSize)
		if n := min(int64(len(p)-done)/iso.BlockSize, left); n > 0 && in == 0 {
			if err := disc.ReadUser(u.ctx, u.img, p[done:done+int(n)*iso.BlockSize], first); err != nil {
				return done, err
			}
			done += int(n) * iso.BlockSize
			continue
		}
		var block [iso.BlockSize]byte
		if err := disc.ReadUser(u.ctx, u.img, block[:], first); err != nil {
			return done, err
		}
		done += copy(p[done:], block[in:])
	}
	return done, nil
}

// Sectors reads the whole sectors [from, to). Reading ends with ctx.
func Sectors(ctx context.Context, img disc.Image, from, to disc.LBA) io.Reader {
	return &sectors{ctx: ctx, img: img, at: from, end: to}
}

type sectors struct {
	ctx     context.Context
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
		if err := s.img.ReadSectors(s.ctx, s.left, s.at); err != nil {
			return 0, err
		}
		s.at += disc.LBA(n)
	}
	n := copy(p, s.left)
	s.left = s.left[n:]
	return n, nil
}
