package blocks

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"testing"

	"spindle/internal/packed"
)

// uneven is content in pieces of several sizes.
type uneven struct {
	data []byte
	bad  int64 // the piece that cannot be read, from 1
}

var errBad = errors.New("bad")

func (u *uneven) Piece(off int64) Piece {
	n := off / 100
	begin, end := n*100, n*100+100
	if off%100 < 30 {
		return Piece{2 * n, begin, min(begin+30, int64(len(u.data)))}
	}
	return Piece{2*n + 1, begin + 30, min(end, int64(len(u.data)))}
}

func (u *uneven) Read(dst []byte, p Piece) error {
	if p.Index == u.bad && p.Index > 0 {
		return &DamagedError{p.Index, 7, errBad}
	}
	if int64(len(dst)) != p.End-p.Begin {
		return errors.New("a buffer of another size")
	}
	copy(dst, u.data[p.Begin:])
	return nil
}

func TestReadAnywhere(t *testing.T) {
	data := make([]byte, 12345)
	_, _ = rand.NewChaCha8([32]byte{}).Read(data)
	r := NewReader(&uneven{data: data}, int64(len(data)))
	for i := range 2000 {
		at, n := int(uint(i*7919)%uint(len(data))), i%700
		p := make([]byte, n)
		got, err := r.ReadAt(p, int64(at))
		want := data[at:min(len(data), at+n)]
		if !bytes.Equal(p[:got], want) || (err != nil) != (len(want) < n) {
			t.Fatalf("%d bytes at %d: %d, %v", n, at, got, err)
		}
	}
	for _, at := range []int64{-1, int64(len(data)), 1 << 62} {
		if n, err := r.ReadAt(make([]byte, 1), at); n != 0 || err == nil {
			t.Errorf("at %d: %d, %v", at, n, err)
		}
	}
}

// What precedes a bad piece is read, and the piece is named.
func TestBadPiece(t *testing.T) {
	data := make([]byte, 3000)
	r := NewReader(&uneven{data, 21}, int64(len(data)))
	n, err := r.ReadAt(make([]byte, 2000), 5)
	var damaged *DamagedError
	if !errors.As(err, &damaged) || damaged.Piece != 21 || !errors.Is(err, packed.ErrDamaged) || !errors.Is(err, errBad) || n != 1025 {
		t.Errorf("%d bytes, %v", n, err)
	}
}

func TestPacker(t *testing.T) {
	data := make([]byte, 100_003)
	_, _ = rand.NewChaCha8([32]byte{}).Read(data)
	for _, fail := range []int{-1, 0, 40} {
		var out bytes.Buffer
		count := 0
		p := NewPacker(1000, func() func([]byte) (int, error) {
			return func(b []byte) (int, error) { return len(b), nil }
		}, func(n int, b []byte) error {
			if count == fail {
				return errBad
			}
			count++
			out.Write(b[:n])
			return nil
		})
		_, err := io.Copy(struct{ io.Writer }{p}, bytes.NewReader(data))
		closed := p.Close()
		switch {
		case fail < 0 && (err != nil || closed != nil || !bytes.Equal(out.Bytes(), data)):
			t.Errorf("%v, %v, %d bytes", err, closed, out.Len())
		case fail >= 0 && (!errors.Is(closed, errBad) || !errors.Is(p.Close(), errBad) || !bytes.Equal(out.Bytes(), data[:1000*fail])):
			t.Errorf("failing at %d: %v, %v, %d bytes", fail, err, closed, out.Len())
		}
	}
}
