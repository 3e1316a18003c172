package disc

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"spindle/disc/cdsector"

	"github.com/google/go-cmp/cmp"
)

func twoTracks() *Layout {
	return &Layout{Sessions: []Session{{Number: 1, LeadOut: 200, Tracks: []Track{
		{Number: 1, Start: 0, End: 90},
		{Number: 2, Start: 100, Pregap: 10, Indexes: []LBA{150}, End: 200},
	}}}}
}

func TestValidate(t *testing.T) {
	if err := twoTracks().Validate(); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*Layout){
		"no session":       func(l *Layout) { l.Sessions = nil },
		"no track":         func(l *Layout) { l.Sessions[0].Tracks = nil },
		"number 0":         func(l *Layout) { l.Sessions[0].Tracks[0].Number = 0 },
		"gap in numbers":   func(l *Layout) { l.Sessions[0].Tracks[1].Number = 3 },
		"overlap":          func(l *Layout) { l.Sessions[0].Tracks[1].Pregap = 11 },
		"negative pregap":  func(l *Layout) { l.Sessions[0].Tracks[1].Pregap = -1 },
		"empty track":      func(l *Layout) { l.Sessions[0].Tracks[0].End = 0 },
		"lead-out early":   func(l *Layout) { l.Sessions[0].LeadOut = 199 },
		"index at start":   func(l *Layout) { l.Sessions[0].Tracks[1].Indexes[0] = 100 },
		"index behind end": func(l *Layout) { l.Sessions[0].Tracks[1].Indexes[0] = 200 },
		"huge":             func(l *Layout) { l.Sessions[0].Tracks[1].End = MaxLBA + 1 },
		"before the disc":  func(l *Layout) { l.Sessions[0].Tracks[0].Start = -151 },
	} {
		l := twoTracks()
		spoil(l)
		if err := l.Validate(); !errors.Is(err, ErrLayout) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTrackAt(t *testing.T) {
	l := twoTracks()
	for a, want := range map[LBA]int{-1: 0, 0: 1, 89: 1, 90: 2, 99: 2, 199: 2, 200: 0} {
		got := 0
		if tr := l.TrackAt(a); tr != nil {
			got = tr.Number
		}
		if got != want {
			t.Errorf("sector %d is in track %d, want %d", a, got, want)
		}
	}
	tr := &l.Sessions[0].Tracks[1]
	for a, want := range map[LBA]int{90: 0, 99: 0, 100: 1, 149: 1, 150: 2, 199: 2} {
		if got := tr.IndexAt(a); got != want {
			t.Errorf("sector %d has index %d, want %d", a, got, want)
		}
	}
}

func cdLayout(mode Mode, n LBA) *Layout {
	return &Layout{Sessions: []Session{{Number: 1, LeadOut: n, Tracks: []Track{{Number: 1, Mode: mode, End: n}}}}}
}

func TestExtentForms(t *testing.T) {
	content := bytes.Repeat([]byte("0123456789abcdef"), 4*2448/16)
	for _, test := range []struct {
		form   Form
		stride int
		kind   cdsector.Kind
		at     int
	}{
		{FormMode1, 0, cdsector.Mode1, 16}, {FormXA1, 0, cdsector.Form1, 24}, {FormMode2, 0, cdsector.Mode2, 16},
		{FormRaw, 0, cdsector.Audio, 0}, {FormRaw, 2448, cdsector.Audio, 0}, {FormMode1, 2056, cdsector.Mode1, 16},
	} {
		img, err := NewExtentImage(cdLayout(Mode1, 4), []Extent{
			{Count: 4, Source: bytes.NewReader(content), Stride: test.stride, Form: test.form}})
		if err != nil {
			t.Fatal(err)
		}
		p := make([]byte, 3*cdsector.Size)
		if err := img.ReadSectors(t.Context(), p, 1); err != nil {
			t.Fatal(err)
		}
		stride := max(test.stride, test.form.Size())
		for i := range 3 {
			s := (*[cdsector.Size]byte)(p[i*cdsector.Size:])
			if got := cdsector.Classify(s); got != test.kind {
				t.Errorf("form %d: sector is %v, want %v", test.form, got, test.kind)
			}
			if !cdsector.EDCOK(s, test.kind) || !cdsector.ParityOK(s, test.kind) {
				t.Errorf("form %d: sector does not hold", test.form)
			}
			want := content[(i+1)*stride:][:test.form.Size()]
			if !bytes.Equal(s[test.at:][:len(want)], want) {
				t.Errorf("form %d: wrong content", test.form)
			}
		}
	}
}

func TestExtentSwapped(t *testing.T) {
	content := make([]byte, cdsector.Size)
	for i := range content {
		content[i] = byte(i)
	}
	img, err := NewExtentImage(cdLayout(Audio, 1), []Extent{{Count: 1, Source: bytes.NewReader(content), Form: FormSwapped}})
	if err != nil {
		t.Fatal(err)
	}
	p := make([]byte, cdsector.Size)
	if err := img.ReadSectors(t.Context(), p, 0); err != nil {
		t.Fatal(err)
	}
	for i := range p {
		if p[i] != content[i^1] {
			t.Fatalf("byte %d is %#x, want %#x", i, p[i], content[i^1])
		}
	}
}

func TestExtentErrors(t *testing.T) {
	short := bytes.NewReader(make([]byte, 100))
	img, err := NewExtentImage(cdLayout(Audio, 1), []Extent{{Count: 1, Source: short}})
	if err != nil {
		t.Fatal(err)
	}
	p := make([]byte, cdsector.Size)
	if err := img.ReadSectors(t.Context(), p, 0); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("short file: %v", err)
	}
	if err := img.ReadSectors(t.Context(), p, 1); !errors.Is(err, ErrNoSector) {
		t.Errorf("behind the end: %v", err)
	}
	if err := img.ReadSectors(t.Context(), p[:10], 0); err == nil {
		t.Error("a buffer of ten bytes is accepted")
	}
	for name, x := range map[string][]Extent{
		"hole":         {{Count: 0}},
		"overlap":      {{Count: 1}, {Count: 1}},
		"small stride": {{Count: 1, Stride: 10}},
		"DVD on CD":    {{Count: 1, Form: FormBlock}},
	} {
		if _, err := NewExtentImage(cdLayout(Audio, 1), x); !errors.Is(err, ErrLayout) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCDTextRoundTrip(t *testing.T) {
	english := TextBlock{Language: LanguageEnglish, GenreCode: 12, Genre: "Very long genre text"}
	japanese := TextBlock{Language: 0x69, Charset: CharsetShiftJIS}
	for n := range 12 {
		english.SetText(PackTitle, n, strings.Repeat("x", n*3))
		english.SetText(PackPerformer, n, "Caf\u00e9")
		japanese.SetText(PackTitle, n, strings.Repeat("\u97f3\u697dA", n))
	}
	english.SetText(PackCode, 0, "4012345678901")
	english.SetText(PackDiscID, 0, "ABC-123")
	packs, err := EncodeCDText([]TextBlock{english, japanese}, 1, 11)
	if err != nil {
		t.Fatal(err)
	}
	var raw []byte
	for _, p := range packs {
		raw = append(raw, p[:]...)
	}
	again, bad, err := ParsePacks(append(raw, 0)) // as Sony's programs end the file
	if err != nil || bad != 0 {
		t.Fatal(bad, err)
	}
	got := DecodeCDText(again, 1)
	if len(got) != 2 {
		t.Fatalf("%d blocks", len(got))
	}
	for i, want := range []TextBlock{english, japanese} {
		if got[i].Language != want.Language || got[i].Charset != want.Charset || got[i].Genre != want.Genre ||
			got[i].GenreCode != want.GenreCode {
			t.Errorf("block %d: %+v", i, got[i])
		}
		for k, texts := range want.Texts {
			for n, s := range texts {
				if got[i].Text(k, n) != s {
					t.Errorf("block %d, %#x, track %d: %q, want %q", i, k, n, got[i].Text(k, n), s)
				}
			}
		}
	}
	repacked, err := EncodeCDText(got, 1, 11)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(packs, repacked); diff != "" {
		t.Error(diff)
	}
}

// The text behind that of the album is that of the first track, whatever its number, though both are in one pack.
func TestCDTextOfLaterTracks(t *testing.T) {
	b := TextBlock{}
	for n, s := range map[int]string{0: "A", 13: "B", 14: "\t", 15: "C", 16: strings.Repeat("D", 20)} {
		b.SetText(PackTitle, n, s)
	}
	packs, err := EncodeCDText([]TextBlock{b}, 13, 16)
	if err != nil {
		t.Fatal(err)
	}
	l := &Layout{CDText: packs, Sessions: []Session{{Tracks: []Track{{Number: 13}, {Number: 14}, {Number: 15}, {Number: 16}}}}}
	got := l.Texts()[0]
	for n, want := range map[int]string{0: "A", 1: "", 2: "", 12: "", 13: "B", 14: "B", 15: "C", 16: strings.Repeat("D", 20)} {
		if text := got.Text(PackTitle, n); text != want {
			t.Errorf("track %d is %q, want %q", n, text, want)
		}
	}
}

func TestCDTextTabMeansSame(t *testing.T) {
	b := TextBlock{}
	for n, s := range []string{"Album", "Song", "\t", "\t"} {
		b.SetText(PackTitle, n, s)
	}
	packs, err := EncodeCDText([]TextBlock{b}, 1, 3)
	if err != nil {
		t.Fatal(err)
	}
	if got := DecodeCDText(packs, 1)[0].Text(PackTitle, 3); got != "Song" {
		t.Errorf("track 3 is %q", got)
	}
}

func TestCDTextErrors(t *testing.T) {
	b := TextBlock{}
	b.SetText(PackTitle, 0, "\u97f3")
	if _, err := EncodeCDText([]TextBlock{b}, 1, 1); !errors.Is(err, ErrCDText) {
		t.Errorf("Japanese in Latin-1: %v", err)
	}
	b.SetText(PackTitle, 0, strings.Repeat("x", 4000))
	if _, err := EncodeCDText([]TextBlock{b}, 1, 1); !errors.Is(err, ErrCDText) {
		t.Errorf("too long: %v", err)
	}
	if _, _, err := ParsePacks(make([]byte, 17)); !errors.Is(err, ErrCDText) {
		t.Errorf("17 bytes: %v", err)
	}
	if _, bad, err := ParsePacks(bytes.Repeat([]byte{0x80}, 36)); !errors.Is(err, ErrCDText) || bad != 2 {
		t.Errorf("wrong CRCs: %d, %v", bad, err)
	}
}

func FuzzCDText(f *testing.F) {
	b := TextBlock{Language: LanguageEnglish}
	b.SetText(PackTitle, 0, "Album")
	b.SetText(PackTitle, 1, "Song")
	packs, err := EncodeCDText([]TextBlock{b}, 1, 1)
	if err != nil {
		f.Fatal(err)
	}
	var raw []byte
	for _, p := range packs {
		raw = append(raw, p[:]...)
	}
	f.Add(raw)
	f.Fuzz(func(t *testing.T, b []byte) {
		for i := 0; i+PackSize <= len(b); i += PackSize { // let content through to the decoder
			p := Pack(b[i : i+PackSize])
			p.seal()
			copy(b[i:], p[:])
		}
		packs, _, err := ParsePacks(b)
		if err != nil {
			return
		}
		DecodeCDText(packs, 1)
		DecodeCDText(packs, 99)
	})
}
