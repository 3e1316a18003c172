package main

import (
	"errors"

	"spindle/burn"
	"spindle/scsi"
)

// A senseMeaning says in plain words what sense data mean to someone who burns a disc.
type senseMeaning struct {
	key  scsi.SenseKey
	asc  uint8
	ascq int // anyASCQ: all
	what string
	next string
}

const anyASCQ = scsi.AnyQualifier

// senseWords finds what sense data mean. The first entry that fits counts.
func senseWords(s scsi.Sense) (senseMeaning, bool) {
	for _, m := range senseMeanings {
		if s.Is(m.key, m.asc, m.ascq) {
			return m, true
		}
	}
	return senseMeaning{}, false
}

const (
	otherDisc  = "Try a slower speed, or a disc of another make."
	cleanDisc  = "Check the disc: dust, a fingerprint or a scratch is enough. Then try a slower speed, or another disc."
	checkLink  = "Check the cable, or use another port; switch the drive off and on, and try again."
	writable   = "Use a blank disc of a kind that the drive can write."
	powerCycle = "Switch the drive off and on, and try again. If it happens again, the drive is worn out."
	report     = "Please report it, with the file that --trace FILE writes."
	closeAgain = "The data may be good. \"spindle reburn\" tries to close the disc again."
	putBack    = "Put it back;" + resumesMaybe
	// resumesMaybe ends what is advised where the disc may not be spoiled.
	resumesMaybe = " \"spindle reburn\" resumes if that is possible."
	stillAtWork  = "Wait until its light goes out, and try again."
	noTables     = "the drive cannot read the areas that describe what is on the disc"
)

// senseMeanings lists the sense codes that burning meets, as the users of libburn,
// cdrecord and growisofs have come to know them. The more particular entries come
// first.
var senseMeanings = []senseMeaning{
	{scsi.MediumError, 0x73, 0x03, "the drive could not calibrate its laser for this disc", "That does not spoil the disc: try again at a slower speed, or use a disc of another make. The laser of an old drive may be worn."},
	{scsi.MediumError, 0x73, 0x02, "the area in which the drive calibrates its laser is full", "The disc cannot be written any more. Use another one."},
	{scsi.MediumError, 0x73, anyASCQ, "the drive could not calibrate its laser for this disc", otherDisc},
	{scsi.MediumError, 0x0C, 0x09, "the data did not arrive in time, and writing broke off", "Burn at a slower speed, leave the computer alone meanwhile, and keep the image on a fast local disk."},
	{scsi.MediumError, 0x0C, 0x0A, "part of the disc could not be written", cleanDisc},
	{scsi.MediumError, 0x0C, anyASCQ, "the drive could not write to the disc", cleanDisc},
	{scsi.MediumError, 0x02, anyASCQ, "the drive could not find its place on the disc", cleanDisc},
	{scsi.MediumError, 0x03, anyASCQ, "the drive could not write to the disc", cleanDisc},
	{scsi.MediumError, 0x09, anyASCQ, "the drive could not follow the track", cleanDisc},
	{scsi.MediumError, 0x10, anyASCQ, "part of the disc could not be read", cleanDisc},
	{scsi.MediumError, 0x11, anyASCQ, "part of the disc could not be read", cleanDisc},
	{scsi.MediumError, 0x15, anyASCQ, "the drive could not find its place on the disc", cleanDisc},
	{scsi.MediumError, 0x30, anyASCQ, "the drive does not know this kind of disc", "Use a disc of a kind and speed that the drive supports."},
	{scsi.MediumError, 0x31, anyASCQ, "the format of the disc is broken", "\"spindle format\" formats it again; what is on it is lost."},
	{scsi.MediumError, 0x51, anyASCQ, "the disc could not be erased", "\"spindle blank --full\" may do it. If not, the disc is worn out."},
	{scsi.MediumError, 0x57, anyASCQ, noTables, cleanDisc},
	{scsi.MediumError, 0x72, 0x01, "the lead-in of the session could not be written", cleanDisc},
	{scsi.MediumError, 0x72, 0x02, "the lead-out of the session could not be written", "The data may be good: check them with \"spindle verify IMAGE --with DRIVE\". Programs and players may not find them."},
	{scsi.MediumError, 0x72, anyASCQ, "the session could not be closed", closeAgain},
	{scsi.HardwareError, 0x08, anyASCQ, "the connection between the drive and the computer failed", checkLink},
	{scsi.HardwareError, 0x09, anyASCQ, "the drive could not follow the track", cleanDisc},
	{scsi.HardwareError, 0x44, anyASCQ, "something failed inside the drive", powerCycle},
	{scsi.HardwareError, 0x47, anyASCQ, "data were damaged on their way to the drive", checkLink},
	{scsi.HardwareError, 0x53, anyASCQ, "the tray did not move", "Push it, or use a pin in the hole beside it."},
	{scsi.HardwareError, 0x3E, anyASCQ, "something failed inside the drive", powerCycle},
	{scsi.IllegalRequest, 0x21, 0x02, "the drive wants to continue at another place on the disc", "It lost some of the data, or another program writes to the disc. \"spindle info\" shows the state of the disc."},
	{scsi.IllegalRequest, 0x21, anyASCQ, "there is no such place on the disc", "The disc is smaller than it claims: use another one."},
	{scsi.IllegalRequest, 0x24, anyASCQ, "the drive did not understand a command", report},
	{scsi.IllegalRequest, 0x26, anyASCQ, "the drive does not accept the layout of the tracks", "Try another mode (--mode raw or --mode tao). " + report},
	{scsi.IllegalRequest, 0x20, anyASCQ, "the drive lacks a command that is needed", "Its firmware may be old. Try another drive."},
	{scsi.IllegalRequest, 0x1A, anyASCQ, "the drive does not accept the writing parameters", report},
	{scsi.IllegalRequest, 0x2C, anyASCQ, "the drive received its commands in an order that it does not accept", "Eject the disc, load it again, and try once more."},
	{scsi.IllegalRequest, 0x30, 0x05, "this disc cannot be written, or no longer", writable},
	{scsi.IllegalRequest, 0x30, 0x06, "this disc cannot be formatted", writable},
	{scsi.IllegalRequest, 0x30, 0x08, "this disc cannot be erased", "Use a rewritable disc."},
	{scsi.IllegalRequest, 0x30, anyASCQ, "the drive cannot use this disc in this way", writable},
	{scsi.IllegalRequest, 0x53, 0x02, "the tray is locked", "Another program uses the disc: unmount it."},
	{scsi.IllegalRequest, 0x63, anyASCQ, "the disc is full", "Use a larger disc."},
	{scsi.IllegalRequest, 0x64, anyASCQ, "the track is of another kind", "Another program began this disc: use a blank one."},
	{scsi.IllegalRequest, 0x6F, anyASCQ, "the disc is protected", "It cannot be written in this drive."},
	{scsi.IllegalRequest, 0x72, 0x00, "the session could not be closed", closeAgain},
	{scsi.IllegalRequest, 0x72, 0x03, "the session could not be closed: one of its tracks is incomplete", closeAgain},
	{scsi.IllegalRequest, 0x72, 0x04, "an earlier burn left an incomplete track", "Use a blank disc, or erase this one if it is rewritable."},
	{scsi.IllegalRequest, 0x72, 0x05, "no more tracks fit on the disc", "Use a blank disc."},
	{scsi.IllegalRequest, 0x72, anyASCQ, "the session could not be closed", closeAgain},
	{scsi.NotReady, 0x04, 0x07, "the drive is still busy", stillAtWork},
	{scsi.NotReady, 0x04, 0x08, "the drive is still writing", stillAtWork},
	{scsi.NotReady, 0x04, anyASCQ, "the drive is not ready", "Wait a moment, or take the disc out and insert it again."},
	{scsi.NotReady, 0x30, anyASCQ, "the drive does not know this kind of disc", "Use a disc of a kind that the drive can write."},
	{scsi.NotReady, 0x3A, anyASCQ, "the disc was taken out", putBack},
	{scsi.NotReady, 0x57, anyASCQ, noTables, cleanDisc},
	{scsi.UnitAttention, 0x28, anyASCQ, "the disc was changed after the burn was planned", putBack},
	{scsi.UnitAttention, 0x29, anyASCQ, "the drive was reset during the burn", checkLink},
	{scsi.UnitAttention, 0x2A, anyASCQ, "another program changed the settings of the drive", "Close other programs that use the drive, and try again."},
	{scsi.UnitAttention, 0x2E, anyASCQ, "the drive changed its state on its own", "Try again."},
	{scsi.DataProtect, 0x27, anyASCQ, "the disc is write-protected", "Look for a switch on its cartridge, or use another disc."},
	{scsi.DataProtect, 0x30, anyASCQ, "the drive does not write to this disc", writable},
	{scsi.BlankCheck, 0x00, anyASCQ, "the drive met blank disc where it expected data", "Take the disc out, insert it again, and try once more."},
	{scsi.AbortedCommand, 0x08, anyASCQ, "the connection between the drive and the computer failed", checkLink},
	{scsi.AbortedCommand, 0x47, anyASCQ, "data were damaged on their way to the drive", checkLink},
	{scsi.AbortedCommand, 0x4B, anyASCQ, "data were lost on their way to the drive", checkLink},
	{scsi.AbortedCommand, 0x00, anyASCQ, "the drive gave up", checkLink},
	{scsi.VolumeOverflow, 0x00, anyASCQ, "the disc is full", "Use a larger disc."},
}

// A linkMeaning says what an error means that a drive did not explain.
type linkMeaning struct {
	err        error
	what, next string
}

var linkMeanings = []linkMeaning{
	{scsi.ErrGone, "the drive disappeared", "Was it unplugged? Reconnect it;" + resumesMaybe},
	{scsi.ErrTimeout, "the drive did not answer in time", "Switch the drive off and on;" + resumesMaybe},
	{scsi.ErrTransport, "the connection to the drive failed", checkLink},
}

// burnCause says what an error of a burn means: from what the drive said, or from
// how the connection failed.
func burnCause(err error) (what, next string, ok bool) {
	if s := scsi.SenseOf(err); s != nil {
		m, ok := senseWords(*s)
		return m.what, m.next, ok
	}
	var refused *burn.Refusal
	if errors.As(err, &refused) {
		what, next := refusalWords(refused)
		return what, next, true
	}
	for _, m := range linkMeanings {
		if errors.Is(err, m.err) {
			return m.what, m.next, true
		}
	}
	return "", "", false
}
