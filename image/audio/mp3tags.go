package audio

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"strconv"
)

// behindTags returns the byte at which the tags and zeros end that are at a place. Only where that is the end
// of the file do they follow its last frame: frames may be behind zeros that are a hole, or behind the tag
// of a file to which another was joined.
func behindTags(ctx context.Context, r io.ReaderAt, at, size int64) (int64, error) {
	const most = 1 << 20 // what is looked through for the end of a tag; the longest Lyrics3 has 999999 bytes
	for at < size {
		if err := ctx.Err(); err != nil {
			return at, err
		}
		b := make([]byte, min(most, size-at))
		if n, err := r.ReadAt(b, at); n < len(b) && err != nil && !errors.Is(err, io.EOF) {
			return at, err
		}
		length := int64(len(b) - len(bytes.TrimLeft(b, "\x00")))
		if length == 0 {
			length = trailerSize(b)
		}
		if length == 0 || at+length > size {
			break
		}
		at += length
	}
	return at, nil
}

// trailerSize returns how many bytes the tag has that b begins with, or 0.
func trailerSize(b []byte) int64 {
	const (
		id3v1    = 128
		enhanced = 227 // what some programs put in front of ID3v1
	)
	switch {
	case bytes.HasPrefix(b, []byte("TAG+")) && len(b) >= enhanced+3 && string(b[enhanced:enhanced+3]) == "TAG":
		return enhanced
	case bytes.HasPrefix(b, []byte("TAG")):
		return id3v1
	case bytes.HasPrefix(b, []byte("LYRICSBEGIN")):
		return lyricsSize(b)
	case bytes.HasPrefix(b, []byte("ID3")) && len(b) >= 12:
		return tagSize([12]byte(b))
	}
	return apeSize(b)
}

// lyricsSize returns how long a tag of Lyrics3 is: one of version 2 states it at its end, without what
// states it; version 1 only has an end.
func lyricsSize(b []byte) int64 {
	const mark, digits = 9, 6
	if i := bytes.Index(b, []byte("LYRICS200")); i >= digits {
		if n, err := strconv.Atoi(string(b[i-digits : i])); err == nil && n == i-digits {
			return int64(i + mark)
		}
	}
	if i := bytes.Index(b, []byte("LYRICSEND")); i > 0 {
		return int64(i + mark)
	}
	return 0
}

// apeSize returns how long a tag of APE is. Version 2 may have a header; without one, the footer is known by
// the length that it states.
func apeSize(b []byte) int64 {
	const (
		mark     = "APETAGEX"
		block    = 32      // bytes of a header, or a footer
		isHeader = 1 << 29 // flags
		padding  = 3       // zeros that a first item may begin with, which were taken for padding
	)
	le := binary.LittleEndian
	i := bytes.Index(b, []byte(mark))
	if i < 0 || len(b) < i+block {
		return 0
	}
	stated := int64(le.Uint32(b[i+12:])) // of the items and the footer
	switch flags := le.Uint32(b[i+20:]); {
	case flags&isHeader != 0 && i == 0:
		return block + stated
	case flags&isHeader == 0 && stated >= int64(i+block) && stated <= int64(i+block+padding):
		return int64(i + block)
	}
	return 0
}
