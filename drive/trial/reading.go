package trial

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"

	"spindle/addr"
	"spindle/disc/cdsector"
	"spindle/drive"
	"spindle/scsi/mmc"
)

// mostBatch is how many sectors are read at once, at most: 16 sectors of the longest form
// are within 64 KiB.
const mostBatch = 16

// speedBatches are read in one go to measure how fast sectors come.
const speedBatches = 8

// leastBatch is read at once as long as it is not known that more can be.
const leastBatch = 4

// longest is the number of bytes of a sector with all that READ CD can add.
const longest = cdsector.Size + 296 + cdsector.SubSize

// samples are the places of a stretch that stand for it, in thousandths of its length.
var samples = [...]int{0, 500, 1000}

// reading tries the sectors of one kind.
type reading struct {
	d  *mmc.Drive
	cd bool
	s  Stretch
	// most is how many sectors may be read at once, and batch how many are, in the plain
	// form.
	most, batch int
	// expect is the sector type of plain reads: some drives refuse any type.
	expect mmc.SectorType
	// plain are the batches at three places that every form is compared with.
	plain [len(samples)][]byte
}

func (t *reading) run(ctx context.Context) error {
	var steps []func(context.Context) error
	if t.cd {
		steps = append(steps, t.sectorType)
	}
	steps = append(steps, t.transfers, t.tidy)
	if t.s.Coding == drive.Audio {
		steps = append(steps, t.stream)
	}
	steps = append(steps, t.speeds, t.cache)
	if t.cd {
		steps = append(steps, t.forms, t.subChannel)
	}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// size is the number of bytes of a sector in the plain form.
func (t *reading) size() int {
	if t.s.Coding == drive.Audio {
		return cdsector.Size
	}
	return mmc.BlockSize
}

// named is the sector type of a coding.
var named = map[drive.Coding]mmc.SectorType{drive.Audio: mmc.CDDASector, drive.Data: mmc.Mode1Sector}

// sectorType finds out which sector type READ CD is to be asked for.
func (t *reading) sectorType(ctx context.Context) error {
	sector := make([]byte, cdsector.Size)
	_, err := t.d.ReadCD(ctx, sector, mmc.CDReadRequest{LBA: t.s.At, Count: 1, Fields: mmc.RawSector})
	if outcome(err) == Refused {
		t.expect = named[t.s.Coding]
	}
	return broken(ctx, err)
}

// read reads n sectors in the plain form: READ CD for audio, READ (10) for data. A reply
// that did not come whole wraps [io.ErrUnexpectedEOF].
func (t *reading) read(ctx context.Context, at addr.LBA, n int) ([]byte, error) {
	buf := make([]byte, n*t.size())
	err := drive.Whole(buf, n, func() (int, error) {
		if t.s.Coding == drive.Audio {
			return t.d.ReadCD(ctx, buf, mmc.CDReadRequest{LBA: at, Count: n, Fields: mmc.RawSector, Expect: t.expect})
		}
		return t.d.Read10(ctx, buf, at)
	})
	t.s.Short = t.s.Short || short(err)
	return buf, err
}

// short: a reply was cut, and the drive called it good.
func short(err error) bool { return errors.Is(err, io.ErrUnexpectedEOF) }

// place returns an address within the stretch, in thousandths of its length, with
// room for n sectors.
func (t *reading) place(thousandths, n int) addr.LBA {
	return t.s.At + addr.LBA(int(t.s.End-t.s.At-addr.LBA(n))*thousandths/1000)
}

// transfers finds the largest number of bytes that one command brings. What fails at two
// places is the drive's limit, or its adapter's, and not damage.
func (t *reading) transfers(ctx context.Context) error {
	for _, limit := range [...]int{16 << 10, 32 << 10, 64 << 10, 128 << 10, 256 << 10} {
		n := limit / t.size()
		if limit > t.d.MaxTransfer() || int(t.s.End-t.s.At) < n {
			return nil
		}
		var err error
		for _, place := range [...]int{200, 600} {
			_, err = t.read(ctx, t.place(place, n), n)
			if err := broken(ctx, err); err != nil {
				return err
			}
			if err == nil || short(err) {
				break
			}
			// A command that hung was ended by a reset, of which the next one would hear.
			if err := broken(ctx, drive.WaitReady(ctx, t.d, drive.ReadyLimit)); err != nil {
				return err
			}
		}
		switch {
		case err == nil:
			t.s.Transfer = limit
			t.most = min(mostBatch, limit/longest)
		case !short(err): // larger ones may come whole again
			t.s.Limited = true
			return nil
		}
	}
	return nil
}

// tidy chooses how many sectors are read at once, so that whole ones come through every
// adapter.
func (t *reading) tidy(context.Context) error {
	t.batch = t.most
	if t.cd {
		t.batch = tidied(t.most, cdsector.Size)
	}
	return nil
}

// tidied is [drive.Tidy], or n where that knows none.
func tidied(n, stride int) int { return cmp.Or(drive.Tidy(n, stride), n) }

// speeds measures how fast sectors come at the start, in the middle and at the end.
func (t *reading) speeds(ctx context.Context) error {
	for _, place := range samples {
		at := t.place(place, speedBatches*t.batch)
		start := t.d.Clock().Now()
		for i := range speedBatches {
			_, err := t.read(ctx, at+addr.LBA(i*t.batch), t.batch)
			if err := broken(ctx, err); err != nil {
				return err
			}
			if err != nil && !short(err) {
				return nil // damage here: the other places are no better for comparing
			}
		}
		if took := t.d.Clock().Now().Sub(start).Seconds(); took > 0 {
			t.s.Speeds = append(t.s.Speeds, Speed{at, float64(speedBatches*t.batch*t.size()) / took})
		}
	}
	return nil
}

// reference reads what every form is compared with at one place: again, where a reply
// comes short.
func (t *reading) reference(ctx context.Context, at addr.LBA) ([]byte, error) {
	const tries = 3
	buf := make([]byte, t.batch*cdsector.Size)
	var err error
	for range tries {
		err = drive.Whole(buf, t.batch, func() (int, error) {
			return t.d.ReadCD(ctx, buf, mmc.CDReadRequest{LBA: at, Count: t.batch, Fields: mmc.RawSector, Expect: t.expect})
		})
		if !short(err) {
			break
		}
		t.s.Short = true
	}
	return buf, err
}

// forms tries every form of READ CD against the plain one, at three places.
func (t *reading) forms(ctx context.Context) error {
	for i, place := range samples {
		var err error
		if t.plain[i], err = t.reference(ctx, t.place(place, t.most)); err != nil {
			return broken(ctx, err)
		}
	}
	for _, expect := range [...]mmc.SectorType{mmc.AnySector, named[t.s.Coding]} {
		for _, c2 := range [...]mmc.C2Mode{mmc.NoC2, mmc.C2Bits, mmc.C2AndBlock} {
			for _, sub := range [...]mmc.SubMode{mmc.NoSub, mmc.RawSub, mmc.QSub} {
				f := Form{Expect: expect, C2: c2, Sub: sub}
				if err := t.form(ctx, &f); err != nil {
					return err
				}
				t.s.Forms = append(t.s.Forms, f)
			}
		}
	}
	return nil
}

// form tries one form.
func (t *reading) form(ctx context.Context, f *Form) error {
	stride := cdsector.Size + f.C2.Size() + f.Sub.Size()
	n := tidied(t.most, stride)
	buf := make([]byte, n*stride)
	flagged := 0
	for i, place := range samples {
		err := drive.Whole(buf, n, func() (int, error) {
			return t.d.ReadCD(ctx, buf, mmc.CDReadRequest{
				LBA: t.place(place, t.most), Count: n, Fields: mmc.RawSector, Expect: f.Expect, C2: f.C2, Sub: f.Sub,
			})
		})
		switch {
		case short(err):
			f.Outcome = Wrong
			return nil
		case err != nil:
			f.Outcome = outcome(err)
			return broken(ctx, err)
		}
		flags, ok := t.compare(i, buf, stride, f.C2)
		if !ok {
			f.Outcome = Wrong
			return nil
		}
		flagged += flags
	}
	f.Outcome, f.Flagged = Works, float64(flagged)/float64(n*len(samples))
	return nil
}

// compare compares sectors with the plain ones, as far as there are some, and counts those with bits set in
// their error pointers.
func (t *reading) compare(sample int, got []byte, stride int, c2 mmc.C2Mode) (flagged int, ok bool) {
	for i := range len(got) / stride {
		sector := got[i*stride:][:stride]
		if i < t.batch && !t.jitters() && !bytes.Equal(sector[:cdsector.Size], t.plain[sample][i*cdsector.Size:][:cdsector.Size]) {
			return 0, false
		}
		if anyBit(sector[cdsector.Size:][:c2.Size()]) {
			flagged++
		}
	}
	return flagged, true
}

func anyBit(p []byte) bool {
	for _, b := range p {
		if b != 0 {
			return true
		}
	}
	return false
}

// stream reads the same audio in batches that overlap: a drive without accurate
// stream begins each read some samples off.
func (t *reading) stream(ctx context.Context) error {
	const overlap = 2
	t.s.Stream = Works
	for _, place := range [...]int{100, 400, 700} {
		at := t.place(place, 2*t.batch)
		first, err := t.read(ctx, at, t.batch)
		if err == nil {
			var second []byte
			second, err = t.read(ctx, at+addr.LBA(t.batch-overlap), t.batch)
			if err == nil && !bytes.Equal(first[(t.batch-overlap)*cdsector.Size:], second[:overlap*cdsector.Size]) {
				t.s.Stream = Wrong
				return nil
			}
		}
		if err != nil {
			t.s.Stream = outcome(err)
			return broken(ctx, err)
		}
	}
	return nil
}

// jitters: two reads of the same sectors need not be equal.
func (t *reading) jitters() bool { return t.s.Coding == drive.Audio && t.s.Stream == Wrong }

// subChannel compares the address that the Q frames state with that of their sector.
func (t *reading) subChannel(ctx context.Context) error {
	const stride = cdsector.Size + cdsector.SubSize
	n := tidied(t.most, stride)
	buf := make([]byte, n*stride)
	at := t.place(300, n)
	err := drive.Whole(buf, n, func() (int, error) {
		return t.d.ReadCD(ctx, buf, mmc.CDReadRequest{LBA: at, Count: n, Fields: mmc.RawSector, Expect: t.expect, Sub: mmc.RawSub})
	})
	if short(err) {
		t.s.Q = Wrong
		return nil
	}
	if err != nil {
		t.s.Q = outcome(err)
		return broken(ctx, err)
	}
	votes := make(map[int]int)
	t.s.Q = Wrong // as long as no frame has a right CRC
	for i := range addr.LBA(n) {
		q := cdsector.DeinterleaveQ((*[cdsector.SubSize]byte)(buf[int(i)*stride+cdsector.Size:]))
		frame, err := cdsector.DecodeQ(&q)
		if err != nil || frame.ADR != 1 {
			continue
		}
		ahead := int(addr.MSF(frame.Abs).LBA() - (at + i))
		if votes[ahead]++; t.s.Q != Works || votes[ahead] > votes[t.s.QAhead] {
			t.s.Q, t.s.QAhead = Works, ahead
		}
	}
	return nil
}
