package ctdb

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"hash/crc32"
	"reflect"
	"testing"

	"spindle/disc/discid"
	"spindle/internal/testdisc"
)

const sector = 2352

// tracksOf makes tracks of their first sectors and the end.
func tracksOf(sectors ...int64) []Track {
	var all []Track
	for i := range len(sectors) - 1 {
		all = append(all, Track{(sectors[i] - sectors[0]) * 588, (sectors[i+1] - sectors[0]) * 588})
	}
	return all
}

// measure writes a stream in steps of so many samples.
func measure(t testing.TB, tracks []Track, stream []byte, step int) *Meter {
	t.Helper()
	m, err := NewMeter(tracks)
	if err != nil {
		t.Fatal(err)
	}
	for p := stream; len(p) > 0; {
		n := min(step*4, len(p))
		if _, err := m.Write(p[:n]); err != nil {
			t.Fatal(err)
		}
		p = p[n:]
	}
	return m
}

// stateOf makes the entry and the parity of a disc, as the database has them.
func stateOf(m *Meter, toc string, n int) (Entry, *Parity) {
	s := m.Sums()
	e := Entry{ID: "1", Confidence: 10, CRC: s.Disc, TrackCRCs: s.Tracks}
	e.TOC, _ = discid.ParseTOC(toc)
	p := &Parity{rows: n, data: m.Parity(n)}
	for i := range n {
		e.syndrome = append(e.syndrome, m.column(0, 0)[i])
	}
	return e, p
}

// The disc of CUETools' own tests of tracks.
func TestCUEToolsSums(t *testing.T) {
	tracks, stream := tracksOf(13, 68, 99, 136), testdisc.NetRandom(2314, 136*sector)[13*sector:]
	for _, step := range []int{1 << 20, 588 * 20, 1000, 1} {
		m := measure(t, tracks, stream, step)
		if got, want := m.Sums().Tracks[1], uint32(37001035); got != want {
			t.Errorf("steps of %d samples: %d, want %d", step, got, want)
		}
		if got, want := m.crc, crc32.ChecksumIEEE(stream); got != want {
			t.Errorf("steps of %d samples: all is %d, want %d", step, got, want)
		}
	}
}

// The disc of CUETools' own tests of parity.
func TestCUEToolsParity(t *testing.T) {
	stream := testdisc.NetRandom(2423, 75264+9801*sector)[75264:]
	if sum := sha256.Sum256(stream); hex.EncodeToString(sum[:]) != "c0c26c7a89728a4907744874bf8df699ffc2031072bb4acf372bb774401e2946" {
		t.Fatal("another stream")
	}
	m := measure(t, tracksOf(0, 9801), stream, 100000)
	if crc := m.Sums().Disc; crc != 377539636 || m.rows != 978 {
		t.Errorf("%d rows, CRC %d", m.rows, crc)
	}
	var got bytes.Buffer
	for i := range MaxParity {
		for c := range 4 {
			binary.Write(&got, binary.LittleEndian, m.column(c, 0)[i])
		}
	}
	const want = "DP5e7sS+kHjtAEb/o599As2tA3puoW+wuWA5hT1cZxCBRs0bU7Ow3jyLb97/pW1Yjt6H3pph7zKa+hFsT6Wct1r7IciaQ8QUhvzxCof3sJEnJZERL/LnLGrfbjkmdw6wZ0PJjSD5cmwGKFvLpslT/OYwc5M3fbmmFmVDJWRvQdE="
	if s := base64.StdEncoding.EncodeToString(got.Bytes()); s != want {
		t.Errorf("%s, want %s", s, want)
	}
}

// plainColumn computes a syndrome by its definition.
func plainColumn(stream []byte, rows, c, o int) (s syndrome) {
	f := gf()
	for r := range rows {
		d := binary.LittleEndian.Uint16(stream[2*(columns*(r+1)+c+2*o):])
		for i := range s {
			s[i] = d ^ f.mul(s[i], f.pow(i))
		}
	}
	return s
}

// Discs of few rows, at all kinds of offsets, as the definition has them.
func TestByDefinition(t *testing.T) {
	for _, sectors := range []int64{30, 35, 39, 40, 45, 57, 123, 777} {
		stream := testdisc.NetRandom(int32(sectors), int(sectors)*sector)
		tracks := tracksOf(0, 12, sectors)
		m := measure(t, tracks, stream, 700)
		words := len(stream) / 2
		last := columns + words%columns
		for _, o := range []int{0, 1, -1, 588, -588, 3000, -5000, MaxOffset, -MaxOffset} {
			crc, ok := m.disc.at(int64(o))
			if want := crc32.ChecksumIEEE(stream[2*(columns+2*o) : 2*(words-last+2*o)]); !ok || crc != want {
				t.Errorf("%d sectors at %d: CRC %08x, want %08x", sectors, o, crc, want)
			}
			crc, ok = m.tracks[1].at(int64(o))
			if want := crc32.ChecksumIEEE(stream[2*(12*1176+2*o) : 2*(words-last+2*o)]); (ok || sectors > 40) && crc != want {
				t.Errorf("%d sectors at %d: last track %08x, want %08x", sectors, o, crc, want)
			}
			for _, c := range []int{0, 1, 2000, columns / 2, columns - 1} {
				if got, want := m.column(c, o), plainColumn(stream, m.rows, c, o); got != want {
					t.Errorf("%d sectors, column %d at %d: %04x, want %04x", sectors, c, o, got, want)
				}
			}
		}
	}
}

func TestTooShort(t *testing.T) {
	for _, n := range []int64{0, 1, 10, 29} {
		if _, err := NewMeter(tracksOf(0, n)); !errors.Is(err, ErrTooShort) {
			t.Errorf("%d sectors: %v", n, err)
		}
	}
	m, err := NewMeter(tracksOf(0, 30))
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{2, 30*sector + 4} {
		if _, err := m.Write(make([]byte, n)); !errors.Is(err, ErrStream) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
}

func TestJudge(t *testing.T) {
	const toc = "0:60:140:200"
	all := testdisc.NetRandom(9, 220*sector)
	tracks := tracksOf(0, 60, 140, 200)
	cut := func(o int) []byte { return bytes.Clone(all[10*sector-4*o:][:200*sector]) }
	e, _ := stateOf(measure(t, tracks, cut(0), 5000), toc, 8)
	x, err := discid.ParseTOC(toc)
	if err != nil {
		t.Fatal(err)
	}
	ids, err := x.IDs()
	if err != nil {
		t.Fatal(err)
	}
	broken := func(o int, at ...int) []byte {
		b := cut(o)
		for _, a := range at {
			b[a*sector]++
		}
		return b
	}
	zero, other, unsure := e, e, e
	zero.CRC, zero.TrackCRCs, zero.syndrome = 0, []uint32{0, 0, 0}, nil
	other.TOC, _ = discid.ParseTOC("0:60:141:200")
	unsure.syndrome, unsure.CRC, unsure.TrackCRCs = nil, 1, []uint32{e.TrackCRCs[0], 2, 3}
	good := []bool{true, true, true}
	for _, test := range []struct {
		name   string
		stream []byte
		e      Entry
		want   Match
	}{
		{"same", cut(0), e, Match{Found: true, Same: true, Tracks: good}},
		{"same, later", cut(700), e, Match{Found: true, Same: true, Offset: 700, Tracks: good}},
		{"same, before", cut(-MaxOffset), e, Match{Found: true, Same: true, Offset: -MaxOffset, Tracks: good}},
		{"too far", cut(MaxOffset + 1), e, Match{Tracks: make([]bool, 3)}},
		{"damaged", broken(700, 100), e, Match{Found: true, Offset: 700, Tracks: []bool{true, false, true}}},
		{"two tracks damaged", broken(-20, 30, 100), e, Match{Found: true, Offset: -20, Tracks: []bool{false, false, true}}},
		{"all tracks damaged", broken(0, 30, 100, 160), e, Match{Found: true, Tracks: []bool{false, false, false}}},
		{"another disc", testdisc.NetRandom(10, 200*sector), e, Match{Tracks: make([]bool, 3)}},
		{"zeros", cut(0), zero, Match{Tracks: make([]bool, 3)}},
		{"one track, and nothing else", cut(5), unsure, Match{Tracks: make([]bool, 3)}},
	} {
		got := judged(t, measure(t, tracks, test.stream, 5000), []Entry{other, test.e}, ids.CTDB)
		if len(got) != 1 {
			t.Fatalf("%s: %+v", test.name, got)
		}
		got[0].Entry, got[0].guess = nil, 0
		if !reflect.DeepEqual(test.want, got[0]) {
			t.Errorf("%s: %+v, want %+v", test.name, got[0], test.want)
		}
	}
}

func BenchmarkMeter(b *testing.B) {
	p := testdisc.NetRandom(1, 256*sector)
	m := &Meter{}
	b.SetBytes(int64(len(p)))
	for b.Loop() {
		if m.at+256*588 > m.length {
			m, _ = NewMeter(tracksOf(0, 350000))
		}
		if _, err := m.Write(p); err != nil {
			b.Fatal(err)
		}
	}
}
