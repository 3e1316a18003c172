package flacenc

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// ErrNoRoom is returned by [Retag] when the file has no comments, or not enough padding
// behind them.
var ErrNoRoom = errors.New("flacenc: no room for the comments")

// Retag replaces the comments of a FLAC file where they stand, out of the padding behind
// them. Nothing else changes, also not the vendor's name.
func Retag(f interface {
	io.ReaderAt
	io.WriterAt
}, comments [][2]string) error {
	var magic [4]byte
	if _, err := f.ReadAt(magic[:], 0); err != nil || string(magic[:]) != "fLaC" {
		return fmt.Errorf("flacenc: not a FLAC file (%q, %w)", magic, err)
	}
	at, last := int64(len(magic)), false
	for !last {
		kind, length, isLast, err := blockHead(f, at)
		if err != nil {
			return err
		}
		if kind == blockComment && !isLast {
			return retag(f, at, length, comments)
		}
		at, last = at+headSize+length, isLast
	}
	return ErrNoRoom
}

func blockHead(r io.ReaderAt, at int64) (kind byte, length int64, last bool, err error) {
	var b [headSize]byte
	if _, err := r.ReadAt(b[:], at); err != nil {
		return 0, 0, false, fmt.Errorf("flacenc: metadata at byte %d: %w", at, err)
	}
	return b[0] &^ lastBlock, int64(binary.BigEndian.Uint32(b[:]) & maxLength), b[0]&lastBlock != 0, nil
}

// retag replaces the comments at a place of so many bytes.
func retag(f interface {
	io.ReaderAt
	io.WriterAt
}, at, length int64, comments [][2]string) error {
	kind, padding, last, err := blockHead(f, at+headSize+length)
	if err != nil {
		return err
	}
	if kind != blockPadding {
		return ErrNoRoom
	}
	old := make([]byte, length) // at most 16 MiB
	if _, err := f.ReadAt(old, at+headSize); err != nil {
		return fmt.Errorf("flacenc: the comments at byte %d: %w", at, err)
	}
	if length < 4 || int64(binary.LittleEndian.Uint32(old)) > length-4 {
		return fmt.Errorf("flacenc: malformed comments at byte %d", at)
	}
	by := string(old[4 : 4+binary.LittleEndian.Uint32(old)])
	body, err := commentBody(by, comments)
	if err != nil {
		return err
	}
	room := length + padding - int64(len(body))
	if room < 0 {
		return fmt.Errorf("%w: %d bytes too many", ErrNoRoom, -room)
	}
	kind = blockPadding
	if last {
		kind |= lastBlock
	}
	if room > maxLength {
		return ErrNoRoom
	}
	b := appendBlock(nil, blockComment, body)
	b = appendBlock(b, kind, make([]byte, room))
	_, err = f.WriteAt(b, at)
	return err
}
