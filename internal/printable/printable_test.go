package printable

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestLine(t *testing.T) {
	for in, want := range map[string]string{
		"":                        "",
		"plain, caf\u00e9 \u65e5": "plain, caf\u00e9 \u65e5",
		"a\\b":                    "a\\b",
		"\x1b[31mred":             `\x1b[31mred`,
		"\u009b7m":                `\u009b7m`,
		"\x9b7m":                  `\x9b7m`,
		"a\x7fb\x00\a":            `a\x7fb\x00\x07`,
		"two\nlines\r\tx":         `two\nlines\r\tx`,
		"\u202egpj.exe":           `\u202egpj.exe`,
		"\u2066a\u2069\u200e":     `\u2066a\u2069\u200e`,
		"\u2028\u2029\ufeff":      `\u2028\u2029\ufeff`,
		"\U000e0041":              `\U000e0041`,
		"\u0646\u200c\u0627":      "\u0646\u200c\u0627",
		"\xff\xfe":                `\xff\xfe`,
		"\ufffd":                  "\ufffd",
	} {
		if got := Line(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	if got := Text("a\n\tb\x1b\u202e"); got != "a\n\tb"+`\x1b\u202e` {
		t.Errorf("%q", got)
	}
}

func TestJSON(t *testing.T) {
	for _, s := range []string{"plain", "a\u009b\u202e\x1b\n\u2028\x7f\U000e0041\u0646\u200c\u0627 caf\u00e9\"\\"} {
		b, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		b = JSON(b)
		if Line(string(b)) != string(b) {
			t.Errorf("%s is harmful", b)
		}
		var back string
		if err := json.Unmarshal(b, &back); err != nil || back != s {
			t.Errorf("%q became %q, %v", s, back, err)
		}
	}
}

func FuzzLine(f *testing.F) {
	f.Add("a\x1b\u009b\u202e\xff")
	f.Fuzz(func(t *testing.T, s string) {
		line := Line(s)
		if !utf8.ValidString(line) || strings.IndexFunc(line, isHarmful) >= 0 {
			t.Errorf("%q", line)
		}
		if utf8.ValidString(s) && strings.IndexFunc(s, isHarmful) < 0 && line != s {
			t.Errorf("%q became %q", s, line)
		}
	})
}
