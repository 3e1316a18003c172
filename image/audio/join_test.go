package audio

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

func TestJoin(t *testing.T) {
	dir := t.TempDir()
	song := func(name string, bytes int, fill byte) string {
		samples := make([]byte, bytes)
		for i := range samples {
			samples[i] = fill
		}
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, append(WaveHeader(uint32(bytes)), samples...), 0o666); err != nil {
			t.Fatal(err)
		}
		return path
	}
	a, b, odd := song("1.wav", 3*SectorSize, 1), song("2.wav", 2*SectorSize, 2), song("3.wav", SectorSize+400, 3)
	img, err := Join(t.Context(), []string{a, b, odd})
	if err != nil {
		t.Fatal(err)
	}
	defer img.Close()
	got := make([]byte, 7*SectorSize)
	if err := img.ReadSectors(t.Context(), got, 0); err != nil {
		t.Fatal(err)
	}
	want := append(append(bytes.Repeat([]byte{1}, 3*SectorSize), bytes.Repeat([]byte{2}, 2*SectorSize)...), bytes.Repeat([]byte{3}, SectorSize+400)...)
	if tracks := img.Layout().Tracks(); !bytes.Equal(got, append(want, make([]byte, SectorSize-400)...)) || len(tracks) != 3 || tracks[2].Start != 5 {
		t.Errorf("%+v, or other samples", tracks)
	}
	if _, err := Join(t.Context(), []string{odd, a}); !errors.Is(err, ErrNotCD) {
		t.Error(err)
	}
	if _, err := Join(t.Context(), nil); err == nil {
		t.Error("a disc without a track")
	}
	if err := os.Truncate(a, 2*SectorSize+44); err != nil {
		t.Fatal(err)
	}
	if _, err := Join(t.Context(), []string{a, b}); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
}
