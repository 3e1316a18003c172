package sim

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"testing"
	"time"

	"spindle/addr"
	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/scsi"

	"github.com/google/go-cmp/cmp"
)

// mixedDisc has Mode 1, then audio with a pregap, then XA.
func mixedDisc(t testing.TB) disc.Image {
	t.Helper()
	l := &disc.Layout{MCN: "4012345678901", Sessions: []disc.Session{{Number: 1, LeadOut: 900, Tracks: []disc.Track{
		{Number: 1, Mode: disc.Mode1, Control: disc.DataTrack, Start: 0, End: 300},
		{Number: 2, Mode: disc.Audio, Start: 450, Pregap: 150, Indexes: []disc.LBA{500}, End: 600, ISRC: "GBAYE6700001"},
		{Number: 3, Mode: disc.Mode2, Control: disc.DataTrack, Start: 600, End: 900},
	}}}}
	img, err := disc.NewExtentImage(l, []disc.Extent{
		{First: 0, Count: 300, Form: disc.FormMode1},
		{First: 300, Count: 300, Source: noise{}, Form: disc.FormRaw},
		{First: 600, Count: 300, Form: disc.FormXA1},
	})
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// noise is an endless file of bytes that tell where they stand.
type noise struct{}

func (noise) ReadAt(p []byte, off int64) (int, error) {
	for i := range p {
		at := off + int64(i)
		p[i] = byte(at*7 + at>>8*13 + at>>16)
	}
	return len(p), nil
}

// ready gives a drive that is past unit attentions and spin-up.
func ready(t testing.TB, cfg Config) *Drive {
	t.Helper()
	d := New(cfg)
	ctx := context.Background()
	for range 20 {
		if _, err := d.Execute(ctx, &scsi.Command{CDB: make([]byte, 6)}); err == nil {
			return d
		}
		if err := d.Clock().Sleep(ctx, time.Second); err != nil {
			t.Fatal(err)
		}
	}
	t.Fatal("the drive does not become ready")
	return nil
}

func run(d *Drive, data []byte, cdb ...byte) (int, error) {
	return d.Execute(context.Background(), &scsi.Command{CDB: cdb, Direction: scsi.In, Data: data})
}

func triple(err error) string {
	if s := scsi.SenseOf(err); s != nil {
		return s.Triple()
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

func TestPowerOnStates(t *testing.T) {
	d := New(Config{Image: mixedDisc(t)})
	tur := make([]byte, 6)
	var got []string
	for range 4 {
		_, err := run(d, nil, tur...)
		got = append(got, triple(err))
	}
	if diff := cmp.Diff([]string{"6/29/00", "6/28/00", "2/04/01", "2/04/01"}, got); diff != "" {
		t.Error(diff)
	}
	if err := d.Clock().Sleep(context.Background(), 10*time.Second); err != nil {
		t.Fatal(err)
	}
	if _, err := run(d, nil, tur...); err != nil {
		t.Error(err)
	}
}

func TestTray(t *testing.T) {
	d := ready(t, Config{Image: mixedDisc(t)})
	steps := []struct {
		cdb  []byte
		want string
	}{
		{[]byte{0x1E, 0, 0, 0, 1, 0}, ""}, {[]byte{0x1B, 0, 0, 0, 2, 0}, "5/53/02"}, {[]byte{0x1E, 0, 0, 0, 0, 0}, ""},
		{[]byte{0x1B, 0, 0, 0, 2, 0}, ""}, {make([]byte, 6), "2/3A/02"}, {[]byte{0x1B, 0, 0, 0, 3, 0}, ""},
		{make([]byte, 6), "6/28/00"}, {make([]byte, 6), "2/04/01"},
	}
	for i, s := range steps {
		if _, err := run(d, nil, s.cdb...); triple(err) != s.want {
			t.Errorf("step %d: %q, want %q", i, triple(err), s.want)
		}
	}
}

// readCD makes a READ CD for sectors at a.
func readCD(a, n int, expect, fields, sub byte) []byte {
	cdb := make([]byte, 12)
	cdb[0], cdb[1] = 0xBE, expect<<2
	binary.BigEndian.PutUint32(cdb[2:], uint32(a))
	cdb[6], cdb[7], cdb[8] = byte(n>>16), byte(n>>8), byte(n)
	cdb[9], cdb[10] = fields, sub
	return cdb
}

func TestReadCDTable(t *testing.T) {
	d := ready(t, Config{Image: mixedDisc(t)})
	for _, test := range []struct {
		name     string
		cdb      []byte
		size     int
		want     string
		sentinel int // address in the sense data
	}{
		{"mode 1, all", readCD(10, 1, 0, 0xF8, 0), 2352, "", 0},
		{"mode 1, user", readCD(10, 1, 2, 0x10, 0), 2048, "", 0},
		{"mode 1, header and user", readCD(10, 1, 0, 0x30, 0), 2052, "", 0},
		{"mode 1, user and EDC", readCD(10, 1, 0, 0x18, 0), 2336, "", 0},
		{"mode 1, sync and user", readCD(10, 1, 0, 0x90, 0), 0, "5/24/00", 0},
		{"mode 1, header", readCD(10, 1, 0, 0x20, 0), 4, "", 0},
		{"mode 1, headers", readCD(10, 1, 0, 0x60, 0), 4, "", 0},
		{"mode 1, C2", readCD(10, 1, 0, 0xFA, 0), 2352 + 294, "", 0},
		{"mode 1, C2 and block", readCD(10, 1, 0, 0xFC, 0), 2352 + 296, "", 0},
		{"mode 1, C2 reserved", readCD(10, 1, 0, 0xFE, 0), 0, "5/24/00", 0},
		{"mode 1, raw sub", readCD(10, 1, 0, 0xF8, 1), 2448, "", 0},
		{"mode 1, Q", readCD(10, 1, 0, 0xF8, 2), 2368, "", 0},
		{"sub 3", readCD(10, 1, 0, 0xF8, 3), 0, "5/24/00", 0},
		{"Q alone", readCD(10, 1, 0, 0, 2), 16, "", 0},
		{"form 1, all", readCD(700, 1, 0, 0xF8, 0), 2352, "", 0},
		{"form 1, user", readCD(700, 1, 4, 0x10, 0), 2048, "", 0},
		{"form 1, sub-header and user", readCD(700, 1, 0, 0x50, 0), 2056, "", 0},
		{"form 1, header and user", readCD(700, 1, 0, 0x30, 0), 0, "5/24/00", 0},
		{"audio, all", readCD(460, 1, 0, 0xF8, 0), 2352, "", 0},
		{"audio, user", readCD(460, 1, 1, 0x10, 0), 2352, "", 0},
		{"audio as mode 1", readCD(460, 1, 2, 0xF8, 0), 0, "5/64/00", 460},
		{"mode 1 as audio", readCD(10, 1, 1, 0x10, 0), 0, "5/64/00", 10},
		{"mode 1 as form 2", readCD(10, 1, 5, 0xF8, 0), 0, "5/64/00", 10},
		{"across data and audio", readCD(298, 4, 0, 0xF8, 0), 2 * 2352, "5/64/00", 300},
		{"the last one", readCD(899, 1, 0, 0xF8, 0), 2352, "", 0},
		{"behind the end", readCD(899, 2, 0, 0xF8, 0), 0, "5/21/00", 899},
		{"before the start", readCD(-1, 1, 0, 0xF8, 0), 0, "5/21/00", 0},
		{"nothing", readCD(10, 0, 0, 0xF8, 0), 0, "", 0},
		{"expect 6", readCD(10, 1, 6, 0xF8, 0), 0, "5/24/00", 0},
	} {
		buf := make([]byte, 4*2800)
		n, err := run(d, buf, test.cdb...)
		if n != test.size || triple(err) != test.want {
			t.Errorf("%s: %d bytes, %q; want %d, %q", test.name, n, triple(err), test.size, test.want)
		}
		if s := scsi.SenseOf(err); s != nil && test.sentinel != 0 && int(s.Information) != test.sentinel {
			t.Errorf("%s: failed at %d, want %d", test.name, s.Information, test.sentinel)
		}
	}
}

func TestRefusals(t *testing.T) {
	cd := ready(t, Config{Image: mixedDisc(t), NoFullTOC: true, NoSubchannel: true, NoC2: true})
	l := &disc.Layout{Medium: disc.DVD, Sessions: []disc.Session{{Number: 1, LeadOut: 100, Tracks: []disc.Track{
		{Number: 1, Mode: disc.Mode1, Control: disc.DataTrack, End: 100}}}}}
	img, err := disc.NewExtentImage(l, []disc.Extent{{Count: 100, Form: disc.FormBlock}})
	if err != nil {
		t.Fatal(err)
	}
	dvd := ready(t, Config{Image: img})
	for _, test := range []struct {
		name string
		d    *Drive
		cdb  []byte
		want string
	}{
		{"unknown opcode", cd, []byte{0x3C, 0, 0, 0, 0, 0, 0, 0, 1, 0}, "5/20/00"},
		{"full TOC that the drive has not", cd, []byte{0x43, 2, 2, 0, 0, 0, 1, 0, 4, 0}, "5/24/00"},
		{"sub-channel that the drive has not", cd, readCD(0, 1, 0, 0xF8, 1), "5/24/00"},
		{"C2 that the drive has not", cd, readCD(0, 1, 0, 0xFA, 0), "5/24/00"},
		{"READ of audio", cd, []byte{0x28, 0, 0, 0, 1, 0xF4, 0, 0, 1, 0}, "5/64/00"},
		{"READ behind the end", cd, []byte{0x28, 0, 0, 0, 0x10, 0, 0, 0, 1, 0}, "5/21/00"},
		{"ATIP of a pressed disc", cd, []byte{0x43, 2, 4, 0, 0, 0, 0, 0, 28, 0}, "5/24/00"},
		{"saved mode pages", cd, []byte{0x5A, 0, 0xC1, 0, 0, 0, 0, 0, 28, 0}, "5/39/00"},
		{"READ CD on a DVD", dvd, readCD(0, 1, 0, 0xF8, 0), "5/30/02"},
		{"full TOC of a DVD", dvd, []byte{0x43, 2, 2, 0, 0, 0, 1, 0, 4, 0}, "5/24/00"},
		{"structure of a BD", dvd, []byte{0xAD, 1, 0, 0, 0, 0, 0, 0, 0, 100, 0, 0}, "5/24/00"},
		{"structure of a CD", cd, []byte{0xAD, 0, 0, 0, 0, 0, 0, 0, 0, 100, 0, 0}, "5/30/02"},
		{"events not polled", cd, []byte{0x4A, 0, 0, 0, 0x10, 0, 0, 0, 8, 0}, "5/24/00"},
	} {
		if _, err := run(test.d, make([]byte, 4096), test.cdb...); triple(err) != test.want {
			t.Errorf("%s: %q, want %q", test.name, triple(err), test.want)
		}
	}
}

// The Q sub-channel must say for each sector what the layout says.
func TestQSubchannel(t *testing.T) {
	img := mixedDisc(t)
	d := ready(t, Config{Image: img})
	mcn, isrc := 0, 0
	for a := range disc.LBA(900) {
		if a == 300 || a == 600 {
			continue // a transfer of one sector never crosses
		}
		buf := make([]byte, 2448)
		if _, err := run(d, buf, readCD(int(a), 1, 0, 0xF8, 1)...); err != nil {
			t.Fatal(err)
		}
		q := cdsector.DeinterleaveQ((*[96]byte)(buf[2352:]))
		f, err := cdsector.DecodeQ(&q)
		if err != nil {
			t.Fatalf("sector %d: %v", a, err)
		}
		tr := img.Layout().TrackAt(a)
		switch f.ADR {
		case 1:
			rel := int(a - tr.Start)
			if rel < 0 {
				rel = -rel
			}
			want := cdsector.Q{Control: uint8(tr.Control), ADR: 1, Track: tr.Number, Index: tr.IndexAt(a),
				Rel: addr.Frames(rel), Abs: a.MSF()}
			if f != want {
				t.Errorf("sector %d: %+v, want %+v", a, f, want)
			}
		case 2:
			mcn++
		case 3:
			isrc++
		}
	}
	if mcn < 5 || isrc < 2 {
		t.Errorf("%d frames with the catalogue number, %d with an ISRC", mcn, isrc)
	}
}

func TestOffset(t *testing.T) {
	const samples = 30
	plain, shifted := ready(t, Config{Image: mixedDisc(t)}), ready(t, Config{Image: mixedDisc(t), Offset: samples})
	a, b := make([]byte, 2*2352), make([]byte, 2*2352)
	for d, p := range map[*Drive][]byte{plain: a, shifted: b} {
		if _, err := run(d, p, readCD(460, 2, 1, 0x10, 0)...); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(a[:len(a)-4*samples], b[4*samples:]) {
		t.Error("audio does not come so many samples late")
	}
}

func TestFaults(t *testing.T) {
	parse := func(s string) Fault {
		f, err := ParseFault(s)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	d := ready(t, Config{Image: mixedDisc(t), Faults: []Fault{
		parse("read:20-21:2"), parse("read:470"), parse("lost:480"), parse("corrupt:30:1"), parse("25:2:3/11/00"), parse("25:3:timeout"),
		parse("25:4:gone"),
	}})
	one := func(a int, fields byte) (string, []byte) {
		buf := make([]byte, 2800)
		n, err := run(d, buf, readCD(a, 1, 0, fields, 0)...)
		return triple(err), buf[:n]
	}
	for i, want := range []string{"3/11/05", "3/11/05", "", ""} {
		if got, _ := one(20, 0xF8); got != want {
			t.Errorf("read %d of a sector that fails twice: %q", i, got)
		}
	}
	_, clean := one(471, 0x12)
	got, dirty := one(470, 0x12)
	if got != "" || bytes.Equal(dirty[2352:], clean[2352:]) || !bytes.Equal(clean[2352:], make([]byte, 294)) {
		t.Error("damaged audio is not marked by C2, or clean audio is")
	}
	if got, _ := one(480, 0x10); got != "3/02/00" {
		t.Errorf("a lost sector: %q", got)
	}
	_, bad := one(30, 0xF8)
	_, good := one(30, 0xF8)
	if cdsector.EDCOK((*[2352]byte)(bad), cdsector.Mode1) || !cdsector.EDCOK((*[2352]byte)(good), cdsector.Mode1) {
		t.Error("a sector that comes wrong once does not")
	}
	capacity := []byte{0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0}
	for i, want := range []error{nil, nil, scsi.ErrTimeout, scsi.ErrGone, scsi.ErrGone} {
		_, err := run(d, make([]byte, 8), capacity...)
		if want != nil && !errors.Is(err, want) || i == 0 && err != nil || i == 1 && triple(err) != "3/11/00" {
			t.Errorf("command %d: %v", i, err)
		}
	}
}

func TestParseSpec(t *testing.T) {
	got, err := ParseSpec("a?b.cue?x")
	if err == nil {
		t.Errorf("%+v", got)
	}
	got, err = ParseSpec("dir/a%20b.cue?speed=8&fault=read:5-7:2&fault=be:3:3/11/05&offset=-6&media=cd-rom&c2=no")
	if err != nil {
		t.Fatal(err)
	}
	want := Spec{File: "dir/a%20b.cue", Media: "cd-rom", Config: Config{Speed: 8, Offset: -6, NoC2: true, Faults: []Fault{
		{Kind: FaultRead, First: 5, Last: 7, Times: 2},
		{Kind: FaultSense, Opcode: 0xBE, Nth: 3, Sense: scsi.Sense{Key: scsi.MediumError, ASC: scsi.ASCUnrecoveredRead, ASCQ: scsi.ASCQLECUncorrectable}},
	}}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(Fault{})); diff != "" {
		t.Error(diff)
	}
	if got, err := ParseSpec("trace=x?y"); err != nil || got.Trace != "x?y" {
		t.Errorf("%+v, %v", got, err)
	}
	for _, bad := range []string{"a?speed", "a?speed=x", "a?speed=0", "a?foo=1", "a?media=tape", "a?fault=x", "a?fault=read:x",
		"a?fault=read:7-5", "a?fault=zz:1:timeout", "a?fault=be:0:timeout", "a?fault=be:1:3/11", "a?tray=shut", "a?lie=x", "a?&"} {
		if got, err := ParseSpec(bad); err == nil {
			t.Errorf("%q: %+v", bad, got)
		}
	}
}

// The clock: an inside track at 52x CAV reads at about 22x, the outside at 52x;
// a limit holds; a buffer that is full makes the drive wait.
func TestTiming(t *testing.T) {
	m := newMechanism(disc.CD)
	if x := m.rate(0) / 75; x < 20 || x > 24 {
		t.Errorf("inside: %.1fx", x)
	}
	if x := m.rate(360000) / 75; x < 51.9 || x > 52.1 {
		t.Errorf("outside: %.1fx", x)
	}
	m.limit = 4
	if x := m.rate(360000) / 75; x != 4 {
		t.Errorf("limited: %.1fx", x)
	}
	var now time.Duration
	for a := disc.LBA(0); a < 3000; a += 30 {
		now += m.read(now, a, 30, 2352)
	}
	if want := 10 * time.Second; now < want || now > want+500*time.Millisecond {
		t.Errorf("3000 sectors at 4x take %s", now)
	}
	if m.hostWait != 0 {
		t.Errorf("the drive waited %s for a host that never paused", m.hostWait)
	}
	now += time.Minute
	m.read(now, 3000, 30, 2352)
	if m.hostWait < 50*time.Second || m.hostWait > time.Minute {
		t.Errorf("the drive waited %s of a minute", m.hostWait)
	}
}

// Any CDB of any length with any buffer: never a panic, never more data than the
// buffer holds.
func FuzzExecute(f *testing.F) {
	f.Add([]byte{0xBE, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFE, 1, 0}, uint16(5000), true)
	f.Add([]byte{0x43, 2, 2, 0, 0, 0, 1, 0xFF, 0xFF, 0}, uint16(7), true)
	f.Add([]byte{0x55, 0x10, 0, 0, 0, 0, 0, 0, 20, 0}, uint16(20), false)
	f.Add([]byte{0xB6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 28, 0}, uint16(28), false)
	f.Add([]byte{0xB9, 0, 0, 99, 59, 74, 0, 0, 0, 0xF8, 0, 0}, uint16(100), true)
	f.Add([]byte{0xA8, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0}, uint16(4096), true)
	f.Fuzz(func(t *testing.T, cdb []byte, size uint16, in bool) {
		for _, cfg := range []Config{{Image: mixedDisc(t)}, {Blank: true, Media: "cd-r"}, {Blank: true, Media: "dvd+r"}} {
			d := ready(t, cfg)
			buf := make([]byte, size)
			dir := scsi.Out
			if in {
				dir = scsi.In
			}
			n, err := d.Execute(context.Background(), &scsi.Command{CDB: cdb, Direction: dir, Data: buf})
			if n < 0 || n > len(buf) {
				t.Fatalf("%d bytes in a buffer of %d", n, len(buf))
			}
			if s := scsi.SenseOf(err); s != nil && len(s.Raw) == 0 {
				t.Fatal("no sense data")
			}
		}
	})
}

func FuzzParseSpec(f *testing.F) {
	f.Add("a.cue?fault=read:5-7:2&media=cd-rom")
	f.Fuzz(func(t *testing.T, s string) {
		if _, err := ParseSpec(s); err != nil && err.Error() == "" {
			t.Error("an error without words")
		}
	})
}

func BenchmarkReadCD(b *testing.B) {
	d := ready(b, Config{Image: mixedDisc(b)})
	buf := make([]byte, 50*2352)
	cdb := readCD(320, 50, 0, 0xF8, 0)
	b.SetBytes(int64(len(buf)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := run(d, buf, cdb...); err != nil {
			b.Fatal(err)
		}
	}
}
