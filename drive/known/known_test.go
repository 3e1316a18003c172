package known

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// open opens a library with a folder for settings, with these files in it, and one for
// what is remembered.
func open(t *testing.T, files map[string]string) (*Library, error) {
	t.Helper()
	config, memory := t.TempDir(), filepath.Join(t.TempDir(), "drives")
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(config, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	l, err := Open(config, memory)
	if l == nil {
		t.Fatal(err)
	}
	return l, err
}

func mustOpen(t *testing.T, files map[string]string) *Library {
	t.Helper()
	l, err := open(t, files)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func of(t *testing.T, l *Library, id ID) Facts {
	t.Helper()
	f, err := l.Of(id)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// The table that comes with the program names who says so, and only what differs from
// what is done anyway.
func TestBuiltIn(t *testing.T) {
	l := mustOpen(t, nil)
	for _, e := range l.builtIn.Drives {
		if len(e.Sources) == 0 {
			t.Errorf("%s %s: no source", e.Vendor, e.Product)
		}
		if reflect.DeepEqual(e.facts(BuiltIn), Facts{}) {
			t.Errorf("%s %s: no fact", e.Vendor, e.Product)
		}
	}
	for _, test := range []struct {
		id     ID
		offset int
		bits   bool // C2 in 294 bytes is known to be wrong
		block  bool // and that in 296 is known to be right
	}{
		{ID{Vendor: "HL-DT-ST", Product: "BD-RE BU40N", Revision: "1.03"}, 6, true, true},
		{ID{Vendor: "ASUS", Product: "DRW-24D5MT", Revision: "2.00"}, 6, true, true},
		{ID{Vendor: "PIONEER", Product: "BD-RW   BDR-209D", Revision: "1.10"}, 667, true, false},
		{ID{Vendor: "PLEXTOR", Product: "DVDR   PX-716A", Revision: "1.08"}, 30, false, false},
	} {
		f := of(t, l, test.id)
		if !f.Offset.Is(test.offset) || f.C2Bits.Is(false) != test.bits || f.C2Block.Is(true) != test.block {
			t.Errorf("%+v: %+v", test.id, f)
		}
	}
	if f := of(t, l, ID{Vendor: "QEMU", Product: "QEMU DVD-ROM", Revision: "2.5+"}); f.Offset.From != Unknown {
		t.Errorf("%+v", f)
	}
}

var bu40n = ID{Vendor: "HL-DT-ST", Product: "BD-RE BU40N", Revision: "1.03"}

// The user's table counts more than what is remembered, and that more than the built-in
// one, fact by fact.
func TestOrder(t *testing.T) {
	l := mustOpen(t, map[string]string{tableName: `{"version": 1, "drives": [
		{"vendor": "hl-dt-st", "product": "*BU40N", "c2_296": false, "offset": 12},
		{"vendor": "HL-DT-ST", "product": "BD-RE  BU40N", "revision": "1.03", "offset": 100},
		{"vendor": "HL-DT-ST", "product": "BD-RE BU40N", "revision": "1.00", "offset": 200}]}`})
	if err := l.Remember(bu40n, Facts{C2Bits: Fact[bool]{true, Remembered, nil}, C2Block: Fact[bool]{true, Remembered, nil},
		Transfer: Fact[int]{32768, Remembered, nil}}, 0); err != nil {
		t.Fatal(err)
	}
	f := of(t, l, bu40n)
	if !f.Offset.Is(100) || !f.C2Block.Is(false) || f.C2Block.From != User || !f.C2Bits.Is(true) || f.C2Bits.From != Remembered || !f.Transfer.Is(32768) {
		t.Errorf("%+v", f)
	}
	other := bu40n
	other.Revision = "1.05"
	if f := of(t, l, other); !f.Offset.Is(12) || f.C2Bits.From != BuiltIn {
		t.Errorf("other firmware: %+v", f)
	}
	simulated := bu40n
	simulated.Variant = "drive=bu40n-usb"
	if f := of(t, l, simulated); f.Transfer.From != Unknown {
		t.Errorf("simulated: %+v", f)
	}
	if err := os.Remove(l.File(bu40n)); err != nil {
		t.Fatal(err)
	}
	if f := of(t, l, bu40n); f.Transfer.From != Unknown || f.C2Bits.From != BuiltIn {
		t.Errorf("forgotten: %+v", f)
	}
}

// A limit that was met behind one adapter is forgotten when more comes through another.
func TestForgottenLimit(t *testing.T) {
	l := mustOpen(t, nil)
	for _, step := range []struct {
		learned Fact[int]
		brought int
		want    int // 0: no limit
	}{
		{Fact[int]{16384, Remembered, nil}, 16384, 16384},
		{Fact[int]{}, 0, 16384},
		{Fact[int]{}, 16384, 16384},
		{Fact[int]{32768, Remembered, nil}, 32768, 32768},
		{Fact[int]{}, 65536, 0},
	} {
		if err := l.Remember(bu40n, Facts{Transfer: step.learned, Stream: Fact[bool]{true, Remembered, nil}}, step.brought); err != nil {
			t.Fatal(err)
		}
		if f := of(t, l, bu40n); f.Transfer.Value != step.want || !f.Stream.Is(true) {
			t.Errorf("%+v: %+v", step, f.Transfer)
		}
	}
}

func TestReplace(t *testing.T) {
	l := mustOpen(t, map[string]string{tableName: `{"version": 1, "replace": true, "drives": []}`})
	if f := of(t, l, bu40n); f.Offset.From != Unknown || f.C2Bits.From != Unknown {
		t.Errorf("%+v", f)
	}
}

// Whatever a drive says it is called, what is remembered of it stays in its folder, and
// is not taken for that of another.
func TestHostileNames(t *testing.T) {
	l := mustOpen(t, nil)
	seen := map[string]bool{}
	for _, id := range []ID{
		{Vendor: "../../..", Product: "/etc/passwd"}, {Vendor: "a", Product: "..", Revision: "b"}, {Vendor: "*", Product: "*", Revision: "*"},
		{Vendor: "x", Product: strings.Repeat("\x00\n/", 5)}, {Vendor: "x", Product: "y z"}, {Vendor: "x", Product: "y/z"},
		{Vendor: "x", Product: "y", Variant: "z"}, {Vendor: "x", Product: "y", Revision: "z"},
	} {
		if err := l.Remember(id, Facts{Transfer: Fact[int]{Value: 20480, From: Remembered}}, 0); err != nil {
			t.Errorf("%q: %v", id, err)
			continue
		}
		path := l.File(id)
		if filepath.Dir(path) != l.memory || seen[path] {
			t.Errorf("%q is kept in %s", id, path)
		}
		seen[path] = true
		if f := of(t, l, id); !f.Transfer.Is(20480) {
			t.Errorf("%q: %+v", id, f)
		}
	}
	if err := l.Remember(ID{}, Facts{}, 0); err == nil {
		t.Error("a drive without a name is remembered")
	}
	// One file in place of another.
	a, b := ID{Vendor: "x", Product: "y z"}, ID{Vendor: "x", Product: "y/z"}
	if err := os.Rename(l.File(a), l.File(b)); err != nil {
		t.Fatal(err)
	}
	if f, err := l.Of(b); !errors.Is(err, ErrFile) || f.Transfer.From != Unknown {
		t.Errorf("%+v, %v", f, err)
	}
}

// badTables are files that are refused, with what is said of them.
var badTables = map[string]string{
	"":                                   "unexpected end",
	"null":                               "version is 0",
	"{}":                                 "version is 0",
	`{"version": 2, "drives": []}`:       "version is 2",
	`{"version": 1, "drives": [{}]}`:     "drive 1: it has no name",
	`{"version": 1, "drives": []} {}`:    "after top-level value",
	`{"version": 1, "drive": []}`:        `unknown field "drive"`,
	`{"version": 1, "drives": {"a": 1}}`: "cannot unmarshal",
	`{"version": 1, "drives": [{"vendor": "a", "product": "b", "offset": 5881}]}`:           "offset is 5881",
	`{"version": 1, "drives": [{"vendor": "a", "product": "b", "cache": -1}]}`:              "cache is -1",
	`{"version": 1, "drives": [{"vendor": "a", "product": "b", "largest_transfer": 1}]}`:    "largest_transfer is 1",
	`{"version": 1, "drives": [{"vendor": "a", "product": "b", "largest_transfer": 1e30}]}`: "cannot unmarshal",
	`{"version": 1, "drives": [{"vendor": "a", "product": "b", "c2_294": "yes"}]}`:          "cannot unmarshal",
	`{"version": 1, "drives": [` + strings.Repeat(" ", mostFile) + `]}`:                     "more than",
	`{"version": 1, "drives": [{"vendor": ` + strings.Repeat("[", 20000) + `}]}`:            "exceeded max depth",
}

// A file that is not what it should be is named, and ignored: all else is known.
func TestBadFiles(t *testing.T) {
	for text, says := range badTables {
		l, err := open(t, map[string]string{tableName: text})
		if !errors.Is(err, ErrFile) || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), tableName) {
			t.Errorf("%.70q: %v", text, err)
		}
		if err := os.MkdirAll(l.memory, 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(l.File(bu40n), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		if f, err := l.Of(bu40n); !errors.Is(err, ErrFile) || !f.C2Bits.Is(false) {
			t.Errorf("remembered %.70q: %+v, %v", text, f, err)
		}
	}
}

// What a newer version remembers stays as it is.
func TestNewerVersionIsKept(t *testing.T) {
	l := mustOpen(t, nil)
	if err := os.MkdirAll(l.memory, 0o777); err != nil {
		t.Fatal(err)
	}
	const text = `{"version": 2, "drives": {"more": true}}`
	if err := os.WriteFile(l.File(bu40n), []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	err := l.Remember(bu40n, Facts{Transfer: Fact[int]{32768, Remembered, nil}}, 0)
	_, _, sawErr := l.Saw(bu40n, Sighting{Disc: "x", Samples: 6, Proven: true})
	if !errors.Is(err, ErrFile) || !errors.Is(sawErr, ErrFile) {
		t.Errorf("%v, %v", err, sawErr)
	}
	if b, err := os.ReadFile(l.File(bu40n)); err != nil || string(b) != text {
		t.Errorf("%s, %v", b, err)
	}
}

// record is one of AccurateRip's list.
func record(samples int16, name string) []byte {
	b := make([]byte, offsetRecord)
	binary.LittleEndian.PutUint16(b, uint16(samples))
	copy(b[2:], name)
	copy(b[40:], "statistics")
	return b
}

func TestDriveOffsets(t *testing.T) {
	list := bytes.Join([][]byte{
		record(667, "LG Electronics - BD-RE BU40N"), record(-24, "PIONEER  - DVD-RW  DVR-999"), record(30, "PLEXTOR - CD-R   PREMIUM"),
		record(6, "ACME - A"), record(12, "ACME - A"), record(12, "ACME - A"), record(-32768, "ACME - B"), record(1, ""),
		record(3, strings.Repeat("x", 60)),
	}, nil)
	l := mustOpen(t, map[string]string{offsetsName: string(list)})
	for _, test := range []struct {
		vendor, product string
		offset          int
		from            Origin
	}{
		{"HL-DT-ST", "BD-RE  BU40N", 667, AccurateRip},
		{"PIONEER", "DVD-RW  DVR-999", -24, AccurateRip},
		{"PLEXTOR", "CD-R   PREMIUM", 30, AccurateRip},
		{"PIONEER", "DVD-RW  DVR-115", 48, BuiltIn},
		{"ACME", "A", 0, Unknown},
		{"ACME", "B", 0, Unknown},
	} {
		if o := of(t, l, ID{Vendor: test.vendor, Product: test.product}).Offset; o.Value != test.offset || o.From != test.from {
			t.Errorf("%s %s: %+v", test.vendor, test.product, o)
		}
	}
	for _, text := range []string{"", "x", string(list[1:]), "<html>" + strings.Repeat(" ", 100)} {
		if _, err := open(t, map[string]string{offsetsName: text}); !errors.Is(err, ErrFile) || !strings.Contains(err.Error(), offsetsName) {
			t.Errorf("%.20q: %v", text, err)
		}
	}
}

func FuzzTables(f *testing.F) {
	for text := range badTables {
		if len(text) < 1000 {
			f.Add([]byte(text))
		}
	}
	f.Add([]byte(builtInFile[:300]))
	f.Add(record(6, "ACME - A"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if tab, err := decode(bytes.NewReader(b)); err == nil {
			tab.find(bu40n, User)
		}
		if list, err := decodeOffsets(b); err == nil {
			list.find(bu40n)
		}
	})
}
