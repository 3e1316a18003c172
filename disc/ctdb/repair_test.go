package ctdb

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"testing"

	"spindle/internal/testdisc"
)

const repairSectors = 220

// original is a disc, its entry and its parity.
func original(t *testing.T, n int) (tracks []Track, stream []byte, e Entry, p *Parity) {
	t.Helper()
	tracks, stream = tracksOf(0, 130, repairSectors), testdisc.NetRandom(5, repairSectors*sector)
	e, p = stateOf(measure(t, tracks, stream, 100000), "0:130:220", n)
	return tracks, stream, e, p
}

// mend repairs a stream and returns it.
func mend(t *testing.T, tracks []Track, stream []byte, e *Entry, p *Parity, bad ...[]Run) ([]byte, *Patch, error) {
	t.Helper()
	m := measure(t, tracks, stream, 100000)
	ids, err := e.TOC.IDs()
	if err != nil {
		t.Fatal(err)
	}
	x := judged(t, m, []Entry{*e}, ids.CTDB)[0]
	patch, err := m.Repair(context.Background(), x, p, bad...)
	if err != nil {
		return nil, nil, err
	}
	out := bytes.Clone(stream)
	for at := 0; at < len(out); at += 1000 * 4 {
		patch.Apply(int64(at/4), out[at:min(at+1000*4, len(out))])
	}
	return out, patch, nil
}

// shifted is a stream as another pressing has it, with o samples more before it.
func shifted(stream []byte, o int) []byte {
	out := bytes.Clone(stream)
	if o > 0 {
		copy(out[4*o:], stream)
	} else {
		copy(out, stream[-4*o:])
	}
	return out
}

func TestRepair(t *testing.T) {
	const row = 10 * sector
	junk := func(b []byte) {
		for i := range b {
			b[i] = byte(i*i>>3) ^ 0xA5
		}
	}
	sectors := func(first, n int64) Run { return Run{first * 588, (first + n) * 588} }
	for _, test := range []struct {
		name   string
		words  int
		offset int
		damage func(b []byte)
		bad    []Run
		ok     bool
	}{
		{name: "nothing", words: 8, damage: func([]byte) {}, ok: true},
		{name: "a sample", words: 8, damage: func(b []byte) { b[5*row]++ }, ok: true},
		{name: "a sample of another pressing", words: 8, offset: 1000, damage: func(b []byte) { b[5*row]++ }, ok: true},
		{name: "a sample of an earlier pressing", words: 8, offset: -5000, damage: func(b []byte) { b[5*row]++ }, ok: true},
		{name: "a burst of 40 sectors", words: 8, damage: func(b []byte) { junk(b[5*row : 9*row]) }, ok: true},
		{name: "a burst of 41 sectors", words: 8, damage: func(b []byte) { junk(b[5*row : 9*row+sector]) }},
		{name: "80 sectors, known", words: 8, damage: func(b []byte) { junk(b[5*row : 13*row]) }, bad: []Run{sectors(50, 80)}, ok: true},
		{name: "80 sectors, known, of another pressing", words: 8, offset: 77, damage: func(b []byte) { junk(b[5*row : 13*row]) }, bad: []Run{sectors(50, 80)}, ok: true},
		{name: "81 sectors, known", words: 8, damage: func(b []byte) { junk(b[5*row : 13*row+sector]) }, bad: []Run{sectors(50, 81)}},
		{name: "160 sectors, known", words: 16, damage: func(b []byte) { junk(b[2*row : 18*row]) }, bad: []Run{sectors(20, 160)}, ok: true},
		{name: "40 known, 20 not", words: 8, damage: func(b []byte) { junk(b[5*row : 9*row]); junk(b[12*row : 14*row]) },
			bad: []Run{sectors(50, 40)}, ok: true},
		{name: "40 known, 30 not", words: 8, damage: func(b []byte) { junk(b[5*row : 9*row]); junk(b[12*row : 15*row]) },
			bad: []Run{sectors(50, 40)}},
		{name: "all said to be bad", words: 8, damage: func(b []byte) { junk(b[5*row : 9*row]) }, bad: []Run{sectors(0, repairSectors)}, ok: true},
		{name: "wrong places said to be bad", words: 8, damage: func(b []byte) { junk(b[5*row : 9*row]) }, bad: []Run{sectors(120, 80)}, ok: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			tracks, stream, e, p := original(t, test.words)
			whole := shifted(stream, test.offset)
			damaged := bytes.Clone(whole)
			test.damage(damaged)
			got, patch, err := mend(t, tracks, damaged, &e, p, test.bad)
			if !test.ok {
				if !errors.Is(err, ErrBeyond) {
					t.Fatalf("%v, want %v", err, ErrBeyond)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, whole) || patch.Offset != test.offset {
				t.Errorf("at offset %d the disc is not what it was", patch.Offset)
			}
		})
	}
}

// Damage of all kinds: what is repaired is as it was, and all within reach is repaired.
func TestRandomDamage(t *testing.T) {
	tracks, stream, e, p := original(t, 8)
	r := rand.New(rand.NewPCG(3, 4))
	repaired, refused := 0, 0
	for range 16 {
		damaged := bytes.Clone(stream)
		most := 1 + r.IntN(6) // words in a column
		for range 1 + r.IntN(300) {
			c := r.IntN(columns)
			for range most {
				at := 2 * (columns*(1+r.IntN(20)) + c)
				damaged[at] ^= byte(1 + r.IntN(255))
			}
		}
		errs := make([]int, columns)
		within := true
		for at := 0; at < len(stream); at += 2 {
			if damaged[at] != stream[at] {
				c := at / 2 % columns
				errs[c]++
				within = within && errs[c] <= 4
			}
		}
		got, _, err := mend(t, tracks, damaged, &e, p, nil)
		switch {
		case err == nil && !bytes.Equal(got, stream):
			t.Fatal("a wrong repair is called good")
		case err != nil && !errors.Is(err, ErrBeyond):
			t.Fatal(err)
		case (err == nil) != within:
			t.Fatalf("within reach: %v, but %v", within, err)
		case err == nil:
			repaired++
		default:
			refused++
		}
	}
	if repaired < 3 || refused < 3 {
		t.Errorf("%d repaired, %d refused", repaired, refused)
	}
}

// Where it is known which samples are wrong, and not only in which sectors, damage that is scattered over more sectors
// than parity restores is repaired; a wrong suspicion does no harm.
func TestSuspicions(t *testing.T) {
	tracks, stream, e, p := original(t, 8)
	r := rand.New(rand.NewPCG(8, 9))
	for _, o := range []int{0, 700, -700} {
		damaged := shifted(stream, o)
		var samples, sectors []Run
		for at := int64(30); at < repairSectors-30; at++ { // each of 160 sectors has 20 wrong samples, 8 of a column at most
			for k := range int64(20) {
				n := at*588 + (at/80*31+k*2)%588
				for i := range 4 {
					damaged[4*n+int64(i)] ^= byte(1 + r.IntN(255))
				}
				samples = append(samples, Run{n, n + 1})
			}
			sectors = append(sectors, Run{at * 588, (at + 1) * 588})
		}
		for name, bad := range map[string][][]Run{"samples": {samples}, "wrong ones first": {{{0, 588}}, samples}, "and sectors": {samples, sectors}} {
			got, patch, err := mend(t, tracks, damaged, &e, p, bad...)
			if err != nil || patch.Offset != o || !bytes.Equal(got, shifted(stream, o)) {
				t.Errorf("%d, %s: %v", o, name, err)
			}
		}
		if _, _, err := mend(t, tracks, damaged, &e, p, sectors); !errors.Is(err, ErrBeyond) {
			t.Errorf("%d, sectors alone: %v", o, err)
		}
	}
}

// Parity of another disc, and an entry whose CRC is not that of its parity.
func TestWrongParity(t *testing.T) {
	tracks, stream, e, p := original(t, 8)
	other, q := stateOf(measure(t, tracks, testdisc.NetRandom(6, repairSectors*sector), 100000), "0:130:220", 8)
	stream[100000]++
	if _, _, err := mend(t, tracks, stream, &e, q, nil); !errors.Is(err, ErrOther) {
		t.Error(err)
	}
	if _, _, err := mend(t, tracks, stream, &other, q, nil); !errors.Is(err, ErrOther) {
		t.Error(err)
	}
	for _, crc := range []uint32{0, e.CRC ^ 1} {
		x := e
		x.CRC = crc
		if _, _, err := mend(t, tracks, stream, &x, p, nil); !errors.Is(err, ErrBeyond) {
			t.Error(err)
		}
	}
}

// CUETools' test: 2940 wrong samples, at most 8 in a column.
func TestCUEToolsRepair(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a second")
	}
	tracks, stream := tracksOf(0, 9801), testdisc.NetRandom(2423, 75264+9801*sector)[75264:]
	e, p := stateOf(measure(t, tracks, stream, 100000), "0:9801", 16)
	damaged := bytes.Clone(stream)
	r := rand.New(rand.NewPCG(5, 6))
	for i := range 2940 {
		at := 4 * (rowSamples*(1+r.IntN(978)) + i)
		damaged[at] ^= byte(1 + r.IntN(255))
		damaged[at+2] ^= byte(1 + r.IntN(255))
	}
	for _, o := range []int{0, 48, -48} {
		got, patch, err := mend(t, tracks, shifted(damaged, o), &e, p, nil)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, shifted(stream, o)) || len(patch.Changes) != 2*2940 || patch.Offset != o {
			t.Errorf("%d changes at %d, or the disc is not what it was", len(patch.Changes), patch.Offset)
		}
	}
}

// Damage that is as much as parity can repair, in as many rows as a disc of 80 minutes has.
func BenchmarkDecode(b *testing.B) {
	d := decoder{rows: 36000}
	r := rand.New(rand.NewPCG(7, 8))
	for b.Loop() {
		var s syndrome
		for range 8 {
			row, v := r.IntN(d.rows), uint16(1+r.IntN(65535))
			for i := range s {
				s[i] ^= gf().mul(v, gf().pow(i*(d.rows-1-row)))
			}
		}
		if errs, ok := d.decode(&s, MaxParity, nil); !ok {
			b.Fatal(errs, ok)
		}
	}
}

func judged(t testing.TB, m *Meter, entries []Entry, id string) []Match {
	t.Helper()
	matches, err := m.Judge(t.Context(), entries, id)
	if err != nil {
		t.Fatal(err)
	}
	return matches
}

// A context that ended ends what takes time.
func TestContextEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := new(Meter).Judge(ctx, nil, ""); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	x := Match{Entry: new(Entry), Found: true}
	if _, err := (&Meter{rows: 1}).Repair(ctx, x, &Parity{rows: minParity}, nil); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
