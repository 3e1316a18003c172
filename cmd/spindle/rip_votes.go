package main

import (
	"fmt"

	"spindle/disc"
	"spindle/rip"
)

// A voteSummary is how sectors of audio were put together from several readings.
type voteSummary struct {
	Sectors int `json:"sectors"`
	Samples int `json:"samples"`
	// Agree of Of readings agree at the sample where the fewest do.
	Agree int `json:"agree"`
	Of    int `json:"of"`
}

// votesIn sums up the votes on sectors from first to before end; nil: none.
func votesIn(votes []rip.Vote, first, end disc.LBA) *voteSummary {
	var s voteSummary
	for _, v := range votes {
		if v.At < first || v.At >= end {
			continue
		}
		s.Sectors++
		s.Samples += v.Samples
		if s.Sectors == 1 || v.Agree*s.Of < s.Agree*v.Of {
			s.Agree, s.Of = v.Agree, v.Of
		}
	}
	if s.Sectors == 0 {
		return nil
	}
	return &s
}

// text gives "12 samples voted, at least 9 of 11 readings agree".
func (s *voteSummary) text() string {
	return fmt.Sprintf("%s voted, at least %d of %d readings agree", plural(s.Samples, "sample"), s.Agree, s.Of)
}

// audioMode is the word in the log for how audio is read.
func audioMode(o *ripFlags) string {
	switch {
	case o.Quick:
		return "quick: every sector is asked for once"
	case o.Once:
		return "burst: audio is read once"
	}
	return "secure: audio is read until it is proven"
}
