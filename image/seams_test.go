package image_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"spindle/check"
	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/image"
	"spindle/image/mapfile"
	"spindle/internal/testdisc"
)

// Damage goes through chains of conversions, in every form it can be known by: as a
// range of a map that was never read, as one that was read with errors, as wrong
// bytes under an EDC. No sector of it may look right in what comes out. With
// SPINDLE_CAMPAIGN=all there are 200 chains.
func TestSeams(t *testing.T) {
	chains := 12
	if os.Getenv("SPINDLE_CAMPAIGN") == "all" {
		chains = 200
	}
	for seed := range uint64(chains) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(seed, 1))
			dir := t.TempDir()
			source := []string{"data", "mixed", "audio"}[r.IntN(3)]
			path, err := testdisc.Make(dir, source)
			if err != nil {
				t.Fatal(err)
			}
			wrong := damage(t, r, path)
			steps := []string{source}
			for i := range 1 + r.IntN(3) {
				suffix := []string{".cue", ".nrg", ".toc", ".ccd", ".iso"}[r.IntN(5)]
				out := filepath.Join(dir, fmt.Sprintf("step%d%s", i, suffix))
				if suffix == ".iso" && source == "audio" {
					continue
				}
				steps = append(steps, suffix)
				wrong = convert(t, path, out, wrong, r.IntN(2) == 0)
				if path = out; len(wrong) == 0 {
					break // what was damaged was left out
				}
				if missed := looksRight(t, path, wrong); len(missed) > 0 {
					t.Fatalf("%s: of %v, these look right: %v", strings.Join(steps, " "), wrong, missed)
				}
			}
		})
	}
}

// damage damages an image of a CD in a .cue and one .bin, and returns the sectors.
func damage(t *testing.T, r *rand.Rand, path string) disc.Flaws {
	img, err := image.Open(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer img.Close()
	sectors := img.Layout().Sectors()
	first, n := r.IntN(sectors-20), 1+r.IntN(20)
	flaw := disc.Flaw{First: disc.LBA(first), Count: n, Kind: disc.Unread}
	track := img.Layout().TrackAt(flaw.First)
	if kind := r.IntN(3); kind == 0 && track.Mode.IsData() && flaw.First >= track.Start {
		flaw.Count = min(n, int(track.End-flaw.First))
		bin := strings.TrimSuffix(path, ".cue") + ".bin"
		f, err := os.OpenFile(bin, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		for i := range flaw.Count {
			at := int64(first+i)*cdsector.Size + 100
			b := make([]byte, 1)
			if _, err := f.ReadAt(b, at); err != nil {
				t.Fatal(err)
			}
			if _, err := f.WriteAt([]byte{b[0] ^ 0xFF}, at); err != nil {
				t.Fatal(err)
			}
		}
		return disc.FlawsOf(flaw)
	}
	m := mapfile.New(int64(sectors) * cdsector.Size)
	m.Set(0, m.Size(), mapfile.Finished)
	state := []mapfile.Status{mapfile.Bad, mapfile.ReadWithErrors, mapfile.NonTried}[r.IntN(3)]
	m.Set(int64(first)*cdsector.Size, int64(n)*cdsector.Size, state)
	f, err := os.Create(path + ".map")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := m.WriteTo(f); err != nil {
		t.Fatal(err)
	}
	return disc.FlawsOf(flaw)
}

// convert converts, and returns where the wrong sectors are in the new image.
func convert(t *testing.T, in, out string, wrong disc.Flaws, noCheck bool) disc.Flaws {
	img, err := image.Open(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	defer img.Close()
	o := image.CreateOptions{Lossy: true, NoCheck: noCheck}
	if _, err := image.Create(t.Context(), out, img, o); err != nil {
		t.Fatal(err)
	}
	if filepath.Ext(out) != ".iso" {
		return wrong
	}
	for _, x := range img.Layout().Tracks() {
		if x.Mode.IsData() {
			return wrong.Clip(x.Start, x.End).Shift(-x.Start)
		}
	}
	return nil
}

// looksRight returns those of some wrong sectors that neither the flaws of an image
// nor its codes show to be wrong.
func looksRight(t *testing.T, path string, wrong disc.Flaws) disc.Flaws {
	img, err := image.Open(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer img.Close()
	rep, err := check.Sectors(t.Context(), img, check.Options{NoHashes: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range img.Flaws() {
		wrong = wrong.Without(x.First, x.End())
	}
	for _, b := range rep.Bad {
		wrong = wrong.Without(b.First, b.Last+1)
	}
	return wrong
}
