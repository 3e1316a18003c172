package sim

import (
	"context"
	"encoding/binary"
	"errors"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/scsi"
)

// sectorError makes the error for a sector that cannot be given: its address
// stands in the information field.
func sectorError(key scsi.SenseKey, asc, ascq uint8, a disc.LBA) error {
	return senseError{Key: key, ASC: asc, ASCQ: ascq, Information: uint64(uint32(a)), InformationValid: true}
}

// outOfRange is for addresses that are not on the disc.
func outOfRange(a disc.LBA) error {
	return sectorError(scsi.IllegalRequest, scsi.ASCAddressOutOfRange, 0, a)
}

// wrongKind is for a sector of another kind than the one asked for.
func wrongKind(a disc.LBA) error {
	return senseError{Key: scsi.IllegalRequest, ASC: scsi.ASCIllegalModeForTrack, ILI: true,
		Information: uint64(uint32(a)), InformationValid: true}
}

// readBlocks is READ (10) and READ (12): user data of 2048 bytes.
func (d *Drive) readBlocks(c *scsi.Command) (int, error) {
	const size = 2048
	a := disc.LBA(int32(binary.BigEndian.Uint32(c.CDB[2:])))
	n := alloc16(c, 7)
	if scsi.Opcode(c.CDB[0]) == scsi.OpRead12 {
		n = int(min(binary.BigEndian.Uint32(c.CDB[6:]), 1<<24))
	}
	d.settle()
	if d.layout == nil || a < 0 || int(a)+n > d.sectors() {
		return 0, outOfRange(a)
	}
	n = min(n, len(c.Data)/size)
	d.readAhead(a, n)
	if d.media.medium() != disc.CD {
		return d.readDVD(c.Data[:n*size], a, n)
	}
	if d.readUser(c.Data[:n*size], a, n) {
		return n * size, nil
	}
	var s [cdsector.Size]byte
	var c2 [c2Size]byte
	for i := range n {
		out := c.Data[i*size : (i+1)*size]
		kind, err := d.dataSector(a+disc.LBA(i), &s, &c2)
		if err == nil && kind != cdsector.Mode1 && kind != cdsector.Form1 {
			err = wrongKind(a + disc.LBA(i))
		}
		if err != nil {
			return i * size, err
		}
		at, _ := kind.UserData()
		copy(out, s[at:])
		d.stats.Sectors++
	}
	return n * size, nil
}

// readAhead is the mechanism's part in a command that reads n sectors at a.
func (d *Drive) readAhead(a disc.LBA, n int) {
	d.stats.ReadCommands++
	d.began = a
	d.clock.advance(d.mech.read(d.clock.elapsed(), a, n, d.sectorSize()))
}

// settle writes what is in the buffer before something is read.
func (d *Drive) settle() {
	if d.disc != nil && d.rec.buffer.fill > 0 {
		d.drain()
		d.clock.advance(d.flush())
		d.refresh()
	}
}

// broken is what the host learns when the image cannot be read: of a sector that
// is not there, that; of a file that fails, a failure of the drive.
func (d *Drive) broken(err error, a disc.LBA) error {
	if errors.Is(err, disc.ErrNoSector) {
		return outOfRange(a)
	}
	d.stats.StoreError = err
	return sectorError(scsi.HardwareError, scsi.ASCInternalFailure, 0, a)
}

// runOutAt reports whether a sector is one of those that end a track written at
// once, or join packets.
func (d *Drive) runOutAt(a disc.LBA) bool {
	if d.disc != nil && d.disc.store != nil {
		return d.disc.runOutAt(a)
	}
	tracks := d.layout.Tracks()
	return d.cfg.TrackAtOnce && tracks[len(tracks)-1].Mode.IsData() && a >= d.layout.End()-runOut
}

func (d *Drive) runOutIn(first, end disc.LBA) bool {
	if d.disc == nil && !d.cfg.TrackAtOnce {
		return false
	}
	for a := first; a < end; a++ {
		if d.runOutAt(a) {
			return true
		}
	}
	return false
}

// readSectors reads whole sectors of the disc. A command that a drive has taken is
// not abandoned: reading does not end with its context.
func (d *Drive) readSectors(p []byte, a disc.LBA) error {
	return d.image.ReadSectors(context.Background(), p, a)
}

// readUser reads the user data of sectors of one track without faults in one go,
// where the image has them so.
func (d *Drive) readUser(p []byte, a disc.LBA, n int) bool {
	t := d.layout.TrackAt(a)
	end := a + disc.LBA(n)
	if t == nil || t.Mode != disc.Mode1 || end > t.End || d.runOutIn(a, end) {
		return false
	}
	if d.faulty(a, end) {
		return false
	}
	if done, err := d.image.ReadUser(context.Background(), p, a); !done || err != nil {
		return false
	}
	d.stats.Sectors += n
	return true
}

// faulty reports whether a fault may hit one of the sectors [first, end), or whether the
// image does not have one of them.
func (d *Drive) faulty(first, end disc.LBA) bool {
	for i := range d.cfg.Faults {
		if d.cfg.Faults[i].covers(first, end, d.eccBlock()) {
			return true
		}
	}
	return d.surface().touches(first, end) || len(d.image.Flaws().Clip(first, end)) > 0
}

// missing reports whether the image says that a sector was not read, or read with
// errors: then nobody reads from it what a disc did not give.
func (d *Drive) missing(a disc.LBA) bool {
	kind, flawed := d.image.Flaws().At(a)
	return flawed && kind != disc.Unproven
}

// readDVD reads blocks of a DVD or BD in one go up to the first fault.
func (d *Drive) readDVD(p []byte, a disc.LBA, n int) (int, error) {
	const size = 2048
	good, failure := n, error(nil)
	for i := range n {
		at := a + disc.LBA(i)
		err := d.strike(at, true)
		if err == nil && d.wounded(at) {
			err = sectorError(scsi.MediumError, scsi.ASCUnrecoveredRead, scsi.ASCQLECUncorrectable, at)
		}
		if err == nil && d.disc != nil && d.layout.TrackAt(at) == nil {
			err = sectorError(scsi.MediumError, scsi.ASCUnrecoveredRead, 0, at) // between two sessions
		}
		if err != nil {
			good, failure = i, err
			break
		}
	}
	// CSS scrambles the title's sectors, not the file system before them.
	if d.cfg.CSS && a+disc.LBA(good) > cssFrom {
		good = int(max(0, cssFrom-a))
		failure = sectorError(scsi.IllegalRequest, scsi.ASCCopyProtection, scsi.ASCQScrambledSector, max(a, cssFrom))
	}
	if err := d.readSectors(p[:good*size], a); err != nil {
		return 0, d.broken(err, a)
	}
	for i := range good {
		if d.corrupted(FaultCorrupt, a+disc.LBA(i)) {
			p[i*size+d.noise.IntN(size)] ^= 1 << d.noise.IntN(8)
		}
	}
	d.stats.Sectors += good
	return good * size, failure
}

// strike applies the faults on a sector, and the time they cost.
func (d *Drive) strike(a disc.LBA, data bool) error {
	if d.missing(a) {
		d.clock.advance(retryTime)
		d.mech.lose()
		return sectorError(scsi.MediumError, scsi.ASCUnrecoveredRead, 0, a)
	}
	for i := range d.cfg.Faults {
		f := &d.cfg.Faults[i]
		if f.Nth != 0 || !f.Kind.unreadable(data) || !f.strikes(a, d.eccBlock()) {
			continue
		}
		d.clock.advance(retryTime)
		d.mech.lose()
		if f.Kind == FaultLost {
			return sectorError(scsi.MediumError, scsi.ASCNoSeekComplete, 0, a)
		}
		return sectorError(scsi.MediumError, scsi.ASCUnrecoveredRead, scsi.ASCQLECUncorrectable, a)
	}
	return nil
}

// corrupted reports whether a fault of this kind changes the bytes of a sector.
func (d *Drive) corrupted(kind FaultKind, a disc.LBA) bool {
	for i := range d.cfg.Faults {
		if f := &d.cfg.Faults[i]; f.Nth == 0 && f.Kind == kind && f.strikes(a, d.eccBlock()) {
			return true
		}
	}
	return false
}

// dataSector reads one sector of a data track into s, faults included, and marks in c2 what
// is wrong. With an error that is [uncorrected] the bytes came.
func (d *Drive) dataSector(a disc.LBA, s *[cdsector.Size]byte, c2 *[c2Size]byte) (cdsector.Kind, error) {
	t := d.layout.TrackAt(a)
	switch {
	case t == nil:
		return 0, outOfRange(a)
	case !t.Mode.IsData():
		return 0, wrongKind(a)
	case d.runOutAt(a):
		return 0, sectorError(scsi.IllegalRequest, scsi.ASCIllegalModeForTrack, 0, a)
	}
	if err := d.strike(a, true); err != nil {
		return 0, err
	}
	if err := d.readSectors(s[:], a); err != nil {
		return 0, d.broken(err, a)
	}
	if d.corrupted(FaultCorrupt, a) {
		s[100+d.noise.IntN(1900)] ^= 1 << d.noise.IntN(8)
	}
	kind := cdsector.Classify(s)
	return kind, d.noisyData(a, s, c2)
}

// audioSector reads one sector of audio with the drive's read offset. Damaged
// samples are wrong, and marked in c2.
func (d *Drive) audioSector(a disc.LBA, s *[cdsector.Size]byte, c2 *[c2Size]byte) error {
	if err := d.strike(a, false); err != nil {
		return err
	}
	at := int64(a)*cdsector.Size - int64(d.cfg.Offset)*4
	if shifted := disc.LBA(at / cdsector.Size); d.missing(shifted) || at%cdsector.Size > 0 && d.missing(shifted+1) {
		return sectorError(scsi.MediumError, scsi.ASCUnrecoveredRead, 0, a) // some of its samples
	}
	if err := d.readSamples(s[:], at); err != nil {
		return err
	}
	d.hurtAudio(a, s, c2)
	return nil
}

// readSamples reads audio from a position in bytes, as if all audio of the disc
// were one stream; where there is none it is silent.
func (d *Drive) readSamples(p []byte, at int64) error {
	for len(p) > 0 {
		a := disc.LBA(at / cdsector.Size)
		if at < 0 {
			a = disc.LBA((at - cdsector.Size + 1) / cdsector.Size)
		}
		skip := int(at - int64(a)*cdsector.Size)
		n := min(len(p), cdsector.Size-skip)
		if t := d.layout.TrackAt(a); t == nil || t.Mode.IsData() {
			clear(p[:n])
		} else {
			s := &d.scratch
			if err := d.readSectors(s[:], a); err != nil {
				return d.broken(err, a)
			}
			copy(p, s[skip:skip+n])
		}
		p, at = p[n:], at+int64(n)
	}
	return nil
}

// cssFrom is the first sector that a CSS-protected disc of the simulator
// scrambles.
const cssFrom = disc.LBA(512)
