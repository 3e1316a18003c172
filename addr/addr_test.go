package addr

import "testing"

func TestMSF(t *testing.T) {
	for _, test := range []struct {
		lba  LBA
		text string
	}{
		{-150, "00:00:00"}, {0, "00:02:00"}, {-1, "00:01:74"}, {16, "00:02:16"},
		{-151, "99:59:74"}, {-11635, "97:26:65"}, {449849, "99:59:74"}, {449850, "100:00:00"}, {1000000, "222:15:25"},
	} {
		if got := test.lba.MSF().String(); got != test.text {
			t.Errorf("LBA %d is %s, want %s", test.lba, got, test.text)
		}
		m, err := ParseMSF(test.text)
		if err != nil {
			t.Fatal(err)
		}
		// 90:00:00 to 99:59:74 is lead-in when read back.
		if got := m.LBA(); got != test.lba && test.lba < 404850 {
			t.Errorf("%s is LBA %d, want %d", test.text, got, test.lba)
		}
	}
	for _, bad := range []string{"", "1:2", "00:60:00", "00:00:75", "-1:00:00", "a:b:c", "00:00:00:00", "1 :0:0"} {
		if m, err := ParseMSF(bad); err == nil {
			t.Errorf("ParseMSF(%q) = %v", bad, m)
		}
	}
	if got := Frames(-75).String(); got != "-00:01:00" {
		t.Errorf("-75 frames are %s", got)
	}
}

// Binary-coded decimal: times come back, and bytes that are not digits are refused.
func TestBCD(t *testing.T) {
	for _, at := range []MSF{{0, 0, 0}, {0, 2, 0}, {12, 34, 56}, {99, 59, 74}} {
		if got, ok := MSFFromBCD(at.BCD()); !ok || got != at {
			t.Errorf("%v came back as %v, %v", at, got, ok)
		}
	}
	if b := (MSF{12, 34, 56}).BCD(); b != [3]byte{0x12, 0x34, 0x56} {
		t.Errorf("12:34:56 is % x", b)
	}
	for _, b := range [][3]byte{{0x0A, 0, 0}, {0, 0xA0, 0}, {0, 0, 0xFF}} {
		if at, ok := MSFFromBCD(b); ok {
			t.Errorf("% x was taken for %v", b, at)
		}
	}
}

// The distance from a lead-out to the next session's INDEX 01: 152 seconds after the
// first session, 92 after the others.
func TestSessionGap(t *testing.T) {
	for session, want := range map[int]int{1: 11400, 2: 6900, 3: 6900} {
		if got := SessionGap(session); got != want {
			t.Errorf("after session %d: %d, want %d", session, got, want)
		}
	}
}
