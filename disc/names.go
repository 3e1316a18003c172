package disc

import "fmt"

// TrackSuffix returns what redump puts behind the name of a disc to name the
// file of one of its tracks, without the file's suffix: " (Track 3)", and of a disc
// with more than nine tracks " (Track 03)", of one with a single track nothing. Number 0 is what is hidden before track 1.
func TrackSuffix(number, of int) string {
	if number == 1 && of == 1 {
		return ""
	}
	width := 1
	if of > 9 {
		width = 2
	}
	return fmt.Sprintf(" (Track %0*d)", width, number)
}
