package main

import (
	"context"
	"errors"
	"path/filepath"

	"spindle/internal/packed"
	"spindle/internal/printable"
)

// ownSum is how the checksums came out that a file states of what it holds.
type ownSum struct {
	File  string `json:"file"`
	Name  string `json:"name"`
	Right bool   `json:"right"`

	why string
}

// ownSums compares what the files of the image hold with the checksums that they state.
func (v *verification) ownSums(ctx context.Context) error {
	for _, l := range v.found.layers {
		if l.Check == nil {
			continue
		}
		err := l.Check(ctx, v.bar.step("checking the "+l.Sums+" in "+filepath.Base(l.File)))
		v.bar.stop()
		if err != nil && !errors.Is(err, packed.ErrDamaged) {
			return err
		}
		s := ownSum{File: l.File, Name: l.Sums, Right: err == nil}
		if err != nil {
			s.why = err.Error()
			v.wrong()
		}
		v.judged = true
		v.Own = append(v.Own, s)
	}
	return nil
}

// reportOwn says how these checksums came out.
func (r *verifyResult) reportOwn(p *page) {
	for _, s := range r.Own {
		of := "checksum in " + printable.Line(filepath.Base(s.File)) + " (" + s.Name + "):"
		if s.Right {
			p.line("%s correct", of)
			continue
		}
		p.line("%s %s", of, p.red("wrong"))
		p.text("%s", printable.Line(s.why))
	}
}
