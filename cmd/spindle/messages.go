package main

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"syscall"

	"spindle/burn"
	"spindle/check"
	"spindle/drive"
	"spindle/drive/byname"
	"spindle/image"
	"spindle/image/extract"
	"spindle/image/isofile"
	"spindle/image/packed"
	"spindle/iso"
	"spindle/iso/author"
	"spindle/rip"
	"spindle/rip/mapfile"
	"spindle/scsi"
	"spindle/scsi/sim/discfile"
	"spindle/scsi/tcmu"
)

// A message is an error as the user gets it.
type message struct {
	status int
	what   string // what happened, and in what state things are
	next   string // what to do now
	sense  string // the drive's own words
}

// advice says for a kind of error what exit status it has and what to do next.
type advice struct {
	err    error
	also   error // must be in the chain too, unless nil
	status int
	next   string
}

// advices are tried in order; the first whose error is in the chain counts.
func advices() []advice {
	return []advice{
		{rip.ErrTakenOut, nil, exitNoDisc, "What was read is kept. Put the disc back and run the same command: it goes on from there."},
		{rip.ErrOtherDisc, nil, exitNoDisc, "Nothing was changed. Put the right disc in and run the same command, " +
			"or choose another output name (--force would begin anew and lose what was read)."},
		{rip.ErrOtherOptions, nil, exitUsage, "Run it with the options it was begun with, or with --force to begin anew."},
		{rip.ErrExists, nil, exitUsage, "Nothing was changed. Choose another name, or use --force to replace it."},
		{rip.ErrOptions, nil, exitUsage, ""},
		{rip.ErrNotISO, nil, exitUsage, ""},
		{rip.ErrNotCD, nil, exitUsage, ""},
		{rip.ErrBlank, nil, exitNoDisc, "There is nothing to rip."},
		{drive.ErrTOC, nil, exitFailed, "It may be a copy protection, or the drive misreads the disc: clean it, or try another drive."},
		{rip.ErrProtected, nil, exitFailed, "What was read is kept. spindle does not decrypt discs."},
		{rip.ErrCannotRead, nil, exitFailed, "Try another drive."},
		{rip.ErrNoSubchannel, nil, exitFailed, "Rip without --sub, or try another drive."},
		{rip.ErrDrive, nil, exitFailed, "What was read is kept. Check the cable, switch the drive off and on, " +
			"and run the same command: it goes on from there."},
		{syscall.ENOSPC, rip.ErrOutput, exitFailed, "What was read is kept. Make room and run the same command: it goes on from there."},
		{syscall.ENOSPC, nil, exitFailed, "Make room and run the same command."},
		{extract.ErrExists, nil, exitUsage, "What was extracted before it stays. Use --force to replace files, or another folder."},
		{rip.ErrOutput, nil, exitFailed, "What was read before is kept. Put that right and run the same command: it goes on from there."},
		{mapfile.ErrSyntax, nil, exitFailed, "Move the map away, or use --force to begin anew."},
		{drive.ErrTrayOpen, nil, exitNoDisc, "Put a disc in and close the tray (\"spindle load\" does that), then try again."},
		{drive.ErrNoMedium, nil, exitNoDisc, "Put a disc in and run the same command."},
		{drive.ErrUnreadable, nil, exitNoDisc, "Clean the disc, make sure that the drive is made for its kind, or try another drive."},
		{drive.ErrNotReady, nil, exitNoDisc, "Take the disc out, wait a moment, and try again."},
		{byname.ErrNoDrive, nil, exitNoDisc, "Connect one, or try a simulated one: spindle info -d sim:IMAGE. " +
			"In a container, the device files must be passed into it."},
		{errManyDrives, nil, exitNoDisc, "Choose one with --drive."},
		{scsi.ErrPermission, nil, exitNoDisc, ""},
		{scsi.ErrNotFound, nil, exitNoDisc, "\"spindle drives\" lists the drives there are."},
		{scsi.ErrNotOptical, nil, exitNoDisc, ""},
		{scsi.ErrBusy, nil, exitNoDisc, ""},
		{scsi.ErrUnsupported, nil, exitNoDisc, ""},
		{burn.ErrFreshDisc, nil, exitNoDisc, "Put a blank disc in and run \"spindle reburn\" again."},
		{burn.ErrNoJournal, nil, exitUsage, "\"spindle reburn --list\" lists the burns that failed."},
		{burn.ErrJournal, nil, exitFailed, ""},
		{burn.ErrChanged, nil, exitFailed, "The disc was not touched. Burn the image as it is now with \"spindle burn\", or with --force."},
		{burn.ErrSource, nil, exitFailed, "The disc was not touched. Put the image back where it was."},
		{burn.ErrTooLarge, nil, exitNoDisc, "The disc was not touched. Use a larger disc."},
		{burn.ErrWrongMedium, nil, exitNoDisc, "The disc was not touched. A CD image needs a CD; a data image fits all kinds."},
		{burn.ErrNotBlank, nil, exitNoDisc, "The disc was not touched."},
		{burn.ErrNotWritable, nil, exitNoDisc, "The disc was not touched. Use a blank disc of a kind that the drive writes."},
		{burn.ErrNoSimulation, nil, exitUsage, "The disc was not touched. --dry-run shows the plan."},
		{burn.ErrImage, nil, exitUsage, "The disc was not touched."},
		{burn.ErrAddress, nil, exitUsage, "The disc was not touched. A further session needs an image that was made for it " +
			"(\"spindle info\" shows where it begins); --force burns it all the same."},
		{burn.ErrOptions, nil, exitUsage, "The disc was not touched."},
		{errWrongImage, nil, exitDifferent, "The disc was not touched. Get the image again; --force burns it all the same."},
		{errNoAnswer, nil, exitNoDisc, ""},
		{tcmu.ErrRoot, nil, exitFailed, "Run it with sudo."},
		{tcmu.ErrUnsupported, nil, exitFailed, "Use it as sim:FILE with --drive, on any system."},
		{tcmu.ErrModule, nil, exitFailed, "Try \"modprobe target_core_user\" and \"modprobe tcm_loop\": they come with the kernel package " +
			"of the usual distributions. A container uses its host's modules."},
		{tcmu.ErrConfigfs, nil, exitFailed, "Mount it: mount -t configfs none /sys/kernel/config"},
		{errNotAttached, nil, exitNoDisc, "\"spindle attach\" makes one; \"spindle drives\" lists all drives."},
		{discfile.ErrInUse, nil, exitNoDisc, "End the other one (\"spindle detach\"), or use another file."},
		{discfile.ErrName, nil, exitUsage, ""},
		{discfile.ErrInTheWay, nil, exitUsage, "Nothing was changed. Choose another name."},
		{scsi.ErrGone, nil, exitFailed, "Was it unplugged? Connect it and run the same command."},
		{scsi.ErrTimeout, nil, exitFailed, "Switch the drive off and on, and try again."},
		{image.ErrUnknown, nil, exitFailed, ""},
		{image.ErrCannotHold, nil, exitUsage, ""},
		{extract.ErrTooMuch, nil, exitFailed, "What was extracted before it stays. Name the files that you want."},
		{errNoSuchFile, nil, exitUsage, "\"spindle ls IMAGE\" lists what is in it."},
		{iso.ErrNoVolume, nil, exitFailed, ""},
		{image.ErrExists, nil, exitUsage, "Nothing was changed. Choose another name, or use --force to replace it."},
		{author.ErrExists, nil, exitUsage, "Nothing was changed. Choose another name, or use --force to replace it."},
		{author.ErrLabel, nil, exitUsage, "Nothing was changed."},
		{author.ErrBoot, nil, exitUsage, "Nothing was changed. The boot image is a file below the folder."},
		{author.ErrChanged, nil, exitFailed, "Nothing was kept. Run the same command when nothing writes there."},
		{packed.ErrDamaged, nil, exitFailed, "Get the file again."},
		{packed.ErrTooLarge, nil, exitFailed, "Unpack it first."},
		{isofile.ErrTruncated, nil, exitFailed, "Get the file again: its download was broken off, most likely."},
		{check.ErrNoSums, nil, exitFailed, ""},
		{check.ErrDAT, nil, exitFailed, ""},
		{fs.ErrPermission, nil, exitFailed, "Check the permissions of the folder."},
	}
}

// explain turns an error into what the user gets.
func explain(err error) message {
	var (
		use  usageError
		simE *byname.DiscError
	)
	m := message{status: exitFailed, what: err.Error()}
	var cc *scsi.CheckCondition
	if errors.As(err, &cc) {
		// The drive's own words go to the end, for search engines.
		m.sense = cc.Error()
		for _, form := range [...]string{" (" + m.sense + ")", ": " + m.sense} {
			m.what = strings.Replace(m.what, form, "", 1)
		}
		if m.what == m.sense {
			m.what = "the drive refused a command"
		}
	}
	switch {
	case errors.As(err, &use):
		m.status = exitUsage
		if isCobraUsage(err) {
			m.next = "\"spindle --help\" lists the commands, \"spindle COMMAND --help\" their options."
		}
		return m
	case errors.Is(err, context.Canceled):
		return message{status: exitInterrupted, what: "interrupted"}
	case errors.As(err, &simE) && errors.Is(err, fs.ErrNotExist):
		m.status = exitNoDisc
		return m
	case isCobraUsage(err):
		m.status = exitUsage
		m.next = "\"spindle --help\" lists the commands, \"spindle COMMAND --help\" their options."
		return m
	}
	for _, a := range advices() {
		if errors.Is(err, a.err) && (a.also == nil || errors.Is(err, a.also)) {
			m.status, m.next = a.status, a.next
			return m
		}
	}
	if m.sense != "" && m.next == "" {
		m.next = "Clean the disc and try again, or another drive. --trace FILE records what passes to and from the drive."
	}
	return m
}

// isCobraUsage recognises cobra's own complaints, which have no type.
func isCobraUsage(err error) bool {
	text := err.Error()
	for _, p := range [...]string{"unknown command", "unknown flag", "unknown shorthand", "invalid argument", "flag needs"} {
		if strings.HasPrefix(text, p) {
			return true
		}
	}
	return false
}
