package main

import (
	"cmp"
	"context"
	"path/filepath"
	"slices"

	"spindle/disc/ctdb"
	"spindle/lookup"
)

// mostParity is for how many entries, those of the most people first, parity is fetched.
const mostParity = 3

// askParity asks for the parity of a damaged image that is to be repaired.
func (v *verification) askParity(ctx context.Context) error {
	if !v.o.lookup || v.o.repair == "" || v.CTDB.Same && len(v.img.Flaws()) == 0 {
		return nil
	}
	matches := slices.Clone(v.matches)
	slices.SortStableFunc(matches, func(a, b ctdb.Match) int { return cmp.Compare(b.Entry.Confidence, a.Entry.Confidence) })
	var sources []source
	for _, m := range matches {
		e := m.Entry
		has := slices.ContainsFunc(v.parities, func(p *ctdb.Parity) bool { return p.Of(e) })
		s := parityOf(e, v.takeParity)
		if has || s.file == "" || e.ParityURL == "" || len(sources) == mostParity {
			continue
		}
		s.ask = func(ctx context.Context, c *lookup.Client) ([]byte, error) { return c.Parity(ctx, e) }
		sources = append(sources, s)
	}
	return v.seek(ctx, sources...)
}

// seekParity takes the parity of entries from the files beside the image.
func (v *verification) seekParity(ctx context.Context) error {
	var sources []source
	for i := range v.entries {
		if s := parityOf(&v.entries[i], v.takeParity); s.file != "" {
			sources = append(sources, s)
		}
	}
	return v.seek(ctx, sources...)
}

// parityOf is where the parity of an entry comes from; its file is "" where it has no name.
func parityOf(e *ctdb.Entry, take func(string, []byte) error) source {
	return source{question{"CTDB", parityFile(e), "CTDB has no parity of this disc", nil}, "", ctdb.MaxParitySize, take}
}

// parityFile is the name of the file of an entry's parity, or "".
func parityFile(e *ctdb.Entry) string {
	if e.ID == "" || filepath.Base(e.ID) != e.ID || len(e.ID) > 32 {
		return ""
	}
	return "ctdb-" + e.ID + ".parity"
}
