package flacenc

import (
	"encoding/binary"
	"fmt"
	"io"
	"strings"
)

// CopyEdited copies a FLAC file of so many bytes with other comments: those that edit makes of its own. All else is copied as it
// is, the audio and the vendor's name included, and the padding behind the comments gives and takes what they need, as far as there is some.
func CopyEdited(dst io.Writer, src io.ReaderAt, size int64, edit func(comments [][2]string) [][2]string) error {
	at, length, last, err := findComments(src)
	if err != nil {
		return err
	}
	vendor, comments, err := readComments(src, at, length)
	if err != nil {
		return err
	}
	body, err := commentBody(vendor, edit(comments))
	if err != nil {
		return err
	}
	if len(body) > maxLength {
		return fmt.Errorf("%w: the comments, %d bytes", ErrTooLong, len(body))
	}
	kind := byte(blockComment)
	if last {
		kind |= lastBlock
	}
	b, rest := appendBlock(nil, kind, body), at+headSize+length
	if !last {
		b, rest, err = fitPadding(b, src, rest, length-int64(len(body)))
		if err != nil {
			return err
		}
	}
	for _, r := range []io.Reader{io.NewSectionReader(src, 0, at), strings.NewReader(string(b)), io.NewSectionReader(src, rest, size-rest)} {
		if _, err := io.Copy(dst, r); err != nil {
			return err
		}
	}
	return nil
}

// Comments reads those of a FLAC file.
func Comments(r io.ReaderAt) ([][2]string, error) {
	at, length, _, err := findComments(r)
	if err != nil {
		return nil, err
	}
	_, comments, err := readComments(r, at, length)
	return comments, err
}

// findComments finds the block of comments. The error wraps [ErrNoRoom] where there is none.
func findComments(r io.ReaderAt) (at, length int64, last bool, err error) {
	var magic [4]byte
	if _, err := r.ReadAt(magic[:], 0); err != nil || string(magic[:]) != "fLaC" {
		return 0, 0, false, fmt.Errorf("flacenc: not a FLAC file (%q, %w)", magic, err)
	}
	var kind byte
	for at = int64(len(magic)); !last; at += headSize + length {
		if kind, length, last, err = blockHead(r, at); err != nil || kind == blockComment {
			return at, length, last, err
		}
	}
	return 0, 0, false, ErrNoRoom
}

// readComments reads the block at a place.
func readComments(r io.ReaderAt, at, length int64) (vendor string, comments [][2]string, err error) {
	b := make([]byte, length) // at most 16 MiB
	if _, err := r.ReadAt(b, at+headSize); err != nil {
		return "", nil, fmt.Errorf("flacenc: the comments at byte %d: %w", at, err)
	}
	if vendor, comments, err = parseComments(b); err != nil {
		return "", nil, fmt.Errorf("flacenc: the comments at byte %d: %w", at, err)
	}
	return vendor, comments, nil
}

// fitPadding lets padding at a place, if there is some, take up so many bytes that were freed, so that the file stays as long as it is.
func fitPadding(b []byte, src io.ReaderAt, at, freed int64) (all []byte, rest int64, err error) {
	kind, length, last, err := blockHead(src, at)
	if room := length + freed; err == nil && kind == blockPadding && room >= 0 && room <= maxLength {
		if last {
			kind |= lastBlock
		}
		return appendBlock(b, kind, make([]byte, room)), at + headSize + length, nil
	}
	return b, at, err
}

// parseComments reads a VORBIS_COMMENT (RFC 9639 section 8.6).
func parseComments(b []byte) (vendor string, comments [][2]string, err error) {
	field := func() (s string, ok bool) {
		if len(b) < 4 || uint64(binary.LittleEndian.Uint32(b)) > uint64(len(b)-4) {
			return "", false
		}
		n := 4 + int(binary.LittleEndian.Uint32(b))
		s, b = string(b[4:n]), b[n:]
		return s, true
	}
	vendor, ok := field()
	if !ok || len(b) < 4 {
		return "", nil, ErrComment
	}
	count := binary.LittleEndian.Uint32(b)
	for b = b[4:]; count > 0; count-- {
		text, ok := field()
		name, value, found := strings.Cut(text, "=")
		if !ok || !found {
			return "", nil, ErrComment
		}
		comments = append(comments, [2]string{name, value})
	}
	return vendor, comments, nil
}
