package check

import (
	"context"
	"crypto/md5"
	"encoding"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"strconv"
	"strings"

	"spindle/iso"
)

// Where implantisomd5 (isomd5sum, Red Hat) puts its text: the application use
// field of the primary volume descriptor (ECMA-119 8.4.32).
const (
	pvdOffset    = 16 * 2048
	appUseOffset = pvdOffset + 883
	appUseSize   = 512
	fragmentText = 60 // characters of all fragment sums together
	md5Chunk     = 32 << 10
)

// Implanted is the checksum that an image carries in itself.
type Implanted struct {
	MD5           string
	SkipSectors   int64 // at the end of the image, not part of the sum
	Fragments     string
	FragmentCount int64
	Blocks        int64 // of the volume
}

// errNoImplanted means that the image carries no checksum.
var errNoImplanted = errors.New("no implanted MD5")

// ReadImplanted reads the implanted checksum of the ISO in r.
func ReadImplanted(r io.ReaderAt) (*Implanted, error) {
	pvd, err := iso.ReadPrimary(r, 0)
	switch {
	case errors.Is(err, iso.ErrNoVolume):
		return nil, errNoImplanted
	case err != nil:
		return nil, err
	case pvd.Block != iso.FirstDescriptor:
		return nil, errNoImplanted
	}
	m := &Implanted{Blocks: pvd.Blocks}
	text := string(pvd.AppUse)
	m.MD5 = field(text, "ISO MD5SUM = ", 32)
	skip, err := strconv.ParseInt(field(text, "SKIPSECTORS = ", 0), 10, 32)
	if _, herr := hex.DecodeString(m.MD5); len(m.MD5) != 32 || herr != nil || err != nil || skip < 0 || skip >= m.Blocks {
		return nil, errNoImplanted
	}
	m.SkipSectors = skip
	m.Fragments = field(text, "FRAGMENT SUMS = ", fragmentText)
	m.FragmentCount, err = strconv.ParseInt(field(text, "FRAGMENT COUNT = ", 0), 10, 32)
	if err != nil || m.FragmentCount < 1 || m.FragmentCount > fragmentText || len(m.Fragments) != fragmentText {
		m.FragmentCount = 0
	}
	return m, nil
}

// field returns what follows a key, up to the next semicolon or n characters.
func field(text, key string, n int) string {
	_, rest, ok := strings.Cut(text, key)
	if !ok {
		return ""
	}
	rest, _, _ = strings.Cut(rest, ";")
	if n > 0 && len(rest) > n {
		rest = rest[:n]
	}
	return rest
}

// Check computes the sum of the ISO in r and compares it with the implanted one.
// When it differs, damaged says, as far as the fragment sums tell, which bytes
// the first difference lies between.
func (m *Implanted) Check(ctx context.Context, r io.ReaderAt, progress func(done, total int64)) (ok bool, damaged [2]int64, err error) {
	total := (m.Blocks - m.SkipSectors) * 2048
	h := md5.New()
	buf := make([]byte, md5Chunk)
	var fragment, fragmentStart int64
	size := total / (m.FragmentCount + 1)
	damaged = [2]int64{0, total}
	located := m.FragmentCount == 0 || size == 0
	for off := int64(0); off < total; {
		if err := ctx.Err(); err != nil {
			return false, damaged, err
		}
		b := buf[:min(int64(len(buf)), total-off)]
		if n, err := r.ReadAt(b, off); n < len(b) {
			return false, damaged, fmt.Errorf("the image ends at byte %d of %d: %w", off+int64(n), total, err)
		}
		blankAppUse(b, off)
		h.Write(b)
		if !located && off/size != fragment {
			fragment = off / size
			if m.fragmentOK(h, fragment) {
				fragmentStart = off
			} else {
				damaged, located = [2]int64{fragmentStart, off + int64(len(b))}, true
			}
		}
		off += int64(len(b))
		if progress != nil {
			progress(off, total)
		}
	}
	if !located {
		damaged[0] = fragmentStart
	}
	return hex.EncodeToString(h.Sum(nil)) == strings.ToLower(m.MD5), damaged, nil
}

// fragmentOK compares the sum so far with that of a fragment: of each byte of the
// MD5 the first hexadecimal digit that is not a leading zero.
func (m *Implanted) fragmentOK(h hash.Hash, n int64) bool {
	width := fragmentText / m.FragmentCount
	at := (n - 1) * width
	if at+width > fragmentText {
		return true
	}
	state, err := h.(encoding.BinaryMarshaler).MarshalBinary()
	if err != nil {
		return true
	}
	c := md5.New()
	if err := c.(encoding.BinaryUnmarshaler).UnmarshalBinary(state); err != nil {
		return true
	}
	sum := c.Sum(nil)
	for i := range min(width, int64(len(sum))) {
		if strconv.FormatInt(int64(sum[i]), 16)[0] != m.Fragments[at+i] {
			return false
		}
	}
	return true
}

// blankAppUse puts blanks where the text of the checksum stands, as it was when
// the sum was made.
func blankAppUse(b []byte, off int64) {
	for i := max(0, appUseOffset-off); i < min(int64(len(b)), appUseOffset+appUseSize-off); i++ {
		b[i] = ' '
	}
}
