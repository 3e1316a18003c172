package flacenc

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// The types of metadata blocks (RFC 9639 section 8.1).
const (
	blockInfo     = 0
	blockPadding  = 1
	blockSeek     = 3
	blockComment  = 4
	blockCueSheet = 5

	lastBlock = 0x80 // with the type of the last one
	maxLength = 1<<24 - 1
	headSize  = 4 // of a block: type, length
)

// ErrTooLong is what errors about metadata wrap that do not go into a block of 16 MiB.
var ErrTooLong = errors.New("flacenc: metadata too long for a block")

// ErrComment is what errors wrap about a name that is not printable ASCII without "=", or
// a value that is not UTF-8.
var ErrComment = errors.New("flacenc: not a comment")

// Options are what a FLAC file has besides samples.
type Options struct {
	// Samples is how many samples of each channel will come, for the seek table: a point
	// every ten seconds. 0 leaves the table out.
	Samples int64
	// Comments are names and values. A name may come more than once.
	Comments [][2]string
	CueSheet *CueSheet // or nil
	// Padding is how many bytes are kept free, so that [Retag] has room.
	Padding int
}

// vendor is what a file says it was made by.
const vendor = "spindle"

// infoAt is where STREAMINFO stands in a file, behind the magic number and its own head.
const infoAt = 4 + headSize

// head returns the head of a file whose samples are not known yet, and where in it the seek
// table will be.
func (o *Options) head() ([]byte, seekTable, error) {
	var seek seekTable
	b := []byte("fLaC")
	var err error
	block := func(kind byte, body []byte) {
		if len(body) > maxLength {
			err = errors.Join(err, fmt.Errorf("%w: type %d, %d bytes", ErrTooLong, kind, len(body)))
			return
		}
		b = appendBlock(b, kind, body)
	}
	block(blockInfo, streamInfo(&stream{}))
	if o.Samples > 0 {
		seek.points = make([]seekPoint, 0, (o.Samples-1)/seekEvery+1)
		seek.at = int64(len(b)) + headSize
		block(blockSeek, seek.bytes())
	}
	if o.CueSheet != nil {
		if err := o.CueSheet.check(); err != nil {
			return nil, seek, err
		}
		block(blockCueSheet, o.CueSheet.bytes())
	}
	body, err2 := commentBody(vendor, o.Comments)
	if err2 != nil {
		return nil, seek, err2
	}
	block(blockComment, body)
	// There is always a last block of padding, were it empty: Retag makes use of its head.
	if o.Padding < 0 || o.Padding > maxLength {
		return nil, seek, fmt.Errorf("%w: padding of %d bytes", ErrTooLong, o.Padding)
	}
	block(blockPadding|lastBlock, make([]byte, o.Padding))
	return b, seek, err
}

func appendBlock(b []byte, kind byte, body []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(kind)<<24|uint32(len(body)))
	return append(b, body...)
}

// streamInfo is the body of STREAMINFO (RFC 9639 section 8.2).
func streamInfo(s *stream) []byte {
	b := make([]byte, 0, 34)
	b = binary.BigEndian.AppendUint16(b, blockSize) // the last block does not count
	b = binary.BigEndian.AppendUint16(b, blockSize)
	b = append(b, byte(s.smallest>>16), byte(s.smallest>>8), byte(s.smallest))
	b = append(b, byte(s.largest>>16), byte(s.largest>>8), byte(s.largest))
	const rate, channels, depth = 44100, 2, 16
	b = binary.BigEndian.AppendUint64(b, rate<<44|(channels-1)<<41|(depth-1)<<36|s.samples&(1<<36-1))
	if s.md5 == nil {
		return append(b, make([]byte, 16)...)
	}
	return s.md5.Sum(b)
}

// commentBody is that of a VORBIS_COMMENT (RFC 9639 section 8.6).
func commentBody(vendor string, comments [][2]string) ([]byte, error) {
	le := binary.LittleEndian
	b := le.AppendUint32(nil, uint32(len(vendor)))
	b = append(b, vendor...)
	b = le.AppendUint32(b, uint32(len(comments)))
	for _, c := range comments {
		if !isName(c[0]) || !utf8.ValidString(c[1]) {
			return nil, fmt.Errorf("%w: %.100q, %.100q", ErrComment, c[0], c[1])
		}
		if n := len(c[0]) + 1 + len(c[1]); n > maxLength {
			return nil, fmt.Errorf("%w: %s, %d bytes", ErrTooLong, c[0], n)
		}
		b = le.AppendUint32(b, uint32(len(c[0])+1+len(c[1])))
		b = append(b, c[0]...)
		b = append(b, '=')
		b = append(b, c[1]...)
	}
	return b, nil
}

func isName(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '}' || r == '=' })
}

// seekEvery is how many samples lie between two points of a seek table: ten seconds.
const seekEvery = 441000

// A seekPoint is a frame (RFC 9639 section 8.5).
type seekPoint struct {
	sample, offset uint64
	samples        uint16
}

// A seekTable has the frames in which the points are to be that were foreseen: as many as
// there is room for.
type seekTable struct {
	at     int64 // of its body in the file
	points []seekPoint
	next   uint64 // sample for which a point is due
}

// pass notes a frame of n samples.
func (t *seekTable) pass(sample, offset uint64, n int) {
	if t.next >= sample+uint64(n) || len(t.points) == cap(t.points) {
		return
	}
	t.points = append(t.points, seekPoint{sample, offset, uint16(n)})
	t.next += seekEvery
}

// bytes is the body of the table. Points that are not needed say so.
func (t *seekTable) bytes() []byte {
	b := make([]byte, 0, cap(t.points)*18)
	for i := range cap(t.points) {
		p := seekPoint{sample: 1<<64 - 1}
		if i < len(t.points) {
			p = t.points[i]
		}
		b = binary.BigEndian.AppendUint64(b, p.sample)
		b = binary.BigEndian.AppendUint64(b, p.offset)
		b = binary.BigEndian.AppendUint16(b, p.samples)
	}
	return b
}
