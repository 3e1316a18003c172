package image_test

import (
	"bytes"
	"errors"
	"os"
	"testing"

	"spindle/disc"
	"spindle/image"
	"spindle/internal/testdisc"

	"github.com/klauspost/compress/zstd"
)

// Of a compressed image with a damaged frame, the other frames are as they were, and each
// sector of that one is a flaw.
func TestSalvage(t *testing.T) {
	dir := t.TempDir()
	path, err := testdisc.Make(dir, "iso")
	if err != nil {
		t.Fatal(err)
	}
	plain, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const frame = 128 << 10
	enc, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	var file []byte
	for at := 0; at < len(plain); at += frame {
		begin := len(file)
		file = enc.EncodeAll(plain[at:min(at+frame, len(plain))], file)
		if at == 2*frame {
			file[(begin+len(file))/2] ^= 0x55
		}
	}
	if err := os.WriteFile(path+".zst", file, 0o666); err != nil {
		t.Fatal(err)
	}
	img, err := image.OpenAs(t.Context(), path+".zst", disc.DVD)
	if err != nil {
		t.Fatal(err)
	}
	if err := disc.ReadUser(t.Context(), img, make([]byte, 2048), 150); !errors.Is(err, image.ErrPackedDamaged) {
		t.Error(err)
	}
	whole, errs, err := image.Salvage(t.Context(), img, nil)
	if err != nil || len(errs) != 1 {
		t.Fatal(errs, err)
	}
	defer whole.Close()
	const sectors = frame / 2048
	flaws := whole.Flaws()
	if flaws.Sectors() != sectors || flaws.Clip(2*sectors, 3*sectors).Sectors() != sectors {
		t.Errorf("%v", flaws)
	}
	got := make([]byte, len(plain))
	if err := whole.ReadSectors(t.Context(), got, 0); err != nil {
		t.Fatal(err)
	}
	copy(got[2*frame:3*frame], plain[2*frame:])
	if !bytes.Equal(got, plain) {
		t.Error("other sectors are not what they were")
	}
}
