package check

import (
	"bytes"
	"cmp"
	"context"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode/utf16"

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

// A namedSum is one line of a checksum file.
type namedSum struct {
	Name      string
	Algorithm Algorithm
	Hex       string // lower case
}

// ErrNoSums means that a file holds no checksums.
var ErrNoSums = errors.New("no checksum in it")

// bsdLine is the form "SHA256 (name) = sum", and that of openssl.
var bsdLine = regexp.MustCompile(`^([A-Za-z0-9/-]+) ?\((.+)\) ?= ?([0-9a-fA-F]+)$`)

// bsdNames are the algorithms by what stands before the name in that form. Others have
// sums of the same lengths.
var bsdNames = map[string]Algorithm{
	"CRC32": CRC32, "MD5": MD5, "SHA1": SHA1, "SHA-1": SHA1, "SHA256": SHA256, "SHA-256": SHA256, "SHA2-256": SHA256,
	"SHA512": SHA512, "SHA-512": SHA512, "SHA2-512": SHA512,
}

// maxSums bounds a checksum file: Debian's have some hundred lines.
const maxSums = 4 << 20

// sumsFile is what a checksum file holds.
type sumsFile struct {
	sums  []namedSum
	other []otherLine
}

// otherLine is a line that states no checksum.
type otherLine struct {
	number int // from 1
	text   string
}

// mention returns the numbers of the lines without a checksum that end with the name of a
// file, as the lines of all forms but .sfv and that of BSD do, or have it in parentheses.
func (f *sumsFile) mention(path string) []int {
	base := filepath.Base(path)
	var found []int
	for _, l := range f.other {
		name := l.text
		if m := inParentheses.FindStringSubmatch(name); m != nil {
			name = m[1]
		}
		before, ok := strings.CutSuffix(name, base)
		if ok && (before == "" || strings.ContainsRune(" \t*/\\", rune(before[len(before)-1]))) {
			found = append(found, l.number)
		}
	}
	return found
}

// inParentheses is a name as the form of BSD has it.
var inParentheses = regexp.MustCompile(`\((.+)\)`)

// parseSums reads a checksum file as md5sum, sha256sum and kin write it, in the
// form of BSD and openssl, or in that of .sfv (name first, CRC-32); with any ends of
// lines, in UTF-8 or, with a byte order mark, UTF-16. Lines that are none of these
// (comments, a PGP signature) are passed over.
func parseSums(r io.Reader) (sumsFile, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxSums+1))
	if err != nil {
		return sumsFile{}, err
	}
	if len(b) > maxSums {
		return sumsFile{}, fmt.Errorf("%w: it is too large", ErrNoSums)
	}
	var all sumsFile
	number := 0
	for line := range strings.SplitSeq(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(plainText(b)), "\n") {
		number++
		line = strings.TrimRight(line, " \t")
		if s, ok := parseSum(line); ok {
			all.sums = append(all.sums, s)
		} else if line != "" && line[0] != ';' && line[0] != '#' {
			all.other = append(all.other, otherLine{number, line})
		}
	}
	if len(all.sums) == 0 {
		return sumsFile{}, ErrNoSums
	}
	return all, nil
}

// plainText decodes what Windows programs write: UTF-16, or UTF-8 with a byte order mark.
func plainText(b []byte) string {
	var order binary.ByteOrder
	switch {
	case bytes.HasPrefix(b, []byte{0xFF, 0xFE}):
		order = binary.LittleEndian
	case bytes.HasPrefix(b, []byte{0xFE, 0xFF}):
		order = binary.BigEndian
	default:
		return string(bytes.TrimPrefix(b, []byte("\xEF\xBB\xBF")))
	}
	var units []uint16
	for b = b[2:]; len(b) > 1; b = b[2:] {
		units = append(units, order.Uint16(b))
	}
	return string(utf16.Decode(units))
}

func parseSum(line string) (namedSum, bool) {
	if line == "" || line[0] == ';' || line[0] == '#' {
		return namedSum{}, false
	}
	escaped := line[0] == '\\' // GNU's, of a name with \ or the end of a line in it
	if escaped {
		line = line[1:]
	}
	if m := bsdLine.FindStringSubmatch(line); m != nil {
		stated, known := bsdNames[strings.ToUpper(m[1])]
		if a, ok := algorithmOf(m[3]); ok && known && a == stated {
			return newSum(m[2], a, m[3], escaped), true
		}
		return namedSum{}, false
	}
	if i := strings.IndexAny(line, " \t"); i > 0 {
		name := strings.TrimPrefix(strings.TrimLeft(line[i:], " \t"), "*")
		if a, ok := algorithmOf(line[:i]); ok && a != CRC32 && name != "" {
			return newSum(name, a, line[:i], escaped), true
		}
	}
	if i := strings.LastIndexAny(line, " \t"); i > 0 { // .sfv
		if a, ok := algorithmOf(line[i+1:]); ok && a == CRC32 {
			return newSum(strings.TrimSpace(line[:i]), a, line[i+1:], escaped), true
		}
	}
	// A lone sum, as the .sha256 beside some downloads has it.
	if a, ok := algorithmOf(line); ok && a != CRC32 {
		return newSum("", a, line, false), true
	}
	return namedSum{}, false
}

func newSum(name string, a Algorithm, sum string, escaped bool) namedSum {
	if escaped {
		name = strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\r`, "\r").Replace(name)
	}
	return namedSum{name, a, strings.ToLower(sum)}
}

// readSums reads a checksum file.
func readSums(path string) (sumsFile, error) {
	f, err := regular.Open(path)
	if err != nil {
		return sumsFile{}, err
	}
	defer f.Close()
	all, err := parseSums(f)
	if err != nil {
		return sumsFile{}, fmt.Errorf("%s: %w", path, err)
	}
	return all, nil
}

// sumsFor returns the sums for a file: those that name it, in any folder of any system, else
// those that name it in other letter case, or a lone one without a name.
func sumsFor(sums []namedSum, path string) []namedSum {
	var own, folded []namedSum
	base := filepath.Base(path)
	for _, s := range sums {
		name := s.Name[strings.LastIndexAny(s.Name, `/\`)+1:]
		switch {
		case name == base || s.Name == base || s.Name == "" && len(sums) == 1:
			own = append(own, s)
		case strings.EqualFold(name, base):
			folded = append(folded, s)
		}
	}
	if len(own) == 0 {
		return folded
	}
	return own
}

// sumSuffixes are those of a checksum file for one image.
var sumSuffixes = []string{".sha512", ".sha256", ".sha1", ".md5", ".sfv", ".sha512sum", ".sha256sum", ".sha1sum", ".md5sum"}

// folderSums are the names of checksum files for whole folders, in lower case.
var folderSums = []string{
	"sha512sums", "sha256sums", "sha1sums", "md5sums", "sha512sums.txt", "sha256sums.txt", "sha1sums.txt", "md5sums.txt",
	"sha512sum.txt", "sha256sum.txt", "sha1sum.txt", "md5sum.txt", "checksum", "checksums", "checksums.txt",
}

// folderStems are the names of such files without their suffix, one of sumSuffixes; that of the
// folder is another.
var folderStems = []string{"checksum", "checksums", "hash", "hashes", "sums"}

// isNamedFor reports whether a checksum file is one for a single file, by its whole name.
func isNamedFor(list, path string) bool {
	name := filepath.Base(list)
	return strings.EqualFold(strings.TrimSuffix(name, filepath.Ext(name)), filepath.Base(path)) && slices.Contains(sumSuffixes, strings.ToLower(filepath.Ext(name)))
}

// findSums returns the checksum files beside an image that may hold its sum: of
// its own name with a suffix, or one for the whole folder, in any letter case.
func findSums(path string) []string {
	dir, base := filepath.Split(path)
	stem := strings.TrimSuffix(base, filepath.Ext(base))
	names := []string{base + "-CHECKSUM"}
	for _, s := range sumSuffixes {
		names = append(names, base+s, stem+s)
		for _, of := range append(folderStems, folderName(dir)) {
			names = append(names, of+s)
		}
	}
	names = append(names, folderSums...)
	entries, err := os.ReadDir(cmp.Or(dir, "."))
	if err != nil {
		return nil
	}
	var found []string
	for _, e := range entries {
		p := filepath.Join(dir, e.Name())
		if slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, e.Name()) }) && regular.Check(p) == nil {
			found = append(found, p)
		}
	}
	return found
}

// folderName is the name of a folder, also of the current one.
func folderName(dir string) string {
	if abs, err := filepath.Abs(dir); err == nil {
		return filepath.Base(abs)
	}
	return filepath.Base(dir)
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
	return hashAll(ctx, f, st.Size(), a, progress)
}

// hashAll computes a hash of all that r gives, which is about size bytes.
func hashAll(ctx context.Context, r io.Reader, size int64, a Algorithm, progress func(done, total int64)) (string, error) {
	h := a.new()
	buf := make([]byte, 1<<20)
	for done := int64(0); ; {
		if err := ctx.Err(); err != nil {
			return "", err
		}
		n, err := r.Read(buf)
		h.Write(buf[:n])
		done += int64(n)
		if progress != nil {
			progress(done, size)
		}
		if errors.Is(err, io.EOF) {
			return hex.EncodeToString(h.Sum(nil)), nil
		}
		if err != nil {
			return "", err
		}
	}
}
