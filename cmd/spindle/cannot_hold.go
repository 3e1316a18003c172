package main

import (
	"strconv"
	"strings"

	"spindle/image/format"
	"spindle/internal/printable"
)

// cannotHold says why a format cannot hold an image. {n} is the number of the reason,
// {medium} what the image is one of.
var cannotHold = map[format.Reason]string{
	format.OnlyCDs:         "it is one of a {medium}",
	format.WholeDiscs:      "it is for whole discs; take a track to .iso, .wav or .flac",
	format.NoData:          "there is only audio; take it to .wav, .flac or .cue",
	format.NoAudio:         "there is no audio",
	format.OneDataTrack:    "it has {n} data tracks; choose one with --track",
	format.OneSong:         "it has {n} tracks of audio; choose one with --track, or --split them",
	format.BadSectorSize:   "sectors have 2048, 2336, 2352 or 2448 bytes, not {n}",
	format.BlocksOfTheDisc: "the sectors of a {medium} have 2048 bytes",
}

// cannotHoldWords says what is wrong.
func cannotHoldWords(e *format.CannotHoldError) string {
	why := strings.NewReplacer("{n}", strconv.Itoa(e.Count), "{medium}", e.Medium.String()).Replace(cannotHold[e.Reason])
	return "a " + e.Suffix + " file cannot hold this image: " + why
}

// suffixWords says which files spindle makes.
func suffixWords(e *format.SuffixError) string {
	known := strings.Join(e.Known, ", ")
	if e.Suffix == "" {
		return "the suffix of the new file says what to make: " + known
	}
	return printable.Line(e.Suffix) + " files cannot be made; the suffix of the new file is one of " + known
}
