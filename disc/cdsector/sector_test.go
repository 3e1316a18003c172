package cdsector

import (
	"errors"
	"math/rand/v2"
	"os"
	"testing"

	"spindle/addr"
	"spindle/internal/corpus"
)

// naiveEDC computes the EDC bit by bit, as ECMA-130 14.3 words it.
func naiveEDC(p []byte) uint32 {
	var c uint32
	for _, b := range p {
		for i := range 8 {
			bit := uint32(b>>i)&1 ^ c&1
			c >>= 1
			if bit != 0 {
				c ^= 0xD8018001
			}
		}
	}
	return c
}

// naiveMul multiplies in GF(2^8) modulo x^8+x^4+x^3+x^2+1.
func naiveMul(a, b byte) byte {
	var r byte
	for ; b != 0; b >>= 1 {
		if b&1 != 0 {
			r ^= a
		}
		hi := a & 0x80
		a <<= 1
		if hi != 0 {
			a ^= 0x1D
		}
	}
	return r
}

// naiveParityOK checks the check equations of ECMA-130 annex A word by word.
func naiveParityOK(s *[Size]byte) bool {
	check := func(pos func(i int) int, n int) bool {
		var s0, s1 byte
		for i := range n {
			v := s[pos(i)]
			s0 ^= v
			w := byte(1)
			for range n - 1 - i {
				w = naiveMul(w, 2)
			}
			s1 ^= naiveMul(w, v)
		}
		return s0 == 0 && s1 == 0
	}
	for half := range 2 {
		for np := range 43 {
			if !check(func(i int) int { return 12 + 2*(43*i+np) + half }, 26) {
				return false
			}
		}
		for nq := range 26 {
			if !check(func(i int) int {
				switch i {
				case 43:
					return 12 + 2*(43*26+nq) + half
				case 44:
					return 12 + 2*(44*26+nq) + half
				}
				return 12 + 2*((44*i+43*nq)%1118) + half
			}, 45) {
				return false
			}
		}
	}
	return true
}

func randomSector(r *rand.Rand, k Kind) *[Size]byte {
	var s [Size]byte
	for i := range s {
		s[i] = byte(r.Uint32())
	}
	switch k {
	case Mode1:
		SetHeader(&s, addr.MSF{M: 12, S: 34, F: 56}, 1)
	case Form1, Form2:
		SetHeader(&s, addr.MSF{M: 12, S: 34, F: 56}, 2)
		sub := []byte{1, 2, 0x08, 3}
		if k == Form2 {
			sub[2] = 0x20
		}
		copy(s[16:], sub)
		copy(s[20:], sub)
	}
	Seal(&s, k)
	return &s
}

func TestEDC(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, n := range []int{0, 1, 15, 16, 17, 31, 33, 2064, 2056, 2332} {
		p := make([]byte, n)
		for i := range p {
			p[i] = byte(r.Uint32())
		}
		if got, want := edc(p), naiveEDC(p); got != want {
			t.Errorf("EDC of %d bytes = %#x, want %#x", n, got, want)
		}
	}
}

func TestSealMakesSectorsThatHold(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		for _, k := range []Kind{Mode1, Form1, Form2} {
			s := randomSector(r, k)
			if got := Classify(s); got != k {
				t.Fatalf("a %v sector is classified as %v", k, got)
			}
			if !EDCOK(s, k) || !ParityOK(s, k) {
				t.Fatalf("%v: EDC %v, parity %v", k, EDCOK(s, k), ParityOK(s, k))
			}
		}
		if s := randomSector(r, Mode1); !naiveParityOK(s) {
			t.Fatal("the parity does not satisfy the standard's equations")
		}
	}
}

func TestAnyFlippedBitIsSeen(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 3))
	for _, k := range []Kind{Mode1, Form1} {
		s := randomSector(r, k)
		for range 500 {
			at := 16 + r.IntN(Size-16)
			bit := byte(1) << r.IntN(8)
			s[at] ^= bit
			if EDCOK(s, k) && ParityOK(s, k) {
				t.Fatalf("%v: a wrong bit in byte %d is not seen", k, at)
			}
			s[at] ^= bit
		}
	}
}

// TestTwoWrongParityBytesAreSeen: a word has two sums, and either of them may hold by chance.
func TestTwoWrongParityBytesAreSeen(t *testing.T) {
	const qAt, words = 2248, 52
	var s [Size]byte
	SetHeader(&s, addr.MSF{S: 2}, 1)
	Seal(&s, Mode1)
	for i := range words {
		for a := 1; a < 256; a++ {
			double := a << 1 // in GF(2^8): the second sum does not change
			if double > 255 {
				double ^= 0x11D
			}
			bad := s
			bad[qAt+i] ^= byte(a)
			bad[qAt+words+i] ^= byte(double)
			if ParityOK(&bad, Mode1) {
				t.Fatalf("parity %d: %02x and %02x are not seen", i, a, double)
			}
		}
	}
}

func TestCorrect(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 4))
	for _, test := range []struct {
		name   string
		bytes  int
		erase  bool
		rounds int
	}{
		{"one byte", 1, false, 300},
		{"ten bytes", 10, false, 100},
		{"eighty erasures", 80, true, 50},
	} {
		for _, k := range []Kind{Mode1, Form1} {
			for range test.rounds {
				want := randomSector(r, k)
				got := *want
				var e Erasures
				for range test.bytes {
					at := 16 + r.IntN(Size-16)
					got[at] ^= byte(1 + r.IntN(255))
					e.Set(at)
				}
				var marks *Erasures
				if test.erase {
					marks = &e
				}
				if _, ok := Correct(&got, k, marks); !ok || got != *want {
					t.Fatalf("%s, %v: not repaired", test.name, k)
				}
			}
		}
	}
}

func TestCorrectNeverMakesItWorse(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 5))
	for range 50 {
		s := randomSector(r, Mode1)
		for range 700 {
			s[16+r.IntN(Size-16)] = byte(r.Uint32())
		}
		before := *s
		if n, ok := Correct(s, Mode1, nil); ok || n != 0 || *s != before {
			t.Fatal("a sector beyond repair was changed")
		}
	}
}

// A code word of 45 bytes with more damage than it can place must not make
// Correct run without end or loop over itself.
func FuzzCorrect(f *testing.F) {
	f.Add(uint64(1), []byte{1, 2, 3}, []byte{})
	f.Add(uint64(2), []byte{255, 0, 7, 9, 200}, []byte{1, 1, 255, 128})
	f.Fuzz(func(t *testing.T, seed uint64, damage, marks []byte) {
		s := randomSector(rand.New(rand.NewPCG(seed, 0)), Mode1)
		for i, b := range damage {
			s[(i*97+int(b)*9)%Size] ^= b
		}
		var e Erasures
		copy(e[:], marks)
		if _, ok := Correct(s, Mode1, &e); ok && (!EDCOK(s, Mode1) || !ParityOK(s, Mode1)) {
			t.Fatal("called good, and is not")
		}
	})
}

func TestScramble(t *testing.T) {
	// ECMA-130 annex B: the register starts at 1, so the first bytes of the
	// sequence are 01 80 00 60 00 28 00 1E.
	var s [Size]byte
	Scramble(&s)
	want := []byte{0x01, 0x80, 0x00, 0x60, 0x00, 0x28, 0x00, 0x1E, 0x80, 0x08, 0x60, 0x06, 0xA8, 0x02, 0xFE, 0x81}
	if string(s[12:28]) != string(want) {
		t.Errorf("sequence starts % x, want % x", s[12:28], want)
	}
	Scramble(&s)
	if s != [Size]byte{} {
		t.Error("scrambling twice is not the identity")
	}
}

func TestUnprotected(t *testing.T) {
	var s [Size]byte
	SetHeader(&s, addr.MSF{M: 0, S: 2, F: 0}, 1)
	if !Unprotected(&s) {
		t.Error("a sector without EDC is not seen as such")
	}
	Seal(&s, Mode1)
	if Unprotected(&s) {
		t.Error("a sealed sector is called unprotected")
	}
}

func TestInterleave(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 6))
	var raw, de, again [SubSize]byte
	for i := range raw {
		raw[i] = byte(r.Uint32())
	}
	Deinterleave(&de, &raw)
	Interleave(&again, &de)
	if again != raw {
		t.Error("interleaving does not undo de-interleaving")
	}
	if q := DeinterleaveQ(&raw); q != [QSize]byte(de[QSize:2*QSize]) {
		t.Error("DeinterleaveQ and Deinterleave disagree")
	}
}

func TestQ(t *testing.T) {
	for _, q := range []Q{
		{Control: 4, ADR: 1, Track: 1, Index: 1, Rel: addr.MSF{M: 0, S: 3, F: 4}, Abs: addr.MSF{M: 0, S: 5, F: 4}},
		{ADR: 1, Track: 99, Index: 99, Rel: addr.MSF{M: 79, S: 59, F: 74}, Abs: addr.MSF{M: 79, S: 59, F: 73}},
		{ADR: 1, Track: LeadOut, Index: 1, Abs: addr.MSF{M: 60, S: 0, F: 0}},
		{ADR: 2, MCN: "4012345678901", AFrame: 33},
		{Control: 2, ADR: 3, ISRC: "GBAYE6700001", AFrame: 74},
		{ADR: 3, ISRC: "USZ9Q9999999"},
	} {
		p := q.Encode()
		got, err := DecodeQ(&p)
		if err != nil || got != q {
			t.Errorf("%+v came back as %+v, %v", q, got, err)
		}
		p[3] ^= 0x10
		if _, err := DecodeQ(&p); !errors.Is(err, errQCRC) {
			t.Errorf("a wrong bit gives %v", err)
		}
	}
}

func TestValidCodes(t *testing.T) {
	for s, want := range map[string]bool{
		"GBAYE6700001": true, "gbaye6700001": false, "GBAYE670000X": false, "GBAYE670000": false, "": false,
	} {
		if ValidISRC(s) != want {
			t.Errorf("ValidISRC(%q) = %v", s, !want)
		}
	}
	if !ValidMCN("0000010271955") || ValidMCN("000001027195") || ValidMCN("00000102719555"[:12]+"x") {
		t.Error("ValidMCN is wrong")
	}
}

// The CRC of bytes that are taken eight at a time is that of the polynomial, bit by bit.
func TestExtendCRC16(t *testing.T) {
	var b [37]byte
	for i := range b {
		b[i] = byte(i*i + 7*i + 3)
	}
	for n := range b {
		want := uint16(0x1D0F)
		for _, x := range b[:n] {
			want ^= uint16(x) << 8
			for range 8 {
				carry := want >> 15
				want = want<<1 ^ carry*0x1021
			}
		}
		if got := ExtendCRC16(0x1D0F, b[:n]); got != want {
			t.Errorf("%d bytes: %04X, want %04X", n, got, want)
		}
	}
}

func FuzzDecodeQ(f *testing.F) {
	f.Add(make([]byte, QSize))
	f.Fuzz(func(t *testing.T, b []byte) {
		var p [QSize]byte
		copy(p[:], b)
		crc := CRC16(p[:10])
		p[10], p[11] = byte(crc>>8), byte(crc)
		q, err := DecodeQ(&p)
		if err == nil && q.ADR >= 1 && q.ADR <= 3 {
			// What decodes must encode to a frame that decodes to the same.
			e := q.Encode()
			again, err := DecodeQ(&e)
			if err != nil || again != q {
				t.Errorf("%+v became %+v, %v", q, again, err)
			}
		}
	})
}

// Sectors that other programs made must be found good.
func TestForeignSectors(t *testing.T) {
	b, err := os.ReadFile(corpus.Path(t, "libcdio", "isofs-m1.bin"))
	if err != nil {
		t.Fatal(err)
	}
	for ; len(b) >= Size; b = b[Size:] {
		s := (*[Size]byte)(b[:Size])
		if k := Classify(s); k != Mode1 || !EDCOK(s, k) || !ParityOK(s, k) {
			at, _ := Address(s)
			t.Fatalf("%v is %v: EDC %v, parity %v", at, k, EDCOK(s, k), ParityOK(s, k))
		}
	}
}

func benchmarkSector(b *testing.B, f func(*[Size]byte)) {
	s := randomSector(rand.New(rand.NewPCG(1, 1)), Mode1)
	b.SetBytes(Size)
	b.ReportAllocs()
	for b.Loop() {
		f(s)
	}
}

func BenchmarkEDC(b *testing.B)      { benchmarkSector(b, func(s *[Size]byte) { EDCOK(s, Mode1) }) }
func BenchmarkParity(b *testing.B)   { benchmarkSector(b, func(s *[Size]byte) { ParityOK(s, Mode1) }) }
func BenchmarkSeal(b *testing.B)     { benchmarkSector(b, func(s *[Size]byte) { Seal(s, Mode1) }) }
func BenchmarkScramble(b *testing.B) { benchmarkSector(b, Scramble) }
func BenchmarkClassify(b *testing.B) { benchmarkSector(b, func(s *[Size]byte) { Classify(s) }) }

func BenchmarkCorrect(b *testing.B) {
	want := randomSector(rand.New(rand.NewPCG(1, 1)), Mode1)
	b.SetBytes(Size)
	for b.Loop() {
		s := *want
		s[1000] ^= 0x55
		if _, ok := Correct(&s, Mode1, nil); !ok {
			b.Fatal("not corrected")
		}
	}
}

func BenchmarkDeinterleave(b *testing.B) {
	var dst, src [SubSize]byte
	b.SetBytes(SubSize)
	for b.Loop() {
		Deinterleave(&dst, &src)
	}
}
