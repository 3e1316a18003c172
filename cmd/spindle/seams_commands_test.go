package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/image"
)

// look runs the commands that only say what is there, and extract.
func (s *seam) look() {
	s.honest(true, "verify", s.path)
	s.honest(true, "verify", "--no-hashes", s.path)
	unseen := s.flaw.read || s.kind == "flac" && s.flaw.name == "cut" // but by reading
	s.honest(!unseen, "info", s.path)
	for _, args := range [][]string{{"ls", s.path}, {"extract", s.path, "-C", s.file("files")}} {
		s.files(args)
	}
}

// files lists or extracts. Files that are not what they were must be named.
func (s *seam) files(args []string) {
	code, stdout, stderr := s.command(append(args, "--json")...)
	if args[0] == "ls" && s.flaw.read {
		return // it reads no files
	}
	named := map[string]bool{}
	for line := range strings.Lines(stdout) {
		var e struct {
			Path    string
			Sectors int      `json:"damaged_sectors"`
			Damaged []string `json:"damaged"`
		}
		if json.Unmarshal([]byte(line), &e) == nil {
			for _, d := range e.Damaged {
				named[d] = true
			}
			if e.Sectors > 0 {
				named[e.Path] = true
			}
		}
	}
	if args[0] == "ls" {
		for name := range named {
			if _, known := s.truth.files[name]; known && code == exitDone {
				s.t.Errorf("%s: %s is damaged, and the status is 0", s.shown(args), name)
			}
		}
		return
	}
	got, err := hashes(s.file("files"))
	if err != nil {
		return // there is nothing in it that can be read
	}
	for name, sum := range got {
		if sum == s.truth.files[name] {
			continue
		}
		if code == exitDone || !named[name] && s.flaw.name != "broken map" && !s.flaw.sum {
			s.t.Errorf("%s: %s is not what it was; status %d\n%s%s", s.shown(args), name, code, stdout, stderr)
		}
		if strings.HasSuffix(name, ".wav") {
			sheet := s.file("files/a.cue")
			s.must(os.WriteFile(sheet, fmt.Appendf(nil, "FILE %q WAVE\n  TRACK 01 AUDIO\n    INDEX 01 00:00:00\n", name), 0o666))
			if code, stdout, stderr := s.command("verify", sheet); code == exitDone {
				s.t.Errorf("%s: the file %s is called good\n%s%s", s.shown(args), name, stdout, stderr)
			}
		}
	}
}

// A seamTarget is what convert can make: of the whole disc, of its data track, or of songs.
var seamTargets = []struct{ name, holds string }{
	{"x.cue", "disc"}, {"x.cue --split", "disc"}, {"x.nrg", "disc"}, {"x.toc", "disc"}, {"x.ccd", "disc"},
	{"x.chd --codec zlib", "disc"}, {"x.mds", "disc"},
	{"x.iso", "data"}, {"x.iso --sector-size 2352", "data"}, {"x.iso --sector-size 2448", "data"},
	{"x.cso", "data"}, {"x.zso", "data"}, {"x.iso.ecm", "data"}, {"x.vhd", "data"}, {"x.dmg", "data"},
	{"x.wav --split", "songs"}, {"x.flac --split", "songs"},
}

// loses reports whether what is made has no place for sectors of the disc.
func (s *seam) loses(name string) bool { return name == "x.mds" && !s.truth.oneKind() }

// converts converts to everything, checking and not, and some of what is made once more.
func (s *seam) converts() {
	n := 0
	for _, target := range seamTargets {
		if target.holds == "data" && s.truth.data == nil || target.holds == "songs" && s.truth.audio == nil || s.loses(target.name) {
			continue
		}
		for _, check := range []string{"", " --no-check"} {
			n++
			made := s.convert(fmt.Sprintf("c%d", n), s.path, target.name+check, target.holds)
			if made == "" || target.holds != "disc" || s.r.IntN(4) > 0 || s.flaw.sum && check != "" {
				continue
			}
			again := seamTargets[s.r.IntN(len(seamTargets))]
			if again.holds == "disc" && !s.loses(again.name) {
				s.convert(fmt.Sprintf("c%d again", n), made, again.name, again.holds)
			}
		}
	}
}

// convert makes one image of another in a folder of its own, and judges it.
func (s *seam) convert(folder, from, target, holds string) string {
	words := strings.Fields(target)
	out := s.file(folder + "/" + words[0])
	s.must(os.MkdirAll(filepath.Dir(out), 0o777))
	args := append([]string{"convert", "--lossy", from, out}, words[1:]...)
	if code, _ := s.honest(false, args...); code != exitDone && code != exitDifferent {
		return ""
	}
	if holds == "songs" {
		out = s.sheet(out)
	}
	s.judge(args, out, holds)
	return out
}

// sheet names the songs that a file was split into in a sheet.
func (s *seam) sheet(out string) string {
	ext := filepath.Ext(out)
	files, err := filepath.Glob(filepath.Join(filepath.Dir(out), "*"+ext))
	s.must(err)
	slices.Sort(files)
	var text strings.Builder
	for i, f := range files {
		fmt.Fprintf(&text, "FILE %q WAVE\n  TRACK %02d AUDIO\n    INDEX 01 00:00:00\n", filepath.Base(f), i+1)
	}
	sheet := strings.TrimSuffix(out, ext) + ".cue"
	s.must(os.WriteFile(sheet, []byte(text.String()), 0o666))
	return sheet
}

// repairs makes repaired copies.
func (s *seam) repairs() {
	for i, name := range []string{"x.cue", "x.ccd", "x.iso"} {
		if name == "x.iso" && !s.truth.onlyData() {
			continue
		}
		out := s.file(fmt.Sprintf("r%d/%s", i, name))
		s.must(os.MkdirAll(filepath.Dir(out), 0o777))
		args := []string{"verify", s.path, "--lossy", "--repair", out}
		if slices.Contains([]string{"iso", "ecm", "cso", "zso", "dmg", "vhd", "iso.gz", "iso.zst", "iso in xz"}, s.kind) {
			continue // no sector of it has parity
		}
		s.honest(true, args...)
		if _, err := os.Stat(out); err == nil {
			s.judge(args, out, map[bool]string{true: "data", false: "disc"}[name == "x.iso"])
		}
	}
}

// rips rips the image as the disc of a simulated drive, as an attached one has it. A disc
// has no checksum beside it.
func (s *seam) rips() {
	if s.flaw.sum {
		return
	}
	for i, args := range [][]string{{"x.cue"}, {"x.cue", "--split", "--sub"}, {"x.cue", "--once"}, {"x.iso"}} {
		holds := "disc"
		if args[0] == "x.iso" {
			if holds = "data"; !s.truth.onlyData() {
				continue
			}
		}
		out := s.file(fmt.Sprintf("rip%d/%s", i, args[0]))
		s.must(os.MkdirAll(filepath.Dir(out), 0o777))
		args = append([]string{"rip", out, "--retries", "0", "-d", "sim:" + s.path + "?media=cd-rom"}, args[1:]...)
		s.honest(false, args...)
		if _, err := os.Stat(out); err == nil {
			s.judge(args, out, holds)
		}
	}
}

// burns burns the image, also where that must be forced, and rips the copy.
func (s *seam) burns() {
	s.burn("b0", false, "cd-r")
	s.burn("b1", true, "cd-r")
	s.burn("b2", true, "cd-rw", "--mode", "tao")
	s.burn("b3", true, "cd-r", "--mode", "raw")
	if s.truth.onlyData() {
		s.burn("b4", false, "dvd+r")
		s.burn("b5", true, "dvd+rw")
	}
}

func (s *seam) burn(folder string, force bool, media string, more ...string) {
	ext, holds := ".cue", "disc"
	if strings.HasPrefix(media, "dvd") {
		ext, holds = ".iso", "data"
	}
	on := s.file(folder + "/disc" + ext)
	s.must(os.MkdirAll(filepath.Dir(on), 0o777))
	drive := "sim:" + on + "?media=" + media
	args := append([]string{"burn", s.path, "--no-journal", "-d", drive}, more...)
	if force {
		args = append(args, "--force")
	}
	code, stdout := s.honest(!force, args...)
	if code == exitUsage && slices.Contains(more, "tao") {
		return // which cannot write pregaps, for one
	}
	if code != exitDone {
		noSync := s.flaw.name == "skipped" && slices.Contains(more, "raw") // no drive reads back a sector without its sync pattern
		if force && !s.flaw.quiet && code == exitDifferent && !noSync {
			s.t.Errorf("%s: --force does not burn it", s.shown(args))
		}
		return
	}
	if force && !s.flaw.quiet {
		if !strings.Contains(stdout, "damage") {
			s.t.Errorf("%s: does not say what it burned\n%s", s.shown(args), stdout)
		}
		return // who forced it was told
	}
	s.judge(args, on, holds)
	rip := s.file(folder + "/x" + ext)
	again := []string{"rip", rip, "-d", "sim:" + on}
	s.honest(false, again...)
	s.judge(again, rip, holds)
}

// failedBurn burns the image, which is good yet, on a drive that disappears.
func (s *seam) failedBurn() string {
	if s.r.IntN(3) > 0 {
		return ""
	}
	drive := "sim:" + s.file("failed.cue")
	if code, _, stderr := s.command("burn", s.path, "-d", drive+"?media=cd-rw&fault=2A:4:gone"); code != exitBurnFailed {
		s.must(fmt.Errorf("the burn ends with %d\n%s", code, stderr))
	}
	return drive
}

// reburns resumes the burn of the image that has the flaw now.
func (s *seam) reburns(drive string) {
	if drive == "" {
		return
	}
	args := []string{"reburn", "-d", drive}
	if code, _ := s.honest(true, args...); code == exitDone {
		s.judge(args, s.file("failed.cue"), "disc")
	}
}

// judge reports an output that verify calls good although it is not what it was.
func (s *seam) judge(by []string, out, holds string) {
	if _, err := os.Stat(out); err != nil {
		return
	}
	s.count.judged++
	code, stdout, _ := s.command("verify", "--no-hashes", out)
	if code != exitDone {
		if s.flaw.name == "none" {
			s.t.Errorf("%s: verify of the result ends with %d\n%s", s.shown(by), code, stdout)
		}
		return
	}
	if s.flaw.sum && slices.Contains(by, "--no-check") {
		return // which does not look at checksums
	}
	s.count.good++
	img, err := image.Open(s.t.Context(), out)
	s.must(err)
	defer img.Close()
	if at, ok := s.same(img, holds); !ok {
		s.t.Errorf("%s: sector %d is not what it was, and verify calls the result good\n%s", s.shown(by), at, stdout)
	}
}

// same compares an image with what the disc held, or its data track, or its audio. It
// returns the first sector that differs.
func (s *seam) same(img disc.Image, holds string) (disc.LBA, bool) {
	l := img.Layout()
	shift, end := disc.LBA(0), s.truth.img.Layout().End()
	switch holds {
	case "data":
		shift, end = s.truth.data.Start, s.truth.data.End
	case "songs":
		shift = s.truth.audio.Begin()
		for _, t := range s.truth.img.Layout().Tracks() {
			if !t.Mode.IsData() {
				end = t.End
			}
		}
	}
	if l.End() < end-shift {
		return l.End(), false
	}
	was := make([]byte, cdsector.Size)
	is := make([]byte, l.Medium.SectorSize())
	for a := shift; a < end; a++ {
		s.must(s.truth.img.ReadSectors(s.t.Context(), was, a))
		s.must(img.ReadSectors(s.t.Context(), is, a-shift))
		want := was
		if len(is) == cdsector.UserSize {
			want = was[16 : 16+cdsector.UserSize]
		}
		if !bytes.Equal(is, want) {
			return a - shift, false
		}
	}
	return 0, true
}
