package album

import (
	"path/filepath"
	"slices"
	"strings"

	"spindle/image/audio/flacenc"
	"spindle/image/riplog"
	"spindle/internal/regular"
)

// OtherTags returns the numbers of songs of a folder whose FLAC files state other tags than the album, or lack some. Tags that
// only the file has do not count, nor do files that cannot be read.
func (a *Album) OtherTags(dir string, songs []riplog.Song) (numbers []int) {
	for i := range songs {
		s := &songs[i]
		k := slices.IndexFunc(a.Songs, func(x Song) bool { return x.Number == s.Number && !s.Data })
		if k < 0 {
			continue
		}
		comments, err := commentsOf(filepath.Join(dir, s.File))
		if err == nil && !states(comments, a.comments(&a.Songs[k])) {
			numbers = append(numbers, s.Number)
		}
	}
	return numbers
}

// commentsOf reads the comments of a FLAC file.
func commentsOf(path string) ([][2]string, error) {
	f, err := regular.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return flacenc.Comments(f)
}

// states reports whether comments have all of some tags.
func states(comments [][2]string, tags Tags) bool {
	for _, t := range tags {
		if strings.HasPrefix(strings.ToUpper(t.Name), "REPLAYGAIN_") {
			continue
		}
		if !slices.ContainsFunc(comments, func(c [2]string) bool { return strings.EqualFold(c[0], t.Name) && c[1] == t.Value }) {
			return false
		}
	}
	return true
}
