package audio

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"spindle/disc"
	"spindle/image/audio/flacenc"
	"spindle/image/format"
)

func init() {
	format.Register(format.Format{
		Name: "WAVE file", Suffixes: []string{".wav"}, Match: matchKind("RIFF"), Create: createWave,
		Refusal: "a WAVE file; name it in a .cue to make a disc of it",
	})
	format.Register(format.Format{
		Name: "FLAC file", Suffixes: []string{".flac"}, Match: matchKind("fLaC"), Create: createFLAC,
		Refusal: "a FLAC file; name it in a .cue to make a disc of it",
	})
	format.Register(format.Format{
		Name: "AIFF file", Suffixes: []string{".aiff", ".aif"}, Match: matchKind("FORM"),
		Refusal: "an AIFF file; name it in a .cue to make a disc of it",
	})
	format.Register(format.Format{
		Name: "MP3 file", Suffixes: []string{".mp3"}, Match: matchMP3,
		Refusal: "an MP3 file; name it in a .cue to make a disc of it",
	})
}

func matchKind(magic string) func(*format.Probe) format.Score {
	return func(p *format.Probe) format.Score {
		if len(p.Head) >= 4 && string(p.Head[:4]) == magic {
			return format.Likely
		}
		return format.No
	}
}

// matchMP3 goes by the name, too: a tag may be in front of other sound, and a frame has few bits to know it by.
func matchMP3(p *format.Probe) format.Score {
	frame := len(p.Head) > 1 && p.Head[0] == 0xFF && p.Head[1]&0xE0 == 0xE0
	if strings.EqualFold(filepath.Ext(p.Name), ".mp3") && (frame || p.HasMagic("ID3")) {
		return format.Likely
	}
	return format.No
}

// createWave writes songs as WAVE files.
func createWave(o *format.Output) error {
	return create(o, ".wav", func(f *os.File, s *Song, _ int) error {
		if _, err := f.Write(WaveHeader(uint32(s.Bytes()))); err != nil {
			return err
		}
		return o.Copy(f, s.Track, s.Start, s.End, format.Whole)
	})
}

// create writes a file for each song that is asked for.
func create(o *format.Output, ext string, write func(f *os.File, s *Song, of int) error) error {
	songs, err := chosen(o)
	if err != nil {
		return err
	}
	if len(songs) > 1 && !o.Split {
		return o.CannotHold(format.OneSong, len(songs))
	}
	if o.Track == 0 {
		if n := dataTracks(o.Layout); n > 0 {
			o.Omit(format.Loss{Kind: format.DataTracks, Count: n})
		}
	}
	var taken []*disc.Track
	for i := range songs {
		taken = append(taken, songs[i].Track)
	}
	if err := o.LeaveSubchannels(taken); err != nil {
		return err
	}
	tracks := o.Layout.Tracks()
	of := tracks[len(tracks)-1].Number
	var bytes int64
	var names []string
	for i := range songs {
		bytes += songs[i].Bytes()
		names = append(names, o.Base()+disc.TrackSuffix(songs[i].Number, of)+ext)
	}
	if !o.Split {
		names = []string{o.Path}
	}
	if err := o.Reserve(bytes, names...); err != nil {
		return err
	}
	for i := range songs {
		if err := o.Write(names[i], func(f *os.File) error { return write(f, &songs[i], of) }); err != nil {
			return err
		}
	}
	return nil
}

// dataTracks is how many tracks of a disc are no audio.
func dataTracks(l *disc.Layout) int {
	n := 0
	for _, t := range l.Tracks() {
		if t.Mode.IsData() {
			n++
		}
	}
	return n
}

// chosen returns the songs to take: at least one.
func chosen(o *format.Output) ([]Song, error) {
	songs := Songs(o.Layout)
	switch o.Track {
	case 0:
	case format.HiddenTrack:
		songs = slices.DeleteFunc(songs, func(s Song) bool { return s.Number != 0 })
		if len(songs) == 0 {
			return nil, fmt.Errorf("%w: 0", format.ErrNoTrack)
		}
	default:
		if _, err := o.Tracks(); err != nil {
			return nil, err
		}
		songs = slices.DeleteFunc(songs, func(s Song) bool { return s.Number != o.Track })
	}
	if len(songs) == 0 {
		return nil, o.CannotHold(format.NoAudio, 0)
	}
	return songs, nil
}

// WaveHeader is the 44 bytes before so many bytes of samples in a WAVE file: 44100
// Hz, 16 bits, stereo (RIFF, Microsoft 1991).
func WaveHeader(samples uint32) []byte {
	b := make([]byte, 0, 44)
	b = append(b, "RIFF"...)
	b = binary.LittleEndian.AppendUint32(b, 36+samples)
	b = append(b, "WAVEfmt "...)
	b = binary.LittleEndian.AppendUint32(b, 16)
	b = binary.LittleEndian.AppendUint16(b, 1)
	b = binary.LittleEndian.AppendUint16(b, 2)
	b = binary.LittleEndian.AppendUint32(b, 44100)
	b = binary.LittleEndian.AppendUint32(b, 176400)
	b = binary.LittleEndian.AppendUint16(b, 4)
	b = binary.LittleEndian.AppendUint16(b, 16)
	b = append(b, "data"...)
	return binary.LittleEndian.AppendUint32(b, samples)
}

// flacPadding is the room for further tags that a FLAC file has, in bytes.
const flacPadding = 4096

// createFLAC writes songs as FLAC files, with tags from the CD-TEXT.
func createFLAC(o *format.Output) error {
	return create(o, ".flac", func(f *os.File, s *Song, of int) error {
		e, err := flacenc.NewEncoder(o.Context(), f, flacenc.Options{
			Samples: s.Bytes() / 4, Comments: tags(o.Layout, s, of), Padding: flacPadding,
		})
		if err != nil {
			return err
		}
		err = o.CopyTo(s.Track, s.Start, s.End, e.Write)
		return cmp.Or(err, e.Close())
	})
}

// tags are the comments of a song, by the names that Xiph.org proposes. What is hidden
// before track 1 has no ISRC and no text of its own.
func tags(l *disc.Layout, s *Song, of int) [][2]string {
	all := [][2]string{{"TRACKNUMBER", strconv.Itoa(s.Number)}, {"TRACKTOTAL", strconv.Itoa(of)}}
	add := func(key, value string) {
		if value != "" {
			all = append(all, [2]string{key, strings.ToValidUTF8(value, "\uFFFD")})
		}
	}
	if s.Number != 0 {
		add("ISRC", s.Track.ISRC)
	}
	add("MCN", l.MCN)
	blocks := l.Texts()
	if len(blocks) == 0 {
		return all
	}
	b := &blocks[0]
	own := func(kind disc.PackType) string {
		if s.Number == 0 { // in CD-TEXT, the number of the album
			return ""
		}
		return b.Text(kind, s.Number)
	}
	add("TITLE", own(disc.PackTitle))
	add("ARTIST", cmp.Or(own(disc.PackPerformer), b.Text(disc.PackPerformer, 0)))
	add("ALBUM", b.Text(disc.PackTitle, 0))
	add("ALBUMARTIST", b.Text(disc.PackPerformer, 0))
	add("COMPOSER", own(disc.PackComposer))
	add("LYRICIST", own(disc.PackSongwriter))
	add("ARRANGER", own(disc.PackArranger))
	add("GENRE", b.Genre)
	return all
}
