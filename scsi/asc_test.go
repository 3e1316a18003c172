package scsi

import "testing"

func TestSenseMeanings(t *testing.T) {
	seen := make(map[uint16]bool)
	for _, m := range senseMeanings {
		code := uint16(m.asc)<<8 | uint16(m.ascq)
		if seen[code] || m.meaning == "" {
			t.Errorf("%02X/%02X stands twice or has no words", m.asc, m.ascq)
		}
		seen[code] = true
	}
	for _, m := range senseMeanings {
		if !seen[uint16(m.asc)<<8] {
			t.Errorf("%02X has qualifiers and no general meaning", m.asc)
		}
	}
	for _, test := range []struct {
		asc, ascq uint8
		want      string
	}{
		{ASCMediumNotPresent, ASCQTrayOpen, "medium not present, tray open"},
		{0x11, 0x05, "L-EC uncorrectable error"},
		{0x04, 0x07, "operation in progress"},
		{0x29, 0x04, "power on, reset or bus device reset occurred (qualifier 04)"},
		{0x80, 0x00, ""},
	} {
		s := Sense{ASC: test.asc, ASCQ: test.ascq}
		if got := s.Meaning(); got != test.want {
			t.Errorf("%02X/%02X: %q, want %q", test.asc, test.ascq, got, test.want)
		}
	}
}
