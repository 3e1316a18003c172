package uif

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"spindle/image/format"
	"spindle/internal/mutants"
	"spindle/internal/packed"
	"spindle/internal/testdisc/testforeign"
)

// content has what compresses well, zeros, noise, and a last sector that is not whole.
func content() []byte {
	b := make([]byte, 150*sectorSize-700)
	for i := range b[:40*sectorSize] {
		b[i] = byte(i >> 5)
	}
	_, _ = rand.NewChaCha8([32]byte{14}).Read(b[80*sectorSize : 120*sectorSize])
	copy(b[130*sectorSize:], bytes.Repeat([]byte("\xE8\x00\x10\x00\x00\xE9\xF0\xFF\xFF\xFF code"), 400))
	b[len(b)-1] = 1
	return b
}

func opened(t testing.TB, b []byte) (*format.Content, error) {
	t.Helper()
	return open(t.Context(), &format.File{ReaderAt: bytes.NewReader(b), Size: int64(len(b))})
}

func made(u *testforeign.UIF) []byte {
	f := u.Make("x", content())
	return f.Bytes[f.Order[0]]
}

// Every kind gives what was put into it, at any place.
func TestKinds(t *testing.T) {
	want := content()
	for name, u := range testforeign.UIFs() {
		c, err := opened(t, made(u))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got := make([]byte, c.Size)
		if _, err := c.ReadAt(got, 0); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
		if lzma := u.Version >= 3; c.Codec != map[bool]string{true: "LZMA", false: "zlib"}[lzma] {
			t.Errorf("%s: %s", name, c.Codec)
		}
		for at := int64(0); at < c.Size; at += 23 * 1999 {
			b := make([]byte, 3000)
			n, _ := c.ReadAt(b, at)
			if !bytes.Equal(b[:n], want[at:min(at+3000, c.Size)]) {
				t.Errorf("%s: other bytes at %d", name, at)
			}
		}
	}
}

func TestDamaged(t *testing.T) {
	b := made(&testforeign.UIF{})
	b[60] ^= 0x55
	c, err := opened(t, b)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.ReadAt(make([]byte, 100), 0); !errors.Is(err, packed.ErrDamaged) {
		t.Error(err)
	}
	if _, err := c.ReadAt(make([]byte, 100), 17*sectorSize); err != nil {
		t.Error(err)
	}
}

func TestRefused(t *testing.T) {
	le := binary.LittleEndian
	field := func(back, size int, v uint64) func([]byte) {
		return func(b []byte) {
			var f [8]byte
			le.PutUint64(f[:], v)
			copy(b[len(b)-back:], f[:size])
		}
	}
	entry := func(n, at int, v uint64) func([]byte) { // of the table, which is not compressed
		return func(b []byte) {
			table := int(le.Uint64(b[len(b)-36:]))
			var f [8]byte
			le.PutUint64(f[:], v)
			copy(b[table+tableHead+n*entrySize+at:], f[:min(8, 4+4*max(0, 1-at))])
		}
	}
	for want, test := range map[string]struct {
		u     testforeign.UIF
		spoil func([]byte)
	}{
		"that is encrypted":               {testforeign.UIF{Version: 2, Key: 3}, func([]byte) {}},
		"with a password":                 {testforeign.UIF{Locked: true}, func([]byte) {}},
		"with audio or raw sectors":       {testforeign.UIF{Type: 9}, func([]byte) {}},
		"the unknown type 7":              {testforeign.UIF{Type: 7}, func([]byte) {}},
		"sectors of 4294967295 bytes":     {testforeign.UIF{}, field(44, 4, 1<<32-1)},
		"0 sectors of 2048":               {testforeign.UIF{}, field(48, 4, 0)},
		"a last sector of 2049":           {testforeign.UIF{}, field(40, 4, 2049)},
		"a table at byte 9223372036":      {testforeign.UIF{}, field(36, 8, 1<<63)},
		"no table at byte 3":              {testforeign.UIF{}, field(36, 8, 3)},
		"no block has sectors 150 to 429": {testforeign.UIF{}, field(48, 4, 1<<32-1)},
		"the unknown way 4":               {testforeign.UIF{PlainTable: true}, entry(1, 20, 4)},
		"two blocks have sector 15":       {testforeign.UIF{PlainTable: true}, entry(1, 12, 15)},
		"no block has sectors 16 to 16":   {testforeign.UIF{PlainTable: true}, entry(1, 12, 17)},
		"block 0 has sectors 0 to 0":      {testforeign.UIF{PlainTable: true}, entry(0, 16, 0)},
		"at byte -9223372036854775808":    {testforeign.UIF{PlainTable: true}, entry(0, 0, 1<<63)},
		"block 0 has 4294967295 bytes":    {testforeign.UIF{PlainTable: true}, entry(0, 8, 1<<32-1)},
	} {
		b := made(&test.u)
		test.spoil(b)
		if _, err := opened(t, b); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

func FuzzOpen(f *testing.F) {
	for _, u := range testforeign.UIFs() {
		f.Add(made(u))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := opened(t, b)
		if err != nil {
			return
		}
		buf := make([]byte, min(c.Size, 1<<20))
		_, _ = c.ReadAt(buf, 0)
		_, _ = c.ReadAt(buf, max(0, c.Size-int64(len(buf))))
	})
}

// Damaged at random, an image is refused, found to be damaged, or read to its stated size.
func TestMutants(t *testing.T) {
	for name, u := range testforeign.UIFs() {
		whole := made(u)
		for n := range uint64(mutants.Count()) {
			c, err := opened(t, mutants.Of(whole, n))
			if err != nil || c.Size > 64<<20 {
				continue
			}
			if have, err := c.ReadAt(make([]byte, c.Size), 0); err == nil && int64(have) != c.Size {
				t.Errorf("%s, mutant %d: %d bytes of %d", name, n, have, c.Size)
			}
		}
	}
}
