package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"spindle/album"
	"spindle/check"
	"spindle/disc/accuraterip"
	"spindle/disc/ctdb"
	"spindle/disc/discid"
)

// databases are what databases of CDs say about an image: what was given, or lies beside it.
type databases struct {
	ids      discid.IDs
	proof    *check.Proof // nil: there is nothing to compare with
	response accuraterip.Response
	entries  []ctdb.Entry
	parities []*ctdb.Parity
	matches  []ctdb.Match // entries of the same tracks
	patch    *ctdb.Patch  // what makes the image that of an entry
	beyond   error        // why parity does not repair it

	files evidenceFiles
}

// ripVerdict is what AccurateRip says.
type ripVerdict struct {
	File   string     `json:"file"`
	Tracks []ripTrack `json:"tracks"`
}

type ripTrack struct {
	Track       int    `json:"track"`
	Result      string `json:"result"`
	Confidence  int    `json:"confidence"`
	Confidence2 int    `json:"confidence_v2"` // that of version 2 in it
	Total       int    `json:"total"`
	Offset      int    `json:"offset,omitempty"` // in samples
	V1          string `json:"v1"`
	V2          string `json:"v2"`
	CRC32       string `json:"crc32"`
	Stated      string `json:"stated,omitempty"` // of a track that does not match: what most people have
	Silent      bool   `json:"silent,omitempty"`
	Proven      bool   `json:"proven"`

	proof *album.Proof
}

// ctdbVerdict is what CTDB says.
type ctdbVerdict struct {
	File       string      `json:"file,omitempty"`
	Entries    int         `json:"entries"` // of the same tracks
	Same       bool        `json:"same"`    // the whole disc
	Confidence int         `json:"confidence"`
	Total      int         `json:"total"`
	Offset     int         `json:"offset,omitempty"` // in samples
	Tracks     []ctdbTrack `json:"tracks"`
	Wrong      int         `json:"wrong_words,omitempty"`   // that parity repairs
	Beyond     string      `json:"parity_cannot,omitempty"` // why it does not
	Repaired   bool        `json:"repaired,omitempty"`      // in the copy

	silent, proven bool // all of it
}

type ctdbTrack struct {
	Track      int    `json:"track"`
	CRC32      string `json:"crc32"`
	Confidence int    `json:"confidence"`
	Silent     bool   `json:"silent,omitempty"`
	Proven     bool   `json:"proven"`

	proof *album.Proof
}

// A trackProof is what the databases say of a track.
type trackProof struct {
	album.Proof
	track int
}

func (p *trackProof) proven() bool { return p.ByAccurateRip() || p.ByCTDB() }

// outcomes are the words of JSON.
var outcomes = map[accuraterip.Outcome]string{
	accuraterip.Absent: "absent", accuraterip.Silent: "silent", accuraterip.NoMatch: "no match",
	accuraterip.OtherPressing: "other pressing", accuraterip.Accurate: "accurate",
}

// evidence reads what was given, or lies beside the image, or asks for it.
func (v *verification) evidence(ctx context.Context) error {
	ids, err := discid.Of(v.img.Layout())
	if err != nil {
		if v.o.accurateRip != "" || len(v.o.ctdb) > 0 {
			return usage("--accuraterip and --ctdb are for audio CDs: %s has no audio track", v.Image)
		}
		if v.o.lookup {
			v.a.note("No database is asked: they know audio CDs only.")
		}
		return nil
	}
	v.ids = ids
	v.files = evidenceFiles{a: v.a, lookup: v.o.lookup}
	sources := []source{{askAccurateRip(ids), v.o.accurateRip, accuraterip.MaxResponse, v.takeAccurateRip}}
	for _, given := range v.o.ctdb {
		sources = append(sources, source{askCTDB(ids, v.img.Layout()), given, ctdb.MaxResponse, v.takeGiven})
	}
	if len(v.o.ctdb) == 0 {
		sources = append(sources, source{askCTDB(ids, v.img.Layout()), "", ctdb.MaxResponse, v.takeCTDB})
	}
	if err := v.seek(ctx, sources...); err != nil {
		return err
	}
	if len(v.parities) > 0 && v.CTDB == nil {
		return errParityAlone
	}
	if err := v.seekParity(ctx); err != nil {
		return err
	}
	if v.AccurateRip != nil || v.CTDB != nil {
		v.proof = check.NewProof(v.img.Layout())
	}
	return nil
}

// seek takes evidence from what was given, or lies beside the image, or asks for it and keeps it there.
func (v *verification) seek(ctx context.Context, sources ...source) error {
	dir := filepath.Dir(v.Image)
	err := v.files.seek(ctx, []string{dir}, sources...)
	v.files.keep(dir)
	return err
}

func (v *verification) takeAccurateRip(path string, b []byte) error {
	r, err := accuraterip.Parse(b, v.ids.AccurateRip)
	if err == nil {
		v.response, v.AccurateRip = r, &ripVerdict{File: path}
	}
	return err
}

func (v *verification) takeCTDB(path string, b []byte) error {
	entries, err := ctdb.ParseResponse(b)
	if err == nil {
		v.entries, v.CTDB = entries, &ctdbVerdict{File: path}
	}
	return err
}

// takeGiven takes a file of --ctdb by its content.
func (v *verification) takeGiven(path string, b []byte) error {
	if isParity(b) {
		return v.takeParity(path, b)
	}
	return v.takeCTDB(path, b)
}

// errParityAlone refuses parity without what it belongs to.
var errParityAlone = usage("parity of CTDB is of use with the response only: name that, too, with --ctdb")

// isParity reports whether a file of CTDB is parity, and no response.
func isParity(b []byte) bool {
	x := bytes.TrimLeft(b, " \t\r\n\ufeff")
	return len(x) == 0 || x[0] != '<'
}

func (v *verification) takeParity(_ string, b []byte) error {
	p, err := ctdb.ParseParity(b)
	if err == nil {
		v.parities = append(v.parities, p)
	}
	return err
}

// audio compares the tracks with the databases.
func (v *verification) audio(ctx context.Context) error {
	if v.proof == nil {
		return nil
	}
	if !v.proof.Complete() {
		return errors.New("the audio was not read to its end")
	}
	if err := v.judgeProofs(ctx); err != nil {
		return err
	}
	if v.AccurateRip != nil {
		v.judgeAccurateRip()
	}
	if v.CTDB != nil && v.proof.CTDB != nil {
		v.judgeCTDB()
		if err := v.askParity(ctx); err != nil {
			return err
		}
		if v.findPatch(ctx); ctx.Err() != nil {
			return ctx.Err()
		}
	}
	for _, s := range v.proof.Spans {
		v.judged = v.judged || v.proven(s.Track)
	}
	return nil
}

// judgeProofs compares the tracks with what the databases say, by the rules of rip.
func (v *verification) judgeProofs(ctx context.Context) (err error) {
	if v.CTDB != nil && v.proof.CTDB != nil {
		if v.matches, err = v.proof.CTDB.Judge(ctx, v.entries, v.ids.CTDB); err != nil {
			return err
		}
	}
	d := album.Databases{AccurateRip: v.response, CTDB: v.entries}
	for i, p := range d.Judge(v.proof, v.matches) {
		v.proofs = append(v.proofs, trackProof{p, v.proof.Spans[i].Track})
	}
	return nil
}

func (v *verification) judgeAccurateRip() {
	sums := v.proof.AccurateRip.Sums()
	for i, s := range sums {
		p := &v.proofs[i].Proof
		r := &p.AccurateRip
		t := ripTrack{Track: v.proof.Spans[i].Track, Result: outcomes[r.Outcome], Confidence: r.Confidence(), Confidence2: r.V2, Total: r.Total,
			Offset: r.Offset, V1: hex32(s.V1), V2: hex32(s.V2), CRC32: hex32(s.CRC32), Silent: p.Silent, Proven: p.ByAccurateRip(), proof: p}
		if r.Outcome == accuraterip.NoMatch {
			t.Stated = hex32(r.Stated)
		}
		v.AccurateRip.Tracks = append(v.AccurateRip.Tracks, t)
	}
}

func hex32(n uint32) string { return fmt.Sprintf("%08x", n) }

func (v *verification) judgeCTDB() {
	c := v.CTDB
	c.silent, c.proven = true, true
	c.Entries = len(v.matches)
	sums := v.proof.CTDB.Sums()
	for i, s := range v.proof.Spans {
		p := &v.proofs[i].Proof
		c.Tracks = append(c.Tracks, ctdbTrack{Track: s.Track, CRC32: hex32(sums.Tracks[i]), Silent: p.Silent, Proven: p.ByCTDB(), proof: p})
		c.silent, c.proven = c.silent && p.Silent, c.proven && (p.Silent || p.ByCTDB())
	}
	for _, m := range v.matches {
		c.Total += m.Entry.Confidence
		if m.Same {
			if !c.Same {
				c.Offset = m.Offset
			}
			c.Same = true
			c.Confidence += m.Entry.Confidence
		}
		for i, same := range m.Tracks {
			if same {
				c.Tracks[i].Confidence += m.Entry.Confidence
			}
		}
	}
}

// errOwn is why parity that fits is not used.
var errOwn = errors.New("only one person submitted what this parity leads to, which may have been you")

// findPatch looks for what makes a damaged image that of an entry. An image that is the same as one and
// has sectors that were not read correctly is proven by that. Neither counts by an entry that may be one's
// own submission of this very image.
func (v *verification) findPatch(ctx context.Context) {
	runs := v.proof.Runs(v.img.Flaws())
	matches := trusted(v.matches)
	same := slices.ContainsFunc(matches, func(m ctdb.Match) bool { return m.Same }) || len(matches) == 0 && v.CTDB.Same
	if same && len(runs) == 0 || len(v.parities) == 0 {
		return
	}
	for _, m := range matches {
		for _, p := range v.parities {
			if !m.Same && !p.Of(m.Entry) {
				continue
			}
			patch, err := v.proof.CTDB.Repair(ctx, m, p, runs)
			if err == nil {
				v.patch, v.beyond, v.CTDB.Wrong = patch, nil, len(patch.Changes)
				if len(patch.Changes) > 0 {
					v.wrong()
				}
				if len(runs) == 0 {
					v.version = album.OtherVersion(v.proof, &m, patch)
				}
				return
			}
			v.beyond = err
		}
	}
	switch {
	case v.beyond != nil:
	case len(matches) < len(v.matches):
		v.beyond = errOwn
	default:
		v.beyond = ctdb.ErrOther
	}
	v.CTDB.Beyond = v.beyond.Error()
}

// trusted returns the entries that more than one person submitted, those that most did first.
func trusted(matches []ctdb.Match) []ctdb.Match {
	all := slices.DeleteFunc(slices.Clone(matches), func(m ctdb.Match) bool { return m.Entry.Confidence < leastProof })
	slices.SortStableFunc(all, func(a, b ctdb.Match) int { return cmp.Compare(b.Entry.Confidence, a.Entry.Confidence) })
	return all
}

// proven reports whether a database proves a track.
func (r *verifyResult) proven(track int) bool {
	return slices.ContainsFunc(r.proofs, func(p trackProof) bool { return p.track == track && p.proven() })
}
