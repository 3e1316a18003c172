package rip

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode"

	"spindle/internal/regular"

	"spindle/image/mapfile"
	"spindle/internal/atomicfile"
	"spindle/scsi/mmc"
)

// A job is one rip: it makes a planner's plan, a writer and a reader, one after
// the other, and hands each what the ones before it made.
type job struct {
	drive   *mmc.Drive
	opts    Options
	mapPath string
	resumed bool // an earlier run began it
	over    bool // an image of this name is replaced, and stays until the new one is whole
	began   time.Time
	free    func(dir string) (int64, error) // bytes that a folder has room for

	writer   *writer
	stale    bool // the checksum file was that of the image with its bad sectors
	cutShort bool // the end of the image of an earlier run is missing
}

// run is the whole of a rip, step by step.
func (j *job) run(ctx context.Context) (*Result, error) {
	if err := j.opts.check(); err != nil {
		return nil, err
	}
	// Before the map is read: another process may own it, and would keep writing
	// into files that this one finishes.
	claim, err := claimOutput(j.opts.Output)
	if err != nil {
		return nil, err
	}
	defer claim.Release()
	earlier, m, err := j.lookForEarlier()
	if err != nil {
		return nil, err
	}
	if earlier == nil {
		if err := j.checkNames(ctx); err != nil {
			return nil, err
		}
	}
	early, stop := untilClosed(ctx, j.opts.Finish)
	defer stop()
	c, p, err := j.look(early, earlier)
	if err != nil {
		return nil, err
	}
	if m, err = j.makeRoom(ctx, p, m); err != nil {
		return nil, err
	}
	id, err := j.identity(early, c, earlier)
	if err != nil {
		return nil, err
	}
	st := newState(c, p, j.opts, id)
	st.inherit(earlier)
	if err := j.compareHeld(early, newReader(c, p, j.opts, newWriter(p, j.mapPath, st, m))); err != nil {
		return nil, err
	}
	j.resumed = earlier != nil
	if err := j.open(p, m, st); err != nil {
		return nil, err
	}
	defer j.writer.out.close()
	r := newReader(c, p, j.opts, j.writer)
	r.setBounds(j.began)
	res, err := j.readAll(ctx, r, earlier)
	if res != nil {
		res.Resumed, res.Shift = j.resumed, p.shift
	}
	return res, j.incomplete(r, err)
}

// readAll reads what the map does not call finished, and finishes the image.
func (j *job) readAll(ctx context.Context, r *reader, earlier *state) (*Result, error) {
	if earlier != nil {
		early, stop := untilClosed(ctx, j.opts.Finish)
		defer stop()
		if err := j.resume(early, r, earlier); err != nil {
			return nil, err
		}
	}
	if err := j.read(ctx, r); err != nil {
		return nil, err
	}
	return j.finish(ctx, r)
}

// claimOutput keeps other processes from ripping to the same output.
func claimOutput(path string) (*atomicfile.Claim, error) {
	claim, err := atomicfile.ClaimPath(path)
	if errors.Is(err, atomicfile.ErrClaimed) {
		return nil, fmt.Errorf("%s: %w", path, ErrInUse)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrOutput, err)
	}
	return claim, nil
}

// resume gets ready to read what an earlier run did not.
func (j *job) resume(ctx context.Context, r *reader, earlier *state) error {
	r.countReadings(earlier)
	if err := j.checkSeal(ctx, earlier); err != nil {
		return err
	}
	r.keepRepairs(earlier.Repaired) // the disc is not compared with them
	err := r.compareEarlier(ctx, earlier.Offset)
	if err != nil && earlier.Offset != j.opts.Offset && (errors.As(err, new(*audioError)) || errors.Is(err, ErrUndecided)) {
		return j.otherOptions(earlier) // that of this drive does not fit
	}
	if err != nil {
		return err
	}
	if err := j.breakSeal(earlier); err != nil {
		return err
	}
	r.unprove(earlier)
	r.overreadBefore, r.voted, r.settled = earlier.Overread, earlier.Voted, earlier.Settled
	r.leftOver = r.badSectors(unread, flawed)
	return j.dropStaleSums(ctx)
}

// makeRoom makes sure that there is room, and nothing in the way, for what m does not have
// yet. Without the map m of an earlier run it returns a new one.
func (j *job) makeRoom(ctx context.Context, p *plan, m *mapfile.Map) (*mapfile.Map, error) {
	if m == nil {
		if err := j.clearTheWay(ctx, p); err != nil {
			return nil, err
		}
		m = mapfile.New(p.regions.size())
	}
	return m, j.checkSpace(p, m)
}

// read reads the disc, and returns once all is written.
func (j *job) read(ctx context.Context, r *reader) error {
	j.writer.start(j.drive.Clock().Now())
	err := r.run(ctx)
	if werr := j.writer.stop(); werr != nil {
		return werr // what stopped the rip, also where err says "canceled"
	}
	return err
}

// check refuses options that contradict each other.
func (o *Options) check() error {
	if o.Format == CueBin && !strings.EqualFold(filepath.Ext(o.Output), ".cue") {
		// Its name would be that of another file of the image.
		return fmt.Errorf("%w: a CUE sheet that is not called .cue", ErrOptions)
	}
	if o.Format == CueBin && strings.ContainsFunc(filepath.Base(o.Output), unicode.IsControl) {
		// Its lines are to state the names of its files.
		return fmt.Errorf("%w: a CUE sheet with control characters in its name", ErrOptions)
	}
	if o.Offset != 0 && o.Subchannel {
		return fmt.Errorf("%w: the sub-channel cannot be had together with an offset correction", ErrOptions)
	}
	return nil
}

// lookForEarlier reads the map of an earlier run. Without one, or with Force,
// there is none.
func (j *job) lookForEarlier() (*state, *mapfile.Map, error) {
	if j.opts.Force {
		return nil, nil, nil
	}
	f, err := regular.Open(j.mapPath)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	m, err := mapfile.Read(f)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", j.mapPath, err)
	}
	s, err := decodeMap(m)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", j.mapPath, err)
	}
	if !s.matches(j.opts) {
		return nil, nil, j.otherOptions(s)
	}
	return s, m, nil
}

// otherOptions says that a rip was begun with other options.
func (j *job) otherOptions(s *state) error {
	o := &j.opts
	return &OtherOptionsError{Map: j.mapPath,
		Was: Options{Format: s.Format, Split: s.Split, Subchannel: s.Subchannel, Offset: s.Offset},
		Now: Options{Format: o.Format, Split: o.Split, Subchannel: o.Subchannel, Offset: o.Offset}}
}

// look surveys the disc and plans, again where the disc was changed meanwhile.
func (j *job) look(ctx context.Context, earlier *state) (c *Contents, p *plan, err error) {
	for range maxResets {
		if c, err = j.survey(ctx, earlier); err != nil {
			return nil, nil, err
		}
		if p, err = j.plan(ctx, c, earlier); !errors.Is(err, errChanged) {
			return c, p, err
		}
	}
	return nil, nil, fmt.Errorf("%w: %w", ErrDrive, err)
}

// survey finds out what is in the drive. When a rip is resumed, pregaps and
// indexes are taken from the earlier run.
func (j *job) survey(ctx context.Context, earlier *state) (*Contents, error) {
	j.opts.Observer.Progress(Progress{Phase: Surveying})
	c, err := survey(ctx, j.drive, ExamineOptions{Indexes: j.opts.Format == CueBin && earlier == nil})
	if err != nil {
		return nil, err
	}
	if c.Layout == nil {
		return nil, c.Unread()
	}
	if earlier != nil {
		if c.Contents.ID != earlier.TOC {
			return nil, fmt.Errorf("%w (the tables of contents differ)", ErrOtherDisc)
		}
		c.Layout = earlier.Layout
		c.resumeRunOuts(ctx)
		return c, ctx.Err()
	}
	c.leaveOutRunOuts(ctx)
	return c, ctx.Err()
}

// identity identifies the disc when a rip begins, and compares it when one is
// resumed.
func (j *job) identity(ctx context.Context, c *Contents, earlier *state) (*identity, error) {
	if earlier == nil {
		id := c.identifier().identify(ctx)
		return &id, ctx.Err()
	}
	if earlier.Identity == nil {
		return nil, nil
	}
	return earlier.Identity, c.identifier().compare(ctx, earlier.Identity, earlier.Layout)
}

// plan makes the plan, and notes what the user should know about it.
func (j *job) plan(ctx context.Context, c *Contents, earlier *state) (*plan, error) {
	for _, n := range c.Notes {
		j.opts.Observer.Note(n)
	}
	noted := len(c.Notes)
	f, err := gather(ctx, c, j.opts, earlier)
	if err != nil {
		return nil, err
	}
	p, err := makePlan(f, j.opts)
	if err != nil {
		return nil, err
	}
	for _, n := range append(c.Notes[noted:], p.notes...) {
		j.opts.Observer.Note(n)
	}
	return p, nil
}

// clearTheWay makes sure that no file is overwritten. With Force, the map of an
// earlier run is replaced when the new files are made, and not before: without it, its
// image would pass for whole. Its files are replaced when the new ones are whole. The error
// wraps [ErrExists], [ErrShadows] or [ErrSource].
func (j *job) clearTheWay(ctx context.Context, p *plan) error {
	paths := []string{j.opts.Output}
	for _, f := range p.all() {
		paths = append(paths, f.path, f.path+partSuffix)
	}
	if p.set != nil && p.set.CDText != "" {
		paths = append(paths, p.set.CDText)
	}
	if err := p.shadowed(ctx); err != nil {
		return err
	}
	for _, path := range p.changedQ() {
		j.opts.Observer.Note(Note{Code: NoteChangedQ, Path: path})
	}
	if err := atomicfile.KeepSources(append(paths, j.mapPath, j.opts.Output+SumsSuffix), j.opts.Sources); err != nil {
		return err
	}
	if j.opts.Force {
		j.standAside(p)
		return nil
	}
	for _, path := range paths {
		if exists(path) {
			return fmt.Errorf("%s %w", path, ErrExists)
		}
	}
	return nil
}

// standAside gives the map a name of its own where an image of the output's name stays until
// this one is whole: the map beside that image is its own.
func (j *job) standAside(p *plan) {
	over := overMap(j.opts.Output)
	taken := exists(j.opts.Output) || exists(over)
	for _, f := range p.all() {
		taken = taken || exists(f.path)
	}
	if taken {
		j.mapPath, j.over = over, true
	}
}

// replacesBetter reports whether an image of the output's name stands there of which less is missing than of the new
// one, with its map m: no map says that it is damaged, or its own lists less. Of one with a map that cannot be read nothing is known.
func (j *job) replacesBetter(p *plan, m *mapfile.Map) (bool, error) {
	if !j.over || !slices.ContainsFunc(p.all(), func(f filePlan) bool { return exists(f.path) }) {
		return false, nil
	}
	f, err := regular.Open(j.opts.Output + mapfile.Suffix)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("%w: %w", ErrOutput, err)
	}
	defer f.Close()
	before, err := mapfile.Read(f)
	return err == nil && missing(before) < missing(m), nil
}

// missing counts the bytes that are not right, or not there, by a map.
func missing(m *mapfile.Map) int64 { return m.Size() - m.Count(mapfile.Finished) }

// takePlace moves the map to where the image is about to be, and names the image. The map replaces that of the image
// before it, which comes back where the image cannot get its name.
func (j *job) takePlace(name func() error) error {
	if !j.over {
		return name()
	}
	path := j.opts.Output + mapfile.Suffix
	before, err := atomicfile.SetAside(path)
	if err != nil {
		return err
	}
	if err := os.Rename(j.mapPath, path); err != nil {
		return errors.Join(err, before.Restore())
	}
	atomicfile.SyncDir(filepath.Dir(path)) // no image is there before its map
	if err := name(); err != nil {
		return errors.Join(err, os.Rename(path, j.mapPath), before.Restore())
	}
	j.mapPath = path
	return before.Forget()
}

// open makes the writer and its files, or opens those of an earlier run. The map
// comes first: files without one would be taken for somebody else's if the
// program were killed here.
func (j *job) open(p *plan, m *mapfile.Map, s *state) error {
	mode := createNew
	switch {
	case !j.resumed:
		if err := writeMap(j.mapPath, m, s); err != nil {
			return fmt.Errorf("%w: %w", ErrOutput, err)
		}
	case m.Count(mapfile.NonTried) == m.Size() && !j.over:
		mode = openAny
	case j.over && m.Count(mapfile.NonTried) < m.Size():
		mode = openParts
	case j.over: // they may not have been made yet, and there is nothing in them
	default:
		mode = openOld
	}
	w := newWriter(p, j.mapPath, s, m)
	switch err := w.out.open(mode); {
	case j.resumed && errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w (%s)", ErrImageGone, j.mapPath)
	case err != nil:
		return fmt.Errorf("%w: %w", ErrOutput, err)
	}
	j.writer = w
	if !j.resumed {
		return nil
	}
	lost, err := w.forget()
	if err != nil {
		w.out.close()
		return fmt.Errorf("%w: %w", ErrOutput, err)
	}
	if j.cutShort = lost > 0; j.cutShort {
		j.opts.Observer.Note(Note{Code: NoteCutShort, Count: lost})
	}
	return nil
}
