package nrg

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"strings"
	"testing"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/internal/corpus"

	"github.com/google/go-cmp/cmp"
)

// file makes an .nrg: sectors, chunks, footer.
type file struct {
	bytes.Buffer
	chunks bytes.Buffer
	v1     bool
}

func (f *file) chunk(id string, data []byte) {
	f.chunks.WriteString(id)
	f.chunks.Write(binary.BigEndian.AppendUint32(nil, uint32(len(data))))
	f.chunks.Write(data)
}

func (f *file) offset(v int64) []byte {
	if f.v1 {
		return binary.BigEndian.AppendUint32(nil, uint32(v))
	}
	return binary.BigEndian.AppendUint64(nil, uint64(v))
}

func (f *file) finish() []byte {
	f.chunk("END!", nil)
	at := int64(f.Len())
	out := append(bytes.Clone(f.Bytes()), f.chunks.Bytes()...)
	if f.v1 {
		return append(append(out, "NERO"...), f.offset(at)...)
	}
	return append(append(out, "NER5"...), f.offset(at)...)
}

// sectors appends n sectors whose bytes tell their number, and returns where.
func (f *file) sectors(size, n int, tag byte) int64 {
	at := int64(f.Len())
	for i := range n {
		f.Write(bytes.Repeat([]byte{tag + byte(i)}, size))
	}
	return at
}

func (f *file) cue(points ...CuePoint) {
	var b []byte
	for _, p := range points {
		track := byte(p.Track/10<<4 | p.Track%10)
		if p.Track == cdsector.LeadOut {
			track = cdsector.LeadOut
		}
		b = append(b, byte(p.Control)<<4|1, track, byte(p.Index), 0)
		if f.v1 {
			m := p.At.MSF()
			b = append(b, 0, byte(m.M), byte(m.S), byte(m.F))
		} else {
			b = binary.BigEndian.AppendUint32(b, uint32(p.At))
		}
	}
	id := "CUEX"
	if f.v1 {
		id = "CUES"
	}
	f.chunk(id, b)
}

func (f *file) dao(tracks ...DAOTrack) {
	b := make([]byte, daoHeader)
	copy(b[4:], "4012345678901")
	for _, t := range tracks {
		e := make([]byte, daoCommon)
		copy(e, t.ISRC)
		binary.BigEndian.PutUint16(e[12:], uint16(t.SectorSize))
		e[14] = byte(t.Mode)
		b = append(b, e...)
		for _, v := range []int64{t.Pregap, t.Start, t.End} {
			b = append(b, f.offset(v)...)
		}
	}
	id := "DAOX"
	if f.v1 {
		id = "DAOI"
	}
	f.chunk(id, b)
	f.chunk("SINF", []byte{0, 0, 0, byte(len(tracks))})
}

// dao makes a disc at once: data with its stored pregap, then audio.
func dao(v1 bool) []byte {
	f := &file{v1: v1}
	pre := f.sectors(2048, 150, 0)
	data := f.sectors(2048, 40, 1)
	gap := f.sectors(2352, 30, 100)
	audio := f.sectors(2352, 50, 130)
	end := int64(f.Len())
	f.cue(CuePoint{disc.DataTrack, 1, 0, -150}, CuePoint{disc.DataTrack, 1, 1, 0}, CuePoint{disc.CopyPermitted, 2, 0, 40},
		CuePoint{disc.CopyPermitted, 2, 1, 70}, CuePoint{disc.CopyPermitted, 2, 2, 90}, CuePoint{0, cdsector.LeadOut, 1, 120})
	f.dao(DAOTrack{"", 2048, 0, pre, data, gap}, DAOTrack{"GBAYE6700001", 2352, 7, gap, audio, end})
	return f.finish()
}

// open makes the image of a file in memory.
func open(b []byte) (disc.Image, error) {
	r := bytes.NewReader(b)
	table, err := Read(r, r.Size())
	if err != nil {
		return nil, err
	}
	l, extents, err := table.Place(r, r.Size())
	if err != nil {
		return nil, err
	}
	return disc.NewExtentImage(l, extents)
}

func TestDiscAtOnce(t *testing.T) {
	for _, v1 := range []bool{false, true} {
		img, err := open(dao(v1))
		if err != nil {
			t.Fatal(err)
		}
		want := &disc.Layout{MCN: "4012345678901", Sessions: []disc.Session{{Number: 1, LeadOut: 120, Tracks: []disc.Track{
			{Number: 1, Mode: disc.Mode1, Control: disc.DataTrack, End: 40},
			{Number: 2, Mode: disc.Audio, Control: disc.CopyPermitted, ISRC: "GBAYE6700001", Pregap: 30, Start: 70,
				Indexes: []disc.LBA{90}, End: 120},
		}}}}
		if diff := cmp.Diff(want, img.Layout()); diff != "" {
			t.Error(diff)
		}
		var s [cdsector.Size]byte
		for at, tag := range map[disc.LBA]byte{0: 1, 39: 40, 40: 100, 70: 130, 119: 179} {
			if err := img.ReadSectors(t.Context(), s[:], at); err != nil {
				t.Fatal(err)
			}
			if s[16] != tag || s[1000] != tag {
				t.Errorf("sector %d holds %d, want %d", at, s[16], tag)
			}
		}
		img.Close()
	}
}

func TestTwoSessions(t *testing.T) {
	f := new(file)
	a := f.sectors(2352, 150+20, 0)
	end := int64(f.Len())
	f.cue(CuePoint{0, 1, 0, -150}, CuePoint{0, 1, 1, 0}, CuePoint{0, cdsector.LeadOut, 1, 20})
	f.dao(DAOTrack{"", 2352, 7, a, a + 150*2352, end})
	b := f.sectors(2352, 150+30, 50)
	end = int64(f.Len())
	f.cue(CuePoint{4, 2, 0, 11270}, CuePoint{4, 2, 1, 11420}, CuePoint{4, cdsector.LeadOut, 1, 11450})
	f.dao(DAOTrack{"", 2352, 6, b, b + 150*2352, end})
	img, err := open(f.finish())
	if err != nil {
		t.Fatal(err)
	}
	defer img.Close()
	l := img.Layout()
	if len(l.Sessions) != 2 || l.Sessions[1].Format != disc.FormatXA {
		t.Fatalf("%+v", l)
	}
	if tr := l.Sessions[1].Tracks[0]; tr.Start != 11420 || tr.Pregap != 0 || tr.End != 11450 || tr.Number != 2 {
		t.Errorf("%+v", tr)
	}
}

func TestTrackAtOnce(t *testing.T) {
	for _, v1 := range []bool{false, true} {
		f := &file{v1: v1}
		one := f.sectors(2048, 30, 1)
		two := f.sectors(2352, 40, 50)
		id := "ETN2"
		if v1 {
			id = "ETNF"
		}
		var b []byte
		for _, e := range []TAOTrack{{one, 30 * 2048, 0, 0}, {two, 40 * 2352, 7, 180}} {
			b = append(append(b, f.offset(e.Offset)...), f.offset(e.Size)...)
			b = append(b, 0, 0, 0, byte(e.Mode))
			b = binary.BigEndian.AppendUint32(b, uint32(e.At))
			b = append(b, f.offset(0)...)
		}
		f.chunk(id, b)
		img, err := open(f.finish())
		if err != nil {
			t.Fatal(err)
		}
		if tr := img.Layout().Tracks()[1]; tr.Start != 180 || tr.Pregap != 150 || tr.End != 220 {
			t.Errorf("%+v", tr)
		}
		img.Close()
	}
}

func TestRefused(t *testing.T) {
	good := dao(false)
	table := int64(binary.BigEndian.Uint64(good[len(good)-8:]))
	change := func(f func(b []byte) []byte) []byte { return f(bytes.Clone(good)) }
	for name, b := range map[string][]byte{
		"empty":         {},
		"no footer":     good[:len(good)-1],
		"footer beyond": change(func(b []byte) []byte { binary.BigEndian.PutUint64(b[len(b)-8:], uint64(len(b))); return b }),
		"negative":      change(func(b []byte) []byte { binary.BigEndian.PutUint64(b[len(b)-8:], 1<<63); return b }),
		"long chunk":    change(func(b []byte) []byte { binary.BigEndian.PutUint32(b[table+4:], 1<<31); return b }),
		"no end": change(func(b []byte) []byte {
			i := bytes.LastIndex(b, []byte("END!"))
			copy(b[i:], "ABCD")
			return b
		}),
		"mode": change(func(b []byte) []byte {
			i := bytes.LastIndex(b, []byte("DAOX"))
			b[i+8+daoHeader+14] = 0x77
			return b
		}),
		"tracks beyond": change(func(b []byte) []byte {
			i := bytes.LastIndex(b, []byte("DAOX")) + 8 + daoHeader + daoCommon
			binary.BigEndian.PutUint64(b[i+16:], 1<<40)
			return b
		}),
		"no tracks": (&file{}).finish(),
	} {
		img, err := open(b)
		if err == nil {
			img.Close()
		}
		if !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestForeign(t *testing.T) {
	b, err := os.ReadFile(corpus.Path(t, "libcdio", "p1.nrg"))
	if err != nil {
		t.Fatal(err)
	}
	img, err := open(b)
	if err != nil {
		t.Fatal(err)
	}
	defer img.Close()
	l := img.Layout()
	if len(l.Tracks()) != 2 || l.End() != 302 || l.Tracks()[1].Pregap != 75 {
		t.Errorf("%+v", l.Sessions)
	}
	text := l.Texts()
	if len(text) != 1 || !strings.HasPrefix(text[0].Text(disc.PackTitle, 0), "Join us now") {
		t.Errorf("%+v", text)
	}
}

func FuzzReadTable(f *testing.F) {
	for _, v1 := range []bool{false, true} {
		b := dao(v1)
		f.Add(b[len(b)-400:])
	}
	f.Fuzz(func(t *testing.T, tail []byte) {
		// Sectors before it, and the footer's address made right.
		b := append(make([]byte, 1000), tail...)
		if n := len(b); len(tail) >= footerSize && string(b[n-12:n-8]) == "NER5" {
			binary.BigEndian.PutUint64(b[n-8:], binary.BigEndian.Uint64(b[n-8:])%uint64(n))
		}
		img, err := open(b)
		if err != nil {
			return
		}
		var s [cdsector.Size]byte
		for _, tr := range img.Layout().Tracks() {
			if err := img.ReadSectors(t.Context(), s[:img.Layout().Medium.SectorSize()], tr.End-1); err != nil {
				t.Error(err)
			}
		}
		img.Close()
	})
}

// What is written is read again, field for field.
func TestTableRoundTrip(t *testing.T) {
	b := dao(false)
	want, err := Read(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	want.Media, want.Sessions[0].First = 1, 1
	file := append(make([]byte, want.Sectors()), want.Bytes()...)
	got, err := Read(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestTrackWithoutStart(t *testing.T) {
	f := new(file)
	pre := f.sectors(2048, 150, 0)
	data := f.sectors(2048, 40, 1)
	end := int64(f.Len())
	f.cue(CuePoint{disc.DataTrack, 1, 0, -150}, CuePoint{disc.DataTrack, 1, 2, 20}, CuePoint{0, cdsector.LeadOut, 1, 40})
	f.dao(DAOTrack{"", 2048, 0, pre, data, end})
	if _, err := open(f.finish()); !errors.Is(err, ErrFormat) {
		t.Errorf("an image whose first track has no INDEX 01: %v", err)
	}
}
