package main

import (
	"fmt"
	"strings"
	"time"

	"spindle/disc"
	"spindle/iso"
)

// plural gives "1 sector" and "2 sectors".
func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// sentence ends a text with a full stop where it has none.
func sentence(s string) string {
	if strings.HasSuffix(s, ".") || strings.HasSuffix(s, "?") || strings.HasSuffix(s, ")") {
		return s
	}
	return s + "."
}

func megabytes(n int64) string {
	switch {
	case n < 1e6:
		return fmt.Sprintf("%.0f kB", float64(n)/1e3)
	case n < 1e9:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%.2f GB", float64(n)/1e9)
}

// roughly rounds a time that is a guess.
func roughly(d time.Duration) string {
	switch {
	case d < 20*time.Second:
		return "half a minute"
	case d < 100*time.Second:
		return "a minute"
	}
	return fmt.Sprintf("%d minutes", int(d.Minutes()+0.99))
}

// parseSize reads a number of sectors, MM:SS:FF, or a size such as 700MB.
func parseSize(s string) (int, error) {
	if t, err := disc.ParseMSF(s); err == nil {
		return t.Frames(), nil
	}
	units := map[string]float64{"": 1, "KB": 1e3 / iso.BlockSize, "MB": 1e6 / iso.BlockSize, "GB": 1e9 / iso.BlockSize,
		"KIB": 1 << 10 / float64(iso.BlockSize), "MIB": 1 << 20 / iso.BlockSize, "GIB": 1 << 30 / iso.BlockSize}
	digits := strings.TrimRight(strings.ToUpper(s), "KMGIB")
	unit, ok := units[strings.ToUpper(s)[len(digits):]]
	var v float64
	if n, err := fmt.Sscanf(digits, "%g", &v); !ok || n != 1 || err != nil || v <= 0 || v*unit > disc.MaxLBA {
		return 0, usage("%q is no size: it is a number of sectors, MM:SS:FF, or such as 700MB", s)
	}
	return int(v*unit + 0.999999), nil
}
