package dat

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"slices"
	"sort"

	"spindle/disc/digest"
)

// The index of DAT files is a file of its own:
//
//	games    one JSON object after the other
//	offsets  8 bytes for each game, where it begins, and where the last one ends
//	keys     12 bytes for each ROM: the beginning of its hash, and the number of its game, sorted
//	header   JSON
//	length   4 bytes: of the header
//	magic    8 bytes
//
// All numbers are little-endian.
const (
	indexMagic   = "spdlDAT\x01" // the last byte is the version
	tailSize     = 4 + len(indexMagic)
	keySize      = 12
	offsetSize   = 8
	mostHeader   = 16 << 20
	mostCompared = 10000 // games that share a track with a disc
	// mostGames and mostKeys bound what is kept in memory while an index is made: all DAT files
	// that there are list less.
	mostGames = 1 << 22
	mostKeys  = 1 << 24
)

// errIndex: an index is damaged, and has to be made again.
var errIndex = errors.New("not an index of DAT files")

// A Source is a DAT file of an index, as it was when that was made.
type Source struct {
	Path  string `json:"path"`
	Entry string `json:"entry,omitempty"` // its name in the ZIP archive Path
	Size  int64  `json:"size"`            // of Path, in bytes
	Time  int64  `json:"time"`            // of Path, in nanoseconds since 1970
	Games int    `json:"games"`           // how many discs it lists
	Err   string `json:"error,omitempty"` // why it cannot be used, or not beyond those discs
}

// Name is the name of the file, without its folder.
func (s Source) Name() string {
	if s.Entry != "" {
		return path.Base(s.Entry)
	}
	return filepath.Base(s.Path)
}

type indexHeader struct {
	Sources []Source `json:"sources"`
	Games   int      `json:"games"`
	Keys    int      `json:"keys"`
}

// stored is a game in an index.
type stored struct {
	Game
	Source int `json:"source"`
}

// errMany: an index would list more than is meant seriously.
var errMany = fmt.Errorf("%w: they list more than %d discs, or %d files", ErrSyntax, mostGames, mostKeys)

// indexWriter writes an index.
type indexWriter struct {
	w       *bufio.Writer
	at      uint64
	offsets []uint64
	keys    []indexKey
	header  indexHeader
}

type indexKey struct {
	key  uint64
	game uint32
}

// add adds a game of the last source.
func (x *indexWriter) add(g *Game) error {
	if len(x.offsets) >= mostGames || len(x.keys)+len(g.ROMs) > mostKeys {
		return errMany
	}
	last := len(x.header.Sources) - 1
	b, err := json.Marshal(stored{*g, last})
	if err != nil {
		return err
	}
	for _, r := range g.tracks() {
		if k, ok := r.key(); ok {
			x.keys = append(x.keys, indexKey{k, uint32(len(x.offsets))})
		}
	}
	x.offsets = append(x.offsets, x.at)
	x.at += uint64(len(b))
	x.header.Sources[last].Games++
	_, err = x.w.Write(b)
	return err
}

// finish writes what follows the games.
func (x *indexWriter) finish() error {
	var b []byte
	for _, o := range append(x.offsets, x.at) {
		b = binary.LittleEndian.AppendUint64(b, o)
	}
	slices.SortFunc(x.keys, func(a, b indexKey) int { return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(a.game, b.game)) })
	for _, k := range x.keys {
		b = binary.LittleEndian.AppendUint64(b, k.key)
		b = binary.LittleEndian.AppendUint32(b, k.game)
	}
	x.header.Games, x.header.Keys = len(x.offsets), len(x.keys)
	h, err := json.Marshal(x.header)
	if err != nil {
		return err
	}
	b = append(b, h...)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(h)))
	if _, err := x.w.Write(append(b, indexMagic...)); err != nil {
		return err
	}
	return x.w.Flush()
}

// key is the beginning of the strongest hash that is stated of a file.
func (r ROM) key() (uint64, bool) {
	switch {
	case r.SHA1 != "":
		return hashKey(r.SHA1)
	case r.MD5 != "":
		return hashKey(r.MD5)
	}
	return crcKey(r.CRC32)
}

func hashKey(s string) (uint64, bool) {
	var b [8]byte
	if len(s) < 2*len(b) {
		return 0, false
	}
	_, err := hex.Decode(b[:], []byte(s[:2*len(b)]))
	return binary.BigEndian.Uint64(b[:]), err == nil
}

func crcKey(s string) (uint64, bool) {
	var b [4]byte
	if len(s) != 2*len(b) {
		return 0, false
	}
	_, err := hex.Decode(b[:], []byte(s))
	return uint64(binary.BigEndian.Uint32(b[:])), err == nil
}

// An Index finds discs in many DAT files.
type Index struct {
	r      io.ReaderAt
	close  func() error
	header indexHeader
	tables int64 // where the offsets begin
	keys   int64 // where the keys begin
}

// readIndex opens an index. The error is errIndex when it is none, or damaged.
func readIndex(r io.ReaderAt, size int64) (*Index, error) {
	tail := make([]byte, tailSize)
	if _, err := r.ReadAt(tail, size-int64(tailSize)); size < int64(tailSize) || err != nil || string(tail[4:]) != indexMagic {
		return nil, errIndex
	}
	n := int64(binary.LittleEndian.Uint32(tail))
	end := size - int64(tailSize) - n
	if n > mostHeader || end < 0 {
		return nil, errIndex
	}
	b := make([]byte, n)
	if _, err := r.ReadAt(b, end); err != nil {
		return nil, errIndex
	}
	x := &Index{r: r}
	if json.Unmarshal(b, &x.header) != nil {
		return nil, errIndex
	}
	games, keys := int64(x.header.Games), int64(x.header.Keys)
	if games < 0 || keys < 0 || games > end/offsetSize || keys > end/keySize {
		return nil, errIndex
	}
	x.keys = end - keys*keySize
	x.tables = x.keys - (games+1)*offsetSize
	if x.tables < 0 {
		return nil, errIndex
	}
	return x, nil
}

// Close closes the index.
func (x *Index) Close() error { return x.close() }

// Sources are the DAT files of the index.
func (x *Index) Sources() []Source { return x.header.Sources }

// Len is how many discs the index has.
func (x *Index) Len() int { return x.header.Games }

// Game returns the disc i, and the number of its source.
func (x *Index) Game(i int) (*Game, int, error) {
	var b [2 * offsetSize]byte
	if i < 0 || i >= x.header.Games {
		return nil, 0, fmt.Errorf("%w: it has no disc %d", errIndex, i)
	}
	if _, err := x.r.ReadAt(b[:], x.tables+int64(i)*offsetSize); err != nil {
		return nil, 0, err
	}
	from, to := int64(binary.LittleEndian.Uint64(b[:])), int64(binary.LittleEndian.Uint64(b[offsetSize:]))
	if from < 0 || to < from || to > x.tables || to-from > 2*maxPart {
		return nil, 0, fmt.Errorf("%w: disc %d is damaged", errIndex, i)
	}
	record := make([]byte, to-from)
	if _, err := x.r.ReadAt(record, from); err != nil {
		return nil, 0, err
	}
	var g stored
	if err := json.Unmarshal(record, &g); err != nil || g.Source < 0 || g.Source >= len(x.header.Sources) {
		return nil, 0, fmt.Errorf("%w: disc %d is damaged", errIndex, i)
	}
	return &g.Game, g.Source, nil
}

// Find looks for a disc.
func (x *Index) Find(d Disc) (Match, error) {
	m := Match{Tracks: len(d.Tracks)}
	games, err := x.sharing(d)
	if err != nil {
		return m, err
	}
	for _, i := range games {
		g, source, err := x.Game(i)
		if err != nil {
			return m, err
		}
		before := m.Near
		is := m.take(g, d)
		if is || m.Near != before {
			m.File = x.header.Sources[source].Name()
		}
		if is {
			break
		}
	}
	return m, nil
}

// sharing returns the games that may share a file with a disc, in their order.
func (x *Index) sharing(d Disc) ([]int, error) {
	sums := []digest.Sums{d.Whole}
	for _, t := range d.Tracks {
		sums = append(sums, t.Sums)
	}
	var games []int
	for _, s := range sums {
		for _, key := range keysOf(s) {
			found, err := x.withKey(key)
			if err != nil {
				return nil, err
			}
			games = append(games, found...)
		}
	}
	slices.Sort(games)
	games = slices.Compact(games)
	return games[:min(len(games), mostCompared)], nil
}

// keysOf are the keys that a file of these hashes may have.
func keysOf(s digest.Sums) []uint64 {
	var keys []uint64
	for _, k := range []func() (uint64, bool){
		func() (uint64, bool) { return hashKey(s.SHA1) },
		func() (uint64, bool) { return hashKey(s.MD5) },
		func() (uint64, bool) { return crcKey(s.CRC32) },
	} {
		if key, ok := k(); ok {
			keys = append(keys, key)
		}
	}
	return keys
}

// withKey returns the games with a key.
func (x *Index) withKey(key uint64) ([]int, error) {
	var bad error
	entry := func(i int) (uint64, int) {
		var b [keySize]byte
		if _, err := x.r.ReadAt(b[:], x.keys+int64(i)*keySize); err != nil {
			bad = err
		}
		return binary.LittleEndian.Uint64(b[:]), int(binary.LittleEndian.Uint32(b[8:]))
	}
	var games []int
	at := sort.Search(x.header.Keys, func(i int) bool { k, _ := entry(i); return k >= key })
	for ; at < x.header.Keys && len(games) < mostCompared; at++ {
		k, game := entry(at)
		if k != key {
			break
		}
		games = append(games, game)
	}
	return games, bad
}
