// Package testscram makes dumps as redumper and DiscImageCreator do, for tests.
package testscram

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"

	"spindle/disc"
	"spindle/disc/cdsector"
)

// A Dump says how a dump is made.
type Dump struct {
	Suffix  string     // ".scram" of redumper, or ".scm" of DiscImageCreator
	Offset  int        // the write offset in samples
	NoTOC   bool       // without a .toc
	Full    bool       // with a .fulltoc
	Skipped []disc.LBA // sectors that were not read
	C2      []disc.LBA // of which a sample was read with an error
}

// lead is how many sectors are before sector 0 in what is made, for what the offset displaces.
const lead = 5

// Write writes the dump of an image into a folder, as dump.scram or dump.scm with its companions, and returns
// its path.
func (d *Dump) Write(ctx context.Context, img disc.Image, dir string) (string, error) {
	l := img.Layout()
	n := int(l.End())
	const samples, behind, leadOut = cdsector.Size / 4, 10, 20
	data := make([]byte, (n+behind)*cdsector.Size)
	state := bytes.Repeat([]byte{4}, (n+behind)*samples)
	c2 := make([]byte, n*cdsector.Size/8)
	first := lead*samples + d.Offset
	for a := range disc.LBA(n) {
		var s [cdsector.Size]byte
		if t := l.TrackAt(a); t != nil {
			if err := img.ReadSectors(ctx, s[:], a); err != nil {
				return "", err
			}
			if t.Mode.IsData() {
				cdsector.Scramble(&s)
			}
		}
		copy(data[4*(first+int(a)*samples):], s[:])
	}
	for _, a := range d.Skipped {
		from := first + int(a)*samples
		clear(state[from : from+samples])
		clear(data[from*4 : (from+samples)*4])
	}
	for _, a := range d.C2 {
		state[first+int(a)*samples+17] = 1
		c2[int(a)*cdsector.Size/8+3] = 0x10
	}
	files := []file{{d.Suffix, data, cdsector.Size, lead}}
	if d.Suffix == ".scram" {
		files = append(files, file{".state", state, samples, lead}, file{".subcode", subchannels(l, n+leadOut, true), cdsector.SubSize, 0})
	} else {
		files = append(files, file{".c2", c2, cdsector.Size / 8, 0}, file{".sub", subchannels(l, n+leadOut, false), cdsector.SubSize, 0})
	}
	base := filepath.Join(dir, "dump")
	for _, f := range files {
		if err := f.write(base, d.begin()); err != nil {
			return "", err
		}
	}
	return base + d.Suffix, d.tables(base, l)
}

// begin is how many sectors a dump has before sector 0.
func (d *Dump) begin() int {
	if d.Suffix == ".scram" {
		return 45150
	}
	return 0
}

// tables writes the tables of contents and the CD-TEXT.
func (d *Dump) tables(base string, l *disc.Layout) error {
	files := make(map[string][]byte)
	if !d.NoTOC {
		files[".toc"] = toc(l)
	}
	if d.Full {
		files[".fulltoc"] = fullTOC(l)
	}
	if l.CDText != nil {
		files[".cdtext"] = append(make([]byte, 4), disc.PackBytes(l.CDText)...)
	}
	for suffix, b := range files {
		if err := os.WriteFile(base+suffix, b, 0o666); err != nil {
			return err
		}
	}
	return nil
}

// subchannels makes those of the first n sectors.
func subchannels(l *disc.Layout, n int, interleaved bool) []byte {
	all := make([]byte, 0, n*cdsector.SubSize)
	for a := range disc.LBA(n) {
		var linear, raw [cdsector.SubSize]byte
		l.Subchannel(a, &linear)
		if interleaved {
			cdsector.Interleave(&raw, &linear)
			linear = raw
		}
		all = append(all, linear[:]...)
	}
	return all
}

// A file is a part of a dump, with so many bytes a sector, of which the first are before sector 0.
type file struct {
	suffix string
	b      []byte
	unit   int
	before int
}

func (f *file) write(base string, begin int) error {
	out, err := os.Create(base + f.suffix)
	if err != nil {
		return err
	}
	at := (begin - f.before) * f.unit
	if at < 0 {
		f.b, at = f.b[-at:], 0
	}
	_, err = out.WriteAt(f.b, int64(at))
	return errors.Join(err, out.Close())
}

// toc is the answer of READ TOC, format 0, with numbers of sectors.
func toc(l *disc.Layout) []byte {
	b := []byte{0, 0, 1, byte(len(l.Tracks()))}
	entry := func(control disc.Control, n int, at disc.LBA) {
		b = append(b, 0, 0x10|byte(control), byte(n), 0)
		b = binary.BigEndian.AppendUint32(b, uint32(at))
	}
	for _, t := range l.Tracks() {
		entry(t.Control, t.Number, t.Start)
	}
	entry(0, 0xAA, l.End())
	binary.BigEndian.PutUint16(b, uint16(len(b)-2))
	return b
}

// fullTOC is that of format 2.
func fullTOC(l *disc.Layout) []byte {
	b := []byte{0, 0, 1, byte(len(l.Sessions))}
	for i := range l.Sessions {
		s := &l.Sessions[i]
		entry := func(point int, control disc.Control, m, sec, f int) {
			b = append(b, byte(s.Number), 0x10|byte(control), 0, byte(point), 0, 0, 0, 0, byte(m), byte(sec), byte(f))
		}
		entry(0xA0, s.Tracks[0].Control, s.Tracks[0].Number, int(s.Format), 0)
		entry(0xA1, s.Tracks[0].Control, s.Tracks[len(s.Tracks)-1].Number, 0, 0)
		p := s.LeadOut.MSF()
		entry(0xA2, s.Tracks[0].Control, p.M, p.S, p.F)
		for k := range s.Tracks {
			p := s.Tracks[k].Start.MSF()
			entry(s.Tracks[k].Number, s.Tracks[k].Control, p.M, p.S, p.F)
		}
	}
	binary.BigEndian.PutUint16(b, uint16(len(b)-2))
	return b
}
