package check

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"
)

// Checksum files as other programs and systems write them.
func TestSumLines(t *testing.T) {
	const (
		md5    = "d41d8cd98f00b204e9800998ecf8427e"
		sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	)
	wide := func(text string) string {
		b := []byte{0xFF, 0xFE}
		for _, c := range utf16.Encode([]rune(text)) {
			b = append(b, byte(c), byte(c>>8))
		}
		return string(b)
	}
	for name, test := range map[string]struct {
		text string
		want string // the sum for disc.iso; empty: none
	}{
		"plain":             {md5 + "  disc.iso\n", md5},
		"no newline":        {md5 + "  disc.iso", md5},
		"BOM":               {"\xEF\xBB\xBF" + md5 + "  disc.iso\n", md5},
		"UTF-16":            {wide(md5 + "  disc.iso\r\n"), md5},
		"CRLF":              {sha256 + " *disc.iso\r\n", sha256},
		"CR only":           {md5 + "  other.iso\r" + sha256 + "  disc.iso\r", sha256},
		"tab":               {md5 + "\tdisc.iso\n", md5},
		"tab and star":      {md5 + "\t*disc.iso\n", md5},
		"capitals":          {strings.ToUpper(md5) + " disc.iso\n", md5},
		"capitals in BSD":   {"MD5 (disc.iso) = " + strings.ToUpper(md5) + "\n", md5},
		"small BSD":         {"md5(disc.iso)= " + md5 + "\n", md5},
		"openssl 3":         {"SHA2-256(disc.iso)= " + sha256 + "\n", sha256},
		"another algorithm": {"SHA3-256(disc.iso)= " + sha256 + "\n", ""},
		"and another":       {"BLAKE2s (disc.iso) = " + sha256 + "\n", ""},
		"wrong length":      {"SHA512 (disc.iso) = " + sha256 + "\n", ""},
		"escaped":           {`\` + md5 + `  C:\\images\\disc.iso` + "\n", md5},
		"Windows":           {md5 + ` *C:\images\disc.iso` + "\n", md5},
		"Unix":              {md5 + "  ../images/disc.iso\n", md5},
		"another case":      {md5 + "  DISC.ISO\n", md5},
		"the exact case":    {sha256 + "  DISC.ISO\n" + md5 + "  disc.iso\n", md5},
		"long line before":  {strings.Repeat("x", 1<<20) + "\n" + md5 + "  disc.iso\n", md5},
		"cut number":        {md5[:31] + "  disc.iso\n", ""},
		"sfv with CRLF":     {"; made by\r\ndisc.iso DEADBEEF\r\n", "deadbeef"},
	} {
		sums, err := parseSums(strings.NewReader(test.text))
		if err != nil && !errors.Is(err, ErrNoSums) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		own := sumsFor(sums.sums, "/x/disc.iso")
		switch {
		case test.want == "" && len(own) > 0:
			t.Errorf("%s: %+v", name, own)
		case test.want != "" && (len(own) != 1 || own[0].Hex != test.want):
			t.Errorf("%s: %+v", name, own)
		}
	}
	huge := strings.Repeat("#"+strings.Repeat("x", 1000)+"\n", 5000) + md5 + "  disc.iso\n"
	if _, err := parseSums(strings.NewReader(huge)); !errors.Is(err, ErrNoSums) || !strings.Contains(err.Error(), "large") {
		t.Errorf("a file that is too large: %v", err)
	}
}

// Checksum files are found in any letter case, and for the name without its suffix.
func TestFindSums(t *testing.T) {
	for _, name := range []string{"Disc.iso.MD5", "disc.SHA512", "sha256sums", "SHA256SUMS.txt", "md5sums.txt", "disc.md5sum", "disc.iso.sha1sum"} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o666); err != nil {
			t.Fatal(err)
		}
		if got := findSums(filepath.Join(dir, "disc.iso")); len(got) != 1 || filepath.Base(got[0]) != name {
			t.Errorf("%s: found %q", name, got)
		}
	}
	t.Chdir(t.TempDir())
	if err := os.WriteFile("x.iso.md5", nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if got := findSums("x.iso"); len(got) != 1 || got[0] != "x.iso.md5" {
		t.Errorf("in this folder: %q", got)
	}
}

// A line that names a file and states no checksum is reported, whatever else is there.
func TestBrokenLines(t *testing.T) {
	const md5 = "d41d8cd98f00b204e9800998ecf8427e"
	for line, want := range map[string]bool{
		md5[:31] + "  disc.iso":           true,
		md5[:31] + " *disc.iso":           true,
		md5 + "x  sub/disc.iso":           true,
		"  disc.iso":                      true,
		"SHA256 (disc.iso) = " + md5[:20]: true,
		"# disc.iso":                      false,
		md5[:31] + "  otherdisc.iso":      false,
		md5 + "  disc.iso":                false,
	} {
		all, err := parseSums(strings.NewReader("; made by\r\n" + line + "\r\n" + md5 + "  other.iso\n"))
		if err != nil {
			t.Fatal(err)
		}
		got := all.mention("/x/disc.iso")
		if want != (len(got) == 1) || want && got[0] != 2 {
			t.Errorf("%q: lines %v", line, got)
		}
	}
}
