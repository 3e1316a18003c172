// Package iso reads the volumes and file systems of data discs: ISO 9660 (ECMA-119)
// with Joliet and Rock Ridge, UDF (ECMA-167), HFS and HFS Plus (by package hfs), El Torito boot
// records, and the partition tables of hybrid images. It reads from an [io.ReaderAt] and knows neither
// image files nor drives.
package iso

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"

	"spindle/hfs"
)

// BlockSize is the number of bytes in a logical sector of a data disc.
const BlockSize = 2048

// FirstDescriptor is the first block of the volume recognition sequence, after the
// 32 KiB of the system area (ECMA-119 6.2.1, ECMA-167 2/8.3).
const FirstDescriptor = 16

// maxDescriptors bounds the walk over volume descriptors; real discs have a
// handful.
const maxDescriptors = 64

// ErrNoVolume is returned for data without any volume descriptor.
var ErrNoVolume = errors.New("no ISO 9660, UDF or HFS file system")

// A Volume is what the descriptors of a data disc say about it.
type Volume struct {
	Label       string // of ISO 9660, or of UDF or HFS where there is no other
	System      string
	Publisher   string
	Application string

	ISO9660   bool
	Joliet    bool
	RockRidge bool
	// ISOBlocks is the size of the ISO 9660 volume in blocks of 2048 bytes.
	ISOBlocks int64

	UDF string // version of UDF, such as "1.02", or empty
	// UDFBlocks is where the UDF structures end, in blocks: the partition,
	// the descriptor sequences and the last anchor found.
	UDFBlocks int64

	HFS string // "HFS", "HFS+", "HFSX", or empty
	// HFSBlocks is where the HFS volume ends, in blocks, if that is not known of another
	// file system: of a disc that has several, HFS may have a part, or be larger than the others.
	HFSBlocks int64
	// Partitions are those of an Apple partition map.
	Partitions []string

	Boot   []BootEntry // El Torito
	Hybrid Hybrid      // isohybrid: how it boots from a disk
}

// Blocks returns the size of the volume: that of the largest of its file systems.
func (v *Volume) Blocks() int64 { return max(v.ISOBlocks, v.UDFBlocks, v.HFSBlocks) }

// FileSystems lists the file systems by name.
func (v *Volume) FileSystems() []string {
	var names []string
	if v.ISO9660 {
		names = append(names, "ISO 9660")
	}
	if v.Joliet {
		names = append(names, "Joliet")
	}
	if v.RockRidge {
		names = append(names, "Rock Ridge")
	}
	if v.UDF != "" {
		names = append(names, "UDF "+v.UDF)
	}
	if v.HFS != "" {
		names = append(names, v.HFS)
	}
	return names
}

// BootEntry is a bootable entry of the El Torito catalogue.
type BootEntry struct {
	Platform Platform
	Block    uint32 // where the boot image starts
	Sectors  uint16 // of 512 bytes to load
}

// Platform is who can boot an entry (El Torito 1.0 section 2.1, UEFI 13.3.2.1).
type Platform uint8

// The platforms.
const (
	BIOS    Platform = 0x00
	PowerPC Platform = 0x01
	Mac     Platform = 0x02
	UEFI    Platform = 0xEF
)

func (p Platform) String() string {
	switch p {
	case BIOS:
		return "BIOS"
	case PowerPC:
		return "PowerPC"
	case Mac:
		return "Mac"
	case UEFI:
		return "UEFI"
	}
	return fmt.Sprintf("platform %#02x", uint8(p))
}

// Hybrid says which partition tables the system area holds, that make the image
// boot from a USB stick too.
type Hybrid struct {
	MBR, GPT bool
}

// ReadVolume reads the descriptors from r, whose byte 0 is the first byte of
// the disc (of block 0). blocks is how many there are, or 0 when that is not
// known; it only widens the search for UDF anchors. It returns [ErrNoVolume]
// when there is nothing, and any error that reading the descriptors met.
func ReadVolume(r io.ReaderAt, blocks int64) (*Volume, error) {
	return ReadSession(r, 0, blocks)
}

// ReadSession is ReadVolume for a session that starts at a block: all its addresses
// count from the start of the disc, which is byte 0 of r.
func ReadSession(r io.ReaderAt, start, blocks int64) (*Volume, error) {
	v := new(Volume)
	nsr, err := v.readSequence(r, start)
	if err != nil {
		return nil, err
	}
	if nsr {
		v.readUDF(r, blocks)
	}
	v.readSystemArea(r, start)
	if !v.ISO9660 && v.UDF == "" && v.HFS == "" {
		return nil, ErrNoVolume
	}
	return v, nil
}

func readBlock(r io.ReaderAt, n int64) ([]byte, error) {
	b := make([]byte, BlockSize)
	got, err := r.ReadAt(b, n*BlockSize)
	if got == BlockSize {
		return b, nil
	}
	if err == nil {
		err = io.ErrUnexpectedEOF
	}
	return nil, err
}

// readSequence walks the volume recognition sequence of the session at start, and
// reports whether it announces UDF.
func (v *Volume) readSequence(r io.ReaderAt, start int64) (nsr bool, err error) {
	inISO := true
	for n := start + FirstDescriptor; n < start+FirstDescriptor+maxDescriptors; n++ {
		b, err := readBlock(r, n)
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nsr, nil
		}
		if err != nil {
			return nsr, err
		}
		switch id := string(b[1:6]); {
		case id == isoID && b[0] == typeTerminator:
			inISO = false
		case id == isoID && inISO:
			v.readDescriptor(r, b, n)
		case id == "BEA01" || id == "BOOT2" || id == isoID:
		case id == "NSR02" || id == "NSR03":
			nsr = true
		default: // TEA01, or the end of the sequence
			return nsr, nil
		}
	}
	return nsr, nil
}

func (v *Volume) readDescriptor(r io.ReaderAt, b []byte, n int64) {
	switch b[0] {
	case typeBoot:
		if strings.HasPrefix(string(b[7:39]), "EL TORITO SPECIFICATION") {
			v.readBootCatalog(r, binary.LittleEndian.Uint32(b[71:]))
		}
	case typePrimary:
		if v.ISO9660 {
			return // later copies say the same
		}
		p := parsePrimary(b, n)
		v.ISO9660 = true
		v.System, v.Label, v.Publisher, v.Application = p.System, p.Label, p.Publisher, p.Application
		v.ISOBlocks = p.Blocks
		_, v.RockRidge = findRockRidge(r, p.Root.Block)
	case typeSupplementary:
		v.Joliet = v.Joliet || isJoliet(b)
	}
}

// readBootCatalog reads the entries of an El Torito catalogue (El Torito 1.0,
// section 2).
func (v *Volume) readBootCatalog(r io.ReaderAt, block uint32) {
	b, err := readBlock(r, int64(block))
	if err != nil || b[0] != 1 || b[30] != 0x55 || b[31] != 0xAA {
		return
	}
	platform := Platform(b[1])
	for at := 32; at+32 <= len(b); at += 32 {
		e := b[at : at+32]
		switch e[0] {
		case 0x88: // bootable
			v.Boot = append(v.Boot, BootEntry{
				Platform: platform,
				Sectors:  binary.LittleEndian.Uint16(e[6:]),
				Block:    binary.LittleEndian.Uint32(e[8:]),
			})
		case 0x90, 0x91: // header of a section of entries
			platform = Platform(e[1])
		case 0x44: // extension of the entry before
		default:
			if at > 32 {
				return
			}
		}
	}
}

func (v *Volume) readSystemArea(r io.ReaderAt, start int64) {
	b, err := readBlock(r, start)
	if err != nil {
		return
	}
	if b[510] == 0x55 && b[511] == 0xAA {
		for i := range 4 {
			if b[446+16*i+4] != 0 {
				v.Hybrid.MBR = true
			}
		}
	}
	v.Hybrid.GPT = bytes.Equal(b[512:520], []byte("EFI PART"))
	if start == 0 {
		v.readHFS(r, b)
	}
}

// readHFS looks whether there is a volume of HFS, where block 0 has the mark of one.
func (v *Volume) readHFS(r io.ReaderAt, b []byte) {
	if !hfs.Marked(b) {
		return
	}
	for _, p := range hfs.Partitions(r) {
		v.Partitions = append(v.Partitions, p.Type)
	}
	h, err := hfs.Open(r)
	if err != nil {
		return
	}
	v.HFS = h.Kind
	if !v.ISO9660 && v.UDF == "" {
		v.Label, v.HFSBlocks = h.Name, (h.Start+h.Size+BlockSize-1)/BlockSize
	}
}

// dString reads a padded d- or a-character field (ECMA-119 7.4). Bytes that do
// not belong on a terminal become question marks.
func dString(b []byte) string {
	out := []rune{}
	for _, c := range b {
		switch {
		case c == 0:
			c = ' '
		case c < ' ' || c >= 0x7F:
			c = '?'
		}
		out = append(out, rune(c))
	}
	return strings.TrimSpace(string(out))
}

// osta reads a compressed Unicode string (UDF 2.1.1) from the dstring field b,
// whose last byte is its length.
func osta(b []byte) string {
	n := int(b[len(b)-1])
	if n < 1 || n >= len(b) {
		return ""
	}
	return strings.TrimSpace(ostaChars(b[:n]))
}
