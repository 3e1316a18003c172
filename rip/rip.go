// Package rip reads a disc in a drive into an image file: a CD into .bin and
// .cue, a data disc into an .iso.
//
// What has been read is never lost: a map in the format of GNU ddrescue's says
// at all times which sectors are on the disk, and a rip that was stopped, or
// that left sectors unread, goes on where it was. What could not be read is
// never passed off as good.
package rip

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"spindle/disc"
	"spindle/disc/digest"
	"spindle/drive"
	"spindle/rip/mapfile"
	"spindle/scsi/mmc"
)

// Format is the kind of image to make.
type Format string

// The formats.
const (
	CueBin Format = "cue" // .cue with one .bin, or one a track
	ISO    Format = "iso" // 2048 bytes a sector
)

// Options say what to make, and how.
type Options struct {
	Output     string // the .cue or .iso
	Format     Format
	Split      bool // one .bin a track
	Subchannel bool // .sub beside it, 96 bytes a sector
	Force      bool // replace existing files, and begin anew

	Retries int           // passes over sectors that could not be read
	GiveUp  time.Duration // stop retrying after this long without success; 0: never
	Speed   int           // times 1x; 0: as fast as the drive likes
	Offset  int           // read offset correction of audio, in samples

	Observer Observer // may be nil
}

// Observer is told how a rip goes. Its methods are called from one goroutine
// and must not block.
type Observer interface {
	Progress(Progress)
	Note(string)
}

// Progress is how far a rip has come.
type Progress struct {
	Phase   Phase
	Pass    int   // of retrying
	Done    int64 // bytes of the image that are finished
	Bad     int64 // bytes that failed so far
	Total   int64
	LBA     disc.LBA // where the drive reads
	Sectors int      // read by the last command
	Speed   float64  // of reading, bytes a second of the drive's time
	OneX    float64  // bytes a second at 1x
}

// Phase is what a rip is doing.
type Phase string

// The phases.
const (
	Surveying Phase = "surveying"
	Copying   Phase = "reading"
	Comparing Phase = "reading again"
	Trimming  Phase = "closing in on damage"
	Retrying  Phase = "retrying"
	Hashing   Phase = "hashing"
)

// BadRange is a run of sectors that are not right in the image.
type BadRange struct {
	Track  int      `json:"track"`
	First  disc.LBA `json:"first"`
	Last   disc.LBA `json:"last"` // inclusive
	Reason Reason   `json:"reason"`
}

// Reason is why sectors are not right.
type Reason string

// The reasons.
const (
	Unreadable Reason = "unreadable" // filled
	Flawed     Reason = "flawed"     // read, but failing their own checksum, or with C2 errors
)

// TrackSums are the hashes of a track's sectors.
type TrackSums struct {
	Track int `json:"track"`
	digest.Sums
}

// ImageFile is a file of sectors and its hashes.
type ImageFile struct {
	Path string `json:"path"`
	digest.Sums
}

// Result is what a rip made.
type Result struct {
	Disc    *Contents
	Images  []ImageFile // the files that hold sectors
	Others  []string    // descriptor, sub-channel, CD-TEXT
	Map     string      // the map, where bad sectors remain
	Sectors int64       // in the image
	Whole   digest.Sums
	Tracks  []TrackSums
	Bad     []BadRange
	// ReadTwice: the drive does not report errors in audio, so all audio was
	// read twice, and what came differently is among Bad.
	ReadTwice bool

	Resumed bool
	Elapsed time.Duration // of the drive's time
}

// BadSectors counts the sectors in Bad.
func (r *Result) BadSectors() int {
	n := 0
	for _, b := range r.Bad {
		n += int(b.Last-b.First) + 1
	}
	return n
}

// Errors of [Rip].
var (
	// ErrExists: a file of the output is there already.
	ErrExists = errors.New("already exists")
	// ErrCannotRead: the drive is not made for what is on the disc.
	ErrCannotRead = errors.New("this drive cannot read")
	// ErrOptions: the options contradict each other.
	ErrOptions = errors.New("options that do not go together")
	// ErrTakenOut: the disc was taken out of the drive while it was read. It
	// is a case of drive.ErrNoMedium.
	ErrTakenOut = fmt.Errorf("the disc was taken out while it was being read (%w)", drive.ErrNoMedium)
	// ErrOtherDisc: the disc is not the one that the rip was begun with.
	ErrOtherDisc = errors.New("this is another disc than the one the rip was begun with")
	// ErrOtherOptions: the rip was begun with other options.
	ErrOtherOptions = errors.New("the rip was begun with other options")
	// ErrProtected: the drive refuses to give protected sectors.
	ErrProtected = errors.New("the disc is copy-protected")
	// ErrDrive: the drive failed in a way that trying again does not help.
	ErrDrive = errors.New("the drive does not work on")
	// ErrOutput: the image could not be written.
	ErrOutput = errors.New("the image cannot be written")
)

// MapSuffix is appended to the output's name for the map.
const MapSuffix = ".map"

// stateComment starts the comment of the map that holds what a later run needs.
const stateComment = " spindle: "

// state is what must be the same when a rip goes on. It stands in the map.
type state struct {
	Version    int          `json:"version"`
	Format     Format       `json:"format"`
	Split      bool         `json:"split,omitempty"`
	Subchannel bool         `json:"subchannel,omitempty"`
	Offset     int          `json:"offset,omitempty"`
	TOC        string       `json:"toc"`
	Sectors    int64        `json:"sectors"`
	Layout     *disc.Layout `json:"layout"`
}

// Rip reads the disc in the drive into opts.Output. When ctx ends, it stops after
// the command in flight, with all that was read kept; the same call goes on
// from there. An error after that point leaves the parts and the map in place
// too. Sectors that could not be read are no error: they stand in the Result.
func Rip(ctx context.Context, drive *mmc.Drive, opts Options) (*Result, error) {
	if opts.Observer == nil {
		opts.Observer = silent{}
	}
	j := &job{drive: drive, opts: opts, mapPath: opts.Output + MapSuffix}
	start := drive.Clock().Now()
	res, err := j.run(ctx)
	if res != nil {
		res.Elapsed = drive.Clock().Now().Sub(start)
	}
	return res, err
}

type silent struct{}

func (silent) Progress(Progress) {}
func (silent) Note(string)       {}

// run is the whole of a rip, step by step.
func (j *job) run(ctx context.Context) (*Result, error) {
	if j.opts.Format == CueBin && !strings.EqualFold(filepath.Ext(j.opts.Output), ".cue") {
		// Its name would be that of another file of the image.
		return nil, fmt.Errorf("%w: a CUE sheet that is not called .cue", ErrOptions)
	}
	if j.opts.Offset != 0 && j.opts.Subchannel {
		return nil, fmt.Errorf("%w: the sub-channel cannot be had together with an offset correction", ErrOptions)
	}
	resume, err := j.lookForEarlier()
	if err != nil {
		return nil, err
	}
	if err := j.survey(ctx); err != nil {
		return nil, err
	}
	if err := j.plan(ctx); err != nil {
		return nil, err
	}
	if !resume {
		if err := j.refuseExisting(); err != nil {
			return nil, err
		}
	}
	// The map comes first: files without one would be taken for somebody
	// else's if the program were killed here.
	mode := createNew
	switch {
	case !resume:
		j.m = j.newMap()
		if err := writeMap(j.mapPath, j.m); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrOutput, err)
		}
	case j.m.Count(mapfile.NonTried) == j.m.Size():
		mode = openAny
	default:
		mode = openOld
	}
	if err := j.out.open(mode); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrOutput, err)
	}
	defer j.out.close()
	if resume {
		if err := j.sameSectors(ctx); err != nil {
			return nil, err
		}
	}
	if err := j.readAll(ctx); err != nil {
		return nil, err
	}
	return j.finish(ctx, resume)
}

// lookForEarlier reads the map of an earlier run. Without one, or with Force,
// there is none.
func (j *job) lookForEarlier() (bool, error) {
	if j.opts.Force {
		return false, nil
	}
	f, err := os.Open(j.mapPath)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer f.Close()
	if j.m, err = mapfile.Read(f); err != nil {
		return false, fmt.Errorf("%s: %w", j.mapPath, err)
	}
	for _, c := range j.m.Comments {
		text, ok := strings.CutPrefix(c, stateComment)
		if !ok {
			continue
		}
		j.earlier = new(state)
		if err := json.Unmarshal([]byte(text), j.earlier); err != nil || j.earlier.Layout == nil {
			return false, fmt.Errorf("%s: line \"#%s...\" cannot be read: %w", j.mapPath, stateComment, mapfile.ErrSyntax)
		}
	}
	if j.earlier == nil {
		return false, fmt.Errorf("%s was not made by spindle, so the rip cannot go on from it", j.mapPath)
	}
	e := j.earlier
	if e.Format != j.opts.Format || e.Split != j.opts.Split || e.Subchannel != j.opts.Subchannel || e.Offset != j.opts.Offset {
		return false, fmt.Errorf("%w (%s)", ErrOtherOptions, j.mapPath)
	}
	if err := e.Layout.Validate(); err != nil {
		return false, fmt.Errorf("%s: %w", j.mapPath, err)
	}
	return true, nil
}

// survey finds out what is in the drive. When a rip goes on, pregaps and indexes
// are taken from the earlier run.
func (j *job) survey(ctx context.Context) error {
	j.opts.Observer.Progress(Progress{Phase: Surveying})
	d, err := Survey(ctx, j.drive, SurveyOptions{Indexes: j.opts.Format == CueBin && j.earlier == nil})
	if err != nil {
		return err
	}
	if d.Layout == nil {
		return ErrBlank
	}
	if j.earlier != nil {
		if d.Medium.Contents.ID != j.earlier.TOC {
			return fmt.Errorf("%w (the tables of contents differ)", ErrOtherDisc)
		}
		d.Layout = j.earlier.Layout
	}
	j.disc = d
	return nil
}

// newMap makes the map of a rip that begins.
func (j *job) newMap() *mapfile.Map {
	m := mapfile.New(j.size())
	st, err := json.Marshal(state{
		Version: 1, Format: j.opts.Format, Split: j.opts.Split, Subchannel: j.opts.Subchannel,
		Offset: j.opts.Offset, TOC: j.disc.Medium.Contents.ID, Sectors: j.sectors(), Layout: j.disc.Layout,
	})
	if err != nil { // a struct of plain values
		panic(err)
	}
	m.Comments = []string{
		" Mapfile. Created by spindle. It has the format of GNU ddrescue's.",
		stateComment + string(st),
	}
	return m
}
