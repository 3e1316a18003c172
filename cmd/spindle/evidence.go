package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"spindle/album"
	"spindle/disc"
	"spindle/disc/accuraterip"
	"spindle/disc/ctdb"
	"spindle/disc/discid"
)

// evidence is what databases say of a disc whose songs are made, and the files that say so.
type evidence struct {
	album.Databases
	release *album.Release // nil: not known
	paths   []string

	a       *app
	o       *albumFlags
	layout  *disc.Layout
	ids     discid.IDs
	none    bool     // no database knows such a disc
	answers []answer // that are not in a file yet
}

// An answer is what a database said.
type answer struct {
	name    string // of its file
	content []byte
}

// A source is where a part of the evidence comes from.
type source struct {
	question
	given string // the file that the user named
	most  int64  // bytes
	parse func([]byte) error
}

// evidence begins to collect what databases say of a disc.
func (o *albumFlags) evidence(a *app, l *disc.Layout) *evidence {
	e := &evidence{a: a, o: o, layout: l}
	var err error
	e.ids, err = discid.Of(l)
	e.none = err != nil
	return e
}

// nameBy takes what MusicBrainz has of the disc from the folders, or asks.
func (e *evidence) nameBy(ctx context.Context, dirs ...string) error {
	err := e.seek(ctx, dirs, source{askMusicBrainz(e.ids), "", album.MaxRelease, func(b []byte) (err error) {
		e.release, err = album.ParseRelease(b, e.ids.MusicBrainz, e.layout.MCN)
		return err
	}})
	if err == nil && e.release != nil {
		e.a.note(releaseText(e.release))
	}
	return err
}

// releaseText says which release of MusicBrainz names the songs.
func releaseText(r *album.Release) string {
	t := r.Tags
	what := fmt.Sprintf("%q", t.Get("ALBUM"))
	if by := t.Get("ALBUMARTIST"); by != "" {
		what += " by " + by
	}
	if about := cmp.Or(t.Get("DATE"), t.Get("BARCODE")); about != "" {
		what += " (" + about + ")"
	}
	switch {
	case r.Among == 1:
		return "The names are those of MusicBrainz: " + what + "."
	case r.ByBarcode:
		return fmt.Sprintf("MusicBrainz has %d releases of this disc. The names are those of the one with its catalogue number: %s.", r.Among, what)
	}
	return fmt.Sprintf("MusicBrainz has %d releases of this disc. The names are those of the first: %s. --tags can give others.", r.Among, what)
}

// proveBy takes what AccurateRip and CTDB state from the files that were named, or from the
// folders, or asks.
func (e *evidence) proveBy(ctx context.Context, dirs ...string) error {
	return e.seek(ctx, dirs,
		source{askAccurateRip(e.ids), e.o.accurateRip, accuraterip.MaxResponse, func(b []byte) (err error) {
			e.AccurateRip, err = accuraterip.Parse(b, e.ids.AccurateRip)
			return err
		}},
		source{askCTDB(e.ids, e.layout), e.o.ctdb, ctdb.MaxResponse, func(b []byte) (err error) {
			e.CTDB, err = ctdb.ParseResponse(b)
			return err
		}})
}

// seek takes evidence from files, in the folders or beside them, and asks for what is in none.
func (e *evidence) seek(ctx context.Context, dirs []string, sources ...source) error {
	if e.none {
		return nil
	}
	for _, dir := range slices.Clone(dirs) {
		dirs = append(dirs, filepath.Dir(filepath.Clean(dir)))
	}
	var missing []source
	var questions []question
	for _, s := range sources {
		found, err := e.take(s, dirs)
		if err != nil {
			return err
		}
		if !found && e.o.lookup {
			missing, questions = append(missing, s), append(questions, s.question)
		}
	}
	for i, b := range e.a.lookUp(ctx, questions) {
		if b == nil {
			continue
		}
		if err := missing[i].parse(b); err != nil {
			return err // it was read before
		}
		e.answers = append(e.answers, answer{missing[i].file, b})
	}
	return ctx.Err()
}

// take takes evidence from a file. One that is there but of no use is not replaced by asking.
func (e *evidence) take(s source, dirs []string) (found bool, err error) {
	if s.given != "" {
		b, err := readSmall(s.given, s.most)
		if err == nil {
			err = s.parse(b)
		}
		if err != nil {
			return false, fmt.Errorf("%s: %w", s.given, err)
		}
		e.paths = append(e.paths, s.given)
		return true, nil
	}
	for i, dir := range dirs {
		path := filepath.Join(dir, s.file)
		if slices.Contains(dirs[:i], dir) {
			continue
		}
		b, err := readSmall(path, s.most)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		found = true
		if err == nil {
			err = s.parse(b)
		}
		if err == nil {
			e.paths = append(e.paths, path)
			break
		}
		e.a.note(fmt.Sprintf("%s is not used: %v.", path, err) + removing(e.o.lookup))
	}
	return found, nil
}

// removing says, with --lookup, how to get another file.
func removing(lookup bool) string {
	if !lookup {
		return ""
	}
	return " Remove it, and --lookup asks again."
}

// keep keeps the answers in the folder of the songs.
func (e *evidence) keep(dir string) {
	for _, x := range e.answers {
		if path := e.a.keepAnswer(dir, x.name, x.content); path != "" {
			e.paths = append(e.paths, path)
		}
	}
	e.answers = nil
}
