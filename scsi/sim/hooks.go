package sim

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/scsi"
)

// An exchange is one command and its answer.
type exchange struct {
	*scsi.Command
	op    scsi.Opcode
	began time.Duration // when it came

	n   int
	err error
}

// answer ends the exchange with an error, or with nil.
func (x *exchange) answer(err error) bool {
	x.n, x.err = 0, err
	return true
}

// limit is how long the host waits for the answer.
func (x *exchange) limit() time.Duration {
	if x.Timeout > 0 {
		return x.Timeout
	}
	return scsi.DefaultTimeout
}

// A sectorRead is one sector of READ CD on its way to the host.
type sectorRead struct {
	at      disc.LBA
	main    *[cdsector.Size]byte    // as it is read, all of it
	form    byte                    // of the C2 error pointers: 0 none, 1 294 bytes, 2 296
	c2      *[c2Size]byte           // what they say
	last    bool                    // of 296 bytes, the block error byte and its pad are the last two, not the first
	subForm byte                    // of the sub-channel, as in READ CD; 0 none
	subAt   disc.LBA                // the address whose sub-channel is given
	sub     *[cdsector.SubSize]byte // P to W, once subAt was read
}

// c2Size is that of the error pointers of a sector: a bit for each byte.
const c2Size = cdsector.Size / 8

// hooks are what a trait does, at the points where drives differ. Those that are
// nil do nothing. They are called with the drive locked.
type hooks struct {
	// power comes before the drive is switched on.
	power func(*Config)
	// before comes before a command is carried out. With true it has answered
	// it, and the command is not carried out.
	before func(*Drive, *exchange) bool
	// after comes when a command was carried out or answered.
	after func(*Drive, *exchange)
	// ready says, where not nil, why the drive is not ready.
	ready func(*Drive) error
	// sector comes when a sector of READ CD was read, and sub when its
	// sub-channel was.
	sector, sub func(*Drive, *sectorRead) error
	// features changes the descriptors of GET CONFIGURATION.
	features func(d *Drive, all [][]byte) [][]byte
	// page changes a mode page as MODE SENSE gives it.
	page func(d *Drive, page []byte)
	// recorded changes what a session leaves on the disc when it is closed.
	recorded func(*State)
}

// exchange carries out one command.
func (d *Drive) exchange(x *exchange) {
	answered := slices.ContainsFunc(d.traits, func(h hooks) bool { return h.before != nil && h.before(d, x) })
	if !answered {
		x.n, x.err = d.dispatch(x.Command)
	}
	for _, h := range d.traits {
		if h.after != nil {
			h.after(d, x)
		}
	}
}

// hang lets the time of a command run out. What the host does then is what Linux
// does: it resets the drive.
func (d *Drive) hang(x *exchange) bool {
	d.clock.advance(x.limit())
	d.reset()
	return x.answer(fmt.Errorf("%s: %w", x.op, scsi.ErrTimeout))
}

// reset is that of the bus: what was being written is lost, and the host is informed.
func (d *Drive) reset() {
	sense := scsi.Sense{Key: scsi.UnitAttention, ASC: scsi.ASCReset}
	d.abandon(sense)
	d.rec.page, d.rec.late, d.locked = defaultWritePage(), nil, false
	d.mech.lose()
	d.attention = append(d.attention[:0], sense)
}

// abandon ends writing in the middle, and whatever the drive is busy with.
func (d *Drive) abandon(why scsi.Sense) {
	if d.rec.buffer.running || d.rec.cue != nil && d.rec.cue.begun || d.rec.raw != nil {
		d.ruin(why)
	}
	d.endTest()
	d.rec.op, d.rec.late, d.rec.cue, d.rec.raw = nil, nil, nil, nil
}

// checkSector asks the traits about a sector of READ CD.
func (d *Drive) checkSector(s *sectorRead) error {
	for _, h := range d.traits {
		if h.sector == nil {
			continue
		}
		if err := h.sector(d, s); err != nil {
			return err
		}
	}
	return nil
}

// checkSub asks the traits about the sub-channel of a sector.
func (d *Drive) checkSub(s *sectorRead) error {
	for _, h := range d.traits {
		if h.sub == nil {
			continue
		}
		if err := h.sub(d, s); err != nil {
			return err
		}
	}
	return nil
}

// watchesSectors reports whether a trait looks at each sector of READ CD.
func (d *Drive) watchesSectors() bool {
	return slices.ContainsFunc(d.traits, func(h hooks) bool { return h.sector != nil })
}

// faults lets the faults of a command strike. With ended it has its answer; with
// short, half of the answer is lost.
func (d *Drive) faults(x *exchange) (ended, short bool) {
	for i := range d.cfg.Faults {
		f := &d.cfg.Faults[i]
		if f.Nth == 0 || f.Opcode != x.op || f.Nth != d.counts[x.op] {
			continue
		}
		switch f.Kind {
		case FaultShort:
			short = true
		case FaultLong:
			d.long = true
		case FaultEject:
			d.open()
		case FaultUnderrun:
			if d.disc != nil && d.disc.store != nil {
				d.starve()
			}
		default:
			return d.fatal(f, x), short
		}
	}
	return false, short
}

// fatal is a fault that a command ends with.
func (d *Drive) fatal(f *Fault, x *exchange) bool {
	switch f.Kind {
	case FaultTimeout:
		d.clock.advance(max(x.Timeout, time.Second))
		return x.answer(fmt.Errorf("%s: %w", x.op, scsi.ErrTimeout))
	case FaultGone:
		d.gone = true
		return x.answer(fmt.Errorf("%s: %w", x.op, scsi.ErrGone))
	case FaultDeferred:
		if d.disc != nil && d.disc.store != nil {
			d.ruin(f.Sense)
			d.rec.late = d.rec.late[:len(d.rec.late)-1]
		}
		s := f.Sense
		s.Deferred = true
		return x.answer(senseError(s))
	}
	return x.answer(senseError(f.Sense))
}

// execute is Execute, without the time that passes outside of the drive.
func (d *Drive) execute(c *scsi.Command) (int, error) {
	if len(c.CDB) == 0 {
		return 0, errors.New("sim: empty CDB")
	}
	op := scsi.Opcode(c.CDB[0])
	if len(c.CDB) < op.CDBLength() {
		return 0, fmt.Errorf("sim: %s: CDB of %d bytes, want %d", op, len(c.CDB), op.CDBLength())
	}
	if d.gone {
		return 0, fmt.Errorf("%s: %w", op, scsi.ErrGone)
	}
	d.stats.Commands++
	d.counts[op]++
	x := &exchange{Command: c, op: op, began: d.clock.elapsed()}
	d.clock.advance(commandTime)
	d.long = false
	ended, short := d.faults(x)
	if s, ok := x.err.(senseError); ok && s.Key == scsi.RecoveredError && !s.Deferred { //nolint:errorlint // it is not wrapped yet
		// The command was executed, with some effort.
		if d.exchange(x); x.err == nil {
			x.err = s
		}
	} else if !ended {
		d.exchange(x)
	}
	if short {
		x.n /= 2
	}
	var s senseError
	if errors.As(x.err, &s) {
		return x.n, d.check(op, scsi.Sense(s))
	}
	return x.n, x.err
}
