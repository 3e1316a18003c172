package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"spindle/disc"
	"spindle/image"
	"spindle/image/audio"
	"spindle/image/format"
)

// losslessSuffixes are those of the songs of a rip.
var losslessSuffixes = []string{".flac", ".wav", ".aif", ".aiff"}

// lossySuffix is that of songs that a sheet may name, and that often are beside those of a rip, for a player.
const lossySuffix = ".mp3"

// isSong reports whether a file has the suffix of a song.
func isSong(name string) bool { return isLossless(name) || isLossy(name) }

func isLossless(name string) bool {
	return slices.Contains(losslessSuffixes, strings.ToLower(filepath.Ext(name)))
}

func isLossy(name string) bool { return strings.EqualFold(filepath.Ext(name), lossySuffix) }

// openAlbum opens what verify is given: an image, or a folder of songs by its cue sheet, or by the numbers that the names
// of the songs begin with. It returns the path of what was opened.
func openAlbum(ctx context.Context, a *app, path string) (disc.Image, *findings, string, error) {
	st, err := os.Stat(path)
	if isDriveName(path) || err != nil || !st.IsDir() {
		img, found, err := openStored(ctx, a, path)
		return img, found, path, err
	}
	sheets, songs, err := sheetsAndSongs(path)
	switch {
	case err != nil:
		return nil, nil, path, err
	case len(sheets) == 1:
		img, found, err := openStored(ctx, a, sheets[0])
		if err != nil {
			err = &songsError{dir: path, sheet: sheets[0], songs: songs, err: err}
		}
		return img, found, sheets[0], err
	case len(sheets) > 1:
		return nil, nil, path, usage("%s has %d cue sheets: name one of them", path, len(sheets))
	case len(songs) == 0:
		return nil, nil, path, usage("%s has no cue sheet and no songs", path)
	}
	img, found, err := joinSongs(ctx, a, path, songs)
	if err != nil {
		return nil, nil, path, err
	}
	return img, found, strings.TrimRight(path, "/") + "/", nil
}

// sheetsAndSongs lists those of a folder. MP3 files are none of its songs where others are lossless.
func sheetsAndSongs(dir string) (sheets, songs []string, err error) {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		switch {
		case e.IsDir() || strings.HasPrefix(e.Name(), "."):
		case strings.EqualFold(filepath.Ext(e.Name()), ".cue"):
			sheets = append(sheets, filepath.Join(dir, e.Name()))
		case isSong(e.Name()):
			songs = append(songs, filepath.Join(dir, e.Name()))
		}
	}
	if slices.ContainsFunc(songs, isLossless) {
		songs = slices.DeleteFunc(songs, isLossy)
	}
	return sheets, songs, err
}

// joinSongs makes a disc of the songs of a folder without a sheet, by their numbers.
func joinSongs(ctx context.Context, a *app, dir string, songs []string) (disc.Image, *findings, error) {
	songs, missing, err := byNumber(songs)
	if err != nil {
		return nil, nil, err
	}
	if len(missing) > 0 {
		return nil, nil, &songsError{dir: dir, songs: songs, missing: missing}
	}
	img, err := audio.Join(ctx, songs)
	if err != nil {
		return nil, nil, &songsError{dir: dir, songs: songs, err: err}
	}
	a.note("There is no cue sheet: the songs were taken in the order of their numbers, and to begin at the start of the disc.")
	found := &findings{}
	main := &format.File{Path: dir}
	main.Observe(func(r image.Remark) { found.take(a, r) })
	sources := make(map[string]io.ReaderAt)
	for i, t := range img.Layout().Tracks() {
		e, _ := img.ExtentAt(t.Start)
		sources[songs[i]] = e.Source
	}
	whole, err := format.WithFileMaps(ctx, main, img, sources)
	if err != nil {
		img.Close()
		return nil, nil, err
	}
	return whole, found, nil
}

// byNumber sorts songs by the number at the beginning of their names, and returns which numbers
// are missing before the last.
func byNumber(songs []string) (sorted []string, missing []int, err error) {
	const most = 99
	var at [most + 1]string
	last := 0
	for _, s := range songs {
		name := filepath.Base(s)
		digits := name[:len(name)-len(strings.TrimLeft(name, "0123456789"))]
		n, err := strconv.Atoi(digits)
		if err != nil || n < 1 || n > most || at[n] != "" {
			return nil, nil, usage("%s: its name does not begin with a number of its own, from 1 on (a cue sheet in the folder would say the order)", s)
		}
		at[n], last = s, max(last, n)
	}
	for n := 1; n <= last; n++ {
		if at[n] == "" {
			missing = append(missing, n)
			continue
		}
		sorted = append(sorted, at[n])
	}
	return sorted, missing, nil
}

// othersIn lists the images in a folder, and below it, but for one.
func othersIn(ctx context.Context, dir string, img disc.Image) ([]string, error) {
	if st, err := os.Stat(dir); isDriveName(dir) || err != nil || !st.IsDir() {
		return nil, nil
	}
	all, _, err := findImages(ctx, []string{dir})
	var others []string
	for _, f := range all {
		if strings.HasPrefix(f.below, ".") && f.below != "." {
			continue // the raw rip of an album, among others
		}
		if !slices.ContainsFunc(img.Files(), func(own string) bool { return filepath.Clean(own) == f.path }) {
			others = append(others, f.path)
		}
	}
	return others, err
}
