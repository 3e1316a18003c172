package main

import (
	"errors"
	"fmt"
	"slices"
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
	format.Gaps:            "sectors are missing between its tracks",
	format.BadOneCodec:     "--codec takes one of {codecs}",
	format.OnlyGDROMs:      "it is not one of a GD-ROM, whose second area begins at sector 45000",
	format.FirstTrack:      "its first track has to be number 1, and here it is number {n}; take it to .cue, .ccd, .toc or .mds",
	format.BadName:         "it states the names of its files, and this one has control characters; choose another name",
	format.BadCodec:        "for a {medium}, --codec takes at most four of {codecs}, or none",
}

// fileOf names a file of a kind, with its article.
func fileOf(suffix string) string {
	if suffix == ".iso" {
		return "an .iso file"
	}
	return "a " + suffix + " file"
}

// cannotHoldWords says what is wrong.
func cannotHoldWords(e *format.CannotHoldError) string {
	why := strings.NewReplacer("{n}", strconv.Itoa(e.Count), "{medium}", e.Medium.String(), "{codecs}", strings.Join(e.Codecs, ", ")).Replace(cannotHold[e.Reason])
	return fileOf(e.Suffix) + " cannot hold this image: " + why
}

// losses are what can be left out, but for a number of tracks.
var losses = map[format.LossKind]string{
	format.LaterSessions: "the sessions after the first",
	format.SomeCDText:    "parts of the CD-TEXT",
	format.SavedSub:      "the sub-channels",
	format.SavedQ:        "what the Q sub-channel states besides the tracks (as for a copy protection)",
	format.ModeZero:      "that a track is of mode 0",
	format.AllCDText:     "the CD-TEXT",
	format.Catalogue:     "the catalogue number",
	format.ISRCs:         "the ISRCs",
	format.LaterIndexes:  "index marks above 1",
	format.TrackFlags:    "the flags of tracks (pre-emphasis, copying permitted)",
	format.CDIFormat:     "that the disc is a CD-I",
	format.Pregaps:       "where pregaps begin (INDEX 00)",
	format.GapContent:    "what is in the gap between data and audio",
	format.HiddenAudio:   "what is hidden before track 1",
}

// lossWords says what is lost.
func lossWords(l format.Loss) string {
	switch {
	case l.Kind == format.AudioTracks && l.Count == 1:
		return "a track of audio"
	case l.Kind == format.AudioTracks:
		return plural(l.Count, "track") + " of audio"
	case l.Kind == format.DataTracks && l.Count == 1:
		return "a track of data"
	case l.Kind == format.DataTracks:
		return plural(l.Count, "track") + " of data"
	}
	if words, ok := losses[l.Kind]; ok {
		return words
	}
	return l.Kind.String()
}

// lossesWords says all that is lost.
func lossesWords(all []format.Loss) []string {
	var words []string
	for _, l := range all {
		words = append(words, lossWords(l))
	}
	return words
}

// enumeration joins the parts of a list.
func enumeration(parts []string) string {
	if n := len(parts) - 1; n > 1 {
		return strings.Join(parts[:n], ", ") + ", and " + parts[n]
	}
	return strings.Join(parts, " and ")
}

// wouldLose says that an image cannot be held whole, and which options help.
func wouldLose(e *format.LossError) (what, next string) {
	next = "Use --lossy to leave that out."
	if slices.ContainsFunc(e.Losses, func(l format.Loss) bool { return l.Kind == format.AudioTracks }) {
		next = "Use --track to take one track, or --lossy to leave the audio out."
	}
	return fileOf(e.Suffix) + " cannot hold this image whole: it would lose " + enumeration(lossesWords(e.Losses)), next
}

// wholeOnly gives an error of making an image other advice than --track, for a command that takes
// none.
func wholeOnly(err error) error {
	var loses *format.LossError
	var held *format.CannotHoldError
	what := ""
	switch {
	case errors.As(err, &loses) && slices.ContainsFunc(loses.Losses, func(l format.Loss) bool { return l.Kind == format.AudioTracks }):
		what, _ = wouldLose(loses)
	case errors.As(err, &held) && held.Reason == format.OneDataTrack:
		what = fmt.Sprintf("%s cannot hold this image: it has %d data tracks", fileOf(held.Suffix), held.Count)
	case errors.As(err, &held) && held.Reason == format.OneSong:
		what = fmt.Sprintf("%s cannot hold this image: it has %d tracks of audio", fileOf(held.Suffix), held.Count)
	default:
		return err
	}
	return refusal{errors.New(what), exitUsage, "Make a .cue, which holds all of it; \"spindle convert\" takes a track of that."}
}

// suffixWords says which files spindle makes.
func suffixWords(e *format.SuffixError) string {
	known := strings.Join(e.Known, ", ")
	if e.Suffix == "" {
		return "the suffix of the new file says what to make: " + known
	}
	return printable.Line(e.Suffix) + " files cannot be made; the suffix of the new file is one of " + known
}
