package trial

import (
	"context"
	"slices"
	"time"

	"spindle/drive"
	"spindle/scsi/mmc"
)

// questions are the commands that a trial asks, in this order. None of them changes
// anything.
func questions() []struct {
	name string
	ask  func(context.Context, *mmc.Drive) error
} {
	return []struct {
		name string
		ask  func(context.Context, *mmc.Drive) error
	}{
		{"GET CONFIGURATION", func(ctx context.Context, d *mmc.Drive) error { _, err := d.Configuration(ctx); return err }},
		{"MODE SENSE (page 2Ah)", func(ctx context.Context, d *mmc.Drive) error { _, err := d.Capabilities(ctx); return err }},
		{"MODE SENSE (page 01h)", func(ctx context.Context, d *mmc.Drive) error { _, err := d.ErrorRecovery(ctx); return err }},
		{"MODE SENSE (page 05h)", func(ctx context.Context, d *mmc.Drive) error { _, err := d.ModePage(ctx, 0x05); return err }},
		{"MECHANISM STATUS", func(ctx context.Context, d *mmc.Drive) error { _, err := d.MechanismStatus(ctx); return err }},
		{"GET EVENT STATUS NOTIFICATION", func(ctx context.Context, d *mmc.Drive) error { _, err := d.MediaEvent(ctx); return err }},
		{"READ CAPACITY", func(ctx context.Context, d *mmc.Drive) error { _, err := d.Capacity(ctx); return err }},
		{"READ TOC (format 0)", func(ctx context.Context, d *mmc.Drive) error { _, err := d.TOC(ctx); return err }},
		{"READ TOC (format 1)", func(ctx context.Context, d *mmc.Drive) error { _, err := d.SessionInfo(ctx); return err }},
		{"READ TOC (format 2)", func(ctx context.Context, d *mmc.Drive) error { _, err := d.FullTOC(ctx); return err }},
		{"READ TOC (format 4)", func(ctx context.Context, d *mmc.Drive) error { _, err := d.ATIP(ctx); return err }},
		{"READ TOC (format 5)", func(ctx context.Context, d *mmc.Drive) error { _, err := d.CDText(ctx); return err }},
		{"READ SUB-CHANNEL (MCN)", func(ctx context.Context, d *mmc.Drive) error { _, err := d.MCN(ctx); return err }},
		{"READ DISC INFORMATION", func(ctx context.Context, d *mmc.Drive) error { _, err := d.DiscInfo(ctx); return err }},
		{"READ TRACK INFORMATION", func(ctx context.Context, d *mmc.Drive) error { _, err := d.TrackInfo(ctx, 1); return err }},
		{"READ FORMAT CAPACITIES", func(ctx context.Context, d *mmc.Drive) error { _, err := d.FormatCapacities(ctx); return err }},
		{"READ DISC STRUCTURE", func(ctx context.Context, d *mmc.Drive) error { _, err := d.DVDPhysical(ctx); return err }},
		{"READ BUFFER CAPACITY", func(ctx context.Context, d *mmc.Drive) error { _, err := d.BufferCapacity(ctx); return err }},
		{"GET PERFORMANCE (reading)", func(ctx context.Context, d *mmc.Drive) error { _, err := d.ReadPerformance(ctx); return err }},
		{"GET PERFORMANCE (writing)", func(ctx context.Context, d *mmc.Drive) error { _, err := d.WritePerformance(ctx); return err }},
		{"GET PERFORMANCE (speeds)", func(ctx context.Context, d *mmc.Drive) error { _, err := d.WriteSpeeds(ctx); return err }},
	}
}

// ask asks every question. A device that is gone ends it.
func ask(ctx context.Context, d *mmc.Drive) ([]Question, error) {
	var answers []Question
	for _, q := range questions() {
		start := d.Clock().Now()
		err := q.ask(ctx, d)
		if err := broken(ctx, err); err != nil {
			return nil, err
		}
		answers = append(answers, Question{q.name, outcome(err), d.Clock().Now().Sub(start)})
	}
	return answers, nil
}

// broken returns the error when nothing more can be tried.
func broken(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if drive.Classify(err) == drive.Gone {
		return err
	}
	return nil
}

// turnaround measures TEST UNIT READY.
func turnaround(ctx context.Context, d *mmc.Drive) (time.Duration, error) {
	const times = 64
	var took [times]time.Duration
	for i := range took {
		start := d.Clock().Now()
		if err := broken(ctx, d.TestUnitReady(ctx)); err != nil {
			return 0, err
		}
		took[i] = d.Clock().Now().Sub(start)
	}
	slices.Sort(took[:])
	return took[times/2], nil
}
