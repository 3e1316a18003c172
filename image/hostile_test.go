package image_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"

	"spindle/disc"
	"spindle/image"
	"spindle/internal/mutants"
	"spindle/internal/testdisc/testforeign"
)

// What opening any file, and reading its start and its end, may take.
const (
	mostMemory = 64 << 20
	mostTime   = time.Second
)

// bounded opens a file and reads some of it, and fails where that takes too much. Memory is all that is allocated, which
// the peak cannot exceed. On a machine with much else to do, the fastest of some tries counts.
func bounded(t *testing.T, path, what string) {
	t.Helper()
	const tries = 4
	var took time.Duration
	for range tries {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		begin := time.Now()
		openSome(t.Context(), path)
		took = time.Since(begin)
		runtime.ReadMemStats(&after)
		if used := after.TotalAlloc - before.TotalAlloc; used > mostMemory {
			t.Errorf("%s: %d MiB", what, used>>20)
			return
		}
		if took <= mostTime {
			return
		}
	}
	t.Errorf("%s: %v", what, took)
}

// openSome opens an image, and reads its first and last sectors. Any of that may fail.
func openSome(ctx context.Context, path string) {
	img, err := image.Open(ctx, path)
	if err != nil {
		return
	}
	defer img.Close()
	l := img.Layout()
	p := make([]byte, l.Medium.SectorSize())
	for _, tr := range l.Tracks() {
		for _, a := range []disc.LBA{tr.Start, tr.Start + 16, tr.End - 1} {
			if a < tr.End {
				_ = img.ReadSectors(ctx, p, a)
			}
		}
	}
}

// hostileSeeds are images of all formats, whose fields are made absurd.
func hostileSeeds(t *testing.T) map[string]string {
	t.Helper()
	paths := make(map[string]string)
	for name, m := range map[string]struct {
		source, out string
		options     image.CreateOptions
	}{
		"cue": {"mixed", "x.cue", image.CreateOptions{}}, "iso": {"iso", "x.iso", image.CreateOptions{}}, "nrg": {"mixed", "x.nrg", image.CreateOptions{}},
		"toc": {"cdextra", "x.toc", image.CreateOptions{Lossy: true}}, "ccd": {"twosession", "x.ccd", image.CreateOptions{}},
		"mds": {"twosession", "x.mds", image.CreateOptions{Lossy: true}}, "chd": {"mixed", "x.chd", image.CreateOptions{Lossy: true, Codecs: []string{"zlib", "flac"}}},
		"chd, dvd": {"iso", "x.chd", image.CreateOptions{Lossy: true}}, "cso": {"iso", "x.cso", image.CreateOptions{}}, "zso": {"iso", "x.zso", image.CreateOptions{}},
		"ecm": {"iso", "x.iso.ecm", image.CreateOptions{}}, "zst": {"iso", "x.iso.zst", image.CreateOptions{}}, "vhd": {"iso", "x.vhd", image.CreateOptions{}},
		"vhd, fixed": {"iso", "x.vhd", image.CreateOptions{Codecs: []string{"fixed"}}}, "dmg": {"iso", "x.dmg", image.CreateOptions{}},
		"hfs": {"hfs", "", image.CreateOptions{}}, "hfs+": {"hfsplus", "", image.CreateOptions{}}, "apple map": {"hfsmap", "", image.CreateOptions{}},
		"hard disk": {"hfsdisk", "", image.CreateOptions{}}, "gdi": {"gdi", "x.gdi", image.CreateOptions{}},
	} {
		paths[name] = seedImage(t, m.source, m.out, m.options)
	}
	_, iso := readISO(t)
	all := foreignDiscs(t, iso)
	for name, files := range foreignISOs() {
		all[name] = files(iso)
	}
	for name, files := range all {
		path, err := files.Write(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		paths[name] = path
	}
	return paths
}

// Whatever number a header or trailer holds, also 2^63 and the largest there is, little is allocated and done before it is found to be absurd.
// A usual run tries some of the places, with SPINDLE_CAMPAIGN=all all.
func TestHostileFields(t *testing.T) {
	step := 4
	if mutants.Count() < 1000 {
		step = 28
	}
	turn := 0
	for name, path := range hostileSeeds(t) {
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		st, err := f.Stat()
		if err != nil {
			t.Fatal(err)
		}
		const head, tail = 256, 512
		for at := int64(turn % 3 * 4); at < st.Size()-8; at += int64(step) {
			if at >= head && at < st.Size()-tail {
				at = st.Size() - tail
			}
			for _, value := range []uint64{1<<64 - 1, 1 << 63, 1<<32 - 1} {
				patched(t, f, at, value, func() { bounded(t, path, name) })
			}
		}
		turn++
		f.Close()
	}
}

// patched puts a number into a file for the time of a function.
func patched(t *testing.T, f *os.File, at int64, value uint64, do func()) {
	t.Helper()
	var was, is [8]byte
	if _, err := f.ReadAt(was[:], at); err != nil {
		t.Fatal(err)
	}
	binary.LittleEndian.PutUint64(is[:], value)
	n := 8
	if value < 1<<32 {
		n = 4
	}
	if _, err := f.WriteAt(is[:n], at); err != nil {
		t.Fatal(err)
	}
	do()
	if _, err := f.WriteAt(was[:], at); err != nil {
		t.Fatal(err)
	}
}

// Images of much that is nothing are opened, or refused, in no time, and in no memory.
func TestBombs(t *testing.T) {
	const size = 10 << 30
	dir := t.TempDir()
	for name, b := range map[string][]byte{
		"zeros.uif":     (&testforeign.UIF{Version: 3}).MakeZeros(size),
		"lzma.uif":      (&testforeign.UIF{Version: 3}).MakeBomb(size),
		"same.dax":      sameFrames(),
		"zeros.iso.zst": bytes.Repeat(zstdZeros(t), size>>23),
		"zeros.iso.xz":  bytes.Repeat(xzZeros(t), size>>23),
		"empty.vhd":     emptyDisk(t),
	} {
		if len(b) > 4<<20 {
			t.Errorf("%s has %d bytes itself", name, len(b))
		}
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b, 0o666); err != nil {
			t.Fatal(err)
		}
		bounded(t, path, name)
	}
}

// sameFrames is a DAX of 4 GB in which all frames are at the same place.
func sameFrames() []byte {
	const count, frame = 1<<19 - 1, 8192
	one := testforeign.DAX(make([]byte, frame), 0, 0)
	const entries = 32
	packed := one[entries+6:]
	le := binary.LittleEndian
	out := append([]byte{}, one[:entries]...)
	le.PutUint32(out[4:], count*frame)
	at := uint32(entries + count*6)
	for range count {
		out = le.AppendUint32(out, at)
	}
	for range count {
		out = le.AppendUint16(out, uint16(len(packed)))
	}
	return append(out, packed...)
}

func zstdZeros(t *testing.T) []byte {
	w, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	return w.EncodeAll(make([]byte, 1<<23), nil)
}

func xzZeros(t *testing.T) []byte {
	var out bytes.Buffer
	w, err := xz.NewWriter(&out)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(make([]byte, 1<<23)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// emptyDisk is a dynamic disk whose footer and header state the largest size that there is.
func emptyDisk(t *testing.T) []byte {
	path := seedImage(t, "iso", "x.vhd", image.CreateOptions{})
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []int{0, len(b) - 512} {
		h := b[at : at+512]
		binary.BigEndian.PutUint64(h[40:], 1<<63)
		binary.BigEndian.PutUint64(h[48:], 1<<63)
		clear(h[64:68])
		sum := uint32(0)
		for _, c := range h {
			sum += uint32(c)
		}
		binary.BigEndian.PutUint32(h[64:], ^sum)
	}
	return b
}
