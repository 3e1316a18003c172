package disc

import "testing"

func TestFitText(t *testing.T) {
	for _, test := range []struct {
		text string
		code byte
		want string
		lost int
	}{
		{"plain", CharsetLatin1, "plain", 0},
		{"caf\u00e9", CharsetLatin1, "caf\u00e9", 0},
		{"good\u202eevil", CharsetLatin1, "good?evil", 1},
		{"\u65e5\u672c", CharsetShiftJIS, "\u65e5\u672c", 0},
		{"\u65e5\u672c", CharsetLatin1, "", 2},
		{"a\x00b", CharsetLatin1, "a?b", 1},
		{"\ud55c\uae00", CharsetShiftJIS, "", 2},
		{"", CharsetLatin1, "", 0},
	} {
		got, lost := FitText(test.text, test.code)
		if got != test.want || lost != test.lost {
			t.Errorf("%q in %#02x: %q, %d lost; want %q, %d", test.text, test.code, got, lost, test.want, test.lost)
		}
		if _, err := encodeText(got, test.code); err != nil {
			t.Error(err)
		}
	}
	for want, texts := range map[byte][]string{
		CharsetLatin1: {"caf\u00e9", "x\u202ey"}, CharsetShiftJIS: {"\u65e5\u672c", "x\u202ey"},
	} {
		if got := FitCharset(texts...); got != want {
			t.Errorf("%q: %#02x, want %#02x", texts, got, want)
		}
	}
}
