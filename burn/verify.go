package burn

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/drive"
	"spindle/image"
	"spindle/scsi/mmc"
)

// ErrReload means that the disc has to be taken out and put in again before it can be read.
var ErrReload = errors.New("the drive does not see what was burned until the disc is loaded again")

// A Range is a run of sectors.
type Range struct {
	First disc.LBA `json:"first"`
	Count int      `json:"count"`
}

// String names the sectors of the run, the last one included.
func (r Range) String() string {
	if r.Count == 1 {
		return fmt.Sprintf("sector %d", r.First)
	}
	return fmt.Sprintf("sectors %d to %d", r.First, int(r.First)+r.Count-1)
}

// addRange adds a run to a list that grows upwards.
func addRange(list []Range, first disc.LBA, n int) []Range {
	if k := len(list); k > 0 && list[k-1].First+disc.LBA(list[k-1].Count) == first {
		list[k-1].Count += n
		return list
	}
	return append(list, Range{first, n})
}

// Verification is how a disc compares with its image.
type Verification struct {
	Sectors    int     // compared
	Different  []Range // addresses on the disc
	Unreadable []Range
	Slow       []Range // read with difficulty
	// Offset is the number of samples by which the drive gives audio late.
	Offset int
	// Stream: a pipe was burned, of which only the sum can be compared.
	Stream bool
	Files  []string // that hold a sector which is different or unreadable
	// Missing are labels that do not come back as they were announced, NotAsked those
	// that the drive could not be asked for.
	Missing, NotAsked []Label
	LeftOut           []Label // that the drive refused when they were announced
	// Misplaced are the tracks of a CD that its table of contents does not have, or has at
	// another place than where they were burned.
	Misplaced []int
}

// OK reports whether every sector and every track is what it should be.
func (v *Verification) OK() bool {
	return len(v.Different) == 0 && len(v.Unreadable) == 0 && len(v.Misplaced) == 0
}

// slowRead is how long a batch may take to be read that is not slow.
const slowRead = time.Second

// verifier reads a disc back.
type verifier struct {
	drive *mmc.Drive
	src   *Source
	watch *watcher
	res   *Verification
	total int64
	done  int64
	oneX  float64
	last  time.Time

	expect    mmc.SectorType // that audio is asked for as
	shift     int            // bytes by which audio comes late
	searched  bool
	audioFrom disc.LBA // the audio around the sectors at hand that can be read
	audioTo   disc.LBA
}

// Verify reads what a plan has burned and compares it, sector by sector, with the
// image. What the drive or the plan put around it (padding, run-out blocks) is not
// looked at.
func Verify(ctx context.Context, d *mmc.Drive, src *Source, plan *Plan, o Observer) (*Verification, error) {
	w := watch(o)
	defer w.close()
	return verify(ctx, d, src, plan, w, false)
}

func verify(ctx context.Context, d *mmc.Drive, src *Source, plan *Plan, w *watcher, keepTray bool) (*Verification, error) {
	v := &verifier{drive: d, src: src, watch: w, res: new(Verification), oneX: speedUnit(plan.Profile), last: d.Clock().Now()}
	regions := slices.Clone(plan.Content)
	if src.stream != nil {
		for i := range regions {
			regions[i].Count = min(regions[i].Count, int(src.sent.Bytes/cdsector.UserSize)) // where it ended
		}
	}
	for i := range regions {
		v.total += regions[i].bytes()
	}
	v.watch.report(Progress{Phase: Verifying, Total: v.total, OneX: v.oneX, DriveBuffer: -1})
	if err := v.reload(ctx, regions, keepTray); err != nil {
		return nil, err
	}
	freeSpeed(ctx, d, plan.Profile)
	if src.stream != nil {
		return v.stream(ctx, regions)
	}
	for i := range regions {
		v.audioFrom, v.audioTo = audioAround(regions, i)
		if err := v.region(ctx, &regions[i]); err != nil {
			return nil, err
		}
	}
	v.res.Files = filesAt(ctx, src, plan.Start, slices.Concat(v.res.Different, v.res.Unreadable))
	if err := v.tracks(ctx, plan); err != nil {
		return nil, err
	}
	return v.res, v.labels(ctx, plan)
}

// audioAround is the run of audio that a region belongs to.
func audioAround(regions []Region, i int) (from, to disc.LBA) {
	from, to = regions[i].LBA, regions[i].LBA+disc.LBA(regions[i].Count)
	for k := i - 1; k >= 0 && regions[k].Form == FormAudio && regions[k].LBA+disc.LBA(regions[k].Count) == from; k-- {
		from = regions[k].LBA
	}
	for k := i + 1; k < len(regions) && regions[k].Form == FormAudio && regions[k].LBA == to; k++ {
		to = regions[k].LBA + disc.LBA(regions[k].Count)
	}
	return from, to
}

// reload makes the drive forget what it holds, and see the disc as it is now: the
// disc is stopped, and, where that does not help, the tray goes out and in.
func (v *verifier) reload(ctx context.Context, regions []Region, keepTray bool) error {
	attempts := [][]mmc.LoadAction{{mmc.Stop, mmc.Start}, {mmc.Eject, mmc.Load}}
	if keepTray {
		attempts = attempts[:1]
	}
	for _, ways := range attempts {
		for _, way := range ways {
			if err := v.drive.StartStop(ctx, way); err != nil && !drive.Classify(err).Answered() {
				return err
			}
		}
		switch err := v.sees(ctx, regions); {
		case err == nil:
			return nil
		case !drive.Classify(err).Answered() && !errors.Is(err, ErrReload):
			return err
		}
	}
	return ErrReload
}

// sees returns nil where the drive sees the disc up to the end of the regions.
func (v *verifier) sees(ctx context.Context, regions []Region) error {
	if err := drive.WaitReady(ctx, v.drive, drive.ReadyLimit); err != nil {
		return err
	}
	end := disc.LBA(0)
	for i := range regions {
		end = max(end, regions[i].LBA+disc.LBA(regions[i].Count))
	}
	c, err := v.drive.Capacity(ctx)
	switch {
	case err == nil && c.Blocks >= int64(end):
		return nil
	case err != nil && !drive.Classify(err).Answered():
		return err
	case len(regions) == 0 || regions[len(regions)-1].Form != FormBlock:
		return ErrReload
	}
	// What a disc holds that is not closed, some drives read, and do not count.
	_, err = v.drive.Read10(ctx, make([]byte, cdsector.UserSize), end-1)
	return err
}

// region compares the sectors of one region.
func (v *verifier) region(ctx context.Context, s *Region) error {
	stride := s.Form.Size()
	limit := min(v.drive.MaxTransfer(), chunkSize)
	most := max(1, limit/cdsector.Size-2*farthest) // audio is looked for in other sectors, too
	if s.Form == FormBlock {
		most = max(1, limit/stride)
	}
	want, got := make([]byte, most*stride), make([]byte, (most+2*farthest)*cdsector.Size)
	for done := 0; done < s.Count; {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := min(most, s.Count-done)
		at := s.LBA + disc.LBA(done)
		if err := v.src.read(ctx, want[:n*stride], s.Source+disc.LBA(done), s.Form); err != nil {
			return err
		}
		before := v.drive.Clock().Now()
		if err := v.compare(ctx, s, at, want[:n*stride], got, n); err != nil {
			return err
		}
		if v.drive.Clock().Now().Sub(before) > slowRead && done > 0 {
			v.res.Slow = addRange(v.res.Slow, at, n)
		}
		v.res.Sectors += n
		v.done += int64(n * stride)
		v.report()
		done += n
	}
	return nil
}

func (v *verifier) report() {
	now := v.drive.Clock().Now()
	if passed := now.Sub(v.last); passed >= lookEvery {
		v.last = now
		v.watch.report(Progress{Phase: Verifying, Done: v.done, Total: v.total, OneX: v.oneX, DriveBuffer: -1})
	}
}

// compare reads n sectors and compares them; what cannot be read together is read
// one by one.
func (v *verifier) compare(ctx context.Context, s *Region, at disc.LBA, want, got []byte, n int) error {
	have, err := v.read(ctx, s, at, got, n, want)
	switch {
	case err != nil && !drive.Classify(err).Answered():
		return err
	case err != nil && n > 1:
		stride := s.Form.Size()
		for i := range n {
			if err := v.compare(ctx, s, at+disc.LBA(i), want[i*stride:(i+1)*stride], got, 1); err != nil {
				return err
			}
		}
		return nil
	case err != nil:
		v.res.Unreadable = addRange(v.res.Unreadable, at, 1)
		return nil
	}
	if bytes.Equal(have, want) {
		return nil
	}
	// What a reply left out, or a drive took from another place, is not a fault of
	// the disc: what comes right at the second try is right.
	have, err = v.again(ctx, s, at, got, n, want)
	if err != nil && !drive.Classify(err).Answered() {
		return err
	}
	if err == nil && bytes.Equal(have, want) {
		if s.Form != FormAudio { // whose place a drive may miss
			v.res.Slow = addRange(v.res.Slow, at, n)
		}
		return nil
	}
	v.differ(at, have, want, s.Form.Size())
	return nil
}

// differ lists the sectors that are other than the image has them.
func (v *verifier) differ(at disc.LBA, have, want []byte, stride int) {
	for i := range len(want) / stride {
		if !bytes.Equal(have[i*stride:(i+1)*stride], want[i*stride:(i+1)*stride]) {
			v.res.Different = addRange(v.res.Different, at+disc.LBA(i), 1)
		}
	}
}

// errShortRead is a read that gave less than was asked for.
var errShortRead = fmt.Errorf("%w: sectors are missing", mmc.ErrShortReply)

// read reads n sectors in the form in which they were written.
func (v *verifier) read(ctx context.Context, s *Region, at disc.LBA, buf []byte, n int, want []byte) ([]byte, error) {
	switch s.Form {
	case FormAudio:
		return v.readAudio(ctx, at, buf, n, want)
	case FormMode2:
		p := buf[:n*cdsector.Size]
		if err := v.fillRaw(ctx, p, at, mmc.AnySector); err != nil {
			return nil, err
		}
		for i := range n {
			copy(p[i*cdsector.Mode2Size:], p[i*cdsector.Size+16:(i+1)*cdsector.Size])
			// Of form 2 the EDC may be zero or not, as the drive likes.
			if sub := p[i*cdsector.Mode2Size:]; sub[2]&0x20 != 0 {
				copy(sub[cdsector.Mode2Size-4:cdsector.Mode2Size], want[(i+1)*cdsector.Mode2Size-4:(i+1)*cdsector.Mode2Size])
			}
		}
		return p[:n*cdsector.Mode2Size], nil
	}
	p := buf[:n*cdsector.UserSize]
	return p, v.fill(ctx, p, n, func() (int, error) { return v.drive.Read10(ctx, p, at) })
}

// again reads sectors a second time that came other than the image has them.
func (v *verifier) again(ctx context.Context, s *Region, at disc.LBA, buf []byte, n int, want []byte) ([]byte, error) {
	if s.Form == FormAudio {
		return v.findAudio(ctx, at, buf, n, want)
	}
	return v.read(ctx, s, at, buf, n, want)
}

// fill reads n sectors into p. A reply that did not come whole is errShortRead.
func (v *verifier) fill(ctx context.Context, p []byte, n int, read func() (int, error)) error {
	err := drive.Whole(p, n, func() (int, error) { return v.retry(ctx, read) })
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return errShortRead
	}
	return err
}

// retry reads again after a unit attention, or while the drive is busy.
func (v *verifier) retry(ctx context.Context, read func() (int, error)) (int, error) {
	for attempts := 0; ; attempts++ {
		n, err := read()
		class := drive.Classify(err)
		if class == drive.Recovered {
			return n, nil
		}
		if attempts > 100 || class != drive.Attention && class != drive.Changed && class != drive.Busy {
			return n, err
		}
		if class == drive.Busy {
			if err := v.drive.Clock().Sleep(ctx, pollEvery); err != nil {
				return 0, err
			}
		}
	}
}

// stream compares the sum of what a pipe gave.
func (v *verifier) stream(ctx context.Context, regions []Region) (*Verification, error) {
	v.res.Stream = true
	sum := sha256.New()
	buf := make([]byte, chunkSize)
	for i := range regions {
		s := &regions[i]
		for done := 0; done < s.Count; {
			n := min(chunkSize/cdsector.UserSize, s.Count-done)
			at := s.LBA + disc.LBA(done)
			p, err := v.read(ctx, s, at, buf, n, nil)
			switch {
			case err != nil && !drive.Classify(err).Answered():
				return nil, err
			case err != nil:
				v.res.Unreadable = addRange(v.res.Unreadable, at, n)
			}
			sum.Write(p)
			done += n
			v.res.Sectors += n
			v.done += int64(len(p))
			v.report()
		}
		if len(v.res.Unreadable) == 0 && [sha256.Size]byte(sum.Sum(nil)) != v.src.sent.SHA256 {
			v.res.Different = addRange(v.res.Different, s.LBA, s.Count)
		}
	}
	return v.res, nil
}

// filesAt names the files of the image's file system that lie on sectors.
func filesAt(ctx context.Context, src *Source, start disc.LBA, bad []Range) []string {
	if src.image == nil {
		return nil
	}
	var all []disc.Flaw
	for _, r := range bad {
		all = append(all, disc.Flaw{First: r.First - start, Count: r.Count, Kind: disc.ReadWithErrors})
	}
	const most = 20
	return image.FilesAt(ctx, src.image, disc.FlawsOf(all...), most)
}
