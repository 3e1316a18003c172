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

// run sets the write parameters. A drive that does not know how the last session of several
// is closed (of the programs looked at, only cdrdao says so) closes it as an only one.
func (s ParamsStep) run(ctx context.Context, b *burner, _ int) error {
	b.params = s.Params
	err := b.setParams(ctx)
	if b.params.MultiSession == mmc.LastSession && drive.Classify(err) == drive.Refused {
		b.params.MultiSession = mmc.NoNextSession
		err = b.setParams(ctx)
	}
	return err
}

func (b *burner) setParams(ctx context.Context) error {
	return drive.Retry(ctx, b.drive, func() error { return b.drive.SetWriteParameters(ctx, b.params) })
}

func (CalibrateStep) run(ctx context.Context, b *burner, _ int) error { return b.calibrate(ctx) }

func (s ReserveStep) run(ctx context.Context, b *burner, _ int) error {
	return drive.Retry(ctx, b.drive, func() error { return b.drive.ReserveTrack(ctx, s.Blocks) })
}

// run announces the tracks. Drives differ over what a cue sheet looks like, and nothing is
// written yet: the forms that other programs send are tried in turn.
func (s CueSheetStep) run(ctx context.Context, b *burner, _ int) error {
	var err error
	for _, v := range s.variants(b.medium.LeadInStart) {
		if err = b.sendSheet(ctx, v); drive.Classify(err) != drive.Refused {
			if b.withoutText = v.textless; err == nil && v.textless {
				b.watch.note(Note{Code: NoteNoText})
			}
			break
		}
	}
	if class := drive.Classify(err); b.medium.Status == mmc.DiscAppendable && (class == drive.Refused || class == drive.Boundary) {
		return &Refusal{Kind: ErrOptions, Reason: NoAppendAtOnce, Disc: b.plan.Profile}
	}
	return err
}

// A sheet is a form of a cue sheet.
type sheet struct {
	entries  []mmc.CueEntry
	block    mmc.BlockType // of mode page 05h
	textless bool          // the CD-TEXT of the image is left out
}

// variants are the forms of the sheet, in the order in which they are tried (cdrdao,
// GenericMMC.cc): a lead-in with CD-TEXT that states no time, or where it begins; both
// again with the block type of R to W in mode page 05h; without CD-TEXT. Each also comes
// with recording codes whose control field is zero.
func (s CueSheetStep) variants(leadIn disc.LBA) []sheet {
	without, text := s.withoutText()
	all := []sheet{{entries: s.Entries}}
	if text {
		at := s.startingAt(leadIn)
		all = append(all, sheet{entries: at}, sheet{entries: s.Entries, block: mmc.BlockRaw96}, sheet{entries: at, block: mmc.BlockRaw96},
			sheet{entries: without, textless: true})
	}
	var both []sheet
	for _, v := range all {
		both = append(both, v)
		if entries, changed := plainCodes(v.entries); changed {
			v.entries = entries
			both = append(both, v)
		}
	}
	return both
}

// plainCodes are the entries with a control field of zero where they state recording codes.
func plainCodes(entries []mmc.CueEntry) (plain []mmc.CueEntry, changed bool) {
	plain = slices.Clone(entries)
	for i := range plain {
		if e := &plain[i]; e.ADR == 3 && e.Control != 0 {
			e.Control, changed = 0, true
		}
	}
	return plain, changed
}

// sendSheet sends a cue sheet, after the block type that goes with it.
func (b *burner) sendSheet(ctx context.Context, v sheet) error {
	if b.params.Type == mmc.WriteSessionAtOnce && b.params.Block != v.block {
		before := b.params.Block
		b.params.Block = v.block
		if err := b.setParams(ctx); err != nil {
			b.params.Block = before
			return err
		}
	}
	return drive.Retry(ctx, b.drive, func() error { return b.drive.SendCueSheet(ctx, v.entries) })
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
	none := map[mmc.DataForm]mmc.DataForm{mmc.FormAudio: mmc.FormAudioNone, mmc.FormXA: mmc.FormXANone, mmc.FormMode2: mmc.FormMode2None, mmc.FormMode1: mmc.FormMode1None}
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
