package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"spindle/album"
	"spindle/album/folder"
	"spindle/disc"
	"spindle/drive"
	"spindle/image/mapfile"
	"spindle/rip"
)

// An albumRip makes the songs of a disc: it decides what is made, reads that into a raw rip, and makes songs of it.
type albumRip struct {
	*ripSession
	a      *app
	dir    string // the folder, as it was named
	folder *songFolder
	known  *evidence
	plan   *folder.Plan
	opts   album.Options
	before standing
}

// ripAlbum makes the songs of a disc.
func (s *ripSession) ripAlbum(ctx context.Context, a *app, x *album.Album) (result, error) {
	r := &albumRip{ripSession: s, a: a}
	if err := r.nameAlbum(ctx, x); err != nil {
		return nil, interruptedAt(err, unread, unreadNext)
	}
	release, err := r.folder.claim()
	if err != nil {
		return nil, err
	}
	defer release()
	if err := r.planSongs(ctx, x); err != nil {
		return nil, interruptedAt(err, unread, unreadNext)
	}
	s.o.album.noteOtherTags(a, r.plan, x)
	if r.plan.Done() {
		out := newAlbumResult(r.dir, x, &album.Created{}, nil)
		out.takeFolder(r.plan, x)
		return out, nil
	}
	if err := r.prepare(ctx, x); err != nil {
		return nil, err
	}
	res, err := r.readDisc(ctx)
	if err != nil || res == nil {
		r.folder.removeEmpty()
		return s.interrupted, err
	}
	out, err := r.makeSongs(ctx, res)
	if err != nil {
		return nil, err
	}
	s.eject(ctx, a, out.Status)
	return out, nil
}

// nameAlbum names the songs, and the folder.
func (r *albumRip) nameAlbum(ctx context.Context, x *album.Album) error {
	o := r.o
	coding := album.FLAC
	if o.format == "wav" {
		coding = album.Wave
	}
	r.known = o.album.evidence(r.a, x.Layout)
	dirs := []string{o.Output}
	if o.Output == "" { // what was learned of the disc when its rip began names its folder again
		dirs = append([]string{"."}, unfinishedRips(".")...)
	}
	if err := r.known.nameBy(ctx, dirs...); err != nil {
		return err
	}
	var err error
	r.opts, err = o.album.options(x, coding, r.known)
	r.dir = cmp.Or(o.Output, x.Name(""), x.Unnamed())
	r.folder = &songFolder{dir: filepath.Clean(r.dir)}
	return err
}

// planSongs finds out which songs are made, and which are there.
func (r *albumRip) planSongs(ctx context.Context, x *album.Album) (err error) {
	if err := r.o.tracks.check("the disc", x); err != nil {
		return err
	}
	want := folder.Request{Songs: r.o.tracks, Force: r.o.Force, Resumes: exists(r.folder.raw(r.o.keep) + mapfile.Suffix), Prove: !r.o.Once}
	if r.plan, err = planFolder(ctx, r.a, r.folder.dir, x, want, &r.opts); err != nil {
		return err
	}
	return checkOffset(r.plan, r.o.Offset, r.offset)
}

// prepare makes sure that nothing is in the way, and says what is read, and what proves it.
func (r *albumRip) prepare(ctx context.Context, x *album.Album) error {
	o, raw := r.o, r.folder.raw(r.o.keep)
	err := r.folder.check(ctx, raw, r.plan, o, x, r.opts)
	if err != nil {
		return err
	}
	r.opts.Force = o.Force || len(r.folder.own) > 0
	if err := r.known.proveBy(ctx, r.dir); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(raw), 0o777); err != nil {
		return err
	}
	if r.before, err = beforeReading(r.folder.dir, x, r.opts, r.folder.own); err != nil {
		return err
	}
	r.known.keep(r.dir)
	o.Output, o.Format, o.Only, o.Held = raw, rip.CueBin, onlySongs(r.plan), heldSongs(ctx, r.a, r.plan)
	o.Prove = func(ctx context.Context, x *rip.Reading) ([]drive.Stretch, error) {
		r.known.InPlace = x.Jitters()
		runs, err := r.known.Proven(ctx, x.Layout, x.ReadSectors)
		return stretches(runs), err
	}
	o.Repair, o.Settle = r.known.repair, r.known.settle
	o.Named = func(res *rip.Result) error {
		if !r.plan.Whole() {
			return nil
		}
		return writeFacts(r.folder.facts(), res.Contents.Layout, o, res)
	}
	r.opts.Naming = r.folder.naming
	return nil
}

// readDisc makes the raw rip, unless an earlier run did. A result of nil means that it was interrupted.
func (r *albumRip) readDisc(ctx context.Context) (*rip.Result, error) {
	if r.folder.read != nil {
		r.a.note("The disc was read before; its songs are made now.")
		return r.folder.read, nil
	}
	res, err := r.rip(ctx, r.a)
	return res, wrongOnce(r.plan, err)
}

// makeSongs makes the songs of a raw rip, and removes it, if all of it is right.
func (r *albumRip) makeSongs(ctx context.Context, res *rip.Result) (*albumResult, error) {
	img, found, err := r.openRaw(ctx, r.a, res)
	if err != nil {
		return nil, err
	}
	defer img.Close()
	if r.folder.read != nil {
		if err := r.sameDisc(ctx, img, res); err != nil {
			return nil, err
		}
		if err := r.plan.Compare(ctx, img); err != nil {
			return nil, err
		}
	}
	x := album.Of(img.Layout())
	if err := r.o.album.name(x, r.known); err != nil {
		return nil, err
	}
	r.opts.Doubts, r.opts.Databases = found.doubts, r.known.Databases
	r.yield(res)
	if err := r.before.check(); err != nil {
		return nil, err
	}
	made, err := createAlbum(ctx, r.a, r.folder.dir, x, img, r.opts)
	if errors.Is(err, context.Canceled) {
		err = refusal{errors.New("interrupted while the songs were made: the disc is read, and kept"), exitInterrupted, "Run the same command to make them."}
	}
	if err == nil {
		err = r.folder.readBack(ctx, r.a, img, made)
	}
	if err != nil {
		return nil, err
	}
	noteReplaced(r.a, r.plan, made)
	out := r.describe(ctx, x, made, res)
	if err := r.writeLog(ctx, out, x, made, res); err != nil {
		return nil, err
	}
	r.finish(out, made, res, found, len(res.Bad)+len(made.Flaws) > 0)
	noteLeft(r.a, r.plan, made)
	return out, nil
}

// yield lets songs stay that were read once, where what was read now is not right.
func (r *albumRip) yield(res *rip.Result) {
	stays := r.plan.Yield(func(first, end disc.LBA) bool {
		return slices.ContainsFunc(res.Bad, func(b rip.BadRange) bool { return b.First < end && b.Last >= first })
	})
	for i := range stays {
		r.a.note(fmt.Sprintf("%s stays as it was read once before: what was read now has sectors that are not right.", stays[i].File))
	}
	r.plan.Options(&r.opts)
}

// describe is what was made, as a result.
func (r *albumRip) describe(ctx context.Context, x *album.Album, made *album.Created, res *rip.Result) *albumResult {
	out := newAlbumResult(r.dir, x, made, res)
	out.Seconds, out.Offset, out.Evidence = res.Elapsed.Seconds(), r.offset, r.known.paths
	if !res.Overread && r.reachesEdge(x) {
		out.Silence = r.o.Offset
	}
	out.takeFolder(r.plan, x)
	out.Seen = r.learnOffset(ctx, r.a, x, made, res.Shift)
	return out
}

// reachesEdge reports whether the end of the audio that an offset correction reads over is made.
func (r *albumRip) reachesEdge(x *album.Album) bool {
	edge := x.Songs[0].Number
	if r.o.Offset > 0 {
		edge = x.Songs[len(x.Songs)-1].Number
	}
	return r.plan.Makes(edge)
}

// writeLog writes the log, and keeps what one that it replaces says of other files.
func (r *albumRip) writeLog(ctx context.Context, out *albumResult, x *album.Album, made *album.Created, res *rip.Result) error {
	about := aboutDisc(x, time.Now(), r.known.paths)
	aboutRip(&about, r.name, r.o, res, r.offset)
	if e := r.known.version; e != nil {
		about.Add("other version in CTDB", versionText(e))
		r.a.note(fmt.Sprintf("CTDB has this disc with other samples: %s. Nothing else speaks against what was read, so it is kept as it was read: this may be another "+
			"edition, or damage that the drive concealed. \"spindle verify %s --repair WHOLE.cue\" makes the version of CTDB.", versionText(e), quoted(made.Sheet)))
	}
	if err := keepFlaws(ctx, r.a, r.folder.dir, made); err != nil {
		return err
	}
	return out.writeLog(x, made, about, r.plan, r.opts.Force, res)
}

// holdsMore reports whether the raw rip has more of the disc than the folder has songs.
func (r *albumRip) holdsMore(res *rip.Result) bool {
	kept := int64(0)
	for _, s := range r.plan.Kept {
		kept += int64(s.End - s.First)
	}
	return res.Beyond > kept
}

// finish puts the folder in order, and says how it came out. bad says that not all that was made is right: the raw rip
// stays, as it does while what was there is not right.
func (r *albumRip) finish(out *albumResult, made *album.Created, res *rip.Result, found *findings, bad bool) {
	if r.o.keep || bad {
		out.Raw, out.force, out.quick = r.o.Output, r.opts.Force, r.o.Quick
	}
	if bad {
		out.Status = exitBadSectors
	}
	out.Status = found.note(r.a, out.Status)
	kept, flawed := r.plan.Files()
	if r.holdsMore(res) {
		flawed = true
		r.a.note(fmt.Sprintf("An earlier rip read more of this disc, which is kept in %s: the same command without --track makes songs of it.", filepath.Dir(r.o.Output)))
	}
	if err := r.folder.finish(append(slices.Concat(made.Files, made.Maps), out.Log), kept, bad || flawed || found.doubtful()); err != nil {
		r.a.note(fmt.Sprintf("%s could not be put in order: %v.", r.folder.dir, err))
	}
}
