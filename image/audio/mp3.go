package audio

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/hajimehoshi/go-mp3"
)

const (
	mp3Frame    = 1152 * 4 // bytes of samples in a frame of MPEG-1 layer III
	mp3Header   = 4
	mp3SideInfo = 32 // bytes, of two channels
	// mp3Delay is how many samples a decoder puts in front of those that were encoded, besides what
	// the encoder states (LAME's tag specification, "encoder delays").
	mp3Delay = 528 + 1
	// mp3Ahead is how many frames are decoded ahead of one that is asked for. A frame takes up to 511
	// bytes from those before it, which is eight of the smallest; and its samples mix with those of two.
	mp3Ahead = 16
	mp3Every = 32 // frames from one known place to the next
)

// mp3Rates are the bit rates of layer III in kbit/s (ISO/IEC 11172-3, 2.4.2.3). 0 is one of any size, and
// the last is none.
var mp3Rates = [16]int{0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0}

// mp3Size is how many bytes the frame has that begins with a header: 0 if none does. What is no frame of a
// CD's samples is an error.
func mp3Size(h [mp3Header]byte) (int64, error) {
	const layerIII = 0x02
	rate, frequency := mp3Rates[h[2]>>4], h[2]>>2&3
	switch {
	case h[0] != 0xFF || h[1]&0xE0 != 0xE0 || h[1]&0x06 != layerIII || h[1]&0x18 == 0x08 || h[2]>>4 == 15 || frequency == 3:
		return 0, nil
	case h[1]&0x18 != 0x18:
		return 0, fmt.Errorf("MP3 of at most 24000 Hz: %w", ErrNotCD)
	case frequency != 0:
		return 0, fmt.Errorf("MP3 of %d Hz: %w", [...]int{44100, 48000, 32000}[frequency], ErrNotCD)
	case h[3]>>6 == 3:
		return 0, fmt.Errorf("MP3 of one channel: %w", ErrNotCD)
	case rate == 0:
		return 0, fmt.Errorf("MP3 of a free bit rate: %w", ErrNotCD)
	}
	return int64(144000*rate/44100) + int64(h[2]>>1&1), nil
}

// isMP3 reports whether two frames begin at a place, one after the other. One alone may be chance.
func isMP3(r io.ReaderAt, at int64) bool {
	for range 2 {
		var h [mp3Header]byte
		if _, err := r.ReadAt(h[:], at); err != nil {
			return false
		}
		size, err := mp3Size(h)
		if err != nil {
			return true // it is one, of another kind
		}
		if size == 0 {
			return false
		}
		at += size
	}
	return true
}

// mp3Reader gives the samples of an MP3 file at any place, the same whatever was read before.
type mp3Reader struct {
	r      io.ReaderAt
	name   string
	end    int64   // of the frames in the file
	places []int64 // of each 32nd frame
	frames int64
	stated int64 // frames that there are at least, by what the encoder states
	skip   int64 // bytes of samples that only encoding put in front
	total  int64 // bytes of samples

	mu  sync.Mutex
	in  *mp3.Decoder
	at  int64 // the byte of samples, from the first frame on, that in gives next
	bad error
}

// readMP3 finds the frames of an MP3 file, which are from begin on.
func readMP3(ctx context.Context, name string, r io.ReaderAt, begin, size int64) (*File, error) {
	m := &mp3Reader{r: r, name: name}
	trim, err := m.describe(&begin)
	if err != nil {
		return nil, err
	}
	if err := m.find(ctx, begin, size); err != nil {
		return nil, err
	}
	if m.total = m.frames*mp3Frame - m.skip - trim; m.frames == 0 || m.total < 0 {
		return nil, fmt.Errorf("%s: an MP3 file without samples: %w", name, ErrNotCD)
	}
	return &File{Source: m, Size: m.total, Kind: "MP3", coded: m}, nil
}

// describe reads the first frame, where that has no sound, but says how much of the others' is not what was
// encoded: how much is in front is kept, how much is behind is returned.
func (m *mp3Reader) describe(begin *int64) (behind int64, err error) {
	const lame = 120 // from the mark to what the encoder states, with all the fields between that there may be
	var b [mp3Header + mp3SideInfo + lame + 24]byte
	if _, err := m.r.ReadAt(b[:], *begin); err != nil && !errors.Is(err, io.EOF) {
		return 0, err
	}
	size, err := mp3Size([mp3Header]byte(b[:]))
	if err != nil {
		return 0, err
	}
	info := b[mp3Header+mp3SideInfo:]
	switch string(info[:4]) {
	case "VBRI":
		*begin += size
	case "Xing", "Info":
		*begin += size
		const frames, all = 0x01, 0x0F // the fields are there
		if binary.BigEndian.Uint32(info[4:])&frames != 0 {
			m.stated = int64(binary.BigEndian.Uint32(info[8:]))
			if info[lame] == 0 {
				m.stated-- // some old encoders count this frame too
			}
		}
		if binary.BigEndian.Uint32(info[4:])&all != all || info[lame] == 0 {
			break
		}
		x := info[lame+21:]
		front, padding := int64(x[0])<<4|int64(x[1]>>4), int64(x[1]&0x0F)<<8|int64(x[2])
		m.skip = (front + mp3Delay) * 4
		behind = max(0, padding-mp3Delay) * 4
	}
	return behind, nil
}

// find goes from frame to frame. What is behind the last one has to be a tag.
func (m *mp3Reader) find(ctx context.Context, at, size int64) error {
	in := &countingReader{r: io.NewSectionReader(m.r, at, size-at), at: at}
	b := bufio.NewReaderSize(in, 64<<10)
	for m.end = at; ; m.frames++ {
		if m.frames%(1<<12) == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		head, err := b.Peek(mp3Header)
		if in.err != nil {
			return in.err
		}
		length := int64(0)
		if err == nil {
			if length, err = mp3Size([mp3Header]byte(head)); err != nil {
				return err
			}
		}
		if length == 0 || m.end+length > size {
			break
		}
		if m.frames%mp3Every == 0 {
			m.places = append(m.places, m.end)
		}
		if _, err := b.Discard(int(length)); err != nil {
			return err
		}
		m.end += length
	}
	switch rest, err := behindTags(ctx, m.r, m.end, size); {
	case err != nil:
		return err
	case rest == m.end && rest < size:
		return m.cut("there is no whole frame at byte %d of %d", m.end, size)
	case rest < size:
		return m.cut("the frames end at byte %d of %d, and at byte %d there is something that is no tag", m.end, size, rest)
	case m.frames < m.stated:
		return m.cut("there are %d frames up to byte %d of %d, and %d are stated", m.frames, m.end, size, m.stated)
	}
	return nil
}

// cut is the error of a file whose frames end too early.
func (m *mp3Reader) cut(text string, args ...any) error {
	return &damageError{m.name, max(0, m.frames*mp3Frame-m.skip) / 4, fmt.Errorf(text, args...)}
}

// start makes the decoder give samples from a byte on, counted from the first frame on.
func (m *mp3Reader) start(ctx context.Context, at int64) error {
	n := max(0, at/mp3Frame-mp3Ahead) / mp3Every
	err := m.startAt(ctx, n, at)
	if err != nil && n > 0 && m.bad == nil && ctx.Err() == nil { // a frame without those before it may not decode
		err = m.startAt(ctx, 0, at)
	}
	return err
}

func (m *mp3Reader) startAt(ctx context.Context, place, at int64) (err error) {
	if len(m.places) == 0 {
		return io.EOF
	}
	in := &mp3Input{r: io.NewSectionReader(m.r, m.places[place], m.end-m.places[place]), bad: &m.bad}
	m.at = place * mp3Every * mp3Frame
	err = guard(func() error {
		m.in, err = mp3.NewDecoder(in)
		return err
	})
	buf := make([]byte, mp3Frame)
	for err == nil && m.at < at {
		if err = ctx.Err(); err == nil {
			_, err = m.next(buf[:min(mp3Frame, at-m.at)])
		}
	}
	return err
}

// guard makes an error of a panic: the library trusts more than it should.
func guard(do func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("malformed frame: %v", r)
		}
	}()
	return do()
}

// next reads the next samples.
func (m *mp3Reader) next(p []byte) (n int, err error) {
	err = guard(func() (err error) {
		n, err = m.in.Read(p)
		return err
	})
	m.at += int64(n)
	return n, err
}

// mp3Input is the file for the library, which must not seek in it, and keeps what is wrong with the file system.
type mp3Input struct {
	r   io.Reader
	bad *error
}

func (i *mp3Input) Read(p []byte) (int, error) {
	n, err := i.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		*i.bad = err
	}
	return n, err
}

// failed makes the error of what cannot be decoded. It wraps [ErrDamaged], unless the file could not be read.
func (m *mp3Reader) failed(err error) error {
	bad := m.bad
	m.in, m.bad = nil, nil
	if bad != nil {
		return bad
	}
	return &damageError{m.name, max(0, m.at-m.skip) / 4, err}
}

// ReadAt implements [io.ReaderAt] for the samples.
func (m *mp3Reader) ReadAt(p []byte, off int64) (int, error) {
	return m.read(context.Background(), p, off)
}

func (m *mp3Reader) read(ctx context.Context, p []byte, off int64) (done int, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	want := p[:max(0, min(int64(len(p)), m.total-off))]
	for done < len(want) {
		if at := off + m.skip + int64(done); m.in == nil || at != m.at {
			if err := m.start(ctx, at); err != nil {
				return done, m.failed(err)
			}
		}
		n, err := m.next(want[done:])
		if done += n; err != nil && done < len(want) {
			return done, m.failed(err)
		}
	}
	if done < len(p) {
		return done, io.EOF
	}
	return done, nil
}

// check decodes the whole file once. It does not use what others read by.
func (m *mp3Reader) check(ctx context.Context, advance func(n int64)) (proven bool, err error) {
	x := &mp3Reader{r: m.r, name: m.name, end: m.end, places: m.places, frames: m.frames, skip: m.skip, total: m.total}
	buf := make([]byte, 16*mp3Frame)
	for at := int64(0); at < m.total; {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		n, err := x.read(ctx, buf[:min(int64(len(buf)), m.total-at)], at)
		if err != nil {
			return false, err
		}
		at += int64(n)
		advance(int64(n))
	}
	return false, nil
}

func (m *mp3Reader) path() string { return m.name }
