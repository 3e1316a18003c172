package disc

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"

	"spindle/disc/cdsector"
)

func TestFlaws(t *testing.T) {
	f := FlawsOf(Flaw{30, 10, Unread}, Flaw{0, 10, Unproven}, Flaw{10, 5, Unproven}, Flaw{12, 20, ReadWithErrors}, Flaw{50, 0, Unread})
	want := Flaws{{0, 12, Unproven}, {12, 18, ReadWithErrors}, {30, 10, Unread}}
	for _, test := range []struct {
		name      string
		got, want Flaws
	}{
		{"of", f, want},
		{"union with itself", f.Union(f), want},
		{"clip", f.Clip(5, 31), Flaws{{5, 7, Unproven}, {12, 18, ReadWithErrors}, {30, 1, Unread}}},
		{"clip outside", f.Clip(40, 90), nil},
		{"without", f.Without(5, 31), Flaws{{0, 5, Unproven}, {31, 9, Unread}}},
		{"without nothing", f.Without(9, 9), want},
		{"shift", f.Shift(-150).Clip(-150, -140), Flaws{{-150, 10, Unproven}}},
	} {
		if !slices.Equal(test.got, test.want) {
			t.Errorf("%s: %v, want %v", test.name, test.got, test.want)
		}
	}
	if f.Sectors() != 40 || f.Contains(-1) || !f.Contains(0) || f.Contains(40) {
		t.Error("wrong sectors")
	}
	if k, ok := f.At(31); !ok || k != Unread {
		t.Errorf("sector 31: %v, %v", k, ok)
	}
}

// Whatever is put together and taken apart, each sector has the worst flaw that it
// was given.
func TestFlawsLikeASet(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		const n = 60
		var naive [n]FlawKind
		var f Flaws
		for range r.IntN(12) {
			x := Flaw{LBA(r.IntN(n - 8)), r.IntN(8), FlawKind(1 + r.IntN(3))}
			if r.IntN(4) == 0 {
				f = f.Without(x.First, x.End())
				clear(naive[x.First:x.End()])
				continue
			}
			f = f.Union(Flaws{x})
			for a := x.First; a < x.End(); a++ {
				naive[a] = max(naive[a], x.Kind)
			}
		}
		for a := range LBA(n) {
			if k, ok := f.At(a); k != naive[a] || ok != (naive[a] > 0) {
				t.Fatalf("%v: sector %d is %v, want %v", f, a, k, naive[a])
			}
		}
		for i := 1; i < len(f); i++ {
			if f[i-1].End() > f[i].First || f[i-1].End() == f[i].First && f[i-1].Kind == f[i].Kind {
				t.Fatalf("not in order: %v", f)
			}
		}
	}
}

// An EDC that is computed over content that is known to be wrong must not vouch for it,
// and parity must not make it right.
func TestFlawsSpoilEDC(t *testing.T) {
	kinds := map[Form]cdsector.Kind{FormMode1: cdsector.Mode1, FormXA1: cdsector.Form1, FormXA2: cdsector.Form2}
	for form, kind := range kinds {
		mode := Mode2
		if form == FormMode1 {
			mode = Mode1
		}
		layout := &Layout{Sessions: []Session{{Number: 1, LeadOut: 4, Tracks: []Track{{Number: 1, Mode: mode, Control: DataTrack, End: 4}}}}}
		extents := []Extent{{Count: 4, Source: bytes.NewReader(make([]byte, 4*form.Size())), Form: form}}
		flaws := FlawsOf(Flaw{1, 1, Unread}, Flaw{2, 1, ReadWithErrors}, Flaw{3, 1, Unproven})
		own, err := NewImage(Contents{Layout: layout, Extents: extents, Flaws: flaws})
		if err != nil {
			t.Fatal(err)
		}
		plain, err := NewImage(Contents{Layout: layout, Extents: extents})
		if err != nil {
			t.Fatal(err)
		}
		for name, img := range map[string]Image{"own": own, "beside": WithFlaws(plain, flaws)} {
			p := make([]byte, 4*cdsector.Size)
			if err := img.ReadSectors(t.Context(), p, 0); err != nil {
				t.Fatal(err)
			}
			for i, good := range []bool{true, false, false, true} {
				s := (*[cdsector.Size]byte)(p[i*cdsector.Size:])
				if cdsector.Classify(s) != kind || cdsector.EDCOK(s, kind) != good || !cdsector.ParityOK(s, kind) {
					t.Errorf("form %d, flaws %s, sector %d: %s, EDC %t, parity %t", form, name, i,
						cdsector.Classify(s), cdsector.EDCOK(s, kind), cdsector.ParityOK(s, kind))
				}
			}
		}
	}
}
