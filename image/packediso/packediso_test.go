package packediso

import (
	"bytes"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"spindle/internal/packed"
)

// What is written unpacks to what it was made of, at any place, and without unpacking all of it where
// the format has frames with sizes.
func TestWriter(t *testing.T) {
	want := make([]byte, 2*pieceSize+12345)
	_, _ = rand.NewChaCha8([32]byte{}).Read(want[:pieceSize/2])
	for _, k := range kinds() {
		var out bytes.Buffer
		w := k.newWriter(&out)
		if _, err := w.packer.Write(want); err != nil {
			t.Fatal(err)
		}
		if err := w.close(); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "x.iso"+k.suffix)
		if err := os.WriteFile(path, out.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		r, err := packed.Open(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		got, err := io.ReadAll(io.NewSectionReader(r, 0, r.Size()))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %d bytes, want %d: %v", k.name, len(got), len(want), err)
		}
		p := make([]byte, 100)
		if _, err := r.ReadAt(p, pieceSize-50); err != nil || !bytes.Equal(p, want[pieceSize-50:][:100]) {
			t.Errorf("%s: across pieces: %v", k.name, err)
		}
	}
}
