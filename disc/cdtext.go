package disc

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"spindle/disc/cdsector"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
)

// PackSize is the size of a CD-TEXT pack in bytes.
const PackSize = 18

// A Pack is one CD-TEXT pack as READ TOC format 5 gives it (MMC-3 annex J): type,
// track, sequence number, block and character position, twelve bytes of payload,
// and a CRC.
type Pack [PackSize]byte

// PackType is the first byte of a pack.
type PackType byte

// The pack types.
const (
	PackTitle      PackType = 0x80
	PackPerformer  PackType = 0x81
	PackSongwriter PackType = 0x82
	PackComposer   PackType = 0x83
	PackArranger   PackType = 0x84
	PackMessage    PackType = 0x85
	PackDiscID     PackType = 0x86
	PackGenre      PackType = 0x87
	PackTOC        PackType = 0x88
	PackTOC2       PackType = 0x89
	PackClosed     PackType = 0x8D
	PackCode       PackType = 0x8E // MCN of the disc, ISRCs of the tracks
	PackSizeInfo   PackType = 0x8F
)

// Character codes of a CD-TEXT block, from its size information.
const (
	CharsetLatin1   = 0x00
	CharsetASCII    = 0x01
	CharsetShiftJIS = 0x80
)

// LanguageEnglish is the EBU code that most discs state.
const LanguageEnglish = 0x09

// Type returns the pack's type.
func (p *Pack) Type() PackType { return PackType(p[0]) }

// Block returns the number, 0 to 7, of the language block the pack belongs to.
func (p *Pack) Block() int { return int(p[3] >> 4 & 7) }

func (p *Pack) track() int       { return int(p[1] & 0x7F) }
func (p *Pack) doubleByte() bool { return p[3]&0x80 != 0 }
func (p *Pack) payload() []byte  { return p[4:16] }
func (p *Pack) crc() uint16      { return uint16(p[16])<<8 | uint16(p[17]) }

// CRCOK reports whether the pack's CRC is right.
func (p *Pack) CRCOK() bool { return cdsector.CRC16(p[:16]) == p.crc() }

func (p *Pack) seal() {
	crc := cdsector.CRC16(p[:16])
	p[16], p[17] = byte(crc>>8), byte(crc)
}

// ErrCDText is what every error about malformed CD-TEXT wraps.
var ErrCDText = errors.New("malformed CD-TEXT")

// ParsePacks splits raw packs, as a .cdt file or a drive holds them. A four-byte
// READ TOC header before them and one zero byte after them, which some
// programs write, are passed over. Packs with a wrong CRC are left out and
// counted in bad.
func ParsePacks(b []byte) (packs []Pack, bad int, err error) {
	switch len(b) % PackSize {
	case 0:
	case 1:
		b = b[:len(b)-1]
	case 4:
		b = b[4:]
	default:
		return nil, 0, fmt.Errorf("%w: %d bytes are no whole number of packs", ErrCDText, len(b))
	}
	if len(b) > 8*256*PackSize {
		return nil, 0, fmt.Errorf("%w: %d packs, but eight blocks hold 2048", ErrCDText, len(b)/PackSize)
	}
	for ; len(b) > 0; b = b[PackSize:] {
		p := Pack(b[:PackSize])
		if !p.CRCOK() {
			bad++
			continue
		}
		packs = append(packs, p)
	}
	if len(packs) == 0 && bad > 0 {
		return nil, bad, fmt.Errorf("%w: no pack has a right CRC", ErrCDText)
	}
	return packs, bad, nil
}

// A TextBlock is the CD-TEXT of one language.
type TextBlock struct {
	Charset   byte // CharsetLatin1, CharsetASCII or CharsetShiftJIS
	Language  byte // EBU Tech 3264 code
	Copyright byte
	GenreCode uint16
	Genre     string
	// Texts holds, for each kind of text, that of the disc at index 0 and
	// that of track n at index n, in UTF-8.
	Texts map[PackType][]string
}

// Text returns the text of a kind for track n, or for the disc with n = 0, and
// the empty string where there is none.
func (b *TextBlock) Text(k PackType, n int) string {
	if t := b.Texts[k]; n < len(t) {
		return t[n]
	}
	return ""
}

// SetText sets the text of a kind for track n (0 to 99), or for the disc with
// n = 0.
func (b *TextBlock) SetText(k PackType, n int, s string) {
	if b.Texts == nil {
		b.Texts = make(map[PackType][]string)
	}
	t := b.Texts[k]
	for len(t) <= n {
		t = append(t, "")
	}
	t[n] = s
	b.Texts[k] = t
}

// isText reports whether packs of this type hold a terminated text for the disc
// and for each track.
func (k PackType) isText() bool {
	return k >= PackTitle && k <= PackDiscID || k == PackCode
}

// DecodeCDText reads the texts out of packs: one block for each language, in
// the order of their numbers. first is the number of the first track of the disc, whose
// text follows that of the album, often in the same pack. Unknown pack types are passed over.
func DecodeCDText(packs []Pack, first int) []TextBlock {
	var blocks []TextBlock
	for n := range 8 {
		var own []Pack
		for _, p := range packs {
			if p.Block() == n {
				own = append(own, p)
			}
		}
		if len(own) > 0 {
			blocks = append(blocks, decodeBlock(own, first))
		}
	}
	return blocks
}

// Texts decodes the CD-TEXT of the disc: see [DecodeCDText].
func (l *Layout) Texts() []TextBlock {
	first := 1
	if tracks := l.Tracks(); len(tracks) > 0 {
		first = tracks[0].Number
	}
	return DecodeCDText(l.CDText, first)
}

func decodeBlock(packs []Pack, first int) TextBlock {
	var b TextBlock
	b.describe(packs)
	raw := make(map[PackType]*textAssembler)
	for i := range packs {
		p := &packs[i]
		switch k := p.Type(); {
		case k.isText():
			if raw[k] == nil {
				raw[k] = &textAssembler{first: first}
			}
			raw[k].add(p)
		case k == PackGenre:
			b.addGenre(p)
		}
	}
	for k, a := range raw {
		for n, t := range a.texts {
			s := decodeText(t, b.Charset)
			if (s == "\t" || s == "\t\t") && n > first { // "the same as the previous track"
				s = b.Text(k, n-1)
			}
			b.SetText(k, n, s)
		}
	}
	return b
}

// describe reads how the texts of a block are coded, and their language, out of its packs.
func (b *TextBlock) describe(packs []Pack) {
	block := packs[0].Block()
	for i := range packs {
		p := &packs[i]
		if p.Type() != PackSizeInfo {
			continue
		}
		switch d := p.payload(); p.track() {
		case 0:
			b.Charset, b.Copyright = d[0], d[3] // d[1], d[2]: first and last track, which not all discs state correctly
		case 2:
			b.Language = d[4+block]
		}
	}
}

// addGenre reads the next pack of the genre: the first has its code before the text.
func (b *TextBlock) addGenre(p *Pack) {
	d := p.payload()
	if b.GenreCode == 0 && b.Genre == "" {
		b.GenreCode = uint16(d[0])<<8 | uint16(d[1])
		d = d[2:]
	}
	text, _, _ := bytes.Cut(d, []byte{0})
	b.Genre += decodeText(text, b.Charset)
}

// textAssembler joins the payloads of the packs of one type.
type textAssembler struct {
	first int // track of the disc
	texts [][]byte
	at    int
	cur   []byte
}

func (a *textAssembler) add(p *Pack) {
	if t := p.track(); t != a.at || p[3]&15 == 0 {
		a.at, a.cur = t, nil
	}
	width := 1
	if p.doubleByte() {
		width = 2
	}
	for d := p.payload(); len(d) >= width; d = d[width:] {
		if d[0] != 0 || width == 2 && d[1] != 0 {
			a.cur = append(a.cur, d[:width]...)
			continue
		}
		if a.at > 99 {
			return
		}
		if len(a.cur) > 0 { // padding at the end of the last pack is not a text
			for len(a.texts) <= a.at {
				a.texts = append(a.texts, nil)
			}
			a.texts[a.at] = slices.Clone(a.cur)
		}
		if a.at++; a.at < a.first { // what was before is the album's
			a.at = a.first
		}
		a.cur = a.cur[:0]
	}
}

func charset(code byte) encoding.Encoding {
	if code == CharsetShiftJIS {
		return japanese.ShiftJIS
	}
	return charmap.ISO8859_1
}

func decodeText(b []byte, code byte) string {
	s, err := charset(code).NewDecoder().Bytes(b)
	if err != nil {
		return string(b)
	}
	// Single-byte characters stand with a leading zero in double-byte packs.
	return string(bytes.ReplaceAll(s, []byte{0}, nil))
}

// maxPacks is the most packs a block can number.
const maxPacks = 256

// EncodeCDText makes the packs of a disc with tracks first to last. The error
// wraps [ErrCDText] when a text cannot be written in its block's character
// code, or when a block needs more than 256 packs.
func EncodeCDText(blocks []TextBlock, first, last int) ([]Pack, error) {
	if len(blocks) > 8 {
		return nil, fmt.Errorf("%w: %d languages, eight are the most", ErrCDText, len(blocks))
	}
	var all [][]Pack
	for i := range blocks {
		packs, err := encodeBlock(&blocks[i], i, first, last)
		if err != nil {
			return nil, err
		}
		all = append(all, packs)
	}
	// Each block's size information states the last sequence number and the
	// language of all blocks.
	var out []Pack
	for _, packs := range all {
		info := packs[len(packs)-3:]
		for j := range all {
			at := 20 + j
			info[at/12][4+at%12] = byte(len(all[j]) - 1)
			at = 28 + j
			info[at/12][4+at%12] = blocks[j].Language
		}
		for k := range info {
			info[k].seal()
		}
		out = append(out, packs...)
	}
	return out, nil
}

func encodeBlock(b *TextBlock, block, first, last int) ([]Pack, error) {
	var packs []Pack
	var counts [16]byte
	for k := PackTitle; k <= PackCode; k++ {
		before := len(packs)
		switch {
		case k == PackGenre && (b.GenreCode != 0 || b.Genre != ""):
			text, err := encodeText(b.Genre, b.Charset)
			if err != nil {
				return nil, err
			}
			text = append([]byte{byte(b.GenreCode >> 8), byte(b.GenreCode)}, append(text, 0)...)
			for ; len(text) > 0; text = text[min(12, len(text)):] {
				packs = append(packs, newPack(k, 0, len(packs), block, false, 0))
				copy(packs[len(packs)-1][4:16], text)
			}
		case k.isText() && b.Texts[k] != nil:
			var err error
			if packs, err = encodeTexts(packs, b, k, block, first, last); err != nil {
				return nil, err
			}
		}
		counts[k-PackTitle] = byte(len(packs) - before)
	}
	if len(packs)+3 > maxPacks {
		return nil, fmt.Errorf("%w: the texts need %d packs, a block holds %d", ErrCDText, len(packs)+3, maxPacks)
	}
	counts[PackSizeInfo-PackTitle] = 3
	var info [36]byte
	info[0], info[1], info[2], info[3] = b.Charset, byte(first), byte(last), b.Copyright
	copy(info[4:], counts[:])
	for i := range 3 {
		p := newPack(PackSizeInfo, i, len(packs), block, false, 0)
		copy(p[4:16], info[12*i:])
		packs = append(packs, p)
	}
	for i := range packs {
		packs[i].seal()
	}
	return packs, nil
}

func newPack(k PackType, track, seq, block int, double bool, position int) (p Pack) {
	p[0], p[1], p[2] = byte(k), byte(track), byte(seq)
	p[3] = byte(block<<4) | byte(min(position, 15))
	if double {
		p[3] |= 0x80
	}
	return p
}

// encodeTexts appends the packs of one kind of text: that of the disc, then
// those of all tracks, each with its terminator, run together.
func encodeTexts(packs []Pack, b *TextBlock, k PackType, block, first, last int) ([]Pack, error) {
	double := b.Charset == CharsetShiftJIS && k != PackCode && k != PackDiscID
	width := 1
	if double {
		width = 2
	}
	fill := 12 // bytes used in the last pack: full
	for n := range last + 1 {
		if n != 0 && (n < first || k == PackDiscID) {
			continue
		}
		text, err := encodeText(b.Text(k, n), b.Charset)
		if err != nil {
			return nil, err
		}
		if double {
			text = widen(text)
		}
		text = append(text, make([]byte, width)...)
		for i := 0; i < len(text); i += width {
			if fill == 12 {
				packs = append(packs, newPack(k, n, len(packs), block, double, i/width))
				fill = 0
			}
			copy(packs[len(packs)-1][4+fill:], text[i:i+width])
			fill += width
		}
	}
	return packs, nil
}

// widen makes every character of a Shift-JIS text two bytes long, as double-byte
// packs want it: single-byte characters get a leading zero.
func widen(text []byte) []byte {
	var out []byte
	for i := 0; i < len(text); i++ {
		c := text[i]
		if lead := c >= 0x81 && c <= 0x9F || c >= 0xE0 && c <= 0xFC; lead && i+1 < len(text) {
			out = append(out, c, text[i+1])
			i++
			continue
		}
		out = append(out, 0, c)
	}
	return out
}

func encodeText(s string, code byte) ([]byte, error) {
	b, err := charset(code).NewEncoder().Bytes([]byte(s))
	if err != nil {
		return nil, fmt.Errorf("%w: %q cannot be written in character code %#02x", ErrCDText, s, code)
	}
	if bytes.IndexByte(b, 0) >= 0 {
		return nil, fmt.Errorf("%w: %q holds a zero byte", ErrCDText, s)
	}
	return b, nil
}

// FitText returns a text as a character code can say it, each other character replaced by
// "?", and how many those were. A text of which more than half would be replaced becomes
// empty.
func FitText(s string, code byte) (fit string, lost int) {
	if _, err := encodeText(s, code); err == nil {
		return s, 0
	}
	var out strings.Builder
	n := 0
	for _, r := range s {
		n++
		if _, err := encodeText(string(r), code); err != nil {
			lost++
			r = '?'
		}
		out.WriteRune(r)
	}
	if 2*lost > n {
		return "", lost
	}
	return out.String(), lost
}

// FitCharset returns the character code that loses least of texts: see [FitText].
func FitCharset(texts ...string) byte {
	lost := func(code byte) (n int) {
		for _, s := range texts {
			_, k := FitText(s, code)
			n += k
		}
		return n
	}
	if lost(CharsetShiftJIS) < lost(CharsetLatin1) {
		return CharsetShiftJIS
	}
	return CharsetLatin1
}

// PackBytes joins packs, as a .cdt file holds them.
func PackBytes(packs []Pack) []byte {
	var b []byte
	for i := range packs {
		b = append(b, packs[i][:]...)
	}
	return b
}

// SealPack makes a pack of its first sixteen bytes, with their CRC.
func SealPack(b [PackSize - 2]byte) (p Pack) {
	copy(p[:], b[:])
	p.seal()
	return p
}
