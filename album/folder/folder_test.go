package folder_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"spindle/album"
	"spindle/album/folder"
	"spindle/disc"
	"spindle/disc/discid"
	"spindle/image/riplog"
	"spindle/internal/testdisc/testimage"
)

// makeSongs makes some songs of a disc, with a log that calls them proven, or read once.
func makeSongs(t *testing.T, dir string, img disc.Image, proof riplog.Means, numbers ...int) *album.Album {
	t.Helper()
	a := album.Of(img.Layout())
	made, err := album.Create(t.Context(), dir, a, img, album.Options{Only: numbers, Coding: album.Wave})
	if err != nil {
		t.Fatal(err)
	}
	var about riplog.Section
	ids, err := discid.Of(a.Layout)
	if err != nil {
		t.Fatal(err)
	}
	about.Add("CTDB disc id", ids.CTDB)
	about.Add(riplog.OffsetLine, "6 samples")
	about.Add(riplog.CatalogueLine, img.Layout().MCN)
	folder.Seal(&about, made.Sheet)
	log := made.Log(a, about, func(*album.Made) riplog.Proof { return riplog.Proof{By: proof} })
	if err := os.WriteFile(filepath.Join(dir, a.LogName()), log.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	return a
}

const proven = riplog.TwoReads

// What is there and proven stays; what is asked for and is not there is made.
func TestPlan(t *testing.T) {
	img := testimage.Open(t, "audio")
	dir, once, later, empty := t.TempDir(), t.TempDir(), t.TempDir(), t.TempDir()
	a := makeSongs(t, dir, img, proven, 1, 3)
	makeSongs(t, once, img, "read once", 1, 3)
	makeSongs(t, later, img, "a means of a later version", 1, 3)
	for name, test := range map[string]struct {
		dir          string
		request      folder.Request
		whole, done  bool
		makes        []int
		kept, there  int
		absent       []int
		offset       int
		own, sectors int
	}{
		"nothing there":           {empty, folder.Request{}, true, false, []int{1, 2, 3, 4}, 0, 0, nil, 0, 0, 4},
		"nothing there, of some":  {empty, folder.Request{Songs: []int{2}}, false, false, []int{2}, 0, 0, []int{1, 3, 4}, 0, 0, 1},
		"the rest":                {dir, folder.Request{}, false, false, []int{2, 4}, 2, 2, nil, 6, 2, 2},
		"one more":                {dir, folder.Request{Songs: []int{2}}, false, false, []int{2}, 2, 0, []int{4}, 6, 2, 1},
		"one that is there":       {dir, folder.Request{Songs: []int{3}}, false, true, nil, 2, 1, []int{2, 4}, 6, 2, 0},
		"by force":                {dir, folder.Request{Songs: []int{3}, Force: true}, false, false, []int{3}, 1, 0, []int{2, 4}, 6, 2, 1},
		"one that is not proven":  {once, folder.Request{Songs: []int{3}}, false, true, nil, 2, 1, []int{2, 4}, 6, 2, 0},
		"once, again":             {once, folder.Request{Songs: []int{3}, Prove: true}, false, false, []int{3}, 1, 0, []int{2, 4}, 6, 3, 1},
		"the rest, of not proven": {once, folder.Request{}, false, false, []int{2, 4}, 2, 2, nil, 6, 2, 2},
		"all, to be proven":       {once, folder.Request{Prove: true}, true, false, []int{1, 2, 3, 4}, 0, 0, nil, 6, 4, 4},
		"later, as it is":         {later, folder.Request{Songs: []int{3}}, false, true, nil, 2, 1, []int{2, 4}, 6, 2, 0},
		"later, to be proven":     {later, folder.Request{Prove: true}, true, false, []int{1, 2, 3, 4}, 0, 0, nil, 6, 4, 4},
		"proven, to be proven":    {dir, folder.Request{Prove: true}, false, false, []int{2, 4}, 2, 2, nil, 6, 2, 2},
	} {
		p, err := folder.Open(t.Context(), test.dir, a, test.request)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var makes []int
		for _, s := range a.Songs {
			if p.Makes(s.Number) {
				makes = append(makes, s.Number)
			}
		}
		_, absent := p.Numbers(a)
		offset, _ := p.Offset()
		if p.Whole() != test.whole || p.Done() != test.done || !slices.Equal(makes, test.makes) || len(p.Kept) != test.kept || p.There != test.there ||
			!slices.Equal(absent, test.absent) || offset.Samples != test.offset || len(p.Own) != test.own || len(p.Sectors(a)) != test.sectors || p.Unsealed != "" {
			t.Errorf("%s: makes %v, absent %v, %+v", name, makes, absent, p)
		}
	}
}

// A song that was read once stays where the new reading is not right.
func TestYield(t *testing.T) {
	img := testimage.Open(t, "audio")
	once := t.TempDir()
	a := makeSongs(t, once, img, riplog.OneRead, 1, 3)
	p, err := folder.Open(t.Context(), once, a, folder.Request{Prove: true})
	if err != nil || len(p.Again) != 2 || p.Held() == nil || len(p.Held().Once) != 2 {
		t.Fatalf("%v, %+v", err, p)
	}
	at := p.Again[1].First
	stays := p.Yield(func(first, end disc.LBA) bool { return first <= at && at < end })
	if len(stays) != 1 || stays[0].Number != 3 || len(p.Again) != 1 || len(p.Kept) != 1 || p.Makes(3) || !p.Makes(1) || !p.Makes(2) || p.Whole() {
		t.Errorf("%v, %+v", stays, p)
	}
}

// What stays, and is not as the log says, is named.
func TestWrong(t *testing.T) {
	img := testimage.Open(t, "audio")
	dir := t.TempDir()
	a := makeSongs(t, dir, img, proven, 1, 3)
	p, err := folder.Open(t.Context(), dir, a, folder.Request{Songs: []int{2}})
	if err != nil || len(p.Wrong) != 0 {
		t.Fatalf("%v, %v", err, p.Wrong)
	}
	if err := os.Truncate(filepath.Join(dir, p.Kept[1].File), 5000); err != nil {
		t.Fatal(err)
	}
	p, err = folder.Open(t.Context(), dir, a, folder.Request{Songs: []int{2}})
	if err != nil || len(p.Wrong) != 1 || p.Wrong[0].Number != 3 || p.Wrong[0].Found == album.Same {
		t.Errorf("%v, %v", err, p.Wrong)
	}
}

// What stays is compared with the disc.
func TestOtherDisc(t *testing.T) {
	img := testimage.Open(t, "audio")
	dir := t.TempDir()
	a := makeSongs(t, dir, img, proven, 1, 3)
	p, err := folder.Open(t.Context(), dir, a, folder.Request{})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Compare(t.Context(), img); err != nil {
		t.Error(err)
	}
	h := p.Held()
	if h == nil || len(h.Good) != 2 || len(h.Once) != 0 || h.MCN != img.Layout().MCN {
		t.Errorf("%+v", h)
	}
	b := make([]byte, 2352)
	if err := p.ReadSectors(t.Context(), b, a.Songs[1].Start); err == nil {
		t.Error("a song that is absent was read")
	}
	other := img.Layout().Clone()
	other.Tracks()[1].ISRC = "FR1234567890"
	if _, err := folder.Open(t.Context(), dir, album.Of(other), folder.Request{}); !errors.Is(err, folder.ErrOtherDisc) {
		t.Errorf("another ISRC: %v", err)
	}
	other = img.Layout().Clone()
	other.Tracks()[3].End--
	other.Sessions[0].LeadOut--
	if _, err := folder.Open(t.Context(), dir, album.Of(other), folder.Request{}); !errors.Is(err, folder.ErrOtherLog) {
		t.Errorf("another disc: %v", err)
	}
	for _, s := range p.Kept { // sound of another disc, as somebody else's log would have it
		wav, err := os.ReadFile(filepath.Join(dir, s.File))
		if err != nil {
			t.Fatal(err)
		}
		wav[len(wav)/2] ^= 1
		if err := os.WriteFile(filepath.Join(dir, s.File), wav, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Compare(t.Context(), img); !errors.Is(err, folder.ErrOtherDisc) {
		t.Errorf("other samples: %v", err)
	}
	if p, err = folder.Open(t.Context(), dir, a, folder.Request{Songs: []int{2}}); err != nil {
		t.Fatal(err)
	}
	if err := p.Compare(t.Context(), img); !errors.Is(err, folder.ErrNothingSame) {
		t.Errorf("all were changed: %v", err)
	}
}

// A sheet that the log has no checksum of is the run's to replace, if it says what would be written.
func TestUnsealed(t *testing.T) {
	img := testimage.Open(t, "audio")
	dir := t.TempDir()
	a := makeSongs(t, dir, img, proven, 1, 3)
	path, sheet := filepath.Join(dir, a.LogName()), filepath.Join(dir, a.SheetName())
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	log, err := riplog.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	about := &log.Sections[0]
	about.Lines = slices.DeleteFunc(about.Lines, func(l riplog.Line) bool { return l.Name == riplog.SheetLine })
	was, err := os.ReadFile(sheet)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, log.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	replace := func(a, b string) []byte { return bytes.Replace(was, []byte(a), []byte(b), 1) }
	for name, test := range map[string]struct {
		sheet []byte
		taken bool
	}{
		"as it was made":  {was, true},
		"without gaps":    {replace("    INDEX 00 00:04:20\r\n", ""), true},
		"another title":   {replace("Movement 2", "Mine"), false},
		"a remark":        {append(bytes.Clone(was), "REM mine\r\n"...), false},
		"a remark before": {append([]byte("REM mine\r\n"), was...), false},
		"another file":    {replace("01 - Movement 1", "mine"), false},
		"no sheet":        {[]byte("mine"), false},
	} {
		if err := os.WriteFile(sheet, test.sheet, 0o666); err != nil {
			t.Fatal(err)
		}
		p, err := folder.Open(t.Context(), dir, a, folder.Request{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if taken := slices.Contains(p.Own, sheet); taken != test.taken || (p.Unsealed == sheet) != test.taken {
			t.Errorf("%s: taken %t, %q", name, taken, p.Unsealed)
		}
	}
}
