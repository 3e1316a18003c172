// Package lzmablock unpacks blocks of LZMA without the head of a file, with any properties, and undoes the filter of
// machine code, as images of PowerISO and MagicISO have them. Blocks with the usual properties, which are many, are for
// package lzma.
package lzmablock

import (
	"bytes"
	"encoding/binary"
	"io"

	"github.com/ulikunitz/xz/lzma"
)

// Properties are how blocks were packed: how many bits of what are contexts, and the size of the window.
type Properties [5]byte

// leastWindow is the smallest window that there is, in bytes.
const leastWindow = 1 << 12

// NewReader unpacks a block that has size bytes. A larger window than that is of no use, and not made.
func NewReader(p Properties, packed []byte, size int) (io.Reader, error) {
	window := min(binary.LittleEndian.Uint32(p[1:]), uint32(max(size, leastWindow)))
	h := append(make([]byte, 0, lzma.HeaderLen), p[0])
	h = binary.LittleEndian.AppendUint32(h, window)
	h = binary.LittleEndian.AppendUint64(h, uint64(size))
	return lzma.NewReader(io.MultiReader(bytes.NewReader(h), bytes.NewReader(packed)))
}
