package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"spindle/check/dat"
	"spindle/internal/printable"
	"spindle/internal/regular"
)

// isDATFile reports whether --with names a DAT file, an archive of them, or a folder of them.
func isDATFile(path string) bool {
	if isDriveName(path) {
		return false
	}
	st, err := os.Stat(path)
	return dat.IsFile(path) || err == nil && st.IsDir()
}

// openDATs opens the index of DAT files, and notes which cannot be used.
func openDATs(ctx context.Context, a *app, path string) (*dat.Index, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	x, err := dat.Open(ctx, path, filepath.Join(cache, "spindle", "dat"))
	if err != nil {
		return nil, err
	}
	for _, s := range x.Sources() {
		switch {
		case s.Err != "" && s.Games > 0:
			a.note(fmt.Sprintf("%s is used up to its disc %d: %s", s.Name(), s.Games, s.Err))
		case s.Err != "":
			a.note(fmt.Sprintf("%s is not used: %s", s.Name(), s.Err))
		}
	}
	return x, nil
}

func (v *verification) withDAT(ctx context.Context) error {
	if v.o.noHashes {
		return usage("a DAT file is compared by hashes: leave out --no-hashes")
	}
	if err := v.lookUpDAT(ctx); err != nil {
		return err
	}
	v.Game, v.lookedUp = v.match.Name, true
	switch {
	case v.Game != "":
		v.DAT, v.judged = "listed", true
	case v.match.Near != "":
		v.DAT, v.judged = "near", true
		v.wrong()
	default:
		v.DAT = "unlisted"
	}
	return nil
}

// lookUpDAT looks for the image in one DAT file as it stands, or by an index of several.
func (v *verification) lookUpDAT(ctx context.Context) error {
	st, err := os.Stat(v.o.with)
	if err == nil && (st.IsDir() || strings.EqualFold(filepath.Ext(v.o.with), ".zip")) {
		x, err := openDATs(ctx, v.a, v.o.with)
		if err != nil {
			return err
		}
		defer x.Close()
		v.match, err = x.Find(v.rep.Disc())
		return err
	}
	f, err := regular.Open(v.o.with)
	if err != nil {
		return err
	}
	defer f.Close()
	if v.match, err = dat.Find(f, v.rep.Disc()); err != nil {
		return fmt.Errorf("%s: %w", v.o.with, err)
	}
	v.match.File = filepath.Base(v.o.with)
	return nil
}

// datText says what DAT files say of a disc that they list, or list nearly.
func datText(p *page, m dat.Match) string {
	name, file := printable.Line(m.Name+m.Near), printable.Line(m.File)
	if m.Near != "" {
		return fmt.Sprintf("%d of %s match %q in %s; %s", m.Tracks-len(m.Differ), plural(m.Tracks, "track"), name, file, p.red(differText(m.Differ)))
	}
	return fmt.Sprintf("%s lists it as: %s", file, name)
}
