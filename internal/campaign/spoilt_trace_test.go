package campaign

import (
	"bytes"
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"spindle/drive"
	"spindle/drive/trial"
	"spindle/rip"
	"spindle/scsi"
	"spindle/scsi/mmc"
	"spindle/scsi/sim"
)

// A trace that somebody sent may hold anything: played back, it is refused, or answers
// with what it has, and neither a report nor a rip hangs or breaks.
func TestSpoiltTraces(t *testing.T) {
	n := 12
	if os.Getenv("SPINDLE_CAMPAIGN") == "all" {
		n = 200
	}
	img, ctx := smallCD(t), context.Background()
	var trace bytes.Buffer
	tracer := scsi.NewTracer(adapter{sim.New(sim.Config{Image: img})}, &trace)
	use := func(dev scsi.Device) (*rip.Result, error) {
		d := mmc.New(dev)
		if m, err := drive.Survey(ctx, d, drive.ForReading); err == nil {
			_, _ = rip.Examine(ctx, d, m, rip.ExamineOptions{Indexes: true})
		}
		if r, err := trial.Run(ctx, d, nil); err == nil {
			r.Learned()
		}
		return rip.Rip(ctx, d, rip.Options{Output: filepath.Join(t.TempDir(), "out.cue"), Format: rip.CueBin, Retries: 1})
	}
	if _, err := use(tracer); err != nil {
		t.Fatal(err)
	}
	if err := tracer.Flush(); err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(3, 4))
	for i := range n {
		b := bytes.Clone(trace.Bytes())
		for range i { // the first one is whole
			spoil(r, b)
		}
		path := filepath.Join(t.TempDir(), "trace")
		if err := os.WriteFile(path, b, 0o666); err != nil {
			t.Fatal(err)
		}
		replay, err := scsi.OpenReplay(path)
		if err != nil {
			continue
		}
		// A damaged record may hold one command less, so that its answers move up: what is
		// called good need not be the disc.
		res, err := use(replay)
		replay.Close()
		if i == 0 {
			if err != nil {
				t.Fatal(err)
			}
			compareRip(t, img, res)
		}
	}
}

// spoil puts a character that JSON knows in place of another: half of the times near the
// beginning of a line, where commands and lengths are.
func spoil(r *rand.Rand, b []byte) {
	const known = "0123456789abcdefAZ/+=\"{}:,-\n"
	at := r.IntN(len(b))
	if r.IntN(2) == 0 {
		at = min(len(b)-1, bytes.LastIndexByte(b[:at+1], '\n')+1+r.IntN(100))
	}
	b[at] = known[r.IntN(len(known))]
}
