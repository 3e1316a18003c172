// Package foreign recognises files that spindle does not open, so that they are
// refused by their name, with what helps: disc images of other programs, images
// of hard disks, archives. A format that comes to be opened leaves this list for
// a package of its own.
package foreign

import (
	"bytes"
	"strings"

	"spindle/image/format"
)

func init() {
	for _, k := range kinds() {
		format.Register(format.Format{
			Name: k.name, Suffixes: k.suffixes, Refusal: k.refusal,
			Match: func(p *format.Probe) format.Score {
				if k.match(p) {
					return k.score
				}
				return format.No
			},
		})
	}
}

// A kind is one kind of file.
type kind struct {
	name     string
	suffixes []string
	score    format.Score
	match    func(*format.Probe) bool
	refusal  string
}

// starts matches files that begin with one of some signatures.
func starts(with ...string) func(*format.Probe) bool {
	return func(p *format.Probe) bool {
		for _, s := range with {
			if bytes.HasPrefix(p.Head, []byte(s)) {
				return true
			}
		}
		return false
	}
}

// raw is how hard-disk images of other programs are made plain.
const raw = `; "qemu-img convert" makes a plain one of it`

// dolphin is how compressed images of Nintendo's consoles are made plain.
const dolphin = `; "dolphin-tool convert -f iso" makes a plain one of it`

// kinds lists what is recognised. Signatures are the formats' own; where they were
// never published, those that libmirage (cdemu) and Aaru have established.
func kinds() []kind {
	const unpack = "; unpack it first"
	return []kind{
		{"encrypted Apple disk image", []string{".dmg"}, format.Sure, isEncrypted,
			`an encrypted Apple disk image (.dmg); "hdiutil convert" on a Mac, which asks for its password, makes a plain one of it`},
		{"Apple sparse image", []string{".sparseimage"}, format.Sure, starts("sprs"),
			`an Apple sparse image (.sparseimage); "hdiutil convert -format UDZO" on a Mac makes a .dmg of it`},
		{"Apple partition map", []string{".toast"}, format.Guess, isApple,
			"a disk of an Apple system without a volume of HFS, ISO 9660 or UDF"},
		{"VMware hard disk", []string{".vmdk"}, format.Sure, starts("KDMV", "# Disk DescriptorFile"), "a VMware hard disk (.vmdk)" + raw},
		{"QEMU hard disk", []string{".qcow2"}, format.Sure, starts("QFI\xFB"), "a QEMU hard disk (.qcow2)" + raw},
		{"VirtualBox hard disk", []string{".vdi"}, format.Sure, starts("<<< "), "a VirtualBox hard disk (.vdi)" + raw},
		{"GameCube image (CISO)", []string{".ciso"}, format.Sure, starts("CISO\x00\x00\x20\x00"),
			`a compact image of a GameCube or Wii disc (.ciso), whose file system spindle does not know; "dolphin-tool convert -f iso" expands it`},
		{"compressed ISO (JSO)", []string{".jso"}, format.Sure, starts("JISO"), "a compressed ISO of JISO (.jso), of which no description is public; JISO expands it"},
		{"ECM file of ECM Tool Reloaded", []string{".ecm"}, format.Sure, starts("ECM\x02", "ECM\x03"),
			"an ECM file of ECM Tool Reloaded, whose layout changes from version to version; that program decodes it"},
		{"BlindWrite 4 image", []string{".bwt"}, format.Sure, starts("BLINDWRITE TOC FILE"), "a descriptor of BlindWrite 4 (.bwt), of which nobody is sure how it counts pregaps; BlindWrite saves it as .cue"},
		{"IsoBuster image", []string{".ibp", ".ibq"}, format.Guess, named(".ibp", ".ibq"),
			"a managed image of IsoBuster (.ibp, .ibq), whose format is not public; IsoBuster saves it as .iso or .bin"},
		{"VirtualDrive image", []string{".pxi", ".vc4"}, format.Guess, named(".pxi", ".vc4"),
			"an image of VirtualDrive or Virtual CD (.pxi, .vc4), whose format is not public; mount it there, and rip that drive"},
		{"Aaru image", []string{".aaruf", ".aif", ".dicf"}, format.Sure, starts("AARUFRMT", "DICMFRMT"),
			`an Aaru image (.aaruf, .dicf); "aaru image convert" makes a .cue or an .iso of it`},
		{"delta ISO", []string{".diso"}, format.Sure, starts("DISO\x00\x00"),
			`a delta ISO, which makes an image only of another one; "applydeltaiso" does`},
		{"GameCube image (GCZ)", []string{".gcz"}, format.Sure, starts("\x01\xC0\x0B\xB1"), "a compressed image of a GameCube or Wii disc (.gcz)" + dolphin},
		{"GameCube image (RVZ)", []string{".rvz"}, format.Sure, starts("RVZ\x01"), "a compressed image of a GameCube or Wii disc (.rvz)" + dolphin},
		{"Wii image (WIA)", []string{".wia"}, format.Sure, starts("WIA\x01"), "a compressed image of a Wii disc (.wia)" + dolphin},
		{"Wii disk (WBFS)", []string{".wbfs"}, format.Sure, starts("WBFS"), `a disk or file of Wii discs (.wbfs), from which parts are left out; "wit copy" makes an .iso of it`},
		{"NKit image", []string{".nkit"}, format.Sure, isNKit,
			`an NKit image of a GameCube or Wii disc, which lacks what can be computed, though it may be named .iso; NKit's "RecoverToISO" makes the whole one`},
		{"Xbox image (XISO)", []string{".xiso"}, format.Sure, isXISO,
			`the game partition of an Xbox disc (XISO), whose file system spindle does not know; "extract-xiso -x" extracts its files`},
		{"PSP package", []string{".pbp"}, format.Sure, starts("\x00PBP"),
			`a package for the PSP (.pbp), perhaps with a PlayStation disc in it; "psxpackager" makes a .bin and .cue of that`},
		{"Norton Ghost image", []string{".gho"}, format.Likely, starts("\xFE\xEF"),
			"a Norton Ghost image (.gho), which is one of a hard disk; Ghost Explorer opens it"},
		{"Windows image", []string{".wim"}, format.Sure, starts("MSWIM\x00\x00\x00"), `an archive of files for Windows (.wim); "wimlib-imagex apply" extracts it`},
		{"EnCase image", []string{".e01"}, format.Sure, starts("EVF\x09\x0D\x0A\xFF\x00", "EVF2\x0D\x0A\x81\x00"),
			`an EnCase image (.e01), as investigators make them; "ewfexport" makes a plain one of it`},
		{"7-Zip archive", []string{".7z"}, format.Sure, starts("7z\xBC\xAF\x27\x1C"), "a 7-Zip archive" + unpack},
		{"ZIP archive", []string{".zip"}, format.Sure, starts("PK\x03\x04"), "a ZIP archive" + unpack},
		{"RAR archive", []string{".rar"}, format.Sure, starts("Rar!"), "a RAR archive" + unpack},
		{"tar archive", []string{".tar"}, format.Likely, isTar, "a tar archive" + unpack},
		{"web page", []string{".html"}, format.Sure, isHTML, "a web page: the download went wrong"},
		{"raw sectors", []string{".bin", ".img", ".mdf"}, format.Guess, isRaw,
			"perhaps the sectors of a CD: open the .cue, .toc or .ccd file that belongs to it"},
		{"hard-disk image", []string{".img", ".raw"}, format.Guess, isHardDisk,
			`an image of a hard disk or USB stick, not of a disc; "dd" writes it to a stick`},
		{"Apple disk image", nil, format.Guess, named(".dmg"), "an Apple disk image (.dmg) whose end, which says where what is, is missing; was it cut short?"},
	}
}

// isApple knows a partition map of Apple. One that leads to a volume is opened.
func isApple(p *format.Probe) bool {
	entry := func(at int) bool { return len(p.Head) >= at+2 && string(p.Head[at:at+2]) == "PM" }
	return p.HasMagic("ER") && (entry(512) || entry(2048))
}

// isEncrypted knows both versions of encrypted Apple disk images.
func isEncrypted(p *format.Probe) bool {
	return p.HasMagic("encrcdsa") || bytes.Equal(p.Tail(8), []byte("cdsaencr"))
}

func isTar(p *format.Probe) bool { return len(p.Head) > 262 && string(p.Head[257:262]) == "ustar" }

func isHTML(p *format.Probe) bool {
	head := bytes.ToLower(bytes.TrimSpace(p.Head[:min(len(p.Head), 512)]))
	return bytes.HasPrefix(head, []byte("<!doctype html")) || bytes.HasPrefix(head, []byte("<html"))
}

// isRaw goes by the name and the size: sectors of audio have no mark.
func isRaw(p *format.Probe) bool {
	name := strings.ToLower(p.Name)
	known := strings.HasSuffix(name, ".bin") || strings.HasSuffix(name, ".img") || strings.HasSuffix(name, ".mdf")
	return known && p.Size > 0 && (p.Size%2352 == 0 || p.Size%2448 == 0)
}

// isHardDisk knows a boot record, of a disk or of a FAT file system.
func isHardDisk(p *format.Probe) bool {
	return len(p.Head) >= 512 && p.Head[510] == 0x55 && p.Head[511] == 0xAA
}
