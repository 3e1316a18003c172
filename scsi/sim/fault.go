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
	// FaultCorrupt: data sectors come with a wrong bit and without an error,
	// as through a bad cable.
	FaultCorrupt
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
	// FaultWrite: the sectors cannot be written; a later command is told so.
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
	Opcode      scsi.Opcode
	Nth         int // from 1
	Sense       scsi.Sense

	failed map[disc.LBA]int
}

// strikes reports whether the fault hits a read of sector a, and counts it.
func (f *Fault) strikes(a disc.LBA) bool {
	if a < f.First || a > f.Last {
		return false
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
var errFault = errors.New("a fault is read:LBA[-LBA][:TIMES] (also lost:, corrupt:, write:), or OPCODE:NTH:KEY/ASC/ASCQ " +
	"(also timeout, gone, short, long, eject, underrun in place of the sense; :deferred after it)")

// ParseFault reads a fault as it stands in a sim: specification.
func ParseFault(s string) (Fault, error) {
	parts := strings.Split(s, ":")
	fail := func() (Fault, error) { return Fault{}, fmt.Errorf("fault %q: %w", s, errFault) }
	sectors := map[string]FaultKind{"read": FaultRead, "lost": FaultLost, "corrupt": FaultCorrupt, "write": FaultWrite}
	if kind, ok := sectors[parts[0]]; ok {
		if len(parts) != 2 && len(parts) != 3 {
			return fail()
		}
		from, to, ranged := strings.Cut(parts[1], "-")
		if !ranged {
			to = from
		}
		first, err1 := strconv.ParseInt(from, 10, 31)
		last, err2 := strconv.ParseInt(to, 10, 31)
		if err1 != nil || err2 != nil || last < first {
			return fail()
		}
		f := Fault{Kind: kind, First: disc.LBA(first), Last: disc.LBA(last)}
		if len(parts) == 3 {
			n, err := strconv.Atoi(parts[2])
			if err != nil || n < 1 {
				return fail()
			}
			f.Times = n
		}
		return f, nil
	}
	deferred := len(parts) == 4 && parts[3] == "deferred"
	if len(parts) != 3 && !deferred {
		return fail()
	}
	op, err1 := strconv.ParseUint(strings.TrimPrefix(parts[0], "0x"), 16, 8)
	nth, err2 := strconv.Atoi(parts[1])
	if err1 != nil || err2 != nil || nth < 1 {
		return fail()
	}
	f := Fault{Opcode: scsi.Opcode(op), Nth: nth}
	switch parts[2] {
	case "timeout":
		f.Kind = FaultTimeout
	case "gone":
		f.Kind = FaultGone
	case "short":
		f.Kind = FaultShort
	case "long":
		f.Kind = FaultLong
	case "eject":
		f.Kind = FaultEject
	case "underrun":
		f.Kind = FaultUnderrun
	default:
		f.Kind = FaultSense
		if deferred {
			f.Kind = FaultDeferred
		}
		triple := strings.Split(parts[2], "/")
		if len(triple) != 3 {
			return fail()
		}
		var v [3]uint64
		for i, t := range triple {
			n, err := strconv.ParseUint(t, 16, 8)
			if err != nil {
				return fail()
			}
			v[i] = n
		}
		f.Sense = scsi.Sense{Key: scsi.SenseKey(v[0] & 15), ASC: uint8(v[1]), ASCQ: uint8(v[2])}
	}
	return f, nil
}
