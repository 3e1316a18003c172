// Package known is what is known of models of drives before they are tried: from a
// table that comes with the program, from a file of the user's, from AccurateRip's list
// of read offsets, and from what [spindle/drive/trial] found out on this machine.
//
// A fact orders and shortens trials. It never replaces a check that keeps what is read
// or written right: that C2 is known to work does not mean that it is not dropped when
// it fails.
package known

import "strings"

// An Origin is where a fact is from.
type Origin uint8

// The origins; the later ones count more.
const (
	Unknown     Origin = iota // there is no fact
	BuiltIn                   // the table of this package
	AccurateRip               // a DriveOffsets.bin
	Remembered                // a trial on this machine
	User                      // the user's own table
)

// A Fact is one thing that is known, or not: then From is [Unknown].
type Fact[T comparable] struct {
	Value T
	From  Origin
	// Sources are who says so, such as addresses of reports.
	Sources []string
}

// Is reports whether a fact is known and has this value.
func (f Fact[T]) Is(v T) bool { return f.From != Unknown && f.Value == v }

// or returns f, or g where that counts more.
func (f Fact[T]) or(g Fact[T]) Fact[T] {
	if g.From > f.From {
		return g
	}
	return f
}

// Facts are what is known of a drive.
type Facts struct {
	Transfer     Fact[int]  // the largest number of bytes that one command brings
	C2Bits       Fact[bool] // C2 in 294 bytes is right
	C2Block      Fact[bool] // C2 in 296 bytes is right
	C2WithSub    Fact[bool] // C2 and the sub-channel come with one command
	SubFirst     Fact[bool] // the sub-channel comes before C2
	ForcedAccess Fact[bool] // READ (12) with FUA reads the disc and not the buffer
	Cache        Fact[int]  // bytes to read elsewhere until a sector comes from the disc again
	Stream       Fact[bool] // accurate stream: reads of audio begin where they should
	Offset       Fact[int]  // read offset correction of audio, in samples
}

// merge takes from g each fact that counts more.
func (f *Facts) merge(g Facts) {
	f.Transfer = f.Transfer.or(g.Transfer)
	f.C2Bits = f.C2Bits.or(g.C2Bits)
	f.C2Block = f.C2Block.or(g.C2Block)
	f.C2WithSub = f.C2WithSub.or(g.C2WithSub)
	f.SubFirst = f.SubFirst.or(g.SubFirst)
	f.ForcedAccess = f.ForcedAccess.or(g.ForcedAccess)
	f.Cache = f.Cache.or(g.Cache)
	f.Stream = f.Stream.or(g.Stream)
	f.Offset = f.Offset.or(g.Offset)
}

// An ID is a model of drive and its firmware, as INQUIRY states them.
type ID struct {
	Vendor, Product, Revision string
	// Variant sets simulated drives apart that state the same; empty for real ones.
	Variant string
}

// squeeze makes names comparable: drives pad them with blanks, and write some with and
// without a dash.
func squeeze(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ' || r == '-' || r == '_':
			return -1
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return r
	}, s)
}
