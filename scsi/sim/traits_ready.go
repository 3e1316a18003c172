package sim

import (
	"fmt"
	"time"

	"spindle/scsi"
)

// readyTraits are about a drive that is not ready, or says so.
func readyTraits() []traitKind {
	return []traitKind{
		{"not-present-first", argument{}, always(hooks{ready: func(d *Drive) error {
			if left := d.readyAt - d.clock.elapsed(); d.loaded() && left > spinUpTime-absentTime {
				return fail(scsi.NotReady, scsi.ASCMediumNotPresent, 0)
			}
			return nil
		}})},
		{"not-ready-04-00", argument{}, refuseWhere(scsi.OpTestUnitReady, errNotReportable, func(d *Drive, _ *exchange) bool {
			return d.loaded() && len(d.attention) == 0
		})},
		{"progress-background", argument{}, always(hooks{after: backgroundProgress})},
		{"progress-stuck", argument{}, stuckProgress},
		{"busy-after-load", secondsArgument(6), busyAfterLoad},
		{"load-refused", argument{}, always(hooks{before: loadRefused})},
	}
}

var errNotReportable = fail(scsi.NotReady, scsi.ASCNotReady, scsi.ASCQCauseNotReportable)

// absentTime is how long a drive says that there is no medium, after one has come.
const absentTime = 1500 * time.Millisecond

// busyAfterLoad is another program of the host, which holds the drive when a disc
// has come.
func busyAfterLoad(a traitArg) hooks {
	return hooks{before: func(d *Drive, x *exchange) bool {
		if !d.loaded() || d.clock.elapsed() >= d.readyAt-spinUpTime+seconds(float64(a.n)) {
			return false
		}
		return x.answer(fmt.Errorf("%s: %w", x.op, scsi.ErrBusy))
	}}
}

// loadRefused is a slim drive, whose tray is pushed in by hand: it is in already when the
// command comes, which the drive does not know.
func loadRefused(d *Drive, x *exchange) bool {
	if x.op != scsi.OpStartStopUnit || x.CDB[4]&3 != 3 {
		return false
	}
	if d.tray == trayOpen {
		d.tray = trayClosed
		if d.loaded() {
			d.insert()
		}
	}
	return x.answer(badField(4))
}

// backgroundProgress lets REQUEST SENSE tell how far a format in the background has
// come, while TEST UNIT READY is good.
func backgroundProgress(d *Drive, x *exchange) {
	if x.op != scsi.OpRequestSense || x.err != nil || d.disc == nil {
		return
	}
	f := &d.disc.st.Format
	now := d.clock.elapsed()
	if f.Background != 2 || now >= d.formatEnd || d.rec.op != nil {
		return
	}
	whole := seconds(float64(f.Blocks) / d.mech.base / d.writeSpeed())
	x.progress(scsi.ASCQFormatInProgress, 1-float64(d.formatEnd-now)/float64(whole))
}

// progress answers REQUEST SENSE with NO SENSE and a progress, unless it has an
// error to tell.
func (x *exchange) progress(ascq uint8, share float64) {
	if x.n > 2 && x.Data[2]&15 != byte(scsi.NoSense) {
		return
	}
	s := scsi.Sense{ASC: scsi.ASCNotReady, ASCQ: ascq, Progress: min(max(share, 0), 1), ProgressValid: true}
	x.n = copy(x.Data, s.Fixed()[:min(len(s.Fixed()), int(x.CDB[4]))])
}

// stuckShare is the progress that never changes: 1 %, as a BD recorder said all
// the time.
const stuckShare = 0.01

// stuckProgress gives the same progress while the drive works, and for ever after.
func stuckProgress(traitArg) hooks {
	ascq := uint8(0)
	return hooks{
		before: func(d *Drive, _ *exchange) bool {
			if d.rec.op != nil {
				ascq = d.rec.op.ascq
			}
			return false
		},
		after: func(_ *Drive, x *exchange) {
			if s, ok := x.err.(senseError); ok && s.ProgressValid { //nolint:errorlint // it is not wrapped yet
				s.Progress = stuckShare
				x.err = s
			}
			if x.op == scsi.OpRequestSense && ascq != 0 {
				x.progress(ascq, stuckShare)
			}
		},
	}
}
