package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"spindle/album"
	"spindle/album/folder"
	"spindle/disc"
	"spindle/drive"
	"spindle/image/riplog"
	"spindle/internal/atomicfile"
	"spindle/rip"
	"spindle/scsi/mmc"
)

// rawFolder is where, in the folder of an album, the raw rip is until its songs are made,
// and as long as sectors of it are not right.
const rawFolder = ".spindle-rip"

// errAlbumExists: a file of an album is there already.
var errAlbumExists = rip.ErrExists

// toFolder reports whether a folder is to be made, in the form that suits the disc.
func (o *ripFlags) toFolder() bool {
	return o.Output == "" || o.format == "flac" || o.format == "wav" || isFolder(o.Output)
}

// checkFolder looks for options that a folder has no use for.
func (o *ripFlags) checkFolder() error {
	switch {
	case o.Split, o.Subchannel:
		return usage("--split and --sub apply to a .cue: spindle rip NAME.cue")
	case o.keep && o.tracks != nil:
		return usage("--keep-bin keeps the raw rip of a whole disc: leave out --track")
	case o.sha256:
		return usage("--sha256 applies to an image file; the log of an album has the checksums of its songs")
	}
	return nil
}

// runRipFolder rips a disc into the form that suits it: songs, or an image, named by the
// disc where OUT does not name it.
func runRipFolder(ctx context.Context, a *app, o ripFlags) (result, error) {
	if err := o.checkFolder(); err != nil {
		return nil, err
	}
	if o.Output != "" {
		if err := folderOf(filepath.Join(filepath.Clean(o.Output), "x")); err != nil && exists(filepath.Clean(o.Output)) {
			return nil, err
		}
	}
	s, c, err := examineRip(ctx, a, &o)
	if err != nil {
		return nil, err
	}
	x := album.Of(c.Layout)
	songs := o.format == "flac" || o.format == "wav"
	switch {
	case len(x.Songs) == 0 && songs:
		return nil, refusal{fmt.Errorf("%w: --format %s makes songs", album.ErrNoAudio, o.format), exitUsage, "Rip a .cue, an .iso, or a folder without --format."}
	case len(x.Songs) == 0 && o.tracks != nil, o.tracks != nil && o.format != "" && !songs:
		return nil, usage("--track takes songs of an audio CD, and not parts of an image")
	case len(x.Songs) == 0, o.format != "" && !songs:
		return s.ripImageNamed(ctx, a, c)
	}
	return s.ripAlbum(ctx, a, x)
}

// examineRip opens the drive, and looks at what is on the disc.
func examineRip(ctx context.Context, a *app, o *ripFlags) (*ripSession, *rip.Contents, error) {
	s, err := openRip(ctx, a, o)
	if err != nil {
		return nil, nil, err
	}
	m, err := drive.Survey(ctx, s.dev, drive.ForReading)
	if err != nil {
		return nil, nil, err
	}
	c, err := rip.Examine(ctx, s.dev, m, rip.ExamineOptions{})
	if err == nil && c.Layout == nil {
		err = rip.ErrBlank
	}
	return s, c, err
}

// ripImageNamed makes the image of a disc, named by it.
func (s *ripSession) ripImageNamed(ctx context.Context, a *app, c *rip.Contents) (result, error) {
	o := s.o
	tracks := c.Layout.Tracks()
	format, suffix := rip.CueBin, ".cue"
	if c.Layout.Medium != disc.CD || len(tracks) == 1 && tracks[0].Mode == disc.Mode1 {
		format, suffix = rip.ISO, ".iso"
	}
	switch o.format {
	case "cue":
		format, suffix = rip.CueBin, ".cue"
	case "iso":
		format, suffix = rip.ISO, ".iso"
	}
	name := "disc"
	if c.Volume != nil && strings.TrimSpace(c.Volume.Label) != "" {
		name = c.Volume.Label
	}
	if o.Output != "" {
		if err := os.MkdirAll(o.Output, 0o777); err != nil {
			return nil, err
		}
	}
	o.Output, o.Format = filepath.Join(o.Output, album.FileName(name, suffix)), format
	return s.ripImage(ctx, a)
}

// ripAlbum makes the songs of a disc.
func (s *ripSession) ripAlbum(ctx context.Context, a *app, x *album.Album) (result, error) {
	o := s.o
	coding := album.FLAC
	if o.format == "wav" {
		coding = album.Wave
	}
	known := o.album.evidence(a, x.Layout)
	dirs := []string{o.Output}
	if o.Output == "" { // what was learned of the disc when its rip began names its folder again
		dirs = append([]string{"."}, unfinishedRips(".")...)
	}
	if err := known.nameBy(ctx, dirs...); err != nil {
		return nil, err
	}
	opts, err := o.album.options(x, coding, known)
	if err != nil {
		return nil, err
	}
	dir := o.Output
	if dir == "" {
		dir = cmp.Or(x.Name(""), x.Unnamed())
	}
	f := &songFolder{dir: filepath.Clean(dir)}
	release, err := f.claim()
	if err != nil {
		return nil, err
	}
	defer release()
	if s.plan, err = o.plan(ctx, a, f.dir, x, &opts); err != nil {
		return nil, err
	}
	if s.plan.Done() {
		r := newAlbumResult(dir, x, &album.Created{}, nil)
		r.takeFolder(s.plan, x)
		return r, nil
	}
	raw := f.raw(o.keep)
	if err := f.check(raw, s.plan, o, x, opts); err != nil {
		return nil, err
	}
	opts.Force = o.Force || len(f.own) > 0
	if err := known.proveBy(ctx, dir); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(raw), 0o777); err != nil {
		return nil, err
	}
	known.keep(dir)
	o.Output, o.Format, o.Only, o.Held = raw, rip.CueBin, onlySongs(s.plan), heldSongs(ctx, s.plan)
	o.Prove = func(ctx context.Context, r *rip.Reading) ([]drive.Stretch, error) {
		runs, err := known.Proven(ctx, r.Layout, r.ReadSectors)
		return stretches(runs), err
	}
	o.Repair, o.Settle = known.repair, known.settle
	res := f.read
	if res == nil {
		res, err = s.rip(ctx, a)
	} else {
		a.note("The disc was read before; its songs are made now.")
	}
	if err != nil || res == nil {
		f.removeEmpty()
		return s.interrupted, err
	}
	opts.Databases, s.folder = known.Databases, dir
	r, err := s.makeSongs(ctx, a, f, opts, res, known)
	if err != nil {
		return nil, err
	}
	s.eject(ctx, a, r.Status)
	return r, nil
}

// makeSongs makes the songs of a raw rip, and removes it, if all of it is right.
func (s *ripSession) makeSongs(ctx context.Context, a *app, f *songFolder, opts album.Options, res *rip.Result, known *evidence) (*albumResult, error) {
	raw := s.o.Output
	img, found, err := s.openRaw(ctx, a, res)
	if err != nil {
		return nil, err
	}
	defer img.Close()
	if f.read != nil { // the disc was not compared
		if err := s.plan.Compare(ctx, img); err != nil {
			return nil, err
		}
	}
	x := album.Of(img.Layout())
	if len(res.Bad) == 0 && s.plan.Whole() {
		if err := writeFacts(f.facts(), x.Layout, s.o, res); err != nil {
			return nil, err
		}
	}
	if err := s.o.album.name(x, known); err != nil {
		return nil, err
	}
	opts.Doubts = found.doubts
	made, err := createAlbum(ctx, a, f.dir, x, img, opts)
	if err != nil {
		if errors.Is(err, context.Canceled) {
			return nil, refusal{errors.New("interrupted while the songs were made: the disc is read, and kept"), exitInterrupted, "Run the same command to make them."}
		}
		return nil, err
	}
	if err := f.readBack(ctx, a, img, made); err != nil {
		return nil, err
	}
	r := newAlbumResult(s.folder, x, made, res)
	r.Seconds, r.Offset, r.Evidence = res.Elapsed.Seconds(), s.offset, known.paths
	if !res.Overread && s.reachesEdge(x) {
		r.Silence = s.o.Offset
	}
	r.takeFolder(s.plan, x)
	r.Seen = s.learnOffset(ctx, a, x, made)
	about := aboutDisc(x, time.Now(), known.paths)
	aboutRip(&about, s.name, s.o, res, s.offset)
	if err := keepFlaws(ctx, a, f.dir, made); err != nil {
		return nil, err
	}
	if err := r.writeLog(x, made, about, s.plan, opts.Force, res); err != nil {
		return nil, err
	}
	kept, flawed := s.plan.Files()
	all := append(slices.Concat(made.Files, made.Maps, kept), r.Log)
	bad := len(res.Bad)+len(made.Flaws) > 0
	if s.o.keep || bad {
		r.Raw = raw
	}
	if bad {
		r.Status = exitBadSectors
	}
	r.Status = found.note(a, r.Status)
	if err := f.finish(all, bad || flawed || found.doubtful()); err != nil {
		a.note(fmt.Sprintf("%s could not be put in order: %v.", f.dir, err))
	}
	return r, nil
}

// plan finds out which songs are made, and which are there.
func (o *ripFlags) plan(ctx context.Context, a *app, dir string, x *album.Album, opts *album.Options) (*folder.Plan, error) {
	if err := o.tracks.check("the disc", x); err != nil {
		return nil, err
	}
	p, err := planFolder(ctx, a, dir, x, o.tracks, opts, o.Force)
	if err != nil {
		return nil, err
	}
	return p, checkOffset(p, o.Offset)
}

// reachesEdge reports whether the end of the audio that an offset correction reads over is made.
func (s *ripSession) reachesEdge(x *album.Album) bool {
	edge := x.Songs[0].Number
	if s.o.Offset > 0 {
		edge = x.Songs[len(x.Songs)-1].Number
	}
	return s.plan.Makes(edge)
}

// createAlbum writes the songs of an image into a folder.
func createAlbum(ctx context.Context, a *app, dir string, x *album.Album, img disc.Image, o album.Options) (*album.Created, error) {
	bar := a.newProgress()
	defer bar.stop()
	o.Progress = bar.step("making songs")
	return album.Create(ctx, dir, x, img, o)
}

// keepFlaws keeps what logs that are about to be replaced say of songs that were renamed.
func keepFlaws(ctx context.Context, a *app, dir string, made *album.Created) error {
	renamed, err := album.KeepFlaws(context.WithoutCancel(ctx), dir, made.Files)
	for _, r := range renamed {
		a.note(fmt.Sprintf("%s holds what was %s, not all of it right (%s): it stays as it is, and %s lists what is not.",
			r.Path, r.Was, plural(r.Flaws.Sectors(), "bad sector"), r.Map))
	}
	return err
}

// writeLog writes the log beside the songs.
func (r *albumResult) writeLog(x *album.Album, made *album.Created, about riplog.Section, plan *folder.Plan, force bool, res *rip.Result) error {
	aboutFolder(&about, plan, x, made.Sheet)
	r.Log = filepath.Join(r.Folder, x.LogName())
	log := made.Log(x, about, func(m *album.Made) string {
		_, words := proofOf(m, res)
		return words
	})
	plan.Merge(log)
	if !force && exists(r.Log) {
		return fmt.Errorf("%s %w", r.Log, errAlbumExists)
	}
	return atomicfile.WriteBytes(r.Log, log.Bytes())
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil || !errors.Is(err, fs.ErrNotExist)
}

// A ripSession is a drive with a disc to rip, and how.
type ripSession struct {
	o           *ripFlags
	dev         *mmc.Drive
	name        string // of the drive
	folder      string // of songs, as it was named
	offset      *offsetChoice
	plan        *folder.Plan // of an album
	interrupted result       // where rip returned neither a result nor an error
}
