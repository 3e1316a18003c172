package burn

import (
	"context"
	"slices"

	"spindle/disc"
	"spindle/drive"
	"spindle/scsi"
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

// run announces the tracks. Of a lead-in with CD-TEXT some drives want to know where it
// begins, and others do not (cdrdao tries both); a drive that refuses both gets the sheet
// without.
func (s CueSheetStep) run(ctx context.Context, b *burner, _ int) error {
	send := func(entries []mmc.CueEntry) error {
		return drive.Retry(ctx, b.drive, func() error { return b.drive.SendCueSheet(ctx, entries) })
	}
	err := send(s.Entries)
	entries, text := s.withoutText()
	if text && drive.Classify(err) == drive.Refused {
		err = send(s.startingAt(b.medium.LeadInStart))
	}
	if text && drive.Classify(err) == drive.Refused {
		if err = send(entries); err == nil {
			b.withoutText = true
			b.watch.note(Note{Code: NoteNoText})
		}
	}
	if class := drive.Classify(err); b.medium.Status == mmc.DiscAppendable && (class == drive.Refused || class == drive.Boundary) {
		return &Refusal{Kind: ErrOptions, Reason: NoAppendAtOnce, Disc: b.plan.Profile}
	}
	return err
}

// startingAt is the sheet with the time at which the lead-in begins.
func (s CueSheetStep) startingAt(leadIn disc.LBA) []mmc.CueEntry {
	entries := slices.Clone(s.Entries)
	for i := range entries {
		if e := &entries[i]; e.ADR == 1 && e.Track == 0 {
			e.LBA = leadIn
		}
	}
	return entries
}

// withoutText is the sheet of a lead-in without CD-TEXT; text is false where it has
// none.
func (s CueSheetStep) withoutText() (entries []mmc.CueEntry, text bool) {
	entries = slices.Clone(s.Entries)
	none := map[mmc.DataForm]mmc.DataForm{mmc.FormAudio: mmc.FormAudioNone, mmc.FormXA: mmc.FormXANone, mmc.FormMode1: mmc.FormMode1None}
	leadIn := slices.IndexFunc(entries, func(e mmc.CueEntry) bool { return e.ADR == 1 && e.Track == 0 })
	first := slices.IndexFunc(entries, func(e mmc.CueEntry) bool { return e.ADR == 1 && e.Track > 0 })
	if leadIn < 0 || first < 0 || entries[leadIn].Form != mmc.FormLeadInText {
		return entries, false
	}
	entries[leadIn].Form = none[entries[first].Form]
	return entries, true
}

func (s ExpectStep) run(ctx context.Context, b *burner, _ int) error { return b.expect(ctx, s.LBA) }

func (s WriteStep) run(ctx context.Context, b *burner, i int) error { return b.write(ctx, i, s.area()) }
func (s ZeroStep) run(ctx context.Context, b *burner, i int) error  { return b.write(ctx, i, s.area()) }

// run writes the lead-in, unless the drive makes it without CD-TEXT.
func (s TextStep) run(ctx context.Context, b *burner, i int) error {
	if b.withoutText {
		return b.pass(ctx, i, s.area(), func(*chunk) error { return nil })
	}
	return b.write(ctx, i, s.area())
}
func (s RawStep) run(ctx context.Context, b *burner, i int) error { return b.write(ctx, i, s.area()) }

func (SyncStep) run(ctx context.Context, b *burner, _ int) error { return b.synchronize(ctx) }

func (s CloseStep) run(ctx context.Context, b *burner, _ int) error {
	err := b.immediate(ctx, Closing, closeLimit, func(c mmc.Completion) error { return b.drive.Close(ctx, s.Function, s.Track, c) })
	if sense := scsi.SenseOf(err); s.Optional && sense != nil && sense.Key == scsi.IllegalRequest && !sense.Deferred {
		return nil // as when the format is complete already (growisofs)
	}
	return err
}
