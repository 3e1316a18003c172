package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"spindle/disc"
	"spindle/image/audio"
)

// songSuffixes are those of the songs of a rip.
var songSuffixes = []string{".flac", ".wav", ".aif", ".aiff"}

// openAlbum opens what verify is given: an image, or a folder of songs by its cue sheet, or by the numbers that the names
// of the songs begin with. It returns the path of what was opened.
func openAlbum(ctx context.Context, a *app, path string) (disc.Image, *findings, string, error) {
	st, err := os.Stat(path)
	if isDriveName(path) || err != nil || !st.IsDir() {
		img, found, err := openStored(ctx, a, path)
		return img, found, path, err
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, nil, path, err
	}
	var sheets, songs []string
	for _, e := range entries {
		switch ext := strings.ToLower(filepath.Ext(e.Name())); {
		case e.IsDir() || strings.HasPrefix(e.Name(), "."):
		case ext == ".cue":
			sheets = append(sheets, filepath.Join(path, e.Name()))
		case slices.Contains(songSuffixes, ext):
			songs = append(songs, filepath.Join(path, e.Name()))
		}
	}
	switch {
	case len(sheets) == 1:
		img, found, err := openStored(ctx, a, sheets[0])
		return img, found, sheets[0], err
	case len(sheets) > 1:
		return nil, nil, path, usage("%s has %d cue sheets: name one of them", path, len(sheets))
	case len(songs) == 0:
		return nil, nil, path, usage("%s has no cue sheet and no songs", path)
	}
	if songs, err = byNumber(songs); err != nil {
		return nil, nil, path, err
	}
	img, err := audio.Join(ctx, songs)
	if err != nil {
		return nil, nil, path, err
	}
	a.note("There is no cue sheet: the songs were taken in the order of their numbers, and to begin at the start of the disc.")
	return img, &findings{}, strings.TrimRight(path, "/") + "/", nil
}

// byNumber sorts songs by the number at the beginning of their names: 1, 2, 3 and so on.
func byNumber(songs []string) ([]string, error) {
	sorted := make([]string, len(songs))
	for _, s := range songs {
		name := filepath.Base(s)
		digits := name[:len(name)-len(strings.TrimLeft(name, "0123456789"))]
		n, err := strconv.Atoi(digits)
		if err != nil || n < 1 || n > len(songs) || sorted[n-1] != "" {
			return nil, usage("%s: its name does not begin with its number from 1 to %d (a cue sheet in the folder would say the order)", s, len(songs))
		}
		sorted[n-1] = s
	}
	return sorted, nil
}
