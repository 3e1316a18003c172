package sim

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"spindle/disc"
	"spindle/scsi"
)

// FaultKind is what goes wrong.
type FaultKind uint8

// The kinds of faults.
const (
	// FaultRead: the sectors are damaged. Data sectors fail with 3/11/05;
	// audio sectors come with wrong samples, which only C2 error pointers
	// tell.
	FaultRead FaultKind = iota
	// FaultLost: the sectors cannot be found at all (3/02/00), audio or not.
	FaultLost
	// FaultBlock: no sector of the ECC blocks that hold the sectors comes: of 16 sectors on a DVD, of 32
	// on a BD. On a CD it is as FaultRead.
	FaultBlock
	// FaultCorrupt: data sectors come with a wrong bit and without an error,
	// as through a bad cable.
	FaultCorrupt
	// FaultNoisy: bytes of the sectors of a CD come wrong, others at each reading, and C2 error
	// pointers mark them. Sectors of data fail where the drive's own correction does, and their
	// bytes come only with the TB bit of mode page 01h.
	FaultNoisy
	// FaultScratch and those that follow are damage that lies at a place of the disc: which sectors suffer, and how
	// often, comes of where the track crosses it. A scratch goes from the place of the first sector to that of the
	// last.
	FaultScratch
	// FaultRot: the layer that reflects goes, in blotches that are denser towards the last sector.
	FaultRot
	// FaultPrint: that of a finger.
	FaultPrint
	// FaultPinholes: so many holes as the rate says.
	FaultPinholes
	// FaultWeak: the sectors were burned too weakly; they read better slowly.
	FaultWeak
	// FaultSense: the command ends with the sense given.
	FaultSense
	// FaultTimeout: the drive does not answer.
	FaultTimeout
	// FaultGone: the drive is unplugged, for good.
	FaultGone
	// FaultShort: half of the data come, without an error.
	FaultShort
	// FaultEject: somebody presses the button.
	FaultEject
	// FaultLong: the length stated in the answer is the largest there is.
	FaultLong
	// FaultWrite: the sectors cannot be written; a later command reports it.
	FaultWrite
	// FaultDeferred: the command ends with the sense given, as that of an
	// earlier command: what is in the write buffer is lost.
	FaultDeferred
	// FaultUnderrun: the write buffer runs empty before the command comes.
	FaultUnderrun
)

// A Fault is one thing that goes wrong: with sectors (Opcode zero), or with the
// Nth command of an opcode.
type Fault struct {
	Kind        FaultKind
	First, Last disc.LBA // sectors; inclusive
	Times       int      // how often each sector fails; 0: always
	Rate        int      // of FaultNoisy: wrong bytes of a thousand; of damage, how bad, of a thousand
	Opcode      scsi.Opcode
	Nth         int // from 1
	Sense       scsi.Sense

	failed map[disc.LBA]int
}

// unreadable reports whether a fault makes a sector fail, of data or of audio.
func (k FaultKind) unreadable(data bool) bool {
	return k == FaultLost || (k == FaultRead || k == FaultBlock) && data
}

// covers reports whether the fault is one of sectors [first, end) of a disc with so many sectors in an
// ECC block.
func (f *Fault) covers(first, end disc.LBA, block int) bool {
	if f.Nth != 0 {
		return false
	}
	low, high := f.First, f.Last+1
	if b := disc.LBA(block); f.Kind == FaultBlock {
		low, high = low/b*b, (high+b-1)/b*b
	}
	return low < end && high > first
}

// strikes reports whether the fault hits a read of sector a, and counts it.
func (f *Fault) strikes(a disc.LBA, block int) bool {
	if !f.covers(a, a+1, block) {
		return false
	}
	if f.Kind == FaultBlock {
		a -= a % disc.LBA(block)
	}
	if f.Times == 0 {
		return true
	}
	if f.failed == nil {
		f.failed = make(map[disc.LBA]int)
	}
	f.failed[a]++
	return f.failed[a] <= f.Times
}

// errFault explains the grammar of a fault.
var errFault = errors.New("a fault is read:LBA[-LBA][:TIMES] (also block:, lost:, corrupt:, write:), noisy:LBA[-LBA]:RATE, " +
	"scratch:LBA-LBA[:AMOUNT] (also rot:, print:, pinholes:, weak:), or OPCODE:NTH:KEY/ASC/ASCQ " +
	"(also timeout, gone, short, long, eject, underrun in place of the sense; :deferred after it)")

// sectorFaults and commandFaults are what a fault can be called.
var (
	sectorFaults = map[string]FaultKind{"read": FaultRead, "block": FaultBlock, "lost": FaultLost, "corrupt": FaultCorrupt, "write": FaultWrite,
		"noisy": FaultNoisy, "scratch": FaultScratch, "rot": FaultRot, "print": FaultPrint, "pinholes": FaultPinholes, "weak": FaultWeak}

	commandFaults = map[string]FaultKind{"timeout": FaultTimeout, "gone": FaultGone, "short": FaultShort, "long": FaultLong,
		"eject": FaultEject, "underrun": FaultUnderrun}
)

// ParseFault reads a fault as it stands in a sim: specification.
func ParseFault(s string) (Fault, error) {
	parts := strings.Split(s, ":")
	var f Fault
	var ok bool
	if kind, sectors := sectorFaults[parts[0]]; sectors {
		f, ok = parseSectorFault(kind, parts[1:])
	} else {
		f, ok = parseCommandFault(parts)
	}
	if !ok {
		return Fault{}, fmt.Errorf("fault %q: %w", s, errFault)
	}
	return f, nil
}

// parseSectorFault reads LBA[-LBA] and, perhaps, TIMES, or, of noise and damage, how bad it is.
func parseSectorFault(kind FaultKind, parts []string) (Fault, bool) {
	if len(parts) != 1 && len(parts) != 2 {
		return Fault{}, false
	}
	first, last, ok := parseRange(parts[0])
	f := Fault{Kind: kind, First: first, Last: last}
	n := 0
	if len(parts) == 2 {
		var err error
		n, err = strconv.Atoi(parts[1])
		ok = ok && err == nil && n >= 1
	}
	if w, wound := wounds[kind]; wound || kind == FaultNoisy {
		if f.Rate = n; n == 0 {
			f.Rate = w.usual
		}
		return f, ok && f.Rate >= 1 && f.Rate <= thousand
	}
	f.Times = n
	return f, ok
}

// parseRange reads LBA or LBA-LBA.
func parseRange(s string) (first, last disc.LBA, ok bool) {
	from, to, ranged := strings.Cut(s, "-")
	if !ranged {
		to = from
	}
	a, err1 := strconv.ParseInt(from, 10, 31)
	b, err2 := strconv.ParseInt(to, 10, 31)
	return disc.LBA(a), disc.LBA(b), err1 == nil && err2 == nil && a <= b
}

// parseCommandFault reads OPCODE, NTH, what happens and, perhaps, deferred.
func parseCommandFault(parts []string) (Fault, bool) {
	deferred := len(parts) == 4 && parts[3] == "deferred"
	if len(parts) != 3 && !deferred {
		return Fault{}, false
	}
	op, err1 := strconv.ParseUint(strings.TrimPrefix(parts[0], "0x"), 16, 8)
	nth, err2 := strconv.Atoi(parts[1])
	if err1 != nil || err2 != nil || nth < 1 {
		return Fault{}, false
	}
	f := Fault{Opcode: scsi.Opcode(op), Nth: nth}
	if kind, known := commandFaults[parts[2]]; known {
		f.Kind = kind
		return f, true
	}
	f.Kind = FaultSense
	if deferred {
		f.Kind = FaultDeferred
	}
	var ok bool
	f.Sense, ok = parseTriple(parts[2])
	return f, ok
}

// parseTriple reads KEY/ASC/ASCQ, each hexadecimal.
func parseTriple(s string) (scsi.Sense, bool) {
	triple := strings.Split(s, "/")
	if len(triple) != 3 {
		return scsi.Sense{}, false
	}
	var v [3]uint64
	for i, t := range triple {
		n, err := strconv.ParseUint(t, 16, 8)
		if err != nil {
			return scsi.Sense{}, false
		}
		v[i] = n
	}
	return scsi.Sense{Key: scsi.SenseKey(v[0] & 15), ASC: uint8(v[1]), ASCQ: uint8(v[2])}, true
}
