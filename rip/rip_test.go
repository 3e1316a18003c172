package rip

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/drive"
	"spindle/image"
	"spindle/image/isofile"
	"spindle/internal/corpus"
	"spindle/internal/testdisc"
	"spindle/scsi"
	"spindle/scsi/mmc"
	"spindle/scsi/sim"

	"github.com/google/go-cmp/cmp"
)

// observer keeps what a rip tells.
type observer struct {
	notes    []Note
	progress func(Progress)
}

func (o *observer) Note(n Note) { o.notes = append(o.notes, n) }

func (o *observer) told(code NoteCode) bool {
	return slices.ContainsFunc(o.notes, func(n Note) bool { return n.Code == code })
}

func (o *observer) Progress(p Progress) {
	if o.progress != nil {
		o.progress(p)
	}
}

// tray makes a drive with a disc in it; query is what follows the file in a sim:
// name.
func tray(t testing.TB, path, query string) *mmc.Drive {
	t.Helper()
	return mmc.New(simulated(t, path, query))
}

func simulated(t testing.TB, path, query string) *sim.Drive {
	t.Helper()
	spec, err := sim.ParseSpec(path + query)
	if err != nil {
		t.Fatal(err)
	}
	cfg := spec.Config
	cfg.Media = spec.Media
	if m, ok := sim.MediumOf(spec.Media); ok && filepath.Ext(path) == ".iso" {
		cfg.Image, err = isofile.OpenAs(context.Background(), path, m)
	} else {
		cfg.Image, err = image.Open(context.Background(), path)
	}
	if err != nil {
		t.Fatal(err)
	}
	d := sim.New(cfg)
	t.Cleanup(func() { d.Close() })
	return d
}

func makeDisc(t testing.TB, name string) string {
	t.Helper()
	path, err := testdisc.Make(t.TempDir(), name)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func same(t *testing.T, a, b string) {
	t.Helper()
	x, err := os.ReadFile(a)
	if err != nil {
		t.Fatal(err)
	}
	y, err := os.ReadFile(b)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(x, y) {
		t.Errorf("%s and %s differ", a, b)
	}
}

func base(path string) string { return strings.TrimSuffix(path, filepath.Ext(path)) }

// Every kind of disc comes back as it was: bytes, tracks, indexes, codes, text.
func TestEveryDiscComesBack(t *testing.T) {
	for _, name := range testdisc.Names() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			src := makeDisc(t, name)
			out := filepath.Join(t.TempDir(), filepath.Base(src))
			format := CueBin
			if filepath.Ext(src) == ".iso" {
				format = ISO
			}
			res, err := Rip(context.Background(), tray(t, src, ""), Options{Output: out, Format: format})
			if err != nil {
				t.Fatal(err)
			}
			if len(res.Bad) > 0 || res.Map != "" {
				t.Errorf("bad sectors: %v", res.Bad)
			}
			same(t, src, out)
			if format == CueBin {
				same(t, base(src)+".bin", base(out)+".bin")
			}
			if _, err := os.Stat(base(src) + ".cdt"); err == nil {
				same(t, base(src)+".cdt", base(out)+".cdt")
			}
			left, err := filepath.Glob(filepath.Join(filepath.Dir(out), "*"))
			if err != nil || len(left) != len(res.Images)+len(res.Others) {
				t.Errorf("left behind: %v; made: %v %v", left, res.Images, res.Others)
			}
		})
	}
}

func TestForeignImagesComeBack(t *testing.T) {
	paths := append(corpus.Glob(t, "libcdio/*.iso"), corpus.Path(t, "libcdio", "cdda.cue"), corpus.Path(t, "libcdio", "p1.cue"),
		corpus.Path(t, "libcdio", "isofs-m1.cue"))
	done := 0
	for _, path := range paths {
		img, err := image.Open(context.Background(), path)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		want, cut := *img.Layout(), len(img.Flaws()) > 0
		img.Close()
		if cut { // the malformed ones
			continue
		}
		out := filepath.Join(t.TempDir(), filepath.Base(path))
		format, bin := ISO, path
		if filepath.Ext(path) == ".cue" {
			format, bin = CueBin, base(path)+".bin"
		}
		if _, err := Rip(context.Background(), tray(t, path, ""), Options{Output: out, Format: format}); err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		got := out
		if format == CueBin {
			got = base(out) + ".bin"
		}
		same(t, bin, got)
		again, err := image.Open(context.Background(), out)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(&want, again.Layout()); diff != "" {
			t.Errorf("%s: %s", path, diff)
		}
		again.Close()
		done++
	}
	if done < 9 {
		t.Errorf("only %d images were ripped", done)
	}
}

func TestSplitAndSubchannel(t *testing.T) {
	src := makeDisc(t, "audio")
	out := filepath.Join(t.TempDir(), "x.cue")
	res, err := Rip(context.Background(), tray(t, src, ""), Options{Output: out, Format: CueBin, Split: true, Subchannel: true})
	if err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(base(src) + ".bin")
	if err != nil {
		t.Fatal(err)
	}
	var joined []byte
	for i, img := range res.Images {
		b, err := os.ReadFile(img.Path)
		if err != nil {
			t.Fatal(err)
		}
		if img.Size != int64(len(b)) || img.SHA256 != res.Tracks[i].SHA256 {
			t.Errorf("%s: %+v", img.Path, img)
		}
		joined = append(joined, b...)
	}
	if !bytes.Equal(joined, whole) {
		t.Error("the tracks together are not the disc")
	}
	if want := "x (Track 1).bin"; filepath.Base(res.Images[0].Path) != want {
		t.Errorf("the first file is %s", res.Images[0].Path)
	}
	// The image of several files is the same disc.
	same2 := filepath.Join(t.TempDir(), "y.cue")
	if _, err := Rip(context.Background(), tray(t, out, ""), Options{Output: same2, Format: CueBin}); err != nil {
		t.Fatal(err)
	}
	same(t, base(src)+".bin", base(same2)+".bin")
	sub, err := os.ReadFile(base(out) + ".sub")
	if err != nil || len(sub) != len(whole)/2352*96 {
		t.Fatalf("%d bytes of sub-channel, %v", len(sub), err)
	}
	for i := 0; i < len(sub); i += 96 {
		if _, err := cdsector.DecodeQ((*[12]byte)(sub[i+12:])); err != nil {
			t.Fatalf("sector %d: %v", i/96, err)
		}
	}
}

// A sub-channel that runs ahead of the sectors, or behind, is put in its place.
func TestSubchannelIsMoved(t *testing.T) {
	src := makeDisc(t, "audio")
	rip := func(query string) ([]byte, *observer) {
		o := new(observer)
		out := filepath.Join(t.TempDir(), "x.cue")
		if _, err := Rip(context.Background(), tray(t, src, query), Options{Output: out, Format: CueBin, Subchannel: true, Observer: o}); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(base(out) + ".sub")
		if err != nil {
			t.Fatal(err)
		}
		return b, o
	}
	want, _ := rip("")
	for ahead, query := range map[int]string{2: "?trait=subchannel-shifted:2", -3: "?trait=subchannel-shifted:-3"} {
		got, o := rip(query)
		at, end := max(ahead, 0)*cdsector.SubSize, len(want)+min(ahead, 0)*cdsector.SubSize
		if len(got) != len(want) || !bytes.Equal(got[at:end], want[at:end]) || !allZero(got[:at]) || !allZero(got[end:]) || !o.told(NoteSubMoved) {
			t.Errorf("%s: wrong", query)
		}
	}
}

func TestDiscsThatCannotBe(t *testing.T) {
	mixed, dvd := makeDisc(t, "mixed"), makeDisc(t, "iso")
	for _, test := range []struct {
		drive  *mmc.Drive
		format Format
		want   error
	}{
		{tray(t, mixed, "?lie=leadout"), CueBin, drive.ErrTOC},
		{tray(t, mixed, "?lie=overlap"), CueBin, drive.ErrTOC},
		{tray(t, mixed, "?tray=open"), CueBin, drive.ErrTrayOpen},
		{tray(t, mixed, ""), ISO, ErrNotISO},
		{tray(t, dvd, "?media=dvd-rom"), CueBin, ErrNotCD},
		{mmc.New(sim.New(sim.Config{})), CueBin, drive.ErrNoMedium},
		{mmc.New(sim.New(sim.Config{Blank: true, Media: "cd-r"})), CueBin, ErrBlank},
		{mmc.New(sim.New(sim.Config{Blank: true, Media: "dvd+r"})), ISO, ErrBlank},
		{mmc.New(sim.New(sim.Config{Blank: true, Media: "bd-r"})), ISO, ErrBlank},
	} {
		out := filepath.Join(t.TempDir(), "x."+string(test.format))
		if _, err := Rip(context.Background(), test.drive, Options{Output: out, Format: test.format}); !errors.Is(err, test.want) {
			t.Errorf("%v, want %v", err, test.want)
		}
		if left, _ := filepath.Glob(filepath.Join(filepath.Dir(out), "*")); len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
	}
}

func TestOffsetCorrection(t *testing.T) {
	src := makeDisc(t, "audio")
	want, err := os.ReadFile(base(src) + ".bin")
	if err != nil {
		t.Fatal(err)
	}
	for query, offset := range map[string]int{"?offset=30": 30, "?offset=-588": -588, "?offset=1176": 1176, "?offset=-1000": -1000,
		"?offset=30&trait=overreads": 30, "?offset=-588&trait=overreads": -588, "?offset=1176&trait=overreads": 1176,
		"?offset=-1000&trait=overreads": -1000, "?offset=1176&trait=overreads:1": 1176} {
		out := filepath.Join(t.TempDir(), "x.cue")
		res, err := Rip(context.Background(), tray(t, src, query), Options{Output: out, Format: CueBin, Offset: offset})
		if err != nil || len(res.Bad) > 0 {
			t.Fatal(err, res.Bad)
		}
		got, err := os.ReadFile(base(out) + ".bin")
		if err != nil {
			t.Fatal(err)
		}
		// What the drive cannot reach is silent.
		n := 4 * max(offset, -offset)
		if overreads := strings.HasSuffix(query, "overreads"); overreads != res.Overread {
			t.Errorf("%s: %t", query, res.Overread)
		} else if overreads { // the drive reaches all
			if !bytes.Equal(got, want) {
				t.Errorf("%s: wrong", query)
			}
			continue
		}
		if offset > 0 {
			if !bytes.Equal(got[:len(got)-n], want[:len(want)-n]) || !allZero(got[len(got)-n:]) {
				t.Errorf("%s: wrong", query)
			}
		} else if !bytes.Equal(got[n:], want[n:]) || !allZero(got[:n]) {
			t.Errorf("%s: wrong", query)
		}
	}
	_, err = Rip(context.Background(), tray(t, src, ""), Options{Output: "x.cue", Format: CueBin, Offset: 6, Subchannel: true})
	if !errors.Is(err, ErrOptions) {
		t.Error(err)
	}
}

func TestISOSizes(t *testing.T) {
	src := makeDisc(t, "iso")
	content, err := os.ReadFile(src)
	if err != nil {
		t.Fatal(err)
	}
	padded := filepath.Join(t.TempDir(), "padded.iso")
	if err := os.WriteFile(padded, append(content, make([]byte, 7*2048)...), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		path, query string
		note        NoteCode
	}{
		{src, "", ""}, {src, "?media=dvd-rom", ""}, {src, "?media=bd-rom", ""}, {src, "?media=dvd+r", ""},
		{src, "?tao=yes", NoteRunOut}, {padded, "", NoteVolumeSmaller}, {padded, "?media=dvd-rom", NoteVolumeSmaller},
		{src, "?media=dvd-rom&fault=28:40:short", ""}, {src, "?media=dvd-rom&fault=28:30:timeout", ""},
	} {
		o := new(observer)
		out := filepath.Join(t.TempDir(), "x.iso")
		res, err := Rip(context.Background(), tray(t, test.path, test.query), Options{Output: out, Format: ISO, Retries: 1, Observer: o})
		if err != nil || len(res.Bad) > 0 {
			t.Errorf("%s: %+v, %v", test.query, res, err)
			continue
		}
		same(t, test.path, out)
		if test.note == "" && len(o.notes) > 0 || test.note != "" && !o.told(test.note) {
			t.Errorf("%s: notes %+v, want %q", test.query, o.notes, test.note)
		}
	}
}

// A volume that claims more than the drive has is ripped as far as it says, and
// the user is informed; the rest is bad.
func TestVolumeLargerThanDisc(t *testing.T) {
	src := makeDisc(t, "iso")
	b, err := os.ReadFile(src)
	if err != nil {
		t.Fatal(err)
	}
	n := disc.LBA(len(b)/2048 - 10)
	l := &disc.Layout{Medium: disc.DVD, Sessions: []disc.Session{{Number: 1, LeadOut: n, Tracks: []disc.Track{
		{Number: 1, Mode: disc.Mode1, Control: disc.DataTrack, End: n}}}}}
	img, err := disc.NewExtentImage(l, []disc.Extent{{Count: int(n), Source: bytes.NewReader(b), Form: disc.FormBlock}})
	if err != nil {
		t.Fatal(err)
	}
	o := new(observer)
	res, err := Rip(context.Background(), mmc.New(sim.New(sim.Config{Image: img})),
		Options{Output: filepath.Join(t.TempDir(), "x.iso"), Format: ISO, Observer: o})
	if err != nil {
		t.Fatal(err)
	}
	if res.BadSectors() != 10 || res.Sectors != int64(len(b)/2048) || !o.told(NoteVolumeLarger) {
		t.Errorf("%d bad of %d: %+v %v", res.BadSectors(), res.Sectors, o.notes, res.Bad)
	}
}

func TestProtected(t *testing.T) {
	src := makeDisc(t, "iso")
	b, err := os.ReadFile(src)
	if err != nil {
		t.Fatal(err)
	}
	big := filepath.Join(t.TempDir(), "big.iso")
	if err := os.WriteFile(big, append(b, make([]byte, 2048*1000)...), 0o666); err != nil {
		t.Fatal(err)
	}
	o := new(observer)
	res, err := Rip(context.Background(), tray(t, big, "?media=dvd-rom&protect=css"),
		Options{Output: filepath.Join(t.TempDir(), "x.iso"), Format: ISO, Observer: o})
	if err != nil || len(res.Bad) != 1 || res.Bad[0].Reason != Protected || !o.told(NoteProtected) {
		t.Errorf("%v; %+v", err, o.notes)
	}
}

func TestLayerBreak(t *testing.T) {
	n := disc.LBA(2298496 + 1000)
	l := &disc.Layout{Medium: disc.DVD, Sessions: []disc.Session{{Number: 1, LeadOut: n, Tracks: []disc.Track{
		{Number: 1, Mode: disc.Mode1, Control: disc.DataTrack, End: n}}}}}
	img, err := disc.NewExtentImage(l, []disc.Extent{{Count: int(n), Form: disc.FormBlock}})
	if err != nil {
		t.Fatal(err)
	}
	d, err := survey(context.Background(), mmc.New(sim.New(sim.Config{Image: img})), ExamineOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if want := (n + 31) / 32 * 16; d.Layout.LayerBreak != want {
		t.Errorf("layer break at %d, want %d", d.Layout.LayerBreak, want)
	}
}

func TestTraceReplays(t *testing.T) {
	src := makeDisc(t, "mixed")
	dir := t.TempDir()
	f, err := os.Create(filepath.Join(dir, "trace"))
	if err != nil {
		t.Fatal(err)
	}
	img, err := image.Open(context.Background(), src)
	if err != nil {
		t.Fatal(err)
	}
	defer img.Close()
	fault, err := sim.ParseFault("read:400-402:1")
	if err != nil {
		t.Fatal(err)
	}
	rec := scsi.NewTracer(sim.New(sim.Config{Image: img, Faults: []sim.Fault{fault}}), f)
	if _, err := Rip(context.Background(), mmc.New(rec), Options{Output: filepath.Join(dir, "a.cue"), Format: CueBin, Retries: 2}); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(rec.Flush(), f.Close()); err != nil {
		t.Fatal(err)
	}
	tr, err := scsi.OpenReplay(f.Name())
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	res, err := Rip(context.Background(), mmc.New(tr), Options{Output: filepath.Join(dir, "b.cue"), Format: CueBin, Retries: 2})
	if err != nil || len(res.Bad) > 0 {
		t.Fatal(res, err)
	}
	same(t, filepath.Join(dir, "a.bin"), filepath.Join(dir, "b.bin"))
}
