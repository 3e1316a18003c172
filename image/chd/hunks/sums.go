package hunks

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha1"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"strings"

	"spindle/internal/packed"
)

// checkPiece is how many bytes are hashed at a time: some hunks for each processor.
const checkPiece = 4 << 20

// A stated is a checksum that a CHD states.
type stated struct {
	name string
	is   func(content, md5 []byte) ([]byte, error)
	want []byte
}

// The checksums that a CHD can state.
const (
	sumSHA1 = "SHA-1"
	sumMD5  = "MD5"
	sumAll  = "SHA-1 with metadata"
)

// stated lists the checksums that are stated. There may be none: a CHD that is not compressed
// need not have any.
func (f *File) stated() []stated {
	raw, whole := f.h.raw, f.h.id.SHA1
	if f.h.version < 4 {
		raw, whole = f.h.id.SHA1, [20]byte{}
	}
	var all []stated
	if raw != [20]byte{} {
		all = append(all, stated{sumSHA1, func(content, _ []byte) ([]byte, error) { return content, nil }, raw[:]})
	}
	if f.h.id.MD5 != [16]byte{} {
		all = append(all, stated{sumMD5, func(_, md5 []byte) ([]byte, error) { return md5, nil }, f.h.id.MD5[:]})
	}
	if whole != [20]byte{} {
		all = append(all, stated{sumAll, func(content, _ []byte) ([]byte, error) {
			sums, err := f.metadataSums()
			sum := withMetadata([20]byte(content), sums)
			return sum[:], err
		}, whole[:]})
	}
	return all
}

// Sums names the checksums that the CHD states of its content, and of its metadata.
func (f *File) Sums() []string {
	var names []string
	for _, s := range f.stated() {
		names = append(names, s.name)
	}
	return names
}

// mostSummed bounds how many bytes of metadata are hashed when a CHD is opened. Those of a disc
// have some hundreds.
const mostSummed = 16 << 20

// CheckMetadata compares the metadata with the checksum of data and metadata together, by the one
// that is stated of the data, which it takes for right: nothing of the data is read. A CHD that
// does not state both, as those before version 4, passes. The error wraps [packed.ErrDamaged].
func (f *File) CheckMetadata() error {
	none := [20]byte{}
	if f.h.version < 4 || f.h.raw == none || f.h.id.SHA1 == none || f.summed > mostSummed {
		return nil
	}
	sums, err := f.metadataSums()
	if err != nil {
		return err
	}
	if withMetadata(f.h.raw, sums) != f.h.id.SHA1 {
		return fmt.Errorf("%w: the %s is not the one that it states: the description of its tracks is not what it was", packed.ErrDamaged, sumAll)
	}
	return nil
}

// A tally is the hashes of the content, which come to be in its order.
type tally struct{ sha, md5 hash.Hash }

// newTally begins the hashes that the stated checksums need.
func (f *File) newTally() *tally {
	t := &tally{sha: sha1.New()}
	if slices.Contains(f.Sums(), sumMD5) {
		t.md5 = md5.New()
	}
	return t
}

// Write takes more of the content.
func (t *tally) Write(p []byte) (int, error) {
	_, _ = t.sha.Write(p)
	if t.md5 != nil {
		_, _ = t.md5.Write(p)
	}
	return len(p), nil
}

// compare compares the hashes of all of the content with the checksums that are stated.
func (f *File) compare(t *tally) error {
	content, md5 := t.sha.Sum(nil), []byte(nil)
	if t.md5 != nil {
		md5 = t.md5.Sum(nil)
	}
	var wrong []string
	for _, s := range f.stated() {
		is, err := s.is(content, md5)
		if err != nil {
			return err
		}
		if !bytes.Equal(is, s.want) {
			wrong = append(wrong, s.name)
		}
	}
	if len(wrong) > 0 {
		return fmt.Errorf("%w: the %s is not the one that it states", packed.ErrDamaged, strings.Join(wrong, " and the "))
	}
	return nil
}

// Check compares the content and the metadata with the checksums that the CHD states. The
// error wraps [packed.ErrDamaged] where one is another; that for a hunk which cannot be
// decoded is a [*DamagedError].
func (f *File) Check(ctx context.Context, progress func(done, total int64)) error {
	t := f.newTally()
	if err := f.hashContent(ctx, t, progress); err != nil {
		return err
	}
	return f.compare(t)
}

// hashContent hashes all that the CHD holds, while the next piece of it is decoded.
func (f *File) hashContent(ctx context.Context, to io.Writer, progress func(done, total int64)) error {
	pieces, free := make(chan []byte), make(chan []byte, 2)
	free <- make([]byte, checkPiece)
	free <- make([]byte, checkPiece)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for p := range pieces {
			_, _ = to.Write(p) // a hash has no errors
			free <- p[:checkPiece]
		}
	}()
	defer func() {
		close(pieces)
		<-ended
	}()
	for at := int64(0); at < f.Size(); {
		if err := ctx.Err(); err != nil {
			return err
		}
		p := <-free
		p = p[:min(checkPiece, f.Size()-at)]
		if n, err := f.ReadAt(p, at); n < len(p) {
			return err
		}
		pieces <- p
		at += int64(len(p))
		if progress != nil {
			progress(at, f.Size())
		}
	}
	return nil
}

// metadataSums hashes the entries of the metadata that count.
func (f *File) metadataSums() ([]metadataSum, error) {
	var all []metadataSum
	for _, m := range f.meta {
		var head [entryHead]byte
		if err := f.stored(head[:], m.Offset); err != nil {
			return nil, fmt.Errorf("metadata at byte %d: %w", m.Offset, err)
		}
		v := binary.BigEndian.Uint32(head[4:])
		if v>>24&inSum == 0 {
			continue
		}
		sum := sha1.New()
		if _, err := io.Copy(sum, io.NewSectionReader(f.r, m.Offset+entryHead, int64(v&lengthMask))); err != nil && !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("metadata at byte %d: %w", m.Offset, err)
		}
		all = append(all, metadataSum{m.Tag, [20]byte(sum.Sum(nil))})
	}
	return all, nil
}

// Version is that of the format, 1 to 5.
func (f *File) Version() int { return f.h.version }

// Codecs returns the names of the codecs by which hunks may be compressed, or none. They are
// those of version 5: before it, there was only "zlib".
func (f *File) Codecs() []string {
	if f.h.version < 5 {
		if f.h.compression == 0 {
			return nil
		}
		return []string{"zlib"}
	}
	var all []string
	for _, c := range f.h.codecs {
		if c != (codec{}) {
			all = append(all, string(c[:]))
		}
	}
	return all
}
