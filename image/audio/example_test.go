package audio_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"spindle/image/audio"
)

func ExampleOpen() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "second.wav")
	samples := make([]byte, 44100*4)
	if err := os.WriteFile(path, append(audio.WaveHeader(uint32(len(samples))), samples...), 0o666); err != nil {
		panic(err)
	}
	f, err := audio.Open(context.Background(), path)
	if err != nil {
		panic(err)
	}
	defer f.Close()
	fmt.Println(f.Kind, f.Sectors(), "sectors")
	// Output: WAVE 75 sectors
}
