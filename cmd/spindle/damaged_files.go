package main

import (
	"fmt"
	"strings"

	"spindle/iso"
)

// mostParts is how many parts of a file are named.
const mostParts = 3

// listDamaged lists damaged files, and which parts of them are.
func listDamaged(p *page, title string, files []iso.DamagedFile) {
	if len(files) == 0 {
		return
	}
	p.line("%s:", title)
	for i, f := range files {
		if i == mostFiles {
			p.line("  and more")
			break
		}
		p.line("  %s: %s", f.Name, partsText(f))
	}
}

// partsText says which parts of a file are damaged.
func partsText(f iso.DamagedFile) string {
	bad := damagedBytes(f)
	switch {
	case bad == f.Size:
		return fmt.Sprintf("all of its %s", bytesText(f.Size))
	case len(f.Parts) > mostParts:
		return fmt.Sprintf("%d of %s, in %d places", bad, bytesText(f.Size), len(f.Parts))
	}
	var places []string
	for _, x := range f.Parts {
		places = append(places, fmt.Sprintf("%d to %d", x.First, x.Last))
	}
	return fmt.Sprintf("bytes %s of %d", strings.Join(places, ", "), f.Size)
}

// sharesText names damaged files in a line, and how much of each is damaged.
func sharesText(files []iso.DamagedFile) string {
	var names []string
	for _, f := range files {
		share := "all"
		if bad := damagedBytes(f); bad < f.Size {
			share = fmt.Sprintf("%d%%", max(1, percent(bad, f.Size)))
		}
		names = append(names, fmt.Sprintf("%s (%s)", f.Name, share))
	}
	return fileList(names)
}

func damagedBytes(f iso.DamagedFile) int64 {
	n := int64(0)
	for _, x := range f.Parts {
		n += x.Last - x.First + 1
	}
	return n
}

func namesOf(files []iso.DamagedFile) []string {
	var names []string
	for _, f := range files {
		names = append(names, f.Name)
	}
	return names
}

// bytesText is plural for numbers of bytes, which exceed an int of 32 bits.
func bytesText(n int64) string {
	if n == 1 {
		return "1 byte"
	}
	return fmt.Sprintf("%d bytes", n)
}
