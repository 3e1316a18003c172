package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

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
var errAlbumExists = errors.New("already exists")

// errUnlogged: so it is, and nothing is known of it.
var errUnlogged = errors.New("already exists, and no log in its folder says which disc it is of")

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
		return nil, nil, interruptedAt(err, unread, unreadNext)
	}
	c, err := rip.Examine(ctx, s.dev, m, rip.ExamineOptions{})
	if err == nil && c.Layout == nil {
		err = c.Unread()
	}
	return s, c, interruptedAt(err, unread, unreadNext)
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

// createAlbum writes the songs of an image into a folder.
func createAlbum(ctx context.Context, a *app, dir string, x *album.Album, img disc.Image, o album.Options) (*album.Created, error) {
	bar := a.newProgress()
	defer bar.stop()
	o.Progress = bar.step("making songs")
	made, err := album.Create(ctx, dir, x, img, o)
	if err != nil {
		return nil, err
	}
	if n := len(made.Regained); n > 0 {
		a.note(fmt.Sprintf("The tags of %s %s now state the gain of the whole album.", oneOr(n, "song", "songs"), numbersText(made.Regained)))
	}
	for _, g := range made.Gains {
		if g.Whole {
			a.note(fmt.Sprintf("The songs have no ReplayGain for the album, as not all of it is what its log says (%v).", g))
			continue
		}
		a.note(fmt.Sprintf("%s does not get the ReplayGain of the whole album (%v).", g.File, g.Err))
	}
	return made, nil
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
	log := made.Log(x, about, func(m *album.Made) riplog.Proof {
		by, words := proofOf(m, res)
		if res == nil && by == riplog.Unproven {
			by = riplog.Copied
		}
		return riplog.Proof{By: by, Repaired: repairedIn(m, res) > 0, Words: words}
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
	offset      *offsetChoice
	interrupted result // where rip returned neither a result nor an error
	finishes    bool   // after Ctrl-C, an image of which all was tried is finished as it is
}
