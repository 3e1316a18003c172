package burn

import (
	"context"
	"errors"

	"spindle/disc"
	"spindle/drive"
	"spindle/scsi"
	"spindle/scsi/mmc"
)

// A stretch is a run of sectors on its way to the disc.
type stretch struct {
	first disc.LBA
	n     int
	data  []byte
}

// after leaves out what the drive took already.
func (s stretch) after(taken int) stretch {
	size := len(s.data) / s.n
	return stretch{s.first + disc.LBA(taken), s.n - taken, s.data[taken*size:]}
}

// maxStumbles is how often one WRITE is sent again.
const maxStumbles = 3

// send writes a run of sectors. Where the drive lost its thread, or the connection
// failed the command, it finds out what the drive took, and sends the rest.
func (b *burner) send(ctx context.Context, s stretch) error {
	var lost error // of a WRITE that the drive may have taken
	for stumbles := 0; s.n > 0; {
		err := drive.Retry(ctx, b.drive, func() error { return b.transmit(ctx, s) })
		switch {
		case err == nil:
			b.unsure = nil
			return nil
		case lost != nil && scsi.IsSense(err, scsi.IllegalRequest, scsi.ASCAddressOutOfRange, scsi.ASCQInvalidWriteAddress):
			// A drive takes nothing twice. That it expects what follows, the next WRITE
			// has to show.
			b.unsure = lost
			return nil
		case errors.Is(err, mmc.ErrShortWrite):
			rest, known := b.residual(ctx, s)
			if !known {
				b.unsure = nil
				return nil
			}
			s, lost = rest, err // a drive that is late to say where writing continues may have taken more
		case stumbles == maxStumbles:
			return err
		default:
			rest, ok := b.recover(ctx, s, err)
			if !ok {
				return err
			}
			s, lost = rest, err
		}
		stumbles++
	}
	return nil
}

// transmit sends a WRITE. Only whole chunks are streamed: the LG GGW-H20 writes rubbish
// with smaller ones (libburn write.c).
func (b *burner) transmit(ctx context.Context, s stretch) error {
	if b.plan.Streaming && !b.verified && len(s.data) == chunkSize && int(s.first)%s.n == 0 {
		err := b.drive.WriteStreaming(ctx, s.first, s.n, s.data)
		if drive.Classify(err) != drive.Refused {
			return err
		}
		b.verified = true // the drive does not know it
	}
	return b.drive.Write(ctx, s.first, s.n, s.data)
}

// residual deals with a WRITE that ended well, though the adapter says that not all
// of it was transferred: some say so of every command (the kernel's usb-storage
// passes the device's own residue on). The drive knows better, where it can be asked
// in the middle of a track. known is false where nothing speaks for a loss.
func (b *burner) residual(ctx context.Context, s stretch) (rest stretch, known bool) {
	if !b.residue {
		b.residue = true
		b.watch.note(Note{Code: NoteResidue})
	}
	taken, ok := b.taken(ctx, s)
	if !ok || taken == s.n {
		return stretch{}, false
	}
	return s.after(taken), true
}

// recover makes ready to send what is left of a run after an error. It reports
// whether there is hope.
func (b *burner) recover(ctx context.Context, s stretch, err error) (rest stretch, ok bool) {
	switch class := drive.Classify(err); {
	case scsi.IsSense(err, scsi.IllegalRequest, scsi.ASCCommandSequence, 0):
		// Another program read from the disc: a flush brings the drive back
		// (growisofs).
		return s, drive.Retry(ctx, b.drive, func() error { return b.drive.SynchronizeCache(ctx, mmc.Wait) }) == nil
	case class != drive.Transient && class != drive.Transport:
		return s, false
	}
	if !b.ready(ctx) {
		return s, false
	}
	if b.medium.random() {
		return s, true
	}
	taken, asked := b.taken(ctx, s)
	switch {
	case asked:
		return s.after(taken), true
	case b.plan.Mode == Sequential || b.plan.Mode == Incremental:
		return s, false
	}
	return s, true
}

// ready waits until the drive takes commands again. It is not where the drive was
// reset: a track that was being written is gone then, except on discs that are
// overwritten.
func (b *burner) ready(ctx context.Context) bool {
	err := drive.Retry(ctx, b.drive, func() error { return b.drive.TestUnitReady(ctx) })
	if drive.Classify(err) == drive.Changed && b.medium.random() {
		err = drive.WaitReady(ctx, b.drive, drive.ReadyLimit)
	}
	return err == nil || b.mute && drive.Classify(err) == drive.NotReady
}

// taken asks the drive how many sectors of a run it took. ok is false where it does
// not say, or says what cannot be.
func (b *burner) taken(ctx context.Context, s stretch) (n int, ok bool) {
	track := b.medium.LastTrack
	switch cd := b.medium.Kind() == disc.CD; {
	case b.medium.random(), cd && b.plan.Mode != TrackAtOnce:
		return 0, false
	case cd:
		track = mmc.OpenTrackCD
	}
	t, err := b.drive.TrackInfo(ctx, track)
	if err != nil || !t.NextWritableValid {
		return 0, false
	}
	n = int(t.NextWritable - s.first)
	return n, n >= 0 && n <= s.n
}

// settled reports whether all that was sent is on the disc, by where writing continues
// once the drive's buffer is empty.
func (b *burner) settled(ctx context.Context) bool {
	if drive.Retry(ctx, b.drive, func() error { return b.drive.SynchronizeCache(ctx, mmc.Wait) }) != nil {
		return false
	}
	_, ok := b.taken(ctx, stretch{first: b.at})
	return ok
}
