package ctdb

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"
)

// A Run is a run of samples of the stream.
type Run struct{ First, End int64 }

// A Patch is what makes a damaged disc that of an entry, but for its edges, which the database
// does not cover.
type Patch struct {
	Offset  int // see [Match]
	Changes []Change
}

// A Change is a word that is wrong: the first word of sample n is word 2n.
type Change struct {
	Word int64
	XOR  uint16 // what it differs by
}

// The errors of [Meter.Repair].
var (
	ErrOther  = errors.New("this parity is of another disc")
	ErrBeyond = errors.New("more damage than parity can repair")
)

// Repair finds what is wrong with the disc compared with the entry of a match. suspicions are samples that
// may be wrong, tried in turn, the likeliest first: twice as much can be repaired where it is known where the damage is.
// Last it is tried without any. The patch is returned only if the disc has the CRC of the entry with it. The error
// wraps [ErrOther] or [ErrBeyond], or is that of ctx.
func (m *Meter) Repair(ctx context.Context, x Match, p *Parity, suspicions ...[]Run) (patch *Patch, err error) {
	if len(x.Entry.syndrome) > 0 && !p.Of(x.Entry) {
		return nil, ErrOther
	}
	suspicions = slices.DeleteFunc(slices.Clone(suspicions), func(bad []Run) bool { return len(bad) == 0 })
	for _, bad := range append(suspicions, nil) {
		patch, err = (&repair{m, x.Entry.CRC, p, m.suspect(bad, p.rows)}).run(ctx, x)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err == nil {
			return patch, nil
		}
	}
	return nil, err
}

// run repairs at the offset of a match, or at the likely ones.
func (r *repair) run(ctx context.Context, x Match) (*Patch, error) {
	if x.Found {
		return r.at(ctx, x.Offset)
	}
	for i := range 2*MaxOffset + 1 {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if o := nearest(i); o == x.guess || r.likely(o) {
			if patch, err := r.at(ctx, o); err == nil {
				return patch, nil
			}
		}
	}
	return nil, fmt.Errorf("%w, or there is %w", ErrOther, ErrBeyond)
}

// repair is one run of Repair.
type repair struct {
	*Meter
	crc uint32
	p   *Parity
	bad suspects
}

// samples is in how many columns an offset has to lead to something to be tried in all.
const samples = 64

// likely reports whether some columns can be decoded at an offset. Where so many words are known to be bad
// that no parity is left to tell, only offset 0 is likely.
func (r *repair) likely(o int) bool {
	d := decoder{rows: r.rows}
	decodes := false
	for i := range samples {
		c := i * columns / samples
		if r.p.rows-len(r.erased(c, o)) < 2 {
			continue
		}
		decodes = true
		if _, ok := r.decode(&d, c, o); !ok {
			return false
		}
	}
	return decodes || o == 0
}

// at repairs at an offset.
func (r *repair) at(ctx context.Context, o int) (*Patch, error) {
	changes, failed := r.decodeAll(ctx, o)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if failed > 0 {
		return nil, fmt.Errorf("%w: %d of %d columns", ErrBeyond, failed, columns)
	}
	patch := &Patch{Offset: o, Changes: changes}
	if crc, ok := r.disc.at(int64(o)); !ok || r.crc == 0 || crc^r.difference(patch) != r.crc {
		return nil, fmt.Errorf("%w: its CRC is not that of the entry", ErrBeyond)
	}
	return patch, nil
}

// suspects are, for each column at offset 0, the rows of which words are suspected: -1 is the row before
// the first. Those of a column that has more of them than parity restores are nil.
type suspects [][]int32

// suspect sorts suspected samples into columns that have so many words of parity.
func (m *Meter) suspect(bad []Run, parity int) suspects {
	if len(bad) == 0 {
		return nil
	}
	bad = slices.SortedFunc(slices.Values(bad), func(a, b Run) int { return cmp.Compare(a.First, b.First) })
	rows := make(suspects, columns)
	most := parity + 2 // those of the rows before the first and behind the last may not count
	full := 0          // columns that have more
	next := int64(0)
	for _, b := range bad {
		next = max(next, 2*b.First) // runs may overlap
		for ; next < 2*min(b.End, m.length) && full < columns; next++ {
			c, row := next%columns, int32(next/columns-1)
			if len(rows[c]) <= most {
				if rows[c] = append(rows[c], row); len(rows[c]) > most {
					full++
				}
			}
		}
	}
	return rows
}

// erased returns the rows of a column at an offset that are suspected; none if these are more than
// parity restores.
func (r *repair) erased(c, o int) []int {
	if r.bad == nil {
		return nil
	}
	at := c + 2*o
	own := ((at % columns) + columns) % columns
	var rows []int
	for _, row := range r.bad[own] {
		if n := int(row) + (own-at)/columns; n >= 0 && n < r.rows {
			rows = append(rows, n)
		}
	}
	if len(rows) > r.p.rows {
		return nil
	}
	return rows
}

// decodeAll decodes all columns, side by side on all cores, and counts those that cannot be. It stops when ctx ends.
func (r *repair) decodeAll(ctx context.Context, o int) (changes []Change, failed int) {
	var mu sync.Mutex
	inParallel(func(first, end int) {
		d := decoder{rows: r.rows}
		var own []Change
		bad := 0
		for c := first; c < end && ctx.Err() == nil; c++ {
			errs, ok := r.decode(&d, c, o)
			if !ok {
				bad++
			}
			for _, e := range errs {
				own = append(own, Change{int64(columns)*int64(e.row+1) + int64(c) + 2*int64(o), e.value})
			}
		}
		mu.Lock()
		defer mu.Unlock()
		changes, failed = append(changes, own...), failed+bad
	})
	slices.SortFunc(changes, func(a, b Change) int { return cmp.Compare(a.Word, b.Word) })
	return changes, failed
}

// decode decodes a column: with what is known to be wrong, where it has more errors than can be found.
func (r *repair) decode(d *decoder, c, o int) ([]wrong, bool) {
	diff, stated := r.column(c, o), r.p.column(c)
	for i := range diff {
		diff[i] ^= stated[i]
		if i >= r.p.rows {
			diff[i] = 0
		}
	}
	if diff == (syndrome{}) {
		return nil, true
	}
	if _, degree := d.locate(&diff, r.p.rows, nil); 2*degree <= r.p.rows-2 { // with parity left to tell
		if errs, ok := d.decode(&diff, r.p.rows, nil); ok {
			return errs, true
		}
	}
	if erased := r.erased(c, o); len(erased) > 0 {
		if errs, ok := d.decode(&diff, r.p.rows, erased); ok {
			return errs, true
		}
	}
	return d.decode(&diff, r.p.rows, nil)
}

// difference returns by what the CRC of the disc changes with a patch.
func (m *Meter) difference(p *Patch) uint32 {
	var crc uint32
	var at int64 // the byte behind what crc counts
	for _, c := range p.Changes {
		crc = crcMul(crcShift(2*c.Word+2-at), crc) ^ crcBare(binary.LittleEndian.AppendUint16(nil, c.XOR))
		at = 2*c.Word + 2
	}
	end := 4 * (m.disc.to.place + int64(p.Offset))
	return crcMul(crcShift(end-at), crc)
}

// Apply repairs samples that begin at a place in the stream.
func (p *Patch) Apply(at int64, b []byte) {
	i, _ := slices.BinarySearchFunc(p.Changes, 2*at, func(c Change, word int64) int { return cmp.Compare(c.Word, word) })
	for _, c := range p.Changes[i:] {
		n := 2 * (c.Word - 2*at)
		if n+2 > int64(len(b)) {
			return
		}
		b[n] ^= byte(c.XOR)
		b[n+1] ^= byte(c.XOR >> 8)
	}
}
