package packed

import (
	"encoding/binary"
	"fmt"
	"io"
)

// An xzGuard passes on what a decoder of .xz reads, and ends before a block that needs more memory
// than it should have. An index does not tell: blocks may be where it names none, and where it is
// missing. So the guard follows the stream itself (The .xz File Format 1.2.1, sections 2 to 4), and
// in a block the sizes of the chunks of LZMA2, which comes last of its filters.
type xzGuard struct {
	r     io.Reader
	state xzState
	have  []byte // of the part that is looked at
	want  int    // how many bytes that needs
	skip  int64  // bytes before it
	check int64  // bytes of the check behind each block
	done  int64  // bytes of the data of a block, or of an index, up to here
	more  uint64 // numbers to come in an index
	err   error
}

// An xzState says what comes next.
type xzState uint8

const (
	xzStream  xzState = iota // the header of a stream
	xzBetween                // that, or padding
	xzBegin                  // the first byte of a block or of the index
	xzHead                   // the header of a block
	xzControl                // the first byte of a chunk
	xzChunk                  // the header of a chunk
	xzCount                  // how many records an index has
	xzNumber                 // a number in one
)

func newXZGuard(r io.Reader) *xzGuard { return &xzGuard{r: r, want: xzHeader} }

// Read implements [io.Reader].
func (g *xzGuard) Read(p []byte) (int, error) {
	if g.err != nil {
		return 0, g.err
	}
	n, err := g.r.Read(p)
	if n, g.err = g.follow(p[:n]); g.err != nil {
		return n, g.err
	}
	return n, err
}

// follow looks at bytes, and returns how many of them come before what is refused.
func (g *xzGuard) follow(p []byte) (int, error) {
	for i := 0; i < len(p); {
		if g.skip > 0 {
			k := min(g.skip, int64(len(p)-i))
			g.skip -= k
			i += int(k)
			continue
		}
		if g.have = append(g.have, p[i]); len(g.have) >= g.want {
			if err := g.step(); err != nil {
				return i, err
			}
		}
		i++
	}
	return len(p), nil
}

// expect says what comes next, and after how many bytes.
func (g *xzGuard) expect(state xzState, skip int64, want int) error {
	g.state, g.skip, g.want, g.have = state, skip, want, g.have[:0]
	return nil
}

// step takes what was waited for.
func (g *xzGuard) step() error {
	b := g.have
	switch g.state {
	case xzBetween:
		if [4]byte(b) == [4]byte{} {
			return g.expect(xzBetween, 0, 4)
		}
		g.state, g.want = xzStream, xzHeader
	case xzStream:
		g.check = 0
		if id := b[7] & 15; id > 0 {
			g.check = 4 << ((id - 1) / 3)
		}
		return g.expect(xzBegin, 0, 1)
	case xzBegin:
		if b[0] == 0 {
			g.done = 1
			return g.expect(xzCount, 0, 1)
		}
		g.state, g.want = xzHead, (int(b[0])+1)*4
	case xzHead:
		g.done = 0
		if err := xzMemory(b); err != nil {
			return err
		}
		return g.expect(xzControl, 0, 1)
	case xzControl, xzChunk:
		return g.chunk()
	case xzCount, xzNumber:
		return g.number()
	}
	return nil
}

// chunk takes the first byte of a chunk, or all of its header.
func (g *xzGuard) chunk() error {
	const plain, packed = 3, 5 // bytes of headers
	c := g.have[0]
	switch {
	case c == 0: // the end of the block
		return g.expect(xzBegin, -(g.done+1)&3+g.check, 1)
	case c > 2 && c < 0x80:
		return errXZBlock
	case g.state == xzControl:
		g.state, g.want = xzChunk, plain
		if c >= 0x80 {
			g.want = packed
		}
		return nil
	}
	size := int64(binary.BigEndian.Uint16(g.have[g.want-2:])) + 1
	if c >= 0xC0 { // new properties
		size++
	}
	g.done += int64(g.want) + size
	return g.expect(xzControl, size, 1)
}

// number takes the next byte of a number in an index.
func (g *xzGuard) number() error {
	g.done++
	if g.have[len(g.have)-1]&0x80 != 0 {
		g.want++
		return nil
	}
	v, n := binary.Uvarint(g.have)
	switch {
	case n <= 0 || g.state == xzCount && v > 1<<60:
		return errXZ
	case g.state == xzCount:
		g.more = 2 * v
	default:
		g.more--
	}
	if g.more > 0 {
		return g.expect(xzNumber, 0, 1)
	}
	return g.expect(xzBetween, -g.done&3+4+xzHeader, 4)
}

// errXZBlock is returned for a block whose header or chunks do not hold together.
var errXZBlock = fmt.Errorf("%w (xz): a block is not whole", ErrDamaged)

// xzMemory refuses the header of a block that needs too much memory (section 3.1 and 5.3.1).
func xzMemory(b []byte) error {
	p := b[2:]
	for range int(b[1]>>6&1) + int(b[1]>>7) { // its sizes
		_, k := binary.Uvarint(p)
		if k <= 0 {
			return errXZBlock
		}
		p = p[k:]
	}
	for range int(b[1]&3) + 1 {
		id, k := binary.Uvarint(p)
		if k <= 0 || k+1 >= len(p) {
			return errXZBlock
		}
		size := int(p[k])
		p = p[k+1:]
		if size > len(p) {
			return errXZBlock
		}
		const lzma2 = 0x21
		if id == lzma2 && size == 1 && p[0]&63 > 28 { // 64 MiB
			return fmt.Errorf("%w: it needs more than %d MiB of memory", ErrTooLarge, maxWindow>>20)
		}
		p = p[size:]
	}
	return nil
}
