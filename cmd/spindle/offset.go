package main

import (
	"fmt"
	"strconv"

	"spindle/drive/known"
)

// mostOffset is the largest read offset correction: ten sectors.
const mostOffset = 5880

// An offsetFlag is the value of --offset: a number, or the one that is known.
type offsetFlag struct {
	samples    int
	set, known bool
}

func (v *offsetFlag) String() string { return "0" }
func (v *offsetFlag) Type() string   { return "SAMPLES" }
func (v *offsetFlag) Set(s string) error {
	v.set, v.known = true, s == "known"
	if v.known {
		return nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < -mostOffset || n > mostOffset {
		return fmt.Errorf(`it is a number from %d to %d, or "known"`, -mostOffset, mostOffset)
	}
	v.samples = n
	return nil
}

// An offsetChoice is the read offset correction of a rip.
type offsetChoice struct {
	Samples int    `json:"samples"`
	Origin  string `json:"origin"` // option, or as of a knownFact
	Applied bool   `json:"applied"`
}

// choose decides which correction is made. What nobody asked for is not made, whoever
// says that the drive needs it: only what the user gave for this drive, here or in his
// own table, changes samples.
func (v *offsetFlag) choose(f known.Fact[int]) (*offsetChoice, error) {
	stated := &offsetChoice{f.Value, originNames[f.From], true}
	switch {
	case v.set && !v.known:
		return &offsetChoice{v.samples, "option", true}, nil
	case v.known && f.From == known.Unknown:
		return nil, refusal{fmt.Errorf("the read offset of this drive is not known"), exitUsage,
			"Give the number that AccurateRip lists for it, such as --offset 6."}
	case f.From == known.Unknown:
		return nil, nil
	case v.known || f.From == known.User:
		return stated, nil
	}
	stated.Applied = false
	return stated, nil
}

// is reports whether somebody stated that a correction is that of the drive.
func (o *offsetChoice) is(samples int) bool {
	return o != nil && o.Samples == samples && o.Origin != ""
}

// text says in the result of a rip of audio what became of the read offset.
func (o *offsetChoice) text() string {
	switch {
	case o == nil || o.Samples == 0:
		return ""
	case !o.Applied:
		return fmt.Sprintf("The audio is as the drive gives it. The read offset of this drive is %+d samples (%s): --offset known corrects for it.",
			o.Samples, originWords[o.Origin])
	case o.Origin == "option":
		return fmt.Sprintf("The audio is corrected for a read offset of %+d samples.", o.Samples)
	}
	return fmt.Sprintf("The audio is corrected for a read offset of %+d samples (%s).", o.Samples, originWords[o.Origin])
}
