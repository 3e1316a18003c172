package foreign

import (
	"bytes"
	"strings"
	"testing"

	"spindle/image/format"
)

// probe makes what a format gets to see of a file.
func probe(name, content string) *format.Probe {
	b := []byte(content)
	return &format.Probe{Name: name, Head: b[:min(len(b), format.HeadSize)], Size: int64(len(b)), R: bytes.NewReader(b)}
}

// Each format that the door does not open is known by its content, and what helps
// is said.
func TestRecognised(t *testing.T) {
	boot := strings.Repeat("\x00", 510) + "\x55\xAA" + strings.Repeat("\x00", 2000)
	for name, content := range map[string]string{
		"encrypted Apple disk image": "encrcdsa\x00", "Apple sparse image": "sprs\x00",
		"Apple partition map": "ER\x08\x00" + strings.Repeat("\x00", 508) + "PM" + strings.Repeat("\x00", 2000),
		"VMware hard disk":    "KDMV", "QEMU hard disk": "QFI\xFB",
		"VirtualBox hard disk": "<<< Oracle VM VirtualBox Disk Image >>>", "GameCube image (CISO)": "CISO\x00\x00\x20\x00", "compressed ISO (JSO)": "JISO",
		"ECM file of ECM Tool Reloaded": "ECM\x03", "BlindWrite 4 image": "BLINDWRITE TOC FILE",
		"Aaru image": "AARUFRMT", "delta ISO": "DISO\x00\x00",
		"GameCube image (GCZ)": "\x01\xC0\x0B\xB1", "GameCube image (RVZ)": "RVZ\x01", "Wii image (WIA)": "WIA\x01", "Wii disk (WBFS)": "WBFS",
		"NKit image":        strings.Repeat("\x00", 28) + "\xC2\x33\x9F\x3D" + strings.Repeat("\x00", 480) + "NKIT" + strings.Repeat("\x00", 2048-516),
		"Xbox image (XISO)": strings.Repeat("\x00", 65536) + "MICROSOFT*XBOX*MEDIA" + strings.Repeat("\x00", 2028),
		"PSP package":       "\x00PBP", "Windows image": "MSWIM\x00\x00\x00", "EnCase image": "EVF\x09\x0D\x0A\xFF\x00",
		"Norton Ghost image": "\xFE\xEF\x01", "7-Zip archive": "7z\xBC\xAF\x27\x1C", "ZIP archive": "PK\x03\x04", "RAR archive": "Rar!\x1A",
		"tar archive": strings.Repeat("n", 257) + "ustar\x0000", "web page": "<!DOCTYPE html><title>404", "hard-disk image": boot,
	} {
		f, ok := format.Find(probe("x.iso", content))
		if !ok || f.Name != name {
			t.Errorf("%s is taken for %q", name, f.Name)
		}
		if f.Refusal == "" || f.Open != nil {
			t.Errorf("%s: refusal %q", name, f.Refusal)
		}
	}
	if f, ok := format.Find(probe("Track.BIN", strings.Repeat("x", 2352*3))); !ok || f.Name != "raw sectors" {
		t.Errorf("raw sectors are taken for %q", f.Name)
	}
	if f, ok := format.Find(probe("x.IBP", "anything")); !ok || f.Name != "IsoBuster image" {
		t.Errorf("an image of IsoBuster is taken for %q", f.Name)
	}
	if f, ok := format.Find(probe("x.iso", "some text")); ok {
		t.Errorf("text is taken for %q", f.Name)
	}
}
