package digest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"testing"
)

func TestHasher(t *testing.T) {
	data := bytes.Repeat([]byte("spindle "), 20000)
	sizes := []int64{10, 100000, int64(len(data)) - 100010}
	for _, step := range []int{1 << 20, 1000, 17} {
		h := New(All, sizes)
		for p := data; len(p) > 0; {
			n := min(step, len(p))
			if _, err := h.Write(p[:n]); err != nil {
				t.Fatal(err)
			}
			p = p[n:]
		}
		whole, parts := h.Sums()
		sum := sha256.Sum256(data)
		if whole.SHA256 != hex.EncodeToString(sum[:]) || whole.Size != int64(len(data)) {
			t.Errorf("steps of %d: whole %+v", step, whole)
		}
		sum = sha256.Sum256(data[10:100010])
		if parts[1].SHA256 != hex.EncodeToString(sum[:]) || parts[1].Size != 100000 {
			t.Errorf("steps of %d: part %+v", step, parts[1])
		}
		if _, err := h.Write([]byte{0}); err == nil {
			t.Error("a byte too many is accepted")
		}
	}
	h := New(All, []int64{3})
	if _, err := h.Write([]byte("abc")); err != nil {
		t.Fatal(err)
	}
	want := Sums{Size: 3, CRC32: "352441c2", MD5: "900150983cd24fb0d6963f7d28e17f72",
		SHA1:   "a9993e364706816aba3e25717850c26c9cd0d89d",
		SHA256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}
	if whole, parts := h.Sums(); whole != want || parts[0] != want {
		t.Errorf("abc: %+v", whole)
	}
}

func BenchmarkHasher(b *testing.B) {
	p := make([]byte, 128<<10)
	b.SetBytes(int64(len(p)))
	h := New(All, []int64{1 << 62})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := h.Write(p); err != nil {
			b.Fatal(err)
		}
	}
}
