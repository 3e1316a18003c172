package audio

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// taggedWave is a WAVE file with comments.
func taggedWave(t *testing.T, comments ...[2]string) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.wav")
	if err := os.WriteFile(path, append(WaveHeader(8), "12345678"...), 0o666); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := AppendWaveTags(f, comments); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A copy with other texts is the file that had these from the start.
func TestCopyWaveEdited(t *testing.T) {
	title, gain, odd := [2]string{"TITLE", "Étude"}, [2]string{"REPLAYGAIN_TRACK_GAIN", "-1.00 dB"}, [2]string{"日本", "ó日"}
	whole := [2]string{"REPLAYGAIN_ALBUM_GAIN", "-12.00 dB"}
	was := taggedWave(t, title, gain, odd)
	texts, err := WaveTexts(bytes.NewReader(was), int64(len(was)))
	if err != nil || !slices.Equal(texts, [][2]string{gain, odd}) {
		t.Fatal(texts, err)
	}
	for _, test := range []struct{ stay, all [][2]string }{
		{[][2]string{gain, odd, whole}, [][2]string{title, gain, odd, whole}},
		{[][2]string{odd, whole}, [][2]string{title, odd, whole}},
		{nil, [][2]string{title}},
	} {
		var out bytes.Buffer
		err := CopyWaveEdited(&out, bytes.NewReader(was), int64(len(was)), func([][2]string) [][2]string { return test.stay })
		if want := taggedWave(t, test.all...); err != nil || !bytes.Equal(out.Bytes(), want) {
			t.Errorf("%q: %v: % x, not % x", test.stay, err, out.Bytes()[44:], want[44:])
		}
	}
	// What another program put behind the tag stays there.
	more := append(slices.Clone(was), chunk("bext", []byte("abc"))...)
	more[4] = byte(len(more) - 8)
	var out bytes.Buffer
	if err := CopyWaveEdited(&out, bytes.NewReader(more), int64(len(more)), func([][2]string) [][2]string { return nil }); err != nil || !bytes.HasSuffix(out.Bytes(), chunk("bext", []byte("abc"))) {
		t.Errorf("%v: %q", err, out.Bytes())
	}
	if texts, err := WaveTexts(bytes.NewReader(out.Bytes()), int64(out.Len())); err != nil || texts != nil {
		t.Error(texts, err)
	}
}

// Of a file whose tag is of another kind, or cut, nothing is made.
func TestCopyWaveEditedRefuses(t *testing.T) {
	good := taggedWave(t, [2]string{"A", "b"})
	tag := bytes.Index(good, []byte("id3 "))
	with := func(at int, b byte) []byte { x := slices.Clone(good); x[at] = b; return x }
	all := map[string][]byte{
		"no tag": append(WaveHeader(8), "12345678"...), "another version": with(tag+11, 4), "unsynchronised": with(tag+13, 0x80), "another size": with(tag+17, 99),
		"a longer frame": with(tag+8+10+7, 99), "another length": with(4, 1), "FLAC": []byte("fLaC and more of it"), "two": append(slices.Clone(good), good[tag:]...),
	}
	all["two"][4] = byte(len(all["two"]) - 8)
	for name, b := range all {
		if err := CopyWaveEdited(new(bytes.Buffer), bytes.NewReader(b), int64(len(b)), func(c [][2]string) [][2]string { return c }); !errors.Is(err, ErrWaveTag) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for n := range good {
		if _, err := WaveTexts(bytes.NewReader(good[:n]), int64(n)); err == nil {
			t.Errorf("cut to %d bytes", n)
		}
	}
}

func FuzzWaveEdited(f *testing.F) {
	f.Add(userFrame("A", "b"))
	f.Add([]byte("TXXX\x00\x00\x00\x05\x00\x00\x01\xfe\xffA\x00"))
	f.Fuzz(func(t *testing.T, frames []byte) {
		if len(frames) > 1<<20 {
			return
		}
		b := append(WaveHeader(0), chunk("id3 ", id3Tag(frames))...)
		b[4], b[5], b[6] = byte(len(b)-8), byte((len(b)-8)>>8), byte((len(b)-8)>>16)
		var out bytes.Buffer
		err := CopyWaveEdited(&out, bytes.NewReader(b), int64(len(b)), func(c [][2]string) [][2]string { return c })
		if err == nil && !bytes.Equal(out.Bytes(), b) {
			t.Errorf("% x became % x", b, out.Bytes())
		}
	})
}
