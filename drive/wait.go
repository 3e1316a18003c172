package drive

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"spindle/scsi"
	"spindle/scsi/mmc"
)

// Errors of [WaitReady].
var (
	// ErrNoMedium: there is no disc in the drive.
	ErrNoMedium = errors.New("no disc in the drive")
	// ErrTrayOpen: the tray is open. It is a case of ErrNoMedium.
	ErrTrayOpen = fmt.Errorf("%w: the tray is open", ErrNoMedium)
	// ErrUnreadable: there is a disc, but the drive cannot use it.
	ErrUnreadable = errors.New("the drive cannot read this disc")
	// ErrNotReady: the drive did not become ready in time.
	ErrNotReady = errors.New("the drive did not become ready")
)

// ReadyLimit is how long a drive may take to make a disc ready. Scratched discs
// take some drives close to a minute.
const ReadyLimit = 2 * time.Minute

const (
	readyPoll     = 500 * time.Millisecond // between two TEST UNIT READY
	busyPoll      = 20 * time.Millisecond  // between two attempts of [Retry]
	maxAttentions = 16                     // in a row, before they count as a failure

	causeUnknown    = 5 * time.Second // of 2/04/00, before it is taken for ready
	absentAfterLoad = 5 * time.Second // of 2/3A after a change of the medium
)

// WaitReady waits, at most limit by the drive's clock, until the disc in the
// drive can be used. It consumes unit attentions, waits while the drive becomes
// ready or is busy, and starts a drive that asks to be started (2/04/02).
// Errors wrap one of [ErrNoMedium], [ErrTrayOpen], [ErrUnreadable],
// [ErrNotReady], or what the device failed with.
func WaitReady(ctx context.Context, d *mmc.Drive, limit time.Duration) error {
	start := d.Clock().Now()
	var w waiting
	for {
		err := d.TestUnitReady(ctx)
		waited := d.Clock().Now().Sub(start)
		switch next, fail := w.judge(err, waited); {
		case next == isReady || fail != nil:
			return fail
		case next == askAgain:
			continue
		case next == askToStart:
			if err := d.StartStop(ctx, mmc.Start); err != nil {
				return err
			}
		}
		if waited >= limit {
			return fmt.Errorf("%w after %s (%w)", ErrNotReady, limit.Round(time.Second), err)
		}
		if err := d.Clock().Sleep(ctx, readyPoll); err != nil {
			return err
		}
	}
}

// next is what follows the answer to TEST UNIT READY.
type next uint8

const (
	isReady    next = iota
	askLater        // after a while
	askAgain        // at once
	askToStart      // and later again
)

// waiting is what a drive has said while it is waited for.
type waiting struct {
	attentions int  // unit attentions
	changed    bool // one of them said that the medium changed
}

// judge says what follows the answer err, or the error with which the waiting ends.
func (w *waiting) judge(err error, waited time.Duration) (next, error) {
	class, tray := Classify(err), scsi.IsSense(err, scsi.NotReady, scsi.ASCMediumNotPresent, scsi.ASCQTrayOpen)
	switch {
	case err == nil:
		return isReady, nil
	case scsi.IsSense(err, scsi.NotReady, scsi.ASCNotReady, scsi.ASCQCauseNotReportable) && waited >= causeUnknown:
		return isReady, nil // an adapter that always says so (libburn spc.c): the next command will tell
	case class == NoMedium && w.changed && waited < absentAfterLoad && !tray:
		return askLater, nil // drives say so before they find the disc that has just come (libburn spc.c)
	case w.attention(err, class):
		return askAgain, nil
	case tray:
		return askLater, fmt.Errorf("%w (%w)", ErrTrayOpen, err)
	case class == NoMedium:
		return askLater, fmt.Errorf("%w (%w)", ErrNoMedium, err)
	case class == Unusable:
		return askLater, fmt.Errorf("%w (%w)", ErrUnreadable, err)
	case scsi.IsSense(err, scsi.NotReady, scsi.ASCNotReady, scsi.ASCQStartRequired):
		return askToStart, nil
	case slices.Contains([]Class{Busy, NotReady, Attention, Changed}, class):
		return askLater, nil
	}
	return askLater, err
}

// attention notes a unit attention. It reports false for other errors, and for the last
// of too many.
func (w *waiting) attention(err error, class Class) bool {
	s := scsi.SenseOf(err)
	if s == nil || s.Key != scsi.UnitAttention || w.attentions >= maxAttentions {
		return false
	}
	w.attentions++
	w.changed = w.changed || class == Changed
	return true
}

// BusyLimit is how long [Retry] waits for a drive that stays busy.
const BusyLimit = 5 * time.Minute

// Retry sends a command until the drive has executed it or refuses it for good.
// A busy drive is waited for, at most [BusyLimit] by its clock; unit attentions
// that leave the disc as it was are consumed; a recovered error counts as
// success. All other errors come back as they are.
func Retry(ctx context.Context, d *mmc.Drive, command func() error) error {
	const maxNews = 8
	start := d.Clock().Now()
	for attentions := 0; ; {
		err := command()
		switch class := Classify(err); {
		case class == OK, class == Recovered:
			return nil
		case class == Attention && attentions < maxNews:
			attentions++
			continue
		case class != Busy:
			return err
		case d.Clock().Now().Sub(start) > BusyLimit:
			return fmt.Errorf("the drive has been busy for %s: %w", BusyLimit, err)
		}
		if err := d.Clock().Sleep(ctx, busyPoll); err != nil {
			return err
		}
	}
}
