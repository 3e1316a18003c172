package dmg

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/klauspost/compress/zlib"
	"github.com/ulikunitz/xz"

	"spindle/image/format"
	"spindle/internal/corpus"
	"spindle/internal/packed"
)

// content is noise, text and zeros.
func content(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{}).Read(b[:n/3/512*512])
	for i := n / 3 / 512 * 512; i < n/2; i++ {
		b[i] = "what compresses well, again and again "[i%38]
	}
	return b
}

func made(t testing.TB, b []byte, plain bool) []byte {
	t.Helper()
	var out bytes.Buffer
	w := newWriter(&out, int64(len(b)), plain)
	for at := 0; at < len(b); at += 100_000 {
		if _, err := w.Write(b[at:min(len(b), at+100_000)]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.end(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func opened(t testing.TB, b []byte) (*format.Content, error) {
	t.Helper()
	return open(t.Context(), &format.File{ReaderAt: bytes.NewReader(b), Size: int64(len(b))})
}

func check(c *format.Content) error { return c.Check(context.Background(), func(int64, int64) {}) }

// same opens a file and compares what it holds.
func same(t *testing.T, name string, b, want []byte) *format.Content {
	t.Helper()
	c, err := opened(t, b)
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return nil
	}
	got := make([]byte, c.Size)
	if _, err := c.ReadAt(got, 0); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s: %d bytes, %v", name, c.Size, err)
	}
	for at := c.Size - 1; at > 0; at -= 99_999 {
		p := make([]byte, min(c.Size-at, 5000))
		if _, err := c.ReadAt(p, at); err != nil || !bytes.Equal(p, want[at:at+int64(len(p))]) {
			t.Errorf("%s: at %d: %v", name, at, err)
		}
	}
	if c.Check != nil {
		if err := check(c); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	return c
}

func TestThereAndBack(t *testing.T) {
	for _, n := range []int{2048, newRun, 10*newRun + 2048, 6 * newRun} {
		want := content(n)
		for _, plain := range []bool{true, false} {
			b := made(t, want, plain)
			if !bytes.Equal(b, made(t, want, plain)) {
				t.Errorf("%d bytes: made twice, it differs", n)
			}
			if n > newRun && !plain && len(b) > n/2 {
				t.Errorf("%d bytes are %d", n, len(b))
			}
			if c := same(t, fmt.Sprint(n, plain), b, want); c != nil && (c.Sums == "" || n > newRun && c.Codec != map[bool]string{true: "not compressed", false: "zlib"}[plain]) {
				t.Errorf("%+v", c)
			}
		}
	}
}

// A part is a run of a file that is made for a test.
type part struct {
	kind   uint32
	plain  []byte
	packed []byte
}

// assemble makes a file of runs in two tables, with the second half of the sectors first.
func assemble(parts []part, fork bool) []byte {
	var file []byte
	var tables [2][]byte
	var sums []byte
	half := (len(parts) + 1) / 2
	sector := 0
	for n, own := range [][]part{parts[:half], parts[half:]} {
		first := sector
		head := make([]byte, tableSize)
		copy(head, magicTable)
		sum := crc32.NewIEEE()
		for _, p := range own {
			e := make([]byte, runSize)
			binary.BigEndian.PutUint32(e, p.kind)
			binary.BigEndian.PutUint64(e[8:], uint64(sector-first))
			binary.BigEndian.PutUint64(e[16:], uint64(len(p.plain)/512))
			binary.BigEndian.PutUint64(e[24:], uint64(len(file)))
			binary.BigEndian.PutUint64(e[32:], uint64(len(p.packed)))
			tables[n] = append(tables[n], e...)
			file = append(file, p.packed...)
			sector += len(p.plain) / 512
			if p.kind != runIgnore {
				sum.Write(p.plain)
			}
		}
		binary.BigEndian.PutUint64(head[8:], uint64(first))
		binary.BigEndian.PutUint32(head[200:], uint32(len(own)+1))
		putSum(head[64:], sum.Sum32())
		sums = binary.BigEndian.AppendUint32(sums, sum.Sum32())
		end := make([]byte, runSize)
		binary.BigEndian.PutUint32(end, runEnd)
		tables[n] = bytes.Join([][]byte{head, tables[n], end}, nil)
	}
	at := len(file)
	b := make([]byte, trailerSize)
	copy(b, magicTrailer)
	place := b[216:]
	if fork {
		place = b[40:]
		data := make([]byte, 256)
		types := append(make([]byte, 28), 0, 0, 'b', 'l', 'k', 'x', 0, 1, 0, 10)
		names := ""
		for i, table := range tables {
			types = binary.BigEndian.AppendUint16(types, uint16(i))
			types = binary.BigEndian.AppendUint16(types, uint16(len(names)))
			types = binary.BigEndian.AppendUint32(types, uint32(len(data)-256))
			types = append(types, 0, 0, 0, 0)
			data = append(binary.BigEndian.AppendUint32(data, uint32(len(table))), table...)
			names += fmt.Sprintf("\x08part (%d)", i)
		}
		binary.BigEndian.PutUint16(types[24:], 28)
		binary.BigEndian.PutUint16(types[26:], uint16(len(types)))
		binary.BigEndian.PutUint32(data, 256)
		binary.BigEndian.PutUint32(data[4:], uint32(len(data)))
		file = append(append(append(file, data...), types...), names...)
	} else {
		file = append(file, "<?xml version=\"1.0\"?><plist><dict><key>resource-fork</key><dict><key>plst</key><array/><key>blkx</key><array>"...)
		for i, table := range tables {
			file = fmt.Appendf(file, "<dict><key>Name</key><string>part (%d)</string><key>Data</key>\n<data>\n\t%s\n</data></dict>",
				i, base64.StdEncoding.EncodeToString(table))
		}
		file = append(file, "</array><key>size</key><array><dict><key>Data</key><data>AAAA</data></dict></array></dict></dict></plist>"...)
	}
	binary.BigEndian.PutUint64(place, uint64(at))
	binary.BigEndian.PutUint64(place[8:], uint64(len(file)-at))
	putSum(b[352:], crc32.ChecksumIEEE(sums))
	return append(file, b...)
}

// zipped compresses with zlib, and xzipped with xz.
func zipped(b []byte) []byte {
	var out bytes.Buffer
	w := zlib.NewWriter(&out)
	w.Write(b)
	w.Close()
	return out.Bytes()
}

func xzipped(t testing.TB, b []byte) []byte {
	var out bytes.Buffer
	w, err := xz.NewWriter(&out)
	if err != nil {
		t.Fatal(err)
	}
	w.Write(b)
	w.Close()
	return out.Bytes()
}

// adc makes ADC data of literals and both kinds of copies, and what they become.
func adc() (packed, plain []byte) {
	packed = append(packed, 0x80+9)
	packed = append(packed, "0123456789"...)
	plain = append(plain, "0123456789"...)
	packed = append(packed, 7<<2, 3) // 10 bytes, from 4 before
	plain = append(plain, "6789678967"...)
	packed = append(packed, 0x40+63, 0, 0) // 67 bytes, of the one before
	plain = append(plain, strings.Repeat("7", 67)...)
	packed = append(packed, 0x40, 0, 86) // 4 bytes, from 87 before
	plain = append(plain, "0123"...)
	return packed, append(plain, make([]byte, 512-len(plain))...)
}

func parts(t testing.TB) []part {
	b := content(9 * 4096)
	packedADC, plainADC := adc()
	all := []part{
		{runZlib, b[:4096], zipped(b[:4096])},
		{runZero, make([]byte, 8192), nil},
		{runRaw, b[4096:8192], b[4096:8192]},
		{runIgnore, make([]byte, 4096), nil},
		{runADC, plainADC, packedADC},
		{runZlib, append(bytes.Clone(b[12288:14000]), make([]byte, 4096-1712)...), zipped(b[12288:14000])}, // shorter than its sectors
		{runLZMA, b[16384:20480], xzipped(t, b[16384:20480])},
		{runLZFSE, b[20480:24576], append(append([]byte("bvx-\x00\x10\x00\x00"), b[20480:24576]...), "bvx$"...)},
		{runRaw, append(bytes.Clone(b[:1000]), make([]byte, 24)...), b[:1000]},
	}
	cmd := exec.Command("bzip2")
	cmd.Stdin = bytes.NewReader(b[:4096])
	if packed, err := cmd.Output(); err == nil {
		all = append(all, part{runBzip2, b[:4096], packed})
	}
	return all
}

// Runs of every kind, in two partitions that a property list or a resource fork describes.
func TestRuns(t *testing.T) {
	all := parts(t)
	var want []byte
	for _, p := range all {
		want = append(want, p.plain...)
	}
	for _, fork := range []bool{false, true} {
		c := same(t, fmt.Sprint("fork ", fork), assemble(all, fork), want)
		if c != nil && (fmt.Sprint(c.Parts) != "[part (0) part (1)]" || !c.Blind || !strings.Contains(c.Codec, "ADC")) {
			t.Errorf("%+v", c)
		}
	}
}

func TestRefused(t *testing.T) {
	for name, test := range map[string]struct {
		change func(parts []part)
		want   string
	}{
		"beyond the end": {func(p []part) { p[0].packed = make([]byte, 1<<20); p[0].kind = runLZMA }, "block 0"},
		"another type":   {func(p []part) { p[0].kind = 0x80000001 }, "of type 80000001h"},
		"too large":      {func(p []part) { p[0].plain = make([]byte, maxRun+512) }, "too many to unpack at once"},
		"bomb":           {func(p []part) { p[0].packed = zipped(make([]byte, 1<<20)) }, "holds more than its sectors"},
		"ADC before it":  {func(p []part) { p[0].kind, p[0].packed = runADC, []byte{0x81, 1, 2, 0x40, 0, 9} }, "invalid ADC"},
		"damaged":        {func(p []part) { p[0].packed = bytes.Clone(p[0].packed); p[0].packed[len(p[0].packed)-1] ^= 1 }, "checksum"},
	} {
		all := parts(t)
		test.change(all)
		c, err := opened(t, assemble(all, false))
		if err == nil {
			_, err = c.ReadAt(make([]byte, 8192), 0)
		}
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, test := range map[string]struct {
		at   int // from the end
		want string
		v    uint64
	}{
		"list far away":  {trailerSize - 216, "a property list of", 1 << 62},
		"list of 2^63":   {trailerSize - 224, "a property list of", 1 << 63},
		"data far away":  {trailerSize - 24, "its data are said to begin", 1 << 63},
		"segments":       {trailerSize - 56, "in 2 segments", 2},
		"2^63 sectors":   {trailerSize - 492, "byte 492", 1 << 63},
		"no list at all": {trailerSize - 224, "a resource fork of 0 bytes", 0},
	} {
		b := made(t, content(4096), false)
		binary.BigEndian.PutUint64(b[len(b)-test.at:], test.v)
		if _, err := opened(t, b); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	two := assemble([]part{{runZero, make([]byte, 1024), nil}, {runZero, make([]byte, 512), nil}}, true)
	i := bytes.LastIndex(two, []byte(magicTable))
	binary.BigEndian.PutUint64(two[i+8:], 1)
	if _, err := opened(t, two); err == nil || !strings.Contains(err.Error(), "two runs have the sector 1") {
		t.Errorf("runs that overlap: %v", err)
	}
}

// A run that cannot be unpacked, or stands where nothing is, costs its own sectors.
func TestBadRun(t *testing.T) {
	b := content(3 * 4096)
	for name, change := range map[string]func(*part){
		"damaged":      func(p *part) { p.packed[len(p.packed)-1] ^= 1 },
		"no xz":        func(p *part) { p.kind, p.packed = runLZMA, make([]byte, 1<<20) },
		"another type": func(p *part) { p.kind = 0x80000001 },
		"too large":    func(p *part) { p.plain = make([]byte, maxRun+4096) },
	} {
		for bad := range 3 {
			parts := make([]part, 3)
			for i := range parts {
				plain := b[i*4096 : (i+1)*4096]
				parts[i] = part{runZlib, plain, zipped(plain)}
			}
			change(&parts[bad])
			c, err := opened(t, assemble(parts, false))
			if err != nil {
				t.Errorf("%s, run %d: %v", name, bad, err)
				continue
			}
			at := int64(0)
			for i, p := range parts {
				got := make([]byte, 4096)
				_, err := c.ReadAt(got, at)
				switch {
				case i == bad && !errors.Is(err, packed.ErrDamaged):
					t.Errorf("%s, run %d: %v", name, i, err)
				case i != bad && (err != nil || !bytes.Equal(got, p.plain)):
					t.Errorf("%s: run %d is not what it was: %v", name, i, err)
				}
				at += int64(len(p.plain))
			}
		}
	}
}

// What lists the tables cannot make more of them, or of their runs, than the file has room for.
func TestBounds(t *testing.T) {
	const refs = 1 << 16
	const data = 50 + 12*refs
	fork := make([]byte, data+4+4)
	binary.BigEndian.PutUint32(fork, 16)
	binary.BigEndian.PutUint16(fork[24:], 32)
	binary.BigEndian.PutUint16(fork[32:], 1) // two types, whose references are the same
	for i := range 2 {
		e := fork[34+8*i:]
		copy(e, "blkx")
		binary.BigEndian.PutUint16(e[4:], refs-1)
		binary.BigEndian.PutUint16(e[6:], 18)
	}
	binary.BigEndian.PutUint32(fork[data:], 4)
	for i := range refs {
		binary.BigEndian.PutUint32(fork[50+12*i+4:], data-16)
	}
	if _, err := parseFork(fork); err == nil || !strings.Contains(err.Error(), "tables of runs") {
		t.Errorf("%d tables: %v", 2*refs, err)
	}

	runs := table{data: make([]byte, tableSize+(maxRuns/2+1)*runSize)}
	copy(runs.data, magicTable)
	binary.BigEndian.PutUint32(runs.data[200:], maxRuns/2+1)
	var d file
	if err := d.addTable(&runs, 0); err != nil {
		t.Error(err)
	}
	if err := d.addTable(&runs, 0); err == nil || !strings.Contains(err.Error(), "runs") {
		t.Errorf("the same runs again: %v", err)
	}

	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := parseList([]byte("<plist>" + strings.Repeat("A<!---->", 20000) + "</plist>")); err != nil {
		t.Error(err)
	}
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 50<<20 {
		t.Errorf("text of 20000 parts took %d bytes", n)
	}
}

// A changed byte of what is stored as it is shows in the sum of its partition only.
func TestChanged(t *testing.T) {
	b := made(t, content(10*newRun), true)
	b[1000] ^= 1
	c, err := opened(t, b)
	if err != nil {
		t.Fatal(err)
	}
	if err := check(c); !errors.Is(err, packed.ErrDamaged) || !c.Blind || !strings.Contains(err.Error(), "whole disk") {
		t.Error(err)
	}
}

// What other programs made has the sums that it states.
func TestCorpus(t *testing.T) {
	want, err := os.ReadFile(corpus.Path(t, "formats", "made", "data.iso"))
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(corpus.Path(t, "formats", "made", "data-libdmg.dmg"))
	if err != nil {
		t.Fatal(err)
	}
	same(t, "libdmg", b, want)
	for _, name := range []string{"log2timeline__dfvfs/test_data/hfsplus_zlib.dmg", "indygreg__apple-platform-rs/apple-dmg/assets/example.dmg"} {
		b, err := os.ReadFile(corpus.Path(t, "formats", filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		c, err := opened(t, b)
		if err != nil || c.Sums == "" || len(c.Parts) < 2 {
			t.Errorf("%s: %+v, %v", name, c, err)
			continue
		}
		if err := check(c); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzOpen(f *testing.F) {
	f.Add(made(f, content(4096), false))
	f.Add(assemble(parts(f)[:5], true))
	f.Add(assemble(parts(f)[4:], false))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) < trailerSize {
			return
		}
		c, err := opened(t, b)
		if err != nil {
			return
		}
		p := make([]byte, 5000)
		for _, at := range []int64{0, c.Size / 2, c.Size - 100} {
			_, _ = c.ReadAt(p, max(0, at))
		}
	})
}

func FuzzADC(f *testing.F) {
	packed, _ := adc()
	f.Add(packed)
	f.Fuzz(func(_ *testing.T, b []byte) { _ = unpackADC(make([]byte, 3000), b) })
}
