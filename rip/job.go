package rip

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"spindle/disc"
	"spindle/disc/digest"
	"spindle/drive"
	"spindle/rip/mapfile"
	"spindle/scsi"
	"spindle/scsi/mmc"
)

// A region is a run of sectors of one kind and its place in the image.
type region struct {
	first disc.LBA
	count int
	pos   int64 // of its first byte in the image
	size  int   // bytes of a sector in the image: 2352 or 2048
	audio bool
	track *disc.Track
}

func (r *region) bytes() int64 { return int64(r.count) * int64(r.size) }

// at returns the address of the sector at a position of the image.
func (r *region) at(pos int64) disc.LBA { return r.first + disc.LBA((pos-r.pos)/int64(r.size)) }

// position returns where a sector stands in the image.
func (r *region) position(a disc.LBA) int64 { return r.pos + int64(a-r.first)*int64(r.size) }

// A job is one rip under way. Its methods run in the goroutine that reads from
// the drive, except those of the pipeline's stages.
type job struct {
	drive   *mmc.Drive
	opts    Options
	mapPath string
	earlier *state // of the run that this one goes on from, or nil

	disc    *Contents
	regions []region
	out     output
	batch   int // bytes that one command may carry
	align   int // sectors to which commands are aligned

	// twice: the drive cannot tell of errors in audio, so that a sector of it
	// counts as finished only when it was read twice and came the same.
	twice bool

	mu      sync.Mutex // guards m and rebuilt
	m       *mapfile.Map
	rebuilt bool // sectors came without EDC and parity

	pipe     *pipeline
	hasher   *digest.Hasher
	progress Progress
	speeds   []int // kB/s for the passes, fastest first; empty: leave it
	lastGood time.Time
}

func (j *job) size() int64 {
	last := &j.regions[len(j.regions)-1]
	return last.pos + last.bytes()
}

func (j *job) sectors() int64 {
	n := int64(0)
	for i := range j.regions {
		n += int64(j.regions[i].count)
	}
	return n
}

// regionAt returns the region that holds a position of the image.
func (j *job) regionAt(pos int64) *region {
	for i := range j.regions {
		if r := &j.regions[i]; pos < r.pos+r.bytes() {
			return r
		}
	}
	return nil
}

// dvdBlock is the number of sectors that a DVD or BD is corrected in; reads that
// follow it are the fastest (ECMA-267 section 13: 16; BD: 32).
const dvdBlock = 32

func (j *job) chooseTransfer() {
	j.batch = j.drive.MaxTransfer()
	j.align = 1
	if j.disc.Layout.Medium != disc.CD {
		if perCommand := j.batch / mmc.BlockSize; perCommand >= dvdBlock {
			j.batch = perCommand / dvdBlock * dvdBlock * mmc.BlockSize
			j.align = dvdBlock
		}
	}
}

// perCommand is how many sectors of a region one command can carry.
func (j *job) perCommand(r *region) int {
	return max(1, j.batch/j.disc.source.stride(r.audio))
}

// sameSectors compares a few finished sectors with the disc, so that a rip does
// not go on with another pressing of the same TOC.
func (j *job) sameSectors(ctx context.Context) error {
	const samples = 4
	done := j.m.Count(mapfile.Finished)
	if j.m.Size() != j.size() {
		return fmt.Errorf("%s: %w: it is for an image of %d bytes, and this one has %d",
			j.mapPath, mapfile.ErrSyntax, j.m.Size(), j.size())
	}
	compared := 0
	for i := range int64(samples) {
		want := done * i / samples
		for _, b := range j.m.Blocks() {
			if b.Status != mapfile.Finished {
				continue
			}
			if want >= b.Size {
				want -= b.Size
				continue
			}
			r := j.regionAt(b.Pos + want)
			same, err := j.compare(ctx, r, r.at(b.Pos+want))
			if err != nil {
				return err
			}
			if same {
				compared++
			}
			break
		}
	}
	if done > 0 && compared == 0 {
		return fmt.Errorf("%w (none of %d sectors that were read before is the same)", ErrOtherDisc, samples)
	}
	return nil
}

// compare reads a sector and compares it with the image. A sector that does not
// read now is no evidence either way.
func (j *job) compare(ctx context.Context, r *region, a disc.LBA) (bool, error) {
	b := j.newBatch(r, a, 1)
	if err := j.readInto(ctx, b); err != nil {
		if fatal := j.fatal(ctx, err); fatal != nil {
			return false, fatal
		}
		return true, nil
	}
	was := make([]byte, r.size)
	if err := j.out.readAt(was, r.position(a)); err != nil {
		return false, fmt.Errorf("%w: %w", ErrOutput, err)
	}
	j.examine(b)
	return string(was) == string(b.main[:r.size]), nil
}

// fatal sorts the errors of a read: nil for one of the sectors asked for, which
// the passes deal with, else what ends the rip. It waits for a drive that is
// busy, and makes sure that the disc is still the same after a unit attention.
func (j *job) fatal(ctx context.Context, err error) error {
	s := scsi.SenseOf(err)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, scsi.ErrGone), errors.Is(err, scsi.ErrPermission), errors.Is(err, scsi.ErrTrace):
		return fmt.Errorf("%w: %w", ErrDrive, err)
	case s == nil:
		return nil // time-outs, short transfers: perhaps only here
	case s.Key == scsi.NotReady && s.ASC == 0x3A:
		return fmt.Errorf("%w: %w", ErrTakenOut, err)
	case s.Key == scsi.IllegalRequest && s.ASC == 0x6F:
		return fmt.Errorf("%w (%w)", ErrProtected, err)
	case s.Key == scsi.IllegalRequest && s.ASC == 0x20:
		return fmt.Errorf("%w: %w", ErrDrive, err)
	case s.Key == scsi.UnitAttention, s.Key == scsi.NotReady:
		return j.recover(ctx)
	}
	return nil
}

// recover waits for the drive after a reset or a medium change, and makes sure
// that the disc is still the same.
func (j *job) recover(ctx context.Context) error {
	m, err := drive.Survey(ctx, j.drive, drive.ForReading)
	if err != nil {
		return err
	}
	if m.Contents == nil || m.Contents.ID != j.disc.Medium.Contents.ID {
		return fmt.Errorf("%w (it was changed while it was being read)", ErrOtherDisc)
	}
	return nil
}

// unsure reports whether one reading of a region's sectors proves nothing.
func (j *job) unsure(r *region) bool { return j.twice && r.audio }

// setSpeeds chooses the ladder of speeds: the first pass at the one asked for,
// each pass of retrying at half the one before.
func (j *job) setSpeeds(ctx context.Context) {
	oneX, least := mmc.CDSpeed/1000.0, 4.0
	switch j.disc.Layout.Medium {
	case disc.DVD:
		oneX, least = mmc.DVDSpeed/1000.0, 2
	case disc.BD:
		oneX, least = mmc.BDSpeed/1000.0, 1
	}
	j.progress.OneX = oneX * 1000
	top := 0.0
	if j.opts.Speed > 0 {
		top = float64(j.opts.Speed) * oneX
		j.setSpeed(ctx, int(top))
	} else if caps, err := j.drive.Capabilities(ctx); err == nil {
		top = float64(max(caps.ReadSpeed, caps.MaxReadSpeed))
	}
	j.speeds = []int{int(top)}
	for v := top / 2; v >= least*oneX; v /= 2 {
		j.speeds = append(j.speeds, int(v))
	}
	if lowest := int(least * oneX); top > 0 && j.speeds[len(j.speeds)-1] > lowest {
		j.speeds = append(j.speeds, lowest)
	}
}

// setSpeed asks for a speed in kB/s. Drives that do not listen are no error.
func (j *job) setSpeed(ctx context.Context, kBps int) {
	if kBps <= 0 {
		return
	}
	if j.disc.Layout.Medium != disc.CD {
		if j.drive.SetStreaming(ctx, max(0, j.disc.Layout.End()-1), kBps, kBps) == nil {
			return
		}
	}
	if err := j.drive.SetCDSpeed(ctx, kBps, mmc.MaxSpeed); err != nil && errors.Is(err, scsi.ErrPermission) {
		j.opts.Observer.Note("The speed cannot be set without write permission on the drive.")
	}
}

// resetSpeed gives the choice of speed back to the drive.
func (j *job) resetSpeed(ctx context.Context) {
	if j.disc.Layout.Medium != disc.CD && j.drive.SetStreaming(ctx, max(0, j.disc.Layout.End()-1), 0, 0) == nil {
		return
	}
	_ = j.drive.SetCDSpeed(ctx, mmc.MaxSpeed, mmc.MaxSpeed) // a courtesy to the next program
}
