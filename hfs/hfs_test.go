package hfs_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"spindle/hfs"
	"spindle/internal/testdisc/testhfs"
)

func content(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*7 + i>>8)
	}
	return b
}

// files are those of a volume: enough for three levels of a tree, and one in many pieces.
func files() []testhfs.File {
	all := []testhfs.File{
		{Path: "in pieces", Data: content(60_000), Pieces: 29, Type: "TEXTttxt"},
		{Path: "Müll/a:b", Data: []byte("colon"), Resource: content(700), Type: "APPLxxxx"},
		{Path: "empty folder/"},
	}
	for i := range 150 {
		all = append(all, testhfs.File{Path: fmt.Sprintf("many/file with a long name %d", i), Data: content(i)})
	}
	return all
}

// read returns the content of a fork.
func read(t *testing.T, v *hfs.Volume, vol []byte, f *hfs.Fork) []byte {
	t.Helper()
	runs, err := v.Runs(f)
	if err != nil {
		t.Fatal(err)
	}
	var b []byte
	for _, r := range runs {
		b = append(b, vol[r.At:r.At+r.Size]...)
	}
	return b
}

// walk lists all of a volume.
func walk(v *hfs.Volume, folder uint32, path string, into map[string]*hfs.Item) error {
	items, err := v.List(folder)
	for _, i := range items {
		name := path + i.Name
		if into[name] != nil || len(into) > 1000 {
			return errors.New("it does not end")
		}
		if into[name] = i; i.Folder {
			err = errors.Join(err, walk(v, i.ID, name+"/", into))
		}
	}
	return err
}

func TestVolumes(t *testing.T) {
	plain := testhfs.Make(testhfs.Options{Name: "Volume", Files: files()})
	plus := testhfs.Make(testhfs.Options{Name: "Volume", Plus: true, Files: files()})
	for name, c := range map[string]struct {
		image []byte
		kind  string
	}{
		"HFS": {plain, "HFS"}, "HFS+": {plus, "HFS+"}, "HFS+ in HFS": {testhfs.Wrap(plus), "HFS+"},
		"HFS in a map": {testhfs.Map(plain, 512), "HFS"}, "HFS+ in a map of a disc": {testhfs.Map(plus, 2048), "HFS+"},
		"wrapped in a map": {testhfs.Map(testhfs.Wrap(plus), 512), "HFS+"},
	} {
		t.Run(name, func(t *testing.T) {
			v, err := hfs.Open(bytes.NewReader(c.image))
			if err != nil {
				t.Fatal(err)
			}
			if v.Kind != c.kind || v.Name != "Volume" || v.Made.Year() != 2004 {
				t.Errorf("%s %q of %v", v.Kind, v.Name, v.Made)
			}
			if !hfs.Announced(bytes.NewReader(c.image)) || !hfs.Marked(c.image) {
				t.Error("it is not recognised")
			}
			all := make(map[string]*hfs.Item)
			if err := walk(v, hfs.RootID, "", all); err != nil {
				t.Fatal(err)
			}
			for _, f := range files() {
				i := all[strings.TrimSuffix(f.Path, "/")]
				if i == nil {
					t.Errorf("%s is missing", f.Path)
					continue
				}
				if !bytes.Equal(read(t, v, c.image, &i.Data), f.Data) && !i.Folder || !bytes.Equal(read(t, v, c.image, &i.Resource), f.Resource) {
					t.Errorf("%s has other content", f.Path)
				}
				if !strings.HasPrefix(string(i.FinderInfo[:]), f.Type) || i.Modified.Year() != 2004 && !i.Folder {
					t.Errorf("%s: %q %v", f.Path, i.FinderInfo, i.Modified)
				}
			}
			if len(all) != len(files())+2 {
				t.Errorf("%d files and folders", len(all))
			}
		})
	}
}

// Hard links have the content of what they lead to; where that is kept is not shown.
func TestHardLinks(t *testing.T) {
	vol := testhfs.Make(testhfs.Options{Name: "V", Plus: true, Files: []testhfs.File{
		{Path: "\x00\x00\x00\x00HFS+ Private Data/iNode77", Data: []byte("shared"), Mode: 0o100600},
		{Path: "one", Type: "hlnkhfs+", Special: 77}, {Path: "two", Type: "hlnkhfs+", Special: 77},
		{Path: "lost", Type: "hlnkhfs+", Special: 78},
	}})
	v, err := hfs.Open(bytes.NewReader(vol))
	if err != nil {
		t.Fatal(err)
	}
	items, err := v.List(hfs.RootID)
	if len(items) != 3 || !errors.Is(err, hfs.ErrFormat) || !strings.Contains(err.Error(), `"lost" is a hard link to iNode78`) {
		t.Errorf("%d items, %v", len(items), err)
	}
	for _, i := range items {
		if got := string(read(t, v, vol, &i.Data)); i.Name != "lost" && (got != "shared" || i.Mode != 0o100600) {
			t.Errorf("%s: %q %o", i.Name, got, i.Mode)
		}
	}
}

// What makes no sense is an error, and what can be read comes with it.
func TestMalformed(t *testing.T) {
	be := binary.BigEndian
	for name, c := range map[string]struct {
		plus  bool
		spoil func(b []byte)
		want  string
	}{
		"a catalogue of 2^63 bytes":     {true, func(b []byte) { be.PutUint64(b[1024+272:], 1<<63) }, "larger than the volume"},
		"a catalogue beyond the volume": {true, func(b []byte) { be.PutUint32(b[1024+288:], 1<<31) }, "of a volume of"},
		"extents that overlap": {true, func(b []byte) {
			copy(b[1024+272+24:], b[1024+272+16:1024+272+24])
		}, "two times"},
		"nodes of 3 bytes": {true, func(b []byte) { be.PutUint16(b[catalogOf(b)+32:], 3) }, "nodes of 3 bytes"},
		"a leaf that follows itself": {false, func(b []byte) {
			for at := catalogOf(b); at < catalogOf(b)+80*512; at += 512 {
				if b[at+8] == 0xFF {
					be.PutUint32(b[at:], be.Uint32(b[catalogOf(b)+24:]))
				}
			}
		}, "lead back"},
		"records behind the node": {false, func(b []byte) {
			leaf := catalogOf(b) + 512*int(be.Uint32(b[catalogOf(b)+24:]))
			be.PutUint16(b[leaf+10:], 60000)
		}, "60000 records"},
	} {
		t.Run(name, func(t *testing.T) {
			b := testhfs.Make(testhfs.Options{Name: "V", Plus: c.plus, Files: files()})
			c.spoil(b)
			v, err := hfs.Open(bytes.NewReader(b))
			if err == nil {
				err = walk(v, hfs.RootID, "", make(map[string]*hfs.Item))
			}
			if !errors.Is(err, hfs.ErrFormat) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v", err)
			}
		})
	}
}

// catalogOf is where the catalogue of a made volume is.
func catalogOf(b []byte) int {
	be := binary.BigEndian
	if string(b[1024:1026]) == "H+" {
		return int(be.Uint32(b[1024+288:])) * 512
	}
	return int(be.Uint16(b[1024+150:]))*512 + 4*512
}

// Where an index of the tree is damaged, the leaves are still gone through.
func TestDamagedIndex(t *testing.T) {
	for _, plus := range []bool{false, true} {
		b := testhfs.Make(testhfs.Options{Name: "V", Plus: plus, Files: files()})
		be := binary.BigEndian
		at := catalogOf(b)
		root, size := int(be.Uint32(b[at+16:])), int(be.Uint16(b[at+32:]))
		clear(b[at+root*size:][:size])
		v, err := hfs.Open(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		all := make(map[string]*hfs.Item)
		if err := walk(v, hfs.RootID, "", all); err != nil || len(all) != len(files())+2 {
			t.Errorf("%d, %v", len(all), err)
		}
	}
}

func FuzzOpen(f *testing.F) {
	some := []testhfs.File{
		{Path: "a", Data: content(9000), Pieces: 12}, {Path: "d/e", Resource: content(10)}, {Path: "l", Type: "hlnkhfs+", Special: 1},
	}
	plus := testhfs.Make(testhfs.Options{Name: "V", Plus: true, Files: some})
	f.Add(testhfs.Make(testhfs.Options{Name: "V", Files: some}))
	f.Add(plus)
	f.Add(testhfs.Map(testhfs.Wrap(plus), 512))
	f.Fuzz(func(t *testing.T, b []byte) {
		r := bytes.NewReader(b)
		hfs.Announced(r)
		v, err := hfs.Open(r)
		if err != nil {
			return
		}
		all := make(map[string]*hfs.Item)
		_ = walk(v, hfs.RootID, "", all)
		for _, i := range all {
			for _, fork := range []*hfs.Fork{&i.Data, &i.Resource} {
				runs, err := v.Runs(fork)
				var sum int64
				for _, x := range runs {
					sum += x.Size
				}
				if err == nil && sum > fork.Size {
					t.Fatalf("%d bytes of %d", sum, fork.Size)
				}
			}
		}
	})
}

// A thousand volumes with some random bytes: none takes long, none is read beyond what there is.
func TestMutated(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, plus := range []bool{false, true} {
		vol := testhfs.Make(testhfs.Options{Name: "V", Plus: plus, Files: files()[:40]})
		for range 500 {
			b := bytes.Clone(vol)
			for range 1 + random.IntN(20) {
				at := random.IntN(4096) // headers
				if random.IntN(2) == 0 {
					at = catalogOf(vol) + random.IntN(8192)
				}
				b[at] = byte(random.Uint32())
			}
			v, err := hfs.Open(bytes.NewReader(b))
			if err != nil {
				continue
			}
			all := make(map[string]*hfs.Item)
			_ = walk(v, hfs.RootID, "", all)
			for _, i := range all {
				_, _ = v.Runs(&i.Data)
			}
		}
	}
}
