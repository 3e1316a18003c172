package scram

import (
	"bytes"
	"testing"

	"spindle/disc"
	"spindle/image/format"
)

func FuzzTables(f *testing.F) {
	f.Add([]byte{0, 18, 1, 1, 0, 0x14, 1, 0, 0, 0, 0, 0, 0, 0x14, 0xAA, 0, 0, 0, 9, 9}, []byte{0, 2, 1, 1}, make([]byte, 960))
	f.Add([]byte{0, 18, 1, 1, 0, 0x14, 1, 0, 0, 0, 2, 0, 0, 0x14, 0xAA, 0, 0, 9, 9, 9},
		[]byte{0, 24, 1, 1, 1, 0x14, 0, 0xA2, 0, 0, 0, 0, 9, 9, 9, 1, 0x14, 0, 1, 0, 0, 0, 0, 0, 2, 0}, bytes.Repeat([]byte{1, 1, 1}, 320))
	f.Add([]byte{0}, []byte{0, 13, 1, 1, 0, 0x14, 0, 1, 0, 0, 0, 0, 0, 2, 0}, []byte{}) // session 0
	f.Fuzz(func(t *testing.T, toc, full, sub []byte) {
		sub = sub[:min(len(sub), 100*96)]
		p := programs()[1]
		o := opener{ctx: t.Context(), program: &p, sub: &format.File{ReaderAt: bytes.NewReader(sub), Size: int64(len(sub))}}
		found, err := o.readQ()
		if err != nil {
			t.Fatal(err)
		}
		try := func(s []disc.Session, err error) {
			if err != nil {
				return
			}
			l := &disc.Layout{Sessions: s}
			if found != nil {
				found.complete(l)
			}
			endTracks(l)
			_ = l.Validate()
		}
		plain, err := parseTOC(toc)
		try(plain, err)
		if err == nil {
			try(inSessions(plain, full))
		}
		try(parseFullTOC(full))
		if found != nil {
			try(found.sessions())
		}
	})
}

func FuzzSource(f *testing.F) {
	f.Add(make([]byte, 5000), int64(-8))
	f.Fuzz(func(t *testing.T, b []byte, off int64) {
		s := source{r: bytes.NewReader(b), size: int64(len(b)), data: []span{{0, 10}}}
		_ = s.find(t.Context())
		p := make([]byte, 3000)
		n, err := s.ReadAt(p, off)
		if n < len(p) && err == nil {
			t.Errorf("%d bytes, and no error", n)
		}
	})
}
