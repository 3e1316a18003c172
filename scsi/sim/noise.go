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

// noisyData is what the drive makes of a noisy sector of data: it corrects it by its parity,
// without looking at error pointers, or fails.
func (d *Drive) noisyData(a disc.LBA, s *[cdsector.Size]byte, c2 *[c2Size]byte) error {
	rate := d.noiseAt(a)
	if rate == 0 {
		return nil
	}
	kind := cdsector.Classify(s)
	d.addNoise(s, c2, rate)
	if fixed := *s; kind == cdsector.Mode1 || kind == cdsector.Form1 {
		if _, ok := cdsector.Correct(&fixed, kind, nil); ok {
			*s, *c2 = fixed, [c2Size]byte{}
			return nil
		}
	}
	d.clock.advance(retryTime)
	d.mech.lose()
	return uncorrected{senseError{Key: scsi.MediumError, ASC: scsi.ASCUnrecoveredRead, ASCQ: scsi.ASCQLECUncorrectable,
		Information: uint64(uint32(a)), InformationValid: true}}
}
