package drive

import (
	_ "embed"
	"strings"
	"sync"
)

//go:embed makers.txt
var makersFile string

// makers returns the table in makers.txt: the beginning of an identification,
// and the maker's name.
var makers = sync.OnceValue(func() map[string]string {
	table := make(map[string]string)
	for line := range strings.Lines(makersFile) {
		if code, name, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "\t"); ok && code[0] != '#' {
			table[code] = name
		}
	}
	return table
})

// Maker returns who made the recordable disc with this identification
// ([mmc.Drive.MediaID]), or "" when the code is not in the table. It names the
// factory, which is seldom the brand on the box.
func Maker(mediaID string) string {
	for n := len(mediaID); n > 0; n-- {
		if name, ok := makers()[mediaID[:n]]; ok {
			return name
		}
	}
	return ""
}
