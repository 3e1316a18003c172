package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"spindle/album"
	"spindle/disc"
	"spindle/disc/accuraterip"
	"spindle/disc/ctdb"
	"spindle/disc/discid"
	"spindle/drive"
	"spindle/lookup"
	"spindle/rip"
)

// evidence is what databases say of a disc whose songs are made, and the files that say so.
type evidence struct {
	album.Databases
	evidenceFiles
	release  *album.Release // nil: not known
	parities []*ctdb.Parity
	sought   []string // files of parity
	dirs     []string // where evidence is sought

	o       *albumFlags
	layout  *disc.Layout
	ids     discid.IDs
	version *album.VersionError // which of the disc CTDB has, if the rip is another
	none    bool                // no database knows such a disc
}

// evidence begins to collect what databases say of a disc.
func (o *albumFlags) evidence(a *app, l *disc.Layout) *evidence {
	e := &evidence{evidenceFiles: evidenceFiles{a: a, lookup: o.lookup}, o: o, layout: l}
	var err error
	e.ids, err = discid.Of(l)
	e.none = err != nil
	return e
}

// nameBy takes what MusicBrainz has of the disc from the folders, or asks.
func (e *evidence) nameBy(ctx context.Context, dirs ...string) error {
	if e.none {
		return nil
	}
	err := e.seek(ctx, dirs, source{askMusicBrainz(e.ids), "", album.MaxRelease, func(_ string, b []byte) (err error) {
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
	if e.none {
		return nil
	}
	e.dirs = dirs
	sources := []source{
		{askAccurateRip(e.ids), e.o.accurateRip, accuraterip.MaxResponse, func(_ string, b []byte) (err error) {
			e.AccurateRip, err = accuraterip.Parse(b, e.ids.AccurateRip)
			return err
		}},
	}
	for _, given := range e.o.ctdb {
		sources = append(sources, source{askCTDB(e.ids, e.layout), given, ctdb.MaxResponse, e.takeGiven})
	}
	if len(e.o.ctdb) == 0 {
		sources = append(sources, source{askCTDB(e.ids, e.layout), "", ctdb.MaxResponse, e.takeCTDB})
	}
	if err := e.seek(ctx, dirs, sources...); err != nil {
		return err
	}
	if len(e.parities) > 0 && e.CTDB == nil {
		return errParityAlone
	}
	return nil
}

func (e *evidence) takeCTDB(_ string, b []byte) (err error) {
	e.CTDB, err = ctdb.ParseResponse(b)
	return err
}

// takeGiven takes a file of --ctdb by its content.
func (e *evidence) takeGiven(path string, b []byte) error {
	if isParity(b) {
		return e.takeParity(path, b)
	}
	return e.takeCTDB(path, b)
}

func (e *evidence) takeParity(_ string, b []byte) error {
	p, err := ctdb.ParseParity(b)
	if err == nil {
		e.parities = append(e.parities, p)
	}
	return err
}

// parity takes the parity of entries from files, or asks for it.
func (e *evidence) parity(ctx context.Context, entries []*ctdb.Entry) ([]*ctdb.Parity, error) {
	var sources []source
	for _, x := range entries {
		s := parityOf(x, e.takeParity)
		if s.file == "" || slices.ContainsFunc(e.parities, func(p *ctdb.Parity) bool { return p.Of(x) }) || slices.Contains(e.sought, s.file) {
			continue
		}
		if e.sought = append(e.sought, s.file); x.ParityURL != "" {
			s.ask = func(ctx context.Context, c *lookup.Client) ([]byte, error) { return c.Parity(ctx, x) }
		}
		sources = append(sources, s)
	}
	err := e.seek(ctx, e.dirs, sources...)
	e.keep(e.dirs[0])
	return e.parities, err
}

// repair asks CTDB's parity for what makes audio right.
func (e *evidence) repair(ctx context.Context, r *rip.Reading) (*rip.Repair, error) {
	x := album.Damaged{Layout: r.Layout, Read: r.ReadSectors}
	for _, s := range r.Suspects() {
		x.Suspects = append(x.Suspects, album.Suspect(s))
	}
	for _, s := range r.Proven() {
		x.Proven = append(x.Proven, album.Run(s))
	}
	e.InPlace = r.Jitters()
	e.version = nil
	fix, err := e.Repair(ctx, x, e.parity)
	if errors.As(err, &e.version) {
		return nil, nil
	}
	if err != nil || fix == nil {
		return nil, err
	}
	out := &rip.Repair{Changed: fix.Changed, Apply: fix.Apply}
	for _, s := range fix.Right {
		out.Right = append(out.Right, drive.Stretch(s))
	}
	return out, nil
}

// versionText says which other version of a disc CTDB has.
func versionText(e *album.VersionError) string {
	var all []string
	for _, t := range e.Tracks {
		all = append(all, fmt.Sprintf("%s of track %d", plural(t.Samples, "sample"), t.Number))
	}
	return fmt.Sprintf("%s (confidence %d)", strings.Join(all, ", "), e.Confidence)
}

// settle decides on samples of audio that never came twice the same.
func (e *evidence) settle(ctx context.Context, r *rip.Reading, open []rip.OpenSample) ([]rip.Choice, error) {
	doubts := make([]album.Doubt, len(open))
	for i, x := range open {
		doubts[i] = album.Doubt(x)
	}
	values, err := e.Settle(ctx, r.Layout, r.ReadSectors, r.Bad, doubts)
	if err != nil {
		return nil, err
	}
	choices := make([]rip.Choice, len(values))
	for i, v := range values {
		choices[i] = map[int]rip.Choice{-1: rip.Undecided, 0: rip.FirstValue, 1: rip.SecondValue}[v]
	}
	return choices, nil
}
