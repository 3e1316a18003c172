package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"spindle/disc/discid"
	"spindle/image"
	"spindle/lookup"
)

// A library has one disc, as all three databases have it.
type library struct {
	dir   string            // with album.cue, the disc
	files map[string][]byte // by the names under which answers are kept

	mu    sync.Mutex
	asked []string
}

func newLibrary(t *testing.T) *library {
	t.Helper()
	for _, name := range []string{"XDG_STATE_HOME", "XDG_CONFIG_HOME"} {
		t.Setenv(name, t.TempDir())
	}
	l := &library{dir: t.TempDir()}
	if err := mkalbum(l.dir, "album", 0); err != nil {
		t.Fatal(err)
	}
	disc := filepath.Join(l.dir, "album.cue")
	var err error
	if l.files, err = responses(t.Context(), disc, "10", 4, 8); err != nil {
		t.Fatal(err)
	}
	img, err := image.Open(t.Context(), disc)
	if err != nil {
		t.Fatal(err)
	}
	defer img.Close()
	ids, err := discid.Of(img.Layout())
	if err != nil {
		t.Fatal(err)
	}
	var tracks []string
	for n := range 4 {
		tracks = append(tracks, fmt.Sprintf(`{"position":%d,"title":"Song %c","recording":{"id":"rec%d"}}`, n+1, 'A'+n, n+1))
	}
	l.files["musicbrainz-"+ids.MusicBrainz+".json"] = fmt.Appendf(nil, `{"id":%q,"releases":[{"id":"rel","title":"Hits / More","date":"2001",
		"artist-credit":[{"name":"Band"}],"media":[{"position":1,"discs":[{"id":%[1]q}],"tracks":[%s]}]}]}`, ids.MusicBrainz, strings.Join(tracks, ","))
	return l
}

// asking is a client of three such servers: one would have to be asked slowly.
func asking(t *testing.T, h http.Handler) *lookup.Client {
	t.Helper()
	var urls [3]string
	for i := range urls {
		s := httptest.NewServer(h)
		t.Cleanup(s.Close)
		urls[i] = s.URL
	}
	return &lookup.Client{AccurateRipServer: urls[0], CTDBServer: urls[1], MusicBrainzServer: urls[2]}
}

// ServeHTTP implements [http.Handler].
func (l *library) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	base := path.Base(r.URL.Path)
	l.asked = append(l.asked, base)
	for name, b := range l.files {
		if name == base || name == "ctdb-"+base+".parity" || name == "musicbrainz-"+base+".json" ||
			base == "lookup2.php" && strings.HasSuffix(name, ".xml") {
			w.Write(b)
			return
		}
	}
	http.NotFound(w, r)
}

// spindle runs a command that asks it.
func (l *library) spindle(t *testing.T, status int, args ...string) string {
	t.Helper()
	return spindleAsking(t, asking(t, l), status, args...)
}

// spindleAsking runs a command with other databases.
func spindleAsking(t *testing.T, c *lookup.Client, status int, args ...string) string {
	t.Helper()
	var out bytes.Buffer
	a := newApp(&out, &out)
	c.UserAgent, a.databases = a.databases.UserAgent, c
	if got := a.perform(t.Context(), args); got != status {
		t.Errorf("%q: exit status %d, want %d\n%s", args, got, status, out.String())
	}
	return strings.Join(strings.Fields(out.String()), " ") // without line breaks
}

// questions returns how many were asked since it was called last.
func (l *library) questions() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer func() { l.asked = nil }()
	return len(l.asked)
}

// kept checks which answers are in a folder, as they came.
func (l *library) kept(t *testing.T, dir string, suffixes ...string) {
	t.Helper()
	for name, want := range l.files {
		got, err := os.ReadFile(filepath.Join(dir, name))
		switch wanted := slices.Contains(suffixes, filepath.Ext(name)); {
		case wanted && !bytes.Equal(got, want):
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		case !wanted && err == nil:
			t.Errorf("%s is there", name)
		}
	}
}

func has(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("no %q in:\n%s", p, text)
		}
	}
}

func TestLookupRip(t *testing.T) {
	l := newLibrary(t)
	t.Chdir(t.TempDir())
	drive := "sim:" + filepath.Join(l.dir, "album.cue")
	out := l.spindle(t, 0, "rip", "--lookup", "-d", drive)
	const dir = "Band - Hits - More"
	has(t, out, "The names are those of MusicBrainz: \"Hits / More\" by Band (2001).", dir+": 4 songs", "04 - Song D.flac AccurateRip v2, confidence 4 of 34; AccurateRip v1, confidence 30 of 34")
	l.kept(t, dir, ".bin", ".xml", ".json")
	log, err := os.ReadFile(filepath.Join(dir, dir+".log"))
	if err != nil {
		t.Fatal(err)
	}
	has(t, string(log), "MusicBrainz release: rel\n", "database: dBAR-", "database: ctdb-", "database: musicbrainz-")
	if n := l.questions(); n != 3 {
		t.Errorf("%d questions", n)
	}

	// What is there is used, and not asked for, whether --lookup is given or not.
	for _, flags := range [][]string{{"--lookup"}, {}} {
		out = l.spindle(t, 0, append([]string{"rip", dir + "/", "--force", "-d", drive}, flags...)...)
		has(t, out, "01 - Song A.flac AccurateRip")
		has(t, l.spindle(t, 0, append([]string{"verify", dir}, flags...)...), "accurately ripped (v2, confidence 4 of 34; v1, confidence 30 of 34)")
	}
	if n := l.questions(); n != 0 {
		t.Errorf("%d questions", n)
	}
}

// --tags stands over MusicBrainz. What is there but of no use stays, and is not asked for.
// A rip that is resumed offline goes on in the folder that the lookup had named.
func TestLookupResumes(t *testing.T) {
	l := newLibrary(t)
	t.Chdir(t.TempDir())
	drive := "sim:" + filepath.Join(l.dir, "album.cue")
	const dir = "Band - Hits - More"
	l.spindle(t, 4, "rip", "--lookup", "--retries", "1", "-d", drive+"?fault=lost:300-390")
	out := spindleAsking(t, &lookup.Client{Transport: noNetwork{t}}, 0, "rip", "-d", drive)
	has(t, out, dir+": 4 songs", "01 - Song A.flac")
	if all, err := os.ReadDir("."); err != nil || len(all) != 1 {
		t.Errorf("%v, %v", all, err)
	}
}

// The parity of CTDB is asked for where a disc is not what the databases have, and kept.
func TestLookupRepairs(t *testing.T) {
	l := newLibrary(t)
	t.Chdir(t.TempDir())
	out := l.spindle(t, 0, "rip", "Out/", "--lookup", "-d", "sim:"+filepath.Join(l.dir, "album.cue")+"?fault=lost:300-310")
	has(t, out, "CTDB, 6468 samples repaired, confidence 10 of 10")
	l.kept(t, "Out", ".bin", ".xml", ".json", ".parity")
	if n := l.questions(); n != 4 {
		t.Errorf("%d questions", n)
	}
}

func TestLookupConvert(t *testing.T) {
	l := newLibrary(t)
	dir := t.TempDir()
	tags, out := filepath.Join(dir, "tags.txt"), filepath.Join(dir, "Out")
	if err := os.WriteFile(tags, []byte("[2]\nTITLE=Mine\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(out, 0o777); err != nil {
		t.Fatal(err)
	}
	var broken string
	for name := range l.files {
		if filepath.Ext(name) == ".xml" {
			broken = filepath.Join(out, name)
		}
	}
	if err := os.WriteFile(broken, []byte("<html>"), 0o666); err != nil {
		t.Fatal(err)
	}
	text := l.spindle(t, 0, "convert", filepath.Join(l.dir, "album.cue"), out, "--lookup", "--tags", tags)
	has(t, text, "01 - Song A.flac", "02 - Mine.flac", "Remove it, and --lookup asks again.", "AccurateRip v2")
	l.files[filepath.Base(broken)] = []byte("<html>")
	l.kept(t, out, ".bin", ".xml", ".json")
	if n := l.questions(); n != 2 {
		t.Errorf("%d questions", n)
	}
}

// verify asks for parity only where it repairs.
func TestLookupVerify(t *testing.T) {
	l := newLibrary(t)
	album, whole := filepath.Join(l.dir, "album.cue"), filepath.Join(l.dir, "whole.cue")
	has(t, l.spindle(t, 0, "verify", album, "--lookup"), "accurately ripped (v2, confidence 4 of 34; v1, confidence 30 of 34)", "track 4")
	l.kept(t, l.dir, ".bin", ".xml")
	if n := l.questions(); n != 2 {
		t.Errorf("%d questions", n)
	}
	bin := filepath.Join(l.dir, "album.bin")
	right, err := os.ReadFile(bin)
	if err != nil {
		t.Fatal(err)
	}
	wrong := bytes.Clone(right)
	wrong[300*2352] ^= 0xFF
	if err := os.WriteFile(bin, wrong, 0o666); err != nil {
		t.Fatal(err)
	}
	l.spindle(t, 0, "verify", album, "--lookup")
	if n := l.questions(); n != 0 {
		t.Errorf("%d questions", n)
	}
	has(t, l.spindle(t, 5, "verify", album, "--lookup", "--repair", whole), "the damage is repaired")
	l.kept(t, l.dir, ".bin", ".xml", ".parity")
	if got, err := os.ReadFile(filepath.Join(l.dir, "whole.bin")); !bytes.Equal(got, right) {
		t.Errorf("the copy is another: %v", err)
	}
}

// Whatever the databases do, the work goes on, and nothing of no use is kept.
func TestLookupFails(t *testing.T) {
	l := newLibrary(t)
	for name, test := range map[string]struct {
		answer http.HandlerFunc
		says   string
	}{
		"absent":   {http.NotFound, "AccurateRip does not have this disc. note: CTDB does not have this disc."},
		"broken":   {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }, "AccurateRip could not be asked (no usable answer: status 500). The work continues without it."},
		"page":     {func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<html><body>Log in") }, "CTDB could not be asked (no usable answer: a web page)."},
		"hangs up": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "AccurateRip could not be asked (no usable answer: it ends in the middle)."},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for _, args := range [][]string{
				{"rip", filepath.Join(dir, "Ripped") + "/", "-d", "sim:" + filepath.Join(l.dir, "album.cue")},
				{"convert", filepath.Join(l.dir, "album.cue"), filepath.Join(dir, "Converted") + "/"},
				{"verify", filepath.Join(l.dir, "album.cue")},
			} {
				has(t, spindleAsking(t, asking(t, test.answer), 0, append(args, "--lookup")...), test.says)
			}
			for _, d := range []string{l.dir, filepath.Join(dir, "Ripped"), filepath.Join(dir, "Converted")} {
				l.kept(t, d)
			}
		})
	}
}

// noNetwork is a network that must not be used.
type noNetwork struct{ t *testing.T }

// RoundTrip implements [http.RoundTripper].
func (n noNetwork) RoundTrip(r *http.Request) (*http.Response, error) {
	n.t.Errorf("asked for %s", r.URL)
	return nil, errors.New("no network")
}

// Without --lookup, no connection is made; nor for what is no audio CD.
func TestNoLookup(t *testing.T) {
	l := newLibrary(t)
	album, dir := filepath.Join(l.dir, "album.cue"), t.TempDir()
	iso := filepath.Join(dir, "data.iso")
	if err := os.WriteFile(iso, make([]byte, 200*2048), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"rip", filepath.Join(dir, "Ripped") + "/", "-d", "sim:" + album},
		{"rip", filepath.Join(dir, "a.cue"), "-d", "sim:" + album},
		{"convert", album, filepath.Join(dir, "Converted") + "/"},
		{"verify", album},
		{"verify", filepath.Join(dir, "Converted")},
		{"verify", album, "--repair", filepath.Join(dir, "b.cue")},
		{"info", "-d", "sim:" + album},
		{"verify", iso, "--lookup"},
	} {
		spindleAsking(t, &lookup.Client{Transport: noNetwork{t}}, 0, args...)
	}
}
