package scan_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"spindle/drive"
	"spindle/drive/byname"
	"spindle/internal/testdisc"
	"spindle/scan"
	"spindle/scsi"
	"spindle/scsi/mmc"
)

// watched is a drive that notes which commands it gets, and hesitates at some places.
type watched struct {
	scsi.Device
	ops    map[scsi.Opcode]int
	slow   func(c *scsi.Command) bool
	cancel func(n int)
}

func (w *watched) Execute(ctx context.Context, c *scsi.Command) (int, error) {
	w.ops[scsi.Opcode(c.CDB[0])]++
	if w.cancel != nil {
		w.cancel(w.ops[scsi.OpReadCD])
	}
	n, err := w.Device.Execute(ctx, c)
	if w.slow != nil && w.slow(c) {
		_ = w.Clock().Sleep(ctx, 700*time.Millisecond)
	}
	return n, err
}

// settings are commands that change how a drive works for the next program.
var settings = []scsi.Opcode{scsi.OpSetCDSpeed, scsi.OpSetStreaming, scsi.OpModeSelect10}

func open(t *testing.T, disc, keys string) *watched {
	t.Helper()
	path, err := testdisc.Make(t.TempDir(), disc)
	if err != nil {
		t.Fatal(err)
	}
	c, err := byname.Open(t.Context(), "sim:"+path+keys, byname.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	w := &watched{Device: c, ops: make(map[scsi.Opcode]int)}
	t.Cleanup(func() {
		for _, op := range settings {
			if w.ops[op] > 0 {
				t.Errorf("%s was sent: the drive is not as it was", op)
			}
		}
	})
	return w
}

func run(t *testing.T, w *watched) *scan.Scan {
	t.Helper()
	d := mmc.New(w)
	m, err := drive.Survey(t.Context(), d, drive.ForReading)
	if err != nil {
		t.Fatal(err)
	}
	s, err := scan.Run(t.Context(), d, m, scan.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestWhatIsMet(t *testing.T) {
	for _, c := range []struct {
		name, disc, keys string
		want             scan.Zone // the sum
	}{
		{"a good CD", "mixed", "", scan.Zone{End: 1450, Read: 1298}},
		{"a good audio CD", "audio", "", scan.Zone{End: 1563, Read: 1563}},
		{"a good DVD", "iso", "?media=dvd-rom", scan.Zone{End: 315, Read: 315}},
		{"a sector that cannot be read", "data", "?fault=read:700", scan.Zone{End: 1998, Read: 1994, Retried: 6, Unreadable: 4}},
		{"a sector that comes the second time", "data", "?fault=read:700:1", scan.Zone{End: 1998, Read: 1998, Retried: 10}},
		{"a DVD's block", "iso", "?media=dvd-rom&fault=read:100", scan.Zone{End: 315, Read: 299, Retried: 16, Unreadable: 16}},
		{"a wrong EDC", "data", "?fault=corrupt:700-702", scan.Zone{End: 1998, Read: 1998, Wrong: 3}},
		{"C2", "audio", "?fault=read:700-702", scan.Zone{End: 1563, Read: 1563, Flagged: 3}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := run(t, open(t, c.disc, c.keys))
			if got := s.Sum(); got != c.want {
				t.Errorf("%+v, want %+v", got, c.want)
			}
			if x := s.Speed() / s.OneX; x < 1 || x > 60 {
				t.Errorf("it read at %.1fx", x)
			}
			if s.Elapsed <= 0 || s.Drive == "" {
				t.Errorf("%+v", s)
			}
		})
	}
}

// TestNoDamageWhereNoneIs: what drives do otherwise than the standard says is not the disc's
// fault.
func TestNoDamageWhereNoneIs(t *testing.T) {
	for _, keys := range []string{
		"drive=bdr-ud04", "drive=ihas124-f", "drive=gp50nb40", "drive=bu40n-omnidrive", "drive=bu40n-usb", "drive=uj-868",
		"trait=c2-garbage", "trait=c2-294-fails-after", "trait=c2-296-only-first", "trait=cut-mod-1024", "trait=expected-type-0-refused",
		"trait=no-accurate-stream", "trait=no-full-toc", "trait=no-get-configuration", "c2=no",
	} {
		t.Run(keys, func(t *testing.T) {
			s := run(t, open(t, "mixed", "?"+keys))
			if got, want := s.Sum(), (scan.Zone{End: 1450, Read: 1298}); got != want {
				t.Errorf("%+v", got)
			}
		})
	}
}

// TestHopelessZone: a stretch that cannot be read costs a bounded number of commands.
func TestHopelessZone(t *testing.T) {
	w := open(t, "data", "?fault=read:400-1400")
	sum := run(t, w).Sum()
	if sum.Unreadable < 100 || sum.Skipped < 200 || sum.Read+sum.Unreadable+sum.Skipped != 1998 {
		t.Errorf("%+v", sum)
	}
	if w.ops[scsi.OpReadCD] > 600 {
		t.Errorf("%d commands", w.ops[scsi.OpReadCD])
	}
}

// TestSlow: what takes the drive longer than usual is not damage, and shows.
func TestSlow(t *testing.T) {
	w := open(t, "data", "")
	w.slow = func(c *scsi.Command) bool {
		at := int(c.CDB[3])<<16 | int(c.CDB[4])<<8 | int(c.CDB[5])
		return scsi.Opcode(c.CDB[0]) == scsi.OpReadCD && at > 1500 && at <= 1560
	}
	s := run(t, w)
	sum := s.Sum()
	if sum.Slow < 30 || sum.Slow > 90 || sum.Unreadable > 0 {
		t.Errorf("%+v", sum)
	}
	good, slow := s.Zones[10], s.Zones[len(s.Zones)*1530/2000]
	if slow.Slow == 0 || slow.Speed >= good.Speed {
		t.Errorf("%+v beside %+v", slow, good)
	}
}

func TestInterrupted(t *testing.T) {
	w := open(t, "data", "")
	d := mmc.New(w)
	m, err := drive.Survey(t.Context(), d, drive.ForReading)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	w.cancel = func(n int) {
		if n == 20 {
			cancel()
		}
	}
	if _, err := scan.Run(ctx, d, m, scan.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if n := w.ops[scsi.OpReadCD]; n > 21 {
		t.Errorf("%d commands after the end", n-20)
	}
}

func TestBlank(t *testing.T) {
	d := mmc.New(openNew(t, "?media=cd-r"))
	m, err := drive.Survey(t.Context(), d, drive.ForReading)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := scan.Run(t.Context(), d, m, scan.Options{}); !errors.Is(err, scan.ErrNothing) {
		t.Errorf("%v", err)
	}
}

func openNew(t *testing.T, keys string) scsi.Device {
	t.Helper()
	c, err := byname.Open(t.Context(), "sim:"+filepath.Join(t.TempDir(), "new.cue")+keys, byname.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func TestHistory(t *testing.T) {
	before := run(t, open(t, "data", "?fault=read:700"))
	after := run(t, open(t, "data", "?fault=read:700&fault=read:900"))
	if w := after.Worse(before); len(w) != 1 || w[0].Now.First > 900 || w[0].Now.End <= 900 || w[0].Then.Unreadable != 0 || w[0].Now.Unreadable == 0 {
		t.Errorf("%+v", w)
	}
	if w := before.Worse(after); len(w) > 0 {
		t.Errorf("it got better: %+v", w)
	}
	path := scan.File(t.TempDir(), "x")
	h, err := scan.Load(path)
	if err != nil || len(h.Scans) > 0 {
		t.Fatal(h, err)
	}
	h.Add(before)
	h.Add(after)
	if err := h.Save(path); err != nil {
		t.Fatal(err)
	}
	got, err := scan.Load(path)
	if err != nil || !reflect.DeepEqual(got, h) {
		t.Errorf("%+v, %v", got, err)
	}
	for range 100 {
		h.Add(after)
	}
	if len(h.Scans) != 50 || !reflect.DeepEqual(h.Scans[0], *before) {
		t.Errorf("%d scans", len(h.Scans))
	}
	for _, bad := range []string{"", "{}", `{"version":2}`, `{"version":1,"scans":[{}]}`,
		`{"version":1,"scans":[{"one_x":1,"zones":[{"first":5,"end":1}]}]}`, `{"version":1,"scans":[{"one_x":1,"zones":[{"first":0,"end":9,"read":10}]}]}`} {
		if err := os.WriteFile(path, []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := scan.Load(path); !errors.Is(err, scan.ErrHistory) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func TestIdentify(t *testing.T) {
	name := func(disc, keys string) string {
		t.Helper()
		d := mmc.New(open(t, disc, keys))
		m, err := drive.Survey(t.Context(), d, drive.ForReading)
		if err != nil {
			t.Fatal(err)
		}
		id, err := scan.Identify(t.Context(), d, m)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	a, b, c, none := name("mixed", ""), name("mixed", "?fault=read:500"), name("data", ""), name("mixed", "?fault=read:16")
	if a == "" || a != b || a == c || none != "" {
		t.Errorf("%q, %q, %q, %q", a, b, c, none)
	}
}
