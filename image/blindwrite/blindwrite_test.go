package blindwrite

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/image/format"
	"spindle/image/imagetest"
	"spindle/image/laid"
	"spindle/internal/mutants"
)

// made is a descriptor to be written, as the layout of the format says.
type made struct {
	mcn      string
	text     []byte
	blocks   []block
	sessions []session
	count    uint16 // of sessions, or 0: as many as there are
	short    int    // bytes that the length of the blocks leaves out
}

func (m *made) bytes() []byte {
	le := binary.LittleEndian
	h := make([]byte, headerSize)
	le.PutUint16(h[32:], 8)
	le.PutUint16(h[34:], uint16(len(m.sessions)))
	if m.count > 0 {
		le.PutUint16(h[34:], m.count)
	}
	if m.mcn != "" {
		h[48] = 1
		copy(h[49:], m.mcn)
	}
	le.PutUint16(h[80:], 5)
	le.PutUint16(h[82:], 3)
	le.PutUint16(h[84:], uint16(len(m.text)))
	le.PutUint16(h[86:], 7)
	data := le.AppendUint32(nil, uint32(len(m.blocks)))
	data = append(le.AppendUint32(data, 4), "C\x00:\x00"...)
	for _, b := range m.blocks {
		x := make([]byte, 52)
		le.PutUint32(x[4:], uint32(b.bytes))
		le.PutUint32(x[24:], uint32(b.offset))
		le.PutUint32(x[40:], uint32(int32(b.first)))
		le.PutUint32(x[44:], uint32(int32(b.sectors)))
		var name []byte
		for _, c := range utf16.Encode([]rune(b.name + "\x00")) {
			name = le.AppendUint16(name, c)
		}
		le.PutUint32(x[48:], uint32(len(name)))
		data = append(append(append(data, x...), name...), 0, 0, 0, 0)
	}
	var sessions []byte
	for i, s := range m.sessions {
		x := make([]byte, sessionSize)
		le.PutUint16(x, uint16(i+1))
		x[2], x[3] = byte(len(s.tracks)), 3
		le.PutUint32(x[8:], uint32(int32(s.end)))
		sessions = append(sessions, x...)
		for _, t := range s.tracks {
			e := make([]byte, trackSize, trackSize+trackMore)
			e[0], e[10], e[11], e[12] = byte(t.kind), byte(t.control), 1, byte(t.point)
			le.PutUint32(e[22:], uint32(t.pregap))
			le.PutUint32(e[42:], uint32(int32(t.start)))
			le.PutUint32(e[46:], uint32(int32(t.length)))
			if t.kind != kindDVD {
				e = e[:trackSize+trackMore]
			}
			sessions = append(sessions, e...)
		}
	}
	out := append([]byte(magic), h...)
	out = append(out, make([]byte, driveSize)...)
	for _, n := range []int{9, 4, len(data) - m.short, len(sessions), 0} {
		out = le.AppendUint32(out, uint32(n))
	}
	out = append(out, make([]byte, 9+4+5+3)...)
	out = append(append(out, m.text...), make([]byte, 7)...)
	out = append(append(out, data...), sessions...)
	return append(append(out, 0, 0, 0, 0), "BWT5 STREAM FOOT"...)
}

func noise(n, size, seed int) []byte {
	b := make([]byte, n*size)
	for i := range b {
		b[i] = byte(i/size*31 + i%size*7 + i%size/256 + seed)
	}
	return b
}

func open1(t testing.TB, b []byte, files map[string][]byte) (disc.Image, error) {
	t.Helper()
	dir := t.TempDir()
	files["disc.b6t"] = b
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	img, err := format.OpenPath(t.Context(), filepath.Join(dir, "disc.b6t"), openFile)
	if err == nil {
		t.Cleanup(func() { img.Close() })
	}
	return img, err
}

// Two sessions: a track in two files, two tracks in one, sub-channels, a pregap that is
// stored and one that is not.
func TestOpen(t *testing.T) {
	first := noise(150+40, 2352, 1) // from -150 on
	second := noise(30, 2352, 2)
	third := noise(20, 2448, 3)
	var l disc.Layout
	l.Sessions = []disc.Session{{Number: 1, LeadOut: 70, Tracks: []disc.Track{{Number: 1, End: 50}, {Number: 2, Start: 55, Pregap: 5, End: 70}}},
		{Number: 2, LeadOut: 11490, Tracks: []disc.Track{{Number: 3, Mode: disc.Mode2, Control: disc.DataTrack, Start: 11470, End: 11490}}}}
	for i := range 20 {
		s := (*[2352]byte)(third[i*2448:])
		cdsector.SetHeader(s, disc.LBA(11470+i).MSF(), 2)
		l.Subchannel(disc.LBA(11470+i), (*[96]byte)(third[i*2448+2352:]))
	}
	text := bytes.Repeat([]byte{0x80}, 4+18)
	m := made{mcn: "4012345678901", text: text, blocks: []block{
		{int64(len(third)), 100, 11470, 20, `D:\Old\Größe.b6i`},
		{40 * 2352, 150 * 2352, 0, 40, "disc.b6i"}, // out of order, too
		{int64(len(second)), 0, 40, 30, "gone.002"},
	}, sessions: []session{
		{end: 70, tracks: []track{{kind: kindNone, point: 0xA0}, {kind: kindAudio, point: 1, pregap: 150, length: 50}, {kind: kindAudio, point: 2, pregap: 5, start: 55, length: 15, control: 2}}},
		{end: 11490, tracks: []track{{kind: 4, point: 3, pregap: 150, start: 11470, length: 20}}},
	}}
	img, err := open1(t, m.bytes(), map[string][]byte{"disc.b6i": first, "disc.002": second, "Größe.B6I": append(make([]byte, 100), third...)})
	if err != nil {
		t.Fatal(err)
	}
	got := img.Layout()
	if got.MCN != "4012345678901" || len(got.CDText) != 1 || len(got.Sessions) != 2 || got.Sessions[1].Format != disc.FormatXA {
		t.Errorf("%+v", got)
	}
	for i, w := range l.Tracks() {
		g := got.Tracks()[i]
		if g.Start != w.Start || g.Pregap != w.Pregap || g.End != w.End || g.Mode != w.Mode {
			t.Errorf("track %+v, want %+v", *g, *w)
		}
	}
	for a, want := range map[disc.LBA][]byte{0: first[150*2352:], 39: first[189*2352:], 40: second, 50: second[10*2352:], 69: second[29*2352:], 11470: third, 11489: third[19*2448:]} {
		var s [2352]byte
		if err := img.ReadSectors(t.Context(), s[:], a); err != nil || !bytes.Equal(s[:], want[:2352]) {
			t.Errorf("sector %d differs (%v)", a, err)
		}
	}
	var sub [96]byte
	if err := img.Subchannels().ReadSubchannel(t.Context(), sub[:], 11472); err != nil || !bytes.Equal(sub[:], third[2*2448+2352:3*2448]) {
		t.Errorf("another sub-channel (%v)", err)
	}
	if len(img.Files()) != 4 {
		t.Errorf("files %v", img.Files())
	}
	imagetest.Test(t, img)
}

func TestDVD(t *testing.T) {
	one, two := noise(30, 2048, 1), noise(20, 2048, 2)
	m := made{blocks: []block{{30 * 2048, 0, 0, 30, "a.b5i"}, {20 * 2048, 0, 30, 20, "b.b5i"}},
		sessions: []session{{end: 50, tracks: []track{{kind: kindDVD, point: 1, length: 50}}}}}
	img, err := open1(t, m.bytes(), map[string][]byte{"a.b5i": one, "b.b5i": two})
	if err != nil {
		t.Fatal(err)
	}
	p := make([]byte, 50*2048)
	if err := img.ReadSectors(t.Context(), p, 0); err != nil || !bytes.Equal(p, slices.Concat(one, two)) || img.Layout().Medium != disc.DVD {
		t.Errorf("%+v (%v)", img.Layout(), err)
	}
	imagetest.Test(t, img)
}

func TestRefused(t *testing.T) {
	files := map[string][]byte{"x.b6i": noise(40, 2352, 0)}
	good := func() *made {
		return &made{blocks: []block{{40 * 2352, 0, 0, 40, "x.b6i"}}, sessions: []session{{end: 40, tracks: []track{{kind: kindAudio, point: 1, length: 40}}}}}
	}
	if _, err := open1(t, good().bytes(), files); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(m *made){
		"it states 100 sessions (at byte 50)":           func(m *made) { m.count = 100 },
		"session 2: ":                                   func(m *made) { m.count = 2 },
		"the blocks of data end at byte":                func(m *made) { m.short = 3 },
		"a block of 0 sectors":                          func(m *made) { m.blocks[0].sectors = 0 },
		"a block of 40 sectors in 94081 bytes":          func(m *made) { m.blocks[0].bytes++ },
		"from sector -151":                              func(m *made) { m.blocks[0].first = -151 },
		"no block of data has all its sectors, 0 to 49": func(m *made) { m.sessions[0].tracks[0].length = 50 },
		"no track":                     func(m *made) { m.sessions[0].tracks[0].point = 0xA1 },
		"track 1 starts at -151":       func(m *made) { m.sessions[0].tracks[0].start = -151 },
		"after 4000 sectors of pregap": func(m *made) { m.sessions[0].tracks[0].pregap = 4000 },
		`there is no file "y.b6i"`:     func(m *made) { m.blocks[0].name = "y.b6i" },
		"with 2000 bytes a sector":     func(m *made) { m.blocks[0].bytes = 40 * 2000 },
		"do not follow one another": func(m *made) {
			m.blocks = []block{{10 * 2352, 0, 0, 10, "x.b6i"}, {20 * 2352, 0, 20, 20, "x.b6i"}}
		},
		"at byte 2000000 of x.b6i": func(m *made) {
			m.blocks = []block{{10 * 2352, 0, 0, 10, "x.b6i"}, {30 * 2352, 2000000, 10, 30, "x.b6i"}}
		},
	} {
		m := good()
		change(m)
		_, err := open1(t, m.bytes(), files)
		if err == nil || !strings.Contains(err.Error(), want) || !errors.Is(err, laid.ErrDescriptor) && !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%q: %v", want, err)
		}
	}
	for n := range len(good().bytes()) - 20 {
		if _, err := parse(good().bytes()[:n]); !errors.Is(err, laid.ErrDescriptor) {
			t.Fatalf("%d bytes: %v", n, err)
		}
	}
}

func FuzzOpen(f *testing.F) {
	m := made{mcn: "4012345678901", blocks: []block{{20 * 2352, 0, 0, 20, "x.b6i"}, {20 * 2352, 20 * 2352, 20, 20, "x.b6i"}},
		sessions: []session{{end: 40, tracks: []track{{kind: kindAudio, point: 1, length: 25}, {kind: 3, point: 2, start: 30, pregap: 5, length: 10}}}}}
	f.Add(m.bytes())
	dir := f.TempDir()
	path := filepath.Join(dir, "x.b6t")
	if err := os.WriteFile(filepath.Join(dir, "x.b6i"), make([]byte, 40*2352), 0o666); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := os.WriteFile(path, b, 0o666); err != nil {
			t.Fatal(err)
		}
		img, err := format.OpenPath(t.Context(), path, openFile)
		if err != nil {
			return
		}
		defer img.Close()
		if err := img.Layout().Validate(); err != nil {
			t.Error(err)
		}
	})
}

// Damaged at random, a descriptor is refused, or leads to an image that keeps the contract of one.
func TestMutants(t *testing.T) {
	m := made{mcn: "4012345678901", blocks: []block{{20 * 2352, 0, 0, 20, "x.b6i"}, {20 * 2352, 20 * 2352, 20, 20, "x.b6i"}},
		sessions: []session{{end: 40, tracks: []track{{kind: kindAudio, point: 1, length: 25}, {kind: 3, point: 2, start: 30, pregap: 5, length: 10}}}}}
	files := map[string][]byte{"x.b6i": noise(40, 2352, 0)}
	for n := range uint64(mutants.Count()) {
		img, err := open1(t, mutants.Of(m.bytes(), n), files)
		if err != nil {
			continue
		}
		if _, err := imagetest.Sum(t.Context(), img); err == nil && img.Layout().End() < 10_000 {
			imagetest.Test(t, img)
		}
	}
}
