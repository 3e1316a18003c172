package rip

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/iso"
	"spindle/scsi/mmc"
	"spindle/scsi/sim"
)

// Sectors at the end of a data track that cannot be read are run-out blocks only where
// the disc may have been written track at once, and where nothing speaks for damage.
func TestDamageIsNoRunOut(t *testing.T) {
	volume := madeVolume(t)
	v, err := iso.ReadVolume(bytes.NewReader(volume), int64(len(volume))/2048)
	if err != nil {
		t.Fatal(err)
	}
	blocks, noise := int(v.Blocks()), rand.New(rand.NewPCG(7, 7))
	single := func(behind int) *madeDisc {
		n := blocks + behind
		l := &disc.Layout{Medium: disc.CD, Sessions: []disc.Session{{Number: 1, LeadOut: disc.LBA(n), Tracks: []disc.Track{
			{Number: 1, Mode: disc.Mode1, Control: disc.DataTrack, End: disc.LBA(n)}}}}}
		d := &madeDisc{l, cdsector.Size, make([]byte, n*cdsector.Size)}
		for at := range n {
			if user := d.user(at); at*2048 < len(volume) {
				copy(user, volume[at*2048:])
			} else {
				fillNoise(user, noise)
			}
			d.seal(at)
		}
		return d
	}
	mixed, padded, ends := makeCD(volume, noise), single(10), single(2)
	for _, test := range []struct {
		name   string
		disc   *madeDisc
		end    int // of the data
		media  string
		fault  string
		format Format
		note   NoteCode
		bad    int
	}{
		{"pressed", mixed, madeData, "", "read", CueBin, "", 2},
		{"pressed, lost", mixed, madeData, "", "lost", CueBin, "", 2},
		{"pressed, padded", padded, padded.sectors(), "", "read", ISO, "", 2},
		{"pressed, padded, .cue", padded, padded.sectors(), "", "read", CueBin, "", 2},
		{"pressed, at the end of the file system", ends, ends.sectors(), "", "read", ISO, "", 2},
		{"recordable", mixed, madeData, "cd-r", "read", CueBin, NoteMaybeRunOut, 2},
		{"recordable, padded", padded, padded.sectors(), "cd-rw", "read", ISO, NoteMaybeRunOut, 2},
		{"recordable, at the end of the file system", ends, ends.sectors(), "cd-r", "read", ISO, NoteRunOut, 0},
		{"recordable, in one sector", padded, padded.sectors() - 1, "cd-r", "read", ISO, "", 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			cfg := test.disc.config(t)
			cfg.Media = test.media
			f, err := sim.ParseFault(fmt.Sprintf("%s:%d-%d", test.fault, test.end-2, test.end-1))
			if err != nil {
				t.Fatal(err)
			}
			cfg.Faults = []sim.Fault{f}
			o := new(observer)
			out := filepath.Join(t.TempDir(), "x."+string(test.format))
			res, err := Rip(t.Context(), mmc.New(sim.New(cfg)), Options{Output: out, Format: test.format, Observer: o})
			if err != nil {
				t.Fatal(err)
			}
			told := NoteCode("")
			for _, n := range o.notes {
				if n.Code == NoteRunOut || n.Code == NoteMaybeRunOut {
					told = n.Code
				}
			}
			if told != test.note || res.BadSectors() != test.bad || (res.Map != "") != (test.bad > 0) {
				t.Fatalf("told %q, %d bad, map %q", told, res.BadSectors(), res.Map)
			}
			for _, b := range res.Bad {
				if int(b.First) != test.end-2 || b.Reason != Unreadable {
					t.Errorf("%+v", b)
				}
			}
		})
	}
}

// The pregap of an audio track, which the table of contents counts with the data in front
// of it, is no run-out block.
func TestPregapIsNoRunOut(t *testing.T) {
	const src = "../testdata/demo/demo.cue"
	out := filepath.Join(t.TempDir(), "x.cue")
	for _, query := range []string{"?fault=read:200-203", ""} {
		o := new(observer)
		if _, err := Rip(t.Context(), tray(t, src, query), Options{Output: out, Format: CueBin, Observer: o}); err != nil {
			t.Fatal(err)
		}
		if o.told(NoteRunOut) || o.told(NoteMaybeRunOut) {
			t.Errorf("%q: %+v", query, o.notes)
		}
	}
	o := new(observer)
	_, err := Rip(t.Context(), tray(t, src, ""), Options{Output: filepath.Join(t.TempDir(), "x.iso"), Format: ISO, Observer: o})
	if !errors.Is(err, ErrNotISO) || o.told(NoteRunOut) {
		t.Errorf("%v: %+v", err, o.notes)
	}
}
