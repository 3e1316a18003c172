package merge

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"spindle/disc"
	"spindle/disc/cdsector"
)

var (
	allMerges = flag.Int("merges", 0, "merge so many randomly damaged copies (go test takes some hundred)")
	mergeSeed = flag.Uint64("merge-seed", 1, "begin with this one")
)

// TestMerges merges randomly damaged copies of random discs: what is good in any copy is good
// in the result, and nothing is called good that is not, unless all that call it good lie.
func TestMerges(t *testing.T) {
	n, until := 400, time.Now().Add(2*time.Second)
	if *allMerges > 0 {
		n, until = *allMerges, time.Now().Add(time.Hour)
	}
	var total tally
	done := 0
	for seed := *mergeSeed; seed < *mergeSeed+uint64(n) && time.Now().Before(until); seed++ {
		x := newTrial(seed)
		if err := x.run(t, &total); err != nil {
			t.Fatalf("-merge-seed %d: %s: %v", seed, x, err)
		}
		done++
	}
	t.Logf("%d merges: %+v", done, total)
	if done < 100 { // a machine that is busy: too few to say
		return
	}
	if total.refused*20 > done {
		t.Errorf("%d of %d were refused", total.refused, done)
	}
	for name, n := range map[string]int{"corrected": total.corrected, "voted": total.voted, "contradicted": total.contradicted, "shifted": total.shifted} {
		if n == 0 {
			t.Errorf("no sector was %s: the test tries nothing", name)
		}
	}
}

// tally counts over all trials.
type tally struct {
	sectors, good, flawed, corrected, voted, contradicted, believed, shifted, refused int
}

// A trial is copies of one disc.
type trial struct {
	rng    *rand.Rand
	layout *disc.Layout
	truth  []byte // of the first copy
	copies []*damagedCopy
	kind   string
}

func (x *trial) String() string { return fmt.Sprintf("%d copies of a %s", len(x.copies), x.kind) }

// A damagedCopy is one image.
type damagedCopy struct {
	sectors []byte // 2352 or 2048 bytes each, or 2048 of mode 1
	form    disc.Form
	shift   int
	flaws   disc.Flaws
	wrong   map[int]bool // sectors, as the copy counts them, whose bytes are not right
}

const testMargin = 6 // sectors of audio around that of the disc

var trialKinds = [...]string{"data CD", "XA CD", "audio CD", "mixed CD", "DVD", "data CD of which an .iso is there"}

func newTrial(seed uint64) *trial {
	x := &trial{rng: rand.New(rand.NewPCG(seed, 7))}
	x.kind = trialKinds[x.rng.IntN(len(trialKinds))]
	l := &disc.Layout{Sessions: []disc.Session{{Number: 1}}}
	add := func(m disc.Mode, n int) {
		s := &l.Sessions[0]
		t := disc.Track{Number: len(s.Tracks) + 1, Mode: m, Start: s.LeadOut, End: s.LeadOut + disc.LBA(n)}
		s.Tracks, s.LeadOut = append(s.Tracks, t), t.End
	}
	n := 40 + x.rng.IntN(60)
	switch x.kind {
	case "XA CD":
		add(disc.Mode2, n)
	case "audio CD":
		add(disc.Audio, n/2)
		add(disc.Audio, n/2)
	case "mixed CD":
		add(disc.Mode1, n/2)
		add(disc.Audio, n)
	case "DVD":
		l.Medium = disc.DVD
		add(disc.Mode1, n)
	default:
		add(disc.Mode1, n)
	}
	x.layout = l
	x.makeCopies()
	return x
}

// makeCopies makes the disc, and damages copies of it.
func (x *trial) makeCopies() {
	size := x.layout.Medium.SectorSize()
	n := int(x.layout.End())
	master := make([]byte, (n+2*testMargin)*size) // with what a drive may give around the disc
	for i := range master {
		master[i] = byte(x.rng.Uint32())
	}
	at := func(a int) []byte { return master[(a+testMargin)*size : (a+testMargin+1)*size] }
	for a := range n {
		if x.layout.Medium == disc.CD {
			x.seal((*[cdsector.Size]byte)(at(a)), disc.LBA(a))
		}
	}
	for k := range 2 + x.rng.IntN(2) {
		c := &damagedCopy{wrong: make(map[int]bool), form: disc.FormRaw}
		if x.layout.Medium != disc.CD {
			c.form = disc.FormBlock
		}
		if k > 0 && x.rng.IntN(2) == 0 {
			c.shift = x.rng.IntN(2*2939) - 2939
		}
		c.sectors = bytes.Clone(master[testMargin*size : (testMargin+n)*size])
		for _, t := range x.layout.Tracks() {
			if t.Mode == disc.Audio {
				from := (int(t.Start)+testMargin)*size + 4*c.shift
				copy(c.sectors[int(t.Start)*size:int(t.End)*size], master[from:])
			}
		}
		if k == 0 {
			x.truth = bytes.Clone(c.sectors)
		}
		x.damage(c)
		if k == 1 && x.kind == trialKinds[5] {
			x.toISO(c)
		}
		x.copies = append(x.copies, c)
	}
}

// seal makes a sector one of its track.
func (x *trial) seal(s *[cdsector.Size]byte, a disc.LBA) {
	switch x.layout.TrackAt(a).Mode {
	case disc.Mode1:
		cdsector.SetHeader(s, a.MSF(), 1)
		cdsector.Seal(s, cdsector.Mode1)
	case disc.Mode2:
		cdsector.SetHeader(s, a.MSF(), 2)
		kind, sub := cdsector.Form1, byte(0x08)
		if a%3 == 2 {
			kind, sub = cdsector.Form2, 0x24
		}
		copy(s[16:24], []byte{1, 0, sub, 0, 1, 0, sub, 0})
		cdsector.Seal(s, kind)
	}
}

// damage damages runs of sectors.
func (x *trial) damage(c *damagedCopy) {
	size := x.layout.Medium.SectorSize()
	for range x.rng.IntN(7) {
		first := x.rng.IntN(int(x.layout.End()))
		n := min(1+x.rng.IntN(8), int(x.layout.End())-first)
		how := x.rng.IntN(4)
		if how == 3 && x.rng.IntN(4) > 0 {
			how = 1
		}
		for a := first; a < first+n; a++ {
			p := c.sectors[a*size : (a+1)*size]
			c.wrong[a] = true
			kind := disc.FlawKind(0)
			switch how {
			case 0: // never read
				for i := range p {
					p[i] = 0x55
				}
				kind = disc.Unread
			case 1, 2: // read with errors
				for range 1 + x.rng.IntN(200) {
					p[x.rng.IntN(size)] = byte(x.rng.Uint32())
				}
				p[100] ^= 1 + byte(x.rng.IntN(255))
				kind = disc.ReadWithErrors
			case 3: // wrong, and nobody knows
				p[20+x.rng.IntN(2000)] ^= 1 + byte(x.rng.IntN(255))
			}
			if kind > 0 {
				c.flaws = c.flaws.Union(disc.Flaws{{First: disc.LBA(a), Count: 1, Kind: kind}})
			}
		}
	}
}

// toISO keeps the user data only.
func (x *trial) toISO(c *damagedCopy) {
	var user []byte
	for a := 0; a < len(c.sectors); a += cdsector.Size {
		user = append(user, c.sectors[a+16:a+16+2048]...)
	}
	c.sectors, c.form = user, disc.FormMode1
}

func (c *damagedCopy) open(t *testing.T, l *disc.Layout) disc.Image {
	t.Helper()
	img, err := disc.NewImage(disc.Contents{Layout: l, Flaws: c.flaws, Extents: []disc.Extent{{
		First: 0, Count: int(l.End()), Source: bytes.NewReader(c.sectors), Form: c.form,
	}}})
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// A claim is what a copy says of a sector of the disc.
func (x *trial) claim(c *damagedCopy, a int) (claims, right bool) {
	t := x.layout.TrackAt(disc.LBA(a))
	from, to := a, a
	if shift := c.shift - x.copies[0].shift; t.Mode == disc.Audio && shift != 0 {
		from, to = a+wholeSectors(-shift), a-wholeSectors(shift)
	}
	run := stretch{t.Start, t.End}
	if t.Mode == disc.Audio {
		run = stretch{x.layout.Tracks()[0].Start, x.layout.End()}
		if x.kind == "mixed CD" {
			run.first = t.Start
		}
	}
	right = true
	for b := from; b <= to; b++ {
		if !run.has(disc.LBA(b)) || c.flaws.Contains(disc.LBA(b)) {
			return false, false
		}
		right = right && !c.wrong[b]
	}
	coded := c.form == disc.FormRaw && t.Mode != disc.Audio &&
		cdsector.Classify((*[cdsector.Size]byte)(c.sectors[a*cdsector.Size:])) != cdsector.Mode2
	return right || !coded, right
}

// liesAtDescriptor reports whether a copy has a wrong volume descriptor, which tells discs apart.
func (x *trial) liesAtDescriptor() bool {
	for _, c := range x.copies {
		for a := 16; a < 32; a++ {
			if claims, right := x.claim(c, a); claims && !right {
				return true
			}
		}
	}
	return false
}

func (x *trial) run(t *testing.T, sum *tally) error {
	var inputs []Input
	for i, c := range x.copies {
		inputs = append(inputs, Input{Name: fmt.Sprint("copy ", i), Image: c.open(t, x.layout)})
		if c.shift != 0 && x.layout.Tracks()[len(x.layout.Tracks())-1].Mode == disc.Audio {
			sum.shifted++
		}
	}
	m, err := New(t.Context(), inputs, Options{})
	if errors.Is(err, ErrUndecided) || errors.Is(err, ErrUnaligned) || errors.Is(err, ErrOtherDisc) && x.liesAtDescriptor() {
		sum.refused++
		return nil
	}
	if err != nil {
		return err
	}
	defer m.Close()
	size := x.layout.Medium.SectorSize()
	got := make([]byte, len(x.truth))
	if err := m.ReadSectors(t.Context(), got, 0); err != nil {
		return err
	}
	flaws, from := m.Flaws(), m.Provenance()
	for a := range int(x.layout.End()) {
		sum.sectors++
		run, ok := from.At(disc.LBA(a))
		if !ok {
			return fmt.Errorf("sector %d comes from nowhere", a)
		}
		if err := x.judge(a, bytes.Equal(got[a*size:(a+1)*size], x.truth[a*size:(a+1)*size]), flaws.Contains(disc.LBA(a)), run.Proof, sum); err != nil {
			return fmt.Errorf("sector %d (%s): %w", a, run.Proof, err)
		}
	}
	return nil
}

// judge compares what became of a sector with what the copies say of it.
func (x *trial) judge(a int, same, flawed bool, proof Proof, sum *tally) error {
	honest, lying := 0, 0
	for _, c := range x.copies {
		switch claims, right := x.claim(c, a); {
		case claims && right:
			honest++
		case claims:
			lying++
		}
	}
	switch proof {
	case Corrected:
		sum.corrected++
	case Voted:
		sum.voted++
	case Contradicted:
		sum.contradicted++
	}
	switch {
	case flawed == proof.Good():
		return fmt.Errorf("flawed is %v", flawed)
	case !flawed && !same && (honest > 0 || lying == 0):
		return errors.New("called good, and it is not")
	case !flawed && !same:
		sum.believed++
	case flawed && honest > 0 && lying == 0:
		return errors.New("good in a copy, and not in the result")
	case flawed && honest > 0 && proof != Contradicted:
		return errors.New("not reported as a contradiction")
	}
	if flawed {
		sum.flawed++
	} else {
		sum.good++
	}
	return nil
}

// TestProvenance writes and reads where sectors come from.
func TestProvenance(t *testing.T) {
	p := &Provenance{Copies: []Copy{{"a \"b\".cue", 0}, {"c.iso", -12}}, Runs: []Run{
		{0, 10, 0, several, ByEDC}, {10, 1, several, several, Voted}, {12, 5, 1, 0, Contradicted},
	}}
	var b bytes.Buffer
	if _, err := p.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	got, err := ReadProvenance(&b)
	if err != nil || fmt.Sprint(got) != fmt.Sprint(p) {
		t.Errorf("%v, %v", got, err)
	}
	for _, bad := range []string{"", "spindle merge 2\n", "x", "spindle merge 1\nrun 0 1 edc 1 -\n", "spindle merge 1\ncopy 2 \"a\" 0\n",
		"spindle merge 1\ncopy 1 \"a\" 0\nrun 5 1 edc 1 -\nrun 5 1 edc 1 -\n", "spindle merge 1\nrun 0 0 voted - -\n",
		"spindle merge 1\nrun 0 99999999999 voted - -\n", "spindle merge 1\nrun 0 1 good - -\n", "spindle merge 1\nhello\n"} {
		if _, err := ReadProvenance(bytes.NewReader([]byte(bad))); !errors.Is(err, ErrProvenance) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func FuzzReadProvenance(f *testing.F) {
	f.Add("spindle merge 1\ncopy 1 \"a\" 0\nrun 5 1 edc 1 -\n")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ReadProvenance(bytes.NewReader([]byte(text)))
		if err != nil {
			return
		}
		var b bytes.Buffer
		if _, err := p.WriteTo(&b); err != nil {
			t.Fatal(err)
		}
		if again, err := ReadProvenance(&b); err != nil || fmt.Sprint(again) != fmt.Sprint(p) {
			t.Errorf("%v, %v", again, err)
		}
	})
}
