package check

import (
	"os"
	"path/filepath"
	"testing"
)

func TestNamedBeside(t *testing.T) {
	const md5 = "d41d8cd98f00b204e9800998ecf8427e"
	for _, test := range []struct {
		name, text string
		want       bool
	}{
		{"MD5SUMS", md5 + "  a.flac\n", true},
		{"MD5SUMS", md5 + "  b.flac\n", false},
		{"mine.md5", md5 + " *disc/a.flac\n", true},
		{"mine.md5", md5 + "\n", false},
		{"mine.sfv", "; of mine\na.flac 00000000\n", true},
		{"a.md5", md5 + "\n", true},
		{"a.flac.md5", md5 + "  was.flac\n", true},
		{"mine.txt", md5 + "  a.flac\n", false},
		{"mine.md5", "nothing of it\n", false},
	} {
		list := filepath.Join(t.TempDir(), test.name)
		if err := os.WriteFile(list, []byte(test.text), 0o666); err != nil {
			t.Fatal(err)
		}
		if got := NamedBeside(filepath.Join(filepath.Dir(list), "a.flac")); (got == list) != test.want || (got == "") == test.want {
			t.Errorf("%s, %q: %q", test.name, test.text, got)
		}
	}
}
