package image_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"spindle/image"
	"spindle/image/format"
	"spindle/image/imagetest"
	"spindle/internal/mutants"
	"spindle/internal/testdisc"
	"spindle/internal/testdisc/testscram"
)

// Damaged files of each format: none crashes or hangs; what opens keeps the contract of an image; and where a format has sums of what it holds, and these are right, so is what it gives.
// With SPINDLE_CAMPAIGN=all there are 1000 a format.
func TestMutants(t *testing.T) {
	for name, m := range map[string]struct {
		source, out string
		options     image.CreateOptions
		sums        bool // whatever is wrong with the content is found
	}{
		"cue": {"mixed", "x.cue", image.CreateOptions{}, false}, "cue, split": {"cdextra", "x.cue", image.CreateOptions{Split: true}, false},
		"iso": {"iso", "x.iso", image.CreateOptions{}, false}, "iso, raw": {"iso", "x.iso", image.CreateOptions{SectorSize: 2352}, false},
		"nrg": {"mixed", "x.nrg", image.CreateOptions{}, false}, "nrg, iso": {"iso", "x.nrg", image.CreateOptions{}, false},
		"toc": {"cdextra", "x.toc", image.CreateOptions{Lossy: true}, false}, "ccd": {"twosession", "x.ccd", image.CreateOptions{}, false},
		"mds": {"twosession", "x.mds", image.CreateOptions{Lossy: true}, false}, "mds, dvd": {"iso", "x.mds", image.CreateOptions{Lossy: true}, false},
		"chd":        {"mixed", "x.chd", image.CreateOptions{Lossy: true, Codecs: []string{"zlib", "flac"}}, true},
		"chd, lzma":  {"demo", "x.chd", image.CreateOptions{Lossy: true, Codecs: []string{"lzma"}}, true},
		"chd, zstd":  {"demo", "x.chd", image.CreateOptions{Lossy: true, Codecs: []string{"zstd", "flac"}}, true},
		"chd, dvd":   {"iso", "x.chd", image.CreateOptions{Lossy: true}, true},
		"chd, plain": {"demo", "x.chd", image.CreateOptions{Lossy: true, Codecs: []string{"none"}}, false},
		"cso":        {"iso", "x.cso", image.CreateOptions{}, false}, "zso": {"iso", "x.zso", image.CreateOptions{}, false},
		"ecm": {"data", "x.bin.ecm", image.CreateOptions{}, true}, "ecm, iso": {"iso", "x.iso.ecm", image.CreateOptions{}, true},
		"zst": {"iso", "x.iso.zst", image.CreateOptions{}, true}, "gz": {"iso", "x.iso.gz", image.CreateOptions{}, true},
		"vhd": {"iso", "x.vhd", image.CreateOptions{}, false}, "vhd, fixed": {"iso", "x.vhd", image.CreateOptions{Codecs: []string{"fixed"}}, false},
		"dmg": {"iso", "x.dmg", image.CreateOptions{}, true}, "dmg, plain": {"iso", "x.dmg", image.CreateOptions{Codecs: []string{"none"}}, true},
		"scram": {"mixed", "dump.scram", image.CreateOptions{}, false}, "scm": {"mixed", "dump.scm", image.CreateOptions{}, false},
		"hfs": {"hfs", "", image.CreateOptions{}, false}, "hfs+": {"hfsplus", "", image.CreateOptions{}, false},
		"apple map": {"hfsmap", "", image.CreateOptions{}, false}, "hard disk": {"hfsdisk", "", image.CreateOptions{}, false},
		"gdi": {"gdi", "x.gdi", image.CreateOptions{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mutate(t, seedImage(t, m.source, m.out, m.options), m.sums)
		})
	}
	_, iso := readISO(t)
	seeds := foreignDiscs(t, iso)
	for name, files := range foreignISOs() {
		seeds[name] = files(iso)
	}
	for name, files := range seeds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path, err := files.Write(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			mutate(t, path, false)
		})
	}
}

// seedImage makes an image in a folder of its own.
func seedImage(t *testing.T, source, out string, o image.CreateOptions) string {
	t.Helper()
	from, dir := t.TempDir(), t.TempDir()
	path := filepath.Join(dir, out)
	if source == "gdi" {
		text := "3\n1 0 4 2352 a.bin 0\n2 50 0 2352 b.raw 0\n3 45000 4 2048 c.iso 0\n"
		for name, b := range map[string][]byte{"x.gdi": []byte(text), "a.bin": make([]byte, 50*2352), "b.raw": make([]byte, 40*2352), "c.iso": make([]byte, 60*2048)} {
			if err := os.WriteFile(filepath.Join(dir, name), b, 0o666); err != nil {
				t.Fatal(err)
			}
		}
		return path
	}
	if out == "" {
		from = dir
	}
	src, err := testdisc.Make(from, source)
	if err != nil {
		t.Fatal(err)
	}
	if out == "" {
		return src
	}
	img, err := image.Open(t.Context(), src)
	if err != nil {
		t.Fatal(err)
	}
	defer img.Close()
	if ext := filepath.Ext(out); ext == ".scram" || ext == ".scm" {
		path, err = (&testscram.Dump{Suffix: ext, Offset: 30}).Write(t.Context(), img, dir)
	} else {
		_, err = image.Create(t.Context(), path, img, o)
	}
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasSuffix(path, ".bin.ecm") { // it is opened by its sheet
		path = strings.TrimSuffix(path, ".bin.ecm") + ".cue"
	}
	return path
}

// mutate tries mutants of the files of an image, each in its turn.
func mutate(t *testing.T, path string, sums bool) {
	t.Helper()
	dir := filepath.Dir(path)
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	whole := make(map[string][]byte)
	for _, e := range entries {
		const most = 16 << 20
		if i, err := e.Info(); err != nil || i.Size() > most { // a dump with all of its lead-in
			continue
		}
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		whole[e.Name()] = b
	}
	want, err := try(t, path)
	if err != nil || want == nil || !want.proven && sums {
		t.Fatalf("the whole image: %+v, %v", want, err)
	}
	turns := turnsOf(whole)
	for n := range uint64(max(mutants.Count(), len(whole))) {
		name := turns[n%uint64(len(turns))]
		if err := os.WriteFile(filepath.Join(dir, name), mutants.Of(whole[name], n), 0o666); err != nil {
			t.Fatal(err)
		}
		got, err := try(t, path)
		switch {
		case err != nil:
			t.Errorf("mutant %d, of %s: %v", n, name, err)
		case sums && filepath.Ext(name) != ".cue" && got != nil && got.proven && !bytes.Equal(got.sum, want.sum):
			t.Errorf("mutant %d, of %s: its sums are right, and it holds something else", n, name)
		}
		if err := os.WriteFile(filepath.Join(dir, name), whole[name], 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// turnsOf lists files in the order in which they are mutated: each once, and then those more often that are short, as
// descriptors are, which have most of what can be misread.
func turnsOf(files map[string][]byte) []string {
	turns := slices.Sorted(maps.Keys(files))
	for _, name := range slices.Clone(turns) {
		more := 1
		if len(files[name]) < 1<<16 {
			more = 4
		}
		turns = append(turns, slices.Repeat([]string{name}, more)...)
	}
	return turns
}

// Also the few mutants of a usual run are of every file.
func TestEveryFileIsMutated(t *testing.T) {
	files := map[string][]byte{"x.ccd": nil, "x.img": make([]byte, 1<<17), "x.sub": make([]byte, 1<<17), "x.cue": nil}
	turns := turnsOf(files)
	seen := make(map[string]int)
	for i, name := range turns {
		if seen[name]++; i == len(files)-1 && len(seen) != len(files) {
			t.Errorf("the first %d mutants are of %v", i+1, turns[:i+1])
		}
	}
	if seen["x.ccd"] != 5 || seen["x.img"] != 2 {
		t.Errorf("%v", seen)
	}
}

// A content is what a mutant gives.
type content struct {
	sum    []byte // of the sectors
	proven bool   // no flaw, remark or wrong sum speaks against it
}

// try opens an image and reads it. It is nil where that is refused, or the reading fails. An error says
// that it breaks the contract.
func try(t *testing.T, path string) (*content, error) {
	const slow = 10 * time.Second // on a machine with much else to do
	begin := time.Now()
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	var layers []*format.Layer
	proven := true
	img, err := image.Open(ctx, path, func(r image.Remark) {
		if r.Kind == format.InLayer {
			layers = append(layers, r.Layer)
			return
		}
		proven = false
	})
	if took := time.Since(begin); took > slow {
		return nil, fmt.Errorf("opening took %v", took)
	}
	if err != nil {
		if errors.Is(err, context.DeadlineExceeded) {
			return nil, err
		}
		return nil, nil
	}
	defer img.Close()
	const most = 40_000 // sectors that are read at all
	sectors := 0
	for _, tr := range img.Layout().Tracks() {
		sectors += tr.Sectors()
	}
	if err := img.Layout().Validate(); err != nil || sectors > most {
		return nil, err
	}
	sum, err := imagetest.Sum(ctx, img)
	if err != nil {
		return nil, nil
	}
	if err := imagetest.Check(ctx, img); err != nil {
		return nil, err
	}
	checked := false
	for _, l := range layers {
		if l.Check != nil {
			checked = true
			proven = l.Check(ctx, func(int64, int64) {}) == nil && proven
		}
		checked = checked || l.Name == "gzip" || l.Name == "zstd"
	}
	return &content{sum, proven && checked && len(img.Flaws()) == 0}, nil
}
