package audio

import (
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf16"
)

// infoNames are the chunks of a LIST of INFO in a WAVE file (RIFF, Microsoft 1991, chapter 2), and the
// comments that they hold. The number of the track has no chunk there: programs write one of two.
var infoNames = [...]struct{ id, comment string }{
	{"INAM", "TITLE"}, {"IART", "ARTIST"}, {"IPRD", "ALBUM"}, {"ICRD", "DATE"}, {"IGNR", "GENRE"},
	{"ITRK", "TRACKNUMBER"}, {"IPRT", "TRACKNUMBER"},
}

// AppendWaveTags puts comments at the end of a WAVE file that has only samples: as a LIST of INFO,
// which most players show, and as an ID3v2 tag, which holds all of them.
//
// They stand behind the samples, as Picard and foobar2000 put them, and not before as RIFF would allow: the samples
// stay at byte 44, where simple programs look for them, and a player that
// streams the file begins at once.
func AppendWaveTags(f interface {
	io.ReaderAt
	io.WriterAt
}, comments [][2]string) error {
	var head [headerSize]byte
	if _, err := f.ReadAt(head[:], 0); err != nil {
		return err
	}
	samples := binary.LittleEndian.Uint32(head[headerSize-4:])
	if string(head[:]) != string(WaveHeader(samples)) {
		return fmt.Errorf("a WAVE file that has more than samples: %w", ErrNotAudio)
	}
	tags := waveTags(comments)
	if _, err := f.WriteAt(tags, headerSize+int64(samples)); err != nil {
		return err
	}
	_, err := f.WriteAt(binary.LittleEndian.AppendUint32(nil, headerSize-8+samples+uint32(len(tags))), 4)
	return err
}

// headerSize is what [WaveHeader] makes, in bytes.
const headerSize = 44

// waveTags are the chunks of comments.
func waveTags(comments [][2]string) []byte {
	info := []byte("INFO")
	for _, x := range infoNames {
		if v := all(comments, x.comment); len(v) > 0 {
			info = append(info, chunk(x.id, append([]byte(strings.Join(v, "; ")), 0))...)
		}
	}
	var out []byte
	if len(info) > 4 {
		out = chunk("LIST", info)
	}
	if tag := id3(comments); tag != nil {
		out = append(out, chunk("id3 ", tag)...)
	}
	return out
}

// chunk makes a chunk of RIFF: of an even number of bytes.
func chunk(id string, content []byte) []byte {
	b := binary.LittleEndian.AppendUint32([]byte(id), uint32(len(content)))
	b = append(b, content...)
	if len(b)%2 == 1 {
		b = append(b, 0)
	}
	return b
}

// all are the values of a comment.
func all(comments [][2]string, name string) (values []string) {
	for _, c := range comments {
		if v := strings.ReplaceAll(c[1], "\x00", " "); strings.EqualFold(c[0], name) && v != "" { // NUL ends a text
			values = append(values, v)
		}
	}
	return values
}

// id3 makes a tag of comments: of ID3v2.3.0, whose texts are in UTF-16 or Latin-1, because more players know it in
// WAVE files than 2.4. It is nil where there is none.
func id3(comments [][2]string) []byte {
	var frames []byte
	var done []string
	add := func(f []byte) { frames = append(frames, f...) }
	for _, c := range comments {
		name := strings.ToUpper(c[0])
		if c[1] == "" || slices.Contains(done, name) {
			continue
		}
		done = append(done, name)
		text := strings.Join(all(comments, name), "/") // as 2.3.0, section 4.2.1, has several
		switch id, isKnown := id3Frames[name]; {
		case name == "TRACKTOTAL" || name == "DISCTOTAL":
		case name == "TRACKNUMBER" || name == "DISCNUMBER":
			add(textFrame(id, numberOf(comments, name, text)))
		case name == "DATE":
			add(dateFrames(text))
		case name == "MUSICBRAINZ_TRACKID":
			add(id3Frame("UFID", append([]byte("http://musicbrainz.org\x00"), text...)))
		case isKnown:
			add(textFrame(id, text))
		default:
			add(userFrame(c[0], text))
		}
	}
	if frames == nil {
		return nil
	}
	return id3Tag(frames)
}

// id3Tag is a tag of frames, with its head.
func id3Tag(frames []byte) []byte {
	size := len(frames) // seven bits a byte
	head := []byte{'I', 'D', '3', 3, 0, 0, byte(size >> 21 & 0x7F), byte(size >> 14 & 0x7F), byte(size >> 7 & 0x7F), byte(size & 0x7F)}
	return append(head, frames...)
}

// numberOf gives "3/12" where the total is known.
func numberOf(comments [][2]string, name, number string) string {
	if of := all(comments, strings.TrimSuffix(name, "NUMBER")+"TOTAL"); len(of) > 0 {
		return number + "/" + of[0]
	}
	return number
}

// dateFrames are those of a date such as 1999-12-31, or a part of one from its start.
func dateFrames(date string) []byte {
	year, rest, _ := strings.Cut(date, "-")
	out := textFrame("TYER", year)
	if month, day, ok := strings.Cut(rest, "-"); ok && len(month) == 2 && len(day) == 2 {
		out = append(out, textFrame("TDAT", day+month)...)
	}
	return out
}

// id3Frames are the frames of comments (ID3v2.3.0, section 4.2.1).
var id3Frames = map[string]string{
	"TITLE": "TIT2", "ARTIST": "TPE1", "ALBUM": "TALB", "ALBUMARTIST": "TPE2", "TRACKNUMBER": "TRCK", "DISCNUMBER": "TPOS",
	"GENRE": "TCON", "COMPOSER": "TCOM", "LYRICIST": "TEXT", "CONDUCTOR": "TPE3", "ISRC": "TSRC", "LABEL": "TPUB", "MEDIA": "TMED",
	"COPYRIGHT": "TCOP", "LANGUAGE": "TLAN",
}

// userNames are what Picard calls comments that ID3 has no frame for; others keep their names.
var userNames = map[string]string{
	"MUSICBRAINZ_ALBUMID": "MusicBrainz Album Id", "MUSICBRAINZ_ARTISTID": "MusicBrainz Artist Id",
	"MUSICBRAINZ_ALBUMARTISTID": "MusicBrainz Album Artist Id", "MUSICBRAINZ_RELEASEGROUPID": "MusicBrainz Release Group Id",
	"MUSICBRAINZ_RELEASETRACKID": "MusicBrainz Release Track Id", "MUSICBRAINZ_DISCID": "MusicBrainz Disc Id",
}

// userFrame is a comment under a name of its own.
func userFrame(name, text string) []byte {
	if known := userNames[strings.ToUpper(name)]; known != "" {
		name = known
	}
	kind, _ := encodeText(name + text)
	_, a := encodeAs(kind, name)
	_, b := encodeAs(kind, text)
	end := []byte{0}
	if kind == id3UTF16 {
		end = []byte{0, 0}
	}
	return id3Frame("TXXX", slices.Concat([]byte{kind}, a, end, b))
}

// textFrame is a frame of text.
func textFrame(id, text string) []byte {
	kind, b := encodeText(text)
	return id3Frame(id, append([]byte{kind}, b...))
}

// id3Frame is one with its header (ID3v2.3.0, section 3.3).
func id3Frame(id string, content []byte) []byte {
	b := binary.BigEndian.AppendUint32([]byte(id), uint32(len(content)))
	return append(append(b, 0, 0), content...)
}

// Encodings of texts (ID3v2.3.0, section 3.3).
const (
	id3Latin1 = 0
	id3UTF16  = 1 // with a byte order mark
)

// encodeText encodes a text as ISO 8859-1 where that has all of it, which all programs read.
func encodeText(text string) (kind byte, b []byte) {
	kind = id3Latin1
	if strings.ContainsFunc(text, func(r rune) bool { return r > 0xFF }) {
		kind = id3UTF16
	}
	return encodeAs(kind, text)
}

func encodeAs(kind byte, text string) (byte, []byte) {
	var b []byte
	if kind == id3UTF16 {
		b = []byte{0xFF, 0xFE}
		for _, u := range utf16.Encode([]rune(text)) {
			b = binary.LittleEndian.AppendUint16(b, u)
		}
		return kind, b
	}
	for _, r := range text {
		b = append(b, byte(r))
	}
	return kind, b
}
