package main

import (
	"context"
	"errors"
	"path/filepath"
	"slices"

	"spindle/check"
	"spindle/image"
	"spindle/image/format"
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

// text says in one line how they came out.
func (s *ownSum) text() string {
	name := printable.Line(filepath.Base(s.File))
	if s.Right {
		return s.Name + " in " + name + ": correct"
	}
	return name + " does not match its own checksum (" + s.Name + ")"
}

// checkLayer compares what a file holds with the checksums that it states.
func checkLayer(ctx context.Context, bar *progress, l *format.Layer) (ownSum, error) {
	err := l.Check(ctx, bar.step("checking the "+l.Sums+" in "+filepath.Base(l.File)))
	bar.stop()
	s := ownSum{File: l.File, Name: l.Sums, Right: err == nil}
	if err != nil && !errors.Is(err, packed.ErrDamaged) {
		return s, err
	}
	if err != nil {
		s.why = err.Error()
	}
	return s, nil
}

// ownSums compares what the files of the image hold with the checksums that they state, where
// that did not come out right already while the sectors were read.
func (v *verification) ownSums(ctx context.Context) error {
	known := v.watched()
	for _, l := range v.found.layers {
		if l.Check == nil {
			continue
		}
		i := slices.IndexFunc(known, func(s ownSum) bool { return s.Right && s.File == l.File })
		if i >= 0 {
			v.Own = append(v.Own, known[i])
			continue
		}
		s, err := checkLayer(ctx, v.bar, l)
		if err != nil {
			return err
		}
		v.Own = append(v.Own, s)
	}
	for _, s := range v.Own {
		v.judged = true
		if !s.Right {
			v.wrong()
		}
	}
	v.found.notice(v.Own)
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

// implanted checks the MD5 that is implanted in the image, if one is.
func (v *verification) implanted(ctx context.Context) error {
	tracks := v.img.Layout().Tracks()
	if !tracks[0].Mode.IsData() {
		return nil
	}
	r := image.UserData(ctx, v.img, tracks[0])
	m, err := check.ReadImplanted(r)
	if err != nil {
		return nil // there is none, or the sectors where it would be are bad and reported
	}
	ok, damage, err := m.Check(ctx, r, v.bar.step("checking the implanted MD5"))
	if err != nil {
		return err
	}
	v.bar.stop()
	v.judged = true
	v.Implanted, v.damage = implantedRight, damage
	if !ok {
		v.Implanted = implantedWrong
		v.wrong()
	}
	return nil
}
