package sim

import (
	"spindle/disc"
	"spindle/scsi"
)

// Forms of the C2 error pointers in READ CD.
const (
	form294 = 1
	form296 = 2
)

// c2Traits are about the C2 error pointers of READ CD: drives claim them, take the
// command, and err.
func c2Traits() []traitKind {
	return []traitKind{
		{"no-c2", argument{}, always(hooks{power: func(c *Config) { c.NoC2 = true }})},
		{"c2-294-fails-after", argument{name: "SECTORS", high: disc.MaxLBA, usual: 100}, c2FailsAfter},
		{"c2-294-garbage", argument{}, always(hooks{sector: func(d *Drive, s *sectorRead) error {
			if s.form == form294 {
				d.garble(s.c2)
			}
			return nil
		}})},
		{"c2-garbage", argument{}, always(hooks{sector: func(d *Drive, s *sectorRead) error {
			d.garble(s.c2)
			return nil
		}})},
		{"c2-296-only-first", argument{}, only296(false)},
		{"c2-296-only-last", argument{}, only296(true)},
		{"c2-always-zero", argument{}, always(hooks{sector: func(_ *Drive, s *sectorRead) error {
			*s.c2 = [c2Size]byte{}
			return nil
		}})},
		{"c2-late", argument{}, c2Late},
		{"concealed-damage", argument{name: "LBA-LBA", sectors: true}, concealed},
		{"c2-and-subchannel-exclusive", argument{}, always(hooks{sector: func(_ *Drive, s *sectorRead) error {
			if s.form != 0 && s.subForm != 0 {
				return badField(9)
			}
			return nil
		}})},
	}
}

// falseBits is how many C2 bits a sector has that is good: an HL-DT-ST GP50NB40
// gave 530877 in 21301 sectors.
const falseBits = 25

// garble sets error pointers at random.
func (d *Drive) garble(c2 *[c2Size]byte) {
	for range falseBits {
		c2[d.noise.IntN(c2Size)] |= 1 << d.noise.IntN(8)
	}
}

// c2FailsAfter takes the form of 294 bytes, and gives it up after a number of
// sectors: from then on good sectors fail.
func c2FailsAfter(a traitArg) hooks {
	good := a.n
	return hooks{sector: func(_ *Drive, s *sectorRead) error {
		if s.form != form294 {
			return nil
		}
		if good > 0 {
			good--
			return nil
		}
		return sectorError(scsi.MediumError, scsi.ASCUnrecoveredRead, 0, s.at)
	}}
}

// only296 takes the form of 296 bytes only, with the block error byte before or
// after the pointers.
func only296(last bool) func(traitArg) hooks {
	return always(hooks{sector: func(_ *Drive, s *sectorRead) error {
		s.last = last
		if s.form == form294 {
			return badField(9)
		}
		return nil
	}})
}

// c2Late gives each sector the pointers of the one before it.
func c2Late(traitArg) hooks {
	next := disc.LBA(-1)
	var held [c2Size]byte
	return hooks{sector: func(_ *Drive, s *sectorRead) error {
		now := *s.c2
		if s.at != next {
			held = [c2Size]byte{}
		}
		*s.c2, held, next = held, now, s.at+1
		return nil
	}}
}

// concealed interpolates over damage in audio, each time in the same way, and marks
// nothing: neither C2 nor a second reading shows it.
func concealed(a traitArg) hooks {
	const from, samples, sampleSize = 400, 200, 4
	return hooks{sector: func(d *Drive, s *sectorRead) error {
		if t := d.layout.TrackAt(s.at); s.at < a.first || s.at > a.last || t == nil || t.Mode.IsData() {
			return nil
		}
		*s.c2 = [c2Size]byte{}
		held := s.main[from-sampleSize : from]
		for i := range samples {
			copy(s.main[from+i*sampleSize:][:sampleSize], held)
		}
		return nil
	}}
}
