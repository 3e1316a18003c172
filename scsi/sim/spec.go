package sim

import (
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

// keysHelp lists the keys for error messages.
const keysHelp = "media, fault, speed, offset, seed, pace, tray, c2, subchannel, fulltoc, tao, protect, lie, capacity, write, busy, rush"

// ParseSpec reads what follows "sim:" in the name of a drive.
//
// Keys: media=cd-rom (and cd-r, cd-rw, dvd-rom, dvd-r, dvd+r, dvd-rw, dvd+rw,
// dvd-rw-ro, dvd-r-dl, dvd+r-dl, dvd-ram, bd-rom, bd-r, bd-re), capacity=SECTORS (of
// a blank), fault= (see [ParseFault]; may be repeated),
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

func (s *Spec) set(key, value string) error {
	c := &s.Config
	number := func(low, high int) (int, error) {
		n, err := strconv.Atoi(value)
		if err != nil || n < low || n > high {
			return 0, fmt.Errorf("%s=%s: not a number from %d to %d", key, value, low, high)
		}
		return n, nil
	}
	only := func(choices ...string) error {
		for _, w := range choices {
			if value == w {
				return nil
			}
		}
		return fmt.Errorf("%s=%s: must be %s", key, value, strings.Join(choices, " or "))
	}
	var err error
	switch key {
	case "media":
		if _, ok := kinds()[value]; !ok {
			return fmt.Errorf("media=%s: no such medium; known are %s", value, mediaNames())
		}
		s.Media = value
	case "fault":
		var f Fault
		if f, err = ParseFault(value); err == nil {
			c.Faults = append(c.Faults, f)
		}
	case "speed":
		c.Speed, err = number(1, 72)
	case "offset":
		c.Offset, err = number(-5880, 5880)
	case "seed":
		var n int
		n, err = number(0, 1<<31-1)
		c.Seed = uint64(n)
	case "pace":
		var n int
		n, err = number(1, 1000)
		c.Pace = float64(n)
	case "capacity":
		s.Capacity, err = number(1, disc.MaxLBA)
	case "write":
		err = only("no")
		c.CannotWrite = true
	case "busy":
		err = only("yes")
		c.Busy = true
	case "rush":
		var n int
		n, err = number(1, 1000000)
		c.Rush = float64(n)
	case "tray":
		err = only("open")
		c.TrayOpen = true
	case "c2":
		err = only("no")
		c.NoC2 = true
	case "subchannel":
		err = only("no")
		c.NoSubchannel = true
	case "fulltoc":
		err = only("no")
		c.NoFullTOC = true
	case "tao":
		err = only("yes")
		c.TrackAtOnce = true
	case "protect":
		err = only("css")
		c.CSS = true
	case "lie":
		err = only("leadout", "overlap")
		c.Lie = value
	default:
		return fmt.Errorf("the simulated drive has no key %q; there are %s", key, keysHelp)
	}
	return err
}
