package sim

import (
	"math"
	"time"

	"spindle/disc"
)

// mechanism models how long a drive takes: spinning up, seeking, and reading a
// spiral that turns at a constant angular velocity, so that the outside is
// faster than the inside. While the host is silent the drive reads ahead into
// its buffer, and pauses when that is full. The figures are those of common
// half-height drives.
type mechanism struct {
	base  float64 // sectors a second at 1x
	full  float64 // sectors of a full disc
	speed float64 // highest speed, as a multiple of 1x, at the outer edge
	limit float64 // speed set by the host; 0: none

	head   float64       // the sector after the last one read into the buffer
	at     time.Duration // when head was true
	next   disc.LBA      // the sector after the last one given to the host
	primed bool          // head and next mean something
	sought bool          // the last command began with a seek

	hostWait time.Duration // time the drive stood still with a full buffer
}

const (
	spinUpTime  = 3 * time.Second
	loadTime    = 4 * time.Second
	commandTime = 150 * time.Microsecond
	minSeek     = 20 * time.Millisecond
	fullSeek    = 160 * time.Millisecond
	retryTime   = 1500 * time.Millisecond // a drive's own attempts at a bad sector
	bufferSize  = 2 << 20                 // bytes
	busRate     = 150e6                   // bytes a second
	innerRadius = 25.0                    // mm
	outerRadius = 58.0
)

func newMechanism(m disc.Medium) mechanism {
	switch m {
	case disc.DVD:
		return mechanism{base: 1385000.0 / 2048, full: 2295104, speed: 16}
	case disc.BD:
		return mechanism{base: 4495500.0 / 2048, full: 12219392, speed: 12}
	}
	return mechanism{base: 75, full: 360000, speed: 52}
}

// rate returns the sectors a second that pass the pick-up at an address.
func (m *mechanism) rate(a float64) float64 {
	share := math.Min(math.Max(a, 0)/m.full, 1)
	radius := math.Sqrt(innerRadius*innerRadius + share*(outerRadius*outerRadius-innerRadius*innerRadius))
	x := m.speed * radius / outerRadius
	if m.limit > 0 {
		x = math.Min(x, m.limit)
	}
	return x * m.base
}

// kBps converts sectors a second to the unit of SET CD SPEED.
func (m *mechanism) kBps(rate float64, sectorSize int) int {
	return int(rate * float64(sectorSize) / 1000)
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// read returns how long the host waits, from now on, for n sectors at a.
func (m *mechanism) read(now time.Duration, a disc.LBA, n, sectorSize int) time.Duration {
	capacity := float64(bufferSize / sectorSize)
	rate := m.rate(float64(a))
	bus := seconds(float64(n*sectorSize) / busRate)
	m.sought = !m.primed || a != m.next
	if !m.sought {
		ahead := m.head + rate*(now-m.at).Seconds()
		if full := float64(m.next) + capacity; ahead > full {
			m.hostWait += seconds((ahead - full) / rate)
			ahead = full
		}
		m.head, m.at = ahead, now
	} else {
		distance := math.Abs(float64(a)-m.head) / m.full
		m.head = float64(a)
		m.at = now + minSeek + time.Duration(math.Min(distance, 1)*float64(fullSeek-minSeek))
		m.primed = true
	}
	m.next = a + disc.LBA(n)
	wait := m.at - now
	if missing := float64(m.next) - m.head; missing > 0 {
		wait += seconds(missing / rate)
		m.head, m.at = float64(m.next), now+wait
	}
	return wait + bus
}

// lose forgets the position: after an error or a stop, reading starts with a
// seek.
func (m *mechanism) lose() { m.primed = false }
