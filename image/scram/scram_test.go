package scram_test

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/image"
	"spindle/image/format"
	"spindle/image/imagetest"
	"spindle/internal/testdisc/testimage"
	"spindle/internal/testdisc/testscram"
)

func write(t testing.TB, d *testscram.Dump, img disc.Image, dir string) string {
	t.Helper()
	path, err := d.Write(t.Context(), img, dir)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// Dumps with every kind of offset are the disc that they were made of.
func TestDumps(t *testing.T) {
	for _, test := range []struct {
		disc string
		testscram.Dump
	}{
		{"mixed", testscram.Dump{Suffix: ".scram"}},
		{"mixed", testscram.Dump{Suffix: ".scram", Offset: 30}},
		{"mixed", testscram.Dump{Suffix: ".scram", Offset: -647}},
		{"mixed", testscram.Dump{Suffix: ".scram", Offset: 1200, NoTOC: true}},
		{"mixed", testscram.Dump{Suffix: ".scm"}},
		{"mixed", testscram.Dump{Suffix: ".scm", Offset: 12}},
		{"xa", testscram.Dump{Suffix: ".scram", Offset: -1, Full: true}},
		{"audio", testscram.Dump{Suffix: ".scram"}},
		{"audio", testscram.Dump{Suffix: ".scram", NoTOC: true}},
		{"hidden", testscram.Dump{Suffix: ".scram"}},
		{"twosession", testscram.Dump{Suffix: ".scram", Offset: 667, Full: true}},
		{"cdextra", testscram.Dump{Suffix: ".scram", Offset: -5, Full: true}},
	} {
		t.Run(fmt.Sprint(test.disc, test.Suffix, test.Offset), func(t *testing.T) {
			img := testimage.Open(t, test.disc)
			got, err := image.Open(t.Context(), write(t, &test.Dump, img, t.TempDir()))
			if err != nil {
				t.Fatal(err)
			}
			defer got.Close()
			if len(got.Flaws()) > 0 || got.Subchannels() == nil {
				t.Errorf("flaws %v, sub-channels %v", got.Flaws(), got.Subchannels() != nil)
			}
			same(t, got, img, func(disc.LBA) bool { return true })
			imagetest.Test(t, got)
		})
	}
}

// same compares the layouts of two images, and some of their sectors.
func same(t *testing.T, got, want disc.Image, compare func(disc.LBA) bool) {
	t.Helper()
	a, b := fmt.Sprintf("%+v", *got.Layout()), fmt.Sprintf("%+v", *want.Layout())
	if a != b {
		t.Errorf("the layout is %s, want %s", a, b)
	}
	p, q := make([]byte, cdsector.Size), make([]byte, cdsector.Size)
	for _, x := range want.Layout().Tracks() {
		for at := x.Begin(); at < x.End; at++ {
			if !compare(at) {
				continue
			}
			if err := got.ReadSectors(t.Context(), p, at); err != nil {
				t.Fatal(err)
			}
			if err := want.ReadSectors(t.Context(), q, at); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(p, q) {
				t.Fatalf("sector %d differs", at)
			}
		}
	}
}

// What was not read, or with errors, is a flaw, and so is what a dump that was cut short lacks.
func TestFlaws(t *testing.T) {
	img := testimage.Open(t, "mixed")
	d := testscram.Dump{Suffix: ".scram", Offset: -30, Skipped: []disc.LBA{0, 1, 2, 3, 100, 101, 700}, C2: []disc.LBA{200, 900}}
	path := write(t, &d, img, t.TempDir())
	const end = 1400
	if err := os.Truncate(path, (45150+end)*cdsector.Size+77); err != nil {
		t.Fatal(err)
	}
	cut := 0
	got, err := image.Open(t.Context(), path, func(image.Remark) { cut++ })
	if err != nil {
		t.Fatal(err)
	}
	defer got.Close()
	want := disc.FlawsOf(
		disc.Flaw{First: 0, Count: 4, Kind: disc.Unread}, disc.Flaw{First: 100, Count: 2, Kind: disc.Unread},
		disc.Flaw{First: 700, Count: 1, Kind: disc.Unread}, disc.Flaw{First: end, Count: 50, Kind: disc.Unread},
		disc.Flaw{First: 200, Count: 1, Kind: disc.ReadWithErrors}, disc.Flaw{First: 900, Count: 1, Kind: disc.ReadWithErrors},
	)
	if fmt.Sprint(got.Flaws()) != fmt.Sprint(want) || cut == 0 {
		t.Errorf("flaws %v, want %v; %d remarks", got.Flaws(), want, cut)
	}
	same(t, got, img, func(a disc.LBA) bool { return !want.Contains(a) })
	imagetest.Test(t, got)

	scm := testscram.Dump{Suffix: ".scm", Offset: -3, C2: []disc.LBA{900}}
	other, err := image.Open(t.Context(), write(t, &scm, img, t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	want = disc.FlawsOf(disc.Flaw{First: 0, Count: 1, Kind: disc.ReadWithErrors}, disc.Flaw{First: 899, Count: 3, Kind: disc.ReadWithErrors})
	if fmt.Sprint(other.Flaws()) != fmt.Sprint(want) {
		t.Errorf("flaws %v, want %v", other.Flaws(), want)
	}
}

// What lies beside a dump and was cut short, or cannot be read, is remarked. Of sectors of which a .c2 says nothing, nothing
// is known.
func TestDamagedCompanions(t *testing.T) {
	img := testimage.Open(t, "mixed")
	end := img.Layout().Sectors()
	for name, test := range map[string]struct {
		suffix string
		change func(base string) error
		kind   format.RemarkKind
		file   string
		flaws  disc.Flaws
	}{
		"c2": {".scm", func(base string) error { return os.Truncate(base+".c2", 500*cdsector.Size/8+1) }, format.CutShort, ".c2",
			disc.FlawsOf(disc.Flaw{First: 500, Count: end - 500, Kind: disc.Unproven})},
		"state": {".scram", func(base string) error { return os.Truncate(base+".state", int64(45150+end-10)*588) }, format.CutShort, ".state",
			disc.FlawsOf(disc.Flaw{First: disc.LBA(end - 10), Count: 10, Kind: disc.Unread})},
		"text": {".scm", func(base string) error { return os.WriteFile(base+".cdtext", []byte("?"), 0o666) }, format.BadCDText, ".cdtext", nil},
		"pack": {".scm", func(base string) error {
			return os.WriteFile(base+".cdtext", bytes.Repeat([]byte{0x80}, disc.PackSize), 0o666)
		},
			format.BadCDText, ".cdtext", nil},
	} {
		path := write(t, &testscram.Dump{Suffix: test.suffix}, img, t.TempDir())
		base := strings.TrimSuffix(path, test.suffix)
		if err := test.change(base); err != nil {
			t.Fatal(err)
		}
		var remarks []image.Remark
		got, err := image.Open(t.Context(), path, func(r image.Remark) { remarks = append(remarks, r) })
		if err != nil {
			t.Fatal(err)
		}
		defer got.Close()
		if len(remarks) != 1 || remarks[0].Kind != test.kind || remarks[0].File != base+test.file || fmt.Sprint(got.Flaws()) != fmt.Sprint(test.flaws) {
			t.Errorf("%s: remarks %v, flaws %v", name, remarks, got.Flaws())
		}
	}
}

// What cannot be read right is refused, and why is said.
func TestRefused(t *testing.T) {
	for name, test := range map[string]struct {
		disc   string
		dump   testscram.Dump
		change func(base string) error
		want   string
	}{
		"no state": {"mixed", testscram.Dump{Suffix: ".scram"}, func(base string) error { return os.Remove(base + ".state") }, "there is no .state beside it"},
		"nothing beside": {"mixed", testscram.Dump{Suffix: ".scm", NoTOC: true}, func(base string) error { return os.Remove(base + ".sub") },
			"neither a .toc nor a .sub"},
		"sessions without a table": {"twosession", testscram.Dump{Suffix: ".scram", NoTOC: true}, nil, "several sessions, and no .fulltoc"},
		"half a table":             {"mixed", testscram.Dump{Suffix: ".scram"}, func(base string) error { return os.Truncate(base+".toc", 13) }, "a table of contents of 13 bytes"},
		"a lead-out of no CD": {"mixed", testscram.Dump{Suffix: ".scram"}, func(base string) error {
			b, err := os.ReadFile(base + ".toc")
			if err != nil {
				return err
			}
			copy(b[len(b)-4:], []byte{0x03, 0, 0, 0})
			return os.WriteFile(base+".toc", b, 0o666)
		}, "the lead-out is at sector 50331648, and no CD has more than 449850"},
		"no data": {"mixed", testscram.Dump{Suffix: ".scram"}, func(base string) error {
			return os.WriteFile(base+".scram", nil, 0o666)
		}, "empty"},
		"noise": {"mixed", testscram.Dump{Suffix: ".scm"}, func(base string) error {
			return os.WriteFile(base+".scm", bytes.Repeat([]byte("noise!"), 700*cdsector.Size/6*2), 0o666)
		}, "no sync patterns"},
		"a shift": {"mixed", testscram.Dump{Suffix: ".scm"}, func(base string) error {
			b, err := os.ReadFile(base + ".scm")
			if err != nil {
				return err
			}
			const half = 300 * cdsector.Size
			return os.WriteFile(base+".scm", append(b[:half:half], append(make([]byte, 8), b[half:]...)...), 0o666)
		}, "write offset changes"},
	} {
		path := write(t, &test.dump, testimage.Open(t, test.disc), t.TempDir())
		if test.change != nil {
			if err := test.change(strings.TrimSuffix(path, test.dump.Suffix)); err != nil {
				t.Fatal(err)
			}
		}
		img, err := image.Open(t.Context(), path)
		if err == nil {
			img.Close()
		}
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %s", name, err, test.want)
		}
	}
}
