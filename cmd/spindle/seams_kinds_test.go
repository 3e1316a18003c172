package main

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/image/mapfile"
	"spindle/internal/testdisc/testcdi"
	"spindle/internal/testdisc/testscram"
)

// A seamKind is a format, and how it is made: by convert, or of what convert makes.
type seamKind struct {
	name, out string
	args      []string
	of        func(x *truth) bool
	pack      string                  // the suffix of what packs the file with the sectors
	make      func(s *seam) (ok bool) // makes s.path in convert's place
	only      string                  // the one flaw that is made in it, or "" for all
}

var seamKinds = []seamKind{
	{name: "cue", out: "a.cue"},
	{name: "tracks", out: "a.cue", args: []string{"--split"}},
	{name: "nrg", out: "a.nrg"},
	{name: "toc", out: "a.toc"},
	{name: "ccd", out: "a.ccd"},
	{name: "mds", out: "a.mds", of: (*truth).oneKind},
	{name: "chd", out: "a.chd", args: []string{"--codec", "zlib"}},
	{name: "iso", out: "a.iso", of: (*truth).onlyData},
	{name: "raw", out: "a.iso", args: []string{"--sector-size", "2352"}, of: (*truth).onlyData},
	{name: "sub", out: "a.iso", args: []string{"--sector-size", "2448"}, of: (*truth).onlyData},
	{name: "cso", out: "a.cso", of: (*truth).onlyData},
	{name: "zso", out: "a.zso", of: (*truth).onlyData},
	{name: "ecm", out: "a.iso.ecm", of: (*truth).onlyData},
	{name: "vhd", out: "a.vhd", of: (*truth).onlyData},
	{name: "dmg", out: "a.dmg", of: (*truth).onlyData},
	{name: "wav", out: "a.wav", args: []string{"--split"}, of: (*truth).onlyAudio},
	{name: "flac", out: "a.flac", args: []string{"--split"}, of: (*truth).onlyAudio},
	{name: "iso.zst", out: "a.iso.zst", of: (*truth).onlyData},
	{name: "iso.gz", out: "a.iso.gz", of: (*truth).onlyData},
	{name: "iso in xz", out: "a.iso", of: (*truth).onlyData, pack: ".xz"},
	{name: "raw in gz", out: "a.iso", args: []string{"--sector-size", "2352"}, of: (*truth).onlyData, pack: ".gz"},
	{name: "raw in zst", out: "a.iso", args: []string{"--sector-size", "2352"}, of: (*truth).onlyData, pack: ".zst"},
	{name: "raw in bz2", out: "a.iso", args: []string{"--sector-size", "2352"}, of: (*truth).onlyData, pack: ".bz2"},
	{name: "nrg in xz", out: "a.nrg", pack: ".xz"},
	{name: "cue with gz", out: "a.cue", pack: ".gz"},
	{name: "cdi", make: (*seam).makeCDI},
	// With a write offset a sector of a dump lies in two of the disc: damage is put in as the dump states it.
	{name: "scram", make: func(s *seam) bool { return s.makeDump() }, only: "skipped"},
}

func (x *truth) onlyData() bool  { return x.audio == nil }
func (x *truth) onlyAudio() bool { return x.data == nil }

// oneKind: between data and audio, an .mds loses what is in the gap, and --lossy allows that.
func (x *truth) oneKind() bool { return x.onlyData() || x.onlyAudio() }

// begin makes the image, and reports whether it can.
func (s *seam) begin() bool {
	k := seamKinds[slices.IndexFunc(seamKinds, func(k seamKind) bool { return k.name == s.kind })]
	if k.make != nil {
		return k.make(s)
	}
	out := s.file(k.out)
	if k.pack != "" {
		s.must(os.MkdirAll(s.file("plain"), 0o777))
		out = s.file("plain/" + k.out)
	}
	if code, _, stderr := runSeam(append([]string{"convert", "-q", "--lossy", s.truth.path, out}, k.args...)...); code != exitDone {
		s.must(fmt.Errorf("cannot be made: %s", stderr))
	}
	s.path = out
	if s.kind == "wav" || s.kind == "flac" {
		s.path = s.sheet(out)
	}
	if k.pack == "" {
		return true
	}
	s.plain = out
	return s.packed(k.pack)
}

// damage damages the image, and reports whether that is possible. What is packed is damaged before it is.
func (s *seam) damage() bool {
	if s.plain == "" || s.flaw.name == "cut" {
		return s.flaw.make(s)
	}
	suffix := filepath.Ext(s.largestIn(s.dir))
	path := s.path
	sum := sumLine(s, s.largestIn(s.dir))
	s.path = s.plain
	if !s.flaw.make(s) {
		return false
	}
	s.path = path
	if b, err := os.ReadFile(s.plain + mapfile.Suffix); err == nil {
		s.must(os.WriteFile(s.path+mapfile.Suffix, b, 0o666))
	}
	if s.flaw.sum {
		os.Remove(s.file("SHA256SUMS"))
		s.must(os.WriteFile(s.path+".sha256", []byte(sum), 0o666))
	}
	return s.packed(suffix)
}

func sumLine(s *seam, path string) string {
	b, err := os.ReadFile(path)
	s.must(err)
	return fmt.Sprintf("%x *%s\n", sha256.Sum256(b), filepath.Base(path))
}

// largestIn is the largest file of a folder.
func (s *seam) largestIn(dir string) (path string) {
	entries, err := os.ReadDir(dir)
	s.must(err)
	most := int64(-1)
	for _, e := range entries {
		if st, err := e.Info(); err == nil && st.Mode().IsRegular() && st.Size() > most {
			path, most = filepath.Join(dir, e.Name()), st.Size()
		}
	}
	return path
}

// packed packs what is plain. It reports whether it can.
func (s *seam) packed(suffix string) bool {
	dir := filepath.Dir(s.plain)
	large := s.largestIn(dir)
	entries, err := os.ReadDir(dir)
	s.must(err)
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		s.must(err)
		to := s.file(e.Name())
		switch {
		case e.Name() == filepath.Base(large):
			to += suffix
			if b = packIn(suffix, b); b == nil {
				return false
			}
			if large == s.plain {
				s.path = to
			}
		case filepath.Ext(to) == ".cue":
			b = bytes.Replace(b, []byte(filepath.Base(large)), []byte(filepath.Base(large)+suffix), 1)
			s.path = to
		case filepath.Ext(to) == mapfile.Suffix, strings.Contains(strings.ToLower(to), "sha256"):
			continue
		}
		s.must(os.WriteFile(to, b, 0o666))
	}
	return true
}

// packIn packs bytes, or returns nil where nothing does.
func packIn(suffix string, b []byte) []byte {
	var out bytes.Buffer
	var w io.WriteCloser
	var err error
	switch suffix {
	case ".gz":
		w = gzip.NewWriter(&out)
	case ".zst":
		w, err = zstd.NewWriter(&out)
	case ".xz":
		w, err = xz.NewWriter(&out)
	default:
		cmd := exec.Command("bzip2", "-c")
		cmd.Stdin, cmd.Stdout = bytes.NewReader(b), &out
		if cmd.Run() != nil {
			return nil // it is not installed
		}
		return out.Bytes()
	}
	if err != nil {
		return nil
	}
	if _, err := w.Write(b); err != nil || w.Close() != nil {
		return nil
	}
	return out.Bytes()
}

// makeCDI makes an image of DiscJuggler.
func (s *seam) makeCDI() bool {
	l := s.truth.img.Layout()
	if len(l.Sessions) > 1 {
		return false
	}
	sectors := make([]byte, 150*cdsector.Size)
	var tracks []testcdi.Track
	for i, t := range l.Tracks() {
		pregap := uint32(t.Pregap)
		if i == 0 {
			pregap = 150
		}
		made := testcdi.Track{Lengths: []uint32{pregap, uint32(t.End - t.Start)}, Start: uint32(t.Start) + 150 - pregap, ReadMode: 2}
		if t.Mode.IsData() {
			made.Mode, made.Control = 1, 4
		}
		tracks = append(tracks, made)
		b := make([]byte, int(t.End-t.Begin())*cdsector.Size)
		for n := range int(t.End - t.Begin()) {
			s.must(s.truth.img.ReadSectors(s.t.Context(), b[n*cdsector.Size:(n+1)*cdsector.Size], t.Begin()+disc.LBA(n)))
		}
		sectors = append(sectors, b...)
	}
	s.path = s.file("a.cdi")
	s.must(os.WriteFile(s.path, testcdi.File(testcdi.Version35, 0x98, sectors, "", tracks), 0o666))
	return true
}

// makeDump makes a raw dump, of which some sectors were skipped.
func (s *seam) makeDump(skipped ...disc.LBA) bool {
	d := testscram.Dump{Suffix: ".scram", Offset: s.r.IntN(3)*6 - 6, Full: true, Skipped: skipped}
	path, err := d.Write(s.t.Context(), s.truth.img, s.dir)
	s.must(err)
	s.path = path
	return true
}

// skipped dumps the disc again, with sectors that were not read.
func (s *seam) skipped() bool {
	if s.kind != "scram" {
		return false
	}
	at := disc.LBA(20 + s.r.IntN(200))
	return s.makeDump(at, at+1)
}
