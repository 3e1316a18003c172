package main

import (
	"bytes"
	"testing"

	"spindle/drive/known"
)

// What is known of a drive is told with whoever says so.
func TestKnownLines(t *testing.T) {
	lib, err := known.Open("", "")
	if err != nil {
		t.Fatal(err)
	}
	facts, err := lib.Of(known.ID{Vendor: "HL-DT-ST", Product: "BD-RE BU40N", Revision: "1.03"})
	if err != nil {
		t.Fatal(err)
	}
	facts.Stream = known.Fact[bool]{Value: true, From: known.Remembered}
	facts.Transfer = known.Fact[int]{Value: 32 << 10, From: known.User, Sources: []string{"\x1b[31mme"}}
	var out bytes.Buffer
	a := newApp(&out, &out)
	e := driveEvent{Path: "/dev/sr0", Vendor: "HL-DT-ST", Model: "BD-RE BU40N", Medium: "CD-ROM", Known: knownFacts(&facts)}
	e.Text(a.page(&out))
	const want = `/dev/sr0  HL-DT-ST BD-RE BU40N
    CD-ROM
    known: brings at most 32 KiB with one command (your drives.json: \x1b[31mme)
    known: C2 in 294 bytes is wrong, or fails; C2 in 296 bytes is correct (built-in table: CUETools.Ripper.SCSI/SCSIDrive.cs, https://github.com/gchudov/cuetools.net/issues/164)
    known: reads of audio join without a gap (tried on this machine)
    known: read offset +6 samples (built-in table: redumper offsets.ixx)
`
	if got := out.String(); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

// Simulated drives are apart from real ones, and from those with other traits; what is in
// them makes no difference.
func TestVariants(t *testing.T) {
	for name, want := range map[string]string{
		"": "", "/dev/sr0": "", "sim:a.iso": "sim", "sim:b.iso?media=dvd+r&fault=2A:1:gone": "sim",
		"sim:a.iso?trait=no-c2&pace=1&offset=6": "sim&trait=no-c2&offset=6", "sim:?drive=\xff": "sim&drive=?",
	} {
		if got := variantOf(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}
