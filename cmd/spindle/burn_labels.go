package main

import (
	"fmt"
	"slices"
	"strings"

	"spindle/burn"
)

// noteLabels says what a CD does not return besides its sectors, or the drive does
// not say.
func noteLabels(a *app, v *burn.Verification) {
	if len(v.Missing) > 0 {
		a.note(missingWords(v.Missing))
	}
	if len(v.NotAsked) > 0 {
		a.note(notAskedWords(v.NotAsked))
	}
}

// labelsApart ends the sentence on sectors that match.
func labelsApart(v *burn.Verification) string {
	text := ""
	if wrong := slices.Concat(v.Missing, v.LeftOut); len(wrong) > 0 {
		text = "; " + labelNames(wrong) + " " + oneOr(len(wrong), "does", "do") + " not"
	}
	if len(v.NotAsked) > 0 {
		text += "; " + labelNames(v.NotAsked) + " could not be checked"
	}
	return text
}

// labelNames lists labels.
func labelNames(labels []burn.Label) string {
	var parts []string
	var codes []int
	for _, l := range labels {
		switch l.Kind {
		case burn.LabelCatalogue:
			parts = append(parts, "the catalogue number (MCN)")
		case burn.LabelTracks:
			parts = append(parts, "the table of contents")
		case burn.LabelText:
			parts = append(parts, "the CD-TEXT")
		case burn.LabelISRC:
			codes = append(codes, l.Track)
		case burn.LabelIndex:
			parts = append(parts, fmt.Sprintf("index %d of track %d", l.Index, l.Track))
		}
	}
	switch len(codes) {
	case 0:
	case 1:
		parts = append(parts, "the ISRC of "+trackList(codes))
	default:
		parts = append(parts, "the ISRCs of "+trackList(codes))
	}
	if last := len(parts) - 1; last > 0 {
		return strings.Join(parts[:last], ", ") + " and " + parts[last]
	}
	return strings.Join(parts, "")
}

// missingWords says what a CD does not return.
func missingWords(missing []burn.Label) string {
	it := oneOr(len(missing), "it", "them")
	return "The disc does not return " + labelNames(missing) + ", which " + wasOrWere(len(missing)) + " sent to the drive: some drives do not write " +
		it + ", others do not read " + it + ". The sectors are not affected."
}

// notAskedWords says what the drive could not be asked for.
func notAskedWords(labels []burn.Label) string {
	return "The drive could not read back " + labelNames(labels) + "; another drive may show whether the disc has " +
		oneOr(len(labels), "it", "them") + ". The sectors are not affected."
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
