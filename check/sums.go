package check

import (
	"bufio"
	"context"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"spindle/internal/regular"
)

// Algorithm is a hash that checksum files use.
type Algorithm string

// The algorithms.
const (
	CRC32  Algorithm = "CRC-32"
	MD5    Algorithm = "MD5"
	SHA1   Algorithm = "SHA-1"
	SHA256 Algorithm = "SHA-256"
	SHA512 Algorithm = "SHA-512"
)

func (a Algorithm) new() hash.Hash {
	switch a {
	case CRC32:
		return crc32.NewIEEE()
	case MD5:
		return md5.New()
	case SHA1:
		return sha1.New()
	case SHA512:
		return sha512.New()
	}
	return sha256.New()
}

// algorithmOf tells an algorithm by the length of its hexadecimal sum.
func algorithmOf(sum string) (Algorithm, bool) {
	if _, err := hex.DecodeString(sum); err != nil {
		return "", false
	}
	switch len(sum) {
	case 8:
		return CRC32, true
	case 32:
		return MD5, true
	case 40:
		return SHA1, true
	case 64:
		return SHA256, true
	case 128:
		return SHA512, true
	}
	return "", false
}

// A Sum is one line of a checksum file.
type Sum struct {
	Name      string
	Algorithm Algorithm
	Hex       string // lower case
}

// ErrNoSums means that a file holds no checksums.
var ErrNoSums = errors.New("no checksum in it")

// bsdLine is the form "SHA256 (name) = sum".
var bsdLine = regexp.MustCompile(`^[A-Z0-9-]+ ?\((.+)\) ?= ?([0-9a-fA-F]+)$`)

// maxSums bounds a checksum file: Debian's have some hundred lines.
const maxSums = 4 << 20

// ParseSums reads a checksum file as md5sum, sha256sum and kin write it, in the
// form of BSD, or in that of .sfv (name first, CRC-32). Lines that are none of
// these (comments, a PGP signature) are passed over.
func ParseSums(r io.Reader) ([]Sum, error) {
	var all []Sum
	scan := bufio.NewScanner(io.LimitReader(r, maxSums))
	for scan.Scan() {
		line := strings.TrimRight(scan.Text(), " \t\r")
		if s, ok := parseSum(line); ok {
			all = append(all, s)
		}
	}
	if err := scan.Err(); err != nil && !errors.Is(err, bufio.ErrTooLong) {
		return nil, err
	}
	if len(all) == 0 {
		return nil, ErrNoSums
	}
	return all, nil
}

func parseSum(line string) (Sum, bool) {
	if line == "" || line[0] == ';' || line[0] == '#' {
		return Sum{}, false
	}
	if m := bsdLine.FindStringSubmatch(line); m != nil {
		if a, ok := algorithmOf(m[2]); ok {
			return Sum{m[1], a, strings.ToLower(m[2])}, true
		}
	}
	if sum, name, ok := strings.Cut(line, " "); ok {
		name = strings.TrimPrefix(strings.TrimLeft(name, " "), "*")
		if a, ok := algorithmOf(sum); ok && a != CRC32 && name != "" {
			return Sum{name, a, strings.ToLower(sum)}, true
		}
	}
	if i := strings.LastIndexAny(line, " \t"); i > 0 { // .sfv
		if a, ok := algorithmOf(line[i+1:]); ok && a == CRC32 {
			return Sum{strings.TrimSpace(line[:i]), a, strings.ToLower(line[i+1:])}, true
		}
	}
	// A lone sum, as the .sha256 beside some downloads has it.
	if a, ok := algorithmOf(line); ok && a != CRC32 {
		return Sum{"", a, strings.ToLower(line)}, true
	}
	return Sum{}, false
}

// ReadSums reads a checksum file.
func ReadSums(path string) ([]Sum, error) {
	f, err := regular.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	all, err := ParseSums(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return all, nil
}

// For returns the sums for a file: those that name it, or a lone one without a
// name.
func For(sums []Sum, path string) []Sum {
	var own []Sum
	base := filepath.Base(path)
	for _, s := range sums {
		name := s.Name[strings.LastIndexAny(s.Name, `/\`)+1:]
		if name == base || s.Name == "" && len(sums) == 1 {
			own = append(own, s)
		}
	}
	return own
}

// FindSums returns the checksum files beside an image that may hold its sum: of
// its own name with a suffix, or one for the whole folder.
func FindSums(path string) []string {
	dir, base := filepath.Split(path)
	stem := strings.TrimSuffix(base, filepath.Ext(base))
	var found []string
	for _, name := range []string{
		base + ".sha512", base + ".sha256", base + ".sha1", base + ".md5", base + ".sfv",
		base + ".sha256sum", base + ".sha512sum", base + ".md5sum", base + "-CHECKSUM",
		stem + ".sha256", stem + ".sha1", stem + ".md5", stem + ".sfv",
		"SHA512SUMS", "SHA256SUMS", "SHA1SUMS", "MD5SUMS", "sha512sum.txt", "sha256sum.txt", "md5sum.txt", "CHECKSUM",
	} {
		p := filepath.Join(dir, name)
		if st, err := os.Stat(p); err == nil && st.Mode().IsRegular() {
			found = append(found, p)
		}
	}
	return found
}

// HashFile computes a hash of a whole file, in lower-case hexadecimal.
func HashFile(ctx context.Context, path string, a Algorithm, progress func(done, total int64)) (string, error) {
	f, err := regular.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return "", err
	}
	h := a.new()
	buf := make([]byte, 1<<20)
	for done := int64(0); ; {
		if err := ctx.Err(); err != nil {
			return "", err
		}
		n, err := f.Read(buf)
		h.Write(buf[:n])
		done += int64(n)
		if progress != nil {
			progress(done, st.Size())
		}
		if errors.Is(err, io.EOF) {
			return hex.EncodeToString(h.Sum(nil)), nil
		}
		if err != nil {
			return "", err
		}
	}
}
