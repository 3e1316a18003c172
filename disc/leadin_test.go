package disc

import (
	"encoding/binary"
	"encoding/hex"
	"testing"

	"spindle/disc/cdsector"
)

func TestLeadIn(t *testing.T) {
	x := NewLeadIn(&Session{Number: 1, Format: FormatXA, LeadOut: 1000, Tracks: []Track{
		{Number: 1, Mode: Mode2, Control: DataTrack, End: 500}, {Number: 2, Start: 500, End: 1000}}})
	for n, want := range map[int]string{ // without the CRC
		0:  "4100a097340000012000",
		2:  "4100a097340200012000",
		3:  "0100a197340300020000",
		6:  "0100a297340600001525",
		9:  "41000197340900000200",
		14: "01000297341400000850",
		15: "4100a097341500012000",
	} {
		q := x.Q(n, MSF{M: 97, S: 34, F: n}.LBA())
		if got := hex.EncodeToString(q[:10]); got != want {
			t.Errorf("sector %d: %s, want %s", n, got, want)
		}
		if crc := binary.BigEndian.Uint16(q[10:]); crc != cdsector.CRC16(q[:10]) {
			t.Errorf("sector %d: CRC %04x", n, crc)
		}
	}
}
