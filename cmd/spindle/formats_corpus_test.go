package main

import (
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"spindle/internal/corpus"
)

// Each file of other programs opens, or is refused with a reason that is right.
func TestFormatsCorpus(t *testing.T) {
	raw := "perhaps the sectors of a CD"
	reasons := []struct{ in, want string }{ // the first that a path contains
		{"GameCube-240pSuite-1.19.gcz", "GameCube or Wii"}, {".rvz", "GameCube or Wii"}, {".diso", "a delta ISO"},
		{"example.dmg", "an image of a hard disk or USB stick with the partitions"}, // Apple's own file system
		{"fat-differential.vhd", `it holds only what differs from its parent: "fat-parent.vhd"`},
		{"ext2.vhd", ""}, {"track02.raw", "not a disc image"}, {"dirTbl", "not a disc image"}, {"pathTbl", "not a disc image"},
		{"DiscImageCreator/test/", raw}, {"discs/", raw}, {"gd-rom.gdi/track", raw}, {"cd-rom.cuebin/", raw}, {"dc.mdf", raw},
		{"demo.bin", "open the .cue"}, {"audio.cue", "track 2 follows track 2"}, {"cs.", "there is no file"},
	}
	root := filepath.Join(corpus.Path(t, "formats/MANIFEST.tsv"), "..")
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(d.Name(), "MANIFEST") {
			return err
		}
		_, got := infoOf(t, path)
		if got == nil {
			return nil
		}
		for _, r := range reasons {
			if strings.Contains(filepath.ToSlash(path), r.in) {
				if r.want == "" || !strings.Contains(got.Error(), r.want) {
					t.Errorf("%s: %v, want %q", path, got, r.want)
				}
				return nil
			}
		}
		t.Errorf("%s: %v", path, got)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
