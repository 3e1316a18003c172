package cdi

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/image/format"
	"spindle/image/imagetest"
	"spindle/image/laid"
	"spindle/internal/corpus"
	"spindle/internal/mutants"
)

// made is a track to be written.
type made struct {
	lengths               []uint32
	mode, start, readMode uint32
	control               uint32
	isrc                  string
	texts                 uint32
	more                  bool // eight bytes at its start
}

// writer writes a descriptor as the layout of the format says.
type writer struct {
	b       []byte
	version uint32
	medium  uint16
}

func (w *writer) u16(v int) { w.b = binary.LittleEndian.AppendUint16(w.b, uint16(v)) }
func (w *writer) u32(vs ...uint32) {
	for _, v := range vs {
		w.b = binary.LittleEndian.AppendUint32(w.b, v)
	}
}
func (w *writer) zeros(n int)  { w.b = append(w.b, make([]byte, n)...) }
func (w *writer) str(s string) { w.b = append(w.b, byte(len(s))); w.b = append(w.b, s...) }

func (w *writer) head(more bool) {
	if more {
		w.u32(1)
		w.zeros(8)
	} else {
		w.u32(0)
	}
	w.b = append(append(w.b, mark...), mark...)
	w.b = append(w.b, 0xAB, 0, 0x10, 2)
	w.str("C:\\x.cdi")
	w.zeros(11)
	w.u32(2, 0)
	if w.version == version35 {
		w.u32(0x80000000, 360000)
		w.u16(0)
		w.u16(int(w.medium))
	} else {
		w.u32(0)
	}
}

func (m *made) total() (n uint32) {
	for _, x := range m.lengths {
		n += x
	}
	return n
}

func (w *writer) track(m *made, session int) {
	w.head(m.more)
	w.u16(len(m.lengths))
	w.u32(m.lengths...)
	w.u32(m.texts)
	for range m.texts * 18 {
		w.str("Title")
	}
	w.zeros(2)
	w.u32(m.mode, 0, uint32(session), 0, m.start, m.total())
	w.zeros(16)
	w.u32(m.readMode, m.control)
	w.zeros(1)
	w.u32(m.total(), 0)
	if m.isrc != "" {
		w.b = append(w.b, m.isrc...)
		w.u32(1)
	} else {
		w.zeros(16)
	}
	if w.version != version2 {
		w.zeros(1)
		w.u32(0xFFFFFFFF, 0xFFFFFFFF)
		w.zeros(78)
	}
}

// file makes a whole file of sessions.
func file(version uint32, medium uint16, sectors []byte, mcn string, sessions ...[]made) []byte {
	w := writer{version: version, medium: medium}
	w.u16(len(sessions))
	for i, s := range sessions {
		w.u16(len(s))
		for k := range s {
			w.track(&s[k], i)
		}
		w.zeros(12)
		if version != version2 {
			w.zeros(1)
		}
	}
	w.u16(0)
	w.head(false)
	w.u32(1000)
	w.str("VOLUME")
	w.zeros(9)
	w.b = append(w.b, (mcn + strings.Repeat("\x00", 13-len(mcn)))...)
	w.u32(uint32(len(mcn)), 0)
	w.zeros(8)
	out := append(slices.Clone(sectors), w.b...)
	out = binary.LittleEndian.AppendUint32(out, version)
	at := uint32(len(sectors))
	if version == version35 {
		at = uint32(len(w.b) + tailSize)
	}
	return binary.LittleEndian.AppendUint32(out, at)
}

func open1(t *testing.T, b []byte) (disc.Image, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.cdi")
	if err := os.WriteFile(path, b, 0o666); err != nil {
		t.Fatal(err)
	}
	img, err := format.OpenPath(t.Context(), path, openFile)
	if err == nil {
		t.Cleanup(func() { img.Close() })
	}
	return img, err
}

// noise makes sectors that are told apart.
func noise(n, size int) []byte {
	b := make([]byte, n*size)
	for i := range b {
		b[i] = byte(i/size*31 + i%size*7 + i%size/256)
	}
	return b
}

// A disc of two sessions in every version: indexes, ISRC, flags, CD-TEXT that is passed over,
// sectors of 2336, 2352 and 2448 bytes.
func TestVersions(t *testing.T) {
	for _, version := range []uint32{version2, version3, version35} {
		audio := noise(150+40, 2352)
		second := noise(10+30, 2448)
		for i := range 40 { // interleaved sub-channels that hold together
			var l disc.Layout
			l.Sessions = []disc.Session{{Number: 1, LeadOut: 80, Tracks: []disc.Track{{Number: 1, End: 40}, {Number: 2, Start: 50, Pregap: 10, End: 80}}}}
			var sub [96]byte
			l.Subchannel(disc.LBA(40+i), &sub)
			cdsector.Interleave((*[96]byte)(second[i*2448+2352:]), &sub)
		}
		third := noise(150+20, 2336)
		all := slices.Concat(audio, second, third)
		img, err := open1(t, file(version, 0x98, all, "4012345678901",
			[]made{
				{lengths: []uint32{150, 25, 15}, start: 0, readMode: 2, isrc: "DEA123400001", control: 2},
				{lengths: []uint32{10, 30}, start: 40 + 150, readMode: 4, more: version != version2, texts: 1},
			},
			[]made{{lengths: []uint32{150, 20}, mode: 2, start: 11480, readMode: 1, control: 4}}))
		if err != nil {
			t.Fatal(err)
		}
		l := img.Layout()
		if l.MCN != "4012345678901" || len(l.Sessions) != 2 || l.Sessions[1].Format != disc.FormatXA {
			t.Errorf("%+v", l)
		}
		tracks := l.Tracks()
		want := []disc.Track{
			{Number: 1, Control: 2, ISRC: "DEA123400001", Indexes: []disc.LBA{25}, End: 40},
			{Number: 2, Start: 50, Pregap: 10, End: 80},
			{Number: 3, Mode: disc.Mode2, Control: disc.DataTrack, Start: 11480, End: 11500},
		}
		for i, w := range want {
			if g := *tracks[i]; g.Start != w.Start || g.Pregap != w.Pregap || g.End != w.End || g.Mode != w.Mode || g.Control != w.Control ||
				g.ISRC != w.ISRC || !slices.Equal(g.Indexes, w.Indexes) {
				t.Errorf("track %+v, want %+v", g, w)
			}
		}
		for a, from := range map[disc.LBA][]byte{0: audio[150*2352:], 39: audio[189*2352:], 40: second, 79: second[39*2448:]} {
			var s [2352]byte
			if err := img.ReadSectors(t.Context(), s[:], a); err != nil || !bytes.Equal(s[:], from[:2352]) {
				t.Errorf("sector %d differs (%v)", a, err)
			}
		}
		var s [2352]byte
		if err := img.ReadSectors(t.Context(), s[:], 11480); err != nil || !bytes.Equal(s[16:], third[150*2336:151*2336]) {
			t.Errorf("mode 2 differs (%v)", err)
		}
		imagetest.Test(t, img)
	}
}

func TestDVD(t *testing.T) {
	all := noise(150+40, 2048)
	img, err := open1(t, file(version35, 0x38, all, "", []made{{lengths: []uint32{150, 40}, mode: 1, readMode: 0, control: 4}}))
	if err != nil {
		t.Fatal(err)
	}
	p := make([]byte, 40*2048)
	if err := img.ReadSectors(t.Context(), p, 0); err != nil || img.Layout().Medium != disc.DVD || !bytes.Equal(p, all[150*2048:]) {
		t.Errorf("%+v (%v)", img.Layout(), err)
	}
	imagetest.Test(t, img)
}

func TestRefused(t *testing.T) {
	one := made{lengths: []uint32{150, 40}, readMode: 2}
	sectors := noise(190, 2352)
	good := file(version35, 0x98, sectors, "", []made{one})
	with := func(change func(m *made)) []byte {
		m := made{lengths: []uint32{150, 40}, readMode: 2}
		change(&m)
		return file(version3, 0x98, sectors, "", []made{m})
	}
	le := binary.LittleEndian
	changed := func(at int, v uint32) []byte {
		b := slices.Clone(good)
		if at < 0 {
			at += len(b)
		}
		le.PutUint32(b[at:], v)
		return b
	}
	for want, b := range map[string][]byte{
		"its end states the version 80000007h":        changed(-8, 0x80000007),
		"its descriptor is at byte -":                 changed(-4, 1<<31),
		"the descriptor ends at its byte 0 of 0":      changed(-4, 8),
		"it has 5 bytes":                              good[:5],
		"states 0 sessions":                           changed(len(sectors), 1<<16),
		"session 1 has 9999 tracks (at byte 2":        changed(len(sectors), 1|9999<<16),
		"no track begins at byte 4 of the descriptor": changed(len(sectors)+8, 7),
		"its mode is 9":                               with(func(m *made) { m.mode = 9 }),
		"was read in mode 5":                          with(func(m *made) { m.readMode = 5 }),
		"it has 1 indexes":                            with(func(m *made) { m.lengths = m.lengths[:1] }),
		"190 sectors, of which 190":                   with(func(m *made) { m.lengths = []uint32{190, 0} }),
		"4294967145 sectors":                          with(func(m *made) { m.lengths[1] = 0xFFFFFFFF - 300 }),
		"begins at 4294967145":                        with(func(m *made) { m.start = 0xFFFFFFFF }),
		"with 2048 bytes a sector":                    with(func(m *made) { m.readMode = 0 }),
		"track 2 begins at 0, inside":                 file(version3, 0, slices.Concat(sectors, sectors), "", []made{one, {lengths: []uint32{0, 190}, start: 150, readMode: 2}}),
		"the descriptor ends at its byte":             slices.Concat(sectors, good[len(sectors):len(sectors)+90], good[len(good)-8:len(good)-4], []byte{98, 0, 0, 0}),
	} {
		if _, err := open1(t, b); err == nil || !strings.Contains(err.Error(), want) || !errors.Is(err, laid.ErrDescriptor) {
			t.Errorf("%q: %v", want, err)
		}
	}
}

// A file of cdi4dc: audio, and data whose addresses begin in a second session.
func TestCorpus(t *testing.T) {
	img, err := format.OpenPath(t.Context(), corpus.Path(t, "formats", "made", "dc-audio-data.cdi"), openFile)
	if err != nil {
		t.Fatal(err)
	}
	defer img.Close()
	l := img.Layout()
	if len(l.Sessions) != 2 || l.Sessions[0].LeadOut != 302 || l.Sessions[1].Tracks[0].Start != 11702 {
		t.Errorf("%+v", l)
	}
	iso, err := os.ReadFile(corpus.Path(t, "formats", "made", "dc.iso"))
	if err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(iso))
	if err := disc.ReadUser(t.Context(), img, got, 11702); err != nil || !bytes.Equal(got, iso) {
		t.Errorf("other data (%v)", err)
	}
	imagetest.Test(t, img)
}

func FuzzParse(f *testing.F) {
	sectors := make([]byte, 8)
	for _, version := range []uint32{version2, version3, version35} {
		b := file(version, 0x98, sectors, "4012345678901", []made{{lengths: []uint32{150, 40, 3}, readMode: 2, texts: 1, isrc: "DEA123400001"}},
			[]made{{lengths: []uint32{150, 20}, mode: 2, start: 11702, readMode: 1}})
		f.Add(b[len(sectors):len(b)-tailSize], version)
	}
	src := &laid.Source{ReaderAt: bytes.NewReader(nil), File: &format.File{Path: "x.cdi"}}
	f.Fuzz(func(t *testing.T, b []byte, version uint32) {
		d, err := parse(b, version)
		if err != nil {
			return
		}
		l, err := d.layOut(src)
		if err != nil {
			return
		}
		img, err := l.Open(t.Context(), src.File)
		if err == nil && img.Layout().Validate() != nil {
			t.Error(img.Layout().Validate())
		}
	})
}

// Damaged at random, an image is refused, or keeps the contract of one.
func TestMutants(t *testing.T) {
	b := file(version35, 0x98, slices.Concat(noise(150+40, 2352), noise(150+20, 2336)), "4012345678901",
		[]made{{lengths: []uint32{150, 25, 15}, readMode: 2, isrc: "DEA123400001"}},
		[]made{{lengths: []uint32{150, 20}, mode: 2, start: 11480, readMode: 1, control: 4}})
	for n := range uint64(mutants.Count()) {
		img, err := open1(t, mutants.Of(b, n))
		if err != nil {
			continue
		}
		if _, err := imagetest.Sum(t.Context(), img); err == nil {
			imagetest.Test(t, img)
		}
	}
}
