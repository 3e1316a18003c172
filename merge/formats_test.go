package merge

import (
	"bytes"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"spindle/disc"
	"spindle/image"
	"spindle/image/imagetest"
	"spindle/internal/testdisc/testimage"
)

// damaged gives an image wrong bytes where it has flaws.
func damaged(img disc.Image, flaws disc.Flaws) disc.Image {
	return disc.WithFlaws(&imagetest.Tapped{Image: img, After: func(p []byte, first disc.LBA) {
		size := img.Layout().Medium.SectorSize()
		for _, f := range flaws.Clip(first, first+disc.LBA(len(p)/size)) {
			for a := f.First; a < f.End(); a++ {
				at := int(a-first) * size
				rand.NewChaCha8([32]byte{byte(a)}).Read(p[at+24 : at+2000])
			}
		}
	}}, flaws)
}

// TestFormats merges damaged images in each format with one that is damaged elsewhere: the
// damage of neither is left, whatever the format keeps of a sector.
func TestFormats(t *testing.T) {
	for _, c := range []struct {
		disc     string
		suffixes []string
	}{
		{"mixed", []string{".nrg", ".toc", ".ccd"}},
		{"data", []string{".iso", ".nrg", ".vhd"}},
		{"iso", []string{".cso", ".mds"}},
		{"xa", []string{".nrg"}},
	} {
		whole := testimage.Open(t, c.disc)
		want := read(t, whole)
		flawsA := disc.FlawsOf(disc.Flaw{First: 20, Count: 9, Kind: disc.Unread}, disc.Flaw{First: 200, Count: 3, Kind: disc.ReadWithErrors})
		flawsB := disc.FlawsOf(disc.Flaw{First: 40, Count: 9, Kind: disc.Unread}, disc.Flaw{First: 190, Count: 5, Kind: disc.ReadWithErrors})
		if c.disc == "mixed" {
			flawsA = flawsA.Union(disc.Flaws{{First: 700, Count: 3, Kind: disc.ReadWithErrors}})
		}
		for _, suffix := range c.suffixes {
			t.Run(c.disc+suffix, func(t *testing.T) {
				path := filepath.Join(t.TempDir(), "x"+suffix)
				if _, err := image.Create(t.Context(), path, damaged(testimage.Open(t, c.disc), flawsA), image.CreateOptions{Lossy: true}); err != nil {
					t.Fatal(err)
				}
				for _, first := range []bool{true, false} {
					a, err := image.Open(t.Context(), path)
					if err != nil {
						t.Fatal(err)
					}
					if len(a.Flaws()) == 0 {
						t.Fatal("the image does not know its flaws")
					}
					in := []Input{{Name: "a", Image: a}, {Name: "b", Image: damaged(testimage.Open(t, c.disc), flawsB)}}
					if !first {
						in[0], in[1] = in[1], in[0]
					}
					m, err := New(t.Context(), in, Options{})
					if err != nil {
						t.Fatal(err)
					}
					if got := read(t, m); len(m.Flaws()) > 0 || !bytes.Equal(got, want) {
						t.Errorf("flaws %v, the same: %v", m.Flaws(), bytes.Equal(got, want))
					}
					m.Close()
				}
			})
		}
	}
}
