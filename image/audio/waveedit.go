package audio

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf16"
)

// ErrWaveTag is the error of a WAVE file without a tag as [AppendWaveTags] writes it.
var ErrWaveTag = errors.New("audio: not a WAVE file with an ID3v2.3 tag")

const (
	maxTag     = 16 << 20 // bytes of a tag that is read
	tagHead    = 10
	frameHead  = 10
	userTextID = "TXXX"
)

// WaveTexts reads the texts that have names of their own in the tag of a WAVE file of so many bytes, such as those of ReplayGain.
func WaveTexts(r io.ReaderAt, size int64) ([][2]string, error) {
	t, err := findTag(r, size)
	if err != nil {
		return nil, err
	}
	return t.texts(), nil
}

// CopyWaveEdited copies a WAVE file of so many bytes with other texts: those that edit makes of its own ones that have names of
// their own. All else is copied as it is.
func CopyWaveEdited(dst io.Writer, src io.ReaderAt, size int64, edit func(texts [][2]string) [][2]string) error {
	t, err := findTag(src, size)
	if err != nil {
		return err
	}
	body := t.edited(edit(t.texts()))
	b := chunk("id3 ", body)
	end := t.at + t.length + t.length%2
	now := size - (end - t.at) + int64(len(b)) - chunkHead
	if len(body) > maxTag || now-chunkHead > 1<<32-1 {
		return fmt.Errorf("%w: it would be too long", ErrWaveTag)
	}
	head := binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(now-chunkHead))
	for _, r := range []io.Reader{
		bytes.NewReader(head), io.NewSectionReader(src, chunkHead, t.at-2*chunkHead), bytes.NewReader(b), io.NewSectionReader(src, end, max(0, size-end)),
	} {
		if _, err := io.Copy(dst, r); err != nil {
			return err
		}
	}
	return nil
}

// chunkHead is the size of the head of a chunk, in bytes.
const chunkHead = 8

// A waveTag is the tag of a WAVE file.
type waveTag struct {
	at, length int64 // of the content of its chunk
	frames     []waveFrame
	rest       []byte // behind the frames: padding
}

// A waveFrame is a frame of it, with its head.
type waveFrame struct {
	raw  []byte
	text [2]string // the name and the text of a userTextID; "": it is none
}

// findTag finds the only tag of a WAVE file whose chunks end with it.
func findTag(r io.ReaderAt, size int64) (*waveTag, error) {
	var head [12]byte
	if _, err := r.ReadAt(head[:], 0); err != nil || string(head[:4]) != "RIFF" || string(head[8:]) != "WAVE" {
		return nil, fmt.Errorf("%w (%q)", ErrWaveTag, head[:4])
	}
	if stated := int64(binary.LittleEndian.Uint32(head[4:])); stated != size-chunkHead {
		return nil, fmt.Errorf("%w: it states %d bytes, and has %d", ErrWaveTag, stated, size-chunkHead)
	}
	t, found := &waveTag{}, 0
	err := chunks(r, size, binary.LittleEndian, func(id string, at, length int64) (bool, error) {
		if at+length > size {
			return true, fmt.Errorf("%w: a chunk is cut", ErrWaveTag)
		}
		if strings.EqualFold(id, "id3 ") {
			t.at, t.length, found = at, length, found+1
		}
		return false, nil
	})
	if err != nil {
		return nil, err
	}
	if found != 1 || t.length < tagHead || t.length > maxTag {
		return nil, fmt.Errorf("%w: %d of them", ErrWaveTag, found)
	}
	b := make([]byte, t.length)
	if _, err := r.ReadAt(b, t.at); err != nil {
		return nil, err
	}
	return t, t.parse(b)
}

// parse reads the frames of a tag (ID3v2.3.0, sections 3.1 and 3.3): one without an extended header and without unsynchronisation.
func (t *waveTag) parse(b []byte) error {
	if string(b[:6]) != "ID3\x03\x00\x00" || tagSize([12]byte(append(slices.Clone(b[:tagHead]), 0, 0))) != int64(len(b)) {
		return fmt.Errorf("%w (% x)", ErrWaveTag, b[:tagHead])
	}
	b = b[tagHead:]
	for len(b) >= frameHead && b[0] != 0 {
		n := int64(binary.BigEndian.Uint32(b[4:]))
		if n > int64(len(b)-frameHead) {
			return fmt.Errorf("%w: frame %q has %d bytes, %d are left", ErrWaveTag, b[:4], n, len(b)-frameHead)
		}
		f := waveFrame{raw: b[:frameHead+n]}
		if string(b[:4]) == userTextID && b[8]|b[9] == 0 {
			f.text = userText(b[frameHead : frameHead+n])
		}
		t.frames, b = append(t.frames, f), b[frameHead+n:]
	}
	if t.rest = b; len(bytes.Trim(b, "\x00")) > 0 {
		return fmt.Errorf("%w: no frames at its end", ErrWaveTag)
	}
	return nil
}

// userText reads a frame of a text with a name of its own (section 4.2.2).
func userText(b []byte) (text [2]string) {
	if len(b) == 0 {
		return text
	}
	switch kind, b := b[0], b[1:]; kind {
	case id3Latin1:
		name, value, _ := strings.Cut(latin1(b), "\x00")
		text = [2]string{name, strings.TrimRight(value, "\x00")}
	case id3UTF16:
		for at := 0; at+1 < len(b); at += 2 {
			if b[at]|b[at+1] == 0 {
				return [2]string{utf16Text(b[:at]), strings.TrimRight(utf16Text(b[at+2:]), "\x00")}
			}
		}
	}
	return text
}

func latin1(b []byte) string {
	r := make([]rune, len(b))
	for i, x := range b {
		r[i] = rune(x)
	}
	return string(r)
}

// utf16Text reads a text with a byte order mark.
func utf16Text(b []byte) string {
	var order binary.ByteOrder = binary.LittleEndian
	if bytes.HasPrefix(b, []byte{0xFE, 0xFF}) {
		order = binary.BigEndian
	}
	var u []uint16
	for ; len(b) > 1; b = b[2:] {
		u = append(u, order.Uint16(b))
	}
	return strings.TrimPrefix(string(utf16.Decode(u)), "\ufeff")
}

func (t *waveTag) texts() (all [][2]string) {
	for _, f := range t.frames {
		if f.text[0] != "" {
			all = append(all, f.text)
		}
	}
	return all
}

// edited is the tag with other texts: frames stay where they are as long as their texts come in this order, and the rest stand at the end.
func (t *waveTag) edited(texts [][2]string) []byte {
	var frames []byte
	for _, f := range t.frames {
		if f.text[0] != "" {
			if len(texts) == 0 || f.text != texts[0] {
				continue
			}
			texts = texts[1:]
		}
		frames = append(frames, f.raw...)
	}
	for _, x := range texts {
		frames = append(frames, userFrame(x[0], x[1])...)
	}
	return id3Tag(append(frames, t.rest...))
}
