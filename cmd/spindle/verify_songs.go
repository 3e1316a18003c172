package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"spindle/cue"
	"spindle/image"
	"spindle/image/audio"
	"spindle/image/format"
	"spindle/image/riplog"
)

// A songsError says that the songs of a folder do not make an album: one is missing, empty,
// or no sound. What can be said of each alone, each says.
type songsError struct {
	dir     string
	sheet   string   // "": there is none
	songs   []string // that are there
	missing []int    // the numbers of others
	err     error
}

func (e *songsError) Error() string {
	if e.err != nil {
		return e.err.Error()
	}
	var all []string
	for _, n := range e.missing {
		all = append(all, fmt.Sprintf("%02d", n))
	}
	return fmt.Sprintf("%s: no song has the number %s", e.dir, strings.Join(all, ", "))
}

func (e *songsError) Unwrap() error { return e.err }

// isAlbum reports whether the songs are what is wrong.
func (e *songsError) isAlbum() bool {
	return len(e.songs) > 0 && (e.err == nil || errors.Is(e.err, fs.ErrNotExist) || errors.Is(e.err, audio.ErrNotAudio) || errors.Is(e.err, audio.ErrNotCD))
}

// songsResult is the result of verifying songs one by one.
type songsResult struct {
	ending
	Folder string      `json:"folder"`
	Why    string      `json:"why"` // they are no album
	Songs  []aloneSong `json:"songs"`
}

// aloneSong is a song in it.
type aloneSong struct {
	File  string `json:"file"`
	Found string `json:"found"` // MD5 correct, readable, missing, empty, damaged, unreadable
	Why   string `json:"why,omitempty"`
}

// How a song comes out alone.
const (
	songProven     = "MD5 correct"
	songReadable   = "readable"
	songMissing    = "missing"
	songEmpty      = "empty"
	songDamaged    = "damaged"
	songUnreadable = "unreadable"
)

// each verifies the songs one by one: against the log, where there is one, otherwise against the checksum that each carries.
func (e *songsError) each(ctx context.Context, a *app) (result, error) {
	if log := strings.TrimSuffix(e.sheet, ".cue") + riplog.Suffix; e.sheet != "" && isLog(log) {
		a.note(e.Error() + ". The songs are compared with the log alone.")
		return runVerifyLog(ctx, a, log)
	}
	r := &songsResult{ending: done(), Folder: e.dir, Why: e.Error(), Songs: []aloneSong{}}
	r.Status = exitDifferent
	bar := a.newProgress()
	defer bar.stop()
	step := bar.step("checking the songs")
	for _, n := range e.missing {
		r.Songs = append(r.Songs, aloneSong{File: fmt.Sprintf("%02d", n), Found: songMissing})
	}
	files := e.files()
	for i, path := range files {
		s, err := verifyAlone(ctx, a, path)
		if err != nil {
			return nil, err
		}
		r.Songs = append(r.Songs, s)
		step(int64(i+1), int64(len(files)))
	}
	return r, nil
}

// files are those that the sheet names, or that are there.
func (e *songsError) files() []string {
	f, err := os.Open(e.sheet)
	if err != nil {
		return e.songs
	}
	defer f.Close()
	sheet, err := cue.Parse(f)
	if err != nil {
		return e.songs
	}
	var all []string
	for i := range sheet.Files {
		all = append(all, filepath.Join(e.dir, filepath.Base(filepath.FromSlash(sheet.Files[i].Name))))
	}
	return all
}

// verifyAlone looks at a song. The error is that ctx ended.
func verifyAlone(ctx context.Context, a *app, path string) (aloneSong, error) {
	s := aloneSong{File: filepath.Base(path)}
	switch st, err := os.Stat(path); {
	case errors.Is(err, fs.ErrNotExist):
		s.Found = songMissing
		return s, nil
	case err == nil && st.Size() == 0:
		s.Found = songEmpty
		return s, nil
	}
	img, err := audio.Join(ctx, []string{path})
	if err == nil {
		defer img.Close()
		found := new(findings)
		flaws, merr := format.FlawsBeside(ctx, path, img, func(r image.Remark) { found.take(a, r) })
		if n := flaws.Sectors(); merr == nil && n > 0 {
			s.Found, s.Why = songDamaged, found.damageText(n)
			return s, nil
		}
		found.note(a, exitDifferent)
		var x *audio.Examination
		if x, err = audio.Examine(ctx, img, nil); err == nil && len(x.Damaged) > 0 {
			err = x.Damaged[0].Err
		} else if err == nil && x.Proven > 0 {
			s.Found = songProven
			return s, nil
		}
	}
	switch {
	case ctx.Err() != nil:
		return s, ctx.Err()
	case err != nil:
		s.Found, s.Why = songUnreadable, strings.TrimPrefix(err.Error(), path+": ")
	default:
		s.Found = songReadable
	}
	return s, nil
}

// Text implements event.
func (r *songsResult) Text(p *page) {
	p.text("%s", p.red("This is not a whole album: "+r.Why+"."))
	good := 0
	for _, s := range r.Songs {
		switch {
		case s.Found == songProven || s.Found == songReadable:
			good++
			p.line("  %s  %s", s.File, s.Found)
		case s.Why != "":
			p.line("  %s  %s: %s", s.File, p.red(s.Found), s.Why)
		default:
			p.line("  %s  %s", s.File, p.red(s.Found))
		}
	}
	p.line("%d of %s can be read.", good, plural(len(r.Songs), "song"))
}
