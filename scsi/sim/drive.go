// Package sim simulates an optical drive behind [scsi.Device]. A disc image is
// the disc in its tray. It behaves as the MMC standard and real drives do, also
// where that is inconvenient: it attends to medium changes, spins up, seeks,
// takes its time over damaged sectors, and refuses what a real drive refuses.
// Its time is simulated ([Clock]), so that a rip of an hour is over in seconds.
//
// It is there to try spindle without a disc, and to test it. So it does not use
// spindle/scsi/mmc, whose commands it answers: it takes commands apart and builds
// replies from the standard on its own. Were the layout of a command shared, a
// field at the wrong byte would be wrong on both sides, every test would pass, and
// a real drive would be the first to notice.
package sim

import (
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"spindle/disc"
	"spindle/scsi"
)

// Config describes a simulated drive and its disc.
type Config struct {
	Image disc.Image // the disc; nil: none
	Media string     // as in a [Spec]; empty: a pressed disc of the image's medium
	// Blank puts a blank disc of the kind Media into the tray; Image is nil.
	// What is written is kept in memory.
	Blank bool
	// Disc is a disc that can be written; Image is nil.
	Disc *Recordable

	Identity     Identity // empty: the simulator's own
	Faults       []Fault
	Traits       []Trait // how it departs from the standard
	Speed        int     // highest speed, times 1x; 0: 52 for CD, 16 DVD, 12 BD
	Offset       int     // read offset of audio in samples, as AccurateRip lists it: audio comes so much late of four bytes
	Seed         uint64  // of what is random
	Pace         float64 // simulated seconds a real second; 0: no waiting
	TrayOpen     bool
	NoC2         bool
	NoSubchannel bool
	NoFullTOC    bool
	Overread     int    // sectors of lead-in and lead-out that can be read
	TrackAtOnce  bool   // two run-out blocks end each data track
	DataAsAudio  bool   // READ CD of audio gives data as it stands on the disc: scrambled, displaced, not corrected
	CSS          bool   // the disc is protected by CSS
	Lie          string // "leadout" or "overlap": how the TOC is wrong

	CannotWrite bool // a drive that only reads
	Busy        bool // a full buffer is answered with 2/04/08 instead of waiting

	// HostTime counts the real time between two commands as simulated time,
	// so that what a slow host costs can be measured.
	HostTime bool
	// Rush is how many simulated seconds a real second between two commands
	// counts for while the drive is busy with itself (blanking, closing): so
	// that a program that does not know of simulated time need not wait.
	Rush float64
}

// Drive is a simulated drive. It is safe for concurrent use; commands are
// executed one after the other, as by a real drive.
type Drive struct {
	cfg    Config
	clock  *Clock
	image  disc.Image   // the disc, or nil
	disc   *Recordable  // the disc, if it can be written
	layout *disc.Layout // of all that can be read; nil: nothing
	toc    *disc.Layout // of the closed sessions; nil: none
	media  profile

	mu        sync.Mutex
	mech      mechanism
	tray      trayState
	attention []scsi.Sense // pending unit attentions
	readyAt   time.Duration
	locked    bool
	gone      bool
	event     byte // media event to report
	counts    map[scsi.Opcode]int
	noise     *rand.Rand
	damage    *surface   // of the disc
	looks     uint64     // attempts to read what lies in damage
	began     disc.LBA   // of the command that reads
	sense     scsi.Sense // for REQUEST SENSE
	transferB bool       // TB of mode page 01h
	retries   byte
	readSpeed int // kB/s, set by the host; 0: the highest
	lastEnd   time.Time
	stats     Stats
	scratch   [2352]byte
	long      bool // this command's answer overstates its length

	traits    []hooks
	rec       recorder
	sinceKept int           // bytes written since the state of the disc was saved
	formatEnd time.Duration // of a format in the background
}

const (
	trayClosed trayState = iota
	trayOpen
)

// Stats is what a drive has done, in simulated time.
type Stats struct {
	Commands     int           // all
	ReadCommands int           // READ (10), READ (12), READ CD
	Sectors      int           // read by them
	Elapsed      time.Duration // since power-on
	// HostWait is how long the drive stood still because its buffer was full
	// and the host did not ask for more.
	HostWait time.Duration

	Written    int   // sectors burned
	Underruns  int   // how often the write buffer ran empty in a track
	StoreError error // the last failure to keep what was written
}

// New switches a simulated drive on, with its disc in the tray.
func New(cfg Config) *Drive {
	var traits []hooks
	for _, t := range cfg.Traits {
		h := t.kind.make(t.arg)
		if h.power != nil {
			h.power(&cfg)
		}
		traits = append(traits, h)
	}
	d := &Drive{
		traits:  traits,
		cfg:     cfg,
		clock:   &Clock{pace: cfg.Pace},
		noise:   rand.New(rand.NewPCG(cfg.Seed, 1)),
		retries: 20,
		counts:  make(map[scsi.Opcode]int),
	}
	if cfg.TrayOpen {
		d.tray = trayOpen
	}
	d.rec.page = defaultWritePage()
	r := cfg.Disc
	if r == nil && cfg.Blank {
		// A name that does not exist is a drive without a disc.
		r, _ = NewRecordable(cfg.Media, 0, NewMemory(), nil)
	}
	d.place(cfg.Image, r, cfg.Media)
	d.attention = []scsi.Sense{{Key: scsi.UnitAttention, ASC: scsi.ASCReset}}
	if d.loaded() {
		d.insert()
	}
	return d
}

// Clock returns the drive's clock.
func (d *Drive) Clock() scsi.Clock { return d.clock }

// MaxTransfer is that of a common host adapter.
func (d *Drive) MaxTransfer() int { return 128 << 10 }

// Close switches the drive off and closes its disc.
func (d *Drive) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.image == nil {
		return nil
	}
	var err error
	if d.disc != nil && d.disc.store != nil {
		// A drive that is left alone writes what it holds.
		d.flush()
		d.endTest()
		err = d.disc.keep()
	}
	return errors.Join(err, d.image.Close())
}

// Stats returns what the drive has done so far.
func (d *Drive) Stats() Stats {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.stats
	s.Elapsed, s.HostWait = d.clock.elapsed(), d.mech.hostWait
	return s
}

// Execute implements [scsi.Device].
func (d *Drive) Execute(ctx context.Context, c *scsi.Command) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.lastEnd.IsZero() {
		passed := time.Since(d.lastEnd)
		if d.cfg.HostTime {
			d.clock.advance(time.Duration(float64(passed) * max(d.cfg.Pace, 1)))
		}
		d.hurry(passed)
	}
	before := d.clock.elapsed()
	n, err := d.execute(c)
	if took := d.clock.elapsed() - before; d.clock.pace > 0 {
		// A command in flight is not abandoned; the wait is real time.
		if werr := d.clock.wait(context.WithoutCancel(ctx), took); werr != nil {
			return 0, werr
		}
	}
	d.lastEnd = time.Now()
	return n, err
}

// hurry makes simulated time pass faster than real time, up to the end of what the drive is
// busy with.
func (d *Drive) hurry(passed time.Duration) {
	end := d.readyAt
	if d.rec.op != nil {
		end = max(end, d.rec.op.until)
	}
	d.clock.advance(min(time.Duration(float64(passed)*d.cfg.Rush), end-d.clock.elapsed()))
}

// senseError is what commands return inside this package.
type senseError scsi.Sense

func (e senseError) Error() string { s := scsi.Sense(e); return s.String() }

func fail(key scsi.SenseKey, asc, ascq uint8) error {
	return senseError{Key: key, ASC: asc, ASCQ: ascq}
}

// badField is 5/24/00, with the byte of the CDB that is not allowed.
func badField(at int) error {
	return senseError{Key: scsi.IllegalRequest, ASC: scsi.ASCInvalidFieldInCDB, Field: uint16(at), FieldValid: true}
}

var errOpcode = fail(scsi.IllegalRequest, scsi.ASCInvalidOpcode, 0)

// check makes the error of a command that ended with a check condition.
func (d *Drive) check(op scsi.Opcode, s scsi.Sense) error {
	s.Raw = s.Fixed()
	d.sense = s
	return &scsi.CheckCondition{Opcode: op, Sense: s}
}

// dispatch runs one command, once the drive is in the state that it needs.
func (d *Drive) dispatch(c *scsi.Command) (int, error) {
	cmd, known := commands[scsi.Opcode(c.CDB[0])]
	if (cmd.needs != nothing || !known) && len(d.attention) > 0 {
		s := d.attention[0]
		d.attention = d.attention[1:]
		return 0, senseError(s)
	}
	if !known {
		return 0, errOpcode
	}
	if cmd.needs == aMedium {
		if err := d.ready(); err != nil {
			return 0, err
		}
		d.finishBackground()
	}
	return cmd.run(d, c)
}

// ready is the state that every command on the medium asks for first.
func (d *Drive) ready() error {
	for _, h := range d.traits {
		if h.ready == nil {
			continue
		}
		if err := h.ready(d); err != nil {
			return err
		}
	}
	switch {
	case d.tray == trayOpen:
		return fail(scsi.NotReady, scsi.ASCMediumNotPresent, scsi.ASCQTrayOpen)
	case !d.loaded():
		return fail(scsi.NotReady, scsi.ASCMediumNotPresent, scsi.ASCQTrayClosed)
	case d.clock.elapsed() < d.readyAt:
		return fail(scsi.NotReady, scsi.ASCNotReady, scsi.ASCQBecomingReady)
	}
	return d.finishOperation()
}

// reply gives the host as much of an answer as it asked for with an allocation
// length, and as its buffer takes.
func reply(c *scsi.Command, answer []byte, allocation int) (int, error) {
	return copy(c.Data, answer[:min(len(answer), max(0, allocation))]), nil
}

// sized16 fills in the length of an answer whose first two bytes state it, not
// counting themselves.
func (d *Drive) sized16(b []byte) []byte {
	n := len(b) - 2
	if d.long {
		n = 0xFFFF
	}
	binary.BigEndian.PutUint16(b, uint16(n))
	return b
}

func alloc16(c *scsi.Command, at int) int { return int(binary.BigEndian.Uint16(c.CDB[at:])) }
