package mds_test

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
	"spindle/image"
	"spindle/image/format"
	"spindle/image/imagetest"
	"spindle/image/laid"
	"spindle/internal/corpus"
	"spindle/internal/testdisc"
)

func write(t testing.TB, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o666); err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, path string) disc.Image {
	t.Helper()
	img, err := image.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { img.Close() })
	return img
}

// made makes an .mds and its .mdf of a test disc.
func made(t *testing.T, name string) (disc.Image, string) {
	t.Helper()
	dir := t.TempDir()
	path, err := testdisc.Make(dir, name)
	if err != nil {
		t.Fatal(err)
	}
	img := open(t, path)
	out := filepath.Join(dir, "x.mds")
	if _, err := image.Create(t.Context(), out, img, image.CreateOptions{Lossy: true}); err != nil {
		t.Fatal(err)
	}
	return img, out
}

// all are all sectors, in the order of the disc.
func all(t *testing.T, img disc.Image) []byte {
	t.Helper()
	var b []byte
	for _, track := range img.Layout().Tracks() {
		p := make([]byte, track.Sectors()*img.Layout().Medium.SectorSize())
		if err := img.ReadSectors(t.Context(), p, track.Begin()); err != nil {
			t.Fatal(err)
		}
		b = append(b, p...)
	}
	return b
}

// Discs of every kind come back with all their sectors, tracks, flags and sessions.
func TestRoundTrips(t *testing.T) {
	for _, name := range testdisc.Names() {
		t.Run(name, func(t *testing.T) {
			want, path := made(t, name)
			img := open(t, path)
			if !slices.Contains([]string{"hidden", "mixed", "demo"}, name) && !bytes.Equal(all(t, img), all(t, want)) {
				t.Error("other sectors")
			}
			a, b := img.Layout(), want.Layout()
			if len(a.Sessions) != len(b.Sessions) || a.End() != b.End() || len(a.Tracks()) != len(b.Tracks()) {
				t.Fatalf("%+v, want %+v", a, b)
			}
			for i, s := range a.Sessions {
				if s.LeadOut != b.Sessions[i].LeadOut || s.Format != b.Sessions[i].Format {
					t.Errorf("session %+v, want %+v", s, b.Sessions[i])
				}
			}
			for i, track := range a.Tracks() {
				other := b.Tracks()[i]
				if track.Start != other.Start || track.Mode != other.Mode || track.Control != other.Control {
					t.Errorf("track %+v, want %+v", *track, *other)
				}
			}
			imagetest.Test(t, img)
		})
	}
}

// A pregap that holds something goes into the file with the track before, and where it begins
// is lost; one that holds nothing is stated.
func TestLoss(t *testing.T) {
	for name, kinds := range map[string][]format.LossKind{
		"data": nil, "twosession": nil, "iso": nil, "xa": {format.Pregaps},
		"hidden": {format.HiddenAudio}, "mixed": {format.LaterIndexes, format.GapContent},
		"audio": {format.AllCDText, format.Catalogue, format.ISRCs, format.LaterIndexes, format.Pregaps},
	} {
		dir := t.TempDir()
		path, err := testdisc.Make(dir, name)
		if err != nil {
			t.Fatal(err)
		}
		img := open(t, path)
		_, err = image.Create(t.Context(), filepath.Join(dir, "x.mds"), img, image.CreateOptions{})
		var loss *format.LossError
		if errors.As(err, &loss) != (len(kinds) > 0) {
			t.Errorf("%s: %v", name, err)
		}
		res, err := image.Create(t.Context(), filepath.Join(dir, "y.mds"), img, image.CreateOptions{Lossy: true})
		if err != nil {
			t.Fatal(err)
		}
		var got []format.LossKind
		for _, l := range res.Lost {
			got = append(got, l.Kind)
		}
		if !slices.Equal(got, kinds) {
			t.Errorf("%s: lost %v, want %v", name, got, kinds)
		}
	}
}

// Sub-channels come back bit for bit, also through a .mdf in parts.
func TestSubchannels(t *testing.T) {
	dir := t.TempDir()
	cue, err := testdisc.Make(dir, "audio")
	if err != nil {
		t.Fatal(err)
	}
	ccd, path := filepath.Join(dir, "x.ccd"), filepath.Join(dir, "x.mds")
	if _, err := image.Create(t.Context(), ccd, open(t, cue), image.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	want := open(t, ccd)
	if _, err := image.Create(t.Context(), path, want, image.CreateOptions{Lossy: true}); err != nil {
		t.Fatal(err)
	}
	mdf, err := os.ReadFile(filepath.Join(dir, "x.mdf"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "x.mdf"), mdf[:1000000])
	write(t, filepath.Join(dir, "X.I00"), mdf[1000000:2000001])
	write(t, filepath.Join(dir, "x.i01"), mdf[2000001:])
	img := open(t, path)
	if !bytes.Equal(all(t, img), all(t, want)) {
		t.Error("other sectors")
	}
	for a := range want.Layout().End() {
		var x, y [96]byte
		err := errors.Join(img.Subchannels().ReadSubchannel(t.Context(), x[:], a), want.Subchannels().ReadSubchannel(t.Context(), y[:], a))
		if err != nil || x != y {
			t.Fatalf("sector %d has another sub-channel (%v)", a, err)
		}
	}
	if files := img.Files(); len(files) != 4 {
		t.Errorf("the files are %v", files)
	}
	imagetest.Test(t, img)
}

// The break between the layers of a DVD is stated and found.
func TestLayerBreak(t *testing.T) {
	dir := t.TempDir()
	l := &disc.Layout{Medium: disc.DVD, LayerBreak: 24, Sessions: []disc.Session{{Number: 1, LeadOut: 40, Tracks: []disc.Track{
		{Number: 1, Mode: disc.Mode1, Control: disc.DataTrack, End: 40},
	}}}}
	img, err := disc.NewExtentImage(l, []disc.Extent{{Count: 40, Form: disc.FormBlock}})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "x.mds")
	if _, err := image.Create(t.Context(), path, img, image.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	back := open(t, path)
	if got := back.Layout(); got.Medium != disc.DVD || got.LayerBreak != 24 || got.End() != 40 {
		t.Errorf("%+v", got)
	}
}

// Names are found as they are stated, by the descriptor's, in another case, and in UTF-16.
func TestNames(t *testing.T) {
	want, path := made(t, "data")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	sectors := all(t, want)
	dir := filepath.Dir(path)
	if err := os.Remove(filepath.Join(dir, "x.mdf")); err != nil {
		t.Fatal(err)
	}
	footer := int(binary.LittleEndian.Uint32(b[len(b)-6-16:])) - 16
	named := func(name string, wide bool) []byte {
		b := slices.Clone(b[:footer+16])
		if !wide {
			return append(append(b, name...), 0)
		}
		b[footer+4] = 1
		for _, c := range utf16.Encode([]rune(name + "\x00")) {
			b = binary.LittleEndian.AppendUint16(b, c)
		}
		return b
	}
	for file, test := range map[string]struct {
		name string
		wide bool
	}{
		"Größe.mdf": {"Größe.mdf", true}, "OTHER.MDF": {"other.mdf", false}, "x.mdf": {`C:\Old\gone.mdf`, true},
		"x.iso": {"y.iso", false}, "in.bin": {"/tmp/in.bin", false},
	} {
		write(t, path, named(test.name, test.wide))
		write(t, filepath.Join(dir, file), sectors)
		img := open(t, path)
		if !bytes.Equal(all(t, img), sectors) {
			t.Errorf("%s: other sectors", file)
		}
		if err := os.Remove(filepath.Join(dir, file)); err != nil {
			t.Fatal(err)
		}
	}
	write(t, path, b)
	if _, err := image.Open(t.Context(), path); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "x.mdf") {
		t.Errorf("without its .mdf: %v", err)
	}
}

// What a descriptor may state wrong is an error that says where.
func TestRefused(t *testing.T) {
	_, path := made(t, "mixed")
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const session = 88
	const first = session + 24 + 3*80 // the block of track 1
	le := binary.LittleEndian
	for want, change := range map[string]func(b []byte) []byte{
		"of version 2":                  func(b []byte) []byte { b[16] = 2; return b },
		"version 9.5 (at byte 16)":      func(b []byte) []byte { b[16] = 9; return b },
		"0 sessions (at byte 20)":       func(b []byte) []byte { b[20] = 0; return b },
		"a header of 88 bytes":          func(b []byte) []byte { return b[:60] },
		"a session block of 24 bytes":   func(b []byte) []byte { le.PutUint32(b[80:], 0xFFFFFFF0); return b },
		"a track block of 80 bytes":     func(b []byte) []byte { le.PutUint32(b[session+20:], 0x7FFFFFFF); return b },
		"an extra block of 8 bytes":     func(b []byte) []byte { le.PutUint32(b[first+12:], 0xFFFFFF); return b },
		"a footer of 16 bytes":          func(b []byte) []byte { le.PutUint32(b[first+52:], 0xFFFFFF); return b },
		"a name of 1 bytes":             func(b []byte) []byte { return b[:len(b)-6] },
		"it is in 65536 files":          func(b []byte) []byte { le.PutUint32(b[first+48:], 65536); return b },
		"no track":                      func(b []byte) []byte { b[session+10] = 3; return b },
		"18446744073709551615 of their": func(b []byte) []byte { le.PutUint64(b[first+40:], 1<<64-1); return b },
		"at byte 4611686018427387903":   func(b []byte) []byte { le.PutUint64(b[first+40:], 1<<62-1); return b },
		"with 2000 bytes a sector":      func(b []byte) []byte { le.PutUint16(b[first+16:], 2000); return b },
		"are both at byte 0 of x.mdf":   func(b []byte) []byte { le.PutUint64(b[first+80+40:], 0); return b },
		"track 3 follows track 1":       func(b []byte) []byte { b[first+80+4] = 3; return b },
		"more than 99 tracks": func(b []byte) []byte {
			le.PutUint16(b[20:], 40)
			le.PutUint32(b[80:], uint32(len(b)))
			return append(b, bytes.Repeat(b[session:session+24], 40)...)
		},
		"it starts at 9000000": func(b []byte) []byte { le.PutUint32(b[first+36:], 900000000); return b },
	} {
		write(t, path, change(slices.Clone(good)))
		img, err := image.Open(t.Context(), path)
		if err == nil {
			img.Close()
		}
		if err == nil || !strings.Contains(err.Error(), want) || want != "of version 2" && !errors.Is(err, laid.ErrDescriptor) {
			t.Errorf("%q: %v", want, err)
		}
	}
}

// A file of mds4dc: audio, and a second session.
func TestCorpus(t *testing.T) {
	img := open(t, corpus.Path(t, "formats", "made", "dc.mds"))
	l := img.Layout()
	if len(l.Sessions) != 2 || l.Sessions[0].LeadOut != 302 || l.Sessions[1].Tracks[0].Start != 11702 ||
		l.Sessions[1].Tracks[0].Mode != disc.Mode2 || l.Sessions[1].LeadOut != 11702+572 {
		t.Errorf("%+v", l)
	}
	iso, err := os.ReadFile(corpus.Path(t, "formats", "made", "dc.iso"))
	if err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 570*2048)
	if err := disc.ReadUser(t.Context(), img, got, 11702); err != nil || !bytes.Equal(got, iso) {
		t.Errorf("other data (%v)", err)
	}
	imagetest.Test(t, img)
}

func FuzzOpen(f *testing.F) {
	const footers = 88 + 24 + 4*80 + 8
	b := make([]byte, footers+16)
	copy(b[16:], "\x01\x05\x00\x00\x01") // a CD of one session
	copy(b[80:], []byte{88})
	copy(b[88:], "\x6a\xff\xff\xff\x28\x00\x00\x00\x01\x00\x01\x00\x01\x00\x01\x00\x00\x00\x00\x00\x70")
	copy(b[112:], "\xaa\x00\x14\x00\x01\x00\x00\x00\x00\x00\x02\x00\xb8\x01\x00\x00\x30\x09")
	f.Add(append(b, "*.mdf\x00"...))
	corpus.Seeds(f, "formats/made/*.mds", 4096)
	dir := f.TempDir()
	path := filepath.Join(dir, "x.mds")
	write(f, filepath.Join(dir, "x.mdf"), make([]byte, 40*2352))
	f.Fuzz(func(t *testing.T, b []byte) {
		write(t, path, append([]byte("MEDIA DESCRIPTOR"), b[min(len(b), 16):]...))
		img, err := image.Open(t.Context(), path)
		if err != nil {
			return
		}
		defer img.Close()
		l := img.Layout()
		if err := l.Validate(); err != nil {
			t.Error(err)
		}
		_ = img.ReadSectors(t.Context(), make([]byte, l.Medium.SectorSize()), l.Tracks()[0].Start)
	})
}
