package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"spindle/cue"
	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/drive"
	"spindle/image/audio"
	"spindle/image/riplog"
	"spindle/internal/regular"
	"spindle/rip"
)

// Songs of two discs may not be joined: what the album states of its disc, and the songs that stay,
// are compared with the disc that others are taken from.

// codesOf takes over the ISRCs that a sheet states of tracks. One that cannot be read states none.
func codesOf(l *disc.Layout, sheet []byte) *disc.Layout {
	l = l.Clone()
	var codes [100]string
	if s, err := cue.Parse(bytes.NewReader(sheet)); err == nil {
		for i := range s.Tracks {
			codes[s.Tracks[i].Number%len(codes)] = s.Tracks[i].ISRC
		}
	}
	for _, t := range l.Tracks() {
		t.ISRC = codes[t.Number%len(codes)]
	}
	return l
}

// sameCodes refuses a disc that states another catalogue number, or other ISRCs, than the album.
func (p *albumPart) sameCodes(l *disc.Layout) error {
	if was := p.log.Sections[0].Get(mcnLine); was != "" && l.MCN != "" && was != l.MCN {
		return p.otherDisc(fmt.Sprintf("the catalogue number was %s and is %s", was, l.MCN))
	}
	for i, t := range l.Tracks() {
		if was := p.codes.Tracks()[i].ISRC; was != "" && t.ISRC != "" && was != t.ISRC {
			return p.otherDisc(fmt.Sprintf("the ISRC of track %d was %s and is %s", t.Number, was, t.ISRC))
		}
	}
	return nil
}

// otherDisc is the refusal to join two discs.
func (p *albumPart) otherDisc(why string) error {
	return refusal{fmt.Errorf("the songs in %s are of another disc (%s)", p.dir, why), exitNoDisc, unchanged + "Name another folder."}
}

// stretches are the sectors of the songs that stay and are as their log says, but for those that are not
// right: what is proven, and what was read once.
func (p *albumPart) stretches() (good, once []drive.Stretch) {
	for _, s := range p.same {
		var all []drive.Stretch
		at := s.First
		for _, f := range s.Flaws.Clip(s.First, s.End) {
			all = append(all, drive.Stretch{First: at, End: f.First})
			at = f.First + disc.LBA(f.Count)
		}
		all = slices.DeleteFunc(append(all, drive.Stretch{First: at, End: s.End}), func(x drive.Stretch) bool { return x.First >= x.End })
		if s.Data || isProven(s.Proof) && !strings.Contains(s.Proof, repairedWord) { // the drive may not give what was repaired
			good = append(good, all...)
		} else {
			once = append(once, all...)
		}
	}
	return good, once
}

// held is what a rip compares with the disc; nil: nothing is there.
func (p *albumPart) held(ctx context.Context) *rip.Held {
	if p == nil || len(p.kept) == 0 {
		return nil
	}
	good, once := p.stretches()
	return &rip.Held{
		MCN: p.log.Sections[0].Get(mcnLine), Codes: p.codes, Good: good, Once: once,
		Read: func(b []byte, first disc.LBA) error { return p.read(ctx, b, first) },
	}
}

// read fills b with sectors of the songs that stay.
func (p *albumPart) read(ctx context.Context, b []byte, first disc.LBA) error {
	for len(b) > 0 {
		i := slices.IndexFunc(p.same, func(s riplog.Song) bool { return s.First <= first && first < s.End })
		if i < 0 {
			return fmt.Errorf("sector %d is in no song", first)
		}
		s := &p.same[i]
		n := min(len(b)/cdsector.Size, int(s.End-first))
		read := p.readSong
		if s.Data {
			read = p.readData
		}
		if err := read(ctx, s, b[:n*cdsector.Size], first); err != nil {
			return fmt.Errorf("%s: %w", s.File, err)
		}
		b, first = b[n*cdsector.Size:], first+disc.LBA(n)
	}
	return nil
}

func (p *albumPart) readSong(ctx context.Context, s *riplog.Song, b []byte, first disc.LBA) error {
	f, err := audio.Open(ctx, filepath.Join(p.dir, s.File))
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.Source.ReadAt(b, f.Offset+int64(first-s.First)*cdsector.Size)
	return err
}

// readData reads sectors of a track of data. Those of an ISO are built around their user data again.
func (p *albumPart) readData(_ context.Context, s *riplog.Song, b []byte, first disc.LBA) error {
	f, err := regular.Open(filepath.Join(p.dir, s.File))
	if err != nil {
		return err
	}
	defer f.Close()
	if !strings.HasSuffix(s.File, ".iso") {
		_, err = f.ReadAt(b, int64(first-s.First)*cdsector.Size)
		return err
	}
	from, size := cdsector.Mode1.UserData()
	for ; len(b) > 0; b, first = b[cdsector.Size:], first+1 {
		x := (*[cdsector.Size]byte)(b)
		cdsector.SetHeader(x, first.MSF(), 1)
		if _, err := f.ReadAt(x[from:from+size], int64(first-s.First)*int64(size)); err != nil {
			return err
		}
		cdsector.Seal(x, cdsector.Mode1)
	}
	return nil
}

// errNothingSame: no song that stays can be compared.
var errNothingSame = errors.New("no song can be compared")

// compare compares all of the songs that stay with an image.
func (p *albumPart) compare(ctx context.Context, img disc.Image) error {
	if p == nil || len(p.kept) == 0 {
		return nil
	}
	good, once := p.stretches()
	compared, err := p.compareRuns(ctx, img, append(good, once...))
	if err == nil && compared == 0 {
		err = refusal{fmt.Errorf("%w to know that what is in %s is of the same disc", errNothingSame, p.dir), exitNoDisc,
			unchanged + "Name another folder."}
	}
	return err
}

// compareRuns compares sectors with an image, but for those that are not right in it, and counts them.
func (p *albumPart) compareRuns(ctx context.Context, img disc.Image, runs []drive.Stretch) (compared int, err error) {
	const step = 1024
	was, now, flaws := make([]byte, step*cdsector.Size), make([]byte, step*cdsector.Size), img.Flaws()
	for _, x := range runs {
		for at := x.First; at < x.End; at += step {
			n := min(step, int(x.End-at))
			size := n * cdsector.Size
			if err := errors.Join(p.read(ctx, was[:size], at), img.ReadSectors(ctx, now[:size], at)); err != nil {
				return compared, err
			}
			for i := range n {
				if flaws.Contains(at + disc.LBA(i)) {
					continue
				}
				if a, b := was[i*cdsector.Size:][:cdsector.Size], now[i*cdsector.Size:][:cdsector.Size]; !bytes.Equal(a, b) {
					return compared, p.otherDisc(fmt.Sprintf("its contents differ at sector %d", at+disc.LBA(i)))
				}
				compared++
			}
		}
	}
	return compared, nil
}
