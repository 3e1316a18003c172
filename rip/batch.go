package rip

import (
	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/drive"
	"spindle/scsi/mmc"
)

// An intent is what is to become of a batch.
type intent uint8

const (
	firstReading  intent = iota // what came is written
	secondReading               // and good only where the image holds the same already
	filler                      // nothing came: what stands for unread sectors is written
	absent                      // nothing was to come: what stands for it is written
	voted                       // put together from several readings, which agree: right as it is
	repaired                    // right, whatever the drive says of it
)

// A batch is the sectors of one command on their way from the drive to the
// image.
type batch struct {
	r      *region
	at     disc.LBA
	n      int
	intent intent
	came   int    // whole sectors that came before one that failed
	noSub  bool   // the sub-channel stays as it is
	buf    []byte // as the drive gave them; reused
	raw    []byte // the sectors that shifted audio is taken from; reused

	// A checker sets these; main and sub lie in buf or in spare.
	main    []byte // n sectors as they stand in the image
	sub     []byte // n times 96 bytes, or empty
	good    []bool // of each sector
	differs []bool // of each sector that is not good only because it came differently before
	rebuilt bool   // sectors came without EDC and parity
}

// prepare makes a batch ready for n sectors of a region.
func (b *batch) prepare(p *plan, r *region, at disc.LBA, n int) {
	*b = batch{r: r, at: at, n: n, buf: b.buf, raw: b.raw, sub: b.sub[:0], good: b.good[:0], differs: b.differs[:0]}
	need := n * max(r.size, p.caps.Stride(r.coding))
	if cap(b.buf) < need {
		b.buf = make([]byte, max(need, p.transfer))
	}
	b.buf = b.buf[:need]
}

// pos returns where the batch stands in the image.
func (b *batch) pos() int64 { return b.r.position(b.at) }

func (b *batch) allGood() bool {
	for _, g := range b.good {
		if !g {
			return false
		}
	}
	return true
}

// check looks at each sector of a batch and brings it into the form it has in
// the image.
func (b *batch) check(caps drive.ReadCaps) {
	stride := caps.Stride(b.r.coding)
	if stride < b.r.size {
		b.build()
		return
	}
	for i := range b.n {
		in := b.buf[i*stride : (i+1)*stride]
		good := true
		if caps.Raw {
			good = b.checkRaw(in, b.at+disc.LBA(i), caps)
			if b.r.size == mmc.BlockSize {
				in = in[16:]
			}
		}
		copy(b.buf[i*b.r.size:], in[:b.r.size]) // never ahead of what is still to be looked at
		b.good = append(b.good, good)
	}
	b.main = b.buf[:b.n*b.r.size]
}

// checkRaw reports whether a whole sector is right, and takes its sub-channel.
func (b *batch) checkRaw(in []byte, at disc.LBA, caps drive.ReadCaps) bool {
	c2, sub := caps.Split(in, b.r.coding)
	if len(sub) > 0 {
		var de [cdsector.SubSize]byte
		cdsector.Deinterleave(&de, (*[cdsector.SubSize]byte)(sub))
		b.sub = append(b.sub, de[:]...)
	}
	if b.r.coding == drive.Audio {
		return allZero(c2)
	}
	return b.checkData((*[cdsector.Size]byte)(in), at)
}

// build makes whole sectors around user data, for drives that give no more. From
// the last to the first, for each needs more room than it has.
func (b *batch) build() {
	for i := b.n - 1; i >= 0; i-- {
		user := [mmc.BlockSize]byte(b.buf[i*mmc.BlockSize:])
		s := (*[cdsector.Size]byte)(b.buf[i*cdsector.Size:])
		cdsector.SetHeader(s, (b.at + disc.LBA(i)).MSF(), 1)
		copy(s[16:], user[:])
		cdsector.Seal(s, cdsector.Mode1)
		b.good = append(b.good, true)
	}
	b.main = b.buf[:b.n*cdsector.Size]
	b.rebuilt = true
}

func allZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}

// checkData reports whether a data sector holds together: that it is the one
// asked for, and that its EDC is right.
func (b *batch) checkData(s *[cdsector.Size]byte, at disc.LBA) bool {
	r := b.r
	kind := cdsector.Classify(s)
	if kind == cdsector.Audio {
		// The first part of the pregap between audio and data may be coded
		// as audio (ECMA-130 section 20).
		return at < r.track.Start && r.size == cdsector.Size
	}
	t := at.MSF()
	if cdsector.Unprotected(s) {
		// QEMU's drives: no EDC, no parity, and the address not in BCD.
		if s[12] != byte(t.M) || s[13] != byte(t.S) || s[14] != byte(t.F) {
			if own, ok := cdsector.Address(s); !ok || own != t {
				return false
			}
		}
		cdsector.SetHeader(s, t, 1)
		cdsector.Seal(s, cdsector.Mode1)
		b.rebuilt = true
		return true
	}
	if own, ok := cdsector.Address(s); !ok || own != t {
		return false
	}
	if (r.size == mmc.BlockSize || r.track.Mode == disc.Mode1 && at >= r.track.Start) && kind != cdsector.Mode1 {
		return false // all sectors of a track have one mode (ECMA-130 section 20)
	}
	return cdsector.EDCOK(s, kind)
}

// fillByte stands for what could not be read in data sectors, as redump's
// tools have it; its EDC is wrong on purpose. Audio is filled with silence.
const fillByte = 0x55

// fill makes the content that stands for sectors that could not be read.
func (b *batch) fill(p *plan) {
	size := b.r.size
	b.main = b.buf[:b.n*size]
	for i := range b.n {
		fillSector(b.main[i*size:(i+1)*size], b.r, b.at+disc.LBA(i), b.intent)
		b.good = append(b.good, b.intent == absent)
	}
	if p.sub != nil {
		b.sub = append(b.sub, make([]byte, b.n*cdsector.SubSize)...)
	}
}

// runOutModes are the mode bytes of the two run-out blocks behind data in mode 1 (MMC-6
// table 6).
var runOutModes = [...]byte{0xE1, 0xC1}

func fillSector(p []byte, r *region, at disc.LBA, what intent) {
	switch {
	case r.void == runOut && len(p) == cdsector.Size:
		s := (*[cdsector.Size]byte)(p)
		clear(p)
		cdsector.SetHeader(s, at.MSF(), runOutModes[min(int(at-r.first), len(runOutModes)-1)])
		cdsector.Seal(s, cdsector.Mode1)
		return
	case r.coding == drive.Audio, what == absent:
		clear(p)
		return
	}
	for i := range p {
		p[i] = fillByte
	}
	if len(p) == cdsector.Size {
		mode := byte(1)
		if r.track.Mode == disc.Mode2 {
			mode = 2
		}
		cdsector.SetHeader((*[cdsector.Size]byte)(p), at.MSF(), mode)
	}
}
