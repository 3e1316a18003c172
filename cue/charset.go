package cue

import (
	"bytes"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/unicode"
)

// decode turns the text of a sheet into UTF-8 without a byte order mark. Sheets do
// not say how they are coded: what is neither Unicode nor looks like Shift-JIS is
// taken for Windows-1252, which has all of Latin-1.
func decode(b []byte) []byte {
	if bytes.HasPrefix(b, []byte{0xFF, 0xFE}) || bytes.HasPrefix(b, []byte{0xFE, 0xFF}) {
		if u, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewDecoder().Bytes(b); err == nil {
			return u
		}
	}
	b = bytes.TrimPrefix(b, []byte("\xEF\xBB\xBF"))
	if utf8.Valid(b) {
		return b
	}
	if looksShiftJIS(b) {
		if u, err := japanese.ShiftJIS.NewDecoder().Bytes(b); err == nil {
			return u
		}
	}
	u, err := charmap.Windows1252.NewDecoder().Bytes(b)
	if err != nil {
		return b
	}
	return u
}

// looksShiftJIS reports whether a text is Shift-JIS: all its bytes make sense as
// such, and there are kana, or several characters of two bytes in a row. In a text
// of a western language accented letters stand alone.
func looksShiftJIS(b []byte) bool {
	const manyInARow = 3
	kana, row, longest := 0, 0, 0
	for i := 0; i < len(b); i++ {
		c := b[i]
		lead := c >= 0x81 && c <= 0x9F || c >= 0xE0 && c <= 0xFC
		switch {
		case c < 0x80:
			row = 0
		case !lead && (c < 0xA1 || c > 0xDF): // not a half-width katakana either
			return false
		case lead:
			if i++; i == len(b) || b[i] < 0x40 || b[i] == 0x7F || b[i] > 0xFC {
				return false
			}
			if c == 0x82 && b[i] >= 0x9F && b[i] <= 0xF1 || c == 0x83 && b[i] <= 0x96 {
				kana++
			}
			row++
			longest = max(longest, row)
		}
	}
	return kana > 0 || longest >= manyInARow
}
