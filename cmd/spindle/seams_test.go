package main

import (
	"bytes"
	"crypto/sha256"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/image"
	"spindle/image/mapfile"
	"spindle/internal/testdisc"
)

var (
	seamSeed = flag.Uint64("seams-seed", 1, "the seed of the seam campaign; 0: another each time")
	// All images are some 17,000 command lines, which take minutes.
	seamShare = flag.Int("seams-share", 150, "the share of the images of the seam campaign to take: one in so many")
	seamOnly  = flag.String("seams-only", "", "only the cases of the seam campaign whose names begin so")
)

// Every format with every flaw goes through every command: no output that holds a wrong
// sector may be called good by a later command.
func TestSeams(t *testing.T) {
	seed := *seamSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("-seams-seed %d", seed)
	dir := t.TempDir()
	t.Setenv("XDG_STATE_HOME", filepath.Join(dir, "state"))
	truths := map[string]*truth{}
	for _, name := range []string{"iso", "demo", "cdtext"} {
		truths[name] = newTruth(t, dir, name)
	}
	subjects := seamSubjects(truths)
	r := rand.New(rand.NewPCG(seed, 0))
	r.Shuffle(len(subjects), func(i, j int) { subjects[i], subjects[j] = subjects[j], subjects[i] })
	if *seamOnly == "" {
		subjects = subjects[:len(subjects) / *seamShare]
	}
	queue := make(chan *seam)
	var wg sync.WaitGroup
	var mu sync.Mutex
	count := seamCount{}
	for range 4 {
		wg.Go(func() {
			for s := range queue {
				s.t, s.dir, s.r = t, filepath.Join(dir, s.name), rand.New(rand.NewPCG(seed, nameSeed(s.name)))
				s.all()
				mu.Lock()
				count.add(&s.count)
				mu.Unlock()
				os.RemoveAll(s.dir)
			}
		})
	}
	for _, s := range subjects {
		queue <- s
	}
	close(queue)
	wg.Wait()
	t.Logf("%d images, %d commands, %d outputs judged, of which %d were called good", len(subjects), count.commands, count.judged, count.good)
	if *seamOnly == "" && count.commands**seamShare < 3000 {
		t.Error("this tests too little")
	}
}

// nameSeed makes a seed of a name.
func nameSeed(name string) uint64 {
	sum := sha256.Sum256([]byte(name))
	return uint64(sum[0])<<24 | uint64(sum[1])<<16 | uint64(sum[2])<<8 | uint64(sum[3])
}

// seamCount counts what was tried.
type seamCount struct{ commands, judged, good int }

func (c *seamCount) add(o *seamCount) {
	c.commands, c.judged, c.good = c.commands+o.commands, c.judged+o.judged, c.good+o.good
}

// truth is a disc as it was.
type truth struct {
	path  string
	img   disc.Image
	files map[string][32]byte // hashes of what is extracted of it
	data  *disc.Track         // or nil
	audio *disc.Track         // the first, or nil
}

func newTruth(t *testing.T, dir, name string) *truth {
	path, err := testdisc.Make(dir, name)
	if err == nil && strings.HasSuffix(path, ".iso") {
		sheet := filepath.Join(dir, name+".cue")
		if code, _, stderr := runSeam("convert", "-q", path, sheet); code != exitDone {
			t.Fatal(stderr)
		}
		path = sheet
	}
	if err != nil {
		t.Fatal(err)
	}
	img, err := image.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { img.Close() })
	x := &truth{path: path, img: img}
	for _, tr := range img.Layout().Tracks() {
		if tr.Mode.IsData() && x.data == nil {
			x.data = tr
		}
		if !tr.Mode.IsData() && x.audio == nil {
			x.audio = tr
		}
	}
	files := filepath.Join(dir, name+" files")
	if code, _, stderr := runSeam("extract", "-q", path, "-C", files); code != exitDone {
		t.Fatal(stderr)
	}
	if x.files, err = hashes(files); err != nil {
		t.Fatal(err)
	}
	return x
}

// hashes hashes the files of a folder.
func hashes(dir string) (map[string][32]byte, error) {
	all := map[string][32]byte{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || strings.HasSuffix(path, mapfile.Suffix) {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		all[filepath.ToSlash(name)] = sha256.Sum256(b)
		return err
	})
	return all, err
}

// runSeam runs one command line in this process.
func runSeam(args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = run(args, &out, &errs)
	return code, out.String(), errs.String()
}

// A seam is an image in one format with one flaw, on its way through the commands.
type seam struct {
	t     *testing.T
	r     *rand.Rand
	dir   string
	name  string // disc, format, flaw
	truth *truth
	kind  string // of the format
	flaw  seamFlaw
	path  string
	count seamCount
	plain string // the main file of what is packed in path, or ""
}

// A seamFlaw is one way in which an image is known not to be right.
type seamFlaw struct {
	name string
	// make damages the image, and reports whether that is possible.
	make func(s *seam) bool
	// quiet: what the sectors hold is right all the same.
	quiet bool
	// read: nothing but reading the sectors shows it; sum: nothing but the files.
	read, sum bool
	says      string // in a note of each command
}

var seamFlaws = []seamFlaw{
	{name: "unread", make: func(s *seam) bool { return s.mapped(mapfile.Bad) }},
	{name: "not tried", make: func(s *seam) bool { return s.mapped(mapfile.NonTried) }},
	{name: "read with errors", make: func(s *seam) bool { return s.mapped(mapfile.ReadWithErrors) }},
	{name: "wrong EDC", make: (*seam).wrongEDC, read: true},
	{name: "cut", make: (*seam).cut},
	{name: "wrong sum", make: (*seam).wrongSum, read: true, sum: true},
	{name: "broken map", make: (*seam).brokenMap},
	{name: "no sub-channel", make: (*seam).noSub, quiet: true, says: "a.sub is missing"},
	{name: "short sub-channel", make: (*seam).shortSub, quiet: true, says: "a.sub is incomplete"},
	{name: "skipped", make: (*seam).skipped},
	{name: "none", make: func(*seam) bool { return true }, quiet: true},
}

// seamSubjects are all images.
func seamSubjects(truths map[string]*truth) []*seam {
	var all []*seam
	for _, disc := range slices.Sorted(maps.Keys(truths)) {
		for _, k := range seamKinds {
			for _, f := range seamFlaws {
				name := disc + " " + k.name + " " + f.name
				if (k.of == nil || k.of(truths[disc])) && (k.only == "" || k.only == f.name) && strings.HasPrefix(name, *seamOnly) {
					all = append(all, &seam{name: name, truth: truths[disc], kind: k.name, flaw: f})
				}
			}
		}
	}
	return all
}

// fatal stops what is done with this image.
type seamFatal struct{}

func (s *seam) must(err error) {
	if err != nil {
		s.t.Errorf("%s: %v", s.name, err)
		panic(seamFatal{})
	}
}

// command runs a command, and reports one that ends in no way that it should.
func (s *seam) command(args ...string) (code int, stdout, stderr string) {
	s.count.commands++
	code, stdout, stderr = runSeam(append(args, "-q")...)
	return code, stdout, stderr
}

// shown is a command line as a report shows it.
func (s *seam) shown(args []string) string {
	return s.name + ": " + strings.ReplaceAll(strings.Join(args, " "), s.dir+"/", "")
}

// honest runs a command that must not end with 0 when it sees the flaw.
func (s *seam) honest(sees bool, args ...string) (code int, stdout string) {
	code, stdout, stderr := s.command(args...)
	if slices.Contains(args, s.path) && !strings.Contains(stderr, s.flaw.says) {
		s.t.Errorf("%s: does not say %q\n%s", s.shown(args), s.flaw.says, stderr)
	}
	if sees && !s.flaw.quiet && code == exitDone {
		s.t.Errorf("%s: ends with 0\n%s%s", s.shown(args), stdout, stderr)
	}
	if s.flaw.name == "none" && code != exitDone && !slices.Contains(args, "tao") {
		s.t.Errorf("%s: ends with %d\n%s%s", s.shown(args), code, stdout, stderr)
	}
	return code, stdout
}

func (s *seam) file(name string) string { return filepath.Join(s.dir, name) }

// all makes the image, damages it, and takes it through the commands.
func (s *seam) all() {
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(seamFatal); !ok {
				panic(r)
			}
		}
	}()
	s.must(os.MkdirAll(s.dir, 0o777))
	if !s.begin() {
		return
	}
	failed := s.failedBurn()
	if !s.damage() {
		return
	}
	s.look()
	s.converts()
	s.repairs()
	s.rips()
	s.burns()
	s.reburns(failed)
}

// spoil changes bytes of a sector where it stands in a file, and reports whether it could.
func (s *seam) spoil(img disc.Image, at disc.LBA, from, n int) bool {
	e, ok := img.ExtentAt(at)
	var name string
	offset := e.Offset + int64(from)
	if file, isFile := e.Source.(interface{ Name() string }); isFile {
		name = file.Name()
	} else if s.kind == "wav" {
		t := img.Layout().TrackAt(at)
		name = img.Files()[t.Number]
		st, err := os.Stat(name)
		s.must(err)
		offset = st.Size() - int64(t.End-at)*cdsector.Size + int64(from)
	}
	if !ok || name == "" {
		return false
	}
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	s.must(err)
	defer f.Close()
	b := make([]byte, n)
	_, err = f.ReadAt(b, offset)
	s.must(err)
	for i := range b {
		b[i] ^= 0x5A
	}
	_, err = f.WriteAt(b, offset)
	s.must(err)
	return true
}

// place chooses sectors.
func (s *seam) place(img disc.Image, most int) (first disc.LBA, n int) {
	sectors := img.Layout().Sectors()
	n = 1 + s.r.IntN(most)
	return disc.LBA(s.r.IntN(sectors - n)), n
}

func (s *seam) open() disc.Image {
	img, err := image.Open(s.t.Context(), s.path)
	s.must(err)
	return img
}

// mapped spoils sectors and says so in a map.
func (s *seam) mapped(state mapfile.Status) bool {
	img := s.open()
	defer img.Close()
	first, n := s.place(img, 30)
	e, _ := img.ExtentAt(0)
	sizes := []int64{cdsector.Size, int64(max(e.Stride, e.Form.Size()))}
	size := sizes[s.r.IntN(2)]
	m := mapfile.New(int64(img.Layout().Sectors()) * size)
	m.Set(0, m.Size(), mapfile.Finished)
	m.Set(int64(first)*size, int64(n)*size, state)
	f, err := os.Create(s.path + mapfile.Suffix)
	s.must(err)
	defer f.Close()
	_, err = m.WriteTo(f)
	s.must(err)
	for i := range n {
		s.spoil(img, first+disc.LBA(i), 50, 1900)
	}
	return true
}

// wrongEDC changes user data of sectors that stand there with their EDC.
func (s *seam) wrongEDC() bool {
	img := s.open()
	defer img.Close()
	if s.truth.data == nil {
		return false
	}
	at := s.truth.data.Start + disc.LBA(s.r.IntN(int(s.truth.data.End-s.truth.data.Start)-20))
	if e, ok := img.ExtentAt(at); !ok || e.Form != disc.FormRaw {
		return false
	}
	for i := range 1 + s.r.IntN(10) {
		if !s.spoil(img, at+disc.LBA(i), 100+s.r.IntN(1000), 1+s.r.IntN(20)) {
			return false // it is packed in blocks
		}
	}
	return true
}

// largest is the file of the image with the sectors.
func (s *seam) largest() (name string, size int64) {
	img := s.open()
	defer img.Close()
	for _, f := range img.Files() {
		if st, err := os.Stat(f); err == nil && st.Size() > size {
			name, size = f, st.Size()
		}
	}
	return name, size
}

// cut takes away the end of a file.
func (s *seam) cut() bool {
	name, size := s.largest()
	s.must(os.Truncate(name, size/2+s.r.Int64N(size/2)|1))
	img, err := image.Open(s.t.Context(), s.path)
	if err != nil {
		return false // a format that says at its end what is in it
	}
	img.Close()
	return s.kind != "vhd" // of which the last block ends behind the image
}

// wrongSum spoils a sector of a file with a checksum.
func (s *seam) wrongSum() bool {
	img := s.open()
	defer img.Close()
	var list strings.Builder
	for _, f := range img.Files() {
		b, err := os.ReadFile(f)
		s.must(err)
		fmt.Fprintf(&list, "%x *%s\n", sha256.Sum256(b), filepath.Base(f))
	}
	s.must(os.WriteFile(s.file([]string{"SHA256SUMS", filepath.Base(s.path) + ".sha256"}[s.r.IntN(2)]), []byte(list.String()), 0o666))
	first, n := s.place(img, 3)
	for i := range n {
		if !s.spoil(img, first+disc.LBA(i), 200, 4) {
			return false // it is packed in blocks
		}
	}
	return s.kind != "flac"
}

// brokenMap spoils sectors, and cuts the map that says so.
func (s *seam) brokenMap() bool {
	s.mapped(mapfile.Bad)
	b, err := os.ReadFile(s.path + mapfile.Suffix)
	s.must(err)
	s.must(os.WriteFile(s.path+mapfile.Suffix, b[:len(b)-4], 0o666))
	return true
}

func (s *seam) noSub() bool { return s.kind == "ccd" && os.Remove(s.file("a.sub")) == nil }

func (s *seam) shortSub() bool { return s.kind == "ccd" && os.Truncate(s.file("a.sub"), 9601) == nil }
