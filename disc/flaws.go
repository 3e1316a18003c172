package disc

import (
	"cmp"
	"fmt"
	"slices"
)

// A FlawKind says why a sector of an image may not be what the disc holds. The
// higher one is the worse.
type FlawKind uint8

// The kinds of flaws.
const (
	// Unproven: the drive reported no error, but nothing else vouches for a
	// sector that should have been proven.
	Unproven FlawKind = iota + 1
	// ReadWithErrors: the drive reported errors, and these are the bytes it gave.
	ReadWithErrors
	// Unread: the sector was never read. What stands in its place is filler.
	Unread
)

func (k FlawKind) String() string {
	switch k {
	case Unproven:
		return "unproven"
	case ReadWithErrors:
		return "read with errors"
	case Unread:
		return "unread"
	}
	return fmt.Sprintf("FlawKind(%d)", uint8(k))
}

// A Flaw is a run of sectors with the same kind of flaw.
type Flaw struct {
	First LBA
	Count int
	Kind  FlawKind
}

// End returns the address after the last sector.
func (f Flaw) End() LBA { return f.First + LBA(f.Count) }

// Flaws are the flaws of an image, sorted by address. They do not overlap, and
// neighbours of the same kind are one. The zero value has none. Methods return
// new lists and leave their operands as they are.
type Flaws []Flaw

// FlawsOf makes a list of flaws in any order; where they overlap, the worse counts.
// Those of no sectors are left out.
func FlawsOf(all ...Flaw) Flaws {
	return Flaws(nil).Union(all)
}

// Union returns the flaws of both; where they overlap, the worse counts. The
// flaws of other may stand in any order.
func (f Flaws) Union(other Flaws) Flaws {
	var edges []LBA
	var all []Flaw
	for _, list := range []Flaws{f, other} {
		for _, x := range list {
			if x.Count > 0 {
				all = append(all, x)
				edges = append(edges, x.First, x.End())
			}
		}
	}
	slices.Sort(edges)
	edges = slices.Compact(edges)
	slices.SortFunc(all, func(a, b Flaw) int { return cmp.Compare(a.First, b.First) })
	var out Flaws
	var open []Flaw // those that may reach past the current edge
	for i := range max(0, len(edges)-1) {
		from, to := edges[i], edges[i+1]
		for len(all) > 0 && all[0].First <= from {
			open = append(open, all[0])
			all = all[1:]
		}
		open = slices.DeleteFunc(open, func(x Flaw) bool { return x.End() <= from })
		var worst FlawKind
		for _, x := range open {
			worst = max(worst, x.Kind)
		}
		if worst > 0 {
			out = out.push(Flaw{from, int(to - from), worst})
		}
	}
	return out
}

// push appends a flaw that lies behind all others.
func (f Flaws) push(x Flaw) Flaws {
	if k := len(f) - 1; k >= 0 && f[k].End() == x.First && f[k].Kind == x.Kind {
		f[k].Count += x.Count
		return f
	}
	return append(f, x)
}

// Clip returns the flaws of the sectors [first, end).
func (f Flaws) Clip(first, end LBA) Flaws {
	var out Flaws
	for _, x := range f[f.from(first):] {
		if x.First >= end {
			break
		}
		from := max(x.First, first)
		out = append(out, Flaw{from, int(min(x.End(), end) - from), x.Kind})
	}
	return out
}

// Without returns the flaws of all sectors but [first, end).
func (f Flaws) Without(first, end LBA) Flaws {
	if first >= end {
		return slices.Clone(f)
	}
	return append(f.Clip(-MaxLBA, first), f.Clip(end, 2*MaxLBA)...)
}

// Shift returns the flaws with by added to their addresses.
func (f Flaws) Shift(by LBA) Flaws {
	out := slices.Clone(f)
	for i := range out {
		out[i].First += by
	}
	return out
}

// At returns the flaw of a sector, and false for one that has none.
func (f Flaws) At(a LBA) (FlawKind, bool) {
	if i := f.from(a); i < len(f) && f[i].First <= a {
		return f[i].Kind, true
	}
	return 0, false
}

// Contains reports whether a sector has a flaw.
func (f Flaws) Contains(a LBA) bool {
	_, ok := f.At(a)
	return ok
}

// Sectors returns the number of sectors with flaws.
func (f Flaws) Sectors() int {
	n := 0
	for _, x := range f {
		n += x.Count
	}
	return n
}

// from returns the index of the first flaw that ends behind a.
func (f Flaws) from(a LBA) int {
	i, _ := slices.BinarySearchFunc(f, a, func(x Flaw, a LBA) int { return cmp.Compare(x.End(), a+1) })
	return i
}
