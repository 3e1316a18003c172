// Package harddisk looks into images of hard disks and USB sticks, plain or in containers: it lists their
// partitions (MBR, GPT), and opens the first that holds the file system of a disc.
package harddisk

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"spindle/image/format"
	"spindle/iso"
)

func init() {
	format.RegisterContainer(format.Container{Name: "hard disk", Match: match, Open: open})
}

// match knows a table of partitions. What begins as a disc does is one, also where it has such a
// table to boot from a USB stick; and of the container of a disk, the content is looked into.
func match(p *format.Probe) bool {
	const descriptor = iso.FirstDescriptor*iso.BlockSize + 1
	if len(p.Head) < 2*sector || p.Head[510] != 0x55 || p.Head[511] != 0xAA {
		return false
	}
	if len(p.Head) >= descriptor+5 {
		if id := string(p.Head[descriptor : descriptor+5]); id == "CD001" || id == "BEA01" {
			return false
		}
	}
	if bytes.Contains(p.Tail(sector), []byte("conectix")) {
		return false // a virtual hard disk of fixed size
	}
	all := read(p.R, p.Size)
	cut := func(x partition) bool { return x.start+x.size > p.Size }
	if !slices.ContainsFunc(all, cut) {
		return len(all) > 0
	}
	// The mark of a table is that of much else: one of a disk that was cut short has to lead to something.
	return slices.ContainsFunc(all, func(x partition) bool {
		_, isDisc := x.holds(p.R)
		return isDisc
	})
}

// open opens a disk.
func open(_ context.Context, f *format.File) (*format.Content, error) {
	all := read(f, f.Size)
	var names []string
	var found *partition
	for i := range all {
		p := &all[i]
		name, isDisc := p.holds(f)
		names = append(names, fmt.Sprintf("%d: %s", i+1, name))
		if isDisc && found == nil {
			found = p
		}
	}
	if found == nil {
		return nil, fmt.Errorf("%w: it is an image of a hard disk or USB stick with the partitions %s; \"dd\" writes it to a stick",
			format.ErrUnknown, strings.Join(names, ", "))
	}
	if left := f.Size - found.start; left < found.size {
		return &format.Content{ReaderAt: io.NewSectionReader(f, found.start, left), Size: left, Cut: true, Parts: names}, nil
	}
	// The volume of a Mac may end within a sector of a disc.
	size := (found.size + iso.BlockSize - 1) / iso.BlockSize * iso.BlockSize
	return &format.Content{
		ReaderAt: format.Padded(io.NewSectionReader(f, found.start, found.size), found.size), Size: size, Parts: names,
	}, nil
}

// mark is what a file system has at a place.
type mark struct {
	name string
	at   int64
	text string
}

// marks are those of file systems that no disc has.
func marks() []mark {
	return []mark{
		{"NTFS", 3, "NTFS    "}, {"exFAT", 3, "EXFAT   "}, {"BitLocker", 3, "-FVE-FS-"}, {"FAT", 54, "FAT1"}, {"FAT", 82, "FAT32"},
		{"APFS", 32, "NXSB"}, {"ext", 1080, "\x53\xEF"}, {"XFS", 0, "XFSB"}, {"Btrfs", 65600, "_BHRfS_M"}, {"swap", 4086, "SWAPSPACE2"},
		{"LUKS", 0, "LUKS\xBA\xBE"}, {"LVM", 512, "LABELONE"}, {"SquashFS", 0, "hsqs"},
	}
}

// holds says what a partition holds, and whether that is the file system of a disc.
func (p *partition) holds(r io.ReaderAt) (string, bool) {
	content := io.NewSectionReader(r, p.start, p.size)
	if v, err := iso.ReadVolume(content, p.size/iso.BlockSize); err == nil {
		return strings.Join(v.FileSystems(), " + "), true
	}
	for _, m := range marks() {
		b := make([]byte, len(m.text))
		if n, _ := content.ReadAt(b, m.at); n == len(b) && string(b) == m.text {
			return m.name, false
		}
	}
	return p.kind, false
}
