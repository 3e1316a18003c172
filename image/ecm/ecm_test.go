package ecm

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"spindle/disc/cdsector"
	"spindle/image/format"
	"spindle/internal/corpus"
	"spindle/internal/packed"
)

// sectors is a bit of everything: data of all kinds, data that is wrong, audio.
func sectors(n int) []byte {
	noise := rand.NewChaCha8([32]byte{})
	out := make([]byte, n*cdsector.Size)
	for i := range n {
		s := (*[cdsector.Size]byte)(out[i*cdsector.Size:])
		_, _ = noise.Read(s[:])
		cdsector.SetSync(s)
		copy(s[12:], []byte{byte(i / 256), byte(i), 9})
		sub := [4]byte{1, byte(i), 8, 0}
		switch i / 40 % 6 {
		case 0:
			s[15] = 1
			cdsector.Seal(s, cdsector.Mode1)
		case 1:
			s[15] = 2
			copy(s[16:], sub[:])
			copy(s[20:], sub[:])
			cdsector.Seal(s, cdsector.Form1)
		case 2:
			s[15], sub[2] = 2, 0x20
			copy(s[16:], sub[:])
			copy(s[20:], sub[:])
			cdsector.Seal(s, cdsector.Form2)
		case 3: // damaged in what can be computed
			s[15] = 1
			cdsector.Seal(s, cdsector.Mode1)
			s[2068+i%280] ^= 1
		case 4: // mode 2 without a form, or with an odd mode byte
			s[15] = []byte{2, 0x81, 0}[i%3]
			cdsector.Seal(s, cdsector.Mode1)
		case 5:
			s[0] = 77
		}
	}
	return out
}

func encode(t testing.TB, p []byte, whole bool) []byte {
	t.Helper()
	var out bytes.Buffer
	e := newEncoder(&out)
	write := e.plain
	if whole {
		write = e.sectors
	}
	for len(p) > 0 {
		n := min(len(p), 100*cdsector.Size)
		if _, err := write(p[:n]); err != nil {
			t.Fatal(err)
		}
		p = p[n:]
	}
	if err := e.end(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func content(t testing.TB, b []byte) (*format.Content, error) {
	t.Helper()
	return open(t.Context(), &format.File{ReaderAt: bytes.NewReader(b), Size: int64(len(b))})
}

func check(c *format.Content) error {
	return c.Check(context.Background(), func(int64, int64) {})
}

// What is encoded comes back, wherever reading starts, and is smaller where it can be.
func TestThereAndBack(t *testing.T) {
	for name, want := range map[string][]byte{
		"sectors": sectors(600), "one sector": sectors(1), "a part": sectors(41)[:cdsector.Size*41],
	} {
		for _, whole := range []bool{true, false} {
			b := encode(t, want, whole)
			if whole && len(b) >= len(want) {
				t.Errorf("%s: %d bytes of %d", name, len(b), len(want))
			}
			c, err := content(t, b)
			if err != nil || c.Size != int64(len(want)) || c.Cut {
				t.Fatalf("%s: %+v, %v", name, c, err)
			}
			if err := check(c); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			for at := c.Size - 1; at >= 0; at -= 12_345 {
				p := make([]byte, min(c.Size-at, 20_000))
				if _, err := c.ReadAt(p, at); err != nil || !bytes.Equal(p, want[at:at+int64(len(p))]) {
					t.Fatalf("%s: at %d: %v", name, at, err)
				}
			}
		}
	}
}

// Numbers are written as the program writes them.
func TestNumbers(t *testing.T) {
	for n, want := range map[uint32][]byte{
		0: {0x01}, 31: {0x7D}, 32: {0x81, 0x01}, 1<<12 - 1: {0xFD, 0x7F}, 1<<32 - 1: {0xFD, 0xFF, 0xFF, 0xFF, 0x3F},
	} {
		b := appendNumber(nil, mode1, n)
		if !bytes.Equal(b, want) {
			t.Errorf("%d: % x, want % x", n, b, want)
		}
		if n == 1<<32-1 {
			continue // the end, and of no type
		}
		s := &scanner{r: bytes.NewReader(b), size: int64(len(b))}
		if kind, count, err := s.record(); kind != mode1 || count != n+1 || err != nil {
			t.Errorf("%d: %d, %d, %v", n, kind, count, err)
		}
	}
}

// A changed byte is not noticed when it is read, but by the check.
func TestChanged(t *testing.T) {
	b := encode(t, sectors(100), true)
	b[len(b)/2] ^= 4
	c, err := content(t, b)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.ReadAt(make([]byte, c.Size), 0); err != nil {
		t.Error(err)
	}
	if err := check(c); !errors.Is(err, packed.ErrDamaged) || !c.Blind {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Check(ctx, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("after its context: %v", err)
	}
}

// What was cut short is read as far as it goes.
func TestCut(t *testing.T) {
	want := sectors(300)
	b := encode(t, want, true)
	for _, n := range []int{5000, len(b) / 2, len(b) - 3, len(b) - 5, len(b) - 9} {
		c, err := content(t, b[:n])
		if err != nil || !c.Cut || c.Check != nil {
			t.Fatalf("%d bytes: %+v, %v", n, c, err)
		}
		p := make([]byte, c.Size)
		if _, err := c.ReadAt(p, 0); err != nil || !bytes.Equal(p, want[:len(p)]) || len(p) < 2352 {
			t.Errorf("%d bytes: %d of them, %v", n, len(p), err)
		}
	}
}

// A record that cannot be ends what can be unpacked, and that is in doubt.
func TestDamagedRecord(t *testing.T) {
	want := sectors(10)
	b := encode(t, want, true)
	b = append(b[:len(b)-9:len(b)-9], "\xFC\xFF\xFF\xFF\x7F\x00 and more"...) // in the place of the end
	c, err := content(t, b)
	if err != nil || !c.Cut || c.Check != nil || !errors.Is(c.Damage, packed.ErrDamaged) {
		t.Fatalf("%+v, %v", c, err)
	}
	p := make([]byte, c.Size)
	if _, err := c.ReadAt(p, 0); err != nil || !bytes.Equal(p, want) {
		t.Errorf("%d bytes: %v", len(p), err)
	}
	path := filepath.Join(t.TempDir(), "x.bin.ecm")
	if err := os.WriteFile(path, b, 0o666); err != nil {
		t.Fatal(err)
	}
	f, err := format.OpenDamaged(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if !f.Cut || !errors.Is(f.Damage, packed.ErrDamaged) {
		t.Errorf("cut: %v, %v", f.Cut, f.Damage)
	}
}

func TestRefused(t *testing.T) {
	for name, test := range map[string]struct{ b, want string }{
		"empty":               {"\xFC\xFF\xFF\xFF\x3F\x00\x00\x00\x00", "it holds nothing"},
		"nothing":             {"", "it holds nothing"},
		"33 bits":             {"\xFC\xFF\xFF\xFF\x7F\x00", "byte 4: a number of more than 32 bits"},
		"six bytes":           {"\xFC\xFF\xFF\xFF\x8F\x00", "byte 4: a number of more than 32 bits"},
		"an end with a type":  {"\xFD\xFF\xFF\xFF\x3F\x00\x00\x00\x00", "byte 4: the end of the records has a type"},
		"sectors of no bytes": {"\xFD\xFF\xFF\xFF\x1F", "it holds nothing"},
	} {
		if c, err := content(t, []byte(magic+test.b)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %+v, %v", name, c, err)
		}
	}
}

// Files of the program itself open to what they were made of.
func TestCorpus(t *testing.T) {
	for name, of := range map[string]string{"data.iso.ecm": "data.iso", "demo.bin.ecm": "demo.bin"} {
		f, err := format.OpenFile(t.Context(), corpus.Path(t, "formats", "made", name))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		want, err := os.ReadFile(corpus.Path(t, "formats", "made", of))
		if err != nil {
			t.Fatal(err)
		}
		got := make([]byte, f.Size)
		if _, err := f.ReadAt(got, 0); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %v", name, err)
		}
		if strings.HasSuffix(of, ".iso") {
			continue // it is a file in this ISO that the program made smaller
		}
		again := encode(t, want, true)
		theirs, err := os.Stat(filepath.Join(corpus.Path(t, "formats", "made"), name))
		if err != nil || len(again) > int(theirs.Size())*101/100 {
			t.Errorf("%s: %d bytes, of another program %d", name, len(again), theirs.Size())
		}
	}
}

func FuzzOpen(f *testing.F) {
	f.Add(encode(f, sectors(3), true))
	f.Add(encode(f, sectors(250)[39*2352:82*2352], true)[:2000])
	f.Add([]byte(magic + "\x7Csome bytes that are just as they are\xFC\xFF\xFF\xFF\x3F\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := content(t, b)
		if err != nil {
			return
		}
		p := make([]byte, 10_000)
		for _, at := range []int64{0, c.Size / 2, c.Size - 5, c.Size} {
			if n, err := c.ReadAt(p, max(0, at)); int64(n) < min(int64(len(p)), c.Size-max(0, at)) {
				t.Errorf("%d bytes at %d of %d: %v", n, at, c.Size, err)
			}
		}
		if c.Check != nil {
			_ = check(c)
		}
	})
}

// What is decoded and encoded stays what it is.
func FuzzEncode(f *testing.F) {
	f.Add(sectors(1), uint8(1))
	f.Add(sectors(81)[80*2352:], uint8(2))
	f.Fuzz(func(t *testing.T, b []byte, mode uint8) {
		s := make([]byte, 3*cdsector.Size)
		for i := range 3 {
			x := (*[cdsector.Size]byte)(s[i*cdsector.Size:])
			copy(x[:], b)
			cdsector.SetSync(x)
			x[15] = mode
			cdsector.Seal(x, []cdsector.Kind{cdsector.Mode1, cdsector.Form1, cdsector.Form2}[i])
		}
		c, err := content(t, encode(t, s, true))
		if err != nil {
			t.Fatal(err)
		}
		got := make([]byte, len(s))
		if _, err := c.ReadAt(got, 0); err != nil || !bytes.Equal(got, s) {
			t.Errorf("%v", err)
		}
		if err := check(c); err != nil {
			t.Error(err)
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	s := sectors(240)
	b.SetBytes(int64(len(s)))
	for b.Loop() {
		encode(b, s, true)
	}
}

func BenchmarkDecode(b *testing.B) {
	s := sectors(240)
	c, err := content(b, encode(b, s, true))
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(s)))
	for b.Loop() {
		if _, err := c.ReadAt(s, 0); err != nil {
			b.Fatal(err)
		}
	}
}

// Small records, of which each has a head, are read in bounded memory.
func TestSmallRecords(t *testing.T) {
	b := []byte(magic)
	const n = 100_000
	for i := range n {
		b = append(b, 0x80, 0x80, 0x80, 0x80, 0x00, byte(i)) // one byte, in as many as can be
	}
	b = binary.LittleEndian.AppendUint32(append(b, 0xFC, 0xFF, 0xFF, 0xFF, 0x3F), 0)
	c, err := content(t, b)
	if err != nil || c.Size != n {
		t.Fatal(c, err)
	}
	p := make([]byte, 10)
	if _, err := c.ReadAt(p, 90_000); err != nil || fmt.Sprint(p[0]) != fmt.Sprint(90_000&0xFF) {
		t.Error(p, err)
	}
}
