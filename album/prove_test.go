package album

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"testing"

	"spindle/check"
	"spindle/disc"
	"spindle/disc/accuraterip"
	"spindle/disc/cdsector"
	"spindle/disc/ctdb"
	"spindle/disc/discid"
	"spindle/internal/testdisc"
	"spindle/internal/testdisc/testimage"
)

// response is what AccurateRip would have of an album that was made, with a confidence for
// each track.
func response(t *testing.T, l *disc.Layout, songs []Made, confidence func(track int) byte) accuraterip.Response {
	t.Helper()
	ids, err := discid.Of(l)
	if err != nil {
		t.Fatal(err)
	}
	id := ids.AccurateRip
	b := []byte{byte(id.Tracks)}
	for _, x := range []uint32{id.ID1, id.ID2, id.CDDB} {
		b = binary.LittleEndian.AppendUint32(b, x)
	}
	for _, s := range songs {
		if s.Number > 0 {
			b = append(b, confidence(s.Number))
			b = binary.LittleEndian.AppendUint32(b, s.Sums.V2)
			b = binary.LittleEndian.AppendUint32(b, 0)
		}
	}
	r, err := accuraterip.Parse(b, id)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// What the database proves is exactly the tracks that others have, without the ends that no
// checksum covers.
func TestProven(t *testing.T) {
	img := testimage.Open(t, "audio")
	l := img.Layout()
	made, err := Create(t.Context(), t.TempDir(), Of(l), img, Options{})
	if err != nil {
		t.Fatal(err)
	}
	r := response(t, l, made.Songs, func(track int) byte { return byte(track) }) // track 1: 1, maybe by its owner
	d := Databases{AccurateRip: r}
	runs, err := d.Proven(t.Context(), l, img.ReadSectors)
	tracks := l.Tracks()
	want := []Run{{tracks[1].Start, tracks[2].Start}, {tracks[2].Start, tracks[3].Start}, {tracks[3].Start, tracks[3].End - 5}}
	if err != nil || !slices.Equal(runs, want) {
		t.Errorf("%v, want %v, %v", runs, want, err)
	}
	wrong := func(ctx context.Context, p []byte, first disc.LBA) error {
		err := img.ReadSectors(ctx, p, first)
		if first <= tracks[2].Start+20 && tracks[2].Start+20 < first+disc.LBA(len(p)/2352) {
			p[int(tracks[2].Start+20-first)*2352] ^= 1
		}
		return err
	}
	if runs, err := d.Proven(t.Context(), l, wrong); err != nil || len(runs) != 2 {
		t.Errorf("with a wrong bit: %v, %v", runs, err)
	}
}

// CTDB proves tracks, too, and all but the ends of the disc.
func TestProvenByCTDB(t *testing.T) {
	img := testimage.Open(t, "audio")
	l := img.Layout()
	x := check.NewProof(l)
	for _, tr := range l.Tracks() {
		p := make([]byte, tr.Sectors()*cdsector.Size)
		if err := errors.Join(img.ReadSectors(t.Context(), p, tr.Begin()), x.Take(tr.Begin(), p)); err != nil {
			t.Fatal(err)
		}
	}
	sums := x.CTDB.Sums()
	crcs := slices.Clone(sums.Tracks)
	crcs[1]++
	d := Databases{CTDB: []ctdb.Entry{{Confidence: 2, CRC: sums.Disc + 1, TrackCRCs: crcs, TOC: discid.TOCOf(l)}}}
	runs, err := d.Proven(t.Context(), l, img.ReadSectors)
	tracks := l.Tracks()
	// It leaves out a row of ten sectors, and what is more than whole rows, at the end.
	want := []Run{{10, tracks[1].Start}, {tracks[2].Start, tracks[3].Start}, {tracks[3].Start, tracks[3].End - 10 - tracks[3].End%10}}
	if err != nil || !slices.Equal(runs, want) {
		t.Errorf("%v, want %v, %v", runs, want, err)
	}
	d.CTDB[0].Confidence = 1
	if runs, err := d.Proven(t.Context(), l, img.ReadSectors); err != nil || len(runs) > 0 {
		t.Errorf("by one's own: %v, %v", runs, err)
	}
}

// Silence is the same on every disc, and what a drive gives that reads nothing: a database that has it
// proves nothing, whichever it is.
func TestSilenceProvesNothing(t *testing.T) {
	l := &disc.Layout{Sessions: []disc.Session{{LeadOut: 160}}}
	for i := range 4 {
		l.Sessions[0].Tracks = append(l.Sessions[0].Tracks, disc.Track{Number: i + 1, Start: disc.LBA(40 * i), End: disc.LBA(40 * (i + 1))})
	}
	audio := testdisc.NetRandom(5, 160*cdsector.Size)
	clear(audio[80*cdsector.Size : 120*cdsector.Size])
	x := check.NewProof(l)
	if err := x.Take(0, audio); err != nil {
		t.Fatal(err)
	}
	var chunk accuraterip.Chunk
	for _, s := range x.AccurateRip.Sums() {
		chunk = append(chunk, accuraterip.Entry{Confidence: 9, Sum: s.V2})
	}
	sums := x.CTDB.Sums()
	d := Databases{
		AccurateRip: accuraterip.Response{chunk},
		CTDB:        []ctdb.Entry{{Confidence: 9, CRC: sums.Disc, TrackCRCs: sums.Tracks, TOC: discid.TOCOf(l)}},
	}
	proofs, err := d.judge(t.Context(), l, x)
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range proofs {
		if silent := i == 2; p.Silent != silent || p.ByAccurateRip() == silent || p.ByCTDB() == silent {
			t.Errorf("track %d: %+v", i+1, p)
		}
	}
}

// CTDB leaves out some sectors at the ends of a disc, which may be whole tracks; and what it
// has at another offset is no proof of a track's sectors.
func TestProvenByCTDBIsCovered(t *testing.T) {
	const n = 135
	for name, starts := range map[string][]disc.LBA{"short first": {0, 6, 13}, "short last": {0, 100, 130}} {
		l := &disc.Layout{Sessions: []disc.Session{{LeadOut: n}}}
		for i, at := range starts {
			end := disc.LBA(n)
			if i+1 < len(starts) {
				end = starts[i+1]
			}
			l.Sessions[0].Tracks = append(l.Sessions[0].Tracks, disc.Track{Number: i + 1, Start: at, End: end})
		}
		audio := make([]byte, n*cdsector.Size)
		for i := range audio {
			audio[i] = byte(i * i >> 4)
		}
		read := func(_ context.Context, p []byte, first disc.LBA) error {
			copy(p, audio[int(first)*cdsector.Size:])
			return nil
		}
		x := check.NewProof(l)
		if err := x.Take(0, audio); err != nil {
			t.Fatal(err)
		}
		d := Databases{CTDB: []ctdb.Entry{{Confidence: 5, CRC: x.CTDB.Sums().Disc, TOC: discid.TOCOf(l)}}}
		first, end := x.CTDB.Covers(0)
		runs, err := d.Proven(t.Context(), l, read)
		if err != nil || len(runs) == 0 {
			t.Fatalf("%s: %v, %v", name, runs, err)
		}
		for _, r := range runs {
			if int64(r.First)*588 < first || int64(r.End)*588 > end {
				t.Errorf("%s: %v is proven, but only [%d, %d) is covered", name, r, first/588, end/588)
			}
		}
		copy(audio[12*cdsector.Size:], audio[:100*cdsector.Size]) // the same samples, later
		copy(audio, make([]byte, 12*cdsector.Size))
		if runs, err := d.Proven(t.Context(), l, read); err != nil || len(runs) > 0 {
			t.Errorf("%s, moved: %v, %v", name, runs, err)
		}
	}
}
