package rip

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/image/mapfile"
	"spindle/scsi"
	"spindle/scsi/mmc"
	"spindle/scsi/sim"
)

// A madeDisc is a disc in memory: a DVD, or a CD of a data track and two of audio.
type madeDisc struct {
	layout *disc.Layout
	size   int
	b      []byte
}

// The tracks of a made CD, in sectors, and the block of a made disc's dates.
const (
	madeData, madeAudio = 700, 450
	madeDates           = 16*2048 + 813 // ECMA-119 8.4.26
)

func (d *madeDisc) sectors() int { return len(d.b) / d.size }

func (d *madeDisc) clone() *madeDisc {
	return &madeDisc{d.layout, d.size, bytes.Clone(d.b)}
}

// user gives the user data of a sector, of an audio sector all of it; seal makes
// the sector right again.
func (d *madeDisc) user(at int) []byte {
	s := d.b[at*d.size:][:d.size]
	if d.size == cdsector.Size && at < madeData {
		return s[16:][:2048]
	}
	return s
}

func (d *madeDisc) seal(at int) {
	if d.size == cdsector.Size && at < madeData {
		s := (*[cdsector.Size]byte)(d.b[at*d.size:])
		cdsector.SetHeader(s, disc.LBA(at).MSF(), 1)
		cdsector.Seal(s, cdsector.Mode1)
	}
}

// change makes other content of n sectors.
func (d *madeDisc) change(r *rand.Rand, first, n int) {
	for at := first; at < min(first+n, d.sectors()); at++ {
		p := d.user(at)
		p[r.IntN(len(p))] ^= byte(1 + r.IntN(255))
		d.seal(at)
	}
}

func (d *madeDisc) config(t testing.TB) sim.Config {
	t.Helper()
	form := disc.FormRaw
	if d.layout.Medium != disc.CD {
		form = disc.FormBlock
	}
	img, err := disc.NewExtentImage(d.layout, []disc.Extent{{Count: d.sectors(), Source: bytes.NewReader(d.b), Form: form}})
	if err != nil {
		t.Fatal(err)
	}
	return sim.Config{Image: img}
}

func (d *madeDisc) drive(t testing.TB, faults ...string) *mmc.Drive {
	t.Helper()
	c := d.config(t)
	for _, text := range faults {
		f, err := sim.ParseFault(text)
		if err != nil {
			t.Fatal(err)
		}
		c.Faults = append(c.Faults, f)
	}
	return mmc.New(sim.New(c))
}

func (d *madeDisc) options(out string) Options {
	if d.layout.Medium == disc.CD {
		return Options{Output: out + ".cue", Format: CueBin}
	}
	return Options{Output: out + ".iso", Format: ISO}
}

// makeDVD makes a disc with a file system, noise, and stretches of zeros.
func makeDVD(volume []byte, r *rand.Rand, n int) *madeDisc {
	b := append(bytes.Clone(volume), make([]byte, n*2048-len(volume))...)
	for at := len(volume); at < len(b); at += 2048 {
		if r.IntN(4) > 0 {
			fillNoise(b[at:at+2048], r)
		}
	}
	l := &disc.Layout{Medium: disc.DVD, Sessions: []disc.Session{{Number: 1, LeadOut: disc.LBA(n), Tracks: []disc.Track{
		{Number: 1, Mode: disc.Mode1, Control: disc.DataTrack, End: disc.LBA(n)}}}}}
	return &madeDisc{l, 2048, b}
}

func makeCD(volume []byte, r *rand.Rand) *madeDisc {
	const n = madeData + 2*madeAudio
	l := &disc.Layout{Medium: disc.CD, Sessions: []disc.Session{{Number: 1, LeadOut: n, Tracks: []disc.Track{
		{Number: 1, Mode: disc.Mode1, Control: disc.DataTrack, End: madeData},
		{Number: 2, Mode: disc.Audio, Start: madeData, End: madeData + madeAudio},
		{Number: 3, Mode: disc.Audio, Start: madeData + madeAudio, End: n}}}}}
	d := &madeDisc{l, cdsector.Size, make([]byte, n*cdsector.Size)}
	fillNoise(d.b, r)
	for at := range madeData {
		if at*2048 < len(volume) {
			copy(d.user(at), volume[at*2048:])
		}
		d.seal(at)
	}
	return d
}

func fillNoise(p []byte, r *rand.Rand) {
	for ; len(p) >= 8; p = p[8:] {
		binary.LittleEndian.PutUint64(p, r.Uint64())
	}
}

func madeVolume(t testing.TB) []byte {
	t.Helper()
	b, err := os.ReadFile(makeDisc(t, "iso"))
	if err != nil {
		t.Fatal(err)
	}
	return b[:min(len(b), 300*2048)]
}

// stopped rips a disc until a sector was read, and returns which sectors are
// finished.
func stopped(t *testing.T, d *mmc.Drive, opts Options, at disc.LBA, size int) []int {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	opts.Observer = &observer{progress: func(p Progress) {
		if p.Phase == Copying && p.LBA >= at {
			cancel()
		}
	}}
	if _, err := Rip(ctx, d, opts); !errors.Is(err, context.Canceled) {
		t.Fatalf("the rip was not stopped: %v", err)
	}
	return finished(t, opts.Output, size)
}

func finished(t *testing.T, output string, size int) []int {
	t.Helper()
	f, err := os.Open(output + mapfile.Suffix)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	m, err := mapfile.Read(f)
	if err != nil {
		t.Fatal(err)
	}
	var all []int
	for _, b := range m.Blocks() {
		for pos := b.Pos; b.Status == mapfile.Finished && pos < b.End(); pos += int64(size) {
			all = append(all, int(pos)/size)
		}
	}
	return all
}

// campaign is how many cases of a test are run.
func campaign(few, all int) int {
	if testing.Short() {
		return few / 10
	}
	if os.Getenv("SPINDLE_CAMPAIGN") == "all" {
		return all
	}
	return few
}

// Two discs of one size are never joined, however little they differ in what was
// read: in one file, one track, one sector, or one date.
func TestNoJoin(t *testing.T) {
	t.Parallel()
	volume := madeVolume(t)
	for seed := range uint64(campaign(24, 1000)) {
		r := rand.New(rand.NewPCG(seed, 10))
		var a *madeDisc
		if seed%2 == 0 {
			a = makeDVD(volume, r, 600+r.IntN(3000))
		} else {
			a = makeCD(volume, r)
		}
		opts := a.options(filepath.Join(t.TempDir(), "x"))
		differ := [...]string{"file", "track", "sector", "date"}[seed/2%4]
		stop := 60 + r.IntN(a.sectors()-250)
		if differ == "sector" { // of so many, all are compared
			stop = min(stop, allBelow-100)
		}
		var faults []string
		if r.IntN(2) == 0 {
			at := r.IntN(a.sectors())
			faults = append(faults, fmt.Sprintf("read:%d-%d", at, at+r.IntN(30)))
		}
		done := stopped(t, a.drive(t, faults...), opts, disc.LBA(stop), a.size)
		b := a.clone()
		switch differ {
		case "file": // of a share of what was read
			n := len(done)/places + placeSectors + r.IntN(100)
			b.change(r, done[r.IntN(max(1, len(done)-n))], n)
		case "track":
			if a.size == 2048 || r.IntN(2) == 0 {
				b.change(r, 0, madeData)
			} else if done[len(done)-1] >= madeData {
				b.change(r, madeData, madeAudio)
			} else {
				b.change(r, 20, madeData)
			}
		case "sector":
			b.change(r, done[r.IntN(len(done))], 1)
		case "date":
			if !slices.Contains(done, 16) {
				continue // nothing of what was read differs
			}
			p := b.user(16)
			copy(p[813+17*r.IntN(4):], fmt.Sprintf("20%02d0%d0112000000", r.IntN(100), 1+r.IntN(9)))
			b.seal(16)
		}
		_, err := Rip(context.Background(), b.drive(t), opts)
		if !errors.Is(err, ErrOtherDisc) {
			t.Errorf("seed %d: %s of a %s differs, %d sectors were read: %v", seed, differ, a.layout.Medium, len(done), err)
		}
		if now := finished(t, opts.Output, a.size); len(now) != len(done) {
			t.Errorf("seed %d: %d sectors are finished, %d were", seed, len(now), len(done))
		}
	}
}

// The right disc is always taken, damaged or not, also from a drive that returns
// audio a few samples off, and the image is the disc.
func TestRightDiscIsTaken(t *testing.T) {
	t.Parallel()
	volume := madeVolume(t)
	for seed := range uint64(campaign(12, 500)) {
		r := rand.New(rand.NewPCG(seed, 11))
		var a *madeDisc
		if seed%2 == 0 {
			a = makeDVD(volume, r, 600+r.IntN(3000))
		} else {
			a = makeCD(volume, r)
		}
		opts := a.options(filepath.Join(t.TempDir(), "x"))
		damage := func() []string {
			var faults []string
			for range r.IntN(5) {
				at := r.IntN(a.sectors())
				kinds := []string{"read", "lost", "corrupt"}
				if a.size == 2048 {
					kinds = kinds[:2] // a corrupt sector of a DVD arrives wrong without a word: it is another disc
				}
				faults = append(faults, fmt.Sprintf("%s:%d-%d", kinds[r.IntN(len(kinds))], at, at+r.IntN(20)))
			}
			return faults
		}
		stopped(t, a.drive(t, damage()...), opts, disc.LBA(60+r.IntN(a.sectors()-250)), a.size)
		if _, err := Rip(context.Background(), a.drive(t, damage()...), opts); err != nil {
			t.Errorf("seed %d: %v", seed, err)
			continue
		}
		if _, err := os.Stat(opts.Output + mapfile.Suffix); err == nil {
			if res, err := Rip(context.Background(), a.drive(t), opts); err != nil || len(res.Bad) > 0 {
				t.Errorf("seed %d: %v", seed, err)
			}
		}
		got, err := os.ReadFile(base(opts.Output) + map[Format]string{CueBin: ".bin", ISO: ".iso"}[opts.Format])
		if err != nil || !bytes.Equal(got, a.b) {
			t.Errorf("seed %d: the image is not the disc (%v)", seed, err)
		}
	}
}

// A jittery drive returns audio by up to some samples off; which, changes with each
// command.
type jittery struct {
	scsi.Device
	disc  *madeDisc
	shift func() int
}

func (j *jittery) Execute(ctx context.Context, c *scsi.Command) (int, error) {
	n, err := j.Device.Execute(ctx, c)
	if err != nil || c.CDB[0] != 0xBE || c.CDB[1]>>2&7 != 1 {
		return n, err
	}
	at := int(binary.BigEndian.Uint32(c.CDB[2:]))
	count := int(c.CDB[6])<<16 | int(c.CDB[7])<<8 | int(c.CDB[8])
	stride, shift := len(c.Data)/max(1, count), j.shift()
	for i := range count {
		from := (at+i)*cdsector.Size + 4*shift
		if from >= 0 && from+cdsector.Size <= len(j.disc.b) {
			copy(c.Data[i*stride:][:cdsector.Size], j.disc.b[from:])
		}
	}
	return n, nil
}

func TestJitter(t *testing.T) {
	volume := madeVolume(t)
	for name, test := range map[string]struct {
		shift func(r *rand.Rand) int
		want  error
	}{
		"none":          {func(*rand.Rand) int { return 0 }, nil},
		"two ways":      {func(r *rand.Rand) int { return r.IntN(41) - 20 }, nil},
		"sometimes":     {func(r *rand.Rand) int { return 5 * (r.IntN(6) / 5) }, nil},
		"other offset":  {func(*rand.Rand) int { return 30 }, nil},
		"and unsteady":  {func(r *rand.Rand) int { return 100 + r.IntN(5) }, ErrOtherDisc},
		"other content": {func(r *rand.Rand) int { return 5000 + r.IntN(500) }, ErrOtherDisc},
	} {
		t.Run(name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(3, 4))
			a := makeCD(volume, r)
			opts := a.options(filepath.Join(t.TempDir(), "x"))
			stopped(t, a.drive(t), opts, madeData+madeAudio+50, a.size)
			d := mmc.New(&jittery{sim.New(a.config(t)), a, func() int { return test.shift(r) }})
			if _, err := Rip(context.Background(), d, opts); !errors.Is(err, test.want) {
				t.Errorf("%v, want %v", err, test.want)
			}
		})
	}
}

// Where all that was read is zeros, nothing tells this disc from another: the user
// has to.
func TestUndecided(t *testing.T) {
	const n = 4000
	a := makeDVD(nil, rand.New(rand.NewPCG(1, 1)), n)
	clear(a.b[:3000*2048])
	opts := a.options(filepath.Join(t.TempDir(), "x"))
	stopped(t, a.drive(t), opts, 2500, a.size)
	if _, err := Rip(context.Background(), a.drive(t), opts); !errors.Is(err, ErrUndecided) {
		t.Fatal(err)
	}
	opts.SameDisc = true
	res, err := Rip(context.Background(), a.drive(t), opts)
	if err != nil || !res.Resumed {
		t.Fatal(res, err)
	}
	got, err := os.ReadFile(opts.Output)
	if err != nil || !bytes.Equal(got, a.b) {
		t.Errorf("the image is not the disc (%v)", err)
	}
}

// swapping is a drive in which the disc is changed while it is copied.
type swapping struct {
	scsi.Device
	next scsi.Device // nil: it was
	copy *bool       // the rip is copying: what is changed before is no join
	from int         // the sector at which it is
}

func (s *swapping) Execute(ctx context.Context, c *scsi.Command) (int, error) {
	const many = 16 // no survey reads so many
	var at, n int
	switch c.CDB[0] {
	case 0x28, 0xBE: // READ (10), READ CD: at most 65535 sectors
		at, n = int(binary.BigEndian.Uint32(c.CDB[2:])), int(binary.BigEndian.Uint16(c.CDB[7:]))
	}
	if *s.copy && n >= many && at >= s.from && s.next != nil {
		s.Device, s.next = s.next, nil
		return 0, &scsi.CheckCondition{Opcode: scsi.Opcode(c.CDB[0]), Sense: scsi.Sense{Key: scsi.UnitAttention, ASC: 0x28}}
	}
	return s.Device.Execute(ctx, c)
}

// A disc that is changed for another one of its size in the middle of a rip is
// found out; one that comes back is read on.
func TestSwappedInTheMiddle(t *testing.T) {
	t.Parallel()
	volume := madeVolume(t)
	for seed := range uint64(campaign(8, 100)) {
		r := rand.New(rand.NewPCG(seed, 12))
		a := makeDVD(volume, r, 3000)
		if seed%2 == 1 {
			a = makeCD(volume, r)
		}
		b := a.clone()
		b.change(r, 0, 100)
		for _, next := range []*madeDisc{a, b} {
			opts := a.options(filepath.Join(t.TempDir(), "x"))
			copying := false
			opts.Observer = &observer{progress: func(p Progress) { copying = copying || p.Phase == Copying }}
			d := &swapping{Device: sim.New(a.config(t)), next: sim.New(next.config(t)), from: 200 + r.IntN(1000), copy: &copying}
			_, err := Rip(context.Background(), mmc.New(d), opts)
			switch {
			case next == a && err != nil, next == b && !errors.Is(err, ErrOtherDisc):
				t.Errorf("seed %d, the same %v: %v", seed, next == a, err)
			case next == a:
				got, err := os.ReadFile(base(opts.Output) + map[Format]string{CueBin: ".bin", ISO: ".iso"}[opts.Format])
				if err != nil || !bytes.Equal(got, a.b) {
					t.Errorf("seed %d: the image is not the disc (%v)", seed, err)
				}
			}
		}
	}
}

// Codes of a disc are part of its identity.
func TestOtherCodes(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	a := makeCD(madeVolume(t), r)
	a.layout.MCN = "4006381333931"
	a.layout.Sessions[0].Tracks[1].ISRC = "DEA123456789"
	for name, set := range map[string]func(l *disc.Layout){
		"MCN":  func(l *disc.Layout) { l.MCN = "0012345678905" },
		"ISRC": func(l *disc.Layout) { l.Sessions[0].Tracks[1].ISRC = "DEA123456700" },
	} {
		b := a.clone()
		b.layout = a.layout.Clone()
		set(b.layout)
		opts := a.options(filepath.Join(t.TempDir(), "x"))
		stopped(t, a.drive(t), opts, 1200, a.size)
		if _, err := Rip(context.Background(), b.drive(t), opts); !errors.Is(err, ErrOtherDisc) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := Rip(context.Background(), a.drive(t), opts); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A sector that was seen to differ makes another disc, also when it never comes
// without error again: what cannot be compared does not speak for the same disc.
func TestDifferenceIsNotOutvoted(t *testing.T) {
	const changed = 300
	r := rand.New(rand.NewPCG(8, 8))
	a := makeCD(madeVolume(t), r)
	opts := a.options(filepath.Join(t.TempDir(), "x"))
	stopped(t, a.drive(t), opts, 500, a.size)
	b := a.clone()
	b.change(r, changed, 1)
	seen := false
	d := &quirky{sim.New(b.config(t)), func(ctx context.Context, next scsi.Device, c *scsi.Command) (int, error) {
		n, err := next.Execute(ctx, c)
		if at, _ := sectorsOf(c); covers(c, changed) {
			if seen {
				c.Data[(changed-at)*cdsector.Size+100] ^= 1
			}
			seen = true
		}
		return n, err
	}}
	if _, err := Rip(context.Background(), mmc.New(d), opts); !errors.Is(err, ErrOtherDisc) {
		t.Errorf("%v, want %v", err, ErrOtherDisc)
	}
}

// The directories that were read are compared wherever they lie: they hold the dates of files.
func TestDirectoriesAreCompared(t *testing.T) {
	t.Parallel()
	const table, end, stop = 5000, 9000, 8800
	a := makeDVD(madeVolume(t), rand.New(rand.NewPCG(1, 11)), end)
	le := binary.LittleEndian
	le.PutUint32(a.b[16*2048+132:], 2*10)
	le.PutUint32(a.b[16*2048+140:], table)
	clear(a.user(table))
	for i, at := range []uint32{7001, 8500} {
		entry := a.user(table)[i*10:]
		entry[0], entry[6], entry[8] = 1, 1, 'D'
		le.PutUint32(entry[2:], at)
	}
	for _, at := range []int{7001, 8500, table} {
		opts := a.options(filepath.Join(t.TempDir(), "x"))
		stopped(t, a.drive(t), opts, stop, a.size)
		b := a.clone()
		b.user(at)[1000] ^= 1
		if _, err := Rip(context.Background(), b.drive(t), opts); !errors.Is(err, ErrOtherDisc) {
			t.Errorf("sector %d differs: %v", at, err)
		}
	}
}
