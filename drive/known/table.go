package known

import (
	_ "embed" // the table
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"spindle/internal/regular"
)

// The largest values that are believed.
const (
	mostFile      = 1 << 20  // bytes of a file
	leastTransfer = 16 << 10 // the least that is tried
	mostTransfer  = 16 << 20
	mostCache     = 256 << 20
	mostOffset    = 5880 // samples, ten sectors
)

// tableVersion is that of the files.
const tableVersion = 1

// ErrFile is what errors wrap about files that are not what they should be.
var ErrFile = errors.New("not a file of known drives")

// errNewer: a file is of a version that is not known yet, and not to be replaced.
var errNewer = fmt.Errorf("%w: a newer version of the program wrote it", ErrFile)

// A table is a file of known drives: the one that comes with the program, the user's
// own, and with one drive, what is remembered.
type table struct {
	Version int `json:"version"`
	// Replace: the built-in table does not count.
	Replace bool    `json:"replace,omitempty"`
	Drives  []entry `json:"drives"`
}

// An entry is what is known of one model. Of several that match a drive, the last that
// states a fact counts.
type entry struct {
	Vendor string `json:"vendor"`
	// Product is as INQUIRY states it; with * before it, what its end has to be.
	Product string `json:"product"`
	// Revision is a firmware; empty: any.
	Revision string `json:"revision,omitempty"`
	// Variant is that of the [ID], in what is remembered.
	Variant string `json:"variant,omitempty"`

	Transfer     *int  `json:"largest_transfer,omitempty"`
	C2Bits       *bool `json:"c2_294,omitempty"`
	C2Block      *bool `json:"c2_296,omitempty"`
	C2WithSub    *bool `json:"c2_with_subchannel,omitempty"`
	SubFirst     *bool `json:"subchannel_before_c2,omitempty"`
	ForcedAccess *bool `json:"fua,omitempty"`
	Cache        *int  `json:"cache,omitempty"`
	Stream       *bool `json:"accurate_stream,omitempty"`
	Offset       *int  `json:"offset,omitempty"`

	// Seen is what discs say of the offset, in what is remembered.
	Seen []Sighting `json:"offset_seen,omitempty"`

	Sources []string `json:"sources,omitempty"`
}

//go:embed drives.json
var builtInFile string

var builtIn = sync.OnceValues(func() (*table, error) { return decode(strings.NewReader(builtInFile)) })

// decode reads a table and checks all that it states.
func decode(r io.Reader) (*table, error) {
	b, err := io.ReadAll(io.LimitReader(r, mostFile+1))
	if err != nil {
		return nil, err
	}
	if len(b) > mostFile {
		return nil, fmt.Errorf("%w: it has more than %d bytes", ErrFile, mostFile)
	}
	var version struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal(b, &version); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFile, err)
	}
	if version.Version > tableVersion {
		return nil, fmt.Errorf("%w: its version is %d, not %d", errNewer, version.Version, tableVersion)
	}
	if version.Version != tableVersion {
		return nil, fmt.Errorf("%w: its version is %d, not %d", ErrFile, version.Version, tableVersion)
	}
	t := new(table)
	d := json.NewDecoder(strings.NewReader(string(b)))
	d.DisallowUnknownFields()
	if err := d.Decode(t); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFile, err)
	}
	for i := range t.Drives {
		if err := t.Drives[i].check(); err != nil {
			return nil, fmt.Errorf("%w: drive %d: %w", ErrFile, i+1, err)
		}
	}
	return t, nil
}

// check refuses what no drive can be.
func (e *entry) check() error {
	if squeeze(e.Vendor+e.Product) == "" {
		return errors.New("it has no name")
	}
	for _, n := range [...]struct {
		name        string
		value       *int
		least, most int
	}{
		{"largest_transfer", e.Transfer, leastTransfer, mostTransfer},
		{"cache", e.Cache, 0, mostCache},
		{"offset", e.Offset, -mostOffset, mostOffset},
	} {
		if n.value != nil && (*n.value < n.least || *n.value > n.most) {
			return fmt.Errorf("%s is %d, not %d to %d", n.name, *n.value, n.least, n.most)
		}
	}
	for _, s := range e.Seen {
		if s.Samples < -mostOffset || s.Samples > mostOffset || s.Disc == "" {
			return fmt.Errorf("offset_seen has a disc %q at %d samples", s.Disc, s.Samples)
		}
	}
	return nil
}

// of reports whether an entry is of a drive.
func (e *entry) of(id ID) bool {
	product, end := strings.CutPrefix(e.Product, "*")
	same := squeeze(product) == squeeze(id.Product) || end && strings.HasSuffix(squeeze(id.Product), squeeze(product))
	return same && squeeze(e.Vendor) == squeeze(id.Vendor) && (e.Revision == "" || squeeze(e.Revision) == squeeze(id.Revision))
}

// facts are what an entry states.
func (e *entry) facts(from Origin) Facts {
	return Facts{
		Transfer: fact(e.Transfer, from, e.Sources), C2Bits: fact(e.C2Bits, from, e.Sources),
		C2Block: fact(e.C2Block, from, e.Sources), C2WithSub: fact(e.C2WithSub, from, e.Sources),
		SubFirst: fact(e.SubFirst, from, e.Sources), ForcedAccess: fact(e.ForcedAccess, from, e.Sources),
		Cache: fact(e.Cache, from, e.Sources), Stream: fact(e.Stream, from, e.Sources), Offset: fact(e.Offset, from, e.Sources),
	}
}

func fact[T comparable](v *T, from Origin, sources []string) Fact[T] {
	if v == nil {
		return Fact[T]{}
	}
	return Fact[T]{Value: *v, From: from, Sources: sources}
}

// stated is the other way round.
func stated[T comparable](f Fact[T]) *T {
	if f.From == Unknown {
		return nil
	}
	return &f.Value
}

// find returns what a table states of a drive.
func (t *table) find(id ID, from Origin) Facts {
	var all Facts
	for i := len(t.Drives) - 1; i >= 0; i-- {
		if e := &t.Drives[i]; e.of(id) {
			all.merge(e.facts(from))
		}
	}
	return all
}

// readTable reads a table from a file.
func readTable(path string) (*table, error) {
	f, err := regular.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	t, err := decode(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return t, nil
}
