package main

import (
	"errors"
	"fmt"
	"os/user"
	"strings"

	"spindle/internal/attached"
	"spindle/scsi"
	"spindle/scsi/mmc"
	"spindle/scsi/tcmu"
)

// driveWords are the words for errors that can stand within others, such as
// "WRITE (10): scsi: timeout". An error that contains another comes before it.
var driveWords = []struct {
	err   error
	words string
}{
	{scsi.ErrNotDevice, "not an optical drive"},
	{scsi.ErrNotOptical, "not an optical drive"},
	{scsi.ErrTimeout, "the drive did not answer in time"},
	{scsi.ErrGone, "the drive is gone"},
	{scsi.ErrBusy, "another program is using the drive"},
	{scsi.ErrTransport, "the connection to the drive failed"},
	{scsi.ErrPermission, "no permission to use the drive"},
	{scsi.ErrNotFound, "no such device"},
	{scsi.ErrUnsupported, "spindle cannot talk to drives on this system"},
	{scsi.ErrTrace, "bad trace"},
	{scsi.ErrSense, "malformed sense data"},
	{mmc.ErrShortReply, "the drive's answer is too short"},
	{mmc.ErrShortWrite, "the drive did not take all the data"},
	{mmc.ErrArgument, "spindle asked for something impossible"},
	{tcmu.ErrUnsupported, "drives can be attached on Linux only"},
	{tcmu.ErrRoot, "attaching a drive needs root"},
	{tcmu.ErrModule, "a kernel module is missing"},
	{tcmu.ErrConfigfs, "configfs is not mounted"},
	{tcmu.ErrRing, "the kernel's command ring makes no sense"},
	{tcmu.ErrExists, "a drive of this name is attached already"},
	{attached.ErrFull, "too many drives are attached already"},
	{attached.ErrNoAnswer, "the process that serves the drive does not answer"},
}

// inWords replaces the texts of library errors in a message by words for a person.
func inWords(text string) string {
	for _, w := range driveWords {
		text = strings.ReplaceAll(text, w.err.Error(), w.words)
	}
	return text
}

// openAdvice says what helps when a drive could not be opened, or returns the empty
// string.
func openAdvice(e *scsi.OpenError) string {
	switch {
	case errors.Is(e.Err, scsi.ErrNotDevice):
		return "To use a disc image as a simulated drive, write sim:" + e.Path + "."
	case errors.Is(e.Err, scsi.ErrBusy) && e.MountPoint != "":
		return "Its disc is mounted at " + e.MountPoint + ": unmount it first (umount " + e.Path + "), or add --unmount."
	case errors.Is(e.Err, scsi.ErrBusy):
		return "Close the program that uses " + e.Path + ", or wait until it has looked at the disc."
	case errors.Is(e.Err, scsi.ErrUnsupported):
		return "Image files and simulated drives (sim:FILE) work here."
	case errors.Is(e.Err, scsi.ErrPermission) && e.Group == "":
		return "Try again as root (sudo)."
	case errors.Is(e.Err, scsi.ErrPermission):
		me := "$USER"
		if u, err := user.Current(); err == nil {
			me = u.Username
		}
		return fmt.Sprintf("It belongs to group %q: run \"sudo usermod -aG %s %s\" and log in again.", e.Group, e.Group, me)
	}
	return ""
}
