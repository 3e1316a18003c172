package lzmablock

import (
	"bytes"
	"encoding/hex"
	"io"
	"testing"

	"github.com/ulikunitz/xz/lzma"

	"spindle/internal/testdisc/testforeign"
)

// What xz's filter makes of 60 bytes, in which calls and jumps overlap.
func TestFilterOfXz(t *testing.T) {
	plain, err := hex.DecodeString(xzPlain)
	if err != nil {
		t.Fatal(err)
	}
	b, err := hex.DecodeString(xzFiltered)
	if err != nil {
		t.Fatal(err)
	}
	Unfilter(b)
	if !bytes.Equal(b, plain) {
		t.Errorf("%x", b)
	}
}

// Whatever is filtered comes back.
func FuzzUnfilter(f *testing.F) {
	f.Add([]byte("\xE8\x00\x01\x02\x00\xE9\xE8\x00\x00\x00\xFF\xFF\xE8"))
	f.Fuzz(func(t *testing.T, want []byte) {
		b := testforeign.X86(want)
		Unfilter(b)
		if !bytes.Equal(b, want) {
			t.Errorf("%x", b)
		}
	})
}

// Any properties that LZMA allows are read.
func TestProperties(t *testing.T) {
	want := bytes.Repeat([]byte("properties and windows of any kind "), 500)
	for _, p := range []lzma.Properties{{LC: 3, PB: 2}, {LC: 0, LP: 2, PB: 0}, {LC: 4}, {LC: 1, LP: 3, PB: 4}} {
		var out bytes.Buffer
		w, err := lzma.WriterConfig{Properties: &p, DictCap: 1 << 20, SizeInHeader: true, Size: int64(len(want))}.NewWriter(&out)
		if err != nil {
			t.Fatal(err)
		}
		w.Write(want)
		w.Close()
		b := out.Bytes()
		r, err := NewReader(Properties(b[:5]), b[lzma.HeaderLen:], len(want))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%+v: %d bytes, %v", p, len(got), err)
		}
	}
	if _, err := NewReader(Properties{225}, nil, 10); err == nil {
		t.Error("properties that there are not")
	}
}

const (
	xzPlain    = "ff7fe8e97f01ffff0001e97f00e8ff00ff650001e80100e900ff0000ff7f0000ffe8ffe8e8ffffffb57fffe8e9ff00000000e90000e9e8ff7f00e8ff"
	xzFiltered = "ff7fe8f07f01ffff0001e98e00e8ff00ff650001e81a00e900ff0000ff7f0000ffe825e9e8ffffffb57fffe8190001000000e90000e922008000e8ff"
)
