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
	kana, row, longest := false, 0, 0
	for len(b) > 0 {
		switch {
		case b[0] < 0x80:
			row = 0
		case halfKatakana(b[0]):
		case len(b) > 1 && leadByte(b[0]) && trailByte(b[1]):
			kana = kana || fullKana(b[0], b[1])
			row++
			longest = max(longest, row)
			b = b[1:]
		default:
			return false
		}
		b = b[1:]
	}
	return kana || longest >= manyInARow
}

// halfKatakana reports whether a byte of Shift-JIS is a half-width katakana (JIS X 0201).
func halfKatakana(c byte) bool { return c >= 0xA1 && c <= 0xDF }

// leadByte reports whether a byte of Shift-JIS begins a character of two bytes.
func leadByte(c byte) bool { return c >= 0x81 && c <= 0x9F || c >= 0xE0 && c <= 0xFC }

// trailByte reports whether a byte of Shift-JIS can end a character of two bytes.
func trailByte(c byte) bool { return c >= 0x40 && c <= 0xFC && c != 0x7F }

// fullKana reports whether a character of two bytes is a hiragana or a katakana.
func fullKana(lead, trail byte) bool {
	return lead == 0x82 && trail >= 0x9F && trail <= 0xF1 || lead == 0x83 && trail <= 0x96
}
