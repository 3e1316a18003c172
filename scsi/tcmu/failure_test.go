package tcmu

import (
	"errors"
	"fmt"
	"reflect"
	"testing"

	"spindle/scsi"
)

// Each way in which a device fails without sense data becomes sense data of its own kind.
func TestFailure(t *testing.T) {
	for err, want := range map[error]scsi.Sense{
		scsi.ErrBusy:      {Key: scsi.NotReady, ASC: scsi.ASCNotReady, ASCQ: scsi.ASCQBecomingReady},
		scsi.ErrTransport: {Key: scsi.AbortedCommand},
		scsi.ErrTimeout:   {Key: scsi.AbortedCommand},
		scsi.ErrGone:      {Key: scsi.NotReady, ASC: scsi.ASCNotReady},
		errors.New("?"):   {Key: scsi.HardwareError, ASC: scsi.ASCInternalFailure},
	} {
		if got := failure(fmt.Errorf("READ (10): %w", err)); !reflect.DeepEqual(got, want) {
			t.Errorf("%v: %+v, want %+v", err, got, want)
		}
	}
}
