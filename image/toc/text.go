package toc

import (
	"spindle/disc"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
)

// texts collects the CD-TEXT of a disc: eight blocks at most, each of one language.
type texts struct {
	used   [8]bool
	block  [8]disc.TextBlock
	raw    [8][]rawText
	genres [8][]byte
}

// rawText is a text in the character code of its block.
type rawText struct {
	kind  disc.PackType
	track int
	text  string
}

func (t *texts) init() {
	for i := range t.block {
		t.block[i].Charset = disc.CharsetLatin1
	}
	t.block[0].Language = disc.LanguageEnglish
}

// blocks returns the languages that have texts.
func (t *texts) blocks() []disc.TextBlock {
	var all []disc.TextBlock
	for i := range t.block {
		if !t.used[i] {
			continue
		}
		b := &t.block[i]
		for _, r := range t.raw[i] {
			b.SetText(r.kind, r.track, decodeRaw(r.text, b.Charset))
		}
		if g := t.genres[i]; len(g) >= 2 {
			b.GenreCode = uint16(g[0])<<8 | uint16(g[1])
			for len(g) > 2 && g[len(g)-1] == 0 {
				g = g[:len(g)-1]
			}
			b.Genre = decodeRaw(string(g[2:]), b.Charset)
		}
		all = append(all, *b)
	}
	return all
}

func decodeRaw(s string, charset byte) string {
	decoder := charmap.ISO8859_1.NewDecoder()
	if charset == disc.CharsetShiftJIS {
		decoder = japanese.ShiftJIS.NewDecoder()
	}
	u, err := decoder.String(s)
	if err != nil {
		return s
	}
	return u
}

// packTypes are the items of CD-TEXT by their names.
func packTypes() map[string]disc.PackType {
	return map[string]disc.PackType{
		"TITLE": disc.PackTitle, "PERFORMER": disc.PackPerformer, "SONGWRITER": disc.PackSongwriter,
		"COMPOSER": disc.PackComposer, "ARRANGER": disc.PackArranger, "MESSAGE": disc.PackMessage,
		"DISC_ID": disc.PackDiscID, "GENRE": disc.PackGenre, "TOC_INFO1": disc.PackTOC, "TOC_INFO2": disc.PackTOC2,
		"RESERVED1": 0x8A, "RESERVED2": 0x8B, "RESERVED3": 0x8C, "RESERVED4": disc.PackClosed, "CLOSED": disc.PackClosed,
		"UPC_EAN": disc.PackCode, "ISRC": disc.PackCode, "SIZE_INFO": disc.PackSizeInfo,
	}
}

// cdText reads a CD_TEXT block, of the disc with track 0.
func (p *parser) cdText(track int) error {
	if err := p.advance(); err != nil {
		return err
	}
	if err := p.expect("{"); err != nil {
		return err
	}
	if p.at("LANGUAGE_MAP") {
		if err := p.languageMap(); err != nil {
			return err
		}
	}
	for p.at("LANGUAGE") {
		if err := p.language(track); err != nil {
			return err
		}
	}
	return p.expect("}")
}

func (p *parser) languageMap() error {
	if err := p.advance(); err != nil {
		return err
	}
	if err := p.expect("{"); err != nil {
		return err
	}
	for p.tok.kind == number {
		n, err := p.integer(7)
		if err != nil {
			return err
		}
		if err := p.expect(":"); err != nil {
			return err
		}
		if _, ok, err := p.accept("EN"); err != nil {
			return err
		} else if ok {
			p.texts.block[n].Language = disc.LanguageEnglish
			continue
		}
		code, err := p.integer(255)
		if err != nil {
			return err
		}
		p.texts.block[n].Language = byte(code)
	}
	return p.expect("}")
}

// language reads the texts of one language.
func (p *parser) language(track int) error {
	if err := p.advance(); err != nil {
		return err
	}
	n, err := p.integer(7)
	if err != nil {
		return err
	}
	if err := p.expect("{"); err != nil {
		return err
	}
	charsets := map[string]byte{
		"ENCODING_ISO_8859_1": disc.CharsetLatin1, "ENCODING_ASCII": disc.CharsetASCII, "ENCODING_MS_JIS": disc.CharsetShiftJIS,
	}
	if code, ok := charsets[p.tok.text]; ok && p.tok.kind == word {
		p.texts.block[n].Charset = code
		if err := p.advance(); err != nil {
			return err
		}
	}
	for !p.at("}") {
		kind, ok := packTypes()[p.tok.text]
		if p.tok.kind != word || !ok {
			return p.fail("%s where an item of CD-TEXT is expected", p.tok)
		}
		if err := p.advance(); err != nil {
			return err
		}
		if err := p.textItem(int(n), track, kind); err != nil {
			return err
		}
	}
	return p.advance()
}

func (p *parser) textItem(n, track int, kind disc.PackType) error {
	if p.tok.kind == text {
		t := p.tok
		if t.text != "" {
			p.texts.used[n] = true
			switch {
			case kind == disc.PackGenre:
				p.texts.block[n].Genre = t.text
			case t.raw:
				p.texts.raw[n] = append(p.texts.raw[n], rawText{kind, track, t.text})
			default:
				p.texts.block[n].SetText(kind, track, t.text)
			}
		}
		return p.advance()
	}
	data, err := p.binary()
	if err != nil {
		return err
	}
	switch {
	case kind == disc.PackGenre:
		p.texts.used[n], p.texts.genres[n] = true, data
	case kind == disc.PackSizeInfo && len(data) >= 4:
		// What else it says is derived again when the packs are made.
		p.texts.block[n].Charset, p.texts.block[n].Copyright = data[0], data[3]
	}
	return nil
}

// maxBinary bounds the bytes of an item.
const maxBinary = 3000

// binary reads bytes in braces.
func (p *parser) binary() ([]byte, error) {
	if err := p.expect("{"); err != nil {
		return nil, err
	}
	var b []byte
	for p.tok.kind == number {
		v, err := p.integer(255)
		if err != nil {
			return nil, err
		}
		if b = append(b, byte(v)); len(b) > maxBinary {
			return nil, p.fail("more than %d bytes", maxBinary)
		}
		if _, ok, err := p.accept(","); err != nil {
			return nil, err
		} else if !ok {
			break
		}
	}
	return b, p.expect("}")
}
