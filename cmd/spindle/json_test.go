package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"spindle/internal/testdisc"
)

// jsonCases are command lines that between them print every kind of JSON object.
// DIR in an argument is a folder with the test discs.
var jsonCases = []struct {
	name   string
	status int
	args   string
}{
	{"version", 0, "version"},
	{"info of an image", 0, "info DIR/demo.cue"},
	{"info of CD-TEXT", 0, "info DIR/cdtext.cue"},
	{"info of a drive", 0, "info --indexes sim:DIR/demo.cue"},
	{"info of a blank", 0, "info sim:DIR/none.iso?media=bd-r"},
	{"no disc", 3, "info sim:"},
	{"wrong use", 2, "info --no-such-flag"},
	{"rip of a CD", 0, "rip DIR/out.cue --split --sub --sha256 -d sim:DIR/demo.cue"},
	{"rip with a read offset", 0, "rip DIR/offset.cue --offset 6 -d sim:DIR/demo.cue"},
	{"rip with damage", 4, "rip DIR/bad.cue --retries 0 -d sim:DIR/demo.cue?fault=read:7-9"},
	{"rip that ends early", 4, "rip DIR/early.cue --max-errors 1 -d sim:DIR/demo.cue?fault=corrupt:7"},
	{"rip of noise", 0, "rip DIR/noisy.cue -d sim:DIR/demo.cue?fault=noisy:200:80"},
	{"rip by votes", 0, "rip DIR/voted.cue -d sim:DIR/demo.cue?fault=read:500"},
	{"rip of a DVD", 0, "rip DIR/dvd.iso -d sim:DIR/iso.iso?media=dvd-rom"},
	{"verify", 0, "verify DIR/out.cue"},
	{"verify with a disc", 0, "verify DIR/demo.cue --with sim:DIR/demo.cue"},
	{"verify what differs", 5, "verify DIR/demo.cue --with DIR/mixed.cue"},
	{"verify with sums", 0, "verify DIR/out.cue --with DIR/out.cue.sha256"},
	{"repair", 5, "verify DIR/spoiled.cue --repair DIR/whole.cue"},
	{"convert", 0, "convert DIR/demo.cue DIR/demo.nrg"},
	{"convert with damage", 5, "convert DIR/spoiled.cue DIR/spoiled.nrg"},
	{"convert with loss", 0, "convert DIR/demo.cue DIR/demo.iso --lossy"},
	{"scan", 0, "scan -d sim:DIR/mixed.cue"},
	{"scan of damage", 5, "scan -d sim:DIR/mixed.cue?fault=read:200-201"},
	{"merge", 0, "merge DIR/demo.cue DIR/demo.nrg DIR/merged.cue"},
	{"merge with damage", 5, "merge DIR/iso.iso DIR/wrong.iso DIR/both.iso"},
	{"map of an image", 5, "info DIR/both.iso --map -"},
	{"make", 0, "make DIR/folder DIR/folder.iso"},
	{"ls", 0, "ls DIR/demo.cue"},
	{"extract", 0, "extract DIR/demo.cue -C DIR/files"},
	{"dry run", 0, "burn DIR/iso.iso --dry-run -d sim:DIR/d.iso?media=dvd+r"},
	{"burn", 0, "burn DIR/iso.iso -d sim:DIR/e.iso?media=dvd+r"},
	{"burn that fails", 6, "burn DIR/iso.iso -d sim:DIR/f.iso?media=dvd+r&fault=2A:6:4/44/00"},
	{"list of failures", 0, "reburn --list"},
	{"reburn", 0, "reburn -d sim:DIR/f.iso"},
	{"blank", 0, "blank sim:DIR/g.cue?media=cd-rw"},
	{"format", 0, "format sim:DIR/h.iso?media=bd-re"},
	{"eject", 0, "eject sim:DIR/demo.cue"},
	{"load", 0, "load sim:DIR/demo.cue?tray=open"},
	{"simulated drives", 0, "drives --simulated"},
	{"report of a drive", 0, "drives --report -d sim:DIR/mixed.cue?drive=bu40n-usb"},
	{"detach", 3, "detach /dev/none"},
}

// TestJSON holds the names and types of all fields that --json prints: scripts
// rely on them. A field may be added, never renamed or removed.
func TestJSON(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("XDG_STATE_HOME", filepath.Join(dir, "state"))
	t.Setenv("XDG_CONFIG_HOME", filepath.Join(dir, "config"))
	for _, name := range []string{"demo", "iso", "mixed", "cdtext", "data"} {
		if _, err := testdisc.Make(dir, name); err != nil {
			t.Fatal(err)
		}
	}
	spoil(t, filepath.Join(dir, "data"), filepath.Join(dir, "spoiled"))
	contradict(t, filepath.Join(dir, "iso.iso"), filepath.Join(dir, "wrong.iso"))
	if err := os.MkdirAll(filepath.Join(dir, "folder", "sub"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "folder", "a.txt"), []byte("a"), 0o666); err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	for _, c := range jsonCases {
		if strings.HasPrefix(c.args, "detach") && os.Geteuid() != 0 {
			c.status = 1 // root is needed
		}
		var stdout, stderr bytes.Buffer
		args := strings.Fields(strings.ReplaceAll(c.args, "DIR", dir))
		if status := run(append(args, "--json"), &stdout, &stderr); status != c.status {
			t.Errorf("%s: exit status %d, want %d\n%s%s", c.args, status, c.status, stdout.String(), stderr.String())
		}
		if stderr.Len() > 0 {
			t.Errorf("%s: with --json, standard error has %q", c.args, stderr.String())
		}
		fmt.Fprintf(&got, "# %s: spindle %s\n%s\n", c.name, c.args, shapes(t, stdout.Bytes()))
	}
	compareGolden(t, "json.golden", got.String())
}

// spoil copies a disc, with a wrong byte in one of its sectors.
func spoil(t *testing.T, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from + ".bin")
	if err != nil {
		t.Fatal(err)
	}
	b[7*2352+500] ^= 0xFF
	sheet, err := os.ReadFile(from + ".cue")
	if err != nil {
		t.Fatal(err)
	}
	sheet = bytes.ReplaceAll(sheet, []byte(filepath.Base(from)+".bin"), []byte(filepath.Base(to)+".bin"))
	for name, content := range map[string][]byte{to + ".bin": b, to + ".cue": sheet} {
		if err := os.WriteFile(name, content, 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// contradict copies an .iso, with a wrong byte in it.
func contradict(t *testing.T, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	b[50*2048] ^= 1
	if err := os.WriteFile(to, b, 0o666); err != nil {
		t.Fatal(err)
	}
}

// shapes lists the fields of each kind of event in the output, with their types.
func shapes(t *testing.T, out []byte) string {
	t.Helper()
	fields := make(map[string]bool)
	var last map[string]any
	for line := range bytes.Lines(out) {
		var v map[string]any
		if err := json.Unmarshal(line, &v); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		name, _ := v["event"].(string)
		if name == "progress" {
			continue // comes as time goes by; progress_test has it
		}
		shape(fields, name, v)
		last = v
	}
	if last["event"] != "result" {
		t.Errorf("the last object is not the result: %v", last)
	}
	return strings.Join(slices.Sorted(maps.Keys(fields)), "\n") + "\n"
}

func shape(fields map[string]bool, at string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			shape(fields, at+"."+k, x)
		}
	case []any:
		for _, x := range v {
			shape(fields, at+"[]", x)
		}
	case string:
		fields[at+" string"] = true
	case float64:
		fields[at+" number"] = true
	case bool:
		fields[at+" bool"] = true
	}
}

// compareGolden compares text with a file in testdata; with UPDATE_SCRIPTS=1 in the
// environment it rewrites the file.
func compareGolden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if os.Getenv("UPDATE_SCRIPTS") != "" {
		if err := os.WriteFile(path, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) == got {
		return
	}
	w, g := strings.Split(string(want), "\n"), strings.Split(got, "\n")
	for i := range max(len(w), len(g)) {
		a, b := at(w, i), at(g, i)
		if a != b {
			t.Fatalf("%s, line %d:\n got %s\nwant %s\n(UPDATE_SCRIPTS=1 rewrites the file)", path, i+1, b, a)
		}
	}
}

func at(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return "(end)"
}
