package disc

import (
	"bytes"
	"errors"
	"testing"

	"spindle/disc/cdsector"
)

// The EDC decides whether the user data of a sector with a damaged sync pattern or mode is right.
func TestBlockOfDamagedFrame(t *testing.T) {
	const at LBA = 1234
	made := func(k cdsector.Kind) *[cdsector.Size]byte {
		s := new([cdsector.Size]byte)
		for i := range s {
			s[i] = byte(i * 7)
		}
		mode := byte(1)
		if k != cdsector.Mode1 {
			mode = 2
			copy(s[16:], "\x00\x00\x08\x00\x00\x00\x08\x00")
			if k == cdsector.Form2 {
				copy(s[16:], "\x00\x00\x20\x00\x00\x00\x20\x00")
			}
		}
		cdsector.SetHeader(s, at.MSF(), mode)
		cdsector.Seal(s, k)
		return s
	}
	sync := func(s *[cdsector.Size]byte) { s[5] = 0 }
	mode := func(s *[cdsector.Size]byte) { s[15] = 3 }
	header := func(s *[cdsector.Size]byte) { copy(s[:16], bytes.Repeat([]byte{0xEE}, 16)) }
	user := func(s *[cdsector.Size]byte) { sync(s); s[100] ^= 1 }
	elsewhere := func(s *[cdsector.Size]byte) { cdsector.SetHeader(s, (at + 1).MSF(), s[15]); sync(s) }
	none := func(s *[cdsector.Size]byte) { *s = [cdsector.Size]byte{} }
	for _, test := range []struct {
		name   string
		kind   cdsector.Kind
		damage func(*[cdsector.Size]byte)
		proven bool
	}{
		{"whole", cdsector.Mode1, func(*[cdsector.Size]byte) {}, true},
		{"sync", cdsector.Mode1, sync, true},
		{"mode", cdsector.Mode1, mode, true},
		{"header", cdsector.Mode1, header, true},
		{"user data", cdsector.Mode1, user, false},
		{"elsewhere", cdsector.Mode1, elsewhere, true}, // the EDC has the address that belongs here
		{"nothing", cdsector.Mode1, none, false},
		{"form 1, whole", cdsector.Form1, func(*[cdsector.Size]byte) {}, true},
		{"form 1, sync", cdsector.Form1, sync, true},
		{"form 1, header", cdsector.Form1, header, true},
		{"form 1, user data", cdsector.Form1, user, false},
		{"form 1, elsewhere", cdsector.Form1, elsewhere, false},
		{"form 1, nothing", cdsector.Form1, none, false},
	} {
		s := made(test.kind)
		test.damage(s)
		tr := &Track{Mode: Mode1}
		if test.kind == cdsector.Form1 {
			tr.Mode = Mode2
		}
		from, n := test.kind.UserData()
		got, proven, err := tr.Block(s, at)
		if err != nil || proven != test.proven || !bytes.Equal(got, s[from:from+n]) {
			t.Errorf("%s: proven %v, %v", test.name, proven, err)
		}
	}
	s := made(cdsector.Form2)
	sync(s)
	var no *cdsector.NoBlockError
	if _, _, err := (&Track{Mode: Mode2}).Block(s, at); !errors.As(err, &no) {
		t.Error(err)
	}
}
