package scan

import (
	"context"
	"fmt"
	"slices"
	"time"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/drive"
	"spindle/scsi"
	"spindle/scsi/mmc"
)

const (
	// leastZone is the smallest zone, in sectors.
	leastZone = 64
	// mostFailures is how many failing commands a zone may cost until no more is closed in on:
	// each can take a drive half a minute. After that, a failure leaves a share of the zone out.
	mostFailures = 24
	leftOut      = 16
	// remembered is how many commands a command is compared with, to tell whether it was slow.
	remembered = 31
	// lateFactor and late say when it was: so many times the usual time, and so much.
	lateFactor = 4
	late       = 80 * time.Millisecond
)

// smallest is in how large pieces it is found out what cannot be read: whole ECC blocks of a
// DVD (ECMA-267 18) and of a BD.
var smallest = map[disc.Medium]int{disc.CD: 4, disc.DVD: 16, disc.BD: 32}

// A scanner reads a disc from its first sector to the last.
type scanner struct {
	drive  *mmc.Drive
	reader *drive.Reader
	medium disc.Medium
	pieces []piece
	o      Options

	doubted       bool // error pointers are not believed
	audio, marked int  // sectors that came with error pointers, and how many had some

	zones    []Zone
	timed    []measured // of each zone
	failures []int      // of each zone

	total, done int
	steady      bool            // the head is where the next sector is
	usual       []time.Duration // for a sector, of the last commands
	buf         []byte
}

// measured is what the speed of a zone is computed from.
type measured struct {
	sectors int
	took    time.Duration
}

// divide makes the zones.
func (s *scanner) divide() {
	first, end := s.pieces[0].first, s.pieces[len(s.pieces)-1].end
	n := max(1, min(zones, s.total/leastZone))
	for i := range n {
		at := func(i int) disc.LBA { return first + disc.LBA(int64(end-first)*int64(i)/int64(n)) }
		s.zones = append(s.zones, Zone{First: at(i), End: at(i + 1)})
	}
	s.timed, s.failures = make([]measured, n), make([]int, n)
}

// zoneOf returns the index of the zone of a sector.
func (s *scanner) zoneOf(a disc.LBA) int {
	i, _ := slices.BinarySearchFunc(s.zones, a, func(z Zone, a disc.LBA) int { return int(z.End) - int(a) - 1 })
	return min(i, len(s.zones)-1)
}

// batch returns how many sectors one command reads.
func (s *scanner) batch(k drive.Coding) int {
	stride := s.reader.Caps.Stride(k)
	n := max(1, min(s.drive.MaxTransfer(), scsi.DefaultTransfer)/stride)
	if unit := smallest[s.medium]; n > unit && s.medium != disc.CD {
		return n / unit * unit
	}
	return max(drive.Tidy(n, stride), 1)
}

func (s *scanner) run(ctx context.Context) error {
	for _, p := range s.pieces {
		s.steady = false
		for at := p.first; at < p.end; {
			z := s.zoneOf(at)
			n := min(s.batch(p.coding), int(p.end-at), int(s.zones[z].End-at))
			before := s.failures[z]
			if err := s.step(ctx, z, p.coding, at, n); err != nil {
				return err
			}
			at += disc.LBA(n)
			if before > mostFailures && s.failures[z] > before {
				at = s.leaveOut(z, at, p.end)
			}
		}
	}
	for i := range s.zones {
		if m := s.timed[i]; m.took > 0 {
			s.zones[i].Speed = float64(m.sectors*s.medium.SectorSize()) / m.took.Seconds()
		}
	}
	return nil
}

// leaveOut counts sectors from an address on as skipped, and returns where to continue.
func (s *scanner) leaveOut(z int, at, end disc.LBA) disc.LBA {
	zone := &s.zones[z]
	to := min(at+(zone.End-zone.First)/leftOut, zone.End, end)
	zone.Skipped += int(to - at)
	s.done += int(to - at)
	return to
}

// step reads the sectors of one command, and closes in on what does not come.
func (s *scanner) step(ctx context.Context, z int, k drive.Coding, at disc.LBA, n int) error {
	took, err := s.fetch(ctx, k, at, n)
	if err != nil && ctx.Err() == nil {
		came, fatal := s.withoutPointers(ctx, k, at, n)
		if fatal != nil {
			return fatal
		}
		if came {
			s.steady, err = false, nil
		}
	}
	bad, err := s.judge(ctx, z, n, err)
	if err != nil {
		return err
	}
	switch {
	case bad == nil:
	case *bad:
		s.steady = false
		if err := s.closeIn(ctx, z, k, at, n); err != nil {
			return err
		}
	default:
		s.steady = false
	}
	if bad == nil {
		s.came(z, k, n, took)
	}
	s.done += n
	s.o.Progress(s.done, s.total, speedOf(n*s.medium.SectorSize(), took))
	return nil
}

func speedOf(bytes int, took time.Duration) float64 {
	if took <= 0 {
		return 0
	}
	return float64(bytes) / took.Seconds()
}

// fetch reads sectors and returns how long that took.
func (s *scanner) fetch(ctx context.Context, k drive.Coding, at disc.LBA, n int) (time.Duration, error) {
	if need := n * s.reader.Caps.Stride(k); len(s.buf) < need {
		s.buf = make([]byte, need)
	}
	begin := s.drive.Clock().Now()
	err := drive.Retry(ctx, s.drive, func() error {
		begin = s.drive.Clock().Now()
		return s.reader.Read(ctx, s.buf[:n*s.reader.Caps.Stride(k)], at, n, k)
	})
	return s.drive.Clock().Now().Sub(begin), err
}

// judge says what an error of reading means: nil that the sectors came, true that they cannot
// be read, false that the drive does not give such sectors. Its error ends the scan.
func (s *scanner) judge(ctx context.Context, z, n int, err error) (bad *bool, fatal error) {
	if err == nil {
		return nil, nil
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	yes, no := true, false
	switch drive.Classify(err) {
	case drive.Boundary, drive.Refused, drive.Protected:
		s.zones[z].Skipped += n
		return &no, nil
	case drive.NoMedium, drive.Changed:
		return nil, fmt.Errorf("%w (%w)", ErrChanged, err)
	case drive.NotReady, drive.TimedOut:
		if err := drive.WaitReady(ctx, s.drive, drive.ReadyLimit); err != nil {
			return nil, err
		}
	case drive.Gone, drive.Forbidden, drive.Unusable, drive.Other, drive.Busy:
		return nil, err
	}
	s.failures[z]++
	return &yes, nil
}

// came counts sectors that came in the time that a command took.
func (s *scanner) came(z int, k drive.Coding, n int, took time.Duration) {
	zone := &s.zones[z]
	zone.Read += n
	s.look(zone, k, n)
	if !s.steady {
		s.steady = true
		return
	}
	s.timed[z].sectors += n
	s.timed[z].took += took
	if len(s.usual) == remembered && took > late && took > time.Duration(n)*lateFactor*s.median() {
		zone.Slow += n
		return
	}
	if len(s.usual) == remembered {
		s.usual = s.usual[1:]
	}
	s.usual = append(s.usual, took/time.Duration(n))
}

// median returns the usual time for a sector.
func (s *scanner) median() time.Duration {
	sorted := slices.Sorted(slices.Values(s.usual))
	return sorted[len(sorted)/2]
}

// look checks sectors that came, as far as they have something to check.
func (s *scanner) look(zone *Zone, k drive.Coding, n int) {
	if !s.reader.Caps.Raw {
		return
	}
	stride := s.reader.Caps.Stride(k)
	if k == drive.Audio {
		if s.reader.Caps.C2 != mmc.NoC2 {
			marked := flagged(s.buf[:n*stride], stride, s.reader.Caps)
			zone.Flagged += marked
			s.watchPointers(n, marked)
		}
		return
	}
	for i := range n {
		sector := s.buf[i*stride : (i+1)*stride]
		raw := (*[cdsector.Size]byte)(sector)
		if cdsector.HasSync(raw) && !cdsector.Unprotected(raw) && !cdsector.EDCOK(raw, cdsector.Classify(raw)) {
			zone.Wrong++
		}
	}
}

// closeIn asks once more for sectors that did not come, and then for ever smaller parts of
// them.
func (s *scanner) closeIn(ctx context.Context, z int, k drive.Coding, at disc.LBA, n int) error {
	if s.failures[z] > mostFailures {
		s.zones[z].Skipped += n
		return nil
	}
	_, err := s.fetch(ctx, k, at, n)
	bad, err := s.judge(ctx, z, n, err)
	switch {
	case err != nil:
		return err
	case bad == nil:
		s.zones[z].Read += n
		s.zones[z].Retried += n
		s.look(&s.zones[z], k, n)
		return nil
	case !*bad:
		return nil
	case n <= smallest[s.medium]:
		s.zones[z].Unreadable += n
		return nil
	}
	half := n / 2
	if unit := smallest[s.medium]; half > unit {
		half = half / unit * unit
	}
	if err := s.closeIn(ctx, z, k, at, half); err != nil {
		return err
	}
	return s.closeIn(ctx, z, k, at+disc.LBA(half), n-half)
}
