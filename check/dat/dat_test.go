package dat

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"spindle/disc/digest"

	"archive/zip"

	"github.com/google/go-cmp/cmp"
)

// sums are the hashes of a made-up track.
func sums(seed int) digest.Sums {
	rng := rand.New(rand.NewPCG(uint64(seed), 1))
	random := func(n int) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(rng.Uint32())
		}
		return hex.EncodeToString(b)
	}
	return digest.Sums{Size: int64(2352 * (1 + seed%1000)), CRC32: random(4), MD5: random(16), SHA1: random(20), SHA256: random(32)}
}

// disc is a made-up disc of tracks.
func disc(seeds ...int) Disc {
	d := Disc{Whole: sums(-seeds[0] - 1)}
	for i, s := range seeds {
		d.Tracks = append(d.Tracks, Track{i + 1, sums(s)})
	}
	return d
}

// game is its entry in a DAT file, with the hashes that keep leaves.
func game(name string, d Disc, keep string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `<game name="%s"><rom name="x.cue" size="9"/>`, name)
	for i, t := range d.Tracks {
		fmt.Fprintf(&b, `<rom name="x (Track %d).bin" size="%d"`, i+1, t.Size)
		for _, h := range []struct{ name, value string }{{"crc", t.CRC32}, {"md5", t.MD5}, {"sha1", strings.ToUpper(t.SHA1)}} {
			if strings.Contains(keep, h.name) {
				fmt.Fprintf(&b, ` %s="%s"`, h.name, h.value)
			}
		}
		b.WriteString("/>")
	}
	b.WriteString("</game>\n")
	return b.String()
}

func file(games ...string) string {
	return `<?xml version="1.0" encoding="ISO-8859-1"?><!DOCTYPE datafile><datafile><header><name>x</name></header>` + "\n" +
		strings.Join(games, "") + "</datafile>"
}

// lookup is a disc that is looked for, and what is to be found.
type lookup struct {
	name string
	d    Disc
	want Match
}

func lookups() []lookup {
	near := disc(1, 2, 3)
	near.Tracks[1].Sums = sums(99)
	other := disc(50, 51, 52)
	single := disc(60)
	single.Whole, single.Tracks[0].Sums = sums(7), sums(61) // such as an .iso that is checked as a CD
	return []lookup{
		{"listed", disc(1, 2, 3), Match{Name: "Mixed & Test", Tracks: 3}},
		{"one track differs", near, Match{Near: "Mixed & Test", Differ: []int{2}, Tracks: 3}},
		{"a track is missing", disc(1, 2, 3, 4), Match{Near: "Mixed & Test", Differ: []int{4}, Tracks: 4}},
		{"unknown", other, Match{Tracks: 3}},
		{"by the whole", single, Match{Name: "Whole", Tracks: 1}},
		{"by MD5", disc(20), Match{Name: "MD5", Tracks: 1}},
		{"by CRC-32", disc(30), Match{Name: "CRC", Tracks: 1}},
	}
}

func games() []string {
	return []string{
		game("Other", disc(40), "crc,md5,sha1"), game("Mixed &amp; Test", disc(1, 2, 3), "crc,md5,sha1"),
		game("Whole", disc(7), "sha1"), game("MD5", disc(20), "md5"), game("CRC", disc(30), "crc"),
	}
}

func TestFind(t *testing.T) {
	for _, l := range lookups() {
		got, err := Find(strings.NewReader(file(games()...)), l.d)
		if diff := cmp.Diff(l.want, got); err != nil || diff != "" {
			t.Errorf("%s: %v %s", l.name, err, diff)
		}
	}
	for _, bad := range []string{"", "hello", "<a>", "<datafile></datafile>"} {
		if _, err := Find(strings.NewReader(bad), disc(1)); !errors.Is(err, ErrSyntax) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// A DAT file that asks for memory without end is refused where it does.
func TestHuge(t *testing.T) {
	endless := func(head, more string) io.Reader {
		return io.MultiReader(strings.NewReader(head), strings.NewReader(strings.Repeat(more, 4<<20/len(more))))
	}
	for name, r := range map[string]io.Reader{
		"attribute": endless("<datafile>\n<game name=\"", "a"),
		"depth":     endless("<datafile>\n", "<a>"),
		"files":     endless("<datafile>\n<game name=\"x\">", "<rom name=\"y\"/>"),
		"text":      endless("<datafile>\n<game name=\"x\">", "abc"),
	} {
		_, err := Find(r, Disc{})
		if !errors.Is(err, ErrSyntax) || !strings.Contains(err.Error(), "line 2: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Entities of a DAT file are not expanded, so that a few of them cannot become gigabytes; what names them is
// read as it stands.
func TestEntities(t *testing.T) {
	var bomb strings.Builder
	bomb.WriteString("<?xml version=\"1.0\"?>\n<!DOCTYPE datafile [\n<!ENTITY a0 \"aaaaaaaaaa\">\n")
	for i := range 30 {
		fmt.Fprintf(&bomb, "<!ENTITY a%d \"%s\">\n", i+1, strings.Repeat(fmt.Sprintf("&a%d;", i), 10))
	}
	bomb.WriteString("<!ENTITY file SYSTEM \"file:///etc/passwd\">\n]>\n<datafile><game name=\"&a30;&file;\"><rom name=\"x.bin\" size=\"1\"/></game></datafile>")
	r := NewReader(strings.NewReader(bomb.String()))
	if g, err := r.Next(); err != nil || g.Name != "&a30;&file;" {
		t.Errorf("%+v, %v", g, err)
	}
}

// A DAT file of any size is read in the memory that one of its games takes.
func TestMemory(t *testing.T) {
	one := game("Some disc (Europe)", disc(1, 2, 3), "crc,md5,sha1")
	const size = 8 << 20
	last := disc(50, 51)
	r := io.MultiReader(strings.NewReader("<datafile>"), &repeated{text: one, left: size / len(one)},
		strings.NewReader(game("The last", last, "sha1")+"</datafile>"))
	peak := &memory{r: r}
	m, err := Find(peak, last)
	if err != nil || m.Name != "The last" {
		t.Errorf("%+v, %v", m, err)
	}
	if peak.grew > size/4 {
		t.Errorf("%d bytes of heap for a file of %d", peak.grew, size)
	}
}

// repeated is a text, many times.
type repeated struct {
	text string
	at   int
	left int
}

func (r *repeated) Read(p []byte) (int, error) {
	if r.left == 0 {
		return 0, io.EOF
	}
	n := copy(p, r.text[r.at:])
	if r.at += n; r.at == len(r.text) {
		r.at, r.left = 0, r.left-1
	}
	return n, nil
}

// memory watches what is held while something is read.
type memory struct {
	r                io.Reader
	read, at         int
	first, now, grew uint64
}

func (m *memory) Read(p []byte) (int, error) {
	if m.read >= m.at {
		m.at += 1 << 20
		var s runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&s)
		if m.now = s.HeapAlloc; m.first == 0 {
			m.first = m.now
		}
		m.grew = max(m.grew, m.now-min(m.now, m.first))
	}
	n, err := m.r.Read(p)
	m.read += n
	return n, err
}

// folder writes a folder of DAT files, one of them in an archive, and some that cannot be used.
func folder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	all := games()
	write(t, filepath.Join(dir, "a.dat"), file(all[:2]...))
	write(t, filepath.Join(dir, "below", "b.xml"), file(all[2:4]...))
	write(t, filepath.Join(dir, "broken.dat"), "hello")
	write(t, filepath.Join(dir, "broken.zip"), "hello")
	write(t, filepath.Join(dir, "note.txt"), "no DAT file")
	f, err := os.Create(filepath.Join(dir, "c.zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z := zip.NewWriter(f)
	w, err := z.Create("in/c.dat")
	if err == nil {
		_, err = io.WriteString(w, file(all[4:]...))
	}
	if err := errors.Join(err, z.Close()); err != nil {
		t.Fatal(err)
	}
	return dir
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o777), os.WriteFile(path, []byte(text), 0o666)); err != nil {
		t.Fatal(err)
	}
}

func TestIndex(t *testing.T) {
	dir, cache := folder(t), filepath.Join(t.TempDir(), "made", "here")
	for _, round := range []string{"made", "kept"} {
		x, err := Open(context.Background(), dir, cache)
		if err != nil {
			t.Fatal(round, err)
		}
		for _, l := range lookups() {
			got, err := x.Find(l.d)
			if l.want.Name+l.want.Near != "" && got.File == "" {
				t.Errorf("%s, %s: no file", round, l.name)
			}
			got.File = ""
			if diff := cmp.Diff(l.want, got); err != nil || diff != "" {
				t.Errorf("%s, %s: %v %s", round, l.name, err, diff)
			}
		}
		var broken []string
		for _, s := range x.Sources() {
			if s.Err != "" {
				broken = append(broken, s.Name())
			}
		}
		if diff := cmp.Diff([]string{"broken.dat", "broken.zip"}, broken); diff != "" || x.Len() != 5 {
			t.Errorf("%s: %d discs %s", round, x.Len(), diff)
		}
		if err := x.Close(); err != nil {
			t.Error(err)
		}
	}
}

// An index follows its DAT files, and is made again when it is damaged or cannot be kept.
func TestIndexIsRenewed(t *testing.T) {
	dir, cache := folder(t), t.TempDir()
	find := func(cache string, want string) {
		t.Helper()
		x, err := Open(context.Background(), dir, cache)
		if err != nil {
			t.Fatal(err)
		}
		defer x.Close()
		if m, err := x.Find(disc(40)); err != nil || m.Name != want {
			t.Errorf("%+v, %v, want %q", m, err, want)
		}
	}
	find(cache, "Other")
	kept, err := filepath.Glob(filepath.Join(cache, "*"))
	if err != nil || len(kept) != 1 {
		t.Fatal(kept, err)
	}
	b, err := os.ReadFile(kept[0])
	if err != nil {
		t.Fatal(err)
	}
	write(t, kept[0], string(b[:len(b)-9]))
	find(cache, "Other")
	write(t, filepath.Join(dir, "a.dat"), file(game("Renamed", disc(40), "sha1")))
	later := time.Now().Add(time.Hour)
	if err := os.Chtimes(filepath.Join(dir, "a.dat"), later, later); err != nil {
		t.Fatal(err)
	}
	find(cache, "Renamed")
	find(filepath.Join(dir, "note.txt", "no folder"), "Renamed")
}

// A cache on a full disk costs time, and no more.
func TestIndexOnFullDisk(t *testing.T) {
	sources, err := list(folder(t))
	if err != nil {
		t.Fatal(err)
	}
	cache := t.TempDir()
	x, err := create(t.Context(), filepath.Join(cache, "x.index"), sources, func(ctx context.Context, w io.Writer, s []Source) error {
		if f, ok := w.(*os.File); ok && filepath.Dir(f.Name()) == cache {
			return syscall.ENOSPC
		}
		return writeIndex(ctx, w, s)
	})
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	if m, err := x.Find(disc(40)); err != nil || m.Name != "Other" {
		t.Errorf("%+v, %v", m, err)
	}
	if left, err := os.ReadDir(cache); err != nil || len(left) > 0 {
		t.Errorf("%v, %v", left, err)
	}
}

// What a small archive unpacks to does not fill the memory.
func TestIndexIsBounded(t *testing.T) {
	g := &Game{Name: "x", ROMs: []ROM{{Name: "x.bin", CRC32: "00000000"}, {Name: "y.bin", CRC32: "00000001"}}}
	for _, x := range []indexWriter{{offsets: make([]uint64, mostGames)}, {keys: make([]indexKey, mostKeys-1)}} {
		if err := x.add(g); !errors.Is(err, errMany) {
			t.Error(err)
		}
	}
}

func TestOpenNothing(t *testing.T) {
	dir := t.TempDir()
	if _, err := Open(context.Background(), dir, t.TempDir()); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	write(t, filepath.Join(dir, "a.dat"), "hello")
	if _, err := Open(context.Background(), dir, t.TempDir()); !errors.Is(err, ErrSyntax) || !strings.Contains(err.Error(), "a.dat") {
		t.Error(err)
	}
	if _, err := Open(context.Background(), filepath.Join(dir, "none"), t.TempDir()); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

// Whatever an index file holds, opening it and looking into it ends.
func FuzzIndex(f *testing.F) {
	dir := f.TempDir()
	path := filepath.Join(dir, "a.dat")
	if err := os.WriteFile(path, []byte(file(games()...)), 0o666); err != nil {
		f.Fatal(err)
	}
	x, err := Open(context.Background(), path, dir)
	if err != nil {
		f.Fatal(err)
	}
	x.Close()
	kept, err := filepath.Glob(filepath.Join(dir, "*.index"))
	if err != nil || len(kept) != 1 {
		f.Fatal(kept, err)
	}
	b, err := os.ReadFile(kept[0])
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(_ *testing.T, b []byte) {
		x, err := readIndex(strings.NewReader(string(b)), int64(len(b)))
		if err != nil {
			return
		}
		for i := range min(x.Len(), 100) {
			_, _, _ = x.Game(i)
		}
		_, _ = x.Find(disc(1, 2, 3))
	})
}

func FuzzFind(f *testing.F) {
	f.Add(file(games()...))
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := Find(strings.NewReader(text), disc(1)); err != nil && !errors.Is(err, ErrSyntax) {
			t.Error(err)
		}
	})
}

// A look-up among 100,000 files; among a million it takes three steps more.
func BenchmarkIndex(b *testing.B) {
	dir := b.TempDir()
	path := filepath.Join(dir, "million.dat")
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	const discs, tracks = 10_000, 10
	fmt.Fprintln(f, "<datafile>")
	rng := rand.New(rand.NewPCG(1, 2))
	var last Disc
	for i := range discs {
		d := Disc{}
		for j := range tracks {
			s := digest.Sums{Size: int64(2352 * (1 + rng.IntN(20000))), SHA1: fmt.Sprintf("%016x%016x%08x", rng.Uint64(), rng.Uint64(), rng.Uint32())}
			d.Tracks = append(d.Tracks, Track{j + 1, s})
		}
		fmt.Fprint(f, game(fmt.Sprint("Disc ", i), d, "sha1"))
		last = d
	}
	fmt.Fprintln(f, "</datafile>")
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
	x, err := Open(context.Background(), path, dir)
	if err != nil {
		b.Fatal(err)
	}
	defer x.Close()
	for b.Loop() {
		if m, err := x.Find(last); err != nil || m.Name == "" {
			b.Fatal(m, err)
		}
	}
}
