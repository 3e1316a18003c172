package rip

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"spindle/disc"
	"spindle/image/mapfile"

	"github.com/google/go-cmp/cmp"
)

// readGolden reads a map of testdata: the v1 ones are those that spindle wrote
// before it had states with a version of their own.
func readGolden(t testing.TB, name string) (*mapfile.Map, []byte) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	m, err := mapfile.Read(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return m, b
}

// Maps of version 1 are read, and written as maps of today that say the same.
func TestOldMaps(t *testing.T) {
	for name, want := range map[string]struct {
		options Options
		sectors int64
		tracks  int
		packs   int
	}{
		"v1-data.map":   {Options{Format: CueBin}, 2000, 1, 0},
		"v1-audio.map":  {Options{Format: CueBin, Split: true}, 1563, 4, 18},
		"v1-cdtext.map": {Options{Format: CueBin, Subchannel: true}, 600, 2, 17},
		"v1-iso.map":    {Options{Format: ISO}, 315, 1, 0},
		"v2.map":        {Options{Format: CueBin}, 2000, 1, 0},
	} {
		m, _ := readGolden(t, name)
		blocks := m.Blocks()
		s, err := decodeMap(m)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !s.matches(want.options) || s.Sectors != want.sectors || len(s.Layout.Tracks()) != want.tracks ||
			len(s.Layout.CDText) != want.packs {
			t.Errorf("%s: %+v, %d tracks, %d packs", name, s, len(s.Layout.Tracks()), len(s.Layout.CDText))
		}
		var text bytes.Buffer
		if _, err := encodeMap(m, s).WriteTo(&text); err != nil {
			t.Fatal(err)
		}
		again, err := mapfile.Read(&text)
		if err != nil {
			t.Fatal(err)
		}
		s2, err := decodeMap(again)
		if err != nil {
			t.Errorf("%s, rewritten: %v", name, err)
			continue
		}
		if diff := cmp.Diff(s, s2); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if diff := cmp.Diff(blocks, again.Blocks()); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// A rip is resumed from a map of version 1.
func TestResumeFromOldMap(t *testing.T) {
	src := makeDisc(t, "data")
	out := filepath.Join(t.TempDir(), "x.cue")
	opts := Options{Output: out, Format: CueBin, Retries: 1}
	if _, err := Rip(context.Background(), tray(t, src, "?fault=read:500-510&fault=corrupt:700"), opts); err != nil {
		t.Fatal(err)
	}
	_, text := readGolden(t, "v1-data.map")
	if err := os.WriteFile(out+mapfile.Suffix, text, 0o666); err != nil {
		t.Fatal(err)
	}
	res, err := Rip(context.Background(), tray(t, src, ""), opts)
	if err != nil || !res.Resumed || len(res.Bad) > 0 {
		t.Fatalf("%+v, %v", res, err)
	}
	same(t, base(src)+".bin", base(out)+".bin")
}

// Maps that are not whole, or not understood, are refused by name.
func TestBadMaps(t *testing.T) {
	_, text := readGolden(t, "v3.map")
	good := string(text)
	if m, err := mapfile.Read(strings.NewReader(good)); err != nil {
		t.Fatal(err)
	} else if _, err := decodeMap(m); err != nil {
		t.Fatal(err)
	}
	change := func(old, with string) string {
		t.Helper()
		if !strings.Contains(good, old) {
			t.Fatalf("there is no %q in the map", old)
		}
		return strings.Replace(good, old, with, 1)
	}
	stateLine := good[strings.Index(good, "# spindle:"):]
	stateLine = stateLine[:strings.Index(stateLine, "\n")+1]
	for name, test := range map[string]struct {
		text string
		want error
	}{
		"empty":              {"", mapfile.ErrSyntax},
		"of ddrescue":        {change(stateLine, ""), ErrForeignMap},
		"future version":     {change(`"version":3`, `"version":4`), ErrMapVersion},
		"version 0":          {change(`"version":3`, `"version":0`), ErrMapVersion},
		"no version":         {change(`"version":3,`, ""), mapfile.ErrSyntax},
		"version as text":    {change(`"version":3`, `"version":"3"`), mapfile.ErrSyntax},
		"sectors as text":    {change(`"sectors":2000`, `"sectors":"2000"`), mapfile.ErrSyntax},
		"no sectors":         {change(`"sectors":2000`, `"sectors":-1`), mapfile.ErrSyntax},
		"unknown field":      {change(`"sectors":2000`, `"sectors":2000,"mirror":true`), mapfile.ErrSyntax},
		"no hash":            {change(`"sha256":"`, `"sha256":"x`), mapfile.ErrSyntax},
		"descriptor outside": {change(`{"lba":16`, `{"lba":-1600`), mapfile.ErrSyntax},
		"older with more":    {change(`"version":3`, `"version":2`), mapfile.ErrSyntax},
		"unknown format":     {change(`"format":"cue"`, `"format":"nrg"`), mapfile.ErrSyntax},
		"unknown mode":       {change(`"mode":"mode 1"`, `"mode":"mode 3"`), mapfile.ErrSyntax},
		"unknown medium":     {change(`"medium":"CD"`, `"medium":"LP"`), mapfile.ErrSyntax},
		"no disc":            {change(`"toc":"`, `"toc":"","x":"`), mapfile.ErrSyntax},
		"no layout":          {change(`"sessions":[`, `"sessions":[],"x":[`), mapfile.ErrSyntax},
		"impossible layout":  {change(`"end":2000`, `"end":-5`), mapfile.ErrSyntax},
		"cut state":          {change(stateLine, stateLine[:len(stateLine)/2]+"\n"), mapfile.ErrSyntax},
		"two states":         {change(stateLine, stateLine+stateLine), mapfile.ErrSyntax},
		"another size":       {change(`"sectors":2000`, `"sectors":1999`), mapfile.ErrSyntax},
		"parts of a sector":  {change("0x0011F1C0  +", "0x0011F1C1  +"), mapfile.ErrSyntax},
		"flaws outside":      {change("errors: 0x00191F40", "errors: 0x7FFFFFFFFFFFFFFF"), mapfile.ErrSyntax},
		"flaws that are not": {change("errors: 0x00191F40", "errors: 0x00000000"), mapfile.ErrSyntax},
		"flaws of words":     {change("errors: 0x00191F40", "errors: many"), mapfile.ErrSyntax},
		"version 1, numbers": {change(stateLine, `# spindle: {"version":1,"format":"cue","toc":"x","sectors":2000,"layout":{"Medium":9}}`+"\n"), mapfile.ErrSyntax},
		"version 1, nothing": {change(stateLine, `# spindle: {"version":1,"format":"cue","toc":"x","sectors":2000}`+"\n"), mapfile.ErrSyntax},
	} {
		dir := t.TempDir()
		j := job{opts: Options{Format: CueBin}, mapPath: filepath.Join(dir, "x.map")}
		if err := os.WriteFile(j.mapPath, []byte(test.text), 0o666); err != nil {
			t.Fatal(err)
		}
		_, _, err := j.lookForEarlier()
		if !errors.Is(err, test.want) || !strings.Contains(err.Error(), j.mapPath) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
	}
	// Cut anywhere, it is refused, or nothing was lost.
	for n := range len(good) {
		m, err := mapfile.Read(strings.NewReader(good[:n]))
		if err != nil {
			continue
		}
		if _, err := decodeMap(m); err == nil && strings.TrimSpace(good[n:]) != "" {
			t.Errorf("cut after %d bytes of %d, it is read", n, len(good))
		}
	}
}

// What is known about bad sectors is kept, whatever stands in their place: silence
// that came with errors was read, and a sector that reads as the filler is good
// only when it was read.
func TestFlawsAreKept(t *testing.T) {
	src := makeDisc(t, "audio")
	bin := base(src) + ".bin"
	b, err := os.ReadFile(bin)
	if err != nil {
		t.Fatal(err)
	}
	clear(b[500*2352 : 503*2352])
	if err := os.WriteFile(bin, b, 0o666); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "x.cue")
	opts := Options{Output: out, Format: CueBin}
	want := []BadRange{{Track: 2, First: 500, Last: 502, Reason: Flawed}, {Track: 2, First: 700, Last: 701, Reason: Unreadable}}
	for _, run := range []string{"first", "resumed"} {
		// On silence an error changes nothing but the pointers.
		res, err := Rip(context.Background(), tray(t, src, "?fault=read:500-502&fault=lost:700-701"), opts)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, res.Bad); diff != "" {
			t.Errorf("%s: %s", run, diff)
		}
		if k, ok := res.Flaws().At(501); !ok || k != disc.ReadWithErrors {
			t.Errorf("%s: %v", run, res.Flaws())
		}
		if k, ok := res.Flaws().At(701); !ok || k != disc.Unread {
			t.Errorf("%s: %v", run, res.Flaws())
		}
	}
}

func FuzzState(f *testing.F) {
	for _, name := range []string{"v1-data.map", "v1-audio.map", "v1-cdtext.map", "v1-iso.map", "v2.map", "v3.map"} {
		_, text := readGolden(f, name)
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := mapfile.Read(bytes.NewReader(text))
		if err != nil {
			return
		}
		s, err := decodeMap(m)
		if err != nil {
			if !errors.Is(err, mapfile.ErrSyntax) && !errors.Is(err, ErrForeignMap) {
				t.Fatalf("an error without a type: %v", err)
			}
			return
		}
		var again bytes.Buffer
		if _, err := encodeMap(m, s).WriteTo(&again); err != nil {
			t.Fatal(err)
		}
		m2, err := mapfile.Read(&again)
		if err != nil {
			t.Fatalf("what was written is not read: %v", err)
		}
		s2, err := decodeMap(m2)
		if err != nil {
			t.Fatalf("what was written is not understood: %v", err)
		}
		if diff := cmp.Diff(s, s2, cmp.Comparer(func(a, b []disc.LBA) bool { return len(a) == 0 && len(b) == 0 || cmp.Equal([]disc.LBA(a), b) })); diff != "" {
			t.Fatal(diff)
		}
		if diff := cmp.Diff(m.Blocks(), m2.Blocks()); diff != "" {
			t.Fatal(diff)
		}
	})
}
