package image_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"spindle/disc"
	"spindle/image"
	"spindle/image/imagetest"
	"spindle/internal/testdisc"
)

// Maps beside an image, of 315 sectors of 2048 bytes.
func TestMaps(t *testing.T) {
	const ddrescue = "# Mapfile. Created by GNU ddrescue version 1.27\n# current_pos  current_status  current_pass\n"
	const own = "# Mapfile. Created by spindle. It has the format of GNU ddrescue's.\n"
	for name, test := range map[string]struct {
		file, text string
		want       disc.Flaws
		err        string
	}{
		"finished":         {"iso.iso.map", ddrescue + "0 + 1\n0 0x9D800 +\n", nil, ""},
		"parts of sectors": {"iso.map", ddrescue + "0 + 1\n0 0x801 +\n0x801 0x800 -\n0x1001 0x9C7FF +\n", disc.Flaws{{First: 1, Count: 2, Kind: disc.Unread}}, ""},
		"every state": {"iso.mapfile", ddrescue + "0 + 1\n0 0x800 ?\n0x800 0x800 *\n0x1000 0x800 /\n0x1800 0x800 -\n0x2000 0x9B800 +\n",
			disc.Flaws{{First: 0, Count: 4, Kind: disc.Unread}}, ""},
		"read with errors": {"iso.iso.map", own + "# spindle-read-with-errors: 0x800 0x800\n0 + 1\n0 0x800 -\n0x800 0x800 -\n0x1000 0x9C800 +\n",
			disc.Flaws{{First: 0, Count: 1, Kind: disc.Unread}, {First: 1, Count: 1, Kind: disc.ReadWithErrors}}, ""},
		"whole sectors":   {"iso.map", own + "0 + 1\n0 740880 -\n", disc.Flaws{{First: 0, Count: 315, Kind: disc.Unread}}, ""},
		"old log":         {"iso.log", "# Rescue Logfile. Created by GNU ddrescue version 1.17\n0 +\n0 0x9D800 -\n", disc.Flaws{{First: 0, Count: 315, Kind: disc.Unread}}, ""},
		"another log":     {"iso.log", "Exact Audio Copy\n", nil, ""},
		"cut":             {"iso.map", ddrescue + "0 + 1\n0 0x9D80", nil, "line 4"},
		"cut between":     {"iso.map", ddrescue + "0 + 1\n0 0x800 +\n", nil, "2048 bytes"},
		"beyond the end":  {"iso.map", ddrescue + "0 + 1\n0 0x9D800 +\n0x9D800 0x800 -\n", nil, "of a copy of 647168 bytes"},
		"flaws outside":   {"iso.map", own + "# spindle-read-with-errors: 0x9D800 0x800\n0 + 1\n0 0x9D800 -\n", nil, "line 2"},
		"flaws of no bad": {"iso.map", own + "# spindle-read-with-errors: 0x800 0x800\n0 + 1\n0 0x9D800 +\n", nil, "line 2"},
		"empty":           {"iso.iso.map", "", nil, "no status line"},
		"no map":          {"iso.map", "hello\n", nil, "line 1"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path, err := testdisc.Make(dir, "iso")
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(dir+"/"+test.file, []byte(test.text), 0o666); err != nil {
				t.Fatal(err)
			}
			img, err := image.Open(path)
			if test.err != "" {
				if !errors.Is(err, image.ErrMap) || !strings.Contains(err.Error(), test.file) || !strings.Contains(err.Error(), test.err) {
					t.Errorf("%v, want %q", err, test.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := img.Flaws(); len(got) != len(test.want) {
				t.Errorf("%v, want %v", got, test.want)
			} else {
				for i := range got {
					if got[i] != test.want[i] {
						t.Errorf("%v, want %v", got, test.want)
					}
				}
			}
			defer img.Close()
			imagetest.Test(t, img)
		})
	}
}
