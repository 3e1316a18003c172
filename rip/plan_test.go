package rip

import (
	"math/rand/v2"
	"testing"

	"spindle/disc"
	"spindle/drive"
	"spindle/scsi/mmc"

	"github.com/google/go-cmp/cmp"
)

// randomLayout makes a CD of any tracks and sessions.
func randomLayout(r *rand.Rand) *disc.Layout {
	l := &disc.Layout{Medium: disc.CD}
	at, number := disc.LBA(0), 1
	for n := range 1 + r.IntN(3) {
		s := disc.Session{Number: n + 1}
		for range 1 + r.IntN(8) {
			t := disc.Track{Number: number, Pregap: r.IntN(2) * r.IntN(200)}
			if r.IntN(2) == 0 {
				t.Mode, t.Control = disc.Mode1, disc.DataTrack
			}
			t.Start = at + disc.LBA(t.Pregap)
			t.End = t.Start + disc.LBA(1+r.IntN(3000))
			at, number = t.End, number+1
			s.Tracks = append(s.Tracks, t)
		}
		s.LeadOut = at
		at += 11400
		l.Sessions = append(l.Sessions, s)
	}
	return l
}

// Whatever the disc and the drive: each sector is in one region and one place of
// one file, the regions fill the image, and planning changes nothing of what it
// is given.
func TestPlansCoverEachSectorOnce(t *testing.T) {
	for seed := range uint64(500) {
		r := rand.New(rand.NewPCG(seed, 1))
		l := randomLayout(r)
		if err := l.Validate(); err != nil {
			t.Fatal(err)
		}
		opts := Options{Output: "x.cue", Format: CueBin, Split: r.IntN(2) == 0, Subchannel: r.IntN(2) == 0}
		caps := drive.ReadCaps{Raw: true}
		if r.IntN(2) == 0 {
			caps.C2 = mmc.C2Bits
		}
		if opts.Subchannel {
			caps.Sub = mmc.RawSub
		}
		c := &Contents{Medium: &drive.Medium{Contents: &drive.Contents{Layout: l}}, Layout: l}
		f := facts{contents: c, caps: caps, maxTransfer: 4096 << r.IntN(8)}
		before := l.Clone()
		p, err := makePlan(f, opts)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(before, l); diff != "" {
			t.Fatalf("seed %d: planning changed the layout: %s", seed, diff)
		}
		checkPlan(t, seed, l, p)
	}
}

func checkPlan(t *testing.T, seed uint64, l *disc.Layout, p *plan) {
	t.Helper()
	seen := make(map[disc.LBA]int)
	pos := int64(0)
	for i := range p.regions {
		g := &p.regions[i]
		if g.pos != pos {
			t.Fatalf("seed %d: region %d stands at %d, the one before ends at %d", seed, i, g.pos, pos)
		}
		pos += g.bytes()
		for a := g.first; a < g.last(); a++ {
			seen[a]++
		}
		if first, last := g.position(g.first), g.position(g.last()-1); p.regions.find(first) != g || p.regions.find(last) != g ||
			g.at(first) != g.first || g.at(last) != g.last()-1 {
			t.Fatalf("seed %d: region %d is not found", seed, i)
		}
		if n := p.perCommand(g); n < 1 || n > 1 && n*p.caps.Stride(g.coding) > p.transfer {
			t.Fatalf("seed %d: %d sectors a command", seed, n)
		}
	}
	want := 0
	for _, track := range l.Tracks() {
		for a := track.Begin(); a < track.End; a++ {
			want++
			if seen[a] != 1 {
				t.Fatalf("seed %d: sector %d is in %d regions", seed, a, seen[a])
			}
		}
	}
	if len(seen) != want || p.regions.sectors() != int64(want) {
		t.Fatalf("seed %d: %d sectors, the disc has %d", seed, len(seen), want)
	}
	pos = 0
	for i, f := range p.files {
		if f.pos != pos || f.size <= 0 {
			t.Fatalf("seed %d: file %d: %+v, the one before ends at %d", seed, i, f, pos)
		}
		pos += f.size
	}
	if pos != p.regions.size() {
		t.Fatalf("seed %d: the files have %d bytes, the image %d", seed, pos, p.regions.size())
	}
}

func TestPlanOfBlocks(t *testing.T) {
	end := disc.LBA(10000)
	l := &disc.Layout{Medium: disc.DVD, Sessions: []disc.Session{{Number: 1, LeadOut: end, Tracks: []disc.Track{
		{Number: 1, Mode: disc.Mode1, Control: disc.DataTrack, End: end}}}}}
	c := &Contents{Medium: &drive.Medium{Contents: &drive.Contents{Layout: l, Protection: drive.CSS}}, Layout: l}
	for _, test := range []struct {
		transfer, perCommand, align int
	}{
		{128 << 10, 64, 32}, {100 << 10, 32, 32}, {32 << 10, 16, 1}, {1024, 1, 1},
	} {
		p, err := makePlan(facts{contents: c, sectors: 10010, maxTransfer: test.transfer}, Options{Output: "x.iso", Format: ISO})
		if err != nil {
			t.Fatal(err)
		}
		if n := p.perCommand(&p.regions[0]); n != test.perCommand || p.align != test.align || p.regions.sectors() != 10010 {
			t.Errorf("%d bytes: %d sectors a command, aligned to %d", test.transfer, n, p.align)
		}
		if len(p.notes) != 1 || p.notes[0].Code != NoteProtected {
			t.Errorf("%+v", p.notes)
		}
	}
	if _, err := makePlan(facts{contents: c}, Options{Format: ISO}); err == nil {
		t.Error("an ISO without sectors is planned")
	}
}
