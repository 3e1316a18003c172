package sim

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"spindle/disc"
)

// A Spec is a simulated drive as the command line names it, after "sim:":
// FILE, or FILE?KEY=VALUE&KEY=VALUE. Everything is taken literally, and the
// first question mark ends the file name. An empty FILE is an empty tray.
type Spec struct {
	File  string
	Trace string // trace=FILE: play back a recorded trace instead

	Media  string // media=: kind of medium; empty: what fits the image
	Config Config // all but its Image and its Disc

	Capacity int // capacity=: sectors of a blank disc; 0: as usual for its kind
}

// ParseSpec reads what follows "sim:" in the name of a drive.
//
// Keys: media=cd-rom (and cd-r, cd-rw, dvd-rom, dvd-r, dvd+r, dvd-rw, dvd+rw,
// dvd-rw-ro, dvd-r-dl, dvd+r-dl, dvd-ram, bd-rom, bd-r, bd-re), capacity=SECTORS (of
// a blank), drive=NAME (see [Personalities]), trait=NAME[:ARGUMENT][,...] (see [Traits];
// may be repeated), fault= (see [ParseFault]; may be repeated),
// speed=N (times 1x), offset=SAMPLES, seed=N, pace=N (simulated seconds a real
// second), tray=open, c2=no, subchannel=no, fulltoc=no, write=no (what the drive
// cannot do), busy=yes (a full write buffer is answered with 2/04/08), rush=N
// (see [Config]), tao=yes (two run-out blocks behind each data track), protect=css, and
// lie=leadout or lie=overlap (a TOC that is wrong).
func ParseSpec(s string) (Spec, error) {
	if file, ok := strings.CutPrefix(s, "trace="); ok {
		return Spec{Trace: file}, nil
	}
	file, query, _ := strings.Cut(s, "?")
	spec := Spec{File: file}
	if query == "" {
		return spec, nil
	}
	for pair := range strings.SplitSeq(query, "&") {
		key, value, ok := strings.Cut(pair, "=")
		if !ok || value == "" {
			return spec, fmt.Errorf("%q in the simulated drive's name is not KEY=VALUE", pair)
		}
		if err := spec.set(key, value); err != nil {
			return spec, err
		}
	}
	return spec, nil
}

// A specKey is a key of a specification, and what takes its value.
type specKey struct {
	name string
	set  func(s *Spec, value string) error
}

// specKeys are all of them, in the order in which an error lists them.
func specKeys() []specKey {
	return []specKey{
		{"media", (*Spec).setMedia},
		{"drive", (*Spec).setDrive},
		{"trait", (*Spec).addTraits},
		{"fault", (*Spec).addFault},
		{"speed", number(1, 72, func(s *Spec, n int) { s.Config.Speed = n })},
		{"offset", number(-5880, 5880, func(s *Spec, n int) { s.Config.Offset = n })},
		{"seed", number(0, 1<<31-1, func(s *Spec, n int) { s.Config.Seed = uint64(n) })},
		{"pace", number(1, 1000, func(s *Spec, n int) { s.Config.Pace = float64(n) })},
		{"tray", word("open", func(s *Spec) { s.Config.TrayOpen = true })},
		{"c2", word("no", func(s *Spec) { s.Config.NoC2 = true })},
		{"subchannel", word("no", func(s *Spec) { s.Config.NoSubchannel = true })},
		{"fulltoc", word("no", func(s *Spec) { s.Config.NoFullTOC = true })},
		{"tao", word("yes", func(s *Spec) { s.Config.TrackAtOnce = true })},
		{"protect", word("css", func(s *Spec) { s.Config.CSS = true })},
		{"lie", (*Spec).setLie},
		{"capacity", number(1, disc.MaxLBA, func(s *Spec, n int) { s.Capacity = n })},
		{"write", word("no", func(s *Spec) { s.Config.CannotWrite = true })},
		{"busy", word("yes", func(s *Spec) { s.Config.Busy = true })},
		{"rush", number(1, 1000000, func(s *Spec, n int) { s.Config.Rush = float64(n) })},
	}
}

func (s *Spec) set(key, value string) error {
	var names []string
	for _, k := range specKeys() {
		if k.name != key {
			names = append(names, k.name)
			continue
		}
		if err := k.set(s, value); err != nil {
			return fmt.Errorf("%s=%s: %w", key, value, err)
		}
		return nil
	}
	return fmt.Errorf("the simulated drive has no key %q; there are %s", key, strings.Join(names, ", "))
}

// number takes a value from low to high.
func number(low, high int, set func(*Spec, int)) func(*Spec, string) error {
	return func(s *Spec, value string) error {
		n, err := strconv.Atoi(value)
		if err != nil || n < low || n > high {
			return fmt.Errorf("not a number from %d to %d", low, high)
		}
		set(s, n)
		return nil
	}
}

// word takes the only value that a key has.
func word(only string, set func(*Spec)) func(*Spec, string) error {
	return func(s *Spec, value string) error {
		if value != only {
			return fmt.Errorf("must be %s", only)
		}
		set(s)
		return nil
	}
}

func (s *Spec) setMedia(value string) error {
	if _, ok := kinds()[value]; !ok {
		return fmt.Errorf("no such medium; known are %s", mediaNames())
	}
	s.Media = value
	return nil
}

func (s *Spec) addFault(value string) error {
	f, err := ParseFault(value)
	if err != nil {
		return errFault
	}
	s.Config.Faults = append(s.Config.Faults, f)
	return nil
}

// setDrive makes it a known drive. Keys that follow change what it is like.
func (s *Spec) setDrive(name string) error {
	p, err := findPersonality(name)
	if err != nil {
		return err
	}
	return p.apply(s)
}

func (s *Spec) addTraits(value string) error {
	for text := range strings.SplitSeq(value, ",") {
		t, err := ParseTrait(text)
		if err != nil {
			return err
		}
		s.Config.Traits = append(s.Config.Traits, t)
	}
	return nil
}

func (s *Spec) setLie(value string) error {
	if value != "leadout" && value != "overlap" {
		return errors.New("must be leadout or overlap")
	}
	s.Config.Lie = value
	return nil
}
