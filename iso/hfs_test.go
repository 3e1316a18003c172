package iso

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io/fs"
	"testing"
	"testing/fstest"

	"spindle/hfs"
	"spindle/internal/testdisc/testhfs"
)

func macFiles() []testhfs.File {
	return []testhfs.File{
		{Path: "Read Me", Data: bytes.Repeat([]byte("0123456789"), 300), Type: "TEXTttxt", Pieces: 3},
		{Path: "folder/Größe: 1", Data: []byte("x"), Resource: []byte("resources"), Type: "APPLgrsz"},
		{Path: "folder/nothing/"},
	}
}

func TestHFS(t *testing.T) {
	for _, plus := range []bool{false, true} {
		vol := testhfs.Make(testhfs.Options{Name: "Mac", Plus: plus, Files: macFiles()})
		r := bytes.NewReader(vol)
		v, err := ReadVolume(r, int64(len(vol)/BlockSize))
		if err != nil || v.Label != "Mac" || v.HFS != map[bool]string{false: "HFS", true: "HFS+"}[plus] || v.Blocks() > int64(len(vol)/BlockSize) {
			t.Fatalf("%+v, %v", v, err)
		}
		f, err := OpenFiles(r, 0)
		if err != nil || f.Kind() != HFS || f.Root() != 0 {
			t.Fatal(err)
		}
		if err := fstest.TestFS(f, "Read Me", "folder/Größe: 1", "folder/nothing"); err != nil {
			t.Error(err)
		}
		b, err := fs.ReadFile(f, "Read Me")
		if err != nil || !bytes.Equal(b, macFiles()[0].Data) {
			t.Errorf("%d bytes, %v", len(b), err)
		}
		info, err := fs.Stat(f, "Read Me")
		if err != nil {
			t.Fatal(err)
		}
		// Its pieces are smaller than sectors; the extents are those of the sectors that have them.
		extents, err := info.Sys().(*Entry).Extents()
		if err != nil || len(extents) != 3 {
			t.Fatal(extents, err)
		}
		for i, x := range extents {
			sectors := vol[x.Block*BlockSize:][:x.Size]
			piece := macFiles()[0].Data[i*1024 : min(3000, (i+1)*1024)]
			if !bytes.HasSuffix(sectors, piece) {
				t.Errorf("piece %d is not in %v", i, x)
			}
		}
	}
}

// Resource forks are shown where that is asked for, as AppleDouble.
func TestResourceForks(t *testing.T) {
	vol := testhfs.Make(testhfs.Options{Name: "Mac", Files: macFiles()})
	f, err := Choice{ResourceForks: true}.Open(bytes.NewReader(vol), 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := fstest.TestFS(f, "Read Me", "._Read Me", "folder/._Größe: 1"); err != nil {
		t.Error(err)
	}
	b, err := fs.ReadFile(f, "folder/._Größe: 1")
	if err != nil || len(b) != 82+len("resources") || binary.BigEndian.Uint32(b) != 0x51607 {
		t.Fatalf("%x, %v", b, err)
	}
	// RFC 1740: entries of an id, an offset and a length.
	for i, want := range [][3]uint32{{9, 50, 32}, {2, 82, 9}} {
		e := b[26+12*i:]
		if got := [3]uint32{binary.BigEndian.Uint32(e), binary.BigEndian.Uint32(e[4:]), binary.BigEndian.Uint32(e[8:])}; got != want {
			t.Errorf("entry %d is %v", i, got)
		}
	}
	if string(b[50:58]) != "APPLgrsz" || string(b[82:]) != "resources" {
		t.Errorf("%q", b[50:])
	}
}

// What only HFS Plus has: links, permissions, files that it compresses.
func TestHFSPlus(t *testing.T) {
	vol := testhfs.Make(testhfs.Options{Name: "Mac", Plus: true, Files: []testhfs.File{
		{Path: "target", Data: []byte("t"), Mode: 0o100640}, {Path: "a/link", Data: []byte("../target"), Mode: 0o120755},
		{Path: "pipe", Mode: 0o010600}, {Path: "compressed", Owner: 0x20, Mode: 0o100644},
	}})
	f, err := OpenFiles(bytes.NewReader(vol), 0)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := fs.ReadFile(f, "a/link"); string(b) != "t" {
		t.Errorf("%q, %v", b, err)
	}
	if to, err := f.ReadLink("a/link"); to != "../target" {
		t.Errorf("%q, %v", to, err)
	}
	for name, want := range map[string]fs.FileMode{"target": 0o640, "a/link": fs.ModeSymlink | 0o755, "pipe": fs.ModeNamedPipe | 0o600} {
		if i, err := f.Lstat(name); err != nil || i.Mode() != want {
			t.Errorf("%s: %v, %v", name, i, err)
		}
	}
	if _, err := f.Open("compressed"); !errors.Is(err, hfs.ErrPacked) {
		t.Errorf("what is compressed opens: %v", err)
	}
}

// Of a disc with several file systems, the one that is asked for is opened, or none.
func TestChoice(t *testing.T) {
	vol := testhfs.Make(testhfs.Options{Name: "Mac", Files: macFiles()})
	for k, want := range map[Kind]error{Best: nil, HFS: nil, ISO9660: ErrNoVolume, UDF: ErrNoVolume} {
		if _, err := (Choice{Kind: k}).Open(bytes.NewReader(vol), 0, 0); !errors.Is(err, want) {
			t.Errorf("kind %d: %v", k, err)
		}
	}
}
