package audio

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"

	"spindle/disc"
	"spindle/image/format"

	"github.com/mewkiz/flac"
	"github.com/mewkiz/flac/frame"
	"github.com/mewkiz/flac/meta"
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
}

func matchKind(magic string) func(*format.Probe) format.Score {
	return func(p *format.Probe) format.Score {
		if len(p.Head) >= 4 && string(p.Head[:4]) == magic {
			return format.Likely
		}
		return format.No
	}
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
	of := len(o.Layout.Tracks())
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

// createFLAC writes songs as FLAC files, with tags from the CD-TEXT.
func createFLAC(o *format.Output) error {
	return create(o, ".flac", func(f *os.File, s *Song, of int) error {
		e, err := newEncoder(f, tags(o.Layout, s, of))
		if err != nil {
			return err
		}
		if err := o.CopyTo(s.Track, s.Start, s.End, e.Write); err != nil {
			return err
		}
		return e.Close()
	})
}

// tags are the comments of a song, by the names that Xiph.org proposes. What is hidden
// before track 1 has no ISRC and no text of its own.
func tags(l *disc.Layout, s *Song, of int) [][2]string {
	all := [][2]string{{"TRACKNUMBER", strconv.Itoa(s.Number)}, {"TRACKTOTAL", strconv.Itoa(of)}}
	add := func(key, value string) {
		if value != "" {
			all = append(all, [2]string{key, value})
		}
	}
	if s.Number != 0 {
		add("ISRC", s.Track.ISRC)
	}
	add("MCN", l.MCN)
	blocks := disc.DecodeCDText(l.CDText)
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

// blockSize is the number of samples of each channel in a frame: what libFLAC
// takes.
const blockSize = 4096

// encoder takes samples as they are on a CD.
type encoder struct {
	out *seekBuffer
	enc *flac.Encoder
	buf []byte // less than a frame
}

// seekBuffer buffers writing to a file in which the encoder goes back once, to
// state what it has counted. It hides that the file can be closed.
type seekBuffer struct {
	*bufio.Writer
	f    *os.File
	last error // of writing; the encoder's own errors do not lead back to it
}

// Write implements [io.Writer].
func (s *seekBuffer) Write(p []byte) (int, error) {
	n, err := s.Writer.Write(p)
	if err != nil {
		s.last = err
	}
	return n, err
}

func (s *seekBuffer) Seek(offset int64, whence int) (int64, error) {
	if err := s.Flush(); err != nil {
		return 0, err
	}
	return s.f.Seek(offset, whence)
}

var _ io.WriteSeeker = (*seekBuffer)(nil)

func newEncoder(f *os.File, comments [][2]string) (*encoder, error) {
	info := &meta.StreamInfo{
		BlockSizeMin: blockSize, BlockSizeMax: blockSize, SampleRate: 44100, NChannels: 2, BitsPerSample: 16,
	}
	const vendor = "spindle"
	length := 4 + len(vendor) + 4 // the encoder does not count it
	for _, c := range comments {
		length += 4 + len(c[0]) + 1 + len(c[1])
	}
	tags := &meta.Block{
		Header: meta.Header{Type: meta.TypeVorbisComment, Length: int64(length)},
		Body:   &meta.VorbisComment{Vendor: vendor, Tags: comments},
	}
	out := &seekBuffer{Writer: bufio.NewWriterSize(f, 256<<10), f: f}
	enc, err := flac.NewEncoder(out, info, tags)
	if err != nil {
		return nil, err
	}
	enc.EnablePredictionAnalysis(false) // predict does that
	return &encoder{out: out, enc: enc}, nil
}

// Write takes samples.
func (e *encoder) Write(p []byte) (int, error) {
	e.buf = append(e.buf, p...)
	const size = blockSize * 4
	for len(e.buf) >= size {
		if err := e.frame(e.buf[:size]); err != nil {
			return 0, err
		}
		e.buf = e.buf[:copy(e.buf, e.buf[size:])]
	}
	return len(p), nil
}

// frame encodes some samples, at most a block.
func (e *encoder) frame(p []byte) error {
	n := len(p) / 4
	x := &frame.Frame{Header: frame.Header{
		HasFixedBlockSize: true, BlockSize: uint16(n), SampleRate: 44100, Channels: frame.ChannelsMidSide, BitsPerSample: 16,
	}}
	// The encoder makes mid and side of left and right itself; the choice of how
	// to code them has to be made by what they will be.
	left, right := make([]int32, n), make([]int32, n)
	mid, side := make([]int32, n), make([]int32, n)
	for i := range n {
		l, r := int32(int16(binary.LittleEndian.Uint16(p[4*i:]))), int32(int16(binary.LittleEndian.Uint16(p[4*i+2:])))
		left[i], right[i], mid[i], side[i] = l, r, (l+r)>>1, l-r
	}
	x.Subframes = []*frame.Subframe{
		{SubHeader: predict(mid, 16), Samples: left, NSamples: n},
		{SubHeader: predict(side, 17), Samples: right, NSamples: n},
	}
	return e.cause(e.enc.WriteFrame(x))
}

// cause is the error of writing to the file, where there was one.
func (e *encoder) cause(err error) error {
	if err != nil && e.out.last != nil {
		return e.out.last
	}
	return err
}

// Close writes what is left, and the number of samples and their MD5.
func (e *encoder) Close() error {
	if len(e.buf) > 0 {
		if err := e.frame(e.buf); err != nil {
			return err
		}
	}
	if err := e.enc.Close(); err != nil {
		return e.cause(err)
	}
	if err := e.out.Flush(); err != nil {
		return err
	}
	// The last frame does not count among the smallest (RFC 9639 section 8.2).
	const blockSizes = 8
	size := binary.BigEndian.AppendUint16(nil, blockSize)
	_, err := e.out.f.WriteAt(append(size, size...), blockSizes)
	return err
}
