package image_test

import (
	"context"
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
			img, err := image.Open(context.Background(), path)
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

// Damage of an image of 2048-byte sectors shows in the whole sectors that are made of it,
// also where the map is lost on the way.
func TestFlawsInBuiltSectors(t *testing.T) {
	dir := t.TempDir()
	path, err := testdisc.Make(dir, "iso")
	if err != nil {
		t.Fatal(err)
	}
	text := "0 + 1\n0 0x3200 +\n0x3200 0x800 -\n0x3A00 0x99E00 +\n"
	if err := os.WriteFile(path+".map", []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, out := range []string{"a.cue", "b.nrg", "c.toc", "d.ccd"} {
		img, err := image.Open(context.Background(), path)
		if err != nil {
			t.Fatal(err)
		}
		out = dir + "/" + out
		res, err := image.Create(t.Context(), out, img, image.CreateOptions{})
		img.Close()
		if err != nil {
			t.Fatal(err)
		}
		if res.Damaged != 0 || res.Flaws.Sectors() != 2 {
			t.Errorf("%s: %d damaged, %d flaws", out, res.Damaged, res.Flaws.Sectors())
		}
		if wrong := looksRight(t, out, res.Flaws); len(wrong) > 0 {
			t.Errorf("%s: %v look right", out, wrong)
		}
		if strings.HasSuffix(out, ".nrg") {
			continue // has 2048 bytes a sector, and nothing but the map
		}
		if err := os.Remove(out + ".map"); err != nil {
			t.Error(err)
		}
		if wrong := looksRight(t, out, res.Flaws); len(wrong) > 0 {
			t.Errorf("%s without its map: %v look right", out, wrong)
		}
	}
}
