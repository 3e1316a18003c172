package merge

import (
	"testing"

	"spindle/disc"
	"spindle/disc/cdsector"
)

// A pressing is whole sectors of a data CD, made quickly: all have the same content, and each its own address with the
// codes for it. Codes are linear, so that those of an address are the sum of those of its three parts.
type pressing struct {
	base  [cdsector.Size]byte
	parts [3][100][cdsector.Size]byte // of minutes, seconds and frames: what they change
}

func newPressing() *pressing {
	p := new(pressing)
	for i := range 2048 {
		p.base[16+i] = byte(i * 7)
	}
	zero := disc.LBA(-150) // 00:00:00
	cdsector.SetHeader(&p.base, zero.MSF(), 1)
	cdsector.Seal(&p.base, cdsector.Mode1)
	for k, unit := range []int{60 * 75, 75, 1} {
		for i := range p.parts[k] {
			s := &p.parts[k][i]
			if i*unit >= 90*60*75 {
				break
			}
			*s = p.base
			cdsector.SetHeader(s, (zero + disc.LBA(i*unit)).MSF(), 1)
			cdsector.Seal(s, cdsector.Mode1)
			for j := range s {
				s[j] ^= p.base[j]
			}
		}
	}
	return p
}

// ReadAt implements [io.ReaderAt], for whole sectors.
func (p *pressing) ReadAt(b []byte, off int64) (int, error) {
	for i := 0; i < len(b); i += cdsector.Size {
		s := b[i:][:cdsector.Size]
		at := (int(off)+i)/cdsector.Size + 150
		m, sec, f := &p.parts[0][at/(60*75)], &p.parts[1][at/75%60], &p.parts[2][at%75]
		copy(s, p.base[:])
		for j := 12; j < 16; j++ {
			s[j] ^= m[j] ^ sec[j] ^ f[j]
		}
		for j := 16 + 2048; j < cdsector.Size; j++ {
			s[j] ^= m[j] ^ sec[j] ^ f[j]
		}
	}
	return len(b), nil
}

// BenchmarkMergeWholeCD merges two images of a full CD with data, each with damage where the other is good.
func BenchmarkMergeWholeCD(b *testing.B) {
	const sectors = 700_000_000 / cdsector.Size
	l := &disc.Layout{Sessions: []disc.Session{{Number: 1, LeadOut: sectors, Tracks: []disc.Track{
		{Number: 1, Mode: disc.Mode1, Control: disc.DataTrack, End: sectors}}}}}
	source := newPressing()
	damaged := func(first disc.LBA) disc.Image {
		img, err := disc.NewImage(disc.Contents{Layout: l, Flaws: disc.Flaws{{First: first, Count: 5000, Kind: disc.Unread}},
			Extents: []disc.Extent{{Count: sectors, Source: source, Form: disc.FormRaw}}})
		if err != nil {
			b.Fatal(err)
		}
		return img
	}
	b.SetBytes(2 * sectors * cdsector.Size)
	p := make([]byte, 512*cdsector.Size)
	for b.Loop() {
		m, err := New(b.Context(), []Input{{Name: "a", Image: damaged(1000)}, {Name: "b", Image: damaged(200_000)}}, Options{})
		if err != nil {
			b.Fatal(err)
		}
		for at := disc.LBA(0); at < sectors; {
			n := min(len(p)/cdsector.Size, int(sectors-at))
			if err := m.ReadSectors(b.Context(), p[:n*cdsector.Size], at); err != nil {
				b.Fatal(err)
			}
			at += disc.LBA(n)
		}
		if f := m.Flaws(); len(f) > 0 {
			b.Fatalf("%v", f)
		}
		m.Close()
	}
}
