package check

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"spindle/disc"
	"spindle/disc/cdsector"

	"github.com/google/go-cmp/cmp"
)

// unreadable is an image of which some sectors cannot be read.
type unreadable struct {
	of          disc.Image
	first, last disc.LBA
}

func (u unreadable) Layout() *disc.Layout                    { return u.of.Layout() }
func (u unreadable) Subchannels() disc.Subchannels           { return u.of.Subchannels() }
func (u unreadable) ExtentAt(a disc.LBA) (disc.Extent, bool) { return u.of.ExtentAt(a) }
func (u unreadable) Flaws() disc.Flaws                       { return u.of.Flaws() }
func (u unreadable) Files() []string                         { return u.of.Files() }
func (u unreadable) Close() error                            { return u.of.Close() }
func (u unreadable) ReadUser(ctx context.Context, p []byte, first disc.LBA) (bool, error) {
	return u.of.ReadUser(ctx, p, first)
}

var errUnreadable = errors.New("unreadable")

func (u unreadable) ReadSectors(ctx context.Context, p []byte, first disc.LBA) error {
	if end := first + disc.LBA(len(p)/cdsector.Size); first <= u.last && end > u.first {
		return errUnreadable
	}
	return u.of.ReadSectors(ctx, p, first)
}

// Sectors that cannot be read are no end of a comparison.
func TestCompareWithUnreadable(t *testing.T) {
	other := unreadable{open(t, "mixed", func(b []byte) { b[701*2352]++; b[704*2352]++ }), 702, 703}
	o := CompareOptions{}
	if _, err := Compare(t.Context(), open(t, "mixed", nil), other, o); !errors.Is(err, errUnreadable) {
		t.Error(err)
	}
	o.Damaged = func(err error) bool { return errors.Is(err, errUnreadable) }
	got, err := Compare(t.Context(), open(t, "mixed", nil), other, o)
	want := []Difference{{Kind: OtherContent, Track: 2, First: 701, Last: 701},
		{Kind: Uncompared, Track: 2, First: 702, Last: 703}, {Kind: OtherContent, Track: 2, First: 704, Last: 704}}
	if diff := cmp.Diff(want, got.Differences); err != nil || diff != "" {
		t.Error(diff, err)
	}
}

// What an image is known not to have is no difference of the disc.
func TestCompareLacking(t *testing.T) {
	a := open(t, "mixed", func(b []byte) {
		for at := 690; at < 705; at++ {
			b[at*2352+20]++
		}
	})
	flaws := disc.FlawsOf(disc.Flaw{First: 690, Count: 10, Kind: disc.Unread}, disc.Flaw{First: 700, Count: 3, Kind: disc.ReadWithErrors})
	got, err := Compare(t.Context(), disc.WithFlaws(a, flaws), open(t, "mixed", nil), CompareOptions{})
	want := []Difference{{Kind: Lacking, Track: 2, First: 690, Last: 699}, {Kind: OtherContent, Track: 2, First: 700, Last: 704}}
	if diff := cmp.Diff(want, got.Differences); err != nil || diff != "" {
		t.Error(diff, err)
	}
}

// The codes of a sector that both images call wrong are no difference; its data are.
func TestCompareBothWrong(t *testing.T) {
	const edc, user = 2064, 16
	change := func(b []byte) {
		b[10*2352+edc]++
		b[11*2352+edc]++
		b[12*2352+user]++
	}
	flaws := disc.FlawsOf(disc.Flaw{First: 10, Count: 3, Kind: disc.Unread})
	fewer := disc.FlawsOf(disc.Flaw{First: 10, Count: 1, Kind: disc.ReadWithErrors}, disc.Flaw{First: 12, Count: 1, Kind: disc.Unread})
	got, err := Compare(t.Context(), disc.WithFlaws(open(t, "mixed", change), flaws), disc.WithFlaws(open(t, "mixed", nil), fewer), CompareOptions{})
	want := []Difference{{Kind: Lacking, Track: 1, First: 11, Last: 12}}
	if diff := cmp.Diff(want, got.Differences); err != nil || diff != "" {
		t.Error(diff, err)
	}
}

// Silence at the edge of an image is no difference to a disc in a drive, and is counted.
func TestCompareSilentEdges(t *testing.T) {
	const sectors, missing = 300, 102
	b := make([]byte, sectors*cdsector.Size)
	for i := range b {
		b[i] = byte(i*i>>3) | 1
	}
	a := append([]byte(nil), b...)
	clear(a[len(a)-missing*sampleBytes:])
	got, err := Compare(t.Context(), audioImage(t, a), audioImage(t, b), CompareOptions{AnyOffset: true})
	if err != nil || len(got.Differences) > 0 || got.Silent != missing {
		t.Errorf("%+v, %v", got, err)
	}
	clear(a[150*cdsector.Size:][:sampleBytes])
	got, err = Compare(t.Context(), audioImage(t, a), audioImage(t, b), CompareOptions{AnyOffset: true})
	if err != nil || len(got.Differences) != 1 {
		t.Errorf("silence in the middle: %+v, %v", got, err)
	}
	if got, err = Compare(t.Context(), audioImage(t, a), audioImage(t, b), CompareOptions{}); err != nil || len(got.Differences) != 2 {
		t.Errorf("two images: %+v, %v", got, err)
	}
}

// sessionsOf makes an image of two sessions of one track each, the second of data, at
// sector 12000: content, and then zeros up to the lengths that are asked for.
func sessionsOf(t *testing.T, mode disc.Mode, lengths [2]int, behind byte) disc.Image {
	t.Helper()
	const content, second = 400, 12000
	var all []disc.Extent
	l := &disc.Layout{Medium: disc.CD}
	for i, start := range []disc.LBA{0, second} {
		b := make([]byte, lengths[i]*cdsector.Size)
		for k := range b {
			if k < content*cdsector.Size {
				b[k] = byte(k*k>>3) | 1
			}
		}
		if i == 0 && behind != 0 {
			b[len(b)-1] = behind
		}
		if i == 1 || mode.IsData() {
			for k := range lengths[i] {
				s := (*[cdsector.Size]byte)(b[k*cdsector.Size:])
				cdsector.SetSync(s)
				cdsector.SetHeader(s, (start + disc.LBA(k)).MSF(), 1)
				if behind != 0 && k == lengths[i]-1 && i == 0 {
					s[16] = behind
				}
				cdsector.Seal(s, cdsector.Mode1)
			}
		}
		tr := disc.Track{Number: i + 1, Mode: mode, Start: start, End: start + disc.LBA(lengths[i])}
		if i == 1 {
			tr.Mode = disc.Mode1
		}
		l.Sessions = append(l.Sessions, disc.Session{Number: i + 1, LeadOut: tr.End, Tracks: []disc.Track{tr}})
		all = append(all, disc.Extent{First: start, Count: lengths[i], Source: bytes.NewReader(b)})
	}
	img, err := disc.NewExtentImage(l, all)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// What a burn puts behind a session so that the next one comes to its place is no difference.
func TestComparePaddedSessions(t *testing.T) {
	length := func(track, a, b int) []Difference { return []Difference{{Kind: OtherLength, Track: track, A: a, B: b}} }
	for _, test := range []struct {
		name   string
		mode   disc.Mode
		disc   [2]int
		behind byte
		drive  bool
		want   []Difference
	}{
		{"run-out", disc.Mode1, [2]int{402, 400}, 0, true, nil},
		{"run-outs of both", disc.Mode1, [2]int{402, 402}, 0, true, nil},
		{"up to the next session", disc.Mode1, [2]int{600 + 302, 400}, 0, true, nil},
		{"beyond it", disc.Mode1, [2]int{400, 400 + 303}, 0, true, length(2, 400, 703)},
		{"something behind", disc.Mode1, [2]int{402, 400}, 1, true, length(1, 400, 402)},
		{"silence", disc.Audio, [2]int{402, 400}, 0, true, nil},
		{"silence in an image", disc.Audio, [2]int{402, 400}, 0, false, length(1, 400, 402)},
		{"sound", disc.Audio, [2]int{402, 400}, 1, true, length(1, 400, 402)},
	} {
		a, b := sessionsOf(t, test.mode, [2]int{400, 400}, 0), sessionsOf(t, test.mode, test.disc, test.behind)
		got, err := Compare(t.Context(), a, b, CompareOptions{AnyOffset: test.drive})
		if diff := cmp.Diff(test.want, got.Differences); err != nil || diff != "" {
			t.Errorf("%s: %v %s", test.name, err, diff)
		}
	}
}
