package burn

import (
	"errors"

	"spindle/scsi"
)

// Meaning says in plain words what an error of a burn means.
type Meaning struct {
	Key  scsi.SenseKey
	ASC  uint8
	ASCQ int // [scsi.AnyQualifier]: all
	What string
	Next string
}

// Explain finds what the sense data in an error's chain mean for a burn. The
// first entry of [Meanings] that fits counts.
func Explain(err error) (Meaning, bool) {
	s := scsi.SenseOf(err)
	if s == nil {
		return Meaning{}, false
	}
	for _, m := range Meanings() {
		if s.Is(m.Key, m.ASC, m.ASCQ) {
			return m, true
		}
	}
	return Meaning{}, false
}

const (
	otherDisc = "Try a slower speed, or a disc of another make."
	cleanDisc = "Look at the disc: dust, a fingerprint or a scratch is enough. Then try a slower speed, or another disc."
	checkLink = "Check the cable, or use another port; switch the drive off and on, and try again."
)

// Meanings lists what the sense codes that burning meets mean, as the users of
// libburn, cdrecord and growisofs have come to know them. The more particular
// entries come first.
func Meanings() []Meaning {
	const any = scsi.AnyQualifier
	return []Meaning{
		{scsi.MediumError, 0x73, 0x03, "the drive could not calibrate its laser for this disc", "The disc is not spoiled by that: try again at a slower speed, or a disc of another make. An old drive's laser may be worn."},
		{scsi.MediumError, 0x73, 0x02, "the area in which the drive calibrates its laser is full", "The disc cannot be written any more. Use another one."},
		{scsi.MediumError, 0x73, any, "the drive could not calibrate its laser for this disc", otherDisc},
		{scsi.MediumError, 0x0C, 0x09, "the data did not come fast enough, and the disc broke off", "Burn at a slower speed, leave the computer alone meanwhile, and keep the image on a fast local disk."},
		{scsi.MediumError, 0x0C, 0x0A, "a part of the disc could not be written", cleanDisc},
		{scsi.MediumError, 0x0C, any, "the drive could not write to the disc", cleanDisc},
		{scsi.MediumError, 0x02, any, "the drive could not find its place on the disc", cleanDisc},
		{scsi.MediumError, 0x03, any, "the drive could not write to the disc", cleanDisc},
		{scsi.MediumError, 0x09, any, "the drive could not follow the track", cleanDisc},
		{scsi.MediumError, 0x10, any, "a part of the disc could not be read back", cleanDisc},
		{scsi.MediumError, 0x11, any, "a part of the disc could not be read back", cleanDisc},
		{scsi.MediumError, 0x15, any, "the drive could not find its place on the disc", cleanDisc},
		{scsi.MediumError, 0x30, any, "the drive does not know this kind of disc", "Use a disc of the kind, and the speed, that the drive is made for."},
		{scsi.MediumError, 0x31, any, "the format of the disc is broken", "\"spindle format\" formats it anew; what is on it is lost."},
		{scsi.MediumError, 0x51, any, "the disc could not be erased", "\"spindle blank --full\" may do it. If not, it is worn out."},
		{scsi.MediumError, 0x57, any, "the drive cannot read the areas that say what is on the disc", cleanDisc},
		{scsi.MediumError, 0x72, 0x01, "the lead-in of the session could not be written", cleanDisc},
		{scsi.MediumError, 0x72, 0x02, "the lead-out of the session could not be written", "The data may be good: verify them with \"spindle verify --with\". Programs and players may not find them."},
		{scsi.MediumError, 0x72, any, "the session could not be closed", "The data may be good. \"spindle reburn\" tries to close the disc once more."},
		{scsi.HardwareError, 0x08, any, "the drive and the computer did not understand each other", checkLink},
		{scsi.HardwareError, 0x09, any, "the drive could not follow the track", cleanDisc},
		{scsi.HardwareError, 0x44, any, "something failed inside the drive", "Switch the drive off and on, and try again. If it happens again, the drive is worn out."},
		{scsi.HardwareError, 0x47, any, "data were damaged on their way to the drive", checkLink},
		{scsi.HardwareError, 0x53, any, "the tray did not move", "Push it, or use a pin in the hole beside it."},
		{scsi.HardwareError, 0x3E, any, "something failed inside the drive", "Switch the drive off and on, and try again. If it happens again, the drive is worn out."},
		{scsi.IllegalRequest, 0x21, 0x02, "the drive wants to go on at another place of the disc", "It lost some of the data, or another program writes to the disc. \"spindle info\" shows the disc's state."},
		{scsi.IllegalRequest, 0x21, any, "the place on the disc does not exist", "The disc is smaller than it was said to be: use another one."},
		{scsi.IllegalRequest, 0x24, any, "the drive does not know what it was told", "--trace FILE records what passes to and from the drive: please report it."},
		{scsi.IllegalRequest, 0x26, any, "the drive does not accept the order of the tracks", "Try another mode (--mode raw, or tao), and please report it with --trace FILE."},
		{scsi.IllegalRequest, 0x20, any, "the drive does not have a command that it needs for this", "Its firmware may be old. Try another drive."},
		{scsi.IllegalRequest, 0x1A, any, "the drive does not accept how it was told to write", "--trace FILE records what passes to and from the drive: please report it."},
		{scsi.IllegalRequest, 0x2C, any, "the drive expected something else to come first", "Eject the disc, load it again, and try once more."},
		{scsi.IllegalRequest, 0x30, 0x05, "this disc cannot be written, or not any more", "Use a blank disc of a kind that the drive can write."},
		{scsi.IllegalRequest, 0x30, 0x06, "this disc cannot be formatted", "Use a blank disc of a kind that the drive can write."},
		{scsi.IllegalRequest, 0x30, 0x08, "this disc cannot be erased", "Use a rewritable disc."},
		{scsi.IllegalRequest, 0x30, any, "the drive cannot use this disc in this way", "Use a blank disc of a kind that the drive can write."},
		{scsi.IllegalRequest, 0x53, 0x02, "the tray is locked", "Another program uses the disc: unmount it."},
		{scsi.IllegalRequest, 0x63, any, "the disc is full", "Use a larger disc."},
		{scsi.IllegalRequest, 0x64, any, "the track is of another kind", "The disc was begun by another program: use a blank one."},
		{scsi.IllegalRequest, 0x6F, any, "the disc is protected", "It cannot be written in this drive."},
		{scsi.IllegalRequest, 0x72, 0x00, "the session could not be closed", "The data may be good. \"spindle reburn\" tries to close the disc once more."},
		{scsi.IllegalRequest, 0x72, 0x03, "the session could not be closed: a track of it is not complete", "The data may be good. \"spindle reburn\" tries to close the disc once more."},
		{scsi.IllegalRequest, 0x72, 0x04, "an earlier burn left a track that is not complete", "Use a blank disc, or erase this one if it can be erased."},
		{scsi.IllegalRequest, 0x72, 0x05, "no more tracks fit on the disc", "Use a blank disc."},
		{scsi.IllegalRequest, 0x72, any, "the session could not be closed", "The data may be good. \"spindle reburn\" tries to close the disc once more."},
		{scsi.NotReady, 0x04, 0x07, "the drive is still at work", "Wait until its light goes out, and try again."},
		{scsi.NotReady, 0x04, 0x08, "the drive is still writing", "Wait until its light goes out, and try again."},
		{scsi.NotReady, 0x04, any, "the drive is not ready", "Wait a moment, or take the disc out and put it in again."},
		{scsi.NotReady, 0x30, any, "the drive does not know this kind of disc", "Use a disc of a kind that the drive can write."},
		{scsi.NotReady, 0x3A, any, "the disc was taken out", "Put it back: \"spindle info\" shows what has become of it, \"spindle reburn\" goes on if that is possible."},
		{scsi.NotReady, 0x57, any, "the drive cannot read the areas that say what is on the disc", cleanDisc},
		{scsi.UnitAttention, 0x28, any, "the disc was changed while it was burned", "Put it back: \"spindle info\" shows what has become of it, \"spindle reburn\" goes on if that is possible."},
		{scsi.UnitAttention, 0x29, any, "the drive was reset while it burned", checkLink},
		{scsi.UnitAttention, 0x2A, any, "another program changed the drive's settings", "End other programs that use the drive, and try again."},
		{scsi.UnitAttention, 0x2E, any, "the drive changed its state by itself", "Try again."},
		{scsi.DataProtect, 0x27, any, "the disc is write-protected", "Look for a switch on its cartridge, or use another disc."},
		{scsi.DataProtect, 0x30, any, "the drive does not write to this disc", "Use a blank disc of a kind that the drive can write."},
		{scsi.BlankCheck, 0x00, any, "the drive met blank disc where data should be", "Take the disc out and put it in again, and try once more."},
		{scsi.AbortedCommand, 0x08, any, "the drive and the computer did not understand each other", checkLink},
		{scsi.AbortedCommand, 0x47, any, "data were damaged on their way to the drive", checkLink},
		{scsi.AbortedCommand, 0x4B, any, "data were lost on their way to the drive", checkLink},
		{scsi.AbortedCommand, 0x00, any, "the drive gave up", checkLink},
		{scsi.VolumeOverflow, 0x00, any, "the disc is full", "Use a larger disc."},
	}
}

// Broken says what an error means that a drive did not explain.
func Broken(err error) (what, next string, ok bool) {
	switch {
	case errors.Is(err, scsi.ErrGone):
		return "the drive is gone", "Was it unplugged? Connect it: \"spindle info\" shows what has become of the disc, \"spindle reburn\" goes on if that is possible.", true
	case errors.Is(err, scsi.ErrTimeout):
		return "the drive did not answer in time", "Switch the drive off and on; \"spindle info\" shows what has become of the disc.", true
	case errors.Is(err, scsi.ErrTransport):
		return "the connection to the drive failed", checkLink, true
	}
	return "", "", false
}
