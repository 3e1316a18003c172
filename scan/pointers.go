package scan

import (
	"context"
	"slices"

	"spindle/disc"
	"spindle/drive"
	"spindle/scsi/mmc"
)

// Error pointers (C2) of audio are what the drive says, and drives are known that fail to give
// them, or that mark what is good. They are tried before they are used, and given up when they
// do not hold.

const (
	pointerPlaces  = 8 // of the audio, at which they are tried
	pointerSectors = 8 // at each; a multiple of 16 bytes in all forms
	// enoughAudio is after how many sectors of audio a drive that marked more than half of them
	// is not believed any more.
	enoughAudio = 300
)

// choosePointers tries the forms in which error pointers may come.
func (s *scanner) choosePointers(ctx context.Context) error {
	claimed := s.reader.Caps.C2 != mmc.NoC2
	s.reader.Caps.C2 = mmc.NoC2
	places := s.audioPlaces()
	if !claimed || len(places) == 0 {
		return nil
	}
	for _, form := range [...]mmc.C2Mode{mmc.C2AndBlock, mmc.C2Bits} {
		caps := s.reader.Caps
		caps.C2 = form
		holds, err := s.tryPointers(ctx, caps, places)
		if err != nil {
			return err
		}
		if holds {
			s.reader.Caps = caps
			return nil
		}
	}
	s.doubted = true
	return nil
}

// audioPlaces returns where error pointers are tried.
func (s *scanner) audioPlaces() []disc.LBA {
	var all []disc.LBA
	for _, p := range s.pieces {
		for i := range disc.LBA(pointerPlaces) {
			if at := p.first + (p.end-p.first)*i/pointerPlaces; p.coding == drive.Audio && at+pointerSectors <= p.end {
				all = append(all, at)
			}
		}
	}
	if n := len(all); n > pointerPlaces {
		for i := range pointerPlaces {
			all[i] = all[n*i/pointerPlaces]
		}
		all = all[:pointerPlaces]
	}
	return all
}

// tryPointers reads some audio in a form. It holds unless the drive refuses it where it gives
// the audio without, or marks most of what is there.
func (s *scanner) tryPointers(ctx context.Context, caps drive.ReadCaps, places []disc.LBA) (bool, error) {
	with, without := &drive.Reader{Drive: s.drive, Caps: caps}, s.reader
	stride := caps.Stride(drive.Audio)
	buf := make([]byte, pointerSectors*stride)
	came, marked := 0, 0
	for _, at := range places {
		err := drive.Retry(ctx, s.drive, func() error { return with.Read(ctx, buf, at, pointerSectors, drive.Audio) })
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
		if err != nil {
			if without.Read(ctx, buf[:pointerSectors*without.Caps.Stride(drive.Audio)], at, pointerSectors, drive.Audio) == nil {
				return false, nil
			}
			continue // damage
		}
		came++
		if 2*flagged(buf, stride, caps) > pointerSectors {
			marked++
		}
	}
	return came > 0 && 2*marked <= came, nil
}

// flagged counts sectors of audio with error pointers.
func flagged(p []byte, stride int, caps drive.ReadCaps) int {
	n := 0
	for ; len(p) >= stride; p = p[stride:] {
		if c2, _ := caps.Split(p[:stride], drive.Audio); slices.ContainsFunc(c2, func(b byte) bool { return b != 0 }) {
			n++
		}
	}
	return n
}

// withoutPointers reads audio that did not come with error pointers without them. Where it comes
// so, and with them fails again, they are given up.
func (s *scanner) withoutPointers(ctx context.Context, k drive.Coding, at disc.LBA, n int) (came bool, err error) {
	if k != drive.Audio || s.reader.Caps.C2 == mmc.NoC2 {
		return false, nil
	}
	caps := s.reader.Caps
	s.reader.Caps.C2 = mmc.NoC2
	if _, err := s.fetch(ctx, k, at, n); err != nil {
		s.reader.Caps = caps
		return false, ctx.Err()
	}
	s.reader.Caps = caps
	if _, err := s.fetch(ctx, k, at, n); err == nil {
		return false, nil // it was the first attempt that failed
	}
	s.dropPointers()
	return true, ctx.Err()
}

// dropPointers gives error pointers up, with what they said so far.
func (s *scanner) dropPointers() {
	s.reader.Caps.C2 = mmc.NoC2
	s.doubted = true
	for i := range s.zones {
		s.zones[i].Flagged = 0
	}
}

// watchPointers gives error pointers up that mark most of the audio.
func (s *scanner) watchPointers(n, marked int) {
	s.audio += n
	s.marked += marked
	if s.audio >= enoughAudio && 2*s.marked > s.audio {
		s.dropPointers()
	}
}
