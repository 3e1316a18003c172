package sim

import (
	"encoding/binary"
	"errors"
	"time"

	"spindle/disc"
	"spindle/scsi"
)

// recorder is the writing half of a drive: what it was asked to do, what it holds in its
// buffer, and what it is busy with.
type recorder struct {
	page   writePage   // mode page 05h
	speed  float64     // multiple of 1x that the host chose; 0: the highest
	cue    *cueSheet   // of the session at once that is being written
	raw    *rawSession // the raw session that is being written
	buffer writeBuffer
	op     *operation   // what the drive is busy with after an immediate answer
	late   []scsi.Sense // deferred errors that were not yet reported
	test   *State       // of the disc before a test write
	weak   bool         // the track being written breaks when the buffer runs empty
	atOnce bool         // a DVD is being written at once
}

// operation is work that continues after a command was answered.
type operation struct {
	from, until time.Duration
	ascq        uint8        // of 2/04: 4 format, 7 operation, 8 long write
	done        func() error // what has happened at its end
}

// chunk is consecutive sectors in the write buffer, as they go to the store.
type chunk struct {
	data  []byte
	first disc.LBA
	n     int   // sectors
	at    int64 // in the store, in bytes; negative: not kept
	track int   // its number, or 0
}

// writeBuffer takes what the host sends, and loses it to the disc at the speed
// of writing.
type writeBuffer struct {
	queue   []chunk
	fill    int           // bytes
	at      time.Duration // when fill was true
	laser   time.Duration // before this, the drive does something else first
	credit  float64       // bytes that were burned but not yet taken from the queue
	free    [][]byte
	running bool // the laser is on: running empty is an underrun
}

// oneX is the number of bytes a second at 1x.
func (d *Drive) oneX() float64 { return d.mech.base * float64(d.media.medium().SectorSize()) }

// writeSpeed is the speed at which the drive writes, in multiples of 1x.
func (d *Drive) writeSpeed() float64 {
	speeds := d.writeSpeeds()
	best := speeds[0]
	if d.rec.speed > 0 {
		best = speeds[len(speeds)-1]
		for _, s := range speeds {
			if s <= d.rec.speed+0.05 {
				best = s
				break
			}
		}
	}
	return best
}

// writeSpeeds lists the speeds for the medium, highest first.
func (d *Drive) writeSpeeds() []float64 {
	var out []float64
	for _, s := range d.disc.kind.speeds {
		if d.cfg.Speed == 0 || s <= float64(d.cfg.Speed) {
			out = append(out, s)
		}
	}
	if len(out) == 0 {
		out = d.disc.kind.speeds[len(d.disc.kind.speeds)-1:]
	}
	return out
}

// drain lets the drive burn what time allows, up to now.
func (d *Drive) drain() {
	b := &d.rec.buffer
	now := d.clock.elapsed()
	from := max(b.at, b.laser)
	b.at = now
	if now <= from || b.fill == 0 {
		d.underrun(now, from)
		return
	}
	rate := d.writeSpeed() * d.oneX()
	can := b.credit + rate*(now-from).Seconds()
	for len(b.queue) > 0 && can >= float64(len(b.queue[0].data)) {
		can -= float64(len(b.queue[0].data))
		if !d.burnFirst() {
			return
		}
	}
	b.credit = can
	if len(b.queue) == 0 {
		b.credit = 0
		if can > 0 {
			d.underrun(now, now-time.Duration(can/rate*float64(time.Second)))
		}
	}
}

// underrun is what happens when the buffer is empty while a track is written.
func (d *Drive) underrun(now, since time.Duration) {
	b := &d.rec.buffer
	if !b.running || b.fill > 0 || now <= since {
		return
	}
	b.running = false
	d.stats.Underruns++
	if d.rec.weak {
		d.ruin(scsi.Sense{Key: scsi.MediumError, ASC: scsi.ASCWriteError, ASCQ: scsi.ASCQLossOfStreaming})
	}
}

// starve lets the buffer run empty, as a host does that is late.
func (d *Drive) starve() {
	b := &d.rec.buffer
	d.drain()
	if b.fill == 0 && !b.running {
		return
	}
	took := max(0, b.laser-d.clock.elapsed()) + seconds(float64(b.fill)/(d.writeSpeed()*d.oneX()))
	d.clock.advance(took + time.Second)
	d.drain()
}

// burnFirst writes the first chunk of the queue to the disc. It returns false
// when that fails.
func (d *Drive) burnFirst() bool {
	b := &d.rec.buffer
	c := b.queue[0]
	size := len(c.data) / max(c.n, 1)
	good := c.n
	var failure *scsi.Sense
	for i := range c.n {
		if a := c.first + disc.LBA(i); d.writeFails(a) {
			good = i
			failure = &scsi.Sense{Key: scsi.MediumError, ASC: scsi.ASCWriteError, Information: uint64(uint32(a)), InformationValid: true}
			d.clock.advance(retryTime)
			break
		}
	}
	if d.rec.test == nil && c.at >= 0 && c.n > 0 {
		if _, err := d.disc.store.WriteAt(c.data[:good*size], c.at); err != nil {
			good, failure = 0, &scsi.Sense{Key: scsi.HardwareError, ASC: scsi.ASCInternalFailure}
			d.stats.StoreError = err
		}
	}
	if t := d.disc.numbered(c.track); t != nil {
		t.Next = max(t.Next, c.first+disc.LBA(good))
	}
	d.stats.Written += good
	b.fill -= len(c.data)
	b.free = append(b.free, c.data[:0])
	b.queue = b.queue[1:]
	if d.sinceKept += len(c.data); d.sinceKept >= keepEvery {
		d.sinceKept = 0
		// Of a disc that is written over, nothing changes but its sectors.
		if failure == nil && d.rec.test == nil && d.disc.kind.class != random {
			if err := d.disc.keep(); err != nil {
				d.stats.StoreError = err
				failure = &scsi.Sense{Key: scsi.HardwareError, ASC: scsi.ASCInternalFailure}
			}
		}
	}
	if failure != nil {
		d.ruin(*failure)
		return false
	}
	return true
}

// keepEvery is how much is written between two times that the state is saved, in
// bytes.
const keepEvery = 1 << 20

// ruin ends the writing with a deferred error: what is in the buffer is lost.
func (d *Drive) ruin(s scsi.Sense) {
	b := &d.rec.buffer
	for _, c := range b.queue {
		b.free = append(b.free, c.data[:0])
	}
	b.queue, b.fill, b.credit, b.running = nil, 0, 0, false
	s.Deferred = true
	d.rec.late = append(d.rec.late, s)
	d.broke()
}

// broke marks the disc after a failure in the middle of writing: of what cannot
// be continued, nothing is left but a spoiled disc; elsewhere the open track
// is damaged.
func (d *Drive) broke() {
	if d.rec.test != nil {
		d.endTest()
		return
	}
	r := d.disc
	if r.kind.class == random {
		return
	}
	if d.rec.cue != nil && d.rec.cue.begun || d.rec.raw != nil || d.rec.atOnce {
		r.st.Spoiled = true
		d.rec.cue, d.rec.raw, d.rec.atOnce = nil, nil, false
	}
	if t := d.openTrack(); t != nil {
		t.Damaged = true
	}
	d.changed()
}

// changed takes note of a new state of the disc: the layout is made again, and the
// state is saved.
func (d *Drive) changed() {
	d.refresh()
	if d.rec.test != nil {
		return
	}
	if err := d.disc.keep(); err != nil {
		d.stats.StoreError = err
	}
}

// refresh makes the layouts again after the disc has changed.
func (d *Drive) refresh() {
	if d.disc == nil {
		return
	}
	d.media = d.disc.kind.profile
	d.layout, d.toc = d.disc.layout(true), d.disc.layout(false)
	d.image = d.disc
}

// writeFails applies the faults on writing a sector.
func (d *Drive) writeFails(a disc.LBA) bool {
	for i := range d.cfg.Faults {
		if f := &d.cfg.Faults[i]; f.Nth == 0 && f.Kind == FaultWrite && f.strikes(a, 1) {
			return true
		}
	}
	return false
}

// chunkOf returns room for n bytes that will be queued.
func (b *writeBuffer) chunkOf(n int) []byte {
	if k := len(b.free); k > 0 && cap(b.free[k-1]) >= n {
		p := b.free[k-1][:n]
		b.free = b.free[:k-1]
		return p
	}
	return make([]byte, n)
}

// room waits until the buffer has room for n bytes. A drive that answers instead
// of waiting (busy=yes) says 2/04/08.
func (d *Drive) room(n int) error {
	d.drain()
	b := &d.rec.buffer
	if b.fill+n <= writeBufferSize {
		return nil
	}
	if d.cfg.Busy {
		return fail(scsi.NotReady, scsi.ASCNotReady, scsi.ASCQLongWrite)
	}
	d.clock.advance(max(0, b.laser-d.clock.elapsed()))
	for b.fill+n > writeBufferSize && b.fill > 0 {
		over := float64(b.fill + n - writeBufferSize)
		d.clock.advance(seconds(over/(d.writeSpeed()*d.oneX())) + time.Millisecond)
		d.drain()
	}
	return d.deferred()
}

// writeBufferSize is the size of the drive's write buffer in bytes.
const writeBufferSize = 4 << 20

// enqueue puts sectors into the buffer.
func (d *Drive) enqueue(c chunk) {
	b := &d.rec.buffer
	if b.fill == 0 {
		b.at = d.clock.elapsed()
	}
	b.queue = append(b.queue, c)
	b.fill += len(c.data)
	b.running = true
	d.clock.advance(seconds(float64(len(c.data)) / busRate))
}

// flush burns all that is in the buffer, and returns how long that takes.
func (d *Drive) flush() time.Duration {
	b := &d.rec.buffer
	b.running = false
	if b.fill == 0 {
		return 0
	}
	took := max(0, b.laser-d.clock.elapsed()) + seconds(float64(b.fill)/(d.writeSpeed()*d.oneX()))
	for len(b.queue) > 0 && d.burnFirst() {
	}
	b.credit = 0
	b.at = d.clock.elapsed() + took
	return took
}

// deferred returns the error of an earlier command that is to be reported now.
func (d *Drive) deferred() error {
	if len(d.rec.late) == 0 {
		return nil
	}
	s := d.rec.late[0]
	d.rec.late = d.rec.late[1:]
	return senseError(s)
}

// start begins work of a certain length. With immediate it continues after the
// answer; otherwise the command waits for it.
func (d *Drive) start(immediate bool, takes time.Duration, ascq uint8, done func() error) error {
	now := d.clock.elapsed()
	if !immediate {
		d.clock.advance(takes)
		if err := done(); err != nil {
			return err
		}
		return d.deferred()
	}
	d.rec.op = &operation{from: now, until: now + takes, ascq: ascq, done: done}
	return nil
}

// finishOperation ends the work under way if its time has come, and otherwise
// returns that the drive is busy with it.
func (d *Drive) finishOperation() error {
	op := d.rec.op
	if op == nil {
		return nil
	}
	now := d.clock.elapsed()
	if now < op.until {
		progress := float64(now-op.from) / float64(op.until-op.from)
		return senseError{Key: scsi.NotReady, ASC: scsi.ASCNotReady, ASCQ: op.ascq, Progress: progress, ProgressValid: true}
	}
	d.rec.op = nil
	if err := op.done(); err != nil {
		var s senseError
		if errors.As(err, &s) {
			s.Deferred = true
			return s
		}
		return err
	}
	return d.deferred()
}

// readBufferCapacity is READ BUFFER CAPACITY (MMC-6 6.18).
func (d *Drive) readBufferCapacity(c *scsi.Command) (int, error) {
	if d.disc != nil {
		d.drain()
	}
	b := make([]byte, 12)
	total, free := uint32(writeBufferSize), uint32(writeBufferSize-d.rec.buffer.fill)
	if c.CDB[1]&1 != 0 {
		b[3] = 1
		total, free = total/2048, free/2048
	}
	binary.BigEndian.PutUint32(b[4:], total)
	binary.BigEndian.PutUint32(b[8:], free)
	return reply(c, d.sized16(b), alloc16(c, 7))
}
