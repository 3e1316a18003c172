package trial

import (
	"context"
	"time"

	"spindle/addr"
	"spindle/drive"
	"spindle/scsi/mmc"
)

// A Cache is what is known of a drive's read buffer by the time that reads take. A
// drive that answers a second read from it proves nothing by reading twice.
type Cache struct {
	// First and Again are the times of a batch from the disc, and of the same batch
	// once more.
	First, Again time.Duration
	// Holds: the second read came from the buffer.
	Holds bool
	// Untold: the disc is too short to tell.
	Untold bool
	// Bytes is how much had to be read elsewhere until the batch came from the disc
	// again; 0 where the most that was tried, Tried, was not enough.
	Bytes, Tried int
	// ForceUnitAccess says whether READ (12) with the FUA bit reads the disc.
	ForceUnitAccess Outcome
}

// cached is the share of the first time below which a read came from the buffer.
const cached = 4

// cache times reads of one batch.
func (t *reading) cache(ctx context.Context) error {
	at, c := t.place(600, t.batch), &t.s.Cache
	var err error
	if _, err = t.elsewhere(ctx, at, 64<<10); err != nil {
		return broken(ctx, err)
	}
	if c.First, err = t.time(ctx, at); err != nil {
		return broken(ctx, err)
	}
	if c.Again, err = t.time(ctx, at); err != nil {
		return broken(ctx, err)
	}
	c.Holds = c.Again < c.First/cached
	if !c.Holds {
		// Less than any drive's buffer may all be in it, also the first time.
		const buffer = 2 << 20
		c.Untold = int(t.s.End-t.s.At)*t.size() < buffer
		return nil
	}
	if err := t.forceUnitAccess(ctx, at); err != nil {
		return err
	}
	for size := 256 << 10; size <= 16<<20; size *= 2 {
		n, err := t.elsewhere(ctx, at, size)
		if err != nil {
			return broken(ctx, err)
		}
		c.Tried = max(c.Tried, n)
		again, err := t.time(ctx, at)
		if err != nil {
			return broken(ctx, err)
		}
		if again > c.Again*cached {
			c.Bytes = size
			return nil
		}
	}
	return nil
}

// forceUnitAccess tries whether the FUA bit makes the drive read the disc.
func (t *reading) forceUnitAccess(ctx context.Context, at addr.LBA) error {
	if t.s.Coding == drive.Audio {
		return nil // READ (12) reads data only
	}
	buf := make([]byte, t.batch*mmc.BlockSize)
	start := t.d.Clock().Now()
	_, err := t.d.Read12(ctx, buf, at, mmc.ForceUnitAccess)
	t.s.Cache.ForceUnitAccess = outcome(err)
	if err == nil && t.d.Clock().Now().Sub(start) < t.s.Cache.Again*cached {
		t.s.Cache.ForceUnitAccess = Wrong
	}
	return broken(ctx, err)
}

// time reads one batch and returns how long it took.
func (t *reading) time(ctx context.Context, at addr.LBA) (time.Duration, error) {
	start := t.d.Clock().Now()
	_, err := t.read(ctx, at, t.batch)
	return t.d.Clock().Now().Sub(start), err
}

// elsewhere reads up to size bytes from the other half of the stretch, and returns how
// many it read.
func (t *reading) elsewhere(ctx context.Context, from addr.LBA, size int) (int, error) {
	at := t.s.At
	if from-t.s.At < t.s.End-from {
		at = t.place(700, t.batch)
	}
	n := 0
	for ; n < size && at+addr.LBA(t.batch) <= t.s.End; n += t.batch * t.size() {
		if _, err := t.read(ctx, at, t.batch); err != nil {
			return n, err
		}
		at += addr.LBA(t.batch)
	}
	return n, nil
}
