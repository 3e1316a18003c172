package sim

import (
	"encoding/binary"
	"slices"

	"spindle/addr"
	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/scsi"
)

// isRead reports whether a command reads sectors.
func (x *exchange) isRead() bool {
	switch x.op {
	case scsi.OpRead10, scsi.OpRead12, scsi.OpReadCD, scsi.OpReadCDMSF:
		return true
	}
	return false
}

// isReadCD reports whether a command is READ CD or READ CD MSF.
func (x *exchange) isReadCD() bool { return x.op == scsi.OpReadCD || x.op == scsi.OpReadCDMSF }

// sectors are those that a command reads or writes.
func (x *exchange) sectors() (first disc.LBA, n int) {
	b := x.CDB
	switch x.op {
	case scsi.OpReadCDMSF:
		from, to := addr.MSFFromBytes([3]byte(b[3:6])).LBA(), addr.MSFFromBytes([3]byte(b[6:9])).LBA()
		return from, max(0, int(to-from))
	case scsi.OpReadCD:
		n = int(b[6])<<16 | int(b[7])<<8 | int(b[8])
	case scsi.OpRead12, scsi.OpWrite12:
		n = int(min(binary.BigEndian.Uint32(b[6:]), 1<<24))
	default:
		n = int(binary.BigEndian.Uint16(b[7:]))
	}
	return disc.LBA(int32(binary.BigEndian.Uint32(b[2:]))), n
}

// fua reports whether a command reads from the disc whatever the cache holds.
func (x *exchange) fua() bool {
	return (x.op == scsi.OpRead10 || x.op == scsi.OpRead12) && x.CDB[1]&8 != 0
}

// subchannelTraits are about the sub-channel in READ CD.
func subchannelTraits() []traitKind {
	return []traitKind{
		{"no-subchannel", argument{}, always(hooks{power: func(c *Config) { c.NoSubchannel = true }})},
		{"subchannel-shifted", argument{name: "SECTORS", low: -10, high: 10, usual: 1}, func(a traitArg) hooks {
			return hooks{sector: func(_ *Drive, s *sectorRead) error {
				s.subAt += disc.LBA(a.n)
				return nil
			}}
		}},
		{"subchannel-no-crc", argument{}, always(hooks{sub: func(_ *Drive, s *sectorRead) error {
			clear(s.sub[2*cdsector.QSize-2 : 2*cdsector.QSize])
			return nil
		}})},
		{"subchannel-garbage", argument{}, always(hooks{sub: func(d *Drive, s *sectorRead) error {
			for i := range s.sub {
				s.sub[i] ^= byte(d.noise.IntN(256))
			}
			return nil
		}})},
		{"subchannel-r-w-zero", argument{}, always(hooks{sub: func(_ *Drive, s *sectorRead) error {
			if s.subForm == 4 {
				clear(s.sub[2*cdsector.QSize:])
			}
			return nil
		}})},
		{"subchannel-hangs", argument{}, always(hooks{before: func(d *Drive, x *exchange) bool {
			return x.isReadCD() && x.CDB[10]&7 != 0 && d.hang(x)
		}})},
	}
}

// readTraits are about reading the disc and its table of contents.
func readTraits() []traitKind {
	return []traitKind{
		{"overreads", argument{name: "SECTORS", low: 1, high: 75, usual: 10}, func(a traitArg) hooks {
			return hooks{power: func(c *Config) { c.Overread = a.n }}
		}},
		{"no-full-toc", argument{}, always(hooks{power: func(c *Config) { c.NoFullTOC = true }})},
		{"toc-before-minus-150", argument{}, always(hooks{after: earlyTOC})},
		{"expected-type-0-refused", argument{}, always(hooks{before: func(_ *Drive, x *exchange) bool {
			return x.isReadCD() && x.CDB[1]>>2&7 == 0 && x.answer(badField(1))
		}})},
		{"audio-type-gives-data", argument{}, always(hooks{before: func(_ *Drive, x *exchange) bool {
			if x.isReadCD() && x.CDB[1]>>2&7 == 1 {
				whole := *x.Command
				whole.CDB = slices.Clone(x.CDB)
				whole.CDB[1] &^= 7 << 2
				whole.CDB[9] |= partAll
				x.Command = &whole
			}
			return false
		}})},
		{"data-as-audio", argument{}, always(hooks{power: func(c *Config) { c.DataAsAudio = true }})},
		{"cache", argument{name: "BYTES", low: cdsector.Size, high: 64 << 20, usual: bufferSize}, func(a traitArg) hooks { return readCache(a.n, 1, true) }},
		{"cache-ignores-fua", argument{name: "BYTES", low: cdsector.Size, high: 64 << 20, usual: bufferSize}, func(a traitArg) hooks { return readCache(a.n, 1, false) }},
		{"cache-segments", argument{name: "NUMBER", low: 2, high: 64, usual: 8}, func(a traitArg) hooks { return readCache(bufferSize, a.n, false) }},
		{"protected-range", argument{name: "LBA-LBA", sectors: true}, func(a traitArg) hooks {
			return hooks{before: func(_ *Drive, x *exchange) bool {
				if !x.isRead() {
					return false
				}
				first, n := x.sectors()
				if first > a.last || first+disc.LBA(n) <= a.first {
					return false
				}
				return x.answer(sectorError(scsi.IllegalRequest, scsi.ASCCopyProtection, scsi.ASCQScrambledSector, max(first, a.first)))
			}}
		}},
		{"no-accurate-stream", argument{name: "SAMPLES", low: 1, high: 588, usual: 40}, jitter},
		{"open-session-unreadable", argument{}, always(hooks{before: hideOpenSession})},
	}
}

// earlyStart is where the first track of a table of contents begins that is wrong:
// before -150, where no track can be.
const earlyStart = disc.LBA(-182)

// earlyTOC puts the start of the first track before -150.
func earlyTOC(_ *Drive, x *exchange) {
	if x.op != scsi.OpReadTOC || x.err != nil || x.n < 12 {
		return
	}
	switch b := x.Data[:x.n]; x.CDB[2] & 15 {
	case 0:
		if b[6] == b[2] {
			copy(b[8:12], appendAddress(nil, earlyStart, x.CDB[1]&2 != 0))
		}
	case 2:
		start := msfBytes(earlyStart)
		for e := b[4:]; len(e) >= 11; e = e[11:] {
			if e[3] == 1 {
				copy(e[8:11], start[:])
			}
		}
	}
}

// A cachedSector is one sector as it was given: of the same place and in the same
// form, the drive gives the same bytes again.
type cachedSector struct {
	at   disc.LBA
	form [4]byte // the opcode, and what of the CDB says which parts are given
}

// A sectorCache is the memory of a drive that answers from it what was read lately. It
// has segments, of which each holds the end of one run of sectors: a run that begins
// elsewhere takes the segment that was used the longest ago.
type sectorCache struct {
	segments []segment // the one used last is the last
	limit    int       // sectors of each
	fua      bool      // force unit access makes it forget
}

// A segment is a run of sectors in a cache.
type segment struct {
	held  map[cachedSector][]byte
	order []cachedSector // the oldest first
}

func readCache(size, segments int, fua bool) hooks {
	m := &sectorCache{make([]segment, segments), max(1, size/cdsector.Size/segments), fua}
	m.forget()
	return hooks{before: m.answer, after: m.keep}
}

// key is that of the first sector of a command.
func (m *sectorCache) key(x *exchange, first disc.LBA) cachedSector {
	if x.isReadCD() {
		return cachedSector{first, [4]byte{byte(x.op), x.CDB[1], x.CDB[9], x.CDB[10]}}
	}
	return cachedSector{first, [4]byte{byte(scsi.OpRead10)}}
}

func (m *sectorCache) forget() {
	for i := range m.segments {
		m.segments[i] = segment{held: map[cachedSector][]byte{}}
	}
}

// use makes the segment that a run of sectors belongs to the last one: the one that holds
// its first sector or the one before it, or else the one used the longest ago, emptied.
func (m *sectorCache) use(first cachedSector) *segment {
	before := first
	before.at--
	i := slices.IndexFunc(m.segments, func(s segment) bool { return s.held[first] != nil || s.held[before] != nil })
	if i < 0 {
		i = 0
		if len(m.segments) > 1 {
			m.segments[i] = segment{held: map[cachedSector][]byte{}}
		}
	}
	s := m.segments[i]
	m.segments = append(slices.Delete(m.segments, i, i+1), s)
	return &m.segments[len(m.segments)-1]
}

// answer gives what is held, if that is all that is asked for.
func (m *sectorCache) answer(_ *Drive, x *exchange) bool {
	if x.fua() && m.fua {
		m.forget()
	}
	first, n := x.sectorsOrNone()
	k := m.key(x, first)
	i := slices.IndexFunc(m.segments, func(s segment) bool { return s.held[k] != nil })
	if n == 0 || i < 0 {
		return false
	}
	at := 0
	for range n {
		b, ok := m.segments[i].held[k]
		if !ok {
			return false
		}
		at += copy(x.Data[at:], b)
		k.at++
	}
	x.n = at
	return true
}

// keep holds what was read.
func (m *sectorCache) keep(_ *Drive, x *exchange) {
	if x.isWrite() || x.op == scsi.OpStartStopUnit || x.op == scsi.OpBlank {
		m.forget()
	}
	first, n := x.sectorsOrNone()
	if x.err != nil || n == 0 || x.n%n != 0 {
		return
	}
	k, size := m.key(x, first), x.n/n
	s := m.use(k)
	for i := range n {
		if _, ok := s.held[k]; !ok {
			s.order = append(s.order, k)
		}
		s.held[k] = append(s.held[k][:0], x.Data[i*size:(i+1)*size]...)
		k.at++
	}
	for len(s.order) > m.limit {
		delete(s.held, s.order[0])
		s.order = s.order[1:]
	}
}

func (x *exchange) sectorsOrNone() (first disc.LBA, n int) {
	if !x.isRead() {
		return 0, 0
	}
	return x.sectors()
}

// jitter displaces audio after each seek, by up to a number of samples.
func jitter(a traitArg) hooks {
	known, offset := false, 0
	return hooks{
		before: func(d *Drive, x *exchange) bool {
			if !known {
				known, offset = true, d.cfg.Offset
			}
			if x.isReadCD() {
				if first, _ := x.sectors(); first != d.mech.next || !d.mech.primed {
					d.cfg.Offset = offset + d.noise.IntN(2*a.n+1) - a.n
				}
			}
			return false
		},
		page: func(_ *Drive, p []byte) {
			if p[0]&0x3F == 0x2A {
				p[5] &^= 0x02
			}
		},
	}
}

// hideOpenSession refuses to read what no closed session holds. The reports do not
// say with which sense.
func hideOpenSession(d *Drive, x *exchange) bool {
	if d.disc == nil || d.disc.kind.class == random || d.disc.store == nil || !x.isRead() {
		return false
	}
	end := disc.LBA(0)
	if d.toc != nil {
		end = d.toc.End()
	}
	first, n := x.sectors()
	last := first + disc.LBA(n)
	return n > 0 && last > end && x.answer(outOfRange(max(first, end)))
}
