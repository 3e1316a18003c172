package cuefile

import (
	"bytes"
	"context"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"spindle/cue"
	"spindle/disc"
)

func mustParse(t *testing.T, text string) *cue.Sheet {
	t.Helper()
	sh, err := cue.Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return sh
}

// The sub-channels of a CD+G follow each sector.
func TestCDG(t *testing.T) {
	dir := t.TempDir()
	var b []byte
	for i := range 5 {
		b = append(b, make([]byte, 2352)...)
		b = append(b, bytes.Repeat([]byte{byte(i)}, 96)...)
	}
	if err := os.WriteFile(filepath.Join(dir, "x.bin"), b, 0o666); err != nil {
		t.Fatal(err)
	}
	img, err := openSheet(context.Background(), mustParse(t, "FILE x.bin BINARY\nTRACK 01 CDG\nINDEX 01 00:00:00\n"), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer img.Close()
	var sub [96]byte
	if err := img.Subchannels().ReadSubchannel(t.Context(), sub[:], 3); err != nil {
		t.Fatal(err)
	}
	want := append(make([]byte, 72), bytes.Repeat([]byte{0xFF}, 24)...) // 3 is the bits of V and W
	if !bytes.Equal(sub[:], want) {
		t.Errorf("% x", sub)
	}
}

func TestOpenLayout(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "one.bin"), 1000*2352)
	write(t, filepath.Join(dir, "three.bin"), 100*2352)
	write(t, filepath.Join(dir, "two.iso"), 300*2048)
	write(t, filepath.Join(dir, "mix.bin"), 300*2048+200*2352)
	type track struct{ Begin, Start, End disc.LBA }
	for name, test := range map[string]struct {
		text string
		want []track
	}{
		"plain": {"FILE one.bin BINARY\nTRACK 01 AUDIO\nINDEX 01 00:00:00\nTRACK 02 AUDIO\nINDEX 00 00:04:00\nINDEX 01 00:06:00\n",
			[]track{{0, 0, 300}, {300, 450, 1000}}},
		"two files": {"FILE two.iso BINARY\nTRACK 01 MODE1/2048\nINDEX 01 00:00:00\nFILE one.bin BINARY\nTRACK 02 AUDIO\nPREGAP 00:02:00\nINDEX 01 00:00:00\n",
			[]track{{0, 0, 300}, {300, 450, 1450}}},
		"mixed sizes": {"FILE mix.bin BINARY\nTRACK 01 MODE1/2048\nINDEX 01 00:00:00\nTRACK 02 AUDIO\nINDEX 01 00:04:00\n",
			[]track{{0, 0, 300}, {300, 300, 500}}},
		"hidden": {"FILE one.bin BINARY\nTRACK 01 AUDIO\nINDEX 00 00:00:00\nINDEX 01 00:05:00\n",
			[]track{{0, 375, 1000}}},
		"hidden, unsaid": {"FILE one.bin BINARY\nTRACK 01 AUDIO\nINDEX 01 00:05:00\n",
			[]track{{0, 375, 1000}}},
		"the pregap every disc has": {"FILE one.bin BINARY\nTRACK 01 AUDIO\nPREGAP 00:02:00\nINDEX 01 00:00:00\n",
			[]track{{0, 0, 1000}}},
		"silence hidden before track 1": {"FILE one.bin BINARY\nTRACK 01 AUDIO\nPREGAP 00:05:00\nINDEX 01 00:00:00\n",
			[]track{{0, 375, 1375}}},
		"PREGAP is in no file, INDEX 00 is": {"FILE one.bin BINARY\nTRACK 01 AUDIO\nINDEX 01 00:00:00\nTRACK 02 AUDIO\nPREGAP 00:01:00\n" +
			"INDEX 00 00:04:00\nINDEX 01 00:06:00\n",
			[]track{{0, 0, 300}, {300, 525, 1075}}},
		"INDEX 01 in the next file, as EAC writes it": {"FILE one.bin BINARY\nTRACK 01 AUDIO\nINDEX 01 00:00:00\nTRACK 02 AUDIO\nINDEX 00 00:12:00\n" +
			"FILE three.bin BINARY\nINDEX 01 00:00:00\n",
			[]track{{0, 0, 900}, {900, 1000, 1100}}},
		"postgap": {"FILE one.bin BINARY\nTRACK 01 AUDIO\nINDEX 01 00:00:00\nPOSTGAP 00:01:00\n",
			[]track{{0, 0, 1075}}},
		"index in the next file": {"FILE two.iso BINARY\nTRACK 01 MODE1/2048\nINDEX 01 00:00:00\nTRACK 02 MODE1/2048\nINDEX 00 00:03:00\n" +
			"FILE one.bin BINARY\nINDEX 01 00:00:00\n",
			[]track{{0, 0, 225}, {225, 300, 1449}}},
		"sessions": {"REM SESSION 01\nFILE one.bin BINARY\nTRACK 01 AUDIO\nINDEX 01 00:00:00\nREM SESSION 02\nTRACK 02 AUDIO\nINDEX 01 00:04:00\n",
			[]track{{0, 0, 300}, {11700, 11700, 12400}}},
	} {
		img, err := openSheet(context.Background(), mustParse(t, test.text), dir)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var got []track
		for _, tr := range img.Layout().Tracks() {
			got = append(got, track{tr.Begin(), tr.Start, tr.End})
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		p := make([]byte, 2352)
		for _, tr := range img.Layout().Tracks() {
			for _, a := range []disc.LBA{tr.Begin(), tr.End - 1} {
				if err := img.ReadSectors(t.Context(), p, a); err != nil {
					t.Errorf("%s: sector %d: %v", name, a, err)
				}
			}
		}
		if err := img.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "cut.bin"), 300*2352-5)
	write(t, filepath.Join(dir, "bad.wav"), 300)
	write(t, filepath.Join(dir, "empty.bin"), 0)
	for name, test := range map[string]struct{ text, want string }{
		"missing":         {"FILE no.bin BINARY\nTRACK 01 AUDIO\nINDEX 01 00:00:00\n", "line 1"},
		"outside":         {"FILE ../../etc/passwd BINARY\nTRACK 01 AUDIO\nINDEX 01 00:00:00\n", "line 1"},
		"nothing there":   {"FILE empty.bin BINARY\nTRACK 01 AUDIO\nINDEX 01 00:00:00\n", "too short"},
		"not a WAVE":      {"FILE bad.wav WAVE\nTRACK 01 AUDIO\nINDEX 01 00:00:00\n", "not a WAVE"},
		"unknown":         {"FILE cut.bin MP3\nTRACK 01 AUDIO\nINDEX 01 00:00:00\n", "MP3"},
		"CD-TEXT missing": {"CDTEXTFILE no.cdt\nFILE cut.bin BINARY\nTRACK 01 MODE1/2048\nINDEX 01 00:00:00\n", ""},
	} {
		_, err := openSheet(context.Background(), mustParse(t, test.text), dir)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWave(t *testing.T) {
	dir := t.TempDir()
	samples := bytes.Repeat([]byte{1, 2, 3, 4}, 1000) // 1.7 sectors
	var b []byte
	b = append(b, "RIFF\x00\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x02\x00"...)
	b = binary.LittleEndian.AppendUint32(b, 44100)
	b = binary.LittleEndian.AppendUint32(b, 176400)
	b = append(b, 4, 0, 16, 0)
	b = append(b, "LIST\x03\x00\x00\x00abc\x00data"...)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(samples)))
	b = append(b, samples...)
	if err := os.WriteFile(filepath.Join(dir, "a.wav"), b, 0o666); err != nil {
		t.Fatal(err)
	}
	img, err := openSheet(context.Background(), mustParse(t, "FILE A.WAV WAVE\nTRACK 01 AUDIO\nINDEX 01 00:00:00\n"), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer img.Close()
	p := make([]byte, 2*2352)
	if err := img.ReadSectors(t.Context(), p, 0); err != nil {
		t.Fatal(err)
	}
	if want := append(samples, make([]byte, 704)...); !bytes.Equal(p, want) {
		t.Error("the samples are not those of the file, padded with silence")
	}
}

// Opening must neither panic nor reach outside of its folder, whatever the sheet.
func FuzzOpen(f *testing.F) {
	f.Add([]byte("FILE a BINARY\nTRACK 01 AUDIO\nINDEX 01 00:00:00\nTRACK 02 AUDIO\nINDEX 00 00:00:01\nINDEX 01 00:00:01\n"))
	dir := f.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a"), make([]byte, 10*2352), 0o666); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		sh, err := cue.Parse(bytes.NewReader(b))
		if err != nil {
			return
		}
		for i := range sh.Files {
			sh.Files[i].Name = "a"
		}
		img, err := openSheet(context.Background(), sh, dir)
		if err != nil {
			return
		}
		defer img.Close()
		p := make([]byte, 2352)
		for _, tr := range img.Layout().Tracks() {
			if err := img.ReadSectors(t.Context(), p, tr.End-1); err != nil {
				t.Fatal(err)
			}
		}
	})
}
func write(t *testing.T, path string, n int) {
	t.Helper()
	if err := os.WriteFile(path, make([]byte, n), 0o666); err != nil {
		t.Fatal(err)
	}
}
