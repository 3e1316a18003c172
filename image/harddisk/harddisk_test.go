package harddisk

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"

	"spindle/image/format"
	"spindle/internal/testdisc/testhfs"
)

// part is a partition to be put into a disk.
type part struct {
	kind    byte
	content []byte
}

const firstPart = 64 * sector

// mbr makes a disk with a master boot record.
func mbr(parts ...part) []byte {
	b := make([]byte, firstPart)
	b[510], b[511] = 0x55, 0xAA
	for i, p := range parts {
		e := b[446+16*i:]
		e[4] = p.kind
		binary.LittleEndian.PutUint32(e[8:], uint32(len(b)/sector))
		binary.LittleEndian.PutUint32(e[12:], uint32(len(p.content)/sector))
		b = append(b, p.content...)
	}
	return b
}

// gpt makes a disk with a GUID partition table.
func gpt(block int, parts ...part) []byte {
	le := binary.LittleEndian
	b := mbr(part{kind: protective, content: make([]byte, sector)})[:firstPart]
	h := b[block:]
	copy(h, "EFI PART")
	le.PutUint64(h[72:], 2)
	le.PutUint32(h[80:], 8)
	le.PutUint32(h[84:], 128)
	for i, p := range parts {
		first := len(b) / block
		b = append(b, p.content...)
		b = append(b, make([]byte, -len(b)&(block-1))...)
		e := b[2*block+128*i:]
		e[0] = p.kind
		le.PutUint64(e[32:], uint64(first))
		le.PutUint64(e[40:], uint64(len(b)/block-1))
	}
	return b
}

func ntfs() []byte { return append([]byte("\xEB\x52\x90NTFS    "), make([]byte, 8192-11)...) }

func probe(b []byte) *format.Probe {
	return &format.Probe{Name: "disk.img", Head: b[:min(len(b), format.HeadSize)], Size: int64(len(b)), R: bytes.NewReader(b)}
}

func TestDisks(t *testing.T) {
	mac := testhfs.Make(testhfs.Options{Name: "Mac", Plus: true, Files: []testhfs.File{{Path: "a", Data: []byte("a")}}})
	for name, c := range map[string]struct {
		disk  []byte
		parts []string
	}{
		"MBR":                 {mbr(part{7, ntfs()}, part{0xAF, mac}), []string{"1: NTFS", "2: HFS+"}},
		"GPT":                 {gpt(512, part{1, ntfs()}, part{2, mac}), []string{"1: NTFS", "2: HFS+"}},
		"GPT of large blocks": {gpt(4096, part{2, mac}), []string{"1: HFS+"}},
		"unknown":             {mbr(part{0xAF, mac}, part{0x6F, make([]byte, 4096)}), []string{"1: HFS+", "2: type 6Fh"}},
	} {
		t.Run(name, func(t *testing.T) {
			if !match(probe(c.disk)) {
				t.Fatal("it is not recognised")
			}
			got, err := open(t.Context(), &format.File{ReaderAt: bytes.NewReader(c.disk), Size: int64(len(c.disk))})
			if err != nil || !slices.Equal(got.Parts, c.parts) {
				t.Fatalf("%v, %v", got, err)
			}
			b := make([]byte, len(mac))
			if _, err := got.ReadAt(b, 0); err != nil || !bytes.Equal(b, mac) || got.Size < int64(len(mac)) {
				t.Errorf("its content is not that of the partition: %v", err)
			}
		})
	}
}

// A disk that ends within its partition opens as far as it goes.
func TestCut(t *testing.T) {
	mac := testhfs.Make(testhfs.Options{Name: "Mac", Plus: true, Files: []testhfs.File{{Path: "a", Data: []byte("a")}}})
	for name, disk := range map[string][]byte{
		"MBR": mbr(part{7, ntfs()}, part{0xAF, mac}), "GPT": gpt(512, part{2, mac}), "one behind": mbr(part{0xAF, mac}, part{7, ntfs()}),
	} {
		const gone = 10000
		b := disk[:len(disk)-gone]
		if !match(probe(b)) {
			t.Fatalf("%s: it is not recognised", name)
		}
		got, err := open(t.Context(), &format.File{ReaderAt: bytes.NewReader(b), Size: int64(len(b))})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		want := int64(len(mac))
		if name == "one behind" {
			want -= gone - int64(len(ntfs()))
		} else {
			want -= gone
		}
		if !got.Cut || got.Size != want {
			t.Errorf("%s: %d bytes, want %d, cut %t", name, got.Size, want, got.Cut)
		}
	}
}

// A disk without what a disc may hold is refused, with what is on it.
func TestRefused(t *testing.T) {
	b := mbr(part{7, ntfs()}, part{0x83, make([]byte, 4096)})
	_, err := open(t.Context(), &format.File{ReaderAt: bytes.NewReader(b), Size: int64(len(b))})
	if !errors.Is(err, format.ErrUnknown) || !strings.Contains(err.Error(), "with the partitions 1: NTFS, 2: type 83h;") {
		t.Error(err)
	}
}

// What only looks like a disk is none: boot sectors, images of discs that boot from a stick, nonsense.
func TestNoDisk(t *testing.T) {
	le := binary.LittleEndian
	hybrid := append(mbr(part{0x17, make([]byte, 64<<10)}), 0)
	copy(hybrid[32769:], "CD001")
	fat := mbr(part{6, make([]byte, 4096)})
	copy(fat[54:], "FAT16   ")
	beyond := mbr(part{6, make([]byte, 4096)})
	le.PutUint32(beyond[446+12:], 1<<31)
	twice := mbr(part{6, make([]byte, 4096)}, part{6, make([]byte, 4096)})
	le.PutUint32(twice[446+16+8:], firstPart/sector)
	huge := gpt(512, part{1, ntfs()})
	le.PutUint64(huge[1024+40:], 1<<63)
	fixed := append(mbr(part{6, make([]byte, 4096)}), append([]byte("conectix"), make([]byte, sector-8)...)...)
	for name, b := range map[string][]byte{"hybrid": hybrid, "FAT": fat, "beyond": beyond, "twice": twice, "huge": huge, "fixed": fixed} {
		if match(probe(b)) {
			t.Errorf("%s is taken for a disk", name)
		}
	}
}

// The chain of logical partitions is followed, and ends where it leads back.
func TestLogical(t *testing.T) {
	le := binary.LittleEndian
	inside := make([]byte, 40*sector)
	for i, at := range []int{0, 16 * sector} {
		e := inside[at:]
		e[510], e[511] = 0x55, 0xAA
		e[446+4] = 7
		le.PutUint32(e[446+8:], 1)
		le.PutUint32(e[446+12:], 8)
		le.PutUint32(e[446+16+8:], uint32(16*(1-i)))
	}
	b := mbr(part{5, inside})
	all := read(bytes.NewReader(b), int64(len(b)))
	if len(all) != 2 || all[1].start != firstPart+17*sector {
		t.Errorf("%+v", all)
	}
}

func FuzzOpen(f *testing.F) {
	f.Add(mbr(part{7, ntfs()}))
	f.Add(gpt(512, part{1, ntfs()}))
	f.Fuzz(func(t *testing.T, b []byte) {
		if !match(probe(append(b, make([]byte, 1024)...))) {
			return
		}
		for _, p := range read(bytes.NewReader(b), int64(len(b))) {
			if p.start < 0 || p.size < 0 || p.start+p.size > mostBytes { // of a file that was cut short, behind its end
				t.Fatalf("%+v of %d bytes", p, len(b))
			}
		}
	})
}
