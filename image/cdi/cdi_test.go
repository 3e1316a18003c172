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
	"spindle/internal/testdisc/testcdi"
)

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
		img, err := open1(t, testcdi.File(version, 0x98, all, "4012345678901",
			[]testcdi.Track{
				{Lengths: []uint32{150, 25, 15}, Start: 0, ReadMode: 2, ISRC: "DEA123400001", Control: 2},
				{Lengths: []uint32{10, 30}, Start: 40 + 150, ReadMode: 4, More: version != version2, Texts: 1},
			},
			[]testcdi.Track{{Lengths: []uint32{150, 20}, Mode: 2, Start: 11480, ReadMode: 1, Control: 4}}))
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
	img, err := open1(t, testcdi.File(version35, 0x38, all, "", []testcdi.Track{{Lengths: []uint32{150, 40}, Mode: 1, ReadMode: 0, Control: 4}}))
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
	one := testcdi.Track{Lengths: []uint32{150, 40}, ReadMode: 2}
	sectors := noise(190, 2352)
	good := testcdi.File(version35, 0x98, sectors, "", []testcdi.Track{one})
	with := func(change func(m *testcdi.Track)) []byte {
		m := testcdi.Track{Lengths: []uint32{150, 40}, ReadMode: 2}
		change(&m)
		return testcdi.File(version3, 0x98, sectors, "", []testcdi.Track{m})
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
		"its mode is 9":                               with(func(m *testcdi.Track) { m.Mode = 9 }),
		"was read in mode 5":                          with(func(m *testcdi.Track) { m.ReadMode = 5 }),
		"it has 1 indexes":                            with(func(m *testcdi.Track) { m.Lengths = m.Lengths[:1] }),
		"190 sectors, of which 190":                   with(func(m *testcdi.Track) { m.Lengths = []uint32{190, 0} }),
		"4294967145 sectors":                          with(func(m *testcdi.Track) { m.Lengths[1] = 0xFFFFFFFF - 300 }),
		"begins at 4294967145":                        with(func(m *testcdi.Track) { m.Start = 0xFFFFFFFF }),
		"with 2048 bytes a sector":                    with(func(m *testcdi.Track) { m.ReadMode = 0 }),
		"track 2 begins at 0, inside":                 testcdi.File(version3, 0, slices.Concat(sectors, sectors), "", []testcdi.Track{one, {Lengths: []uint32{0, 190}, Start: 150, ReadMode: 2}}),
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
		b := testcdi.File(version, 0x98, sectors, "4012345678901", []testcdi.Track{{Lengths: []uint32{150, 40, 3}, ReadMode: 2, Texts: 1, ISRC: "DEA123400001"}},
			[]testcdi.Track{{Lengths: []uint32{150, 20}, Mode: 2, Start: 11702, ReadMode: 1}})
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
	b := testcdi.File(version35, 0x98, slices.Concat(noise(150+40, 2352), noise(150+20, 2336)), "4012345678901",
		[]testcdi.Track{{Lengths: []uint32{150, 25, 15}, ReadMode: 2, ISRC: "DEA123400001"}},
		[]testcdi.Track{{Lengths: []uint32{150, 20}, Mode: 2, Start: 11480, ReadMode: 1, Control: 4}})
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
