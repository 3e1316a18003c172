package campaign

import (
	"bytes"
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"spindle/burn"
	"spindle/disc"
	"spindle/drive"
	"spindle/drive/trial"
	"spindle/internal/testdisc"
	"spindle/rip"
	"spindle/scsi"
	"spindle/scsi/mmc"
	"spindle/scsi/sim"
)

// A lie changes the answers to a command.
type lie struct {
	op     scsi.Opcode // of the commands that are lied to
	nth    int         // which of them; -1: all
	kind   lieKind
	at, by byte
}

type lieKind uint8

// The kinds of lies.
const (
	changeByte lieKind = iota // one byte is another
	changeSize                // two bytes, as lengths are
	fillReply                 // all bytes are the same
	cutReply                  // fewer bytes come, and that is said
	staleReply                // nothing comes, and success is reported
	longReply                 // more bytes came than were asked for
	failReply                 // any sense data
	loseReply                 // the adapter fails
	lieKinds
)

// lieBytes is the size of a lie in a script.
const lieBytes = 5

// told are the commands that are lied to.
var told = []scsi.Opcode{
	scsi.OpInquiry, scsi.OpGetConfiguration, scsi.OpModeSense10, scsi.OpReadTOC, scsi.OpReadDiscInformation, scsi.OpReadTrackInformation,
	scsi.OpReadCapacity, scsi.OpReadCD, scsi.OpRead10, scsi.OpReadDiscStructure, scsi.OpReadFormatCapacities, scsi.OpReadBufferCapacity,
	scsi.OpGetPerformance, scsi.OpReadSubChannel, scsi.OpTestUnitReady, scsi.OpRequestSense, scsi.OpMechanismStatus,
	scsi.OpGetEventStatus, scsi.OpWrite10, scsi.OpSynchronizeCache, scsi.OpCloseTrackSession, scsi.OpSendCueSheet,
}

// parseLies reads a script. Any bytes are one.
func parseLies(script []byte) []lie {
	const most = 12
	var all []lie
	for ; len(script) >= lieBytes && len(all) < most; script = script[lieBytes:] {
		all = append(all, lie{
			op: told[int(script[0])%len(told)], nth: int(script[1]%16) - 1, kind: lieKind(script[2]) % lieKinds, at: script[3], by: script[4],
		})
	}
	return all
}

// A liar is a device some of whose answers are not what they should be. After mostAsked
// commands it is gone, so that whoever believes that a disc is endless ends.
type liar struct {
	scsi.Device
	mu     sync.Mutex
	lies   []lie
	asked  int
	counts map[scsi.Opcode]int
	// forged: bytes of sectors are not those of the disc, and nothing says so.
	forged bool
}

const mostAsked = 3000

func (l *liar) Execute(ctx context.Context, c *scsi.Command) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.asked++; l.asked > mostAsked {
		return 0, scsi.ErrGone
	}
	op := scsi.Opcode(c.CDB[0])
	nth := l.counts[op]
	l.counts[op]++
	mine := slices.DeleteFunc(slices.Clone(l.lies), func(x lie) bool { return x.op != op || x.nth >= 0 && x.nth != nth })
	before := bytes.Clone(c.Data)
	n, err := l.Device.Execute(ctx, c)
	for _, x := range mine {
		n, err = l.tell(x, c, before, n, err)
	}
	return n, err
}

// tell is one lie.
func (l *liar) tell(x lie, c *scsi.Command, before []byte, n int, err error) (int, error) {
	in := c.Direction == scsi.In && len(c.Data) > 0
	reads := x.op == scsi.OpReadCD || x.op == scsi.OpRead10
	switch at := int(x.at) % max(1, len(c.Data)); {
	case x.kind == failReply:
		s, _ := scsi.ParseSense([]byte{0x70, 0, x.at & 15, 0, 0, x.by, x.at, 10, 0, 0, 0, 0, x.by, x.at >> 4, 0, 0, 0, 0})
		return 0, &scsi.CheckCondition{Opcode: x.op, Sense: s}
	case x.kind == loseReply:
		return 0, scsi.ErrTransport
	case !in:
		return n, err
	case x.kind == changeByte:
		c.Data[at] = x.by
		l.forged = l.forged || reads
	case x.kind == changeSize:
		c.Data[at], c.Data[(at+1)%len(c.Data)] = x.by, ^x.at
		l.forged = l.forged || reads
	case x.kind == fillReply:
		for i := range c.Data {
			c.Data[i] = x.by
		}
		l.forged = l.forged || reads
		return len(c.Data), nil
	case x.kind == cutReply:
		copy(c.Data[at:], before[at:])
		return min(n, at), err
	case x.kind == staleReply:
		copy(c.Data, before)
		return len(c.Data), nil
	case x.kind == longReply:
		return n + 1 + int(x.by), err
	}
	return n, err
}

// smallCD is a CD with audio and data, long enough for all jobs.
func smallCD(t testing.TB) disc.Image {
	t.Helper()
	l := &disc.Layout{MCN: "4012345678901", Sessions: []disc.Session{{Number: 1, LeadOut: 330, Tracks: []disc.Track{
		{Number: 1, Mode: disc.Mode1, Control: disc.DataTrack, End: 150},
		{Number: 2, Pregap: 20, Start: 170, End: 330, ISRC: "GBAYE6700002"},
	}}}}
	return extents(t, l, disc.Extent{Count: 150, Source: testdisc.Pattern{}, Form: disc.FormMode1},
		disc.Extent{First: 150, Count: 180, Source: testdisc.Pattern{}, Form: disc.FormRaw})
}

// smallDVD is a DVD.
func smallDVD(t testing.TB) disc.Image {
	t.Helper()
	const n = 160
	l := &disc.Layout{Medium: disc.DVD, Sessions: []disc.Session{{Number: 1, LeadOut: n, Tracks: []disc.Track{
		{Number: 1, Mode: disc.Mode1, Control: disc.DataTrack, End: n}}}}}
	return extents(t, l, disc.Extent{Count: n, Source: testdisc.Pattern{}, Form: disc.FormBlock})
}

// believe does all that can be done with a drive that lies: whatever comes of it, it ends,
// and no sector is called good that is not.
func believe(t testing.TB, which byte, script []byte) {
	img := smallCD(t)
	opts := rip.Options{Output: filepath.Join(t.TempDir(), "out.cue"), Format: rip.CueBin, Retries: 1}
	if which&1 != 0 {
		img = smallDVD(t)
		opts.Output, opts.Format = filepath.Join(t.TempDir(), "out.iso"), rip.ISO
	}
	device := func(cfg sim.Config) *liar {
		return &liar{Device: adapter{sim.New(cfg)}, lies: parseLies(script), counts: map[scsi.Opcode]int{}}
	}
	ctx := context.Background()
	switch which >> 1 % 4 {
	case 0: // survey and info
		d := mmc.New(device(sim.Config{Image: img}))
		if m, err := drive.Survey(ctx, d, drive.ForReading); err == nil {
			_, _ = rip.Examine(ctx, d, m, rip.ExamineOptions{Indexes: true})
		}
	case 1:
		dev := device(sim.Config{Image: img})
		res, err := rip.Rip(ctx, mmc.New(dev), opts)
		if err == nil && !dev.forged {
			compareRip(t, img, res)
		}
	case 2:
		if r, err := trial.Run(ctx, mmc.New(device(sim.Config{Image: img})), nil); err == nil {
			r.Learned()
		}
	case 3:
		burnWithLies(t, img, device, which>>3)
	}
}

// compareRip compares what a rip calls good with the disc. Which sectors there are is for
// the drive to say.
func compareRip(t testing.TB, img disc.Image, res *rip.Result) {
	t.Helper()
	l := res.Contents.Layout
	var image []byte
	for _, f := range res.Images {
		b, err := os.ReadFile(f.Path)
		if err != nil {
			t.Fatal(err)
		}
		image = append(image, b...)
	}
	size := img.Layout().Medium.SectorSize()
	if int64(len(image)) != res.Sectors*int64(size) {
		return // of a kind that the drive lied about
	}
	listed := func(at disc.LBA) bool {
		return slices.ContainsFunc(res.Bad, func(b rip.BadRange) bool { return at >= b.First && at <= b.Last })
	}
	want := make([]byte, size)
	pos := 0
	for _, track := range l.Tracks() {
		for at := track.Begin(); at < track.End && pos+size <= len(image); at, pos = at+1, pos+size {
			if at < 0 || at >= img.Layout().End() || listed(at) || res.Absent > 0 {
				continue
			}
			if err := img.ReadSectors(context.Background(), want, at); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(image[pos:pos+size], want) {
				t.Fatalf("sector %d is called good, and is not that of the disc", at)
			}
		}
	}
}

// burnWithLies burns. What is called verified is on the disc.
func burnWithLies(t testing.TB, img disc.Image, device func(sim.Config) *liar, which byte) {
	t.Helper()
	media := []string{"cd-r", "cd-rw"}
	if img.Layout().Medium == disc.DVD {
		media = []string{"dvd+r", "dvd+rw", "dvd-r", "bd-r"}
	}
	name := media[int(which)%len(media)]
	if name == "bd-r" {
		img = bdData(t)
	}
	blank, err := sim.NewRecordable(name, 20000, sim.NewMemory(), nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	dev := device(sim.Config{Disc: blank})
	d := mmc.New(dev)
	m, err := burn.Survey(ctx, d)
	if err != nil {
		return
	}
	src := burn.ImageSource("", img)
	plan, err := burn.MakePlan(context.Background(), m, src, burn.Options{})
	if err != nil {
		return
	}
	res := burn.Run(ctx, src, &burn.Job{Drive: d, Medium: m, Plan: plan, Verify: true, Observer: &burnNotes{}})[0]
	if res.Err != nil || res.Verification == nil || !res.Verification.OK() || dev.forged {
		return
	}
	different, err := differences(img, blank)
	if err != nil || len(different) > 0 {
		t.Fatalf("%s: called good, and %d sectors differ (%v)", name, len(different), err)
	}
}

// inTime runs a case, and fails when it takes long or much memory.
func inTime(t testing.TB, which byte, script []byte) {
	t.Helper()
	const most = 512 << 20 // bytes
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	done := make(chan struct{})
	go func() {
		defer close(done)
		believe(t, which, script)
	}()
	select {
	case <-done:
	case <-time.After(patience):
		t.Fatalf("it does not end: %d, %x", which, script)
	}
	if runtime.ReadMemStats(&after); after.Sys > before.Sys+most {
		t.Fatalf("it took %d MB", (after.Sys-before.Sys)>>20)
	}
}

// TestLiars lets drives give any answers to any command.
func TestLiars(t *testing.T) {
	n := 64
	if os.Getenv("SPINDLE_CAMPAIGN") == "all" {
		n = 1000
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range n {
		script := make([]byte, lieBytes*(1+r.IntN(4)))
		for i := range script {
			script[i] = byte(r.Uint32())
		}
		inTime(t, byte(r.Uint32()), script)
	}
}

func FuzzLiars(f *testing.F) {
	f.Add(byte(2), []byte{3, 0, byte(changeSize), 0, 0xFF})  // a long table of contents
	f.Add(byte(2), []byte{7, 1, byte(staleReply), 0, 0})     // a reply that never came
	f.Add(byte(3), []byte{6, 0, byte(changeByte), 0, 0x7F})  // an endless disc
	f.Add(byte(0), []byte{1, 0, byte(fillReply), 0, 0xFF})   // features without end
	f.Add(byte(4), []byte{7, 0, byte(cutReply), 100, 0})     // sectors cut short
	f.Add(byte(7), []byte{5, 0, byte(changeSize), 12, 0xFF}) // an impossible next address
	f.Fuzz(func(t *testing.T, which byte, script []byte) { inTime(t, which, script) })
}
