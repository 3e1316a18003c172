package drive

import "testing"

func TestMaker(t *testing.T) {
	for id, want := range map[string]string{
		"97:26:66":     "CMC Magnetics",
		"97:17:06":     "Moser Baer India",
		"97:24:01":     "Taiyo Yuden",
		"97:34:23":     "Mitsubishi Chemical",
		"MCC 03RG20":   "Mitsubishi Chemical",
		"CMC MAG/M01":  "CMC Magnetics",
		"YUDEN000/T02": "Taiyo Yuden",
		"VERBAT/IMe":   "Verbatim (Mitsubishi Chemical)",
		"LGEBRA/S04":   "LG Electronics",
		"SPNDLE/R12":   "",
		"97:99:99":     "",
		"":             "",
	} {
		if got := Maker(id); got != want {
			t.Errorf("Maker(%q) = %q, want %q", id, got, want)
		}
	}
	for code, name := range makers() {
		if name == "" || Maker(code+"x") != name {
			t.Errorf("the code %q of %q", code, name)
		}
	}
}
