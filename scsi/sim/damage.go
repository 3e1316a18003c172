package sim

import (
	"math"

	"spindle/disc"
	"spindle/disc/cdsector"
)

// Damage as discs have it lies at a place of the disc, and a sector suffers by where it crosses that place. What
// the drive cannot read there are frames of a CD or rows of an ECC block of a DVD or BD; whether that matters is up to
// the code that protects them. It is another matter at each try, and a drive that is slower, or that comes from
// elsewhere instead of out of the damage, has better chances.

// A shape says how likely damage is at a place, from 0 to 1.
type shape func(w *wound, at spot) float64

// A woundKind is a kind of damage, as [ParseFault] names it.
type woundKind struct {
	shape shape
	usual int // amount, of a thousand
	// fast is how much of the chance is due to speed.
	fast float64
}

// wounds are the kinds of damage.
var wounds = map[FaultKind]woundKind{
	FaultScratch:  {(*wound).scratch, thousand, 0.4},
	FaultRot:      {(*wound).rot, 200, 0.3},
	FaultPrint:    {(*wound).print, thousand, 0.4},
	FaultPinholes: {(*wound).pinholes, 5, 0.3},
	FaultWeak:     {(*wound).weak, 250, 0.5},
}

// A spot is a place on the disc: its radius, and its angle in radians.
type spot struct {
	radius, angle float64
	at            float64 // in sectors
}

// A spiral is the track of a disc.
type spiral struct {
	full   float64 // sectors
	pitch  float64 // mm from one turn to the next
	sector float64 // frames of a sector of a CD, rows of one of a DVD or BD
	block  int     // sectors of an ECC block
	weak   int     // rows of a block that may be lost
}

// newSpiral returns that of a medium: ECMA-130 and ECMA-267 section 13, the white paper of BD.
func newSpiral(m disc.Medium) spiral {
	full := newMechanism(m).full
	switch m {
	case disc.DVD:
		return spiral{full, 0.00074, 13, 16, 16}
	case disc.BD:
		return spiral{full, 0.00032, 15.5, 32, 48}
	}
	return spiral{full, 0.0016, framesPerSector, 1, 0}
}

func (s *spiral) spot(at float64) spot {
	share := math.Max(at, 0) / s.full
	radius := math.Sqrt(innerRadius*innerRadius + share*(outerRadius*outerRadius-innerRadius*innerRadius))
	_, turn := math.Modf((radius - innerRadius) / s.pitch)
	return spot{radius, 2 * math.Pi * turn, at}
}

// A wound is one piece of damage.
type wound struct {
	kind         woundKind
	first, end   disc.LBA
	amount       float64 // 0 to 1
	inner, outer spot    // its ends
	slant        float64 // how far a scratch turns between its ends, in radians
	holes        []hole
	seed         uint64
}

type hole struct {
	spot
	size float64 // mm across
}

// A surface is the damage of a disc.
type surface struct {
	spiral
	medium disc.Medium
	wounds []wound
	seed   uint64
}

func newSurface(faults []Fault, m disc.Medium, seed uint64) *surface {
	s := &surface{spiral: newSpiral(m), medium: m, seed: seed}
	for i, f := range faults {
		kind, ok := wounds[f.Kind]
		if !ok || f.Nth != 0 {
			continue
		}
		w := wound{kind: kind, first: f.First, end: f.Last + 1, amount: float64(f.Rate) / thousand, seed: mix(seed, uint64(i))}
		w.inner, w.outer = s.spot(float64(w.first)), s.spot(float64(w.end))
		w.slant = leastSlant + chance(w.seed, 1)*(mostSlant-leastSlant)
		if w.seed&1 == 1 {
			w.slant = -w.slant
		}
		if f.Kind == FaultPinholes {
			for k := range uint64(f.Rate) {
				at := float64(w.first) + chance(w.seed, 2, k)*float64(w.end-w.first)
				w.holes = append(w.holes, hole{s.spot(at), leastHole + chance(w.seed, 3, k)*(mostHole-leastHole)})
			}
		}
		s.wounds = append(s.wounds, w)
	}
	return s
}

// Sizes of damage, in mm.
const (
	scratchWidth = 0.5
	printWidth   = 25.0
	ridge        = 0.5 // of a finger
	leastHole    = 0.5
	mostHole     = 2.0
	lockLength   = 6.0 // what a drive needs to find the track again behind a hole
)

// How far a scratch turns, in radians.
const (
	leastSlant = 0.5
	mostSlant  = 2.0
)

// scratch is an arc that crosses the tracks from one place to another, at an angle: the flatter, the longer
// it stays on each track.
func (w *wound) scratch(at spot) float64 {
	across := math.Max(w.outer.radius-w.inner.radius, 1e-6)
	t := (at.radius - w.inner.radius) / across
	along := at.radius * math.Abs(turned(at.angle-w.inner.angle-t*w.slant))
	half := scratchWidth / 2 * math.Hypot(1, at.radius*w.slant/across)
	return w.amount * math.Min(1, math.Max(0, 3*(1-along/half)))
}

// rot grows from the one place to the other, in blotches.
func (w *wound) rot(at spot) float64 {
	t := (at.radius - w.inner.radius) / math.Max(w.outer.radius-w.inner.radius, 1e-6)
	if chance(w.seed, 4, uint64(at.at/blotch)) > t {
		return w.amount * t / 10
	}
	return w.amount
}

// blotch is how many sectors one of rot has.
const blotch = 3

// print is that of a finger: ridges in an oval.
func (w *wound) print(at spot) float64 {
	middle := (w.inner.radius + w.outer.radius) / 2
	x := 2 * at.radius * turned(at.angle-w.inner.angle) / printWidth
	y := (at.radius - middle) / math.Max(w.outer.radius-middle, 1e-6)
	if math.Hypot(x, y) > 1 {
		return 0
	}
	return w.amount * (1 + math.Sin(math.Pi*printWidth*x/ridge)) / 2
}

// pinholes are holes in the layer that reflects. Behind each the drive has to find the track again.
func (w *wound) pinholes(at spot) float64 {
	for _, h := range w.holes {
		across, along := at.radius-h.radius, at.radius*turned(at.angle-h.angle)
		if math.Hypot(across, along) < h.size/2 || math.Abs(across) < h.size/2 && along > 0 && along < lockLength {
			return 1
		}
	}
	return 0
}

// weak is what a recorder burned too weakly.
func (w *wound) weak(spot) float64 { return w.amount }

// turned returns an angle from -π to π.
func turned(a float64) float64 { return math.Remainder(a, 2*math.Pi) }

// touches reports whether damage lies in sectors [first, end), or in the blocks that they are in.
func (s *surface) touches(first, end disc.LBA) bool {
	b := disc.LBA(s.block)
	first, end = first/b*b, (end+b-1)/b*b
	if s.medium == disc.CD {
		end += reach
	}
	for i := range s.wounds {
		if w := &s.wounds[i]; w.first < end && w.end > first {
			return true
		}
	}
	return false
}

// A glance is one attempt to read a sector or an ECC block.
type glance struct {
	nonce uint64
	speed float64 // as a share of the highest there
	fresh bool    // the drive came from elsewhere, and not out of damage
}

// fresher is what remains of a chance of damage where the drive came from elsewhere.
const fresher = 0.8

// lost reports whether a frame or a row is not read. They are counted from sector 0 on.
func (s *surface) lost(row int64, g glance) bool {
	at, good := s.spot((float64(row)+0.5)/s.sector), 1.0
	for i := range s.wounds {
		w := &s.wounds[i]
		if at.at < float64(w.first) || at.at >= float64(w.end) {
			continue
		}
		c := w.kind.shape(w, at) * (1 - w.kind.fast*(1-g.speed))
		if g.fresh {
			c *= fresher
		}
		good *= 1 - c
	}
	return good < 1 && chance(s.seed, uint64(row), g.nonce) >= good
}

// blockLost reports whether an ECC block of a DVD or BD cannot be corrected.
func (s *surface) blockLost(a disc.LBA, g glance) bool {
	first := float64(a-a%disc.LBA(s.block)) * s.sector
	bad := 0
	for row := range int64(float64(s.block) * s.sector) {
		if s.lost(int64(first)+row, g) {
			bad++
		}
	}
	return bad > s.weak
}

// What CIRC makes of lost frames (ECMA-130 section 16 and annex C).
const (
	framesPerSector = 98
	frameSize       = 24 // bytes of data
	wordSize        = 28 // of a codeword, with its parity
	parityFrom      = 12 // the first of four symbols of parity
	parityCount     = 4
	correctable     = 4 // symbols of a codeword, where it is known which are lost
	spread          = 4 // frames from one symbol of a codeword to the next
	// reach is over how many further sectors the codewords of one are spread.
	reach = (wordSize*spread + framesPerSector - 1) / framesPerSector
)

// spoil makes those bytes of a sector of a CD wrong that CIRC cannot correct, and marks them; it returns how
// many. Half of them come wrong in the same way each time.
func (s *surface) spoil(p *[cdsector.Size]byte, c2 *[c2Size]byte, a disc.LBA, g glance) (wrong int) {
	first := int64(a) * framesPerSector
	var lost [framesPerSector + wordSize*spread]bool
	for i := range lost {
		lost[i] = s.lost(first+int64(i), g)
	}
	for f := range framesPerSector {
		gone := 0
		for i := range wordSize {
			if lost[f+i*spread] {
				gone++
			}
		}
		if gone <= correctable {
			continue
		}
		for i := range frameSize {
			symbol := i
			if i >= parityFrom {
				symbol += parityCount
			}
			if !lost[f+symbol*spread] {
				continue
			}
			k := f*frameSize + i
			p[k] ^= s.error(a, k, g)
			c2[k/8] |= 0x80 >> (k % 8)
			wrong++
		}
	}
	return wrong
}

// error returns by which bits a byte comes wrong.
func (s *surface) error(a disc.LBA, k int, g glance) byte {
	x := mix(s.seed, uint64(a), uint64(k))
	if x&1 == 1 {
		x = mix(x, g.nonce)
	}
	return byte(1 + x>>8%255)
}

// chance returns a number from 0 to 1 that depends on others.
func chance(of ...uint64) float64 { return float64(mix(of...)>>11) / (1 << 53) }

// mix makes a number of several (the output function of SplitMix64).
func mix(of ...uint64) uint64 {
	var x uint64
	for _, v := range of {
		x += v + 0x9E3779B97F4A7C15
		x = (x ^ x>>30) * 0xBF58476D1CE4E5B9
		x = (x ^ x>>27) * 0x94D049BB133111EB
		x ^= x >> 31
	}
	return x
}

// ownTries is how many attempts a drive makes at damage, each at half the speed of the one before.
const ownTries = 3

// glances are the attempts that a drive makes at a sector that lies in damage.
func (d *Drive) glances(a disc.LBA) [ownTries]glance {
	const near = 8
	slow := d.mech
	slow.limit = 0
	share := d.mech.rate(float64(a)) / slow.rate(float64(a))
	var all [ownTries]glance
	for i := range all {
		d.looks++
		all[i] = glance{nonce: d.looks, speed: share / float64(int(1)<<i), fresh: i > 0 || d.mech.sought && a-d.began < near}
	}
	return all
}

// eccBlock is how many sectors of the medium are corrected together.
func (d *Drive) eccBlock() int { return d.surface().block }

// surface returns the damage of the disc.
func (d *Drive) surface() *surface {
	if m := d.media.medium(); d.damage == nil || d.damage.medium != m {
		d.damage = newSurface(d.cfg.Faults, m, d.cfg.Seed)
	}
	return d.damage
}

// wounded tries to read a sector of a DVD or BD that lies in damage, and reports whether it fails. Each attempt
// takes its time.
func (d *Drive) wounded(a disc.LBA) bool {
	s := d.surface()
	if !s.touches(a, a+1) {
		return false
	}
	if b := a - a%disc.LBA(s.block); a != d.began && a != b {
		return false // it was decided with the first of its block
	}
	for _, g := range d.glances(a) {
		if !s.blockLost(a, g) {
			return false
		}
		d.clock.advance(retryTime / ownTries)
	}
	d.mech.lose()
	return true
}
