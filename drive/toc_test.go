package drive

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"spindle/addr"
	"spindle/disc"
	"spindle/scsi/mmc"
)

func TestParseFullTOC(t *testing.T) {
	entry := func(session int, point byte, m, s, f uint8) mmc.FullTOCEntry {
		return mmc.FullTOCEntry{Session: session, ADR: 1, Control: 4, Point: point, PMSF: addr.MSF{M: int(m), S: int(s), F: int(f)}}
	}
	entries := []mmc.FullTOCEntry{
		entry(1, 0xA0, 1, 0x20, 0), entry(1, 0xA1, 1, 0, 0), entry(1, 0xA2, 0, 12, 0), entry(1, 1, 0, 2, 0),
		{Session: 1, ADR: 5, Point: 0xB0}, // where the next session may start: nothing of ours
		entry(2, 0xA2, 4, 0, 0), entry(2, 2, 2, 44, 0),
	}
	sessions, err := parseFullTOC(entries)
	if err != nil {
		t.Fatal(err)
	}
	want := []disc.Session{
		{Number: 1, Format: disc.FormatXA, LeadOut: 750, Tracks: []disc.Track{{Number: 1, Mode: disc.Mode1, Control: disc.DataTrack}}},
		{Number: 2, LeadOut: 17850, Tracks: []disc.Track{{Number: 2, Mode: disc.Mode1, Control: disc.DataTrack, Start: 12150}}},
	}
	if diff := cmp.Diff(want, sessions); diff != "" {
		t.Error(diff)
	}
	for i := range entries {
		b := entries[i].PMSF.BCD() // as some old drives have it
		entries[i].PMSF = addr.MSFFromBytes(b)
		fromBCD(&entries[i])
	}
	if again, err := parseFullTOC(entries); err != nil || again[1].LeadOut != 17850 || again[0].LeadOut != 750 {
		t.Errorf("from BCD: %+v, %v", again, err)
	}
	if _, err := parseFullTOC(entries[:1]); err == nil {
		t.Error("a session without tracks is accepted")
	}
}
