package accuraterip

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"spindle/disc/discid"
	"spindle/disc/pcm"
	"spindle/internal/corpus"
	"spindle/internal/testdisc"

	"github.com/google/go-cmp/cmp"
)

var testID = discid.AccurateRip{Tracks: 3, ID1: 0x00001234, ID2: 0x00abcdef, CDDB: 0x03000103}

// bytesOf writes a response as the database does.
func bytesOf(id discid.AccurateRip, r Response) []byte {
	var b []byte
	for _, c := range r {
		b = append(b, byte(len(c)))
		for _, x := range []uint32{id.ID1, id.ID2, id.CDDB} {
			b = binary.LittleEndian.AppendUint32(b, x)
		}
		for _, e := range c {
			b = append(b, byte(e.Confidence))
			b = binary.LittleEndian.AppendUint32(b, e.Sum)
			b = binary.LittleEndian.AppendUint32(b, e.Frame450)
		}
	}
	return b
}

func TestParse(t *testing.T) {
	want := Response{{{200, 1, 2}, {3, 4, 0}, {0, 0, 0}}, {{1, 5, 0}, {1, 6, 0}, {1, 7, 0}}}
	b := bytesOf(testID, want)
	got, err := Parse(b, testID)
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
	chunk := len(b) / 2
	for n := range b {
		_, err := Parse(b[:n], testID)
		if whole := n == chunk; whole != (err == nil) || !whole && !errors.Is(err, ErrResponse) {
			t.Errorf("cut to %d bytes: %v", n, err)
		}
	}
	for i := range headerSize {
		for _, at := range []int{i, chunk + i} {
			x := slices.Clone(b)
			x[at] ^= 1
			if _, err := Parse(x, testID); !errors.Is(err, ErrOtherDisc) && !errors.Is(err, ErrResponse) {
				t.Errorf("byte %d changed: %v", at, err)
			}
		}
	}
	for name, b := range map[string][]byte{
		"a page": []byte("<!DOCTYPE html><html><head><title>404</title></head><body>not here</body></html>" + strings.Repeat(" ", 600)),
		"zeros":  make([]byte, 100), "too long": make([]byte, MaxResponse+1),
	} {
		if _, err := Parse(b, testID); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// idOf reads the ids out of the name of a file.
func idOf(t *testing.T, name string) (id discid.AccurateRip) {
	t.Helper()
	if _, err := fmt.Sscanf(name, "dBAR-%03d-%08x-%08x-%08x", &id.Tracks, &id.ID1, &id.ID2, &id.CDDB); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return id
}

func TestRealResponses(t *testing.T) {
	for _, test := range []struct {
		file   string
		chunks int
		at     [2]int // chunk and track of
		want   Entry
	}{
		{"whipper/dBAR-002-0000f21c-00027ef8-05021002.bin", 2, [2]int{0, 0}, Entry{12, 0x284fc705, 0x3b97f8a4}},
		{"whipper/dBAR-002-0000f21c-00027ef8-05021002.bin", 2, [2]int{1, 1}, Entry{7, 0xdd97d2c3, 0}},
		{"whipper/dBAR-011-0010e284-009228a3-9809ff0b.bin", 32, [2]int{0, 0}, Entry{200, 0x6062e0ee, 0x982d46bc}},
		{"audio/libarcstk/dBAR-015-001b9178-014be24e-b40d2d0f.bin", 3, [2]int{0, 0}, Entry{24, 0xb89992e5, 0x126d875e}},
		{"audio/arver/responses/dBAR-013-00206791-01486a82-a710de0d.bin", 2, [2]int{0, 0}, Entry{2, 3840044706, 0}},
		{"audio/arver/responses/dBAR-099-009fc8d0-224410e4-6308d763.bin", 0, [2]int{}, Entry{}},
		{"audio/arver/responses/dBAR-001-000441fd-000883fb-020e8801.bin", 0, [2]int{}, Entry{}},
	} {
		b, err := os.ReadFile(corpus.Path(t, test.file))
		if err != nil {
			t.Fatal(err)
		}
		r, err := Parse(b, idOf(t, filepath.Base(test.file)))
		if err != nil {
			t.Errorf("%s: %v", test.file, err)
			continue
		}
		if test.chunks == 0 {
			continue
		}
		got := r[test.at[0]][test.at[1]]
		got.Frame450 = got.Frame450 * uint32(min(1, test.want.Frame450))
		if len(r) != test.chunks && test.chunks != 2 || got != test.want {
			t.Errorf("%s: %d chunks, %08x", test.file, len(r), got)
		}
	}
	refused := append(corpus.Glob(t, "audio/libarcstk/*_[HT]*.bin"), corpus.Path(t, "audio/arver/responses/truncated_response.bin"),
		corpus.Path(t, "audio/arver/responses/wrong_header.bin"))
	for _, path := range refused {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		id := discid.AccurateRip{Tracks: 13, ID1: 0x00206791, ID2: 0x01486a82, CDDB: 0xa710de0d}
		if strings.Contains(path, "dBAR") {
			id = idOf(t, filepath.Base(path))
		}
		if _, err := Parse(b, id); !errors.Is(err, ErrResponse) && !errors.Is(err, ErrOtherDisc) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if len(refused) != 24 {
		t.Errorf("%d files to refuse", len(refused))
	}
}

// album is a disc of four tracks, the second silent, and its stream shifted by some samples.
func album(offset int) ([]Track, []byte) {
	tracks := tracksOf(0, 460, 480, 500, 960)
	all := testdisc.NetRandom(77, (960*frame+2*MaxOffset)*pcm.SampleSize)
	from := (MaxOffset + offset) * pcm.SampleSize
	clear(all[(MaxOffset+454*frame)*4 : (MaxOffset+486*frame)*4])
	return tracks, all[from : from+960*frame*4]
}

func TestJudge(t *testing.T) {
	tracks, stream := album(0)
	m := measure(t, tracks, stream, 5000)
	sums := m.Sums()
	chunk := func(confidence int, of func(Sums) uint32, key bool) Chunk {
		var c Chunk
		for _, s := range sums {
			e := Entry{Confidence: confidence, Sum: of(s)}
			if key {
				e.Frame450 = s.Frame450
			}
			c = append(c, e)
		}
		return c
	}
	v1, v2 := func(s Sums) uint32 { return s.V1 }, func(s Sums) uint32 { return s.V2 }
	other := func(s Sums) uint32 { return s.V1 ^ 0x5555 }
	shifted := func(o int) *Meter { _, p := album(o); return measure(t, tracks, p, 5000) }
	all := Response{chunk(30, v1, true), chunk(4, v2, false), chunk(2, other, false)}
	good := Result{Outcome: Accurate, V1: 30, V2: 4, Total: 36}
	away := func(o int) Result {
		return Result{Outcome: OtherPressing, V1: 30, Total: 36, Offset: o, Stated: sums[0].V1}
	}
	silent := Result{Outcome: Silent, Silent: true}
	others := Result{Outcome: NoMatch, Silent: true, Total: 2, Stated: 0x5555} // other people's is not silent
	slots := []int{0, 1, 2, 3}
	damaged := slices.Clone(stream)
	damaged[200*frame*4]++
	for _, test := range []struct {
		name  string
		m     *Meter
		r     Response
		slots []int
		want  []Result // of the first track, the silent one, and the last
	}{
		{"accurate", m, all, slots, []Result{good, others, good}},
		{"only version 2", m, all[1:2], slots, []Result{{Outcome: Accurate, V2: 4, Total: 4}, silent, {Outcome: Accurate, V2: 4, Total: 4}}},
		{"nothing", m, nil, slots, []Result{{}, silent, {}}},
		{"zeros", m, Response{make(Chunk, 4)}, slots, []Result{{}, silent, {}}},
		{"silence called accurate", m, Response{{{9, 0, 0}, {9, 0, 0}, {9, 0, 0}, {9, 0, 0}}}, slots, []Result{{}, silent, {}}},
		{"no slot for the last track", m, all, []int{0, 1, 2, 4}, []Result{good, others, {}}},
		{"another pressing", shifted(100), all, slots, []Result{away(-100), others, {}}},
		{"as far as can be", shifted(-MaxOffset), all, slots, []Result{away(MaxOffset), others, {}}},
		{"a damaged track", measure(t, tracks, damaged, 5000), all, slots,
			[]Result{{Outcome: NoMatch, Total: 36, Stated: sums[0].V1}, others, good}},
	} {
		got := test.m.Judge(test.r, test.slots)
		for i, track := range []int{0, 1, 3} {
			want := test.want[i]
			if want.Outcome == Absent && strings.HasPrefix(test.name, "a") { // the last track is as the first
				want = test.want[0]
				want.Stated = sums[3].V1
			}
			if diff := cmp.Diff(want, got[track]); diff != "" {
				t.Errorf("%s, track %d: %s", test.name, track+1, diff)
			}
		}
	}
}

// One checksum that fits at some offset is chance; two tracks, or frame 450 with it, are not.
func TestChance(t *testing.T) {
	tracks, stream := album(50)
	shifted := measure(t, tracks, stream, 5000)
	_, stream = album(0)
	sums := measure(t, tracks, stream, 5000).Sums()
	e := func(i int, key uint32) Entry { return Entry{5, sums[i].V1, key} }
	wrong := Entry{5, 0xDEADBEEF, 0}
	for _, test := range []struct {
		name string
		c    Chunk
		want []Outcome
	}{
		{"one track", Chunk{e(0, 0), wrong, wrong, wrong}, []Outcome{NoMatch, NoMatch, NoMatch, NoMatch}},
		{"one track and another's frame 450", Chunk{e(0, sums[3].Frame450), wrong, wrong, wrong}, []Outcome{NoMatch, NoMatch, NoMatch, NoMatch}},
		{"one track and frame 450", Chunk{e(0, sums[0].Frame450), wrong, wrong, wrong}, []Outcome{OtherPressing, NoMatch, NoMatch, NoMatch}},
		{"two tracks", Chunk{e(0, 0), wrong, wrong, e(3, 0)}, []Outcome{OtherPressing, NoMatch, NoMatch, OtherPressing}},
	} {
		for i, r := range shifted.Judge(Response{test.c}, []int{0, 1, 2, 3}) {
			if r.Outcome != test.want[i] {
				t.Errorf("%s: track %d: %+v", test.name, i+1, r)
			}
		}
	}
}

func TestNoAllocation(t *testing.T) {
	tracks, stream := album(0)
	m := NewMeter(append(tracks, Track{960 * frame, 1 << 40}))
	if n := testing.AllocsPerRun(20, func() {
		if _, err := m.Write(stream[:100000]); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(bytesOf(testID, Response{{{200, 1, 2}, {3, 4, 0}, {0, 0, 0}}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := Parse(b, testID)
		if (err == nil) != (len(r) > 0) {
			t.Errorf("%v, %v", r, err)
		}
		for _, c := range r {
			if len(c) != testID.Tracks {
				t.Errorf("%d tracks", len(c))
			}
		}
	})
}

// Whatever is damaged, no track that is not what it was is called accurate by version 2.
func TestDamagedAlbums(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	tracks, stream := tracksOf(0, 30, 50, 52, 80), testdisc.NetRandom(78, 80*frame*pcm.SampleSize)
	var all Response
	for _, of := range []func(Sums) uint32{func(s Sums) uint32 { return s.V1 }, func(s Sums) uint32 { return s.V2 }} {
		var c Chunk
		for _, s := range measure(t, tracks, stream, 5000).Sums() {
			c = append(c, Entry{Confidence: 9, Sum: of(s)})
		}
		all = append(all, c)
	}
	found := 0
	for range 200 {
		damaged := slices.Clone(stream)
		for range 1 + r.IntN(4) {
			at := r.IntN(len(damaged) - 3000)
			for i := range 1 + r.IntN(2000) {
				damaged[at+i] ^= byte(r.Uint32() & r.Uint32() & r.Uint32())
			}
		}
		m := measure(t, tracks, damaged, 20000)
		for i, res := range m.Judge(all, []int{0, 1, 2, 3}) {
			x := &m.tracks[i]
			same := slices.Equal(damaged[x.from*4:x.to*4], stream[x.from*4:x.to*4])
			if proven := res.Outcome == Accurate && res.V2 > 0 || res.Outcome == OtherPressing; proven != same {
				t.Fatalf("track %d is the same: %v, and %+v", i+1, same, res)
			}
			if !same {
				found++
			}
		}
	}
	if found < 100 {
		t.Errorf("only %d tracks were damaged", found)
	}
}
