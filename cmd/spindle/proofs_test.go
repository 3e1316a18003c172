package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"spindle/addr"
	"spindle/disc/cdsector"
	"spindle/image/riplog"
)

var (
	proofAlbums = flag.Int("proofs", 0, "rip so many damaged albums with answers of databases (go test takes some)")
	proofSeed   = flag.Uint64("proofs-seed", 1, "the seed of the first of them; 0: another each time")
)

// someProofs is how many go test takes.
const someProofs = 10

// TestProofs rips damaged albums with right and wrong answers of databases: no song is called proven by a
// database, or by readings that can prove it, that is not what is on the disc, and CTDB repairs all that its reach
// allows. With -proofs 1 -proofs-seed N, an album is ripped again.
func TestProofs(t *testing.T) {
	for _, name := range []string{"XDG_STATE_HOME", "XDG_CONFIG_HOME"} {
		t.Setenv(name, t.TempDir())
	}
	total, seed := *proofAlbums, *proofSeed
	if total == 0 {
		total = someProofs
	}
	if os.Getenv("SPINDLE_CAMPAIGN") == "all" && *proofAlbums == 0 {
		total = 1000
	}
	if seed == 0 {
		seed = uint64(time.Now().UnixNano()) >> 10
	}
	t.Logf("seed %d: run one again with -run TestProofs -proofs 1 -proofs-seed SEED", seed)
	var mu sync.Mutex
	counts := map[string]int{}
	var workers sync.WaitGroup
	next := make(chan uint64)
	for range 2 {
		workers.Go(func() {
			for s := range next {
				c := newProofCase(t, s)
				c.run()
				mu.Lock()
				for k, n := range c.counts {
					counts[k] += n
				}
				mu.Unlock()
			}
		})
	}
	for i := range total {
		next <- seed + uint64(i)
	}
	close(next)
	workers.Wait()
	t.Logf("%d albums: %v", total, counts)
	if total > 2*someProofs && (counts["repaired"] == 0 || counts["database"] == 0) {
		t.Error("nothing was repaired or proven: this shows little")
	}
}

// A proofCase is one album.
type proofCase struct {
	t      *testing.T
	r      *rand.Rand
	seed   uint64
	dir    string
	counts map[string]int

	starts  []int  // of its tracks, in sectors; audio before the first is hidden
	truth   []byte // what is on the disc
	version []byte // what is on another with the same table of contents: other audio, or the same but for some bytes
	query   string
	damage  []damagedRun
	hidden  bool // damage that no reading shows may be anywhere
	words   int  // of parity
	offset  int  // by which the database's disc lies away
	helps   bool // the answers of CTDB are right, and have parity
	answers string
}

// A damagedRun is damage of sectors, [first, end).
type damagedRun struct {
	first, end int
	known      bool // it is known, of each of them that is damaged, that it is
	concealed  bool // neither C2 nor another reading shows it
}

// ofAnother says that what databases have is of another disc, or of another version of this one.
const ofAnother = "of another disc"

func newProofCase(t *testing.T, seed uint64) *proofCase {
	c := &proofCase{t: t, r: rand.New(rand.NewPCG(seed, 97)), seed: seed, dir: t.TempDir(), counts: map[string]int{}}
	c.makeDisc()
	c.spoil()
	return c
}

func (c *proofCase) must(err error) {
	if err != nil {
		c.t.Fatalf("seed %d: %v", c.seed, err)
	}
}

// pickOf takes one of some.
func pickOf[T any](r *rand.Rand, all ...T) T { return all[r.IntN(len(all))] }

// mostMoved is how many samples stand before the disc, and behind it, for other pressings.
const mostMoved = 6000

// makeDisc makes noise, stretches of silence, and tracks of some lengths.
func (c *proofCase) makeDisc() {
	n := 150 + c.r.IntN(250)
	all := make([]byte, n*cdsector.Size+8*mostMoved)
	fill(all, c.r)
	for range c.r.IntN(3) {
		at := c.r.IntN(len(all) / 4)
		clear(all[4*at:][:min(4*c.r.IntN(10000), len(all)-4*at)])
	}
	if c.r.IntN(3) == 0 {
		c.starts = append(c.starts, 1+c.r.IntN(40))
	} else {
		c.starts = append(c.starts, 0)
	}
	for at := c.starts[0]; ; {
		if at += 20 + c.r.IntN(120); at > n-20 {
			break
		}
		c.starts = append(c.starts, at)
	}
	c.truth = all[4*mostMoved:][:n*cdsector.Size]
	c.write("disc", c.truth)
	c.offset = pickOf(c.r, 0, 0, 0, 6, -100, 588, 700, -4000, 5879)
	c.write("there", all[4*(mostMoved+c.offset):][:n*cdsector.Size]) // what the databases have
	c.version = bytes.Clone(c.truth)
	if c.r.IntN(2) == 0 {
		fill(c.version, c.r)
	}
	for range 1 + c.r.IntN(50) {
		c.version[c.r.IntN(len(c.version))] ^= byte(1 + c.r.IntN(255))
	}
	c.write("other", c.version)
}

func fill(b []byte, r *rand.Rand) {
	for ; len(b) >= 8; b = b[8:] {
		binary.LittleEndian.PutUint64(b, r.Uint64())
	}
}

// write makes an image of some audio.
func (c *proofCase) write(name string, audio []byte) {
	c.must(os.WriteFile(filepath.Join(c.dir, name+".bin"), audio, 0o666))
	sheet := fmt.Sprintf("FILE \"%s.bin\" BINARY\n", name)
	for i, start := range c.starts {
		sheet += fmt.Sprintf("  TRACK %02d AUDIO\n", i+1)
		if i == 0 && start > 0 {
			sheet += "    INDEX 00 00:00:00\n"
		}
		at := addr.Frames(start)
		sheet += fmt.Sprintf("    INDEX 01 %02d:%02d:%02d\n", at.M, at.S, at.F)
	}
	c.must(os.WriteFile(filepath.Join(c.dir, name+".cue"), []byte(sheet), 0o666))
}

// spoil makes the drive and its damage.
func (c *proofCase) spoil() {
	c.query = fmt.Sprintf("seed=%d", c.r.IntN(1<<20))
	c2 := true // right
	switch c.r.IntN(8) {
	case 0:
		c.query, c2 = c.query+"&trait=c2-always-zero", false
	case 1:
		c.query, c2 = c.query+"&trait=c2-late", false
	case 2:
		c.query, c2 = c.query+"&trait=c2-garbage", false
	case 3:
		c.query, c2 = c.query+"&trait=no-c2", false
	case 4:
		if c.r.IntN(3) == 0 {
			c.query, c2, c.hidden = c.query+"&trait=no-accurate-stream", false, true
		}
	}
	n := len(c.truth) / cdsector.Size
	concealed := false
	for range c.r.IntN(4) {
		first := c.r.IntN(n)
		d := damagedRun{first: first, end: min(n, first+1+c.r.IntN(pickOf(c.r, 2, 12, 50, 90, 170))), known: c2}
		where := fmt.Sprintf("%d-%d", d.first, d.end-1)
		switch c.r.IntN(7) {
		case 0:
			c.query += "&fault=read:" + where
		case 1:
			c.query += fmt.Sprintf("&fault=read:%s:%d", where, 1+c.r.IntN(3))
		case 2:
			c.query, d.known = c.query+"&fault=lost:"+where, true
		case 3:
			c.query += fmt.Sprintf("&fault=noisy:%s:%d", where, 1+c.r.IntN(10))
		case 4:
			c.query += "&fault=" + pickOf(c.r, "scratch", "rot", "print", "pinholes", "weak") + ":" + where
		default:
			if concealed {
				continue
			}
			c.query, concealed, d.known, d.concealed = c.query+"&trait=concealed-damage:"+where, true, false, true
		}
		c.damage = append(c.damage, d)
	}
}

// answer puts what databases say into the folder of the album.
func (c *proofCase) answer() {
	c.words = pickOf(c.r, 4, 8, 16)
	confidence, v2 := pickOf(c.r, "2", "30"), byte(pickOf(c.r, 2, 40))
	kind := c.r.IntN(12)
	name := "there"
	switch kind {
	case 0:
		return
	case 1:
		name, c.answers = "other", ofAnother
	case 2:
		confidence, v2, c.answers = pickOf(c.r, "0", "1"), byte(c.r.IntN(2)), "of nobody"
	default:
		c.answers = "right"
	}
	files, err := responses(c.t.Context(), filepath.Join(c.dir, name+".cue"), confidence, v2, c.words)
	c.must(err)
	c.helps = kind > 2
	for _, name := range sortedKeys(files) {
		b := files[name]
		switch {
		case kind == 3: // cut anywhere
			b, c.answers, c.helps = b[:c.r.IntN(len(b))], "cut", false
		case kind == 4: // bits that are wrong
			b, c.answers, c.helps = bytes.Clone(b), "wrong bits", false
			for range 1 + c.r.IntN(10) {
				b[c.r.IntN(len(b))] ^= byte(1 << c.r.IntN(8))
			}
		case kind == 5 && !strings.HasPrefix(name, "ctdb"), kind == 6 && strings.HasPrefix(name, "dBAR"):
			continue // CTDB alone
		case kind == 7 && strings.HasPrefix(name, "ctdb"):
			c.helps = false // AccurateRip alone
			continue
		}
		c.must(os.WriteFile(filepath.Join(c.dir, "Album", name), b, 0o666))
	}
}

func sortedKeys(m map[string][]byte) (keys []string) {
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// run rips the album, once or in two runs.
func (c *proofCase) run() {
	defer os.RemoveAll(c.dir)
	c.must(os.Mkdir(filepath.Join(c.dir, "Album"), 0o777))
	if c.r.IntN(4) == 0 {
		c.judge(c.rip(), false) // nothing is known of it yet
	}
	c.answer()
	c.judge(c.rip(), true)
}

// rip rips the album, and returns what is said of it.
func (c *proofCase) rip() []albumSong {
	var out bytes.Buffer
	a := newApp(&out, &out)
	args := []string{"rip", filepath.Join(c.dir, "Album") + "/", "--format", "wav", "--retries", "1", "--json",
		"-d", "sim:" + filepath.Join(c.dir, "disc.cue") + "?" + c.query}
	status := a.perform(c.t.Context(), args)
	for line := range strings.Lines(out.String()) {
		var e struct {
			Event string
			Songs []albumSong
		}
		if err := json.Unmarshal([]byte(line), &e); err == nil && e.Event == "result" {
			c.counts["rips"]++
			return e.Songs
		}
	}
	if status == exitUsage && strings.Contains(out.String(), "already") {
		return nil // the album is whole
	}
	c.t.Errorf("%s: status %d\n%s", c, status, out.String())
	return nil
}

func (c *proofCase) String() string {
	return fmt.Sprintf("seed %d (%s; answers %s, offset %d, %d words)", c.seed, c.query, c.answers, c.offset, c.words)
}

// judge compares the songs with the disc.
func (c *proofCase) judge(songs []albumSong, answered bool) {
	if songs == nil {
		return
	}
	at := 0
	for i := range songs {
		s := &songs[i]
		want := c.truth[at*cdsector.Size:][:s.Sectors*cdsector.Size]
		first := at
		at += s.Sectors
		b, err := os.ReadFile(s.File)
		c.must(err)
		const header = 44
		same := bytes.Equal(b[header:][:len(want)], want)
		c.counts[string(s.Proof)]++
		if strings.Contains(s.Words, "repaired") {
			c.counts["repaired"]++
		}
		switch {
		case same:
		case s.Proof == riplog.Database:
			from, to := c.covered()
			from, to = max(from, first), min(to, at)
			if from >= to {
				break
			}
			looked := b[header+(from-first)*cdsector.Size:][:(to-from)*cdsector.Size]
			isOn := func(disc []byte) bool { return bytes.Equal(looked, disc[from*cdsector.Size:to*cdsector.Size]) }
			switch {
			case c.answers == ofAnother && isOn(c.version):
				c.counts["other version"]++ // it is what other people have, and no more is said of it
			case !isOn(c.truth), from == first && to == at, !c.concealedIn(first, at):
				c.t.Errorf("%s: song %d is not what the disc holds: %s", c, s.Number, s.Words)
			}
		case (s.Proof == riplog.TwoReads || s.Proof == riplog.Votes) && !c.concealedIn(first, at):
			c.t.Errorf("%s: song %d is not what the disc holds: %s", c, s.Number, s.Words)
		}
		if answered && c.helps && c.withinReach() && c.isRepaired() && s.Proof != riplog.Database && !s.Silent && s.Number > 0 && !c.damagedEdge(first, at) && (s.Flawed == 0 || s.Flawed > c.uncovered(first, at)) {
			c.t.Errorf("%s: song %d is not repaired: %s", c, s.Number, s.Words)
		}
	}
	if at*cdsector.Size != len(c.truth) {
		c.t.Errorf("%s: %d sectors", c, at)
	}
}

// covered is what all databases look at, in sectors.
func (c *proofCase) covered() (from, to int) {
	n := len(c.truth)/cdsector.Size - c.starts[0]
	moved := (5879 + 587) / 588
	if c.offset == 0 {
		moved = 0
	}
	return c.starts[0] + 10 + moved, c.starts[0] + n/10*10 - 10 - moved
}

// uncovered counts sectors at which no database looks: a drive whose C2 lies may have marked them.
func (c *proofCase) uncovered(first, end int) int {
	from, to := c.covered()
	return end - first - max(0, min(to, end)-max(from, first))
}

// damagedEdge reports whether some of sectors are damaged where no database looks.
func (c *proofCase) damagedEdge(first, end int) bool {
	from, to := c.covered()
	return slices.ContainsFunc(c.damage, func(d damagedRun) bool {
		return max(d.first, first) < min(d.end, end, from) || max(d.first, first, to) < min(d.end, end)
	})
}

func (c *proofCase) concealedIn(first, end int) bool {
	return slices.ContainsFunc(c.damage, func(d damagedRun) bool { return d.concealed && d.first < end && first < d.end })
}

// isRepaired reports whether there is a sign of damage, or so little of it that a database is believed against a drive that shows none.
func (c *proofCase) isRepaired() bool {
	sectors := 0
	for i, first := range c.starts {
		end := append(c.starts[i+1:len(c.starts):len(c.starts)], len(c.truth)/cdsector.Size)[0]
		hit := false
		for _, d := range c.damage {
			if !d.concealed {
				return true
			}
			n := max(0, min(d.end, end)-max(d.first, first))
			sectors, hit = sectors+n, hit || n > 0
		}
		if !hit && sectors <= 16 {
			return true
		}
	}
	return false
}

// withinReach reports whether parity allows to repair all damage: what is known to be damaged takes one word of a column,
// what is not takes two. Nothing is expected where a drive gives audio from other places, and for another pressing,
// where a column has nothing left to find it by.
func (c *proofCase) withinReach() bool {
	if c.hidden {
		return false
	}
	n := len(c.truth) / cdsector.Size
	var cost [10]int
	for at := range n {
		most := 0
		for _, d := range c.damage {
			if d.first <= at && at < d.end {
				most = max(most, map[bool]int{true: 1, false: 2}[d.known])
			}
		}
		cost[at%10] += most
	}
	worst := slices.Max(cost[:])
	if c.offset != 0 && c.damagedEdge(0, n) {
		return false // what the checksum covers there comes differently at each reading
	}
	if c.offset != 0 {
		return 2*worst <= c.words-2 // sectors of the disc lie across two of the database's
	}
	return worst <= c.words
}
