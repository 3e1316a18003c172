package discid

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"spindle/disc"

	"github.com/google/go-cmp/cmp"
)

// toc makes a table of contents of "start:start:-data:...:lead-out", which may stand
// with blanks, and of absolute times (150 on) with "+" in front.
func toc(t *testing.T, s string) TOC {
	t.Helper()
	s, absolute := strings.CutPrefix(s, "+")
	x := TOC{First: 1}
	for f := range strings.FieldsSeq(s) {
		d, data := strings.CutPrefix(f, "-")
		var n int
		if _, err := fmt.Sscan(d, &n); err != nil {
			t.Fatal(err)
		}
		if absolute {
			n -= 150
		}
		x.Tracks = append(x.Tracks, Track{disc.LBA(n), data})
	}
	last := len(x.Tracks) - 1
	x.LeadOut, x.Tracks = x.Tracks[last].Start, x.Tracks[:last]
	return x
}

// fromLengths makes one of the lengths of its audio tracks, and of a data track behind them.
func fromLengths(pregap, data int, tracks ...int) TOC {
	t := TOC{First: 1, LeadOut: disc.LBA(pregap)}
	for _, n := range tracks {
		t.Tracks = append(t.Tracks, Track{Start: t.LeadOut})
		t.LeadOut += disc.LBA(n)
	}
	if data > 0 {
		t.LeadOut += sessionGap
		t.Tracks = append(t.Tracks, Track{t.LeadOut, true})
		t.LeadOut += disc.LBA(data)
	}
	return t
}

// Ids of real discs, as the databases and other programs state them. An empty one
// is not known.
func TestIDs(t *testing.T) {
	for _, test := range []struct {
		name                           string
		toc                            TOC
		accurateRip, musicBrainz, ctdb string
		url                            string
	}{
		{"15 tracks", toc(t, "33 5225 7390 23380 35608 49820 69508 87733 106333 139495 157863 198495 213368 225320 234103 253038"),
			"015-001b9178-014be24e-b40d2d0f", "", "", "/8/7/1/"},
		{"enhanced", toc(t, "0 15537 31691 50866 66466 81202 99409 115920 133093 149847 161560 177682 -207106 210385"),
			"012-0013bd5a-00b8d489-c60af50d", "KnpGsLhvH.lPrNc1PBL21lb9Bg4-", "", "/a/5/d/"},
		{"enhanced", toc(t, "0 12617 40337 63075 93260 117965 151715 184190 215110 247305 -281585 333651"),
			"010-00164419-00b9f6e2-9e11600b", "", "", ""},
		{"mixed mode", toc(t, "+-150 66728 76502 85963 93760 104048 116066 124743 134206 142916 151852 160720 169425 178731 188459 196711 206354 214845 223686 225746 226384 232668 239447 239931 244989 254264 260066 261222 261674 261976"),
			"028-00517a54-05a845d2-af0da31d", "", "", ""},
		{"22 tracks", toc(t, "+150 9700 25887 39297 53795 63735 77517 94877 107270 123552 135522 148422 161197 174790 192022 205545 218010 228700 239590 255470 266932 288750 303602"),
			"022-*-*-370fce16", "xUp1F2NkfP8s8jaeFn_Av3jNEI4-", "", ""},
		{"6 tracks", toc(t, "+150 15363 32314 46592 63414 80489 95462"), "", "49HHV7Eb8UKF3aQiNmu1GR8vKTY-", "", ""},
		{"4 tracks", toc(t, "0 11413 25024 45713 55220"), "", "", "VukMWWItblELRM.CEFpXxw0FlME-", ""},
		{"13 tracks and data", toc(t, "0 15047 30797 45995 60397 78942 94607 108395 125382 146117 162905 177397 194782 -220352 332850"),
			"013-001802ed-00f8ee31-b611560e", "ucgpiD84p.2iBxO4j3hdjSjhtnw-", "gmEsiU5wvQFA1Nq9YE_posiwgK8-", ""},
		{"3 tracks", fromLengths(0, 0, 75258, 54815, 205880), "003-00084264-001cc184-19117f03", "dUmct3Sk4dAt1a98qUKYKC0ZjYU-", "", ""},
		{"one track", fromLengths(0, 0, 279037), "001-000441fd-000883fb-020e8801", "8yz4363CdyKqNa45C30lZWon5jE-", "", ""},
		{"33 sectors before", fromLengths(33, 0, 107450, 71470, 105737, 71600), "004-000e26d9-00380804-3e128e04", "Grk0WAJTlMgchS.Qilu8OSGvxGg-", "", ""},
		{"one track, 32 before", fromLengths(32, 0, 143963), "001-0002329b-00046516-02077f01", "0VQH.wupXuvBanCl73_bqdIK7zQ-", "", ""},
		{"10 tracks and data", fromLengths(0, 52066, 12617, 27720, 22738, 30185, 24705, 33750, 32475, 30920, 32195, 22880),
			"010-00164419-00b9f6e2-9e11600b", "9AQWqQ0eCCwktwPPrIUIYkUw2Uo-", "", ""},
		{"one track and data", fromLengths(0, 164721, 90778), "001-00041293-00082527-100de602", "ZvhSySPNhWlmkC1x3pEYDnMyoho-", "", ""},
		{"hidden track", fromLengths(12375, 0, 14765, 14932, 12508, 525, 20937, 6025, 19753, 35570, 17777, 15258, 23515, 18512, 26168, 13440),
			"014-001ba337-01281b14-cf0c7b0e", "DXMhnAITXIb0ieYp7OECBgjr1gs-", "", ""},
	} {
		ids, err := test.toc.IDs()
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		got := ids.AccurateRip.String()
		if strings.Contains(test.accurateRip, "*") {
			test.accurateRip, got = test.accurateRip[len("022-*-*-"):], fmt.Sprintf("%08x", ids.CDDB)
		}
		for _, x := range [][2]string{{got, test.accurateRip}, {ids.MusicBrainz, test.musicBrainz}, {ids.CTDB, test.ctdb}} {
			if x[1] != "" && x[0] != x[1] {
				t.Errorf("%s: %s, want %s", test.name, x[0], x[1])
			}
		}
		if want := "http://www.accuraterip.com/accuraterip" + test.url + "dBAR-" + test.accurateRip + ".bin"; test.url != "" && ids.AccurateRip.URL() != want {
			t.Errorf("%s: %s, want %s", test.name, ids.AccurateRip.URL(), want)
		}
	}
}

// What is before the first track does not change the TOCID, and the submission URL
// states the tracks.
func TestSubmission(t *testing.T) {
	a, err := fromLengths(0, 0, 1000, 2000).IDs()
	if err != nil {
		t.Fatal(err)
	}
	b, err := fromLengths(500, 0, 1000, 2000).IDs()
	if err != nil {
		t.Fatal(err)
	}
	if a.CTDB != b.CTDB || a.MusicBrainz == b.MusicBrainz {
		t.Errorf("%+v and %+v", a, b)
	}
	want := "https://musicbrainz.org/cdtoc/attach?id=" + b.MusicBrainz + "&tracks=2&toc=1+2+3650+650+1650"
	if b.SubmitURL != want {
		t.Errorf("%s, want %s", b.SubmitURL, want)
	}
}

func TestNoTOC(t *testing.T) {
	many := TOC{First: 1, LeadOut: 2000000000}
	for i := range 99 {
		many.Tracks = append(many.Tracks, Track{Start: 1000000000 + disc.LBA(i)})
	}
	for name, x := range map[string]TOC{
		"empty":        {First: 1, LeadOut: 100},
		"no lead-out":  {First: 1, Tracks: []Track{{}}},
		"not in order": {First: 1, Tracks: []Track{{Start: 100}, {Start: 50}}, LeadOut: 200},
		"data":         {First: 1, Tracks: []Track{{Data: true}}, LeadOut: 200},
		"number 0":     {Tracks: []Track{{}}, LeadOut: 200},
		"number 100":   {First: 99, Tracks: []Track{{}, {Start: 100}}, LeadOut: 200},
		"far away":     many,
	} {
		if _, err := x.IDs(); !errors.Is(err, ErrTOC) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Of(&disc.Layout{Medium: disc.DVD}); !errors.Is(err, ErrTOC) {
		t.Error(err)
	}
	for _, s := range []string{"", ":", "0", "a:b", "0:-5:3", "0::10", "0:99999999999", "-0:100", strings.Repeat("0:", 5000)} {
		if _, err := ParseTOC(s); !errors.Is(err, ErrTOC) {
			t.Errorf("%q: %v", s, err)
		}
	}
}

func TestTOCString(t *testing.T) {
	const s = "0:15047:30797:-220352:332850"
	x, err := ParseTOC(s)
	if err != nil || x.String() != s {
		t.Errorf("%v, %v", x, err)
	}
}

func TestSpans(t *testing.T) {
	l := &disc.Layout{Sessions: []disc.Session{
		{Number: 1, LeadOut: 5000, Tracks: []disc.Track{
			{Number: 1, Mode: disc.Mode1, End: 1000},
			{Number: 2, Start: 1150, Pregap: 150, End: 2000},
			{Number: 3, Start: 2100, Pregap: 100, End: 5000}}},
		{Number: 2, LeadOut: 20000, Tracks: []disc.Track{{Number: 4, Mode: disc.Mode2, Start: 16390, End: 20000}}},
	}}
	if err := l.Validate(); err != nil {
		t.Fatal(err)
	}
	want := []Span{{2, 1, 1150, 2100}, {3, 2, 2100, 4990}}
	if diff := cmp.Diff(want, Spans(l)); diff != "" {
		t.Error(diff)
	}
}
