package image_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"spindle/check"
	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/drive/byname"
	"spindle/image"
	"spindle/image/extract"
	"spindle/image/mapfile"
	"spindle/internal/testdisc"
	"spindle/rip"
	"spindle/scsi/mmc"
)

// Damage goes through chains of commands, in every form it can be known by: as a range of a
// map that was never read, or read with errors, as wrong bytes under an EDC, as the missing
// end of a file. No sector of it may look right in what comes out. With
// SPINDLE_CAMPAIGN=all there are 1000 chains. A chain is known by its seed.
func TestSeams(t *testing.T) {
	chains := 30
	if os.Getenv("SPINDLE_CAMPAIGN") == "all" {
		chains = 1000
	}
	for seed := range uint64(chains) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			c := chain{t: t, r: rand.New(rand.NewPCG(seed, 2)), dir: t.TempDir()}
			c.begin()
			for i := range 1 + c.r.IntN(4) {
				c.step(i)
				if len(c.wrong) == 0 {
					return // what was damaged was left out
				}
				if missed := looksRight(t, c.path, c.wrong); len(missed) > 0 {
					t.Fatalf("%s: of %v, these look right: %v", strings.Join(c.steps, " "), c.wrong, missed)
				}
			}
		})
	}
}

// smallDiscs are the sectors of small CDs: data with a file system, audio, and both.
var smallDiscs = sync.OnceValues(func() (map[string]disc.Image, error) {
	dir, err := os.MkdirTemp("", "seams")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path, err := testdisc.Make(dir, "iso")
	if err != nil {
		return nil, err
	}
	user, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	noise := make([]byte, 620*cdsector.Size)
	r := rand.NewChaCha8([32]byte{1})
	_, _ = r.Read(noise)
	data := disc.LBA(len(user) / cdsector.UserSize)
	discs := make(map[string]disc.Image)
	add := func(name string, extents []disc.Extent, tracks ...disc.Track) error {
		l := &disc.Layout{Sessions: []disc.Session{{Number: 1, Tracks: tracks, LeadOut: tracks[len(tracks)-1].End}}}
		discs[name], err = disc.NewExtentImage(l, extents)
		return err
	}
	one := disc.Track{Number: 1, Mode: disc.Mode1, Control: disc.DataTrack, End: data}
	first := disc.Extent{Count: int(data), Source: bytes.NewReader(user), Form: disc.FormMode1}
	audio := func(at disc.LBA) disc.Extent {
		return disc.Extent{First: at, Count: 620, Source: bytes.NewReader(noise)}
	}
	err = add("data", []disc.Extent{first}, one)
	if err == nil {
		err = add("mixed", []disc.Extent{first, audio(data)}, one,
			disc.Track{Number: 2, Start: data, End: data + 310}, disc.Track{Number: 3, Start: data + 320, Pregap: 10, End: data + 620})
	}
	if err == nil {
		err = add("audio", []disc.Extent{audio(0)}, disc.Track{Number: 1, End: 310}, disc.Track{Number: 2, Start: 320, Pregap: 10, End: 620})
	}
	return discs, err
})

// chain is an image on its way through commands.
type chain struct {
	t     *testing.T
	r     *rand.Rand
	dir   string
	path  string
	truth disc.Image // as it was; a data track in it is the first
	wrong disc.Flaws // where the wrong sectors are
	steps []string
	made  int // folders
}

func (c *chain) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatalf("%s: %v", strings.Join(c.steps, " "), err)
	}
}

func (c *chain) open() disc.Image {
	c.t.Helper()
	img, err := image.Open(c.t.Context(), c.path)
	c.must(err)
	return img
}

// begin makes the first image, in any format, and damages it.
func (c *chain) begin() {
	discs, err := smallDiscs()
	c.must(err)
	kind := []string{"data", "mixed", "audio"}[c.r.IntN(3)]
	suffix := []string{".cue", ".nrg", ".toc", ".ccd", ".iso"}[c.r.IntN(5)]
	if suffix == ".iso" && kind != "data" {
		suffix = ".cue"
	}
	o := image.CreateOptions{NoCheck: true, Split: suffix == ".cue" && c.r.IntN(3) == 0}
	if suffix == ".iso" {
		o.SectorSize = []int{2048, 2352}[c.r.IntN(2)]
	}
	c.path, c.truth = filepath.Join(c.dir, "source"+suffix), discs[kind]
	c.steps = []string{kind, suffix}
	res, err := image.Create(c.t.Context(), c.path, discs[kind], o)
	c.must(err)
	switch c.r.IntN(3) {
	case 0:
		if c.damageBytes() {
			return
		}
		c.damageMap()
	case 1:
		c.cut(res.Files)
	default:
		c.damageMap()
	}
}

// damageBytes changes user data of sectors whose EDC stands in a file.
func (c *chain) damageBytes() bool {
	img := c.open()
	defer img.Close()
	at := disc.LBA(c.r.IntN(img.Layout().Sectors() - 20))
	e, ok := img.ExtentAt(at)
	t := img.Layout().TrackAt(at)
	if !ok || e.Form != disc.FormRaw || !t.Mode.IsData() {
		return false
	}
	n := min(1+c.r.IntN(10), int(t.End-at))
	for i := range n {
		c.spoil(img, at+disc.LBA(i), 100, 1)
	}
	c.wrong = disc.FlawsOf(disc.Flaw{First: at, Count: n, Kind: disc.ReadWithErrors})
	c.steps = append(c.steps, "wrong bytes")
	return true
}

// spoil changes bytes of a sector in its file.
func (c *chain) spoil(img disc.Image, at disc.LBA, from, n int) {
	e, ok := img.ExtentAt(at)
	file, isFile := e.Source.(*os.File)
	if !ok || !isFile {
		return
	}
	f, err := os.OpenFile(file.Name(), os.O_RDWR, 0)
	c.must(err)
	defer f.Close()
	b := make([]byte, n)
	_, err = f.ReadAt(b, e.Offset+int64(from))
	c.must(err)
	for i := range b {
		b[i] ^= 0xFF
	}
	_, err = f.WriteAt(b, e.Offset+int64(from))
	c.must(err)
}

// damageMap writes a map beside the image.
func (c *chain) damageMap() {
	img := c.open()
	defer img.Close()
	sectors := img.Layout().Sectors()
	e, _ := img.ExtentAt(0)
	size := []int64{cdsector.Size, int64(max(e.Stride, e.Form.Size()))}[c.r.IntN(2)]
	first, n := c.r.IntN(sectors-20), 1+c.r.IntN(20)
	m := mapfile.New(int64(sectors) * size)
	m.Set(0, m.Size(), mapfile.Finished)
	state := []mapfile.Status{mapfile.Bad, mapfile.ReadWithErrors, mapfile.NonTried, mapfile.NonTrimmed}[c.r.IntN(4)]
	m.Set(int64(first)*size, int64(n)*size, state)
	f, err := os.Create(c.path + mapfile.Suffix)
	c.must(err)
	defer f.Close()
	_, err = m.WriteTo(f)
	c.must(err)
	c.wrong = disc.FlawsOf(disc.Flaw{First: disc.LBA(first), Count: n, Kind: disc.Unread})
	for i := range n {
		c.spoil(img, disc.LBA(first+i), 50, 1900)
	}
	c.steps = append(c.steps, fmt.Sprintf("map %c", state))
}

// cut takes away the end of the file with the sectors.
func (c *chain) cut(files []string) {
	file, size := "", int64(0)
	for _, f := range files {
		if st, err := os.Stat(f); err == nil && st.Size() > size {
			file, size = f, st.Size()
		}
	}
	c.must(os.Truncate(file, size/2+c.r.Int64N(size/2)|1))
	c.steps = append(c.steps, "cut")
	img, err := image.Open(c.t.Context(), c.path)
	if strings.HasSuffix(c.path, ".nrg") && err != nil {
		return // what its tracks were is lost
	}
	c.must(err)
	defer img.Close()
	if c.wrong = img.Flaws(); len(c.wrong) == 0 {
		c.t.Fatalf("%s: no flaws", strings.Join(c.steps, " "))
	}
}

// step makes another image of the one at hand.
func (c *chain) step(i int) {
	if len(c.wrong) == 0 {
		return
	}
	img := c.open()
	defer img.Close()
	c.files(img)
	audio := !slices.ContainsFunc(img.Layout().Tracks(), func(t *disc.Track) bool { return t.Mode.IsData() })
	cd := img.Layout().Medium == disc.CD
	out := filepath.Join(c.dir, fmt.Sprintf("step%d", i))
	o := image.CreateOptions{Lossy: true, NoCheck: c.r.IntN(2) == 0}
	switch kind := []string{".cue", ".cue", ".nrg", ".toc", ".ccd", ".iso", ".iso", "repair", "rip", "rip", ".flac", ".wav", ".chd", ".mds"}[c.r.IntN(14)]; kind {
	case "repair":
		c.steps = append(c.steps, kind)
		c.must(c.create(out+".cue", check.NewRepairer(img), image.CreateOptions{Lossy: true}))
		c.forgetMended()
	case "rip":
		c.rip(img, out, cd, audio)
	case ".flac", ".wav":
		if !audio {
			return
		}
		c.steps = append(c.steps, kind)
		o.Split = true
		c.songs(img, out, kind, o)
	case ".iso":
		if audio {
			return
		}
		o.SectorSize = []int{2048, 2352}[c.r.IntN(2)]
		c.steps = append(c.steps, fmt.Sprint(kind, o.SectorSize))
		c.must(c.create(out+kind, img, o))
		c.inDataTrack(img)
	default:
		o.Split = kind == ".cue" && c.r.IntN(3) == 0
		o.Codecs = []string{"zlib"}
		c.steps = append(c.steps, kind)
		c.must(c.create(out+kind, img, o))
	}
}

func (c *chain) create(path string, img disc.Image, o image.CreateOptions) error {
	c.path = path
	_, err := image.Create(c.t.Context(), path, img, o)
	return err
}

// forgetMended strikes off what parity made again what it was.
func (c *chain) forgetMended() {
	img := c.open()
	defer img.Close()
	if img.Layout().Medium != disc.CD {
		return
	}
	var is, was [cdsector.Size]byte
	for _, x := range c.wrong {
		for a := x.First; a < x.End() && a < c.truth.Layout().End(); a++ {
			c.must(img.ReadSectors(c.t.Context(), is[:], a))
			c.must(c.truth.ReadSectors(c.t.Context(), was[:], a))
			if is == was {
				c.wrong = c.wrong.Without(a, a+1)
			}
		}
	}
}

// inDataTrack follows the wrong sectors into an image of the data track only.
func (c *chain) inDataTrack(img disc.Image) {
	for _, t := range img.Layout().Tracks() {
		if t.Mode.IsData() {
			c.wrong = c.wrong.Clip(t.Start, t.End).Shift(-t.Start)
			return
		}
	}
}

// rip rips the disc of a simulated drive with the image in it.
func (c *chain) rip(img disc.Image, out string, cd, audio bool) {
	media, o := "cd-rom", rip.Options{Output: out + ".cue", Format: rip.CueBin}
	if !cd || len(img.Layout().Tracks()) == 1 && !audio && c.r.IntN(2) == 0 {
		o = rip.Options{Output: out + ".iso", Format: rip.ISO}
		defer c.inDataTrack(img)
	}
	c.steps = append(c.steps, "rip "+filepath.Ext(o.Output))
	conn, err := byname.Open(c.t.Context(), "sim:"+c.path+"?media="+media, byname.Options{})
	c.must(err)
	defer conn.Close()
	_, err = rip.Rip(c.t.Context(), mmc.New(conn), o)
	c.must(err)
	c.path = o.Output
}

// songs splits audio into sound files, and names them in a sheet.
func (c *chain) songs(img disc.Image, out, ext string, o image.CreateOptions) {
	res, err := image.Create(c.t.Context(), out+ext, img, o)
	c.must(err)
	var sheet strings.Builder
	n := 0
	for _, f := range res.Files {
		if filepath.Ext(f) == ext {
			n++
			fmt.Fprintf(&sheet, "FILE %q WAVE\n  TRACK %02d AUDIO\n    INDEX 01 00:00:00\n", filepath.Base(f), n)
		}
	}
	c.path = out + ".cue"
	c.must(os.WriteFile(c.path, []byte(sheet.String()), 0o666))
}

// files lists and extracts: a file with wrong sectors must be named, and what is whole must
// be what it was.
func (c *chain) files(img disc.Image) {
	watched := check.Watch(img)
	c.made++
	contents, err := image.OpenContents(c.t.Context(), watched, 0)
	if err != nil {
		return // its directory is damaged
	}
	into := filepath.Join(c.dir, fmt.Sprintf("files%d", c.made))
	if _, err := extract.Run(c.t.Context(), into, contents, extract.Options{MaxBytes: 64 << 20}); err != nil {
		c.must(err)
	}
	flaws := watched.Flaws()
	_ = fs.WalkDir(contents, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return nil
		}
		if own, known := contents.FlawsOf(info, c.wrong), contents.FlawsOf(info, flaws); len(own) > 0 && own.Sectors() > known.Sectors() {
			c.t.Errorf("%s: %s has %v, of which only %v are known", strings.Join(c.steps, " "), name, own, known)
		}
		return nil
	})
}

// looksRight returns those of some wrong sectors that neither the flaws of an image
// nor its codes show to be wrong.
func looksRight(t *testing.T, path string, wrong disc.Flaws) disc.Flaws {
	t.Helper()
	img, err := image.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer img.Close()
	rep, err := check.Sectors(t.Context(), img, check.Options{NoHashes: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range img.Flaws() {
		wrong = wrong.Without(x.First, x.End())
	}
	for _, b := range rep.Bad {
		wrong = wrong.Without(b.First, b.Last+1)
	}
	return wrong
}
