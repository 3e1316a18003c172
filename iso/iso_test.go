package iso

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"spindle/internal/corpus"

	"github.com/kdomanski/iso9660"
)

// volume makes an ISO 9660 image with a file in it.
func volume(t testing.TB, label string) []byte {
	t.Helper()
	w, err := iso9660.NewWriter()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Cleanup()
	if err := w.AddFile(strings.NewReader("hello\n"), "hello.txt"); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := w.WriteTo(&b, label); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestReadVolume(t *testing.T) {
	b := volume(t, "MY_LABEL")
	v, err := ReadVolume(bytes.NewReader(b), 0)
	if err != nil {
		t.Fatal(err)
	}
	if v.Label != "MY_LABEL" || !v.ISO9660 || v.Blocks() != int64(len(b)/BlockSize) || v.UDF != "" {
		t.Errorf("%+v in %d blocks", v, len(b)/BlockSize)
	}
}

func TestNoVolume(t *testing.T) {
	for _, n := range []int{0, 100, 16 * BlockSize, 40 * BlockSize} {
		if _, err := ReadVolume(bytes.NewReader(make([]byte, n)), 0); !errors.Is(err, ErrNoVolume) {
			t.Errorf("%d zeros: %v", n, err)
		}
	}
}

// udf makes the skeleton of a UDF volume: recognition sequence, anchor, and the
// main sequence with partition and logical volume.
func udf(partitionStart, partitionLength uint32) []byte {
	const blocks = 600
	b := make([]byte, blocks*BlockSize)
	block := func(n int) []byte { return b[n*BlockSize : (n+1)*BlockSize] }
	for i, id := range []string{"BEA01", "NSR02", "TEA01"} {
		copy(block(16 + i)[1:], id)
	}
	seal := func(n int, tagNumber uint16) {
		d := block(n)
		binary.LittleEndian.PutUint16(d, tagNumber)
		binary.LittleEndian.PutUint32(d[12:], uint32(n))
		d[4] = 0
		for i, c := range d[:16] {
			if i != 4 {
				d[4] += c
			}
		}
	}
	anchor := block(256)
	binary.LittleEndian.PutUint32(anchor[16:], 16*BlockSize)
	binary.LittleEndian.PutUint32(anchor[20:], 32)
	seal(256, tagAnchor)
	p := block(32)
	binary.LittleEndian.PutUint32(p[188:], partitionStart)
	binary.LittleEndian.PutUint32(p[192:], partitionLength)
	seal(32, tagPartition)
	l := block(33)
	copy(l[84:], "\x08Label")
	l[84+127] = 6
	binary.LittleEndian.PutUint32(l[212:], BlockSize)
	binary.LittleEndian.PutUint16(l[216+24:], 0x0150)
	seal(33, tagLogical)
	seal(34, tagTerminator)
	return b
}

func TestUDF(t *testing.T) {
	v, err := ReadVolume(bytes.NewReader(udf(300, 280)), 600)
	if err != nil {
		t.Fatal(err)
	}
	if v.UDF != "1.50" || v.Label != "Label" || v.Blocks() != 580 || v.ISO9660 {
		t.Errorf("%+v", v)
	}
	broken := udf(300, 280)
	broken[32*BlockSize+4]++ // checksum of the partition descriptor's tag
	if v, err := ReadVolume(bytes.NewReader(broken), 600); !errors.Is(err, ErrNoVolume) {
		t.Errorf("damaged sequence: %+v, %v", v, err)
	}
}

func TestForeignISOs(t *testing.T) {
	want := map[string]string{
		"copying.iso": "ISO 9660", "copying-rr.iso": "ISO 9660, Rock Ridge", "joliet.iso": "ISO 9660, Joliet",
		"test-udf1.iso": "ISO 9660, Joliet, Rock Ridge, UDF 1.02", "multi_extent_8k.iso": "ISO 9660, Rock Ridge",
	}
	for _, path := range corpus.Glob(t, "libcdio/*.iso") {
		name := filepath.Base(path)
		if strings.HasPrefix(name, "bad-") || strings.HasPrefix(name, "malformed") {
			continue
		}
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		v, err := ReadVolume(f, 0)
		f.Close()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if w, ok := want[name]; ok && strings.Join(v.FileSystems(), ", ") != w {
			t.Errorf("%s: %q, want %q", name, v.FileSystems(), w)
		}
		if !slices.Contains(v.FileSystems(), "ISO 9660") {
			t.Errorf("%s: %q", name, v.FileSystems())
		}
	}
}

func FuzzReadVolume(f *testing.F) {
	f.Add(volume(f, "X")[15*BlockSize:])
	f.Add(udf(300, 280)[15*BlockSize : 280*BlockSize])
	corpus.Seeds(f, "libcdio/*.iso", 400<<10)
	f.Fuzz(func(t *testing.T, b []byte) {
		whole := append(make([]byte, 15*BlockSize), b...)
		v, err := ReadVolume(bytes.NewReader(whole), int64(len(whole)/BlockSize))
		if err == nil && v.Blocks() < 0 {
			t.Errorf("%d blocks", v.Blocks())
		}
	})
}
