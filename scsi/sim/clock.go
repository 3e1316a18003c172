package sim

import (
	"context"
	"sync"
	"time"

	"spindle/scsi"
)

// Clock is the time of a simulated drive. It moves only when the drive works or
// someone sleeps, so simulated minutes pass in milliseconds; with a pace, it
// moves at that many simulated seconds a real second. It is safe for
// concurrent use.
type Clock struct {
	pace float64 // 0: as fast as the machine can

	mu  sync.Mutex
	now time.Duration // since epoch
}

// epoch is when simulated time begins. Any instant would do.
var epoch = time.Date(1982, time.October, 1, 0, 0, 0, 0, time.UTC)

// Now returns the simulated time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return epoch.Add(c.now)
}

// Sleep lets simulated time pass.
func (c *Clock) Sleep(ctx context.Context, d time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := c.wait(ctx, d); err != nil {
		return err
	}
	c.advance(d)
	return nil
}

func (c *Clock) elapsed() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *Clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now += max(d, 0)
}

// wait lets real time pass as the pace asks for.
func (c *Clock) wait(ctx context.Context, d time.Duration) error {
	if c.pace <= 0 || d <= 0 {
		return nil
	}
	return scsi.SystemClock{}.Sleep(ctx, time.Duration(float64(d)/c.pace))
}
