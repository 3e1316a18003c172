package sim

import (
	"testing"

	"spindle/disc/cdsector"
)

// The data forms are those of MMC-5 table 577.
func TestDataForms(t *testing.T) {
	want := map[byte]blockType{
		0x00: {2352, cdsector.Audio, 0, 0}, 0x01: {0, cdsector.Audio, 0, 0},
		0x10: {2048, cdsector.Mode1, 16, 0}, 0x11: {2352, cdsector.Mode1, 0, 0}, 0x12: {2048, cdsector.Mode0, 16, 0},
		0x13: {2352, cdsector.Mode0, 0, 0}, 0x14: {0, cdsector.Mode1, 16, 0},
		0x20: {2336, cdsector.Bad, 16, 0}, 0x21: {2352, cdsector.Bad, 0, 0}, 0x22: {2336, cdsector.Bad, 16, 0},
		0x23: {2352, cdsector.Bad, 0, 0}, 0x24: {0, cdsector.Form2, 16, 0},
		0x30: {2336, cdsector.Mode2, 16, 0}, 0x31: {2352, cdsector.Mode2, 0, 0}, 0x32: {2336, cdsector.Mode2, 16, 0},
		0x33: {2352, cdsector.Mode2, 0, 0}, 0x34: {0, cdsector.Mode2, 16, 0},
	}
	for form := range 256 {
		kind, sub, ok := dataForm(byte(form))
		w, exists := want[byte(form)&0x3F]
		exists = exists && form>>6 != 2
		if ok != exists {
			t.Errorf("form %02X: %t, want %t", form, ok, exists)
		}
		if !ok {
			continue
		}
		if kind != w || (sub == 96) != (form>>6 == 1 || form>>6 == 3) {
			t.Errorf("form %02X: %+v and %d, want %+v", form, kind, sub, w)
		}
	}
}
