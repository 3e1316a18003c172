package burn

import (
	"context"
	"errors"
	"fmt"
	"io"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/iso"
)

// A Source is what is to be burned: made by [ImageSource] or [StreamSource].
type Source struct {
	name   string
	image  disc.Image
	stream io.Reader // instead of image
	blocks int       // of stream, at most; 0: not known
	expect int64     // blocks of stream, at least; 0: not known

	raw    []byte
	sent   Sum // of what the stream gave, for verifying
	next   int // block of the stream
	ended  bool
	length int64 // of the stream that has ended, in bytes
}

// ImageSource burns an image. Errors call it name.
func ImageSource(name string, img disc.Image) *Source { return &Source{name: name, image: img} }

// StreamSource burns what r gives, at most blocks blocks of 2048 bytes, or, where
// blocks is 0, as much as the disc holds. It can be read, and therefore burned, only
// once.
func StreamSource(name string, r io.Reader, blocks int) *Source {
	return &Source{name: name, stream: r, blocks: blocks}
}

// Expect states how many blocks of 2048 bytes the volume in a stream has, as it says itself: a
// stream that ends before is a burn that fails, with a [*ShortStreamError].
func (s *Source) Expect(blocks int64) { s.expect = blocks }

// volume is how many blocks the volume in a stream has at an address of the disc, at least: that
// of a further session may count from the beginning of the disc.
func (s *Source) volume(at disc.LBA) int64 {
	if at > 0 && s.expect > int64(at) {
		return s.expect - int64(at)
	}
	return s.expect
}

// short says whether a stream that has ended is too short for its volume, at an address of the
// disc.
func (s *Source) short(at disc.LBA) error {
	want := s.volume(at)
	if s.length >= want*iso.BlockSize {
		return nil
	}
	return &ShortStreamError{Got: s.length, Want: want * iso.BlockSize}
}

// Audio returns the number of audio tracks, and of the sectors in them.
func (s *Source) Audio() (tracks, sectors int) {
	for _, t := range s.layout().Tracks() {
		if t.Mode == disc.Audio {
			tracks++
			sectors += int(t.End - t.Start)
		}
	}
	return tracks, sectors
}

// IsStream reports whether the source can be read only once.
func (s *Source) IsStream() bool { return s.stream != nil }

// layout is that of the image, or of a stream.
func (s *Source) layout() *disc.Layout {
	if s.image != nil {
		return s.image.Layout()
	}
	return &disc.Layout{Medium: disc.DVD, Sessions: []disc.Session{{Number: 1, LeadOut: disc.LBA(s.blocks), Tracks: []disc.Track{
		{Number: 1, Mode: disc.Mode1, Control: disc.DataTrack, End: disc.LBA(s.blocks)}}}}}
}

// data returns the one data track that a medium without audio can hold.
func (s *Source) data() (*disc.Track, error) {
	tracks := s.layout().Tracks()
	if len(tracks) != 1 || !tracks[0].Mode.IsData() {
		return nil, &Refusal{Kind: ErrWrongMedium, Reason: ManyTracks, A: len(tracks)}
	}
	if tracks[0].Mode == disc.Mode0 {
		return nil, &Refusal{Kind: ErrImage, Reason: EmptyTrack, A: 1}
	}
	return tracks[0], nil
}

// A Form is how sectors are sent to a drive.
type Form uint8

// The forms.
const (
	FormBlock Form = iota // 2048 bytes: DVD, BD, Mode 1
	FormAudio             // 2352 bytes of samples
	FormMode2             // 2336 bytes: all that follows the header
	FormRaw96             // 2352 bytes and 96 of sub-channels
	FormText              // 96 bytes of sub-channels: a lead-in with CD-TEXT
)

// Size returns the number of bytes of a sector.
func (f Form) Size() int {
	switch f {
	case FormAudio:
		return cdsector.Size
	case FormMode2:
		return cdsector.Mode2Size
	case FormRaw96:
		return cdsector.Size + cdsector.SubSize
	case FormText:
		return cdsector.SubSize
	}
	return cdsector.UserSize
}

// read fills p with sectors of the image in a form.
func (s *Source) read(ctx context.Context, p []byte, first disc.LBA, form Form) error {
	size := form.Size()
	native := s.layout().Medium.SectorSize()
	n := len(p) / size
	if native == size {
		return s.failed(s.image.ReadSectors(ctx, p[:n*size], first))
	}
	if form == FormBlock {
		return s.failed(disc.ReadUser(ctx, s.image, p[:n*size], first))
	}
	if len(s.raw) < n*native {
		s.raw = make([]byte, n*native)
	}
	raw := s.raw[:n*native]
	if err := s.failed(s.image.ReadSectors(ctx, raw, first)); err != nil {
		return err
	}
	for i := range n {
		copy(p[i*size:(i+1)*size], raw[i*native+16:]) // FormMode2
	}
	return nil
}

// failed marks an error as one of the image.
func (s *Source) failed(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return &ImageChangedError{File: s.name, Change: CutShort}
	}
	return fmt.Errorf("%w: %w", ErrSource, err)
}

// readStream reads the next blocks of a stream, of which count are wanted in all, and
// returns how many bytes of p came from it, in whole blocks. What lies behind its end
// is zeros.
func (s *Source) readStream(p []byte, first disc.LBA, count int) (int, error) {
	if int(first) != s.next {
		return 0, fmt.Errorf("%w: a pipe cannot go back to block %d", ErrSource, first)
	}
	s.next += len(p) / iso.BlockSize
	if s.ended {
		clear(p)
		return 0, nil
	}
	n, err := io.ReadFull(s.stream, p)
	clear(p[n:])
	s.length += int64(n)
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		s.ended = true
	case err != nil:
		return 0, fmt.Errorf("%w: %w", ErrSource, err)
	case s.next >= count:
		if k, _ := io.ReadFull(s.stream, make([]byte, 1)); k > 0 {
			return 0, fmt.Errorf("%w: the pipe continues after %d bytes, the most that it may give", ErrSource, int64(count)*iso.BlockSize)
		}
	}
	if s.length == 0 {
		return 0, fmt.Errorf("%w: nothing came through the pipe", ErrSource)
	}
	return (n + iso.BlockSize - 1) / iso.BlockSize * iso.BlockSize, nil
}
