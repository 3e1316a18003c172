package laid

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"spindle/disc"
	"spindle/image/format"
	"spindle/internal/packed"
)

// file makes a file of so many bytes, each the number of its 2352, and opens it.
func file(t *testing.T, name string, size int) *format.File {
	t.Helper()
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(1 + i/2352)
	}
	return opened(t, name, b)
}

func opened(t *testing.T, name string, b []byte) *format.File {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, b, 0o666); err != nil {
		t.Fatal(err)
	}
	f, err := format.OpenFile(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// track is one of audio.
func track(number, session int, pregap int, start, end disc.LBA) Track {
	return Track{Track: disc.Track{Number: number, Pregap: pregap, Start: start, End: end}, Session: session, Size: 2352}
}

func with(t Track, change func(*Track)) Track {
	change(&t)
	return t
}

// Where tracks come to lie, and the first byte of each of some sectors of them.
func TestOpen(t *testing.T) {
	const far = 11400 // where a second session may begin
	for name, test := range map[string]struct {
		tracks []Track
		layout string       // session: pregap, start and end of each track
		bytes  map[int]byte // by sectors
		flaws  map[int]int  // runs of sectors that the file does not have
		want   string       // of the error
	}{
		"one track": {tracks: []Track{track(1, 1, 0, 0, 4)}, layout: "1: 0 0 4", bytes: map[int]byte{0: 1, 3: 4}},
		"the two seconds are stored": {
			tracks: []Track{with(track(1, 1, 150, 0, 4), func(t *Track) { t.Offset = -150 * 2352 })}, layout: "1: 0 0 4", bytes: map[int]byte{0: 1},
		},
		"the two seconds are not": {
			tracks: []Track{with(track(1, 1, 150, 0, 4), func(t *Track) { t.Unstored = 150 })}, layout: "1: 0 0 4", bytes: map[int]byte{0: 1},
		},
		"more than two seconds are not": {
			tracks: []Track{with(track(1, 1, 152, 2, 4), func(t *Track) { t.Unstored = 152 })}, layout: "1: 2 2 4", bytes: map[int]byte{1: 0, 2: 1},
		},
		"it begins late": {tracks: []Track{track(1, 1, 0, 2, 4)}, layout: "1: 2 2 4", bytes: map[int]byte{0: 0, 1: 0, 2: 1, 3: 2}},
		"a gap between tracks": {
			tracks: []Track{track(1, 1, 0, 0, 2), with(track(2, 1, 0, 5, 7), func(t *Track) { t.Offset = 2 * 2352 })},
			layout: "1: 0 0 2, 3 5 7", bytes: map[int]byte{1: 2, 2: 0, 4: 0, 5: 3},
		},
		"a stored pregap": {
			tracks: []Track{track(1, 1, 0, 0, 2), with(track(2, 1, 2, 4, 6), func(t *Track) { t.Offset = 2 * 2352 })},
			layout: "1: 0 0 2, 2 4 6", bytes: map[int]byte{2: 3, 4: 5},
		},
		"half of a pregap is stored": {
			tracks: []Track{track(1, 1, 0, 0, 2), with(track(2, 1, 2, 4, 6), func(t *Track) { t.Offset, t.Unstored = 2*2352, 1 })},
			layout: "1: 0 0 2, 2 4 6", bytes: map[int]byte{2: 0, 3: 3, 4: 4},
		},
		"nothing is stored": {
			tracks: []Track{with(track(1, 1, 0, 0, 4), func(t *Track) { t.Unstored = 9 })}, layout: "1: 0 0 4", bytes: map[int]byte{0: 0, 3: 0},
		},
		"two sessions": {
			tracks: []Track{track(1, 1, 0, 0, 2), with(track(2, 2, 150, far, far+2), func(t *Track) { t.Offset, t.Unstored = 2*2352, 150 })},
			layout: fmt.Sprintf("1: 0 0 2; 2: 0 %d %d", far, far+2), bytes: map[int]byte{far: 3},
		},
		"the file ends early": {
			tracks: []Track{track(1, 1, 0, 0, 12)}, layout: "1: 0 0 12", bytes: map[int]byte{9: 10, 10: 0}, flaws: map[int]int{10: 2},
		},

		"no tracks":            {want: "it has 0 tracks"},
		"a hundred":            {tracks: make([]Track, 100), want: "it has 100 tracks"},
		"no first session":     {tracks: []Track{track(1, 2, 0, 0, 2)}, want: "track 1 is in session 2, after 0"},
		"a session is missing": {tracks: []Track{track(1, 1, 0, 0, 2), track(2, 3, 0, far, far+2)}, want: "track 2 is in session 3, after 1"},
		"sessions are mixed":   {tracks: []Track{track(1, 1, 0, 0, 2), track(2, 2, 0, far, far+2), track(3, 1, 0, far+9, far+10)}, want: "track 3 is in session 1, after 2"},
		"a long pregap":        {tracks: []Track{track(1, 1, 151, 0, 2)}, want: "starts at 0 after 151 sectors"},
		"it ends first":        {tracks: []Track{track(1, 1, 0, 2, 2)}, want: "and ends at 2"},
		"beyond any disc":      {tracks: []Track{track(1, 1, 0, 0, disc.MaxLBA+1)}, want: "and ends at"},
		"one in the other": {
			tracks: []Track{track(1, 1, 0, 0, 4), with(track(2, 1, 0, 2, 6), func(t *Track) { t.Offset = 4 * 2352 })}, want: "track 2 begins at 2",
		},
		"the same bytes":  {tracks: []Track{track(1, 1, 0, 0, 2), track(2, 1, 0, 2, 4)}, want: "tracks 1 and 2 are both at byte 0"},
		"before the file": {tracks: []Track{with(track(1, 1, 0, 0, 2), func(t *Track) { t.Offset = -1 })}, want: "at byte -1"},
		"no such sectors": {tracks: []Track{with(track(1, 1, 0, 0, 2), func(t *Track) { t.Size = 2353 })}, want: "with 2353 bytes a sector"},
	} {
		source := NewSource(file(t, "x.bin", 10*2352))
		for i := range test.tracks {
			test.tracks[i].Source = source
		}
		d := Disc{Tracks: test.tracks}
		img, err := d.Open(t.Context(), source.File)
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil {
			if !errors.Is(err, ErrDescriptor) {
				t.Errorf("%s: %v is not an ErrDescriptor", name, err)
			}
			continue
		}
		if got := describe(img.Layout()); got != test.layout {
			t.Errorf("%s: %s, want %s", name, got, test.layout)
		}
		for at, want := range test.bytes {
			s := make([]byte, 2352)
			if err := img.ReadSectors(t.Context(), s, disc.LBA(at)); err != nil || s[0] != want {
				t.Errorf("%s: sector %d begins with %d, want %d (%v)", name, at, s[0], want, err)
			}
		}
		var flaws disc.Flaws
		for at, n := range test.flaws {
			flaws = append(flaws, disc.Flaw{First: disc.LBA(at), Count: n, Kind: disc.Unread})
		}
		if got := img.Flaws(); fmt.Sprint(got) != fmt.Sprint(flaws) {
			t.Errorf("%s: flaws %v, want %v", name, got, flaws)
		}
	}
}

func describe(l *disc.Layout) string {
	var sessions []string
	for _, s := range l.Sessions {
		var tracks []string
		for _, t := range s.Tracks {
			tracks = append(tracks, fmt.Sprint(t.Pregap, t.Start, t.End))
		}
		sessions = append(sessions, fmt.Sprintf("%d: %s", s.Number, strings.Join(tracks, ", ")))
	}
	return strings.Join(sessions, "; ")
}

// Files that follow one another, at any place.
func TestJoined(t *testing.T) {
	var want []byte
	var files []*format.File
	for i, size := range []int{3, 0, 5, 1} {
		b := bytes.Repeat([]byte{byte(i + 1)}, size)
		want = append(want, b...)
		files = append(files, opened(t, "x", b))
	}
	s := NewSource(files...)
	for from := range want {
		for to := from; to <= len(want); to++ {
			b := make([]byte, to-from)
			if n, err := s.ReadAt(b, int64(from)); err != nil || !bytes.Equal(b[:n], want[from:to]) {
				t.Errorf("%d to %d: %v, %v", from, to, b, err)
			}
		}
	}
	if n, err := s.ReadAt(make([]byte, 9), 4); n != 5 || err == nil || s.Size != 9 {
		t.Errorf("beyond the end: %d, %v", n, err)
	}
}

// What follows a compressed file that was cut short would not be where it belongs.
func TestJoinedCut(t *testing.T) {
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	for i := range 100000 {
		fmt.Fprintf(w, "%d\n", i*i)
	}
	w.Close()
	cut := opened(t, "x.gz", z.Bytes()[:z.Len()/2])
	if !cut.Cut {
		t.Fatal("it is not cut")
	}
	for _, files := range [][]*format.File{{cut, file(t, "y", 2352)}, {file(t, "y", 2352), cut}} {
		d := Disc{Tracks: []Track{track(1, 1, 0, 0, 20)}}
		d.Tracks[0].Source = NewSource(files...)
		_, err := d.Open(t.Context(), files[0])
		if want := files[0] == cut; errors.Is(err, packed.ErrDamaged) != want || !want && err != nil {
			t.Errorf("cut in %s: %v", files[0].Path, err)
		}
	}
}

// Of parts that hold less than the tracks want, the last was cut short. If it was another, what stands behind that is
// displaced.
func TestJoinedShort(t *testing.T) {
	for _, test := range []struct {
		sizes []int // sectors
		flaws string
		err   string
	}{
		{[]int{8, 8, 4}, "[]", ""},
		{[]int{8, 8, 3}, "[{19 1 unread}]", ""},
		{[]int{8, 7, 4}, "", "y was cut short"},
		{[]int{7, 8, 4}, "", "y was cut short"},
		{[]int{3, 8}, "", "y was cut short"},
		{[]int{3, 17}, "[]", ""}, // whoever split it so
	} {
		var files []*format.File
		for _, n := range test.sizes {
			files = append(files, file(t, "y", n*2352))
		}
		d := Disc{Tracks: []Track{track(1, 1, 0, 0, 20)}}
		d.Tracks[0].Source = NewSource(files...)
		img, err := d.Open(t.Context(), files[0])
		switch {
		case (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err):
			t.Errorf("%v: %v", test.sizes, err)
		case err == nil && fmt.Sprint(img.Flaws()) != test.flaws:
			t.Errorf("%v: %v", test.sizes, img.Flaws())
		}
	}
}
