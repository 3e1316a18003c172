package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"syscall"

	"spindle/album/folder"
	"spindle/burn"
	"spindle/burn/journal"
	"spindle/check"
	"spindle/check/dat"
	"spindle/drive"
	"spindle/drive/byname"
	"spindle/image"
	"spindle/image/audio"
	"spindle/image/extract"
	"spindle/image/format"
	"spindle/image/mapfile"
	"spindle/internal/atomicfile"
	"spindle/internal/attached"
	"spindle/internal/discfile"
	"spindle/internal/packed"
	"spindle/internal/regular"
	"spindle/iso"
	"spindle/iso/author"
	"spindle/merge"
	"spindle/rip"
	"spindle/scan"
	"spindle/scsi"
	"spindle/scsi/tcmu"
)

// A message is an error as the user gets it.
type message struct {
	status int
	what   string // what happened
	next   string // in what state things are, and what to do now
	sense  string // what the drive said, for search engines
}

// An explanation says what an error means to the user: its exit status, in what
// state things are, and what to do next.
type explanation struct {
	code   string // names it in messages.golden
	err    error
	also   error // must be in the chain too, unless nil
	status int
	what   string // instead of the error's own words; empty where those say more
	next   string
}

const (
	keepRest    = "What was read is kept. "
	resumes     = "run the same command: it resumes from there."
	unchanged   = "Nothing was changed. "
	untouched   = "The disc was not touched. "
	replace     = unchanged + "Choose another name, or use --force to replace it."
	replaceIn   = unchanged + "Name another folder, or use --force to replace it." // in the folder of an album
	mapWithout  = "without it, sectors that could not be read pass for good. "
	mapVouches  = "It is the only record of sectors that could not be read: without it, the image passes for whole. "
	downloadNew = "If you downloaded it, download it again."
)

// explanations are tried in order; the first whose error is in the chain counts.
var explanations = []explanation{
	{"rip/taken-out", rip.ErrTakenOut, nil, exitNoDisc,
		"the disc was taken out while it was being read",
		keepRest + "Put the disc back and " + resumes},
	{"rip/held-other", rip.ErrOtherDisc, rip.ErrHeld, exitNoDisc,
		"",
		unchanged + "Insert the disc of the songs that are there, or name another folder."},
	{"rip/held-undecided", rip.ErrUndecided, rip.ErrHeld, exitNoDisc,
		"",
		unchanged + "Clean the disc, or try another drive, and run the same command. If you are sure that the disc is that of the songs that are " +
			"there, add --same-disc; or name another folder."},
	{"album/other-disc", folder.ErrOtherDisc, nil, exitNoDisc, "", unchanged + "Name another folder."},
	{"album/nothing-same", folder.ErrNothingSame, nil, exitNoDisc, "", unchanged + "Name another folder."},
	{"album/exists", errAlbumExists, nil, exitUsage, "", replaceIn},
	{"album/unlogged", errUnlogged, nil, exitUsage, "", replaceIn},
	{"album/complete", folder.ErrComplete, nil, exitUsage, "", unchanged + "--force makes it again."},
	{"album/not-right", folder.ErrNotRight, nil, exitUsage, "", unchanged + "Name its track and --force to make it again, whether or not that comes out better."},
	{"album/changed", folder.ErrChanged, nil, exitUsage, "", unchanged + "Move it away to have it made again, or use --force to replace it."},
	{"album/other-names", folder.ErrOtherNames, nil, exitUsage, "", unchanged + "Name another folder."},
	{"album/other-log", folder.ErrOtherLog, nil, exitNoDisc, "", unchanged + "Name another folder."},
	{"rip/shifted", rip.ErrShifted, nil, exitDifferent,
		"",
		unchanged + "The sub-channel cannot be read with a correction for that. Go on in the drive that the rip was begun with; or rip the disc to another " +
			"name, and let \"spindle merge\" make one good image of both."},
	{"rip/other-audio", rip.ErrOtherAudio, nil, exitNoDisc,
		"",
		unchanged + "If it is the same disc, rip it to another name, and let \"spindle merge\" make one good image of both; or use the drive that the rip was begun with. " +
			"If it is not, insert the right disc. (--force would start over and discard what was read.)"},
	{"rip/other-disc", rip.ErrOtherDisc, nil, exitNoDisc,
		"",
		unchanged + "Insert the right disc and run the same command, or choose another output name. " +
			"(--force would start over and discard what was read.)"},
	{"rip/image-gone", rip.ErrImageGone, nil, exitFailed,
		"",
		unchanged + "Put the image back, or remove the map to start over, as --force does."},
	{"rip/image-changed", rip.ErrImageChanged, nil, exitDifferent,
		"",
		unchanged + "Restore the image as it was, and run the same command; or rip the disc to another name, and let \"spindle merge\" make " +
			"one good image of both. (--force would start over and discard what was read.)"},
	{"rip/undecided", rip.ErrUndecided, nil, exitNoDisc,
		"",
		unchanged + "Clean the disc, or try another drive, and run the same command. If you are sure that the disc is the same, " +
			"add --same-disc. (--force would start over and discard what was read.)"},
	{"rip/other-options", rip.ErrOtherOptions, nil, exitUsage,
		"",
		"Run it with the same options as before, or with --force to start over."},
	{"rip/in-use", rip.ErrInUse, nil, exitUsage,
		"another spindle is ripping to this name",
		unchanged + "Wait for it to finish, or choose another output name."},
	{"rip/exists", rip.ErrExists, nil, exitUsage, "", replace},
	{"rip/shadows", rip.ErrShadows, nil, exitUsage, "",
		unchanged + "Move that file away, choose another name, or add --sub: --force alone does not replace it."},
	{"rip/options", rip.ErrOptions, nil, exitUsage, "", ""},
	{"rip/not-iso", rip.ErrNotISO, nil, exitUsage, "", "Rip it to a .cue instead."},
	{"rip/not-cd", rip.ErrNotCD, nil, exitUsage, "", "Rip it to an .iso instead."},
	{"rip/broken-off", rip.ErrBrokenOff, nil, exitNoDisc,
		"nothing on this disc can be read: its burn was interrupted",
		"\"spindle reburn\" resumes the burn, as far as the disc allows."},
	{"rip/blank", rip.ErrBlank, nil, exitNoDisc,
		"the disc is blank",
		"There is nothing to rip."},
	{"rip/toc", drive.ErrTOC, nil, exitFailed,
		"",
		"This may be copy protection, or the drive misreads the disc: clean it, or try another drive."},
	{"rip/protected", rip.ErrProtected, nil, exitFailed,
		"the disc is copy-protected, and the drive refuses to return any of it",
		"spindle does not decrypt discs."},
	{"rip/cannot-read", rip.ErrCannotRead, nil, exitFailed, "", "Try another drive."},
	{"rip/no-subchannel", rip.ErrNoSubchannel, nil, exitFailed,
		"this drive does not return the sub-channels",
		"Rip without --sub, or try another drive."},
	{"rip/drive-gone", rip.ErrDrive, scsi.ErrGone, exitFailed,
		"the drive disappeared",
		keepRest + "Check the cable, reconnect the drive, and " + resumes},
	{"rip/drive-silent", rip.ErrDrive, scsi.ErrTimeout, exitFailed,
		"the drive no longer answers",
		keepRest + "Switch the drive off and on, and " + resumes},
	{"rip/drive", rip.ErrDrive, nil, exitFailed,
		"the drive stopped working",
		keepRest + "Check the cable, switch the drive off and on, and " + resumes},
	{"name-too-long", syscall.ENAMETOOLONG, nil, exitFailed, "", "Choose a shorter name."},
	{"burn/journal-file", errJournalFile, nil, exitFailed, "", untouched + "Keep the journal elsewhere, with --journal FILE."},
	{"rip/disk-full", syscall.ENOSPC, rip.ErrOutput, exitFailed,
		"there is no space left for the image",
		keepRest + "Free some space and " + resumes},
	{"extract/disk-full", syscall.ENOSPC, errExtracting, exitFailed,
		"there is no space left on the disk",
		"What was extracted is kept. Free some space, then extract the rest: name the files that are missing (\"spindle ls IMAGE\" lists all), " +
			"or extract everything once more with --force."},
	{"disk-full", syscall.ENOSPC, nil, exitFailed,
		"there is no space left on the disk",
		"Free some space and run the same command again."},
	{"rip/no-folder", fs.ErrNotExist, rip.ErrOutput, exitFailed,
		"",
		"Make the folder first, then run the same command."},
	{"rip/permission", fs.ErrPermission, rip.ErrOutput, exitFailed,
		"",
		"Check the permissions of the file and its folder, then run the same command."},
	{"rip/output", rip.ErrOutput, nil, exitFailed,
		"",
		"What was read so far is kept. Once the cause is removed, run the same command to resume."},
	{"map/version", rip.ErrMapVersion, nil, exitFailed,
		"",
		"Use the version of spindle that wrote it, or --force to start over."},
	{"map/foreign", rip.ErrForeignMap, nil, exitFailed,
		"",
		"A rip resumes only where spindle began it. Continue with the program that made the map, as in \"ddrescue -b 2048 /dev/sr0 OUT OUT.map\", " +
			"or choose another name for this rip. Keep the map beside its image: " + mapWithout + "(--force starts over and discards both.)"},
	{"image/map", image.ErrMap, nil, exitFailed,
		"",
		mapVouches + "If it does not belong to this image, move it away; otherwise rip the disc again."},
	{"map/syntax", mapfile.ErrSyntax, nil, exitFailed,
		"",
		mapVouches + "Use --force to start over, while you have the disc."},

	{"drive/tray-open", drive.ErrTrayOpen, nil, exitNoDisc,
		"the tray is open",
		"Insert a disc and close the tray (\"spindle load\" closes it), then try again."},
	{"drive/no-medium", drive.ErrNoMedium, nil, exitNoDisc,
		"no disc in the drive",
		"Insert a disc and run the same command."},
	{"drive/unreadable", drive.ErrUnreadable, nil, exitNoDisc,
		"the drive cannot read this disc",
		"Clean the disc, check that the drive supports its kind, or try another drive."},
	{"drive/not-ready", drive.ErrNotReady, nil, exitNoDisc,
		"the drive did not become ready",
		"Take the disc out, wait a moment, and try again."},
	{"drive/none", byname.ErrNoDrive, nil, exitNoDisc,
		"no optical drive was found",
		"Connect one, or try a simulated one: spindle info -d sim:IMAGE. " +
			"A container needs its device files passed in."},
	{"drive/many", errManyDrives, nil, exitNoDisc, "", "Choose one with --drive."},
	{"drive/permission", scsi.ErrPermission, nil, exitNoDisc, "", ""},
	{"drive/not-found", scsi.ErrNotFound, nil, exitNoDisc, "", "\"spindle drives\" lists the drives."},
	{"drive/not-optical", scsi.ErrNotOptical, nil, exitNoDisc, "", "\"spindle drives\" lists the drives."},
	{"drive/busy", scsi.ErrBusy, nil, exitNoDisc, "", ""},
	{"drive/unsupported", scsi.ErrUnsupported, nil, exitNoDisc, "", ""},

	{"burn/fresh-disc", burn.ErrFreshDisc, nil, exitNoDisc, "", "Insert a blank disc and run \"spindle reburn\" again."},
	{"burn/no-journal", journal.ErrNone, nil, exitUsage, "", "\"spindle reburn --list\" lists the burns that failed."},
	{"burn/journal-version", journal.ErrVersion, nil, exitFailed, "", "Use the version of spindle that wrote it: it can resume the burn."},
	{"burn/bad-journal", journal.ErrMalformed, nil, exitFailed, "", "\"spindle burn\" starts over with a fresh disc."},
	{"burn/changed", burn.ErrImageChanged, nil, exitFailed, "",
		untouched + "Restore the image as it was. If you know that only its date changed, add --force: what is on the disc is compared with it first."},
	{"burn/source", burn.ErrSource, nil, exitFailed, "", untouched + "Put the image back where it was."},
	{"burn/too-large", burn.ErrTooLarge, nil, exitNoDisc, "the image does not fit on the disc", untouched + "Use a larger disc."},
	{"burn/wrong-medium", burn.ErrWrongMedium, nil, exitNoDisc, "the image is not for this kind of disc", untouched + "A CD image needs a CD; a data image fits any disc."},
	{"burn/not-blank", burn.ErrNotBlank, nil, exitNoDisc, "the disc is not blank", untouched + "Use a blank disc, or erase a rewritable one with --blank."},
	{"burn/not-writable", burn.ErrNotWritable, nil, exitNoDisc, "the disc cannot be written", untouched + "Use a blank disc of a kind that the drive can write."},
	{"burn/no-simulation", burn.ErrNoSimulation, nil, exitUsage, "this kind of disc cannot be burned as a simulation", untouched + "--dry-run shows the plan."},
	{"burn/image", burn.ErrImage, nil, exitUsage, "no disc can hold this image as it is", untouched},
	{"burn/address", burn.ErrAddress, nil, exitUsage, "the image was made for another place on the disc",
		untouched + "A further session needs an image that was made for it (\"spindle info\" shows where it begins); " +
			"--force burns it anyway."},
	{"burn/once-only", burn.ErrOnceOnly, nil, exitUsage, "this disc can be written at once only, because it was blanked the quick way",
		untouched + "Erase it with --blank --full, or leave out --multi."},
	{"burn/needs-format", burn.ErrNeedsFormat, nil, exitUsage, "this kind of disc needs no erasing: \"spindle burn\" overwrites it",
		untouched + "\"spindle format\" resets it."},
	{"burn/options", burn.ErrOptions, nil, exitUsage, "the options contradict each other", untouched},
	{"burn/packed-image", errPacked, nil, exitDifferent, "", untouched + "Get the image again."},
	{"burn/wrong-image", errWrongImage, nil, exitDifferent, "", untouched + "Get the image again; --force burns it anyway."},
	{"burn/part-of-disc", errPart, nil, exitUsage, "", untouched + "Rip or convert the rest into its folder first; --force burns it as it is, with nothing in their place."},
	{"burn/broken-log", errBrokenLog, nil, exitDifferent, "", untouched + restoreLog + ". --force burns the image anyway."},
	{"burn/in-doubt", errInDoubt, nil, exitDifferent, "", untouched + makeAgain + "; --force burns it anyway."},
	{"burn/broken-map", errBrokenMap, nil, exitDifferent, "", untouched + repairMap + "; --force burns the image anyway."},
	{"burn/damaged-song", errDamagedSong, nil, exitDifferent, "", untouched +
		"Get the file again, or rip the disc again; --force burns it anyway."},
	{"burn/mendable-image", errMendable, nil, exitDifferent, "", untouched +
		"\"spindle verify IMAGE --repair OUT.cue\" writes a copy in which parity corrects what it can; --force burns the image as it is."},
	{"burn/cut-image", errCutImage, nil, exitDifferent, "", untouched +
		"A part of it is missing: get the image again; --force burns it as it is."},
	{"burn/unmapped-flaws", errUnmapped, nil, exitDifferent, "", untouched +
		"Rip the disc again, or get the image again; --force burns it as it is."},
	{"burn/flawed-image", errFlawed, nil, exitDifferent, "", untouched +
		"Rip the disc again with the same command (only these sectors are read), or get the image again; --force burns it as it is."},
	{"burn/nobody", errNoAnswer, nil, exitNoDisc,
		"another disc is needed, and there is no terminal to ask for it",
		""},

	{"attach/root", tcmu.ErrRoot, nil, exitFailed, "", "Run it with sudo."},
	{"attach/unsupported", tcmu.ErrUnsupported, nil, exitFailed,
		"drives can be attached on Linux only",
		"On any system, \"--drive sim:FILE\" uses the simulated drive within spindle."},
	{"attach/module", tcmu.ErrModule, nil, exitFailed, "",
		"Try \"modprobe target_core_user\" and \"modprobe tcm_loop\": the usual distributions ship them in their " +
			"kernel package. A container uses its host's modules."},
	{"attach/configfs", tcmu.ErrConfigfs, nil, exitFailed,
		"configfs is not mounted",
		"Mount it: mount -t configfs none /sys/kernel/config"},
	{"attach/none", attached.ErrNone, nil, exitNoDisc, "", "\"spindle attach\" makes one; \"spindle drives\" lists all drives."},

	{"sim/in-use", discfile.ErrInUse, nil, exitNoDisc, "", "Stop that one first (\"spindle detach\"), or use another file."},
	{"sim/name", discfile.ErrName, nil, exitUsage, "", ""},
	{"sim/exists", discfile.ErrInTheWay, nil, exitUsage, "", unchanged + "Choose another name."},

	{"drive/gone", scsi.ErrGone, nil, exitFailed, "the drive disappeared", "Was it unplugged? Reconnect it and run the same command."},
	{"drive/timeout", scsi.ErrTimeout, nil, exitFailed, "the drive did not answer in time", "Switch the drive off and on, and try again."},

	{"scan/nothing", scan.ErrNothing, nil, exitNoDisc, "", "Insert a disc that has something on it."},
	{"scan/changed", scan.ErrChanged, nil, exitNoDisc, "", "Nothing was kept. Put the disc back and run the same command."},

	{"merge/other-disc", merge.ErrOtherDisc, nil, exitNoDisc, "", "Nothing was kept. Merge images of one disc only."},
	{"merge/undecided", merge.ErrUndecided, nil, exitNoDisc, "",
		unchanged + "If you are sure that it is, add --same-disc."},
	{"merge/unaligned", merge.ErrUnaligned, nil, exitFailed, "",
		unchanged + "Leave this image out, or rip the disc again."},

	{"image/damaged-song", audio.ErrDamaged, nil, exitDifferent, "", "Get the file again, or rip the disc again."},
	{"image/written-to", errWrittenTo, nil, exitFailed, "", "What was found may hold neither for what it was nor for what it is now. Run the same command when nothing writes to the image."},
	{"image/changed", image.ErrChanged, nil, exitFailed, "", "Nothing was kept. Run the same command when nothing writes to the image."},
	{"image/folder", regular.ErrFolder, image.ErrUnknown, exitFailed, "", "\"spindle make\" makes an image of a folder."},
	{"image/unknown", image.ErrUnknown, nil, exitFailed, "", ""},
	{"image/cannot-hold", image.ErrCannotHold, nil, exitUsage, "", ""},
	{"image/shadows", format.ErrShadows, nil, exitUsage, "", unchanged + "Move that file away, or choose another name: --force does not replace it."},
	{"image/exists", image.ErrExists, nil, exitUsage, "", replace},
	{"extract/source", image.ErrSource, errExtracting, exitUsage, "",
		"Files extracted before it are kept. Choose another folder: --force does not replace what is being read."},
	{"image/source", image.ErrSource, nil, exitUsage, "", unchanged + "Choose another name: --force does not replace what is being read."},
	{"extract/too-much", extract.ErrTooMuch, nil, exitFailed, "", "Files extracted before it are kept. Name the files that you want."},
	{"image/no-file", errNoSuchFile, nil, exitUsage, "", "\"spindle ls IMAGE\" lists the files in an image."},
	{"image/elsewhere", image.ErrElsewhere, nil, exitFailed, "",
		"Most likely it is a later session of a disc, without those before it. Rip the whole disc, and look into that image; or burn this one as the next session of the disc that it was made for."},
	{"image/no-volume", iso.ErrNoVolume, nil, exitFailed, "", ""},
	{"image/compressed-damaged", packed.ErrDamaged, nil, exitDifferent, "", downloadNew},
	{"image/compressed-unusual", packed.ErrTooLarge, nil, exitFailed, "", "Unpack it first."},
	{"make/exists", author.ErrExists, nil, exitUsage, "", replace},
	{"make/label", author.ErrLabel, nil, exitUsage, "", unchanged},
	{"make/boot", author.ErrBoot, nil, exitUsage, "", unchanged + "The boot image is a file below the folder."},
	{"make/changed", author.ErrChanged, nil, exitFailed, "", "Nothing was kept. Run the same command when nothing writes to the folder."},
	{"extract/exists", extract.ErrExists, nil, exitUsage, "",
		"Files extracted before it are kept. Use --force to replace files, or choose another folder."},
	{"check/no-sums", check.ErrNoSums, nil, exitFailed, "", ""},
	{"check/dat", dat.ErrSyntax, nil, exitFailed, "", ""},
	{"no-folder", atomicfile.ErrNoFolder, nil, exitFailed, "", "Make it first, then run the same command."},
	{"permission", fs.ErrPermission, nil, exitFailed, "", "Check the permissions of the folder."},
}

// sensedNext is the advice for an error that only the drive's sense data explain.
const sensedNext = "Clean the disc and try again, or try another drive. --trace FILE records all traffic with the drive."

// explain turns an error into what the user gets.
func explain(err error) message {
	var use refusal
	switch {
	case errors.As(err, &use):
		return message{status: use.status, what: err.Error(), next: use.next}
	case errors.Is(err, context.Canceled):
		return message{status: exitInterrupted, what: "interrupted"}
	}
	m := message{status: exitFailed, what: fileWords(err)}
	if i := find(err); i >= 0 {
		e := explanations[i]
		m.status, m.next = e.status, strings.TrimSpace(e.next)
		if e.what != "" {
			m.what = e.what
		}
	}
	for _, more := range details {
		more(err, &m)
	}
	m = m.withSense(err)
	m.what = inWords(m.what)
	return m
}

// find returns the index of the explanation of an error, or -1.
func find(err error) int {
	return slices.IndexFunc(explanations, func(e explanation) bool {
		return errors.Is(err, e.err) && (e.also == nil || errors.Is(err, e.also))
	})
}

// withSense puts what the drive said where the sense data belong: last.
func (m message) withSense(err error) message {
	var cc *scsi.CheckCondition
	if !errors.As(err, &cc) {
		return m
	}
	m.sense = cc.Error()
	if m.what == err.Error() { // which says it in the words of the standard
		m.what = "the drive reported an error"
		if w, ok := senseWords(cc.Sense); ok {
			m.what = w.what
		}
	}
	if m.next == "" {
		m.next = sensedNext
	}
	return m
}

// plainError leaves the operation and the name out of an error of the operating
// system.
func plainError(err error) string {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err.Error()
	}
	return err.Error()
}

// fileProblems says what can be wrong with a file or folder.
var fileProblems = []struct {
	err   error
	words string
}{
	{atomicfile.ErrNoFolder, "there is no folder %q"},
	{fs.ErrNotExist, "there is no file or folder %q"},
	{fs.ErrPermission, "you have no permission for %q"},
	{fs.ErrExist, "%q already exists"},
	{syscall.ENOTDIR, "%q is not a folder"},
	{syscall.EISDIR, "%q is a folder"},
}

// fileWords gives an error of the operating system about a file its sentence, and
// other errors their own words.
func fileWords(err error) string {
	var p *fs.PathError
	if !errors.As(err, &p) || err.Error() != p.Error() {
		return err.Error()
	}
	for _, f := range fileProblems {
		if errors.Is(p.Err, f.err) {
			return fmt.Sprintf(f.words, p.Path)
		}
	}
	return fmt.Sprintf("%q: %v", p.Path, p.Err)
}
