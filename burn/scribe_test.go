package burn

import (
	"context"
	"testing"
	"time"

	"spindle/scsi"
	"spindle/scsi/mmc"
	"spindle/scsi/sim"
)

// slowLog takes until all is written to note where the first WRITE begins.
type slowLog struct {
	attemptLog
	written chan struct{}
	late    bool
}

func (l *slowLog) Reached(at Position) {
	l.attemptLog.Reached(at)
	select {
	case <-l.written:
	case <-time.After(10 * time.Second):
		l.late = true
	}
}

// A log that is slow, as on a busy disk, does not hold up the drive; and what it has at
// the end is the end.
func TestSlowLog(t *testing.T) {
	r := blank(t, "dvd+r", 50000)
	src := sourceFor(t, "dvd+r", 3000)
	log := &slowLog{written: make(chan struct{})}
	d := mmc.New(&meddler{sim.New(sim.Config{Disc: r}), func(c *scsi.Command) (int, error, bool) {
		if scsi.Opcode(c.CDB[0]) == scsi.OpCloseTrackSession {
			select {
			case <-log.written:
			default:
				close(log.written)
			}
		}
		return 0, nil, false
	}})
	ctx := context.Background()
	m, err := Survey(ctx, d)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := MakePlan(context.Background(), m, src, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if res := Run(ctx, src, &Job{Drive: d, Medium: m, Plan: plan, Log: log})[0]; res.Err != nil || log.late {
		t.Error(res.Err, log.late)
	}
	if log.attempt.At.Step != len(plan.Steps)-1 || log.attempt.At.LBA < 3000 {
		t.Errorf("the log ends at %+v", log.attempt.At)
	}
}
