package burn

import (
	"bytes"
	"context"
	"crypto/sha256"

	"spindle/disc"
	"spindle/drive"
	"spindle/scsi/mmc"
)

// A Comparison says how far a disc holds the image of a failed burn.
type Comparison struct {
	// Equal is the number of sectors, from the beginning of the image, that
	// were read and are equal.
	Equal int
	Track disc.LBA // where the open track of the disc begins, if it has one
	// Unreadable: the drive did not read the first sector. Many do not read a session
	// that is still open.
	Unreadable bool
	// Buffer is the size of the drive's buffer in bytes, where the first sector was not
	// read, or one was not equal, and the drive says so.
	Buffer int
	// SameVolume: the descriptors that name the volume of the image are on the disc,
	// and all that lies before them is equal, too. Where there are none, all that
	// was compared is equal, and it is much more than zeros.
	SameVolume bool
	// Foreign: the disc holds more than the burn can have left there. It is another one,
	// or has earlier sessions.
	Foreign bool
}

// Compare reads what a failed burn left on the disc m, as far as it can be resumed
// there, and compares it with the image. A sector that cannot be read is not equal.
// o may be nil.
func Compare(ctx context.Context, d *mmc.Drive, m *Medium, src *Source, a *Attempt, o Observer) (*Comparison, error) {
	c := new(Comparison)
	all := a.content(src)
	limit, end, err := a.reach(ctx, d, m, all, c)
	if err != nil {
		return nil, err
	}
	if g := a.ground(m); g == erasable || g == blankGround {
		o = nil // it is only to know the disc again
	}
	behind := func(from disc.LBA) bool {
		end := disc.LBA(m.Capacity) // which a disc that is full does not say
		if len(all) > 0 {
			end = max(end, all[len(all)-1].end())
		}
		return (&discReader{ctx, d}).behind(from, end)
	}
	if limit <= 0 || !covers(all, src) {
		c.Foreign = a.foreign(m, all, new(comparer), behind)
		return c, ctx.Err()
	}
	w := watch(o)
	defer w.close()
	p := &comparer{drive: d, src: src, watch: w, limit: min(limit, sectors(all)), end: min(max(limit, end), sectors(all)), oneX: speedUnit(m.Profile)}
	for _, r := range all {
		whole, err := p.region(ctx, r)
		if err != nil {
			return c, err
		}
		if !whole {
			break
		}
	}
	c.Equal, c.Unreadable, p.buffer = p.equal, p.unreadable, usualBuffer
	if p.unreadable || p.differs {
		if b, err := d.BufferCapacity(ctx); err == nil && b.Size > 0 {
			c.Buffer, p.buffer = b.Size, b.Size
		}
	}
	c.Foreign = a.foreign(m, all, p, behind)
	c.SameVolume = p.sameVolume(volumeNames(ctx, src, all[0]))
	return c, ctx.Err()
}

// reach says how many sectors of all the burn can have written on the disc m, and how many are
// compared where that is more: another disc may continue like the one of the burn. In c it notes where the open
// track of the disc begins.
func (a *Attempt) reach(ctx context.Context, d *mmc.Drive, m *Medium, all []Region, c *Comparison) (limit, end int, err error) {
	switch a.ground(m) {
	case overwritten:
		return int(a.At.LBA - a.Plan.Start), sectors(all), nil
	case complete:
		return sectors(all), 0, nil
	case erasable:
		return recognized, int(a.At.LBA - a.Plan.Start), nil
	case blankGround:
		return recognized, 0, nil
	case open:
		t, err := d.TrackInfo(ctx, m.LastTrack)
		switch {
		case err == nil:
			c.Track = disc.LBA(t.Start)
		case !m.NoPoint || drive.Classify(err) != drive.Refused: // a disc that is full has no track that is open
			return 0, 0, err
		}
		if a.closing() || a.trackClosed(m, c) {
			return sectors(all), 0, nil
		}
		return int(m.NextWritable - a.Plan.Start), 0, nil
	}
	return 0, 0, nil
}

// comparer reads a disc from the beginning of a burn on.
type comparer struct {
	drive *mmc.Drive
	src   *Source
	watch *watcher
	oneX  float64
	equal int
	solid int // of those that are equal: not only zeros
	limit int // of what the burn wrote
	end   int // of what is compared

	unreadable bool // nothing could be read
	differs    bool // where it ended, the disc holds something else
	buffer     int  // of the drive, in bytes
}

// region compares one region. It reports whether all of it was equal; only data in
// blocks are compared.
func (p *comparer) region(ctx context.Context, r Region) (bool, error) {
	if r.Form != FormBlock {
		return false, nil
	}
	const block = 2048
	want, got := make([]byte, chunkSize), make([]byte, min(chunkSize, max(block, p.drive.MaxTransfer()/block*block)))
	for done := 0; done < r.Count && p.equal < p.end; {
		n := min(r.Count-done, p.end-p.equal, len(got)/block)
		if err := p.src.read(ctx, want[:n*block], r.Source+disc.LBA(done), r.Form); err != nil {
			return false, err
		}
		k, err := p.drive.Read10(ctx, got[:n*block], r.LBA+disc.LBA(done))
		if err != nil && !drive.Classify(err).Answered() {
			return false, err
		}
		p.unreadable = err != nil && p.equal == 0
		same := 0
		for same < k/block && bytes.Equal(want[same*block:(same+1)*block], got[same*block:(same+1)*block]) {
			if p.equal+same < p.limit && !blankBytes(want[same*block:(same+1)*block]) {
				p.solid++
			}
			same++
		}
		p.equal += same
		done += same
		if same < n {
			p.differs = same < k/block && !blankBytes(got[same*block:(same+1)*block])
			return false, nil
		}
		p.watch.report(Progress{Phase: Comparing, Done: int64(min(p.equal, p.limit)) * block, Total: int64(p.limit) * block, OneX: p.oneX, DriveBuffer: -1})
	}
	return p.equal < p.end, nil
}

// CheckSent compares the image with what the drive took of it in a failed burn. The
// error is an [*ImageChangedError] if they differ. o may be nil.
func CheckSent(ctx context.Context, src *Source, a *Attempt, o Observer) error {
	if a.At.Sent.Bytes == 0 {
		return nil
	}
	w := watch(o)
	defer w.close()
	sum := sha256.New()
	left := a.At.Sent.Bytes
	for _, s := range a.Plan.Steps {
		s, ok := s.(writing)
		if !ok {
			continue
		}
		area, fill := s.area(), s.filler(src)
		size := area.Form.Size()
		buf := make([]byte, chunkSize/size*size)
		for done := 0; done < area.Count && left > 0; {
			if err := ctx.Err(); err != nil {
				return err
			}
			n := min(len(buf)/size, area.Count-done)
			content, err := fill(ctx, buf[:n*size], done)
			if err != nil {
				return err
			}
			content = content[:min(int64(len(content)), left)]
			sum.Write(content)
			left -= int64(len(content))
			done += n
			w.report(Progress{Phase: Checking, Done: a.At.Sent.Bytes - left, Total: a.At.Sent.Bytes, DriveBuffer: -1})
		}
	}
	if [sha256.Size]byte(sum.Sum(nil)) != a.At.Sent.SHA256 {
		return &ImageChangedError{File: src.name, Change: ContentChanged}
	}
	return nil
}
