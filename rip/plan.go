package rip

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"spindle/cue"
	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/drive"
	"spindle/internal/regular"
	"spindle/internal/subfile"
	"spindle/scsi/mmc"
)

// facts are what a plan is made of: the disc, and how its drive reads it.
type facts struct {
	contents    *Contents
	caps        drive.ReadCaps
	sectors     int64 // of an ISO
	maxTransfer int
	displaced   bool // the drive has no accurate stream
	dropped     bool // its error pointers proved wrong in an earlier run
}

// A plan says which sectors go where, and how they are read.
type plan struct {
	regions regions
	only    []span          // what of the image is to be read; nil: all
	asks    []drive.Stretch // the sectors in it
	files   []filePlan
	sub     *filePlan // of the sub-channel; nil: none
	beside  filePlan  // what is opened with the sheet as its sub-channels
	set     *cue.Set  // the files of a CD; nil: an ISO
	layout  *disc.Layout

	caps     drive.ReadCaps
	transfer int // bytes that one command may carry
	align    int // sectors to which commands are aligned
	// readTwice: a sector of audio is good only when it was read twice and came
	// the same.
	readTwice bool
	// displaced: the drive begins each read of audio some samples early or late, so
	// that none of it is known to be right.
	displaced bool
	dropped   bool // error pointers proved wrong in an earlier run
	offset    int  // read offset correction of audio, in samples
	shift     int  // of them, those that bring it to where another drive gave it
	apart     bool // some of what was read before is of another drive, or another offset correction

	notes []Note
}

// A filePlan is one file of the image: its bytes from pos on.
type filePlan struct {
	path      string
	pos, size int64
}

// provesNothing reports whether one reading of a region's sectors is not enough.
func (p *plan) provesNothing(r *region) bool { return p.readTwice && r.coding == drive.Audio }

// displaces reports whether a region's sectors come some samples off.
func (p *plan) displaces(r *region) bool { return p.displaced && r.coding == drive.Audio }

// dvdBlock is the number of sectors that a DVD or BD is corrected in; reads that
// follow it are the fastest (ECMA-267 section 13: 16; BD: 32).
const dvdBlock = 32

// makePlan decides which sectors go where. It does nothing else, and leaves what
// it is given as it is.
func makePlan(f facts, opts Options) (*plan, error) {
	p := &plan{caps: f.caps, transfer: f.maxTransfer, align: 1, offset: opts.Offset}
	var err error
	if opts.Format == ISO {
		err = p.iso(f, opts)
	} else {
		p.cue(f, opts)
	}
	if err != nil {
		return nil, err
	}
	if k := f.contents.Contents.Protection; k != drive.Unprotected {
		p.notes = append(p.notes, Note{Code: NoteProtected, Protection: k})
	}
	if perCommand := p.transfer / mmc.BlockSize; f.contents.Layout.Medium != disc.CD && perCommand >= dvdBlock {
		p.transfer = perCommand / dvdBlock * dvdBlock * mmc.BlockSize
		p.align = dvdBlock
	}
	if opts.Only != nil {
		p.asks = opts.Only(f.contents.Layout)
		p.only = p.regions.spans(p.asks)
	}
	p.displaced, p.dropped = f.displaced, f.dropped
	p.readTwice = p.regions.hasAudio() && !opts.Once && !opts.Quick && !f.displaced
	if f.displaced {
		p.notes = append(p.notes, Note{Code: NoteDisplaced})
	}
	return p, nil
}

// iso plans one file of blocks.
func (p *plan) iso(f facts, opts Options) error {
	if f.sectors <= 0 || f.sectors > disc.MaxLBA {
		return fmt.Errorf("%w: it has %d sectors", ErrNotISO, f.sectors)
	}
	p.regions = isoRegions(f.contents.Contents.Recorded, f.sectors, f.contents.Layout.Tracks()[0])
	none := int64(0)
	for i := range p.regions {
		if p.regions[i].void == gap {
			none += int64(p.regions[i].count)
		}
	}
	if none > 0 {
		p.notes = append(p.notes, Note{Code: NoteGaps, Count: none})
	}
	p.files = []filePlan{{path: opts.Output, size: f.sectors * mmc.BlockSize}}
	return nil
}

// isoRegions are the regions of an image of so many blocks: what is recorded, and the
// gaps between. What lies behind the last track is for the drive to say.
func isoRegions(recorded []drive.Stretch, sectors int64, t *disc.Track) regions {
	var all regions
	at, end := disc.LBA(0), disc.LBA(sectors)
	add := func(to disc.LBA, v void) {
		if to = min(to, end); to > at {
			all = append(all, region{first: at, count: int(to - at), pos: int64(at) * mmc.BlockSize, size: mmc.BlockSize,
				coding: drive.Data, track: t, void: v})
			at = to
		}
	}
	for _, s := range recorded {
		add(s.First, gap)
		add(s.End, notVoid)
	}
	add(end, notVoid)
	return all
}

// cue plans whole sectors, in one file or one a track.
func (p *plan) cue(f facts, opts Options) {
	l := f.contents.Layout
	p.layout = l
	p.set = cue.NewSet(opts.Output, l, opts.Split)
	pos := int64(0)
	for i, t := range l.Tracks() {
		r := region{
			first: t.Begin(), count: t.Sectors(), pos: pos, size: cdsector.Size, coding: drive.CodingOf(t), track: t,
		}
		p.regions = append(p.regions, cutRunOut(r, f.contents.runOuts[t.Number])...)
		if opts.Split || i == 0 {
			p.files = append(p.files, filePlan{path: p.set.Bins[len(p.files)], pos: pos})
		}
		p.files[len(p.files)-1].size += r.bytes()
		pos += r.bytes()
	}
	p.beside = filePlan{path: strings.TrimSuffix(opts.Output, filepath.Ext(opts.Output)) + ".sub", size: pos / cdsector.Size * cdsector.SubSize}
	if opts.Subchannel {
		p.sub = &p.beside
	}
}

// shadowed refuses a file of sub-channels of an earlier image that the sheet of a plan without
// any would be opened with. The error wraps [ErrShadows].
func (p *plan) shadowed(ctx context.Context) error {
	if p.set == nil || p.sub != nil {
		return nil
	}
	st, err := os.Stat(p.beside.path)
	if err != nil || !st.Mode().IsRegular() {
		return nil
	}
	f, err := regular.Open(p.beside.path)
	if err != nil {
		return err // nor could the sheet be opened
	}
	defer f.Close()
	if fits, err := subfile.Fits(ctx, p.layout, f, st.Size()); !fits || err != nil {
		return err
	}
	return fmt.Errorf("%s %w", p.beside.path, ErrShadows)
}

// changedQ names the files beside the sheet of a plan that say which sectors have another Q sub-channel, and
// that the new image is opened with.
func (p *plan) changedQ() (paths []string) {
	if p.set == nil {
		return nil
	}
	for _, suffix := range []string{".sbi", ".lsd"} {
		if path := strings.TrimSuffix(p.beside.path, ".sub") + suffix; exists(path) {
			paths = append(paths, path)
		}
	}
	return paths
}

// cutRunOut makes a region of its own of the run-out blocks at the end of a track.
func cutRunOut(r region, cut bool) regions {
	if !cut || r.count <= runOutBlocks {
		return regions{r}
	}
	end := r
	r.count -= runOutBlocks
	end.first, end.count, end.pos, end.void = r.last(), runOutBlocks, r.pos+r.bytes(), runOut
	return regions{r, end}
}

// all returns the files of sectors and of the sub-channel.
func (p *plan) all() []filePlan {
	if p.sub != nil {
		return append(append([]filePlan(nil), p.files...), *p.sub)
	}
	return p.files
}

// perCommand is how many sectors of a region one command can carry.
func (p *plan) perCommand(r *region) int { return perTransfer(p.transfer, p.caps.Stride(r.coding)) }

// gather finds out what a plan needs to know: how the drive reads this disc, and
// how large an ISO of it is. Of a rip that is resumed the size is known.
func gather(ctx context.Context, c *Contents, opts Options, earlier *state) (facts, error) {
	f := facts{contents: c, maxTransfer: c.reader.Drive.MaxTransfer()}
	switch {
	case opts.Format == CueBin && c.Layout.Medium != disc.CD:
		return f, fmt.Errorf("%w, and this is a %s", ErrNotCD, c.Profile)
	case opts.Format == ISO && earlier != nil:
		f.sectors = earlier.Sectors
	case opts.Format == ISO:
		var err error
		if f.sectors, err = c.isoSectors(ctx, opts); err != nil {
			return f, err
		}
	}
	if earlier != nil && earlier.Dropped {
		f.dropped, c.reader.Caps.C2 = true, mmc.NoC2
	}
	var err error
	if f.caps, err = c.chooseCaps(ctx, opts); err != nil {
		return f, err
	}
	f.displaced, err = c.displaced(ctx, &opts.Known)
	return f, err
}
