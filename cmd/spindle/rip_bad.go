package main

import (
	"fmt"
	"slices"

	"spindle/rip"
)

// mostListed is how many ranges are printed; all are in the map and in JSON.
const mostListed = 20

func (r *ripResult) textBad(p *page) {
	p.line("")
	lost := r.lost()
	switch once := r.BadSectors - lost; {
	case lost == 0:
		p.text("%s of %d %s read once, and not compared:", p.yellow(plural(once, "sector")), r.Sectors, wasOrWere(once))
	case once > 0:
		p.text("%s of %d could not be read correctly, and %d were read only once:", p.red(plural(lost, "sector")), r.Sectors, once)
	default:
		p.text("%s of %d could not be read correctly:", p.red(plural(lost, "sector")), r.Sectors)
	}
	for i, b := range r.Bad {
		if i == mostListed {
			p.line("  and %s more: see %s", plural(len(r.Bad)-i, "range"), r.Map)
			break
		}
		p.line("  %s%s: %s", r.trackOf(b), sectorsText(int(b.First), int(b.Last)), badReasons[b.Reason])
	}
	listDamaged(p, "damaged files", r.Parts)
	if !slices.ContainsFunc(r.Bad, func(b rip.BadRange) bool { return b.Reason != rip.Protected }) {
		p.text("%s spindle does not decrypt discs; what lies outside of these sectors can be extracted from the image.", r.rest())
		return
	}
	again := "Clean the disc or try another drive, and run " + sameCommand(r.force, r.quick) + ": it"
	switch {
	case r.quick:
		again = "Run " + sameCommand(r.force, r.quick) + ": it"
	case r.force:
	case r.most > 0 && lost < r.BadSectors:
		again = "Run the same command without --max-errors: it"
	case lost == 0:
		again = "Run the same command: it"
	}
	p.text("%s %s reads only these sectors again (%s lists them).", r.rest(), again, r.Map)
}

// lost counts the sectors that could not be read, or came with errors.
func (r *ripResult) lost() int {
	n := 0
	for _, b := range r.Bad {
		if b.Reason != rip.NotCompared {
			n += int(b.Last-b.First) + 1
		}
	}
	return n
}

// badReasons says why sectors are not right.
var badReasons = map[rip.Reason]string{
	rip.Unreadable: "unreadable; filled in the image",
	rip.GivenUp:    "given up, not tried one by one; filled in the image",
	rip.Protected:  "copy-protected; filled in the image",
	rip.Flawed:     "read with errors; kept as read",

	rip.NotCompared: "read once, and not compared; kept as read",
}

// trackOf names the track of damage, where there is more than one.
func (r *ripResult) trackOf(b rip.BadRange) string {
	if len(r.Tracks) < 2 {
		return ""
	}
	return fmt.Sprintf("track %d, ", b.Track)
}

// rest says how good the rest of the disc is.
func (r *ripResult) rest() string {
	const few = 10 // one in so many
	switch bad := int64(r.lost()); {
	case bad*few <= r.Sectors && r.ReadOnce:
		return "Everything else was read, the audio once."
	case bad*few <= r.Sectors:
		return "Everything else was read without error."
	case bad*2 <= r.Sectors:
		return fmt.Sprintf("That is %d%% of the disc.", percent(bad, r.Sectors))
	}
	if int64(r.lost()) == r.Sectors {
		return "That is all of the disc."
	}
	return fmt.Sprintf("That is %d%% of the disc: the image is of little use as it is.", percent(int64(r.lost()), r.Sectors))
}

// sectorsText names a range of sectors, both ends included.
func sectorsText(first, last int) string {
	if first == last {
		return fmt.Sprintf("sector %d", first)
	}
	return fmt.Sprintf("sectors %d to %d (%d)", first, last, last-first+1)
}
