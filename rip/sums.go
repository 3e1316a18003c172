package rip

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"spindle/internal/atomicfile"
)

// SumsSuffix is appended to the output's name for the checksum file.
const SumsSuffix = ".sha256"

// errNoSums is returned for an image with bad sectors: its checksums would prove nothing.
var errNoSums = errors.New("an image with bad sectors gets no checksum file")

// WriteSums writes the SHA-256 of each image file, and of sub-channels, beside the output, in the form
// that sha256sum checks, and returns the path. A file that is there already is
// an error that wraps [ErrExists]; bad sectors are an error, too.
func (r *Result) WriteSums(output string) (string, error) {
	if path := output + SumsSuffix; exists(path) {
		return "", fmt.Errorf("%s %w", path, ErrExists)
	}
	return r.ReplaceSums(output)
}

// ReplaceSums is WriteSums, and replaces a file that is there already.
func (r *Result) ReplaceSums(output string) (string, error) {
	if len(r.Bad) > 0 {
		return "", errNoSums
	}
	path := output + SumsSuffix
	sums := make([]fileSum, 0, len(r.Images)+1)
	for _, f := range r.Images {
		sums = append(sums, fileSum{f.Path, f.SHA256})
	}
	if r.sub != "" {
		sums = append(sums, fileSum{r.sub, r.subSum})
	}
	return path, atomicfile.WriteBytes(path, encodeSums(sums))
}

// A fileSum is the SHA-256 of a file, in hexadecimal.
type fileSum struct{ path, sum string }

func encodeSums(all []fileSum) []byte {
	var b bytes.Buffer
	for _, s := range all {
		name, escaped := filepath.Base(s.path), ""
		if strings.ContainsAny(name, "\\\n\r") { // as GNU coreutils does
			name, escaped = strings.NewReplacer(`\`, `\\`, "\n", `\n`, "\r", `\r`).Replace(name), `\`
		}
		fmt.Fprintf(&b, "%s%s *%s\n", escaped, s.sum, name)
	}
	return b.Bytes()
}

// dropStaleSums removes the checksum file of an image that has bad sectors: one
// that says what the files of the image hash to as they are. One that says
// something else is not of this image, and stays.
func (j *job) dropStaleSums(ctx context.Context) error {
	path := j.opts.Output + SumsSuffix
	text, err := readSmall(path)
	if err != nil || text == nil {
		return err
	}
	var sums []fileSum
	for _, f := range j.writer.out.all() {
		if f.part {
			return nil // no file of this name was ever hashed
		}
		sum, err := hashFile(ctx, f.f)
		if err != nil {
			return err
		}
		sums = append(sums, fileSum{f.path, sum})
	}
	older := sums[:len(j.writer.out.files)] // without the sub-channels
	if !bytes.Equal(text, encodeSums(sums)) && !bytes.Equal(text, encodeSums(older)) {
		return nil
	}
	j.stale = true
	return os.Remove(path)
}

// mostSums is the largest checksum file of 99 tracks with long names.
const mostSums = 99 * (64 + 2 + 256 + 1)

// readSmall reads a checksum file; nil is none that could be spindle's.
func readSmall(path string) ([]byte, error) {
	if st, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) || err == nil && (!st.Mode().IsRegular() || st.Size() > mostSums) {
		return nil, nil
	}
	return os.ReadFile(path)
}

// hashFile hashes a file from its start, and hears when ctx ends.
func hashFile(ctx context.Context, f *os.File) (string, error) {
	st, err := f.Stat()
	if err != nil {
		return "", err
	}
	h := sha256.New()
	buf := make([]byte, 1<<20)
	for at := int64(0); at < st.Size(); {
		if err := ctx.Err(); err != nil {
			return "", err
		}
		n, err := f.ReadAt(buf[:min(int64(len(buf)), st.Size()-at)], at)
		h.Write(buf[:n])
		if at += int64(n); err != nil && !errors.Is(err, io.EOF) || n == 0 {
			return "", fmt.Errorf("%w: %w", ErrOutput, err)
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
