package rip

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"spindle/disc"
	"spindle/drive"
	"spindle/image/mapfile"
	"spindle/scsi/mmc"
)

// Batches in any order, of any length and intent, while the map is looked at: what
// the map calls finished is what was sent, and the hash is that of the file. It is
// meant for the race detector.
func TestWriterTakesAnyOrder(t *testing.T) {
	const sectors = 500
	track := disc.Track{Number: 1, Mode: disc.Mode1, Control: disc.DataTrack, End: sectors}
	l := &disc.Layout{Medium: disc.DVD, Sessions: []disc.Session{{Number: 1, LeadOut: sectors, Tracks: []disc.Track{track}}}}
	c := &Contents{Medium: &drive.Medium{Contents: &drive.Contents{Layout: l}}, Layout: l}
	for seed := range uint64(5) {
		r := rand.New(rand.NewPCG(seed, 2))
		out := filepath.Join(t.TempDir(), "x.iso")
		opts := Options{Output: out, Format: ISO}
		p, err := makePlan(facts{contents: c, sectors: sectors, maxTransfer: 16 << 10}, opts)
		if err != nil {
			t.Fatal(err)
		}
		w := newWriter(p, out+mapfile.Suffix, &state{Format: ISO, TOC: "x", Sectors: sectors, Layout: l}, mapfile.New(p.regions.size()))
		if err := w.out.open(createNew); err != nil {
			t.Fatal(err)
		}
		w.start(time.Unix(0, 0))
		g := &p.regions[0]
		content := func(a disc.LBA) []byte { return bytes.Repeat([]byte{byte(a), byte(a >> 8)}, mmc.BlockSize/2) }
		var starts []int
		for a := 0; a < sectors; a += 8 {
			starts = append(starts, a)
		}
		r.Shuffle(len(starts), func(i, j int) { starts[i], starts[j] = starts[j], starts[i] })
		lost := make(map[disc.LBA]bool)
		for i, a := range starts {
			b := w.take()
			b.prepare(p, g, disc.LBA(a), min(8, sectors-a))
			if r.IntN(10) == 0 {
				b.intent = filler
			}
			for k := range b.n {
				copy(b.buf[k*mmc.BlockSize:], content(b.at+disc.LBA(k)))
				lost[b.at+disc.LBA(k)] = b.intent == filler
			}
			if r.IntN(10) == 0 {
				w.drop(b)
				b = w.take()
				b.prepare(p, g, disc.LBA(a), 1)
				b.intent = filler
				for k := range min(8, sectors-a) {
					lost[disc.LBA(a+k)] = true
				}
			}
			w.send(b)
			w.tick(time.Unix(int64(i), 0))
			w.tracker.tally()
		}
		w.drain()
		if err := w.stop(); err != nil {
			t.Fatal(err)
		}
		if err := w.hashRest(t.Context(), func(int64) {}); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(w.out.settle(), w.out.name()); err != nil {
			t.Fatal(err)
		}
		w.out.close()
		got, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		for a := disc.LBA(0); a < sectors; a++ {
			finished := w.tracker.at(g.position(a)) == mapfile.Finished
			right := bytes.Equal(got[int(a)*mmc.BlockSize:(int(a)+1)*mmc.BlockSize], content(a))
			if finished != !lost[a] || finished != right {
				t.Fatalf("seed %d: sector %d: finished %v, sent %v, right %v", seed, a, finished, !lost[a], right)
			}
		}
		if whole, _ := w.hasher.Sums(); whole.Size != int64(len(got)) {
			t.Errorf("seed %d: %d bytes were hashed of %d", seed, whole.Size, len(got))
		}
	}
}
