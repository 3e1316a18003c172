package burn

import (
	"context"

	"spindle/drive"
	"spindle/scsi/mmc"
)

// optional drops the refusal of a command that a drive does not need to know.
func optional(err error) error {
	if err != nil && drive.Classify(err) == drive.Refused {
		return nil
	}
	return err
}

func (s BlankStep) run(ctx context.Context, b *burner, _ int) error { return b.blank(ctx, s.Type) }

func (s FormatStep) run(ctx context.Context, b *burner, _ int) error {
	err := b.immediate(ctx, Formatting, eraseLimit, func(c mmc.Completion) error { return b.drive.Format(ctx, s.Request, c) })
	if s.Optional {
		return optional(err)
	}
	return err
}

func (s LayerStep) run(ctx context.Context, b *burner, _ int) error {
	return optional(b.drive.SetLayer0Capacity(ctx, s.Blocks))
}

func (s ParamsStep) run(ctx context.Context, b *burner, _ int) error {
	return drive.Retry(ctx, b.drive, func() error { return b.drive.SetWriteParameters(ctx, s.Params) })
}

func (CalibrateStep) run(ctx context.Context, b *burner, _ int) error { return b.calibrate(ctx) }

func (s ReserveStep) run(ctx context.Context, b *burner, _ int) error {
	return drive.Retry(ctx, b.drive, func() error { return b.drive.ReserveTrack(ctx, s.Blocks) })
}

func (s CueSheetStep) run(ctx context.Context, b *burner, _ int) error {
	return drive.Retry(ctx, b.drive, func() error { return b.drive.SendCueSheet(ctx, s.Entries) })
}

func (s ExpectStep) run(ctx context.Context, b *burner, _ int) error { return b.expect(ctx, s.LBA) }

func (s WriteStep) run(ctx context.Context, b *burner, i int) error { return b.write(ctx, i, s.area()) }
func (s ZeroStep) run(ctx context.Context, b *burner, i int) error  { return b.write(ctx, i, s.area()) }
func (s TextStep) run(ctx context.Context, b *burner, i int) error  { return b.write(ctx, i, s.area()) }
func (s RawStep) run(ctx context.Context, b *burner, i int) error   { return b.write(ctx, i, s.area()) }

func (SyncStep) run(ctx context.Context, b *burner, _ int) error { return b.synchronize(ctx) }

func (s CloseStep) run(ctx context.Context, b *burner, _ int) error {
	err := b.immediate(ctx, Closing, closeLimit, func(c mmc.Completion) error { return b.drive.Close(ctx, s.Function, s.Track, c) })
	if s.Optional {
		return optional(err)
	}
	return err
}
