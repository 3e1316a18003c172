package chd_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/image"
	"spindle/image/chd/hunks"
	"spindle/image/format"
	"spindle/image/imagetest"
	"spindle/internal/corpus"
	"spindle/internal/packed"
	"spindle/internal/testdisc"
	"spindle/internal/testdisc/testchd"
)

func write(t *testing.T, path string, b []byte) string {
	t.Helper()
	if err := os.WriteFile(path, b, 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

func open(t *testing.T, path string) disc.Image {
	t.Helper()
	img, err := image.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { img.Close() })
	return img
}

func sectors(t *testing.T, img disc.Image, track *disc.Track) []byte {
	t.Helper()
	p := make([]byte, track.Sectors()*img.Layout().Medium.SectorSize())
	if err := img.ReadSectors(t.Context(), p, track.Begin()); err != nil {
		t.Fatal(err)
	}
	return p
}

// same compares what a CHD can hold of a disc.
func same(t *testing.T, got, want disc.Image) {
	t.Helper()
	a, b := got.Layout().Tracks(), want.Layout().Tracks()
	if len(a) != len(b) {
		t.Fatalf("%d tracks, want %d", len(a), len(b))
	}
	for i := range a {
		if a[i].Number != b[i].Number || a[i].Mode != b[i].Mode || a[i].Start != b[i].Start || a[i].Pregap != b[i].Pregap || a[i].End != b[i].End {
			t.Errorf("track %+v, want %+v", *a[i], *b[i])
			continue
		}
		if !bytes.Equal(sectors(t, got, a[i]), sectors(t, want, b[i])) {
			t.Errorf("track %d has other sectors", a[i].Number)
		}
	}
}

// Discs of every kind come back out of CHDs of every codec.
func TestDiscs(t *testing.T) {
	codecs := []string{"cdzl cdfl", "cdzl", "cdzs", "cdlz cdfl", "cdfl", ""}
	for i, name := range []string{"mixed", "xa", "data", "hidden", "audio", "cdtext"} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			cue, err := testdisc.Make(dir, name)
			if err != nil {
				t.Fatal(err)
			}
			want := open(t, cue)
			content, o, err := testchd.FromImage(t.Context(), want, strings.Fields(codecs[i])...)
			if err != nil {
				t.Fatal(err)
			}
			img := open(t, write(t, filepath.Join(dir, "x.chd"), testchd.Make(content, o)))
			same(t, img, want)
			if name != "mixed" {
				return
			}
			imagetest.Test(t, img)
			for version := 3; version <= 4; version++ {
				o.Version = version
				same(t, open(t, write(t, filepath.Join(dir, fmt.Sprint(version, ".chd")), testchd.Make(content, o))), want)
			}
		})
	}
}

// frames makes n frames of a CD that are told apart, each with size bytes of the sector.
func frames(n, size int) []byte {
	b := make([]byte, n*2448)
	for i := range n {
		for k := range size {
			b[i*2448+k] = byte(i*7 + k/3)
		}
		for k := range 96 {
			b[i*2448+2352+k] = byte(i + k)
		}
	}
	return b
}

// made opens a CHD of these metadata.
func made(t *testing.T, content []byte, meta ...testchd.Meta) (disc.Image, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.chd")
	write(t, path, testchd.Make(content, testchd.Options{Codecs: []string{"cdzl"}, HunkBytes: 4 * 2448, UnitBytes: 2448, Meta: meta}))
	img, err := image.Open(t.Context(), path)
	if err == nil {
		t.Cleanup(func() { img.Close() })
	}
	return img, err
}

// describe says what is where.
func describe(l *disc.Layout) string {
	var s strings.Builder
	for _, x := range l.Sessions {
		fmt.Fprintf(&s, "session %d (%v):", x.Number, x.Format)
		for _, t := range x.Tracks {
			fmt.Fprintf(&s, " %d %v %d+%d-%d", t.Number, t.Mode, t.Begin(), t.Pregap, t.End)
		}
		fmt.Fprintf(&s, " to %d; ", x.LeadOut)
	}
	return strings.TrimSuffix(s.String(), "; ")
}

func TestMetadata(t *testing.T) {
	old := func(little bool, numbers ...uint32) testchd.Meta {
		b := make([]byte, 4+99*24)
		for i, n := range numbers {
			for k := range 4 {
				shift := 24 - 8*k
				if little {
					shift = 8 * k
				}
				b[4*i+k] = byte(n >> shift)
			}
		}
		return testchd.Meta{Tag: "CHCD", Data: b}
	}
	track := testchd.Track
	for name, test := range map[string]struct {
		meta []testchd.Meta
		want string
	}{
		"gaps": {[]testchd.Meta{
			track("CHT2", "TRACK:1 TYPE:MODE1_RAW SUBTYPE:NONE FRAMES:5 PREGAP:0 PGTYPE:MODE1 PGSUB:NONE POSTGAP:0"),
			track("CHT2", "TRACK:2 TYPE:AUDIO SUBTYPE:NONE FRAMES:6 PREGAP:2 PGTYPE:VAUDIO PGSUB:NONE POSTGAP:3"),
			track("CHT2", "TRACK:3 TYPE:AUDIO SUBTYPE:NONE FRAMES:4 PREGAP:150 PGTYPE:MODE1 PGSUB:NONE POSTGAP:0"),
		}, "session 1 (CD-DA/CD-ROM): 1 mode 1 0+0-5 2 audio 5+2-14 3 audio 14+150-168 to 168"},
		"the first two seconds": {[]testchd.Meta{
			track("CHT2", "TRACK:1 TYPE:MODE2_RAW SUBTYPE:NONE FRAMES:5 PREGAP:150 PGTYPE:MODE1 PGSUB:NONE POSTGAP:0"),
		}, "session 1 (CD-ROM XA): 1 mode 2 0+0-5 to 5"},
		"CHTR": {[]testchd.Meta{
			track("CHTR", "TRACK:1 TYPE:MODE1 SUBTYPE:NONE FRAMES:5"), track("CHTR", "TRACK:2 TYPE:AUDIO SUBTYPE:NONE FRAMES:9"),
		}, "session 1 (CD-DA/CD-ROM): 1 mode 1 0+0-5 2 audio 5+0-14 to 14"},
		"CHCD":                           {[]testchd.Meta{old(false, 2, 0, 2, 2048, 0, 5, 3, 7, 2, 2352, 0, 4, 0)}, "session 1 (CD-DA/CD-ROM): 1 mode 1 0+0-5 2 audio 5+0-9 to 9"},
		"CHCD of a small-endian machine": {[]testchd.Meta{old(true, 1, 6, 1, 2352, 96, 5, 3)}, "session 1 (CD-ROM XA): 1 mode 2 0+0-5 to 5"},
		"GD-ROM": {[]testchd.Meta{
			track("CHGD", "TRACK:1 TYPE:MODE1_RAW SUBTYPE:NONE FRAMES:8 PAD:2 PREGAP:0 PGTYPE:MODE1 PGSUB:NONE POSTGAP:0"),
			track("CHGD", "TRACK:2 TYPE:AUDIO SUBTYPE:NONE FRAMES:44992 PAD:44991 PREGAP:0 PGTYPE:MODE1 PGSUB:NONE POSTGAP:0"),
			track("CHGD", "TRACK:3 TYPE:MODE1_RAW SUBTYPE:NONE FRAMES:3 PAD:0 PREGAP:0 PGTYPE:MODE1 PGSUB:NONE POSTGAP:0"),
		}, "session 1 (CD-DA/CD-ROM): 1 mode 1 0+0-6 2 audio 6+2-9 to 9; session 2 (CD-DA/CD-ROM): 3 mode 1 45000+0-45003 to 45003"},
		"fewer frames than pregap": {[]testchd.Meta{
			track("CHT2", "TRACK:1 TYPE:AUDIO SUBTYPE:NONE FRAMES:2 PREGAP:150 PGTYPE:VAUDIO PGSUB:NONE POSTGAP:0"),
		}, "session 1 (CD-DA/CD-ROM): 1 audio 0+150-151 to 151"},
	} {
		n := map[string]int{
			"gaps": 20, "CHTR": 20, "CHCD": 12, "GD-ROM": 45004, "fewer frames than pregap": 4,
		}[name]
		if n == 0 {
			n = 8
		}
		img, err := made(t, frames(n, 0), test.meta...)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := describe(img.Layout()); got != test.want {
			t.Errorf("%s: %s", name, got)
		}
		missing := 0
		for _, f := range img.Flaws() {
			missing += f.Count
		}
		if want := map[string]int{"fewer frames than pregap": 149}[name]; missing != want {
			t.Errorf("%s: %d sectors were not read, want %d", name, missing, want)
		}
		if name != "GD-ROM" {
			imagetest.Test(t, img)
		}
	}
}

// Every way of storing sectors becomes whole ones.
func TestTypes(t *testing.T) {
	for kind, test := range map[string]struct {
		size, at int
		kind     cdsector.Kind
	}{
		"MODE1": {2048, 16, cdsector.Mode1}, "MODE2": {2336, 16, cdsector.Mode2}, "MODE2_FORM1": {2048, 24, cdsector.Form1},
		"MODE2_FORM2": {2324, 24, cdsector.Form2}, "MODE2_FORM_MIX": {2336, 16, cdsector.Mode2},
	} {
		content := frames(6, test.size)
		img, err := made(t, append(content, make([]byte, 2*2448)...), testchd.Track("CHT2", "TRACK:1 TYPE:%s SUBTYPE:NONE FRAMES:6", kind))
		if err != nil {
			t.Errorf("%s: %v", kind, err)
			continue
		}
		got := sectors(t, img, img.Layout().Tracks()[0])
		for i := range 6 {
			s := (*[2352]byte)(got[i*2352:])
			if k := cdsector.Classify(s); k != test.kind || !cdsector.EDCOK(s, k) || !cdsector.ParityOK(s, k) {
				t.Errorf("%s: sector %d is %v", kind, i, k)
			}
			if !bytes.Equal(s[test.at:test.at+test.size], content[i*2448:i*2448+test.size]) {
				t.Errorf("%s: sector %d has other data", kind, i)
			}
		}
		imagetest.Test(t, img)
	}
}

// The samples of a CHD have the most significant byte first, but for the oldest GD-ROMs.
func TestSamples(t *testing.T) {
	for tag, swapped := range map[string]bool{"CHT2": true, "CHGD": true, "CHGT": false} {
		content := frames(4, 2352)
		img, err := made(t, content, testchd.Track(tag, "TRACK:1 TYPE:AUDIO SUBTYPE:NONE FRAMES:4 PAD:0"))
		if err != nil {
			t.Fatal(err)
		}
		got := sectors(t, img, img.Layout().Tracks()[0])
		if (got[0] == content[1] && got[3] == content[2]) != swapped || (got[3] == content[3] && got[4] == content[4]) == swapped {
			t.Errorf("%s: % x of % x", tag, got[:8], content[:8])
		}
	}
}

func TestSubchannels(t *testing.T) {
	var l disc.Layout
	for _, raw := range []bool{false, true} {
		content := frames(8, 2352)
		name := "RW"
		for i := range 8 {
			sub := (*[96]byte)(content[i*2448+2352:])
			clear(sub[:24])
			if raw {
				name = "RW_RAW"
				plain := *sub
				cdsector.Interleave(sub, &plain)
			}
		}
		img, err := made(t, content, testchd.Track("CHT2", "TRACK:1 TYPE:AUDIO SUBTYPE:%s FRAMES:8 PREGAP:0", name))
		if err != nil {
			t.Fatal(err)
		}
		imagetest.Test(t, img)
		l = *img.Layout()
		for i := range 8 {
			var got, own [96]byte
			if err := img.Subchannels().ReadSubchannel(t.Context(), got[:], disc.LBA(i)); err != nil {
				t.Fatal(err)
			}
			l.Subchannel(disc.LBA(i), &own)
			if !bytes.Equal(got[:24], own[:24]) || got[24] != byte(i+24) || got[95] != byte(i+95) {
				t.Errorf("%s: sector %d has % x", name, i, got)
			}
		}
	}
}

// What is no CD is a data disc: with the tag of a DVD, with that of a hard disk, with none.
func TestBlocks(t *testing.T) {
	dir := t.TempDir()
	path, err := testdisc.Make(dir, "iso")
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		content []byte
		o       testchd.Options
		medium  disc.Medium
	}{
		"a DVD":          {raw, testchd.Options{UnitBytes: 2048, Meta: []testchd.Meta{{Tag: "DVD ", Data: []byte{0}}}}, disc.DVD},
		"no tag":         {raw, testchd.Options{UnitBytes: 2048}, disc.CD},
		"a hard disk":    {raw, testchd.Options{UnitBytes: 512, Meta: []testchd.Meta{testchd.Track("GDDD", "CYLS:1,HEADS:1,SECS:1,BPS:512")}}, disc.CD},
		"of version 2":   {raw, testchd.Options{Version: 2, UnitBytes: 2048}, disc.CD},
		"no file system": {bytes.Repeat([]byte("abcd"), 51200), testchd.Options{UnitBytes: 512}, disc.CD},
		"of version 1":   {bytes.Repeat([]byte("abcd"), 51200), testchd.Options{Version: 1, UnitBytes: 512}, disc.CD},
	} {
		test.o.HunkBytes, test.o.Codecs = 4096, []string{"zlib", "huff"}
		img := open(t, write(t, filepath.Join(dir, "x.chd"), testchd.Make(test.content, test.o)))
		l := img.Layout()
		if l.Medium != test.medium || len(l.Tracks()) != 1 {
			t.Errorf("%s: %v, %s", name, l.Medium, describe(l))
		}
		got := make([]byte, len(test.content))
		if err := disc.ReadUser(t.Context(), img, got, 0); err != nil || !bytes.Equal(got, test.content) {
			t.Errorf("%s: other data (%v)", name, err)
		}
		imagetest.Test(t, img)
	}
	path = write(t, filepath.Join(dir, "x.chd"), testchd.Make(make([]byte, 512*3), testchd.Options{HunkBytes: 512, UnitBytes: 512, Codecs: []string{"zlib"}}))
	if _, err := image.Open(t.Context(), path); !errors.Is(err, hunks.ErrUnsupported) || !strings.Contains(err.Error(), "1536 bytes") {
		t.Errorf("three sectors of a hard disk: %v", err)
	}
}

// A parent is found beside by its sum, whatever it is called; and its own, too.
func TestParents(t *testing.T) {
	dir := t.TempDir()
	path, err := testdisc.Make(dir, "iso")
	if err != nil {
		t.Fatal(err)
	}
	base, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	o := testchd.Options{HunkBytes: 4096, UnitBytes: 2048, Codecs: []string{"zlib"}, Meta: []testchd.Meta{{Tag: "DVD ", Data: []byte{0}}}}
	first := testchd.Make(base, o)
	second := bytes.Clone(base)
	copy(second[40000:], "changed")
	o.Parent = &testchd.Parent{File: first, Content: base}
	child := testchd.Make(second, o)
	third := bytes.Clone(second)
	copy(third[50000:], "changed again")
	o.Parent = &testchd.Parent{File: child, Content: second}
	grandchild := write(t, filepath.Join(dir, "third.chd"), testchd.Make(third, o))

	write(t, filepath.Join(dir, "a.chd"), []byte("something else"))
	if err := os.Mkdir(filepath.Join(dir, "b.chd"), 0o777); err != nil {
		t.Fatal(err)
	}
	_, err = image.Open(t.Context(), grandchild)
	if !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "SHA-1") {
		t.Errorf("without a parent: %v", err)
	}
	write(t, filepath.Join(dir, "child.CHD"), child)
	if _, err = image.Open(t.Context(), grandchild); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "child.CHD") {
		t.Errorf("without a parent of the parent: %v", err)
	}
	write(t, filepath.Join(dir, "z.chd"), first)
	img := open(t, grandchild)
	got := make([]byte, len(third))
	if err := disc.ReadUser(t.Context(), img, got, 0); err != nil || !bytes.Equal(got, third) {
		t.Errorf("other data (%v)", err)
	}
	if f := img.Files(); len(f) != 3 || f[0] != grandchild {
		t.Errorf("files %v", f)
	}
	imagetest.Test(t, img)

	// A copy of it that is cut short is not the only one.
	write(t, filepath.Join(dir, "aa.chd"), first[:len(first)-100])
	img = open(t, grandchild)
	if f := img.Files(); len(f) != 3 || filepath.Base(f[2]) != "z.chd" {
		t.Errorf("files %v", f)
	}
	write(t, filepath.Join(dir, "z.chd"), first[:len(first)-50])
	if _, err := image.Open(t.Context(), grandchild); !errors.Is(err, packed.ErrDamaged) || !strings.Contains(err.Error(), "aa.chd") {
		t.Errorf("damaged parents only: %v", err)
	}
	os.Remove(filepath.Join(dir, "aa.chd"))

	// Two that are one another's parents: neither has anything to hold.
	copy(first[104:], child[84:104])
	write(t, filepath.Join(dir, "z.chd"), first)
	if _, err := image.Open(t.Context(), grandchild); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("parents in a circle: %v", err)
	}
}

// What cannot be decoded is an error for its sectors, and for no others.
func TestDamaged(t *testing.T) {
	content := frames(80, 2352)
	path := filepath.Join(t.TempDir(), "x.chd")
	write(t, path, testchd.Make(content, testchd.Options{
		Codecs: []string{"cdzl"}, HunkBytes: 8 * 2448, UnitBytes: 2448,
		Meta: []testchd.Meta{testchd.Track("CHT2", "TRACK:1 TYPE:AUDIO SUBTYPE:NONE FRAMES:80")},
		Spoil: func(n int, b []byte) {
			if n == 3 {
				b[1000]++
			}
		},
	}))
	img := open(t, path)
	for a := range disc.LBA(80) {
		err := img.ReadSectors(context.Background(), make([]byte, 2352), a)
		if bad := a >= 24 && a < 32; bad != errors.Is(err, packed.ErrDamaged) || !bad && err != nil {
			t.Errorf("sector %d: %v", a, err)
		}
	}
}

func TestRefused(t *testing.T) {
	for meta, want := range map[string]string{
		"TRACK:1 TYPE:MODE9 SUBTYPE:NONE FRAMES:4":       `metadata CHT2 at byte 124: TYPE is "MODE9"`,
		"TRACK:1 TYPE:AUDIO SUBTYPE:P FRAMES:4":          `SUBTYPE is "P"`,
		"TRACK:1 TYPE:AUDIO SUBTYPE:NONE FRAMES:-4":      `FRAMES is "-4"`,
		"TRACK:1 TYPE:AUDIO FRAMES:99999999999999999999": "FRAMES is",
		"TRACK:1 TYPE:AUDIO FRAMES:0":                    "0 frames",
		"TRACK:1 TYPE:AUDIO FRAMES:9":                    "ends with frame 9, and there are 8",
		"TRACK:1 TYPE:AUDIO FRAMES:4 POSTGAP:9999999":    "POSTGAP",
		"TRACK:1 TYPE:AUDIO FRAMES:8 PAD:8":              "of which 8",
		"TRACK:0 TYPE:AUDIO FRAMES:8":                    "track number 0",
		"TRACK:2 TYPE:AUDIO FRAMES:8":                    "track number 2, where 1 is due",
		"TRACK:1 TYPE:AUDIO FRAMES:4":                    "its metadata tell of 4 frames, and it has 8",
	} {
		if _, err := made(t, frames(8, 0), testchd.Track("CHT2", "%s", meta)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", meta, err)
		}
	}
	short := testchd.Meta{Tag: "CHCD", Data: []byte{0, 0, 0, 9, 0}}
	if _, err := made(t, frames(8, 0), short); err == nil || !strings.Contains(err.Error(), "9 tracks in 5 bytes") {
		t.Errorf("a table that is cut short: %v", err)
	}
}

// What was changed in the metadata puts all of the image in doubt.
func TestChangedMetadata(t *testing.T) {
	for name, change := range map[string]func([]byte){
		"tag":  func(b []byte) { b[bytes.Index(b, []byte("CHT2\x01"))+1]++ },
		"type": func(b []byte) { copy(b[bytes.Index(b, []byte("MODE1_RAW")):], "AUDIO    ") },
		"sum":  func(b []byte) { b[84]++ },
	} {
		b := testchd.Make(frames(8, 2352), testchd.Options{Codecs: []string{"cdzl"}, HunkBytes: 4 * 2448, UnitBytes: 2448, Meta: []testchd.Meta{
			testchd.Track("CHT2", "TRACK:1 TYPE:MODE1_RAW SUBTYPE:NONE FRAMES:8"),
		}})
		change(b)
		path := write(t, filepath.Join(t.TempDir(), "x.chd"), b)
		var said error
		img, err := image.Open(t.Context(), path, func(r image.Remark) {
			if r.Kind == format.DamagedFile {
				said = r.Err
			}
		})
		if name == "tag" && err != nil {
			continue // it has no tracks any longer, and is no file system
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if l := img.Layout(); img.Flaws().Sectors() != int(l.End()) || !errors.Is(said, packed.ErrDamaged) {
			t.Errorf("%s: flaws %v, %v", name, img.Flaws(), said)
		}
		img.Close()
	}
}

// Files of chdman hold what they were made of.
func TestCorpus(t *testing.T) {
	for _, path := range corpus.Glob(t, "formats/made/*.chd") {
		img := open(t, path)
		source := "data.iso"
		switch base := filepath.Base(path); {
		case strings.HasPrefix(base, "demo"):
			source = "demo.cue"
		case strings.HasPrefix(base, "data2"):
			source = "data2.iso"
		}
		want := open(t, corpus.Path(t, "formats", "made", source))
		if source == "demo.cue" {
			same(t, img, want)
			continue
		}
		for a := range want.Layout().End() {
			var x, y [2048]byte
			err := errors.Join(disc.ReadUser(t.Context(), img, x[:], a), disc.ReadUser(t.Context(), want, y[:], a))
			if err != nil || x != y {
				t.Fatalf("%s: sector %d differs (%v)", path, a, err)
			}
		}
	}
	// Made by chdman from a sheet whose files are shorter than its gaps.
	img := open(t, corpus.Path(t, "formats", "emmercm__igir", "test", "fixtures", "roms", "chd", "CD-ROM.chd"))
	same(t, img, open(t, corpus.Path(t, "formats", "emmercm__igir", "packages", "chdman", "test", "fixtures", "expected", "cd-rom.cuebin", "CD-ROM.cue")))
}
