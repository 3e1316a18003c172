package main

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"spindle/disc"
	"spindle/image/audio"
)

// errDamagedSong: a file of compressed sound is.
var errDamagedSong = errors.New("the image is damaged")

// songs decodes compressed sound, as the burn will: once it began, a file that ends in the
// middle would cost the disc. If it is burned anyway, what cannot be decoded becomes
// silence.
func (p *preflight) songs(ctx context.Context, bar *progress) error {
	x, err := audio.Examine(ctx, p.img, bar.step("checking the songs"))
	bar.stop()
	if err != nil {
		return err
	}
	p.img = x.Image
	if x.Proven > 0 {
		p.lines = append(p.lines, "MD5 of "+plural(x.Proven, "FLAC file")+": correct")
	}
	var all []string
	for _, d := range x.Damaged {
		p.damage(d.Sectors)
		all = append(all, songDamage(p.img.Layout(), d))
	}
	if len(all) == 0 {
		return nil
	}
	return p.stop(errDamagedSong, strings.Join(all, "; "))
}

// songDamage says what is wrong with a file of compressed sound, and which tracks suffer.
func songDamage(l *disc.Layout, d audio.Damage) string {
	var hit []string
	for _, t := range l.Tracks() {
		if len(d.Sectors.Clip(t.Begin(), t.End)) > 0 {
			hit = append(hit, strconv.Itoa(t.Number))
		}
	}
	switch len(hit) {
	case 0:
		return d.Err.Error()
	case 1:
		return "track " + hit[0] + ": " + d.Err.Error()
	}
	return "tracks " + strings.Join(hit, ", ") + ": " + d.Err.Error()
}

// damagedSong is a file of compressed sound that is not what was encoded.
type damagedSong struct {
	File    string      `json:"file"`
	Why     string      `json:"why"`
	Sectors []flawRange `json:"sectors,omitempty"` // that cannot be decoded
	text    string
}

// songsFound is what decoding compressed sound found.
type songsFound struct {
	DamagedSongs []damagedSong `json:"damaged_songs,omitempty"`
	ProvenSongs  int           `json:"flac_md5_right,omitempty"` // files
}

// songs decodes compressed sound, and takes silence for what cannot be.
func (v *verification) songs(ctx context.Context) error {
	x, err := audio.Examine(ctx, v.img, v.bar.step("checking the songs"))
	v.bar.stop()
	if err != nil {
		return err
	}
	v.img, v.ProvenSongs = x.Image, x.Proven
	v.judged = v.judged || x.Proven > 0
	for _, d := range x.Damaged {
		v.DamagedSongs = append(v.DamagedSongs, damagedSong{d.File, d.Err.Error(), flawRanges(d.Sectors), songDamage(v.img.Layout(), d)})
		v.wrong()
	}
	return nil
}

func (r *songsFound) report(p *page) {
	for _, s := range r.DamagedSongs {
		p.text("%s", p.red(s.text))
	}
	if r.ProvenSongs > 0 {
		p.line("MD5 of %s: correct", plural(r.ProvenSongs, "FLAC file"))
	}
	if len(r.DamagedSongs) > 0 {
		p.text("Get what is damaged again, or rip the disc again.")
	}
}
