package sim

import (
	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/scsi"
)

// thousand is what the rate of a noisy fault is out of.
const thousand = 1000

// noiseAt returns how many bytes of a thousand come wrong of a sector.
func (d *Drive) noiseAt(a disc.LBA) int {
	for i := range d.cfg.Faults {
		if f := &d.cfg.Faults[i]; f.Kind == FaultNoisy && f.Nth == 0 && f.First <= a && a <= f.Last {
			return f.Rate
		}
	}
	return 0
}

// addNoise makes bytes wrong, others at each reading, and marks them.
func (d *Drive) addNoise(s *[cdsector.Size]byte, c2 *[c2Size]byte, rate int) {
	if rate == 0 {
		return
	}
	for i := range s {
		if d.noise.IntN(thousand) < rate {
			s[i] ^= byte(1 + d.noise.IntN(255))
			c2[i/8] |= 0x80 >> (i % 8)
		}
	}
}

// An uncorrected error is that of a sector of data whose bytes came, and are wrong: drives
// give them where bit TB of mode page 01h is set (MMC-6 7.3).
type uncorrected struct{ senseError }

func (e uncorrected) Unwrap() error { return e.senseError }

// hopeless is how many wrong bytes no drive corrects: its parity has 276 (ECMA-130 annex A).
const hopeless = 200

// noisyData is what the drive makes of a sector of data of which bytes come wrong: it corrects it by its parity,
// without looking at error pointers, or fails.
func (d *Drive) noisyData(a disc.LBA, s *[cdsector.Size]byte, c2 *[c2Size]byte) error {
	rate, hurt := d.noiseAt(a), d.surface().touches(a, a+1)
	if rate == 0 && !hurt {
		return nil
	}
	kind, whole := cdsector.Classify(s), *s
	for _, g := range d.glances(a) {
		*s, *c2 = whole, [c2Size]byte{}
		d.addNoise(s, c2, rate)
		wrong := d.surface().spoil(s, c2, a, g)
		if wrong == 0 && rate == 0 {
			return nil
		}
		if fixed := *s; wrong < hopeless && (kind == cdsector.Mode1 || kind == cdsector.Form1) {
			if _, ok := cdsector.Correct(&fixed, kind, nil); ok {
				*s, *c2 = fixed, [c2Size]byte{}
				return nil
			}
		}
		if !hurt {
			d.clock.advance(retryTime)
			break
		}
		d.clock.advance(retryTime / ownTries)
	}
	d.mech.lose()
	return uncorrected{senseError{Key: scsi.MediumError, ASC: scsi.ASCUnrecoveredRead, ASCQ: scsi.ASCQLECUncorrectable,
		Information: uint64(uint32(a)), InformationValid: true}}
}

// hurtAudio makes wrong what damage makes wrong of a sector that nothing corrects but CIRC, and marks it.
func (d *Drive) hurtAudio(a disc.LBA, s *[cdsector.Size]byte, c2 *[c2Size]byte) {
	if d.corrupted(FaultRead, a) {
		d.mech.lose()
		first := d.noise.IntN(cdsector.Size/8) * 4
		for i := first; i < first+64 && i < cdsector.Size; i++ {
			s[i] ^= byte(1 + d.noise.IntN(255))
			c2[i/8] |= 0x80 >> (i % 8)
		}
	}
	d.noisyAudio(a, s, c2)
}

// streamSector reads a sector of data as if it were audio: as it stands on the disc, with the drive's read offset.
func (d *Drive) streamSector(a disc.LBA, s *[cdsector.Size]byte, c2 *[c2Size]byte) error {
	if err := d.strike(a, false); err != nil {
		return err
	}
	at := int(a)*cdsector.Size - d.cfg.Offset*4
	skip := (at%cdsector.Size + cdsector.Size) % cdsector.Size
	first := disc.LBA((at - skip) / cdsector.Size)
	for i := range 2 {
		one, marks, p := [cdsector.Size]byte{}, [c2Size]byte{}, first+disc.LBA(i)
		if t := d.layout.TrackAt(p); t != nil {
			if err := d.readSectors(one[:], p); err != nil {
				return d.broken(err, p)
			}
			if t.Mode.IsData() {
				cdsector.Scramble(&one)
			}
			d.hurtAudio(p, &one, &marks)
		}
		for k := range one {
			to := i*cdsector.Size + k - skip
			if to < 0 || to >= len(s) {
				continue
			}
			s[to] = one[k]
			if marks[k/8]&(0x80>>(k%8)) != 0 {
				c2[to/8] |= 0x80 >> (to % 8)
			}
		}
	}
	return nil
}

// noisyAudio makes bytes of a sector of audio wrong: those of the first attempt at which CIRC corrects all, or
// else of the last.
func (d *Drive) noisyAudio(a disc.LBA, s *[cdsector.Size]byte, c2 *[c2Size]byte) {
	d.addNoise(s, c2, d.noiseAt(a))
	if !d.surface().touches(a, a+1) {
		return
	}
	was, marks := *s, *c2
	for _, g := range d.glances(a) {
		*s, *c2 = was, marks
		if d.surface().spoil(s, c2, a, g) == 0 {
			return
		}
	}
	d.clock.advance(retryTime / ownTries)
}
