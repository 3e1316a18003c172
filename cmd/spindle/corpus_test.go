package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"spindle/check"
	"spindle/cue"
	"spindle/disc/cdsector"
	"spindle/image/audio"
	"spindle/image/toc"
	"spindle/internal/corpus"

	"github.com/google/go-cmp/cmp"
)

// infoOf is what "info --json" says of an image.
func infoOf(t *testing.T, path string) (infoResult, error) {
	t.Helper()
	var out bytes.Buffer
	status := run([]string{"info", "--json", path}, &out, io.Discard)
	var e struct {
		infoResult
		Error string `json:"error"`
	}
	lines := bytes.Split(bytes.TrimSpace(out.Bytes()), []byte("\n")) // notes, and the result
	if err := json.Unmarshal(lines[len(lines)-1], &e); err != nil {
		t.Fatalf("%s: %v: %s", path, err, out.Bytes())
	}
	if status != exitDone && status != exitDifferent { // that of an image that is cut, and opens
		return e.infoResult, fmt.Errorf("%s", e.Error)
	}
	return e.infoResult, nil
}

// Each file of the corpus opens, or is refused with a reason that is right.
func TestCorpusOpens(t *testing.T) {
	refused := map[string]string{
		"bad-file.toc": `line 8: there is no file "foo.bin"`,
		"bad-cat1.cue": "line 4", "bad-cat2.cue": "line 4", "bad-mode1.cue": "line 6", "bad-msf-1.cue": "line 7", "bad-msf-2.cue": "line 7",
		"bad-cat1.toc": "line 6", "bad-cat2.toc": "line 4", "bad-cat3.toc": "line 4", "bad-mode1.toc": "line 4",
		"bad-msf-1.toc": "line 6", "bad-msf-2.toc": "line 6", "bad-msf-3.toc": "line 6",
		"cdda.bin": "open the .cue", "p1.bin": "open the .cue",
		// They name places behind the end of their files (and cdrdao refuses them).
		"t10.toc": "line 7", "t2.toc": "line 5", "t3.toc": "line 5",
		"t4.toc": "line 7", "t5.toc": "line 7", "t6.toc": "line 7", "t7.toc": "line 6",
		// They state user data of a file that has whole sectors.
		"data2.toc": "line 7", "data5.toc": "line 8", "data6.toc": "line 8",
		"vcd_demo.toc": `line 5: there is no file "vcd_demo.bin"`,
		"kanye.cue":    `line 85: unknown track type "MODEx/2xxx"`,
	}
	for _, pattern := range []string{"libcdio/*", "cdrdao/*.toc", "whipper/*"} {
		for _, path := range corpus.Glob(t, pattern) {
			name := filepath.Base(path)
			_, err := infoOf(t, path)
			want := refused[name]
			if pattern == "cdrdao/*.toc" {
				want = ""
			}
			switch ext := filepath.Ext(name); {
			case ext == ".cdt" || strings.HasPrefix(name, "dBAR") || strings.HasSuffix(name, "_file"):
				want = "not a disc image"
			case pattern == "whipper/*" && want == "":
				want = "there is no file" // the sound is not part of the corpus
			}
			if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %q", name, err, want)
			}
		}
	}
}

// goldTrack is what "cdrdao show-toc" prints of a track.
type goldTrack struct {
	Mode                   string
	Start, Pregap, End     int
	Copy, Emphasis, Four   bool
	ISRC, Title, Performer string
}

var (
	goldPlace = regexp.MustCompile(`^(PREGAP|START|END)\s+\S+\(\s*(\d+)\)`)
	goldTitle = regexp.MustCompile(`^(TITLE|PERFORMER) "(.*)"$`)
)

// readGold reads a listing. Of texts in several languages it takes the first.
func readGold(t *testing.T, path string) (mcn, title, performer string, tracks []goldTrack) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		line = strings.TrimSpace(line)
		if rest, ok := strings.CutPrefix(line, "TRACK "); ok {
			_, mode, _ := strings.Cut(rest, "Mode ")
			tracks = append(tracks, goldTrack{Mode: strings.TrimSuffix(mode, ":")})
			continue
		}
		cur := new(goldTrack)
		if len(tracks) > 0 {
			cur = &tracks[len(tracks)-1]
		}
		if m := goldPlace.FindStringSubmatch(line); m != nil {
			n, _ := strconv.Atoi(m[2])
			*map[string]*int{"PREGAP": &cur.Pregap, "START": &cur.Start, "END": &cur.End}[m[1]] = n
		}
		if m := goldTitle.FindStringSubmatch(line); m != nil {
			text := strings.NewReplacer(`\\`, `\`, `\"`, `"`).Replace(m[2])
			into := map[string]*string{"TITLE": &cur.Title, "PERFORMER": &cur.Performer}[m[1]]
			if len(tracks) == 0 {
				into = map[string]*string{"TITLE": &title, "PERFORMER": &performer}[m[1]]
			}
			if *into == "" {
				*into = text
			}
		}
		switch {
		case strings.HasPrefix(line, "CATALOG NUMBER: "):
			mcn = strings.TrimPrefix(line, "CATALOG NUMBER: ")
		case strings.HasPrefix(line, "ISRC "):
			cur.ISRC = strings.ReplaceAll(strings.TrimPrefix(line, "ISRC "), " ", "")
		}
		cur.Copy = cur.Copy || line == "COPY PERMITTED"
		cur.Emphasis = cur.Emphasis || line == "PRE-EMPHASIS"
		cur.Four = cur.Four || line == "FOUR CHANNEL AUDIO"
	}
	return mcn, title, performer, tracks
}

// What info says of cdrdao's test files is what cdrdao itself says.
func TestGoldListings(t *testing.T) {
	for _, gold := range corpus.Glob(t, "cdrdao/gold/*.showtoc") {
		name := strings.TrimSuffix(filepath.Base(gold), ".showtoc")
		mcn, title, performer, want := readGold(t, gold)
		e, err := infoOf(t, corpus.Path(t, "cdrdao", name+".toc"))
		if err != nil {
			t.Error(err)
			continue
		}
		textOf := func(list []string, n int) string {
			if n < len(list) {
				return list[n]
			}
			return ""
		}
		var text infoText
		if len(e.CDText) > 0 {
			text = e.CDText[0]
		}
		var got []goldTrack
		for _, x := range e.Sessions[0].Tracks {
			got = append(got, goldTrack{
				Mode: x.Mode, Start: int(x.Start), Pregap: x.Pregap, End: int(x.Start) + x.Sectors, Copy: x.Copy,
				Emphasis: x.PreEmphasis, Four: x.FourChannel, ISRC: x.ISRC,
				Title: textOf(text.Title, x.Number), Performer: textOf(text.Performer, x.Number),
			})
		}
		for i := range want {
			mode := map[string]string{"AUDIO": "audio", "MODE1": "mode 1", "MODE2": "mode 2", "MODE2_FORM1": "mode 2", "MODE2_FORM2": "mode 2"}
			want[i].Mode = mode[strings.Fields(want[i].Mode)[0]]
		}
		if diff := cmp.Diff(want, got); diff != "" || mcn != e.MCN || title != textOf(text.Title, 0) || performer != textOf(text.Performer, 0) {
			t.Errorf("%s: %s\n%q %q %q, want %q %q %q", name, diff, e.MCN, text.Title, text.Performer, mcn, title, performer)
		}
	}
}

// sparseWave makes a WAVE file of silence that takes no place.
func sparseWave(t *testing.T, path string, sectors int) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	size := sectors * audio.SectorSize
	if err := os.WriteFile(path, audio.WaveHeader(uint32(size)), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, int64(44+size)); err != nil {
		t.Fatal(err)
	}
}

// The CUE sheets and TOC files that were made of the same discs by whipper, EAC and
// cdrdao say the same.
func TestSheetsAndTOCs(t *testing.T) {
	for sheet, table := range map[string]string{
		"bloc.cue": "bloc.toc", "breeders.cue": "breeders.toc", "cure.cue": "cure.toc",
		"strokes-someday.eac.cue": "strokes-someday.toc", "surferrosa.eac.single.cue": "surferrosa.toc",
		"surferrosa.eac.noncompliant.cue": "surferrosa.toc",
	} {
		dir := t.TempDir()
		for _, name := range []string{sheet, table} {
			b, err := os.ReadFile(corpus.Path(t, "whipper", name))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, name), b, 0o666); err != nil {
				t.Fatal(err)
			}
		}
		sparseWave(t, filepath.Join(dir, "data.wav"), lengthOfTOC(t, filepath.Join(dir, table)))
		want, err := infoOf(t, filepath.Join(dir, table))
		if err != nil {
			t.Error(err)
			continue
		}
		makeFilesOf(t, dir, sheet, want.Sessions[0].Tracks)
		got, err := infoOf(t, filepath.Join(dir, sheet))
		if err != nil {
			t.Error(err)
			continue
		}
		if want.MCN != got.MCN && got.MCN != "0000000000000" {
			t.Errorf("%s: MCN %q, want %q", sheet, got.MCN, want.MCN)
		}
		for _, list := range [][]infoTrack{want.Sessions[0].Tracks, got.Sessions[0].Tracks} {
			for i := range list {
				if list[i].ISRC == "000000000000" { // what EAC writes for none
					list[i].ISRC = ""
				}
			}
		}
		if diff := cmp.Diff(want.Sessions, got.Sessions); diff != "" {
			t.Errorf("%s: %s", sheet, diff)
		}
	}
}

// lengthOfTOC returns how many sectors of its only file a TOC file needs.
func lengthOfTOC(t *testing.T, path string) int {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	parsed, err := toc.Parse(f)
	if err != nil {
		t.Fatal(err)
	}
	end := 0
	for _, x := range parsed.Tracks {
		for _, p := range x.Pieces {
			if p.Name != "" {
				end = max(end, p.Start.Sectors+p.Length.Sectors)
			}
		}
	}
	return end
}

// makeFilesOf makes the files that a sheet names, as long as the disc makes them:
// one of the whole disc, or one from each INDEX 01 to the next.
func makeFilesOf(t *testing.T, dir, name string, tracks []infoTrack) {
	t.Helper()
	f, err := os.Open(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	sheet, err := cue.Parse(f)
	if err != nil {
		t.Fatal(err)
	}
	path := func(s string) string { return filepath.Join(dir, filepath.FromSlash(strings.ReplaceAll(s, `\`, "/"))) }
	end := func(i int) int { return int(tracks[i].Start) + tracks[i].Sectors }
	if len(sheet.Files) == 1 {
		sparseWave(t, path(sheet.Files[0].Name), end(len(tracks)-1)-sheet.Tracks[0].Pregap)
		return
	}
	for i, file := range sheet.Files {
		next := end(i)
		if i+1 < len(tracks) {
			next = int(tracks[i+1].Start)
		}
		sparseWave(t, path(file.Name), next-int(tracks[i].Start))
	}
}

// TRUTH.tsv: what bchunk makes of the images.
func TestTruth(t *testing.T) {
	b, err := os.ReadFile(corpus.Path(t, "TRUTH.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	truth := make(map[string]string) // by the name of bchunk's file
	for line := range strings.Lines(string(b)) {
		if f := strings.Split(strings.TrimSpace(line), "\t"); !strings.HasPrefix(line, "#") && len(f) == 4 {
			truth[strings.Fields(f[2])[0]] = f[3]
		}
	}
	for _, x := range []struct {
		in, out, truth string
		gap            int // sectors before the next track, which bchunk leaves out
		args           []string
	}{
		{"libcdio/isofs-m1.cue", "a.iso", "isofs-m1-01.iso", 0, nil},
		{"libcdio/cdda.cue", "b.wav", "cdda-01.wav", 0, nil},
		{"libcdio/p1.cue", "c.wav", "p1-01.wav", 75, []string{"--track", "1"}},
		{"libcdio/p1.cue", "d.wav", "p1-02.wav", 0, []string{"--track", "2"}},
	} {
		out := filepath.Join(dir, x.out)
		var stdout, stderr bytes.Buffer
		args := append([]string{"convert", corpus.Path(t, x.in), out, "--lossy"}, x.args...)
		if status := run(args, &stdout, &stderr); status != exitDone {
			t.Errorf("%s: %s", x.in, stderr.String())
			continue
		}
		if x.gap > 0 {
			cutWave(t, out, x.gap*cdsector.Size)
		}
		got := sha256Of(t, out)
		if got == truth[x.truth] {
			continue
		}
		st, err := os.Stat(out)
		if err != nil {
			t.Fatal(err)
		}
		t.Errorf("%s: %s (%d bytes), want %s", x.truth, got, st.Size(), truth[x.truth])
	}
}

// cutWave takes bytes of sound off the end of a WAVE file with a header of 44 bytes.
func cutWave(t *testing.T, path string, n int) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b = b[:len(b)-n]
	binary.LittleEndian.PutUint32(b[4:], uint32(len(b)-8))
	binary.LittleEndian.PutUint32(b[40:], uint32(len(b)-44))
	if err := os.WriteFile(path, b, 0o666); err != nil {
		t.Fatal(err)
	}
}

func sha256Of(t *testing.T, path string) string {
	t.Helper()
	sum, err := check.HashFile(t.Context(), path, check.SHA256, nil)
	if err != nil {
		t.Fatal(err)
	}
	return sum
}
