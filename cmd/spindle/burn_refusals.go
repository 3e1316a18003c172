package main

import (
	"strconv"
	"strings"

	"spindle/burn"
)

// refusals says why a disc does not take an image, or is not erased or formatted.
// {disc} is the kind of disc in the drive, {a} and {b} are the numbers of the reason.
var refusals = map[burn.Reason]struct{ what, next string }{
	burn.UnknownDisc:     {"a disc of unknown kind cannot be written", "Use a blank disc of a kind that the drive can write."},
	burn.ReadOnlyDisc:    {"a {disc} cannot be written", "Use a blank disc of a kind that the drive can write."},
	burn.DiscIsComplete:  {"this {disc} is complete and cannot be written again", "Use a blank disc."},
	burn.DiscIsSpoiled:   {"a failed burn has spoiled this {disc}: it cannot be written again", "Use a blank disc."},
	burn.DriveReadsOnly:  {"a {disc} cannot be written in this drive", "Use a disc of a kind that the drive can write, or another drive."},
	burn.WrittenOnce:     {"a {disc} is written once and cannot be erased", "Use a blank disc."},
	burn.OnlyCDRW:        {"only a CD-RW can lose a single session; this is a {disc}", "Leave out --session to erase the whole disc."},
	burn.NoFullFormat:    {"the drive offers no full format for this {disc}", "Leave out --full."},
	burn.FormattedLate:   {"a BD-R can be formatted only before its first burn", "Burn onto it as it is, or use a blank disc."},
	burn.NothingToFormat: {"a BD-R without spare areas needs no formatting", "Burn onto it as it is, with --spare none."},
	burn.NoFormat:        {"a {disc} is not formatted", "\"spindle burn\" takes a blank one as it is; \"spindle blank\" erases a full rewritable one."},
	burn.NotErasable:     {"a {disc} cannot be erased", "Leave out --blank."},
	burn.NoSimulatedWipe: {"--simulate writes nothing, and --blank would erase the disc", "Leave out one of them."},
	burn.CannotSimulate:  {"a {disc} cannot be burned as a simulation", "--dry-run shows the plan."},
	burn.SessionIsOpen:   {"the last session of this disc is open: another program wrote it, and did not close it", "Close it with that program, or use a blank disc."},
	burn.NoSessionAtOnce: {"the drive cannot write a session at once", "Try --mode tao or --mode raw."},
	burn.NoRaw:           {"the drive cannot write raw sectors", "Leave out --mode raw."},
	burn.NotForCD:        {"a CD cannot be written in this mode", "Use --mode sao, tao or raw."},
	burn.NotOneTrack:     {"only an image with a single data track (mode 1) can be burned track at once", "Leave out --mode tao."},
	burn.SessionsOnUsed:  {"the image has {a} sessions, and the disc has some already", "Use a blank disc."},
	burn.EmptyTrack:      {"track {a} of the image is empty (mode 0): no disc can hold that", ""},
	burn.ShortTrack:      {"track {a} is shorter than four seconds, the minimum on a CD", "An image with one data track can be burned with --mode tao, which pads it."},
	burn.NoPregap:        {"between tracks {a} and {b}, audio and data meet without a pregap: no disc can hold that", ""},
	burn.SpareTooLate:    {"spare areas can be set only before the first burn", "Leave out --spare."},
	burn.NoSpare:         {"the drive offers no spare areas for this {disc}", "Leave out --spare."},
	burn.OnlySpare:       {"the drive cannot format this {disc} without spare areas", "Leave out --spare none."},
	burn.NoSessions:      {"a {disc} has no sessions: it is overwritten", "Leave out --multi."},
	burn.RawSessions:     {"raw writing makes one session, and the image has {a}", "Leave out --mode raw."},
	burn.RawOnUsed:       {"raw writing needs a blank disc", "Leave out --mode raw, or use a blank disc."},
	burn.NoLeadIn:        {"the drive does not report where the lead-in begins, which raw writing needs", "Leave out --mode raw."},
	burn.ImageOfOther:    {"only a CD image (.cue, .nrg, .ccd, .toc) can be burned onto a {disc} in this mode", "Leave out --mode."},
	burn.FirstTrack:      {"the first track of the image is number {a}, and a session at once begins a disc with track 1", "Use --mode raw, which keeps the number."},
	burn.TooManyTracks:   {"the last track of the image would be track {a} of this {disc}, and a CD holds 99", "Use a blank disc."},
	burn.NoAppendAtOnce:  {"the drive does not add these tracks to what is on this {disc}", "Use a blank disc. (An image with a single data track can be added with --mode tao.)"},
	burn.NeverVerified:   {"drives write a {disc} without verifying it anyway", "Leave out --streaming."},
	burn.NoWritePoint:    {"the drive does not say where writing would continue on this {disc}", "Use a blank disc, or another drive."},
	burn.NeedsLength:     {"a {disc} that is written in this way must know the length before the first write", "Give the length of what comes through the pipe with --size, or leave out --mode."},
	burn.SmallSize:       {"the volume that comes through the pipe has {b} sectors, and --size allows {a}", "Give --size {b}, or leave --size out."},
	burn.ManyTracks:      {"the image has {a} tracks: it is not for this kind of disc", "A CD image needs a CD; a data image fits any disc."},
	burn.MadeFor:         {"the file system in the image is made for a place near sector {a}, and the disc would take it at {b}", otherPlace},
	burn.MadeForBlank:    {"the disc continues at sector {a}, and the file system in the image is made for the beginning of a disc", otherPlace},
	burn.Moved:           {"the disc continues at sector {a}, not at {b}", otherPlace},
	burn.EndedElsewhere:  {"this {disc} continues at sector {a}, and the burn ended near {b}: it holds another burn, and the drive cannot read it to compare", "Insert the disc of this burn, or a blank one, and run \"spindle reburn\" again."},
	burn.MustCompare:     {"the drive cannot read this {disc} yet, so it must be compared with the image afterwards", "Leave out --no-verify."},
	burn.NotAlike:        {"the discs in the drives are not alike: one reading of the image cannot serve both", "Use discs of one kind and state."},
}

const otherPlace = "A further session needs an image that was made for it (\"spindle info\" shows where it begins); --force burns it anyway."

// refusalWords gives a refusal its sentence, and what to do.
func refusalWords(r *burn.Refusal) (what, next string) {
	m, ok := refusals[r.Reason]
	if !ok {
		return r.Error(), ""
	}
	fill := strings.NewReplacer("{disc}", r.Disc.String(), "{a}", strconv.Itoa(r.A), "{b}", strconv.Itoa(r.B))
	return fill.Replace(m.what), fill.Replace(m.next)
}
