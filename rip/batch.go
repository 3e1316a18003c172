package rip

import (
	"context"
	"errors"
	"io"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/scsi"
	"spindle/scsi/mmc"
)

// A batch is the sectors of one command on their way from the drive to the
// image.
type batch struct {
	r    *region
	at   disc.LBA
	n    int
	buf  []byte // as the drive gave them; reused
	raw  []byte // the sectors that shifted audio is taken from; reused
	fill bool   // they could not be read
	// compare: they are good only if they are what the image holds already.
	compare bool

	// examine sets these; both lie in buf or in spare.
	main []byte // n sectors as they stand in the image
	sub  []byte // n times 96 bytes
	good []bool // of each sector
}

func (j *job) newBatch(r *region, at disc.LBA, n int) *batch {
	var b *batch
	if j.pipe != nil {
		b = <-j.pipe.free
	} else {
		b = new(batch)
	}
	*b = batch{r: r, at: at, n: n, buf: b.buf, raw: b.raw, sub: b.sub[:0], good: b.good[:0]}
	need := n * max(r.size, j.disc.source.stride(r.audio))
	if cap(b.buf) < need {
		b.buf = make([]byte, max(need, j.batch))
	}
	b.buf = b.buf[:need]
	return b
}

// readInto reads the sectors of a batch. A transfer that is short without an
// error is an error: what did not come is never taken for read.
func (j *job) readInto(ctx context.Context, b *batch) error {
	if b.r.audio && j.opts.Offset != 0 {
		return j.readShifted(ctx, b)
	}
	want := b.n * j.disc.source.stride(b.r.audio)
	n, err := j.disc.source.read(ctx, j.drive, b.buf[:want], b.at, b.n, b.r.audio)
	if s := scsi.SenseOf(err); s != nil && s.Key == scsi.RecoveredError {
		err = nil // the drive had trouble, but the data are good
	}
	return shortIs(err, n, want)
}

// bytesPerSample is the size of one stereo sample of 16 bits.
const bytesPerSample = 4

// readShifted reads audio as if the drive had no read offset: the samples wanted
// lie across other sectors than those addressed. What would lie outside of the
// audio that the drive can reach is silence.
func (j *job) readShifted(ctx context.Context, b *batch) error {
	shift := int64(j.opts.Offset) * bytesPerSample
	start := int64(b.at)*cdsector.Size + shift
	first := disc.LBA(floorDiv(start, cdsector.Size))
	skip := int(start - int64(first)*cdsector.Size)
	need := b.n + 1
	stride := j.disc.source.stride(true)
	if cap(b.raw) < need*stride {
		b.raw = make([]byte, need*stride)
	}
	raw := b.raw[:need*stride]
	clear(raw)
	low, high := j.audioAround(b.r)
	from, to := max(first, low), min(first+disc.LBA(need), high)
	if from < to {
		part := raw[int(from-first)*stride:][:int(to-from)*stride]
		n, err := j.disc.source.read(ctx, j.drive, part, from, int(to-from), true)
		if err := shortIs(err, n, len(part)); err != nil {
			return err
		}
	}
	for i := range b.n {
		out := b.buf[i*stride:][:stride]
		one, two := raw[i*stride:][:stride], raw[(i+1)*stride:][:stride]
		copy(out, one[skip:cdsector.Size])
		copy(out[cdsector.Size-skip:cdsector.Size], two)
		// An error in either of the two sectors counts.
		for k := cdsector.Size; k < stride; k++ {
			out[k] = one[k] | two[k]
		}
	}
	return nil
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// audioAround returns the range of sectors around a region that can be read as
// audio.
func (j *job) audioAround(r *region) (low, high disc.LBA) {
	low, high = r.first, r.first+disc.LBA(r.count)
	for i := range j.regions {
		if s := &j.regions[i]; s.audio && s.first == high {
			high += disc.LBA(s.count)
		}
	}
	for i := len(j.regions) - 1; i >= 0; i-- {
		if s := &j.regions[i]; s.audio && s.first+disc.LBA(s.count) == low {
			low = s.first
		}
	}
	return low, high
}

// examine checks each sector of a batch and brings it into the form it has in
// the image.
func (j *job) examine(b *batch) {
	size := b.r.size
	stride := j.disc.source.stride(b.r.audio)
	cd, isCD := j.disc.source.(*cdSource)
	if stride < size {
		j.build(b)
		return
	}
	for i := range b.n {
		in := b.buf[i*stride : (i+1)*stride]
		good := true
		if isCD {
			s := (*[cdsector.Size]byte)(in)
			c2, sub := cd.parts(in, b.r.audio)
			if b.r.audio {
				good = allZero(c2)
			} else {
				good = j.checkData(s, b.r, b.at+disc.LBA(i))
			}
			if len(sub) > 0 {
				var de [cdsector.SubSize]byte
				cdsector.Deinterleave(&de, (*[cdsector.SubSize]byte)(sub))
				b.sub = append(b.sub, de[:]...)
			}
			if size == mmc.BlockSize {
				in = in[16:]
			}
		}
		copy(b.buf[i*size:], in[:size]) // never ahead of what is still to be looked at
		b.good = append(b.good, good)
	}
	b.main = b.buf[:b.n*size]
}

// build makes whole sectors around user data, for drives that give no more. From
// the last to the first, for each needs more room than it has.
func (j *job) build(b *batch) {
	for i := b.n - 1; i >= 0; i-- {
		user := [mmc.BlockSize]byte(b.buf[i*mmc.BlockSize:])
		s := (*[cdsector.Size]byte)(b.buf[i*cdsector.Size:])
		t := (b.at + disc.LBA(i)).MSF()
		cdsector.SetHeader(s, t, 1)
		copy(s[16:], user[:])
		cdsector.Seal(s, cdsector.Mode1)
		b.good = append(b.good, true)
	}
	b.main = b.buf[:b.n*cdsector.Size]
	j.setRebuilt()
}

func (j *job) setRebuilt() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.rebuilt = true
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
func (j *job) checkData(s *[cdsector.Size]byte, r *region, at disc.LBA) bool {
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
		j.setRebuilt()
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

// fillByte stands for what could not be read in data sectors, as redump.org's
// tools have it; its EDC is wrong on purpose. Audio is filled with silence.
const fillByte = 0x55

// fillBatch makes the content that stands for sectors that could not be read.
func (j *job) fillBatch(b *batch) {
	size := b.r.size
	b.buf = b.buf[:b.n*max(size, j.disc.source.stride(b.r.audio))]
	b.main = b.buf[:b.n*size]
	for i := range b.n {
		fillSector(b.main[i*size:(i+1)*size], b.r, b.at+disc.LBA(i))
		b.good = append(b.good, false)
	}
	if j.out.sub != nil {
		b.sub = append(b.sub, make([]byte, b.n*cdsector.SubSize)...)
	}
}

func fillSector(p []byte, r *region, at disc.LBA) {
	if r.audio {
		clear(p)
		return
	}
	for i := range p {
		p[i] = fillByte
	}
	if len(p) == cdsector.Size {
		t := at.MSF()
		mode := byte(1)
		if r.track.Mode == disc.Mode2 {
			mode = 2
		}
		cdsector.SetHeader((*[cdsector.Size]byte)(p), t, mode)
	}
}

// isTimeout reports whether the drive did not answer at all.
func isTimeout(err error) bool { return errors.Is(err, scsi.ErrTimeout) }

// isShort reports whether a transfer came short without an error.
func isShort(err error) bool { return errors.Is(err, io.ErrUnexpectedEOF) }

// isBoundary reports whether a transfer met sectors of another kind: nothing is
// damaged, it has to be cut there.
func isBoundary(err error) bool {
	return scsi.IsSense(err, scsi.IllegalRequest, 0x64, scsi.AnyQualifier)
}
