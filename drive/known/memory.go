package known

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"spindle/internal/atomicfile"
)

// File is where what is remembered of a drive is kept. Deleting it forgets it.
func (l *Library) File(id ID) string {
	key := strings.Join([]string{squeeze(id.Vendor), squeeze(id.Product), squeeze(id.Revision), id.Variant}, "\x00")
	sum := sha256.Sum256([]byte(key))
	return filepath.Join(l.memory, fileName(id.Product+" "+id.Revision)+"-"+hex.EncodeToString(sum[:4])+".json")
}

// fileName is what every file system takes of a name that a drive states.
func fileName(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z', r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		}
		return '-'
	}, strings.Join(strings.Fields(s), "-"))
}

// Remember keeps what a trial found out on a drive. What was remembered of it before and
// is not contradicted stays. Brought is how many bytes one command brought for certain, or 0: a
// smaller limit that is remembered was that of another adapter, and is forgotten.
func (l *Library) Remember(id ID, f Facts, brought int) error {
	var seen []Sighting
	if t, err := readTable(l.File(id)); err == nil && t.only(id) {
		earlier := t.Drives[0].facts(Remembered)
		if earlier.Transfer.Value < brought {
			earlier.Transfer = Fact[int]{}
		}
		f.merge(earlier)
		seen = t.Drives[0].Seen
	}
	return l.keep(id, entry{
		Vendor: id.Vendor, Product: id.Product, Revision: id.Revision, Variant: id.Variant,
		Transfer: stated(f.Transfer), C2Bits: stated(f.C2Bits), C2Block: stated(f.C2Block), C2WithSub: stated(f.C2WithSub),
		SubFirst: stated(f.SubFirst), ForcedAccess: stated(f.ForcedAccess), Cache: stated(f.Cache), Stream: stated(f.Stream),
		Offset: stated(f.Offset), Seen: seen,
	})
}

// keep writes what is remembered of a drive, unless a newer version of the program wrote it before.
func (l *Library) keep(id ID, e entry) error {
	if err := e.check(); err != nil {
		return err
	}
	if _, err := readTable(l.File(id)); errors.Is(err, errNewer) {
		return err
	}
	if err := os.MkdirAll(l.memory, 0o777); err != nil {
		return err
	}
	b, err := json.MarshalIndent(table{Version: tableVersion, Drives: []entry{e}}, "", "\t")
	if err != nil {
		return err
	}
	return atomicfile.WriteBytes(l.File(id), append(b, '\n'))
}

// only reports whether a table is what is remembered of a drive.
func (t *table) only(id ID) bool {
	if len(t.Drives) != 1 {
		return false
	}
	e := &t.Drives[0]
	return e.of(id) && squeeze(e.Revision) == squeeze(id.Revision) && e.Variant == id.Variant
}
