package sbi

import (
	"bytes"
	"encoding/hex"
	"errors"
	"testing"

	"spindle/addr"
	"spindle/disc/cdsector"
)

func TestRecords(t *testing.T) {
	own := [cdsector.QSize]byte{0x41, 1, 1, 7, 6, 5, 0, 3, 8, 5}
	for _, test := range []struct {
		name, file string
		at         addr.LBA
		want       string // the frame; without a checksum that of crcBit
	}{
		{"sbi", "53424900" + "030805" + "01" + "41010107060500230805", 14105 - 150, "41010107060500230805"},
		{"time in the track", "53424900" + "030805" + "02" + "230605", 13955, "41010123060500030805"},
		{"absolute time", "53424900" + "030805" + "03" + "230805", 13955, "41010107060500230805"},
		{"lsd", "030805" + "410101070605002308053839", 13955, "410101070605002308053839"},
	} {
		all, err := Parse(unhex(t, test.file))
		if err != nil || len(all) != 1 || all[0].At != test.at {
			t.Errorf("%s: %+v, %v", test.name, all, err)
			continue
		}
		q, want := own, unhex(t, test.want)
		all[0].Apply(&q)
		if !bytes.Equal(q[:len(want)], want) {
			t.Errorf("%s: % x", test.name, q)
		}
		if _, err := cdsector.DecodeQ(&q); err == nil {
			t.Errorf("%s: the checksum is right", test.name)
		}
		r, ok := Of(test.at, &q)
		if ok != (test.name != "lsd") {
			t.Errorf("%s: a .sbi can state it: %v", test.name, ok)
		}
		if again, err := Parse(Encode([]Record{r})); ok && (err != nil || again[0].At != test.at || !bytes.Equal(again[0].Bytes, q[:bodySize])) {
			t.Errorf("%s: %+v, %v", test.name, again, err)
		}
	}
}

func TestBadFiles(t *testing.T) {
	for _, file := range []string{
		"", "53424900", "53424900" + "030805", "53424900" + "030805" + "04" + "230805", "53424900" + "0308a5" + "02" + "230605",
		"53424900" + "030805" + "01" + "4101", "030805" + "4101010706", "00",
	} {
		if all, err := Parse(unhex(t, file)); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %+v, %v", file, all, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("SBI\x00\x03\x08\x05\x01ABCDEFGHIJ"))
	f.Add([]byte("\x03\x08\x05ABCDEFGHIJKL"))
	f.Fuzz(func(t *testing.T, b []byte) {
		all, err := Parse(b)
		if err != nil && !errors.Is(err, ErrFormat) {
			t.Error(err)
		}
		for i := range all {
			var q [cdsector.QSize]byte
			all[i].Apply(&q)
		}
	})
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
