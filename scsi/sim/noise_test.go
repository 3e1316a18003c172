package sim

import (
	"context"
	"testing"

	"spindle/disc/cdsector"
	"spindle/scsi"
)

// Noisy sectors: a little is corrected by the drive; of more the bytes come only where the
// drive is told to transfer them, wrong at other places each time, and marked.
func TestNoisySectors(t *testing.T) {
	var faults []Fault
	for _, s := range []string{"noisy:20:2", "noisy:30:50", "noisy:460:50"} {
		f, err := ParseFault(s)
		if err != nil {
			t.Fatal(err)
		}
		faults = append(faults, f)
	}
	d := ready(t, Config{Image: mixedDisc(t), Faults: faults})
	read := func(a int) (string, *[cdsector.Size]byte, *cdsector.Erasures, int) {
		buf := make([]byte, cdsector.Size+c2Size)
		n, err := run(d, buf, readCD(a, 1, 0, 0xFA, 0)...)
		return triple(err), (*[cdsector.Size]byte)(buf), (*cdsector.Erasures)(buf[cdsector.Size:]), n
	}
	if got, s, c2, _ := read(20); got != "" || !cdsector.EDCOK(s, cdsector.Mode1) || *c2 != (cdsector.Erasures{}) {
		t.Errorf("what the drive corrects: %q", got)
	}
	if got, _, _, n := read(30); got != "3/11/05" || n != 0 {
		t.Errorf("what it does not: %q, %d bytes", got, n)
	}
	page := []byte{0, 18, 0, 0, 0, 0, 0, 0, 1, 10, 0x20, 8, 0, 0, 0, 0, 0, 0, 0, 0}
	_, err := d.Execute(context.Background(), &scsi.Command{CDB: []byte{0x55, 0x10, 0, 0, 0, 0, 0, 0, 20, 0}, Direction: scsi.Out, Data: page})
	if err != nil {
		t.Fatal(err)
	}
	got, s, c2, n := read(30)
	first := *s
	if got != "3/11/05" || n != len(s)+len(c2) {
		t.Fatalf("%q, %d bytes", got, n)
	}
	if _, ok := cdsector.Correct(s, cdsector.Mode1, c2); !ok {
		t.Error("the marks do not help")
	}
	if _, s, _, _ = read(30); *s == first {
		t.Error("the same bytes are wrong again")
	}
	if got, _, c2, _ := read(460); got != "" || *c2 == (cdsector.Erasures{}) {
		t.Errorf("audio: %q", got)
	}
	for _, s := range []string{"noisy:1", "noisy:1:0", "noisy:1:1001", "noisy:1-2:x", "noisy:1:1:1"} {
		if _, err := ParseFault(s); err == nil {
			t.Errorf("%s is taken", s)
		}
	}
}
