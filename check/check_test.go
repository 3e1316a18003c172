package check

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/image"
	"spindle/image/imagetest"
	"spindle/internal/corpus"
	"spindle/internal/testdisc"

	"github.com/google/go-cmp/cmp"
)

// open makes a test disc and opens it, after damage has changed its .bin.
func open(t testing.TB, name string, damage func(bin []byte)) disc.Image {
	t.Helper()
	path, err := testdisc.Make(t.TempDir(), name)
	if err != nil {
		t.Fatal(err)
	}
	if damage != nil {
		bin := strings.TrimSuffix(path, ".cue") + ".bin"
		b, err := os.ReadFile(bin)
		if err != nil {
			t.Fatal(err)
		}
		damage(b)
		if err := os.WriteFile(bin, b, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	img, err := image.Open(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { img.Close() })
	return img
}

func TestCleanDiscs(t *testing.T) {
	for name, checked := range map[string]int{"audio": 0, "data": 2000, "mixed": 600, "xa": 1050, "twosession": 750, "hidden": 0} {
		r, err := Sectors(context.Background(), open(t, name, nil), Options{})
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Bad) > 0 || r.Checked() != checked {
			t.Errorf("%s: %d checked, want %d; bad: %v", name, r.Checked(), checked, r.Bad)
		}
	}
}

// TestMadeCodes checks images that store user data alone: codes that are made around it as it
// is read vouch for nothing.
func TestMadeCodes(t *testing.T) {
	for _, x := range []struct {
		disc, out string
		checked   int
	}{{"data", "x.nrg", 0}, {"data", "x.iso", 0}, {"data", "x.cso", 0}, {"data", "x.ccd", 2000}, {"mixed", "x.nrg", 0}, {"xa", "x.nrg", 1050}} {
		path := filepath.Join(t.TempDir(), x.out)
		from := open(t, x.disc, nil)
		if _, err := image.Create(t.Context(), path, from, image.CreateOptions{Lossy: true}); err != nil {
			t.Fatal(err)
		}
		img, err := image.Open(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		r, err := Sectors(t.Context(), img, Options{NoHashes: true})
		img.Close()
		if err != nil || len(r.Bad) > 0 || r.Checked() != x.checked {
			t.Errorf("%s of %s: %d checked, want %d; bad: %v, %v", x.out, x.disc, r.Checked(), x.checked, r.Bad, err)
		}
	}
}

func TestProblems(t *testing.T) {
	const sector = 100
	for name, test := range map[string]struct {
		at   int
		want Problem
	}{
		"sync": {3, BadSync}, "address": {13, BadAddress}, "user data": {500, BadEDC}, "EDC": {2065, BadEDC},
		"P": {2080, BadParity}, "Q": {2351, BadParity},
	} {
		img := open(t, "data", func(b []byte) { b[sector*2352+test.at] ^= 1 })
		r, err := Sectors(context.Background(), img, Options{NoHashes: true})
		if err != nil {
			t.Fatal(err)
		}
		want := []BadRange{{Track: 1, First: sector, Last: sector, Problem: test.want}}
		if diff := cmp.Diff(want, r.Bad); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	img := open(t, "xa", func(b []byte) { b[7*2352+21] ^= 1 }) // one copy of the sub-header
	r, err := Sectors(context.Background(), img, Options{NoHashes: true})
	if err != nil || len(r.Bad) != 0 && r.Bad[0].First != 7 {
		t.Errorf("sub-header: %v, %v", r.Bad, err)
	}
}

func TestCanceled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	img := open(t, "data", nil)
	_, err := Sectors(ctx, img, Options{Progress: func(int64, int64) { cancel() }})
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// One wrong byte in each of a thousand sectors is found, and repaired.
func TestRepairAThousandSectors(t *testing.T) {
	var truth []byte
	r := rand.New(rand.NewPCG(1, 1))
	hit := r.Perm(2000)[:1000]
	img := open(t, "data", func(b []byte) {
		truth = bytes.Clone(b)
		for _, s := range hit {
			b[s*2352+r.IntN(2352)] ^= byte(1 + r.IntN(255))
		}
	})
	rep, err := Sectors(context.Background(), img, Options{NoHashes: true})
	if err != nil || rep.BadSectors() != 1000 {
		t.Fatalf("%d found, %v", rep.BadSectors(), err)
	}
	out, done, err := repair(img)
	if err != nil || done.Sectors != 1000 || len(done.Left) != 0 {
		t.Errorf("%+v, %v", done, err)
	}
	if !bytes.Equal(out, truth) {
		t.Error("the repaired image is not the original")
	}
}

func TestRepairXA(t *testing.T) {
	var truth []byte
	img := open(t, "xa", func(b []byte) {
		truth = bytes.Clone(b)
		for _, s := range []int{0, 3, 6, 9} { // form 1
			b[s*2352+1000] ^= 0x55
		}
		b[2*2352+1000] ^= 0x55 // form 2 has no parity
	})
	out, done, err := repair(img)
	if err != nil || done.Sectors != 4 || len(done.Left) != 1 || done.Left[0].First != 2 {
		t.Errorf("%+v, %v", done, err)
	}
	truth[2*2352+1000] ^= 0x55
	if !bytes.Equal(out, truth) {
		t.Error("the repaired image is not the original")
	}
}

// The header of XA sectors is in none of their codes. A sector that names another address is one
// from another place, and stays what it is, as does one whose sub-headers nothing vouches for.
func TestRepairKeepsStrangers(t *testing.T) {
	const size = cdsector.Size
	sector := func(b []byte, at int) []byte { return b[at*size:][:size] }
	for name, test := range map[string]struct {
		damage   func(b []byte) // of sector 3, which is form 1, or 2, which is form 2
		at       disc.LBA
		problem  Problem // that stays; none: repaired
		unproven bool    // repaired, and no better known than before
	}{
		"from another place":              {func(b []byte) { copy(sector(b, 3), sector(b, 9)) }, 3, BadAddress, false},
		"from another place, and damaged": {func(b []byte) { copy(sector(b, 3), sector(b, 9)); sector(b, 3)[1000] ^= 1 }, 3, BadAddress, false},
		"names another address":           {func(b []byte) { sector(b, 3)[14] ^= 1 }, 3, BadAddress, false},
		"damaged, names another address":  {func(b []byte) { sector(b, 3)[14] ^= 1; sector(b, 3)[500] ^= 1 }, 3, BadAddress, false},
		"names none":                      {func(b []byte) { sector(b, 3)[14] = 0xFF }, 3, "", true},
		"one sub-header of form 1":        {func(b []byte) { sector(b, 3)[21] ^= 1 }, 3, "?", false},
		"one sub-header of form 2":        {func(b []byte) { sector(b, 2)[21] ^= 1 }, 2, "?", false},
		"one sub-header without an EDC":   {func(b []byte) { sector(b, 2)[21] ^= 1; clear(sector(b, 2)[2348:]) }, 2, "?", false},
	} {
		var truth, damaged []byte
		img := open(t, "xa", func(b []byte) {
			truth = bytes.Clone(b)
			test.damage(b)
			damaged = bytes.Clone(b)
		})
		r := NewRepairer(disc.WithFlaws(img, disc.FlawsOf(disc.Flaw{First: test.at, Count: 1, Kind: disc.ReadWithErrors})))
		out := make([]byte, len(truth))
		if err := r.ReadSectors(t.Context(), out, 0); err != nil {
			t.Fatal(err)
		}
		want, done := truth, r.Result()
		if test.problem != "" {
			want = damaged
			if done.Sectors != 0 || test.problem != "?" && (len(done.Left) != 1 || done.Left[0].Problem != test.problem) {
				t.Errorf("%s: %+v", name, done)
			}
		}
		if !bytes.Equal(out, want) {
			t.Errorf("%s: the sector is another than it should be", name)
		}
		if flawed := r.Flaws().Contains(test.at); flawed != (test.problem != "" || test.unproven) {
			t.Errorf("%s: still a flaw: %t", name, flawed)
		}
	}
}

// repair reads a whole image through a Repairer.
func repair(img disc.Image) ([]byte, *Repaired, error) {
	r := NewRepairer(img)
	out := make([]byte, img.Layout().Sectors()*cdsector.Size)
	err := r.ReadSectors(context.Background(), out, 0)
	return out, r.Result(), err
}

// Damaged or whole, what a Repairer gives is an image.
func TestRepairerConforms(t *testing.T) {
	imagetest.Test(t, NewRepairer(open(t, "mixed", nil)))
	imagetest.Test(t, NewRepairer(open(t, "xa", func(bin []byte) { bin[20*cdsector.Size+100] ^= 1 })))
	imagetest.Test(t, NewRepairer(withParts(t)))
}

// withParts is a damaged image with every part that an image can have: in its one
// track sectors 0 to 4 are stored whole, 5 to 9 as user data. Sector 2 is damaged
// within what parity corrects, sector 3 past that.
func withParts(t *testing.T) disc.Image {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x")
	var raw, sub []byte
	for a := range disc.LBA(5) {
		var s [cdsector.Size]byte
		cdsector.SetHeader(&s, a.MSF(), 1)
		cdsector.Seal(&s, cdsector.Mode1)
		raw = append(raw, s[:]...)
	}
	raw[2*cdsector.Size+500] ^= 0xFF
	for i := range 1000 {
		raw[3*cdsector.Size+500+i] ^= byte(i)
	}
	l := &disc.Layout{Sessions: []disc.Session{{Number: 1, LeadOut: 10, Tracks: []disc.Track{
		{Number: 1, Mode: disc.Mode1, Control: disc.DataTrack, End: 10}}}}}
	for a := range disc.LBA(10) {
		var s [cdsector.SubSize]byte
		l.Subchannel(a, &s)
		s[90] = byte(a) // in W
		sub = append(sub, s[:]...)
	}
	if err := os.WriteFile(path, raw, 0o666); err != nil {
		t.Fatal(err)
	}
	text := bytes.NewReader(sub)
	img, err := disc.NewImage(disc.Contents{
		Layout: l,
		Extents: []disc.Extent{
			{Count: 5, Source: bytes.NewReader(raw), Sub: &disc.SubExtent{Source: text}},
			{First: 5, Count: 5, Source: bytes.NewReader(make([]byte, 5*2048)), Form: disc.FormMode1,
				Sub: &disc.SubExtent{Source: text, Offset: 5 * cdsector.SubSize}},
		},
		Flaws: disc.FlawsOf(disc.Flaw{First: 1, Count: 6, Kind: disc.ReadWithErrors}),
		Files: []string{path},
	})
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// A Repairer keeps what an image knows of itself, and a flaw goes only when an EDC
// that was stored proves the sector.
func TestRepairerParts(t *testing.T) {
	img := withParts(t)
	imagetest.Test(t, img)
	r := NewRepairer(img)
	if diff := cmp.Diff(img.Flaws(), r.Flaws()); diff != "" {
		t.Errorf("flaws before reading: %s", diff)
	}
	if err := r.ReadSectors(t.Context(), make([]byte, 10*cdsector.Size), 0); err != nil {
		t.Fatal(err)
	}
	want := disc.Flaws{{First: 3, Count: 1, Kind: disc.ReadWithErrors}, {First: 5, Count: 2, Kind: disc.ReadWithErrors}}
	if diff := cmp.Diff(want, r.Flaws()); diff != "" {
		t.Errorf("flaws: %s", diff)
	}
	if r.Subchannels() == nil {
		t.Error("the saved sub-channels are gone")
	}
	if done, _ := r.ReadUser(t.Context(), make([]byte, 2048), 6); done {
		t.Error("user data bypasses the repair")
	}
	if _, ok := r.ExtentAt(2); ok {
		t.Error("a file bypasses the repair")
	}
	if diff := cmp.Diff(img.Files(), r.Files()); diff != "" {
		t.Errorf("files: %s", diff)
	}
	// The EDC that is made for sectors 5 and 6 is a wrong one.
	if res := r.Result(); res.Sectors != 1 || len(res.Left) != 2 || res.Left[0].First != 3 || res.Left[1].Last != 6 {
		t.Errorf("%+v", res)
	}
	// Reading again counts nothing twice.
	if err := r.ReadSectors(t.Context(), make([]byte, 5*cdsector.Size), 0); err != nil {
		t.Fatal(err)
	}
	if res := r.Result(); res.Sectors != 1 || len(res.Left) != 2 {
		t.Errorf("after reading again: %+v", res)
	}
}

func TestCompare(t *testing.T) {
	same, err := Compare(context.Background(), open(t, "mixed", nil), open(t, "mixed", nil), CompareOptions{})
	if err != nil || len(same.Differences) != 0 {
		t.Errorf("%v, %v", same, err)
	}
	other := open(t, "mixed", func(b []byte) { b[700*2352]++; b[701*2352]++; b[1400*2352]++ })
	got, err := Compare(context.Background(), open(t, "mixed", nil), other, CompareOptions{})
	want := []Difference{{Kind: OtherContent, Track: 2, First: 700, Last: 701}, {Kind: OtherContent, Track: 3, First: 1400, Last: 1400}}
	if diff := cmp.Diff(want, got.Differences); err != nil || diff != "" {
		t.Error(diff, err)
	}
	got, err = Compare(context.Background(), open(t, "audio", nil), open(t, "data", nil), CompareOptions{})
	if err != nil || len(got.Differences) < 3 {
		t.Errorf("%v, %v", got, err)
	}
}

// implant does what implantisomd5 does.
func implant(iso []byte, skip int) {
	text := iso[appUseOffset : appUseOffset+appUseSize]
	copy(text, bytes.Repeat([]byte{' '}, appUseSize))
	total := len(iso) - skip*2048
	const count = 20
	h := md5.New()
	var sums strings.Builder
	fragment := 0
	for off := 0; off < total; off += md5Chunk {
		h.Write(iso[off:min(off+md5Chunk, total)])
		if now := off / (total / (count + 1)); now != fragment {
			fragment = now
			for _, b := range h.Sum(nil)[:3] {
				sums.WriteString(fmt.Sprintf("%x", b)[:1])
			}
		}
	}
	for sums.Len() < fragmentText {
		sums.WriteByte('0')
	}
	copy(text, fmt.Sprintf("ISO MD5SUM = %x;SKIPSECTORS = %d;RHLISOSTATUS=0;FRAGMENT SUMS = %s;FRAGMENT COUNT = %d;",
		h.Sum(nil), skip, sums.String()[:fragmentText], count))
}

func TestImplanted(t *testing.T) {
	path, err := testdisc.Make(t.TempDir(), "iso")
	if err != nil {
		t.Fatal(err)
	}
	iso, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	iso = append(iso, make([]byte, 2048*2000)...) // larger than its fragments' chunks
	n := len(iso) / 2048
	copy(iso[pvdOffset+80:], []byte{byte(n), byte(n >> 8), byte(n >> 16), 0, 0, byte(n >> 16), byte(n >> 8), byte(n)})
	if _, err := ReadImplanted(bytes.NewReader(iso)); !errors.Is(err, errNoImplanted) {
		t.Errorf("nothing implanted: %v", err)
	}
	implant(iso, 15)
	m, err := ReadImplanted(bytes.NewReader(iso))
	if err != nil {
		t.Fatal(err)
	}
	if ok, _, err := m.Check(context.Background(), bytes.NewReader(iso), nil); err != nil || !ok {
		t.Errorf("%v, %v", ok, err)
	}
	const at = 3_000_000
	iso[at]++
	ok, where, err := m.Check(context.Background(), bytes.NewReader(iso), nil)
	if err != nil || ok || at < where[0] || at >= where[1] || where[1]-where[0] > int64(len(iso))/10 {
		t.Errorf("%v, damage at %d found in %v, %v", ok, at, where, err)
	}
	iso[at]--
	iso[len(iso)-1]++ // in the sectors left out of the sum
	if ok, _, err := m.Check(context.Background(), bytes.NewReader(iso), nil); err != nil || !ok {
		t.Errorf("a change behind the sum: %v, %v", ok, err)
	}
	if _, _, err := m.Check(context.Background(), bytes.NewReader(iso[:at]), nil); err == nil {
		t.Error("a truncated image is accepted")
	}
}

func TestParseSums(t *testing.T) {
	const md5sum, sha256sum = "d41d8cd98f00b204e9800998ecf8427e", "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855"
	text := "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n# comment\n; sfv comment\n" +
		md5sum + "  plain.iso\n" + md5sum + " *binary name.iso\r\n" + sha256sum + "  ./dir/upper.iso\n" +
		"SHA256 (bsd.iso) = " + sha256sum + "\n" + "sfv file.bin DEADBEEF\n" + "not a sum at all\n"
	got, err := parseSums(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	low := strings.ToLower(sha256sum)
	want := []namedSum{{"plain.iso", MD5, md5sum}, {"binary name.iso", MD5, md5sum}, {"./dir/upper.iso", SHA256, low},
		{"bsd.iso", SHA256, low}, {"sfv file.bin", CRC32, "deadbeef"}}
	if diff := cmp.Diff(want, got.sums); diff != "" {
		t.Error(diff)
	}
	if own := sumsFor(got.sums, "/somewhere/upper.iso"); len(own) != 1 || own[0].Hex != low {
		t.Errorf("%v", own)
	}
	if _, err := parseSums(strings.NewReader("hello\n")); !errors.Is(err, ErrNoSums) {
		t.Error(err)
	}
	lone, err := parseSums(strings.NewReader(low + "\n"))
	if err != nil || len(sumsFor(lone.sums, "x.iso")) != 1 {
		t.Error(lone, err)
	}
}

func TestHashFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	if err := os.WriteFile(path, []byte("abc"), 0o666); err != nil {
		t.Fatal(err)
	}
	for a, want := range map[Algorithm]string{CRC32: "352441c2", MD5: "900150983cd24fb0d6963f7d28e17f72",
		SHA1: "a9993e364706816aba3e25717850c26c9cd0d89d"} {
		if got, err := HashFile(context.Background(), path, a, nil); err != nil || got != want {
			t.Errorf("%s: %s, %v", a, got, err)
		}
	}
}

func TestForeignSectors(t *testing.T) {
	img, err := image.Open(context.Background(), corpus.Path(t, "libcdio", "isofs-m1.cue"))
	if err != nil {
		t.Fatal(err)
	}
	defer img.Close()
	r, err := Sectors(context.Background(), img, Options{})
	if err != nil || len(r.Bad) != 0 || r.Checked() == 0 {
		t.Errorf("%+v, %v", r, err)
	}
}

func FuzzParseSums(f *testing.F) {
	f.Add("d41d8cd98f00b204e9800998ecf8427e  a\nSHA1 (b) = da39a3ee5e6b4b0d3255bfef95601890afd80709\nc DEADBEEF")
	f.Fuzz(func(t *testing.T, text string) {
		all, err := parseSums(strings.NewReader(text))
		for _, s := range all.sums {
			if _, herr := hex.DecodeString(s.Hex); herr != nil || err != nil {
				t.Errorf("%+v, %v", s, err)
			}
		}
	})
}

func FuzzImplanted(f *testing.F) {
	f.Add([]byte("ISO MD5SUM = d41d8cd98f00b204e9800998ecf8427e;SKIPSECTORS = 3;FRAGMENT SUMS = " + strings.Repeat("0", 60) + ";FRAGMENT COUNT = 20;"))
	f.Fuzz(func(t *testing.T, text []byte) {
		iso := make([]byte, 60*2048)
		copy(iso[pvdOffset:], "\x01CD001")
		iso[pvdOffset+80], iso[pvdOffset+87] = 60, 60
		copy(iso[appUseOffset:appUseOffset+appUseSize], text)
		if m, err := ReadImplanted(bytes.NewReader(iso)); err == nil {
			if _, _, err := m.Check(context.Background(), bytes.NewReader(iso), nil); err != nil {
				t.Error(err)
			}
		}
	})
}

func BenchmarkSectors(b *testing.B) {
	img := open(b, "data", nil)
	for name, opts := range map[string]Options{"codes": {NoHashes: true}, "codes+hashes": {}} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(img.Layout().Sectors() * cdsector.Size))
			for b.Loop() {
				if _, err := Sectors(context.Background(), img, opts); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
