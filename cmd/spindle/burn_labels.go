package main

import (
	"fmt"
	"slices"
	"strings"

	"spindle/burn"
)

// missingWords says what a CD does not return besides its sectors.
func missingWords(missing []burn.Label) string {
	var parts []string
	var codes []int
	for _, l := range missing {
		switch l.Kind {
		case burn.LabelCatalogue:
			parts = append(parts, "the catalogue number (MCN)")
		case burn.LabelText:
			parts = append(parts, "the CD-TEXT")
		case burn.LabelISRC:
			codes = append(codes, l.Track)
		case burn.LabelIndex:
			parts = append(parts, fmt.Sprintf("index %d of track %d", l.Index, l.Track))
		}
	}
	if len(codes) > 0 {
		parts = append(parts, "the ISRC of "+trackList(codes))
	}
	it, do := "it", "was"
	if len(parts)+len(codes) > 1 {
		it, do = "them", "were"
	}
	return "The disc does not return " + strings.Join(parts, ", ") + ", which " + do + " sent to the drive: some drives do not write " +
		it + ", others do not read " + it + ". The sectors are not affected."
}

// trackList gives "track 3" or "tracks 1 to 4, 7".
func trackList(numbers []int) string {
	slices.Sort(numbers)
	var runs []string
	for i := 0; i < len(numbers); {
		j := i
		for j+1 < len(numbers) && numbers[j+1] == numbers[j]+1 {
			j++
		}
		if j == i+1 {
			j = i // two numbers are no range
		}
		if i == j {
			runs = append(runs, fmt.Sprint(numbers[i]))
		} else {
			runs = append(runs, fmt.Sprintf("%d to %d", numbers[i], numbers[j]))
		}
		i = j + 1
	}
	word := "track "
	if len(numbers) > 1 {
		word = "tracks "
	}
	return word + strings.Join(runs, ", ")
}
