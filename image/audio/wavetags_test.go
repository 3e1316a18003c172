package audio

import (
	"bytes"
	"encoding/binary"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"
)

// readFrames reads the frames of a tag of ID3v2.3, as its specification has them.
func readFrames(t *testing.T, tag []byte) map[string]string {
	t.Helper()
	if len(tag) < 10 || string(tag[:5]) != "ID3\x03\x00" || tag[5] != 0 {
		t.Fatalf("no tag: % x", tag)
	}
	if size := int(tag[6])<<21 | int(tag[7])<<14 | int(tag[8])<<7 | int(tag[9]); size != len(tag)-10 {
		t.Fatalf("%d bytes, not %d", size, len(tag)-10)
	}
	frames := map[string]string{}
	for rest := tag[10:]; len(rest) > 0; {
		id, n := string(rest[:4]), int(binary.BigEndian.Uint32(rest[4:]))
		content := rest[10 : 10+n]
		rest = rest[10+n:]
		if id == "UFID" {
			frames[id] = string(content)
			continue
		}
		text := decodeText(content[0], content[1:])
		if id == "TXXX" {
			name, value, _ := strings.Cut(text, "\x00")
			id, text = id+":"+name, strings.TrimPrefix(value, "\ufeff")
		}
		if frames[id] != "" {
			t.Errorf("two frames %s", id)
		}
		frames[id] = text
	}
	return frames
}

func decodeText(kind byte, b []byte) string {
	if kind == 0 {
		var r []rune
		for _, x := range b {
			r = append(r, rune(x))
		}
		return string(r)
	}
	var u []uint16
	for ; len(b) > 1; b = b[2:] {
		u = append(u, binary.LittleEndian.Uint16(b))
	}
	return strings.TrimPrefix(string(utf16.Decode(u)), "\ufeff")
}

func TestWaveTags(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.wav")
	samples := bytes.Repeat([]byte{1, 2, 3, 4}, 588)
	if err := os.WriteFile(path, append(WaveHeader(uint32(len(samples))), samples...), 0o666); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	comments := [][2]string{
		{"TITLE", "Étude"}, {"ARTIST", "One"}, {"ARTIST", "Two"}, {"ALBUM", "日本"}, {"DATE", "1999-12-31"}, {"GENRE", "Jazz"},
		{"TRACKNUMBER", "3"}, {"TRACKTOTAL", "12"}, {"MUSICBRAINZ_TRACKID", "abc"}, {"MUSICBRAINZ_ALBUMID", "def"}, {"MCN", "ó日"}, {"ISRC", ""},
	}
	if err := AppendWaveTags(f, comments); err != nil {
		t.Fatal(err)
	}
	if err := AppendWaveTags(f, comments); err == nil {
		t.Error("tags were added twice")
	}
	f.Close()
	b, err := os.ReadFile(path)
	if err != nil || int(binary.LittleEndian.Uint32(b[4:])) != len(b)-8 || !bytes.Equal(b[8:44], WaveHeader(uint32(len(samples)))[8:]) {
		t.Fatalf("%v, %d bytes, stated % x", err, len(b), b[4:8])
	}
	found, info := map[string]string{}, map[string]string{}
	var tag []byte
	r := bytes.NewReader(b)
	if err := chunks(r, int64(len(b)), binary.LittleEndian, func(id string, at, length int64) (bool, error) {
		found[id] = string(b[at : at+length])
		if id == "LIST" {
			return false, chunks(bytes.NewReader(b[at-8:]), 8+length, binary.LittleEndian, func(id string, x, n int64) (bool, error) {
				info[id] = string(b[at-8+x : at-8+x+n])
				return false, nil
			})
		}
		return false, nil
	}); err != nil {
		t.Fatal(err)
	}
	if want := map[string]string{
		"INAM": "Étude\x00", "IART": "One; Two\x00", "IPRD": "日本\x00", "ICRD": "1999-12-31\x00", "IGNR": "Jazz\x00", "ITRK": "3\x00", "IPRT": "3\x00",
	}; !maps.Equal(info, want) {
		t.Errorf("%q", info)
	}
	tag = []byte(found["id3 "])
	if got, want := readFrames(t, tag), map[string]string{
		"TIT2": "Étude", "TPE1": "One/Two", "TALB": "日本", "TYER": "1999", "TDAT": "3112", "TCON": "Jazz", "TRCK": "3/12",
		"UFID": "http://musicbrainz.org\x00abc", "TXXX:MusicBrainz Album Id": "def", "TXXX:MCN": "ó日",
	}; !maps.Equal(got, want) {
		t.Errorf("%q", got)
	}
	x, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	got := make([]byte, x.Size)
	if _, err := x.Source.ReadAt(got, x.Offset); err != nil || x.Lack != 0 || !bytes.Equal(got, samples) {
		t.Errorf("%v, %d bytes", err, len(got))
	}
}

// Whatever a tag holds, the file stays one of whole chunks.
func FuzzWaveTags(f *testing.F) {
	f.Add("TITLE", "x")
	f.Add("date", "1-2\x00\xff")
	f.Fuzz(func(t *testing.T, name, value string) {
		b := waveTags([][2]string{{name, value}, {"TRACKNUMBER", value}})
		for len(b) > 0 {
			n := 8 + int(binary.LittleEndian.Uint32(b[4:]))
			b = b[n+n%2:]
		}
	})
}
