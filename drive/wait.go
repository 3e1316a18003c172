package drive

import (
	"context"
	"errors"
	"fmt"
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
	changed := false
	for attentions := 0; ; {
		err := d.TestUnitReady(ctx)
		s := scsi.SenseOf(err)
		waited := d.Clock().Now().Sub(start)
		switch class := Classify(err); {
		case err == nil:
			return nil
		case s != nil && s.Is(scsi.NotReady, scsi.ASCNotReady, scsi.ASCQCauseNotReportable) && waited >= causeUnknown:
			return nil // an adapter that always says so (libburn spc.c): the next command will tell
		case class == NoMedium && changed && waited < absentAfterLoad && !s.Is(scsi.NotReady, scsi.ASCMediumNotPresent, scsi.ASCQTrayOpen):
			// Drives say so before they find the disc that has just come (libburn spc.c).
		case s != nil && s.Key == scsi.UnitAttention && attentions < maxAttentions:
			attentions++
			changed = changed || class == Changed
			continue
		case s != nil && s.Is(scsi.NotReady, scsi.ASCMediumNotPresent, scsi.ASCQTrayOpen):
			return fmt.Errorf("%w (%w)", ErrTrayOpen, err)
		case class == NoMedium:
			return fmt.Errorf("%w (%w)", ErrNoMedium, err)
		case class == Unusable:
			return fmt.Errorf("%w (%w)", ErrUnreadable, err)
		case s != nil && s.Is(scsi.NotReady, scsi.ASCNotReady, scsi.ASCQStartRequired):
			if err := d.StartStop(ctx, mmc.Start); err != nil {
				return err
			}
		case class != Busy && class != NotReady && class != Attention && class != Changed:
			return err
		}
		if waited >= limit {
			return fmt.Errorf("%w after %s (%w)", ErrNotReady, limit.Round(time.Second), err)
		}
		if err := d.Clock().Sleep(ctx, readyPoll); err != nil {
			return err
		}
	}
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
