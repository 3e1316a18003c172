package image

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"

	"spindle/disc"
	"spindle/iso"
)

// openElsewhere opens the file system in a track that counts its blocks from elsewhere: one
// that was made as a later session of a disc, as those for the Dreamcast are, and is in an
// image without those before it. What lies in these cannot be read.
func openElsewhere(ctx context.Context, img disc.Image, t *disc.Track, root int64) (*fileSystem, error) {
	data, blocks := UserData(ctx, img, t), int64(t.End-t.Start)
	base, err := baseOf(data, blocks, root)
	if err != nil {
		return nil, err
	}
	f, err := iso.OpenSession(&moved{data, base}, base, base+blocks)
	if err != nil {
		return nil, err
	}
	return &fileSystem{f, ctx, img, t.Start - disc.LBA(base)}, nil
}

// baseOf finds which number the first block has, where the root directory has the number
// root: a directory begins with an entry of its own.
func baseOf(r io.ReaderAt, blocks, root int64) (int64, error) {
	const most = 2048 // blocks in front of which it is: descriptors and path tables
	var b [iso.BlockSize]byte
	for n := int64(iso.FirstDescriptor + 1); n < min(blocks, root, most); n++ {
		if _, err := r.ReadAt(b[:], n*iso.BlockSize); err != nil {
			return 0, err
		}
		// ECMA-119 9.1: the place in both orders of bytes, a directory, a name of one zero.
		if b[0] >= 34 && int64(binary.LittleEndian.Uint32(b[2:])) == root && int64(binary.BigEndian.Uint32(b[6:])) == root &&
			b[25]&2 != 0 && b[32] == 1 && b[33] == 0 {
			return root - n, nil
		}
	}
	return 0, fmt.Errorf("%w: its root directory is at sector %d, and the image ends at %d", ErrElsewhere, root, blocks)
}

// moved is a track, the first block of which has another number.
type moved struct {
	io.ReaderAt
	base int64
}

// ReadAt implements [io.ReaderAt].
func (m *moved) ReadAt(p []byte, off int64) (int, error) {
	if at := off - m.base*iso.BlockSize; at >= 0 {
		return m.ReaderAt.ReadAt(p, at)
	}
	return 0, fmt.Errorf("%w: its block %d is in a session before the image", ErrElsewhere, off/iso.BlockSize)
}
