package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"syscall"
	"testing"
	"time"

	"spindle/burn"
	"spindle/rip"

	"github.com/spf13/cobra"
)

func TestWrap(t *testing.T) {
	for _, test := range []struct {
		line  string
		width int
		want  []string
	}{
		{"", 40, []string{""}},
		{"short", 40, []string{"short"}},
		{"one two three four five six", 20, []string{"one two three four", "five six"}},
		{"  indented words stay indented here", 20, []string{"  indented words", "  stay indented here"}},
		{"a/path/that/is/longer/than/the/line stays whole", 20, []string{"a/path/that/is/longer/than/the/line", "stays whole"}},
		{"é é é é é é é é é é é", 20, []string{"é é é é é é é é é é", "é"}}, // characters, not bytes
		{"narrow terminals get a least width", 3, []string{"narrow terminals get", "a least width"}},
	} {
		got := wrap(test.line, test.width)
		if strings.Join(got, "\n") != strings.Join(test.want, "\n") {
			t.Errorf("wrap(%q, %d) = %q, want %q", test.line, test.width, got, test.want)
		}
	}
}

// On a terminal errors are wrapped below each other; elsewhere each is a line.
func TestHang(t *testing.T) {
	for _, test := range []struct {
		width int
		want  string
	}{
		{0, "spindle: one two three four five six seven\n"},
		{30, "spindle: one two three four\n         five six seven\n"},
	} {
		var b bytes.Buffer
		p := &page{w: &b, width: test.width}
		p.hang("spindle: ", "         ", "one two three four five six seven")
		if b.String() != test.want {
			t.Errorf("width %d: %q, want %q", test.width, b.String(), test.want)
		}
	}
}

func TestUnits(t *testing.T) {
	for _, test := range []struct{ got, want string }{
		{sizeText(0), "0 bytes"},
		{sizeText(1), "1 byte"},
		{sizeText(3), "3 bytes"},
		{sizeText(2048), "2.0 kB"},
		{sizeText(123456), "123 kB"},
		{sizeText(734003200), "734.0 MB"},
		{sizeText(4700000000), "4.70 GB"},
		{plural(1, "sector"), "1 sector"},
		{plural(0, "sector"), "0 sectors"},
		{plural(2, "entry"), "2 entries"},
		{clock(0), "0:00.00"},
		{clock(1350), "0:18.00"},
		{clock(74*60*75 + 33*75 + 7), "74:33.07"},
		{quoted("game.cue"), "game.cue"},
		{quoted("my game.cue"), "'my game.cue'"},
		{quoted("it's"), `'it'\''s'`},
		{quoted(""), "''"},
		{sectorsText(5, 5), "sector 5"},
		{sectorsText(5, 9), "sectors 5 to 9 (5)"},
		{capital("sim:x is open"), "sim:x is open"},
		{capital("some places"), "Some places"},
		{capital("line 1 of SUMS names x.iso and states none (is it cut off?): it is not used"), "Line 1 of SUMS names x.iso and states none (is it cut off?): it is not used"},
		{capital("the end of x.iso is missing"), "The end of x.iso is missing"},
		{capital("my film.iso is incomplete"), "my film.iso is incomplete"},
		{capital("w (Track 2).bin: it ends early"), "w (Track 2).bin: it ends early"},
		{sentence("done"), "done."},
		{sentence("done?"), "done?"},
	} {
		if test.got != test.want {
			t.Errorf("got %q, want %q", test.got, test.want)
		}
	}
}

func TestSizeFlag(t *testing.T) {
	for s, want := range map[string]int{
		"315": 315, "1": 1, "700MB": 341797, "4.7GB": 2294922, "1KiB": 1, "00:02:00": 150,
		"": 0, "0": 0, "-5": 0, "x": 0, "700XB": 0, "1e99": 0, "NaN": 0, "Inf": 0, "1 MB": 0,
	} {
		if got, ok := parseSize(s); got != want || ok != (want != 0) {
			t.Errorf("parseSize(%q) = %d, %v; want %d", s, got, ok, want)
		}
	}
}

func TestSpeedFlag(t *testing.T) {
	for s, want := range map[string]float64{"8": 8, "2.4": 2.4, "16x": 16, "": -1, "-1": -1, "101": -1, "fast": -1, "NaN": -1} {
		var v speedFlag
		err := v.Set(s)
		if (err != nil) != (want < 0) || err == nil && float64(v) != want {
			t.Errorf("Set(%q) = %v, %v; want %v", s, v, err, want)
		}
	}
}

// What the shell offers for a flag is what the flag takes.
func TestModes(t *testing.T) {
	for _, name := range modeNames {
		var v modeFlag
		if err := v.Set(name); err != nil || v.String() != name {
			t.Errorf("%s: %v, %q", name, err, v.String())
		}
	}
	for _, name := range spareNames {
		var v spareFlag
		if err := v.Set(name); err != nil || v.String() != name {
			t.Errorf("%s: %v, %q", name, err, v.String())
		}
	}
}

func TestNearest(t *testing.T) {
	names := []string{"split", "speed", "sub", "retries", "force"}
	for s, want := range map[string]string{"slit": "split", "spede": "speed", "forec": "force", "xyzzy": "", "retr": "retries"} {
		if got := nearest(s, names); got != want {
			t.Errorf("nearest(%q) = %q, want %q", s, got, want)
		}
	}
}

func TestVersion(t *testing.T) {
	info := func(version, revision, modified string) *debug.BuildInfo {
		b := &debug.BuildInfo{Main: debug.Module{Version: version}}
		if revision != "" {
			b.Settings = []debug.BuildSetting{{Key: "vcs.revision", Value: revision}, {Key: "vcs.modified", Value: modified}}
		}
		return b
	}
	const revision = "0123456789abcdef0123456789abcdef01234567"
	for _, test := range []struct {
		release string
		info    *debug.BuildInfo
		want    string
	}{
		{"1.2.3", info("(devel)", revision, "false"), "1.2.3"},
		{"", info("v1.2.3", revision, "false"), "v1.2.3"},
		{"", info("(devel)", revision, "false"), "0.1.0-dev+0123456789ab"},
		{"", info("(devel)", revision, "true"), "0.1.0-dev+0123456789ab.dirty"},
		{"", info("", "", ""), "0.1.0-dev"},
	} {
		if got := versionOf(test.release, test.info); got != test.want {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
}

// All progress takes one way: silent, as JSON, or as a line now and then.
func TestProgress(t *testing.T) {
	ripping := rip.Progress{Phase: rip.Copying, Done: 50e6, Total: 200e6, Bad: 4096, LBA: 17, Sectors: 10, Speed: 3e6, OneX: 150e3}
	burning := burn.Progress{Phase: burn.Writing, Done: 1e9, Total: 4e9, Speed: 10e6, OneX: 1.385e6, DriveBuffer: 0.97, HostBuffer: 1}
	show := func(c *console) {
		r := c.newRipProgress()
		r.last = r.last.Add(-time.Hour)
		r.Progress(ripping)
		r.Progress(ripping) // too soon for another line
		b := &burnProgress{progress: c.newProgress()}
		b.last = b.last.Add(-time.Hour)
		b.Progress(burning)
		c.newProgress().step("hashing")(1, 2)
	}
	const line = "reading 25%, 20.0x 3.0 MB/s, 50s to go, 4.1 kB not read yet\n" +
		"writing 25%, 7.2x 10.0 MB/s, 5m0s to go, drive buffer 97%, host buffer 100%\n"
	const objects = `{"event":"progress","phase":"reading","done":50000000,"total":200000000,"bad":4096,"lba":17,"speed":3000000}` + "\n" +
		`{"event":"progress","phase":"writing","done":1000000000,"total":4000000000,"speed":10000000,"drive_buffer":0.97,"host_buffer":1}` + "\n"
	for _, test := range []struct {
		name           string
		quiet, json    bool
		stdout, stderr string
	}{
		{"lines", false, false, "", line},
		{"quiet", true, false, "", ""},
		{"JSON", false, true, objects, ""},
		{"quiet JSON", true, true, "", ""},
	} {
		var stdout, stderr bytes.Buffer
		var c console
		c.init(&stdout, &stderr)
		c.quiet, c.json = test.quiet, test.json
		show(&c)
		if stdout.String() != test.stdout || stderr.String() != test.stderr {
			t.Errorf("%s: %q and %q", test.name, stdout.String(), stderr.String())
		}
	}
}

// Each phase of a rip has a name that is shown.
func TestPhasesHaveNames(t *testing.T) {
	for _, p := range []rip.Phase{rip.Surveying, rip.Copying, rip.Comparing, rip.Trimming, rip.Retrying, rip.Hashing} {
		if ripPhases[p] == "" {
			t.Errorf("%s has no name", p)
		}
	}
}

// Each command has a group or is one of the others, says what it does in a line that
// fits, and has an example where it takes arguments.
func TestCommandsAreDescribed(t *testing.T) {
	a := newApp(&bytes.Buffer{}, &bytes.Buffer{})
	for _, c := range a.rootCommand().Commands() {
		checkDescription(t, c)
	}
}

func checkDescription(t *testing.T, c *cobra.Command) {
	t.Helper()
	const most = 68
	if c.Short == "" || len(c.Short) > most || strings.HasSuffix(c.Short, ".") {
		t.Errorf("%s: %q", c.Name(), c.Short)
	}
	if strings.Contains(c.Use, " ") && c.Example == "" {
		t.Errorf("%s has no example", c.Name())
	}
	for line := range strings.SplitSeq(c.Example, "\n") {
		if line != "" && !strings.Contains(line, "spindle "+c.Name()) && c.Name() != "make" {
			t.Errorf("%s: an example is of something else: %q", c.Name(), line)
		}
	}
}

// A writer that fails after some bytes.
type failing struct{ left int }

var errFull = errors.New("no space left on device")

func (f *failing) Write(p []byte) (int, error) {
	if len(p) > f.left {
		return 0, errFull
	}
	f.left -= len(p)
	return len(p), nil
}

func TestOutputIsLost(t *testing.T) {
	var stderr bytes.Buffer
	if status := run([]string{"version"}, &failing{}, &stderr); status != exitFailed {
		t.Errorf("exit status %d", status)
	}
	if !strings.Contains(stderr.String(), "standard output could not be written: no space left on device") {
		t.Errorf("standard error: %q", stderr.String())
	}
}

func TestFileWords(t *testing.T) {
	_, missing := os.Open(filepath.Join(t.TempDir(), "none"))
	for _, test := range []struct {
		err  error
		want string
	}{
		{missing, "there is no file or folder \""},
		{fmt.Errorf("the image: %w", missing), "the image: open "},
		{&fs.PathError{Op: "open", Path: "x", Err: syscall.EACCES}, "you have no permission for \"x\""},
		{&fs.PathError{Op: "write", Path: "x", Err: syscall.EIO}, "\"x\": input/output error"},
		{errFull, "no space left on device"},
	} {
		if got := fileWords(test.err); !strings.HasPrefix(got, test.want) {
			t.Errorf("%v: %q, want %q", test.err, got, test.want)
		}
	}
}
