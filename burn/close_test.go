package burn

import (
	"context"
	"errors"
	"testing"

	"spindle/scsi"
	"spindle/scsi/mmc"
	"spindle/scsi/sim"
)

// An interruption while the disc is closed does not stop that: the burn is complete,
// and only the comparison is missing.
func TestInterruptedClosing(t *testing.T) {
	for _, m := range []string{"dvd+r", "bd-r", "dvd-r", "cd-r", "dvd+rw"} {
		for _, op := range []scsi.Opcode{scsi.OpSynchronizeCache, scsi.OpCloseTrackSession} {
			t.Run(m+" "+op.String(), func(t *testing.T) {
				r := blank(t, m, 50000)
				src := sourceFor(t, m, 1000)
				ctx, cancel := context.WithCancel(context.Background())
				defer cancel()
				d := mmc.New(&meddler{sim.New(sim.Config{Disc: r}), func(c *scsi.Command) (int, error, bool) {
					if scsi.Opcode(c.CDB[0]) == op {
						cancel()
					}
					return 0, nil, false
				}})
				medium, err := Survey(ctx, d)
				if err != nil {
					t.Fatal(err)
				}
				plan, err := MakePlan(context.Background(), medium, src, Options{})
				if err != nil {
					t.Fatal(err)
				}
				res := Run(ctx, src, &Job{Drive: d, Medium: medium, Plan: plan, Verify: true})[0]
				if ctx.Err() == nil {
					t.Skip("the plan does not send it")
				}
				var verify *VerifyError
				if !errors.As(res.Err, &verify) || !errors.Is(res.Err, context.Canceled) || res.State != plan.leaves() {
					t.Errorf("%v, %s", res.Err, res.State)
				}
				equalDisc(t, r, src.image, 0)
				if st := r.State(); plan.Final && m != "dvd+rw" && !st.Final {
					t.Errorf("not closed: %+v", st)
				}
			})
		}
	}
}
