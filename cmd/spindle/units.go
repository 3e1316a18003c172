package main

import (
	"fmt"
	"strings"
	"time"
)

// plural gives "1 sector" and "2 sectors".
func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	if stem, ok := strings.CutSuffix(what, "ry"); ok {
		what = stem + "rie"
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// oneOr is the word for one thing, or for more.
func oneOr(n int, one, more string) string {
	if n == 1 {
		return one
	}
	return more
}

func isOrAre(n int) string   { return oneOr(n, "is", "are") }
func wasOrWere(n int) string { return oneOr(n, "was", "were") }

// sizeText gives a number of bytes in the unit that suits it.
func sizeText(n int64) string {
	switch {
	case n < 1e3:
		return plural(int(n), "byte")
	case n < 1e4:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	case n < 1e6:
		return fmt.Sprintf("%.0f kB", float64(n)/1e3)
	case n < 1e9:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%.2f GB", float64(n)/1e9)
}

// sizesText gives a number of bytes of a larger one, to the byte where they look the same.
func sizesText(have, want int64) string {
	if sizeText(have) == sizeText(want) {
		return fmt.Sprintf("%d of %d bytes", have, want)
	}
	return sizeText(have) + " of " + sizeText(want)
}

// roughly rounds a time that is an estimate.
func roughly(d time.Duration) string {
	switch {
	case d < 20*time.Second:
		return "half a minute"
	case d < 100*time.Second:
		return "a minute"
	}
	return fmt.Sprintf("%d minutes", int(d.Minutes()+0.99))
}

// quoted puts a name in quotes where a shell needs them.
func quoted(name string) string {
	if name != "" && !strings.ContainsAny(name, " '\"$&|;<>()*?[]#~`\\!\n\t") {
		return name
	}
	return "'" + strings.ReplaceAll(name, "'", `'\''`) + "'"
}

// clock gives the playing time of sectors on a CD as minutes, seconds and frames,
// such as 4:20.33; a frame is a sector, 1/75 s.
func clock(sectors int) string {
	const second, minute = 75, 75 * 60
	return fmt.Sprintf("%d:%02d.%02d", sectors/minute, sectors/second%60, sectors%second)
}
