package sim_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"spindle/addr"
	"spindle/disc"
	"spindle/drive"
	"spindle/image/imagetest"
	"spindle/scsi"
	"spindle/scsi/mmc"
	"spindle/scsi/sim"
)

// rig is a recorder with a disc in memory.
type rig struct {
	t testing.TB
	r *sim.Recordable
	s *sim.Drive
	d *mmc.Drive
}

func newRig(t testing.TB, media string, cfg sim.Config) *rig {
	t.Helper()
	r, err := sim.NewRecordable(media, 20000, sim.NewMemory(), nil)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Disc = r
	s := sim.New(cfg)
	d := mmc.New(s)
	if err := drive.WaitReady(context.Background(), d, time.Minute); err != nil {
		t.Fatal(err)
	}
	return &rig{t, r, s, d}
}

// write sends n blocks of 2048 bytes and returns the sense triple, or nothing.
func (g *rig) write(lba, n int) string {
	return triple(g.d.Write(context.Background(), addr.LBA(lba), n, bytes.Repeat([]byte{byte(lba + 1)}, n*2048)))
}

func triple(err error) string {
	if s := scsi.SenseOf(err); s != nil {
		late := ""
		if s.Deferred {
			late = " deferred"
		}
		return s.Triple() + late
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

func (g *rig) params(w mmc.WriteParameters) string {
	return triple(g.d.SetWriteParameters(context.Background(), w))
}

func (g *rig) want(what, got, want string) {
	g.t.Helper()
	if got != want {
		g.t.Errorf("%s: %q, want %q", what, got, want)
	}
}

// A WRITE that ends with a recovered error was carried out.
func TestRecoveredWrite(t *testing.T) {
	f, err := sim.ParseFault("2A:2:1/18/00")
	if err != nil {
		t.Fatal(err)
	}
	g := newRig(t, "dvd+r", sim.Config{Faults: []sim.Fault{f}})
	g.want("a WRITE", g.write(0, 16), "")
	g.want("one that was recovered", g.write(16, 16), "1/18/00")
	g.want("the next", g.write(32, 16), "")
	g.want("flush", triple(g.d.SynchronizeCache(context.Background(), mmc.Wait)), "")
	p := make([]byte, 2048)
	if err := g.r.ReadSectors(context.Background(), p, 20); err != nil || p[0] != 17 {
		t.Errorf("%d, %v", p[0], err)
	}
}

func tao(multi mmc.MultiSession) mmc.WriteParameters {
	return mmc.WriteParameters{Type: mmc.WriteTrackAtOnce, UnderrunFree: true, TrackMode: 4, Block: mmc.BlockMode1, MultiSession: multi}
}

func TestTrackAtOnce(t *testing.T) {
	ctx := context.Background()
	g := newRig(t, "cd-r", sim.Config{})
	g.want("parameters", g.params(tao(mmc.NextSession)), "")
	g.want("not at the next address", g.write(5, 10), "5/21/02")
	g.want("first", g.write(0, 30), "")
	g.want("again", g.write(0, 30), "5/21/02")
	g.want("second", g.write(30, 300), "")
	g.want("sync", triple(g.d.SynchronizeCache(ctx, mmc.Wait)), "")
	// The track ends with two run-out blocks, the next one begins after its pregap.
	info, err := g.d.TrackInfo(ctx, 0xFF)
	if err != nil || info.NextWritable != 330+2+150 || info.Track != 2 {
		t.Errorf("%+v %v", info, err)
	}
	buf := make([]byte, 2048)
	if _, err := g.d.Read10(ctx, buf, 329); err != nil || buf[0] != 31 {
		t.Errorf("the last sector: %d %v", buf[0], err)
	}
	_, err = g.d.Read10(ctx, buf, 330)
	g.want("a run-out block", triple(err), "5/64/00")
	g.want("a second track", g.write(482, 300), "")
	g.want("close", triple(g.d.Close(ctx, mmc.CloseSession, 0, mmc.Wait)), "")
	l := g.r.Layout()
	if len(l.Sessions) != 1 || len(l.Sessions[0].Tracks) != 2 || l.Sessions[0].Tracks[1].Pregap != 150 || l.End() != 784 {
		t.Errorf("%+v", l.Sessions)
	}
	// The next session begins after lead-out, lead-in and pregap.
	if info, err = g.d.TrackInfo(ctx, 0xFF); err != nil || info.NextWritable != 784+11400 {
		t.Errorf("%+v %v", info, err)
	}
	toc, err := g.d.FullTOC(ctx)
	if err != nil {
		t.Fatal(err)
	}
	pointer := addr.LBA(0)
	for i := range toc {
		if toc[i].Point == 0xB0 {
			pointer = toc[i].MSF.LBA()
		}
	}
	if pointer != 784+11400-150 {
		t.Errorf("the pointer to the next program area is %d", pointer)
	}
	g.want("the last session", g.params(tao(mmc.NoNextSession)), "")
	g.want("write", g.write(784+11400, 300), "")
	g.want("close", triple(g.d.Close(ctx, mmc.CloseSession, 0, mmc.Immediate)), "")
	if w, err := g.d.Busy(ctx); !w.Busy || err != nil {
		t.Errorf("closing takes time: %+v %v", w, err)
	}
	if err := drive.WaitReady(ctx, g.d, 10*time.Minute); err != nil {
		t.Fatal(err)
	}
	g.want("a final disc", g.write(20000, 1), "5/30/05")
}

// Cue sheets that no disc can hold.
func TestCueSheetRules(t *testing.T) {
	const lead, out = "\x01\x00\x00\x01\x00\x00\x00\x00", "\x01\xAA\x01\x01\x00\x00\x0A\x00"
	const first = "\x01\x01\x00\x00\x00\x00\x00\x00" + "\x01\x01\x01\x00\x00\x00\x02\x00"
	for name, test := range map[string]struct{ sheet, want string }{
		"right":              {lead + first + out, ""},
		"no lead-in":         {first + out, "5/26/00"},
		"no lead-out":        {lead + first, "5/26/00"},
		"two lead-ins":       {lead + lead + first + out, "5/26/00"},
		"after the lead-out": {lead + first + out + first, "5/26/00"},
		"no first pregap":    {lead + first[8:] + out, "5/26/00"},
		"index order":        {lead + first + "\x01\x01\x03\x00\x00\x00\x04\x00" + out, "5/26/00"},
		"time runs back":     {lead + first + "\x01\x02\x01\x00\x00\x00\x01\x00" + out, "5/26/00"},
		"track 3 after 1":    {lead + first + "\x01\x03\x01\x00\x00\x00\x08\x00" + out, "5/26/00"},
		"too short":          {lead + first + "\x01\xAA\x01\x01\x00\x00\x03\x00", "5/26/00"},
		"data in an audio":   {lead + "\x01\x01\x00\x10\x00\x00\x00\x00\x01\x01\x01\x10\x00\x00\x02\x00" + out, "5/26/00"},
		"unknown form":       {lead + "\x01\x01\x00\x05\x00\x00\x00\x00" + out, "5/26/00"},
		"minute 99":          {lead + first + "\x01\xAA\x01\x01\x00\x63\x00\x00", "5/26/00"},
		"half an entry":      {lead[:5], "5/24/00"},
	} {
		g := newRig(t, "cd-r", sim.Config{})
		g.want(name, g.params(mmc.WriteParameters{Type: mmc.WriteSessionAtOnce, UnderrunFree: true}), "")
		cdb := []byte{0x5D, 0, 0, 0, 0, 0, 0, byte(len(test.sheet) >> 8), byte(len(test.sheet)), 0}
		_, err := g.s.Execute(context.Background(), &scsi.Command{CDB: cdb, Direction: scsi.Out, Data: []byte(test.sheet)})
		g.want(name, triple(err), test.want)
	}
}

func TestSequentialMedia(t *testing.T) {
	ctx := context.Background()
	for _, media := range []string{"dvd+r", "bd-r", "dvd-r"} {
		g := newRig(t, media, sim.Config{})
		if media == "dvd-r" {
			g.want("parameters", g.params(mmc.WriteParameters{Type: mmc.WriteIncremental, UnderrunFree: true, TrackMode: 5,
				Block: mmc.BlockMode1, FixedPacket: 16, LinkSize: 16, MultiSession: mmc.NextSession}), "")
		}
		g.want(media+": ahead", g.write(32, 32), "5/21/02")
		g.want(media+": first", g.write(0, 32), "")
		g.want(media+": back", g.write(0, 32), "5/21/02")
		g.want(media+": beyond", g.write(32, 100), "")
		g.want(media+": track", triple(g.d.Close(ctx, mmc.CloseTrack, 1, mmc.Wait)), "")
		g.want(media+": session", triple(g.d.Close(ctx, mmc.CloseSession, 0, mmc.Wait)), "")
		if c, err := g.d.Capacity(ctx); err != nil || c.Blocks < 132 || c.Blocks > 160 {
			t.Errorf("%s: %+v %v", media, c, err)
		}
		info, err := g.d.DiscInfo(ctx)
		if err != nil || info.Status != mmc.DiscAppendable || info.Sessions != 2 || info.LastTrackInLast != 2 {
			t.Errorf("%s: %+v %v", media, info, err)
		}
	}
}

func TestFormats(t *testing.T) {
	ctx := context.Background()
	g := newRig(t, "bd-re", sim.Config{})
	g.want("unformatted", g.write(0, 32), "3/31/00")
	offers, err := g.d.FormatCapacities(ctx)
	if err != nil || len(offers) != 6 || offers[0].State != mmc.CapacityUnformatted {
		t.Fatalf("%+v %v", offers, err)
	}
	g.want("a size that is not offered", triple(g.d.Format(ctx, mmc.FormatRequest{Type: mmc.FormatBDRE, Blocks: 77}, mmc.Wait)), "5/26/00")
	g.want("a type that is not offered", triple(g.d.Format(ctx, mmc.FormatRequest{Type: mmc.FormatPlusRW}, mmc.Wait)), "5/26/00")
	g.want("format", triple(g.d.Format(ctx, mmc.FormatRequest{Type: mmc.FormatBDRE, Blocks: offers[2].Blocks, Param: offers[2].Param}, mmc.Immediate)), "")
	w, err := g.d.Busy(ctx)
	if !w.Busy || w.Progress < 0 || err != nil {
		t.Errorf("%+v %v", w, err)
	}
	g.s.Clock().Sleep(ctx, time.Hour)
	if err := drive.WaitReady(ctx, g.d, time.Minute); err != nil {
		t.Fatal(err)
	}
	g.want("formatted", g.write(64, 32), "")
	g.want("beyond", g.write(int(offers[2].Blocks), 32), "5/21/00")

	g = newRig(t, "dvd-rw", sim.Config{})
	g.want("to restricted overwrite", triple(g.d.Format(ctx, mmc.FormatRequest{Type: mmc.FormatRWQuick, Param: 16}, mmc.Wait)), "")
	if c, err := g.d.Configuration(ctx); err != nil || c.Profile != mmc.ProfileDVDRWRO {
		t.Errorf("%v %v", c.Profile, err)
	}
	g.want("half a block", g.write(8, 8), "5/21/02")
	g.want("not where it grows", g.write(1600, 16), "5/21/02")
	g.want("it grows", g.write(0, 16), "")
	g.want("back", triple(g.d.Blank(ctx, mmc.BlankMinimal, mmc.Wait)), "")
	if c, err := g.d.Configuration(ctx); err != nil || c.Profile != mmc.ProfileDVDRW || c.Has(mmc.FeatureIncremental) {
		t.Errorf("%v %v", c.Profile, err)
	}
	g.want("a CD-R", triple(newRig(t, "cd-r", sim.Config{}).d.Blank(ctx, mmc.BlankAll, mmc.Wait)), "5/30/08")
	g.want("a DVD+R", triple(newRig(t, "dvd+r", sim.Config{}).d.Format(ctx, mmc.FormatRequest{}, mmc.Wait)), "5/30/06")
}

// A host that is late spoils a CD, unless the drive may pause.
func TestUnderrun(t *testing.T) {
	for _, free := range []bool{true, false} {
		g := newRig(t, "cd-r", sim.Config{})
		w := tao(mmc.NoNextSession)
		w.UnderrunFree = free
		g.want("parameters", g.params(w), "")
		g.want("write", g.write(0, 300), "")
		if err := g.s.Clock().Sleep(context.Background(), time.Minute); err != nil {
			t.Fatal(err)
		}
		want := ""
		if !free {
			want = "3/0C/09 deferred"
		}
		g.want(fmt.Sprintf("late, underrun free: %t", free), g.write(300, 300), want)
		if g.s.Stats().Underruns != 1 {
			t.Errorf("%d underruns", g.s.Stats().Underruns)
		}
	}
}

func TestDeferredError(t *testing.T) {
	ctx := context.Background()
	g := newRig(t, "dvd+r", sim.Config{Faults: []sim.Fault{{Kind: sim.FaultWrite, First: 40, Last: 40}}})
	g.want("the drive takes it", g.write(0, 64), "")
	err := g.d.SynchronizeCache(ctx, mmc.Wait)
	s := scsi.SenseOf(err)
	if triple(err) != "3/0C/00 deferred" || !s.InformationValid || s.Information != 40 {
		t.Errorf("%+v", s)
	}
	info, err := g.d.TrackInfo(ctx, 1)
	if err != nil || !info.Damaged || info.NextWritableValid {
		t.Errorf("%+v %v", info, err)
	}
	g.want("it cannot be continued", g.write(64, 16), "5/72/04")
}

func TestBusyDrive(t *testing.T) {
	g := newRig(t, "dvd+r", sim.Config{Busy: true, Speed: 4})
	refused := 0
	for at := 0; at < 6000; {
		switch got := g.write(at, 32); got {
		case "":
			at += 32
		case "2/04/08":
			refused++
			if err := g.s.Clock().Sleep(context.Background(), 50*time.Millisecond); err != nil {
				t.Fatal(err)
			}
		default:
			t.Fatal(got)
		}
	}
	if refused == 0 {
		t.Error("the buffer never was full")
	}
}

// What fails while it is kept is reported, and nothing is pretended.
func TestStoreFails(t *testing.T) {
	r, err := sim.NewRecordable("dvd+r", 20000, brokenStore{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := sim.New(sim.Config{Disc: r})
	g := &rig{t, r, s, mmc.New(s)}
	if err := drive.WaitReady(context.Background(), g.d, time.Minute); err != nil {
		t.Fatal(err)
	}
	g.want("write", g.write(0, 64), "")
	g.want("sync", triple(g.d.SynchronizeCache(context.Background(), mmc.Wait)), "4/44/00 deferred")
	if s.Stats().StoreError == nil {
		t.Error("no reason is given")
	}
}

type brokenStore struct{}

var errDiskFull = errors.New("no space left on device")

func (brokenStore) ReadAt([]byte, int64) (int, error)  { return 0, errDiskFull }
func (brokenStore) WriteAt([]byte, int64) (int, error) { return 0, errDiskFull }
func (brokenStore) Truncate(int64) error               { return errDiskFull }

// A disc is what it was after its state was kept and opened again.
func TestStateIsKept(t *testing.T) {
	store := sim.NewMemory()
	var kept sim.State
	r, err := sim.NewRecordable("cd-r", 0, store, func(st sim.State, _ *disc.Layout) error { kept = st; return nil })
	if err != nil {
		t.Fatal(err)
	}
	s := sim.New(sim.Config{Disc: r})
	g := &rig{t, r, s, mmc.New(s)}
	if err := drive.WaitReady(context.Background(), g.d, time.Minute); err != nil {
		t.Fatal(err)
	}
	g.want("parameters", g.params(tao(mmc.NextSession)), "")
	g.want("write", g.write(0, 300), "")
	g.want("close", triple(g.d.Close(context.Background(), mmc.CloseSession, 0, mmc.Wait)), "")
	again, err := sim.OpenRecordable(kept, store, nil)
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(again.Layout()) != fmt.Sprint(r.Layout()) {
		t.Errorf("%+v, was %+v", again.Layout(), r.Layout())
	}
	imagetest.Test(t, again)
	for _, spoil := range []func(*sim.State){
		func(st *sim.State) { st.Media = "cd-rom" }, func(st *sim.State) { st.Capacity = 0 },
		func(st *sim.State) { st.Sessions[0].Tracks[0].Number = 0 }, func(st *sim.State) { st.Sessions[0].Tracks[0].Next = -5 },
		func(st *sim.State) { st.Sessions[0].Tracks[0].Offset = -1 }, func(st *sim.State) { st.Sessions[0].LeadOut = 3 },
	} {
		st := again.State()
		spoil(&st)
		if _, err := sim.OpenRecordable(st, store, nil); err == nil {
			t.Errorf("an impossible state is taken: %+v", st)
		}
	}
}

// Any command with any buffer, on any disc that can be written: no crash, and no
// more memory than the disc has.
func FuzzRecorder(f *testing.F) {
	f.Add([]byte{0x2A, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0xFF, 0xFF, 0}, []byte{1, 2, 3}, uint8(0))
	f.Add([]byte{0x5D, 0, 0, 0, 0, 0, 0, 0, 16, 0}, []byte("\x01\x00\x00\x01\x00\x00\x00\x00\x01\xAA\x01\x01\x00\x00\x0A\x00"), uint8(1))
	f.Add([]byte{0x04, 0x11, 0, 0, 0, 0}, []byte{0, 2, 0, 8, 0xFF, 0xFF, 0xFF, 0xFF, 0x98, 0, 0, 0}, uint8(9))
	f.Add([]byte{0x55, 0x10, 0, 0, 0, 0, 0, 0, 60, 0}, append(make([]byte, 8), 5, 50, 0x41, 0xC4, 8), uint8(2))
	f.Add([]byte{0xA1, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, []byte{}, uint8(3))
	f.Add([]byte{0x53, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0}, []byte{}, uint8(4))
	names := sim.MediaNames()
	f.Fuzz(func(t *testing.T, cdb, data []byte, media uint8) {
		r, err := sim.NewRecordable(names[int(media)%len(names)], 5000, sim.NewMemory(), nil)
		if err != nil {
			t.Skip()
		}
		s := sim.New(sim.Config{Disc: r})
		d := mmc.New(s)
		if err := drive.WaitReady(context.Background(), d, time.Minute); err != nil {
			t.Fatal(err)
		}
		// After an honest beginning, three times the same command, then an end.
		write := make([]byte, 10)
		write[0] = 0x2A
		binary.BigEndian.PutUint16(write[7:], 16)
		commands := []*scsi.Command{{CDB: write, Direction: scsi.Out, Data: make([]byte, 16*2048)}}
		for range 3 {
			commands = append(commands, &scsi.Command{CDB: cdb, Direction: scsi.Out, Data: data})
		}
		commands = append(commands, &scsi.Command{CDB: []byte{0x35, 0, 0, 0, 0, 0, 0, 0, 0, 0}},
			&scsi.Command{CDB: []byte{0x5B, 0, 2, 0, 0, 0, 0, 0, 0, 0}}, &scsi.Command{CDB: []byte{0x51, 0, 0, 0, 0, 0, 0, 0, 34, 0}, Direction: scsi.In, Data: make([]byte, 34)},
			&scsi.Command{CDB: []byte{0x52, 1, 0, 0, 0, 1, 0, 0, 36, 0}, Direction: scsi.In, Data: make([]byte, 36)},
			&scsi.Command{CDB: []byte{0x43, 2, 2, 0, 0, 0, 1, 4, 0, 0}, Direction: scsi.In, Data: make([]byte, 1024)})
		for _, c := range commands {
			n, err := s.Execute(context.Background(), c)
			if n < 0 || n > len(c.Data) {
				t.Fatalf("%d bytes of %d", n, len(c.Data))
			}
			if sense := scsi.SenseOf(err); sense != nil && len(sense.Raw) == 0 {
				t.Fatal("no sense data")
			}
		}
		if l := r.Layout(); l != nil {
			if err := l.Validate(); err != nil && !strings.Contains(err.Error(), "lead-out") {
				t.Fatalf("%v: %+v", err, l)
			}
		}
	})
}
