package trial

import (
	"bytes"
	"context"
	"math/rand/v2"

	"spindle/addr"
	"spindle/disc/cdsector"
	"spindle/drive"
	"spindle/scsi/mmc"
)

// batch is how many sectors are read at once: 16 sectors of 2744 bytes, the longest
// form, are within 64 KiB, and a multiple of 16 bytes.
const batch = 16

// samples are the places of a stretch that stand for it, in thousandths of its length.
var samples = [...]int{0, 500, 1000}

// reading tries the sectors of one kind.
type reading struct {
	d  *mmc.Drive
	cd bool
	s  Stretch
	// plain are the batches at three places that every form is compared with.
	plain [len(samples)][]byte
}

func (t *reading) run(ctx context.Context) error {
	steps := []func(context.Context) error{t.transfers, t.cache, t.speeds}
	if t.cd {
		steps = append(steps, t.forms, t.subChannel)
	}
	if t.s.Coding == drive.Audio {
		steps = append(steps, t.stream)
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

// read reads n sectors in the plain form: READ CD for audio, READ (10) for data. What
// does not come is not what was in the buffer before.
func (t *reading) read(ctx context.Context, at addr.LBA, n int) ([]byte, error) {
	buf := make([]byte, n*t.size())
	poison(buf)
	var got int
	var err error
	if t.s.Coding == drive.Audio {
		got, err = t.d.ReadCD(ctx, buf, mmc.CDReadRequest{LBA: at, Count: n, Fields: mmc.RawSector})
	} else {
		got, err = t.d.Read10(ctx, buf, at)
	}
	return buf[:got], err
}

// poison fills a buffer with what no disc holds, so that a reply that left it as it
// was is seen.
func poison(p []byte) {
	random := rand.New(rand.NewPCG(uint64(len(p)), 1))
	for i := range p {
		p[i] = byte(random.Uint32())
	}
}

// place returns an address within the stretch, in thousandths of its length, with
// room for n sectors.
func (t *reading) place(thousandths, n int) addr.LBA {
	return t.s.At + addr.LBA(int(t.s.End-t.s.At-addr.LBA(n))*thousandths/1000)
}

// transfers finds the largest number of bytes that come right with one command.
func (t *reading) transfers(ctx context.Context) error {
	for _, limit := range [...]int{16 << 10, 32 << 10, 64 << 10, 128 << 10, 256 << 10} {
		n := limit / t.size()
		if limit > t.d.MaxTransfer() || int(t.s.End-t.s.At) < n {
			return nil
		}
		at := t.place(200, n)
		all, err := t.read(ctx, at, n)
		if err := broken(ctx, err); err != nil {
			return err
		}
		if err != nil || len(all) != n*t.size() {
			return nil
		}
		last, err := t.read(ctx, at+addr.LBA(n-1), 1)
		if err := broken(ctx, err); err != nil {
			return err
		}
		if err != nil || !bytes.Equal(last, all[(n-1)*t.size():]) {
			return nil
		}
		t.s.Transfer = limit
	}
	return nil
}

// speeds measures how fast sectors come at the start, in the middle and at the end.
func (t *reading) speeds(ctx context.Context) error {
	const batches = 8
	for _, place := range samples {
		at := t.place(place, batches*batch)
		start := t.d.Clock().Now()
		for i := range addr.LBA(batches) {
			_, err := t.read(ctx, at+i*batch, batch)
			if err := broken(ctx, err); err != nil {
				return err
			}
			if err != nil {
				return nil // damage here: the other places are no better for comparing
			}
		}
		if took := t.d.Clock().Now().Sub(start).Seconds(); took > 0 {
			t.s.Speeds = append(t.s.Speeds, Speed{at, float64(batches*batch*t.size()) / took})
		}
	}
	return nil
}

// forms tries every form of READ CD against the plain one, at three places.
func (t *reading) forms(ctx context.Context) error {
	for i, place := range samples {
		t.plain[i] = make([]byte, batch*cdsector.Size)
		poison(t.plain[i])
		_, err := t.d.ReadCD(ctx, t.plain[i], mmc.CDReadRequest{LBA: t.place(place, batch), Count: batch, Fields: mmc.RawSector})
		if err != nil {
			return broken(ctx, err)
		}
	}
	types := [...]mmc.SectorType{mmc.AnySector, mmc.CDDASector}
	if t.s.Coding == drive.Data {
		types[1] = mmc.Mode1Sector
	}
	for _, expect := range types {
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
	buf := make([]byte, batch*stride)
	flagged := 0
	for i, place := range samples {
		poison(buf)
		n, err := t.d.ReadCD(ctx, buf, mmc.CDReadRequest{
			LBA: t.place(place, batch), Count: batch, Fields: mmc.RawSector, Expect: f.Expect, C2: f.C2, Sub: f.Sub,
		})
		if err != nil {
			f.Outcome = outcome(err)
			return broken(ctx, err)
		}
		flags, ok := t.compare(i, buf[:n], stride, f.C2)
		if !ok {
			f.Outcome = Wrong
			return nil
		}
		flagged += flags
	}
	f.Outcome, f.Flagged = Works, float64(flagged)/float64(batch*len(samples))
	return nil
}

// compare compares sectors with the plain ones, and counts those with bits set in
// their error pointers.
func (t *reading) compare(sample int, got []byte, stride int, c2 mmc.C2Mode) (flagged int, ok bool) {
	if len(got) < batch*stride {
		return 0, false
	}
	for i := range batch {
		sector := got[i*stride:][:stride]
		if !bytes.Equal(sector[:cdsector.Size], t.plain[sample][i*cdsector.Size:][:cdsector.Size]) {
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
	const overlap = 5
	t.s.Stream = Works
	for _, place := range [...]int{100, 400, 700} {
		at := t.place(place, 2*batch)
		first, err := t.read(ctx, at, batch)
		if err == nil {
			var second []byte
			second, err = t.read(ctx, at+batch-overlap, batch)
			if err == nil && !bytes.Equal(first[(batch-overlap)*cdsector.Size:], second[:overlap*cdsector.Size]) {
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

// subChannel compares the address that the Q frames state with that of their sector.
func (t *reading) subChannel(ctx context.Context) error {
	const stride = cdsector.Size + cdsector.SubSize
	buf := make([]byte, batch*stride)
	at := t.place(300, batch)
	_, err := t.d.ReadCD(ctx, buf, mmc.CDReadRequest{LBA: at, Count: batch, Fields: mmc.RawSector, Sub: mmc.RawSub})
	if err != nil {
		t.s.Q = outcome(err)
		return broken(ctx, err)
	}
	votes := make(map[int]int)
	t.s.Q = Wrong // as long as no frame has a right CRC
	for i := range addr.LBA(batch) {
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
