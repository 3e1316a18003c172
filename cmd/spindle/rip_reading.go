package main

import (
	"fmt"
	"path"

	"spindle/disc"
	"spindle/rip"

	"github.com/spf13/pflag"
)

// addReading defines the options of how hard the disc is read, in which order, and for how long.
func (o *ripFlags) addReading(f *pflag.FlagSet) {
	f.Var(count(&o.Retries, 3, 0, 1000, "N"), "retries", "how many passes to make over sectors that could not be read")
	f.DurationVar(&o.GiveUp, "give-up", 0, "stop working on damage after a `TIME` without success, such as 10m")
	f.StringArrayVar(&o.First, "first", nil, "read files that match this `GLOB` first, such as 'photos/*' (several times: several)")
	f.BoolVar(&o.Quick, "quick", false, "ask for each sector once: no retries, nothing read twice, nothing that an earlier run left")
	f.DurationVar(&o.MaxTime, "max-time", 0, "stop after a `TIME` in all, such as 2h, whatever is left")
	f.Var(count(&o.MaxErrors, 0, 0, disc.MaxLBA, "N"), "max-errors", "stop once N sectors have turned out unreadable (0: never)")
	f.Var(count(&o.Speed, 0, 0, mostSpeed, "N"), "speed", "reading speed, as a multiple of 1x (by default the drive's choice)")
	f.BoolVar(&o.secure, "secure", false, "read audio until it is proven: by two equal readings, agreement, or a database (the default)")
	f.BoolVar(&o.Once, "burst", false, "read audio once, and believe what the drive says of errors in it (C2)")
	f.BoolVar(&o.Once, "once", false, "the same as --burst")
}

// checkReading refuses those that contradict each other.
func (o *ripFlags) checkReading() error {
	for _, glob := range o.First {
		if _, err := path.Match(glob, ""); err != nil {
			return usage("--first %s is not a pattern of names", glob)
		}
	}
	if o.secure && (o.Once || o.Quick) {
		return usage("--secure reads audio until it is proven; --burst and --quick read it once")
	}
	return nil
}

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
	if s.Agree < 2 { // the best of them, and no agreement
		return fmt.Sprintf("%s voted, for some no two of %d readings agree", plural(s.Samples, "sample"), s.Of)
	}
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
