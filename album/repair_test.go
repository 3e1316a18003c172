package album

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"testing"

	"spindle/check"
	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/disc/ctdb"
	"spindle/disc/discid"
	"spindle/internal/testdisc"
)

// A repairDisc is a disc of two songs that CTDB has.
type repairDisc struct {
	l     *disc.Layout
	audio []byte
}

const repairLength = 240

func newRepairDisc(audio []byte) *repairDisc {
	return &repairDisc{audio: audio, l: &disc.Layout{Sessions: []disc.Session{{LeadOut: repairLength, Tracks: []disc.Track{
		{Number: 1, End: 100}, {Number: 2, Start: 100, End: repairLength}}}}}}
}

func (d *repairDisc) read(_ context.Context, p []byte, first disc.LBA) error {
	copy(p, d.audio[int(first)*cdsector.Size:])
	return nil
}

// entry is what CTDB has of it, submitted by two people, with parity of 8 words.
func (d *repairDisc) entry(t *testing.T) (ctdb.Entry, *ctdb.Parity) {
	t.Helper()
	x := check.NewProof(d.l)
	if err := x.Take(0, d.audio); err != nil {
		t.Fatal(err)
	}
	parity := x.CTDB.Parity(8)
	var column []byte
	for i := range 8 {
		column = append(column, parity[i*len(parity)/8:][:2]...)
	}
	sums := x.CTDB.Sums()
	text := fmt.Sprintf("<ctdb><entry id=\"1\" confidence=\"2\" crc32=\"%08x\" trackcrcs=\"%08x %08x\" toc=\"%s\" syndrome=\"%s\"/></ctdb>",
		sums.Disc, sums.Tracks[0], sums.Tracks[1], discid.TOCOf(d.l), base64.StdEncoding.EncodeToString(column))
	entries, err := ctdb.ParseResponse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	p, err := ctdb.ParseParity(parity)
	if err != nil {
		t.Fatal(err)
	}
	return entries[0], p
}

// What is within reach is repaired, to the nearest of several entries. What contradicts a proof, what one person
// submitted, and what is beyond reach, is not.
func TestRepair(t *testing.T) {
	whole := testdisc.NetRandom(21, repairLength*cdsector.Size)
	other := bytes.Clone(whole) // another version, which differs in 20 samples
	for i := range 20 {
		other[50*cdsector.Size+4*i] ^= 1
	}
	damage := func(first, n int) func([]byte) []Suspect {
		return func(b []byte) (all []Suspect) {
			clear(b[first*cdsector.Size:][:n*cdsector.Size])
			for i := range n {
				all = append(all, Suspect{disc.LBA(first + i), 0, discid.SectorSamples})
			}
			return all
		}
	}
	silent := func(at int) func([]byte) []Suspect { // nobody suspects it
		return func(b []byte) []Suspect { b[at*cdsector.Size+500] ^= 7; return nil }
	}
	e, p := newRepairDisc(whole).entry(t)
	far, q := newRepairDisc(other).entry(t)
	for _, test := range []struct {
		name         string
		damage       func([]byte) []Suspect
		proven       []Run
		own, another int // confidence
		shift        int
		inPlace      bool
		changed      int
		ok           bool
	}{
		{name: "nothing", damage: func([]byte) []Suspect { return nil }, own: 2, ok: true},
		{name: "40 sectors", damage: damage(40, 40), own: 2, changed: 40, ok: true},
		{name: "80 sectors", damage: damage(40, 80), own: 2, changed: 80, ok: true},
		{name: "81 sectors", damage: damage(40, 81), own: 2},
		{name: "moved", damage: damage(40, 60), own: 2, shift: 30, changed: 60, ok: true},
		{name: "moved, at the edge of what is covered", damage: damage(10, 2), own: 2, shift: 30},
		{name: "moved, by a drive that jitters", damage: damage(40, 2), own: 2, shift: 30, inPlace: true},
		{name: "unsuspected", damage: silent(60), own: 2, changed: 1, ok: true},
		{name: "of one person", damage: silent(60), own: 1},
		{name: "of nobody", damage: silent(60), own: 0},
		{name: "proven to be right", damage: silent(60), own: 2, proven: []Run{{60, 61}}},
		{name: "another is proven", damage: silent(60), own: 2, proven: []Run{{61, 100}}, changed: 1, ok: true},
		{name: "the nearest, and not that of the most", damage: silent(60), own: 2, another: 90, changed: 1, ok: true},
		{name: "the edge, which has no parity", damage: silent(5), own: 2, ok: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			truth := bytes.Clone(whole)
			d := newRepairDisc(bytes.Clone(whole))
			e, far := e, far
			e.Confidence, far.Confidence = test.own, test.another
			db := Databases{CTDB: []ctdb.Entry{e, far}, InPlace: test.inPlace}
			if test.shift > 0 {
				copy(truth[4*test.shift:], whole)
				copy(d.audio, truth)
			}
			x := Damaged{Layout: d.l, Read: d.read, Suspects: test.damage(d.audio), Proven: test.proven}
			fix, err := db.Repair(t.Context(), x, func(context.Context, []*ctdb.Entry) ([]*ctdb.Parity, error) {
				return []*ctdb.Parity{q, p}, nil
			})
			if err != nil || (fix != nil) != test.ok || fix != nil && len(fix.Changed) != test.changed {
				t.Fatalf("%v, %+v", err, fix)
			}
			if fix == nil {
				return
			}
			for at := disc.LBA(0); at < repairLength; at += 16 {
				fix.Apply(at, d.audio[int(at)*cdsector.Size:][:16*cdsector.Size])
			}
			for _, r := range fix.Right {
				if i, end := int(r.First)*cdsector.Size, int(r.End)*cdsector.Size; !bytes.Equal(d.audio[i:end], truth[i:end]) {
					t.Errorf("%+v is not right", r)
				}
			}
			proofs, err := db.Proven(t.Context(), d.l, d.read)
			if err != nil || len(proofs) != 2 {
				t.Errorf("proven afterwards: %v, %v", proofs, err)
			}
		})
	}
}

// Where nothing speaks against what was read, a few sectors of a disc whose other tracks are those of CTDB are repaired. What differs
// otherwise may be another edition, and stays.
func TestOtherVersionStays(t *testing.T) {
	whole := testdisc.NetRandom(21, repairLength*cdsector.Size)
	e, p := newRepairDisc(whole).entry(t)
	bare := e
	bare.TrackCRCs = nil
	run := func(first, n int) (all []int) {
		for i := range n {
			all = append(all, first+i)
		}
		return all
	}
	for name, test := range map[string]struct {
		entry    ctdb.Entry
		sectors  []int
		suspects []Suspect
		tracks   []TrackDifference // nil: repaired
	}{
		"one sector":                 {e, run(60, 1), nil, nil},
		"16 sectors":                 {e, run(60, 16), nil, nil},
		"17 sectors":                 {e, run(60, 17), nil, []TrackDifference{{1, 17}}},
		"both tracks":                {e, []int{60, 150}, nil, []TrackDifference{{1, 1}, {2, 1}}},
		"both, with a sign of error": {e, []int{60, 150}, []Suspect{{60, 0, discid.SectorSamples}}, nil},
		"of tracks nothing is known": {bare, run(60, 1), nil, []TrackDifference{{1, 1}}},
	} {
		d := newRepairDisc(bytes.Clone(whole))
		for _, s := range test.sectors {
			d.audio[s*cdsector.Size+500] ^= 7
		}
		db := Databases{CTDB: []ctdb.Entry{test.entry}}
		fix, err := db.Repair(t.Context(), Damaged{Layout: d.l, Read: d.read, Suspects: test.suspects}, func(context.Context, []*ctdb.Entry) ([]*ctdb.Parity, error) {
			return []*ctdb.Parity{p}, nil
		})
		var other *VersionError
		if errors.As(err, &other) != (test.tracks != nil) || other == nil && (err != nil || fix == nil || len(fix.Changed) != len(test.sectors)) {
			t.Errorf("%s: %v, %+v", name, err, fix)
		}
		if other != nil && (!slices.Equal(other.Tracks, test.tracks) || other.Confidence != 2) {
			t.Errorf("%s: %+v", name, other)
		}
	}
}

// What somebody else has read in the same way, without a sign of error, may be another pressing: it is not changed into one that
// more people have.
func TestOtherPressingStays(t *testing.T) {
	whole := testdisc.NetRandom(21, repairLength*cdsector.Size)
	e, p := newRepairDisc(whole).entry(t)
	d := newRepairDisc(bytes.Clone(whole))
	d.audio[60*cdsector.Size+500] ^= 7
	same, _ := d.entry(t)
	same.Confidence = 1
	for _, test := range []struct {
		entries  []ctdb.Entry
		suspects []Suspect
		changed  bool
	}{
		{[]ctdb.Entry{e}, nil, true},
		{[]ctdb.Entry{e, same}, nil, false},
		{[]ctdb.Entry{e, same}, []Suspect{{60, 0, discid.SectorSamples}}, true},
	} {
		db := Databases{CTDB: test.entries}
		fix, err := db.Repair(t.Context(), Damaged{Layout: d.l, Read: d.read, Suspects: test.suspects}, func(context.Context, []*ctdb.Entry) ([]*ctdb.Parity, error) {
			return []*ctdb.Parity{p}, nil
		})
		if err != nil || (fix != nil && len(fix.Changed) > 0) != test.changed {
			t.Errorf("%+v: %v, %+v", test, err, fix)
		}
	}
}
