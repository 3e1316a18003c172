package image

import (
	"bytes"
	"encoding/binary"
	"io"
)

// A signature is how files of a kind start.
type signature struct {
	start string
	what  string
}

// signatures are those of formats that spindle does not open, with what helps.
func signatures() []signature {
	const unpack = "; unpack it first"
	return []signature{
		{"\x00\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x00", "raw CD sectors; open the .cue file that belongs to it"},
		{"RIFF", "a WAVE file; name it in a .cue to make a disc of it"},
		{"MComprHD", "a CHD; \"chdman extractcd\" makes a .cue and .bin of it"},
		{"MEDIA DESCRIPTOR", "an Alcohol 120% descriptor (.mds)"},
		{"[CloneCD]", "a CloneCD descriptor (.ccd); \"ccd2iso\" makes an ISO of its .img"},
		{"CISO", "a compressed ISO (.cso); \"ciso 0\" expands it"},
		{"ZISO", "a compressed ISO (.zso); \"ziso\" expands it"},
		{"ECM\x00", "an ECM file; \"ecm-uncompress\" expands it"},
		{"IsZ!", "an UltraISO compressed image (.isz)"},
		{"DAA\x00", "a PowerISO image (.daa); PowerISO's own \"poweriso\" converts it"},
		{"\xFE\xEF", "a Norton Ghost image (.gho), which is one of a hard disk"},
		{"conectix", "a Virtual PC hard disk (.vhd); \"qemu-img convert\" makes a raw one of it"},
		{"KDMV", "a VMware hard disk (.vmdk); \"qemu-img convert\" makes a raw one of it"},
		{"QFI\xFB", "a QEMU hard disk (.qcow2); \"qemu-img convert\" makes a raw one of it"},
		{"<<< ", "a VirtualBox hard disk (.vdi); \"qemu-img convert\" makes a raw one of it"},
		{"\x1F\x8B", "compressed with gzip" + unpack},
		{"\xFD7zXZ\x00", "compressed with xz" + unpack},
		{"\x28\xB5\x2F\xFD", "compressed with zstd" + unpack},
		{"BZh", "compressed with bzip2" + unpack},
		{"7z\xBC\xAF\x27\x1C", "a 7-Zip archive" + unpack},
		{"PK\x03\x04", "a ZIP archive" + unpack},
		{"Rar!", "a RAR archive" + unpack},
		{"<!DOCTYPE", "a web page: the download went wrong"},
		{"<html", "a web page: the download went wrong"},
	}
}

// guess says what a file that cannot be opened seems to be, or nothing.
func guess(head []byte, r io.ReaderAt, size int64) string {
	if size == 0 {
		return ": it is empty"
	}
	for _, s := range signatures() {
		if bytes.HasPrefix(head, []byte(s.start)) {
			return ": it is " + s.what
		}
	}
	if what := guessByEnd(r, size); what != "" {
		return ": it is " + what
	}
	switch {
	case isTOC(head):
		return ": it is a TOC file of cdrdao; \"toc2cue\" makes a .cue of it"
	case len(head) >= 512 && head[510] == 0x55 && head[511] == 0xAA:
		return ": it is an image of a hard disk or USB stick, not of a disc; \"dd\" writes it to a stick"
	}
	return ""
}

// guessByEnd knows the formats that stand at the end of a file.
func guessByEnd(r io.ReaderAt, size int64) string {
	const trailer = 512
	b := make([]byte, trailer)
	if size < trailer {
		return ""
	}
	if _, err := r.ReadAt(b, size-trailer); err != nil {
		return ""
	}
	switch {
	case bytes.HasPrefix(b, []byte("koly")):
		return "an Apple disk image (.dmg); \"dmg2img\" expands it"
	case bytes.HasPrefix(b, []byte("conectix")):
		return "a Virtual PC hard disk (.vhd); \"qemu-img convert\" makes a raw one of it"
	}
	// DiscJuggler ends with its version and the place of its descriptor.
	if v := binary.LittleEndian.Uint32(b[trailer-8:]); v >= 0x80000004 && v <= 0x80000006 {
		return "a DiscJuggler image (.cdi); \"cdirip\" converts it"
	}
	return ""
}

// isTOC recognises the descriptors of cdrdao by their first word that is not a
// comment.
func isTOC(head []byte) bool {
	for line := range bytes.Lines(head) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 || bytes.HasPrefix(line, []byte("//")) {
			continue
		}
		for _, word := range []string{"CD_DA", "CD_ROM_XA", "CD_ROM", "CD_I", "CATALOG \"", "TRACK "} {
			if bytes.HasPrefix(line, []byte(word)) {
				return true
			}
		}
		return false
	}
	return false
}
