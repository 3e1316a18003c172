package main

import (
	"cmp"
	"context"
	"path/filepath"
	"slices"

	"spindle/disc/ctdb"
	"spindle/lookup"
)

// askDatabases asks AccurateRip and CTDB for what was not given and does not lie beside the image.
func (v *verification) askDatabases(ctx context.Context) error {
	if !v.o.lookup {
		return nil
	}
	var questions []question
	if v.o.accurateRip == "" {
		questions = append(questions, askAccurateRip(v.ids))
	}
	if len(v.o.ctdb) == 0 {
		questions = append(questions, askCTDB(v.ids, v.img.Layout()))
	}
	return v.fetch(ctx, questions)
}

// mostParity is for how many entries, those of the most people first, parity is fetched.
const mostParity = 3

// askParity asks for the parity of a damaged image that is to be repaired.
func (v *verification) askParity(ctx context.Context) error {
	if !v.o.lookup || v.o.repair == "" || v.CTDB.Same && len(v.img.Flaws()) == 0 {
		return nil
	}
	matches := slices.Clone(v.matches)
	slices.SortStableFunc(matches, func(a, b ctdb.Match) int { return cmp.Compare(b.Entry.Confidence, a.Entry.Confidence) })
	var questions []question
	var files []string
	for _, m := range matches {
		e := m.Entry
		has := slices.ContainsFunc(v.parities, func(p *ctdb.Parity) bool { return p.Of(e) })
		name := parityFile(e)
		if has || name == "" || e.ParityURL == "" || isThere(name, filepath.Dir(v.Image)) || len(questions) == mostParity {
			continue
		}
		files = append(files, name)
		questions = append(questions, question{"CTDB", name, "CTDB has no parity of this disc", func(ctx context.Context, c *lookup.Client) ([]byte, error) {
			return c.Parity(ctx, e)
		}})
	}
	if err := v.fetch(ctx, questions); err != nil {
		return err
	}
	for _, name := range files {
		if err := v.readParityFile(name); err != nil {
			return err
		}
	}
	return nil
}

// fetch asks for what does not lie beside the image, and keeps the answers there.
func (v *verification) fetch(ctx context.Context, questions []question) error {
	dir := filepath.Dir(v.Image)
	questions = slices.DeleteFunc(questions, func(q question) bool { return isThere(q.file, dir) })
	for i, b := range v.a.lookUp(ctx, questions) {
		if name := questions[i].file; b != nil && v.a.keepAnswer(dir, name, b) == "" {
			if v.unkept == nil {
				v.unkept = make(map[string][]byte)
			}
			v.unkept[name] = b
		}
	}
	return ctx.Err()
}

// parityFile is the name of the file of an entry's parity, or "".
func parityFile(e *ctdb.Entry) string {
	if e.ID == "" || filepath.Base(e.ID) != e.ID || len(e.ID) > 32 {
		return ""
	}
	return "ctdb-" + e.ID + ".parity"
}
