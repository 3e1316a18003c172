package hfs

import (
	"encoding/binary"
	"strings"
	"time"
	"unicode/utf16"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/unicode/norm"
)

// decodeRoman decodes Mac OS Roman, whatever the language of the Mac was: nothing says which.
func decodeRoman(b []byte) string {
	out := make([]rune, len(b))
	for i, c := range b {
		out[i] = charmap.Macintosh.DecodeByte(c)
	}
	return string(out)
}

// romanName reads a name behind its length, of most bytes at most.
func romanName(b []byte, most int) (string, bool) {
	if len(b) == 0 || int(b[0]) > most || int(b[0]) >= len(b) {
		return "", false
	}
	return swapSlash(decodeRoman(b[1 : 1+int(b[0])])), true
}

// plusName reads a name of HFS Plus: UTF-16, decomposed (TN1150, "HFS Plus Names"). It is composed
// here, as names are typed and as the other file systems of discs have them.
func plusName(b []byte) (string, bool) {
	if len(b) < 2 {
		return "", false
	}
	n := int(binary.BigEndian.Uint16(b))
	if b = b[2:]; n > 255 || 2*n > len(b) {
		return "", false
	}
	units := make([]uint16, n)
	for i := range units {
		units[i] = binary.BigEndian.Uint16(b[2*i:])
	}
	return swapSlash(norm.NFC.String(string(utf16.Decode(units)))), true
}

// swapSlash changes the slashes of a Mac's name into colons, which it cannot have: as Mac OS X
// shows them.
func swapSlash(s string) string { return strings.ReplaceAll(s, "/", ":") }

// epoch is what dates count from, in seconds.
var epoch = time.Date(1904, 1, 1, 0, 0, 0, 0, time.UTC)

// plusTime reads a date of HFS Plus, which is one of UTC.
func plusTime(seconds uint32) time.Time {
	if seconds == 0 {
		return time.Time{}
	}
	return epoch.Add(time.Duration(seconds) * time.Second)
}

// localTime reads a date of HFS: what the clock of the Mac showed, in a zone that nothing states.
// That of this computer is as likely as any, and keeps what was shown.
func localTime(seconds uint32) time.Time {
	t := plusTime(seconds)
	if t.IsZero() {
		return t
	}
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, time.Local)
}
