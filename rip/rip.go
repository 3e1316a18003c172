// Package rip reads a disc in a drive into an image file: a CD into .bin and
// .cue, a data disc into an .iso.
//
// What has been read is never lost: a map in the format of GNU ddrescue's says
// at all times which sectors are on the disk, and a rip that was stopped, or
// that left sectors unread, resumes where it was. What could not be read is
// never passed off as good.
package rip

import (
	"context"
	"errors"
	"fmt"
	"time"

	"spindle/disc"
	"spindle/disc/digest"
	"spindle/drive"
	"spindle/drive/known"
	"spindle/image/mapfile"
	"spindle/internal/atomicfile"
	"spindle/internal/diskspace"
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
	Output string // the .cue or .iso
	Format Format
	Split  bool // one .bin a track
	// Whole: of an overwritable disc also what follows its file system.
	Whole      bool
	Subchannel bool // .sub beside it, 96 bytes a sector
	Force      bool // replace existing files, and start over
	// Sources are files that are never replaced, also with Force: those of the image
	// in a simulated drive.
	Sources []string
	// SameDisc: resume also where too little can be compared to know that the disc is the one
	// that the rip was begun with ([ErrUndecided]).
	SameDisc bool

	// Only says which sectors of a CD to read, once its pregaps are known, into an image that has
	// room for all of it; nil: all. The map stays beside such an image, so that another rip can
	// read more of it, and the result has no hashes.
	Only func(*disc.Layout) []drive.Stretch
	// Held, when it is not nil, is what earlier rips read of the disc and put elsewhere. Before
	// anything is read, or made, it is compared with the disc like what is resumed.
	Held *Held

	// Retries is how many passes are made over sectors that could not be read.
	// Those that an earlier run left are read once more even with 0.
	Retries int
	// GiveUp ends closing in on damage, and retrying, after this long without
	// success; 0: never.
	GiveUp time.Duration
	// Quick: every sector is asked for once. What fails together with others is not
	// tried alone, what an earlier run left is not tried again, and audio is read once.
	Quick bool
	// MaxTime ends the rip after this long, in whatever phase it is; 0: never. The drive's
	// clock counts, and the command in flight is waited for.
	MaxTime time.Duration
	// Finish, once it is closed, ends the rip as a bound does: the command in flight is waited for, and an image
	// of which all was tried is finished as it is. Before that, the rip is ended as by its context. nil: never.
	Finish <-chan struct{}
	// MaxErrors ends the rip when this many sectors turned out unreadable in it; 0: never.
	MaxErrors int
	// First are patterns, as of [path.Match], of files that are read before the rest: they match a
	// path, a name or a folder, in upper and lower case alike.
	First  []string
	Speed  int // times 1x; 0: as fast as the drive likes
	Offset int // read offset correction of audio, in samples
	// Once: audio is read once, and what the drive says of errors in it is believed.
	// Otherwise it is read twice and compared, for some drives say nothing, or the
	// wrong.
	Once bool
	// Known is what is known of the drive. It says what is tried first, and what need
	// not be; nothing is believed for it that is not checked otherwise. Known.Offset is
	// for the caller to decide on.
	Known known.Facts
	// Prove, when it is not nil, is given the audio after its first reading, and returns the
	// sectors that something else proves right, as a database of checksums can. Those are not
	// read again, and whatever the drive said of errors in them counts no more.
	Prove func(context.Context, *Reading) ([]drive.Stretch, error)

	// Repair, when it is not nil, is given the audio after its first reading, and again after each further one, as long
	// as some of it is not right or not proven. It returns what makes it right, or nil: the parity that a database has
	// tells, for example.
	Repair func(context.Context, *Reading) (*Repair, error)

	// Settle, when it is not nil, is given the audio after the last pass, with the samples on which
	// readings never agreed. It returns which of their values something else proves.
	Settle func(context.Context, *Reading, []OpenSample) ([]Choice, error)

	// Named, when it is not nil, is called with an image that is whole and right when its files have their names, while the map still
	// says so: for what is to be written down before a further run would begin anew. Where it fails, the map stays.
	Named func(*Result) error

	Observer Observer // may be nil
}

// Observer follows a rip. Its methods are called from one goroutine
// and must not block.
type Observer interface {
	Progress(Progress)
	Note(Note)
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
	// Damage is how far work on damage has come; nil in other phases.
	Damage *Damage
	// Coverage says how far the image is, sector by sector. It is nil before anything is read, and
	// may be called by an [Observer], and when [Rip] has returned.
	Coverage func() Coverage
}

// Damage is how far a phase has come that works on damage.
type Damage struct {
	Tried, Of int           // sectors
	Elapsed   time.Duration // of this phase, in the drive's time
	ToGo      time.Duration // at the pace so far; 0: unknown
}

// Phase is what a rip is doing.
type Phase string

// The phases.
const (
	Surveying Phase = "surveying"
	Copying   Phase = "reading"
	Proving   Phase = "proving"
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
	GivenUp    Reason = "given-up"   // filled: read together with others only, which failed
	Protected  Reason = "protected"  // filled: the drive refuses to give them
	Flawed     Reason = "flawed"     // read, but failing their own checksum, or with C2 errors
	// NotTried: not read yet. It stands in an [*IncompleteError] only.
	NotTried Reason = "not-tried"
	// NotCompared: audio that was read once, and not a second time as was asked for.
	NotCompared Reason = "not-compared"
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
	Contents *Contents
	Images   []ImageFile // the files that hold sectors
	Others   []string    // descriptor, sub-channel, CD-TEXT, a renewed checksum file
	Map      string      // the map, where bad sectors remain, or such that were not asked for
	Sectors  int64       // in the image
	Whole    digest.Sums
	Tracks   []TrackSums
	Bad      []BadRange
	// Absent counts the sectors that hold no data on the disc, and are zeros in the image:
	// between sessions, and as far as this run met them, those that were never written.
	Absent int64
	// Beyond counts the sectors that an earlier run read, and this one was not asked for ([Options.Only]).
	Beyond int64
	// ReadTwice: all audio but Proven was read twice, and what came differently is among Bad.
	ReadTwice bool
	// Proven is the audio that [Options.Prove] and [Options.Repair] returned in this run.
	Proven []drive.Stretch
	// Overread: what an offset correction puts beyond the end of the disc was read, and is no
	// silence.
	Overread bool
	// Pointed: the drive reported errors in audio (C2), and those are among Bad.
	Pointed bool

	// Combined counts the sectors of data that this run put together from several damaged readings,
	// and that their EDC and header prove.
	Combined int
	// Votes are the sectors of audio that were put together, in this run and in those before.
	Votes []Vote
	// Settled are the sectors of audio whose samples [Options.Settle] decided on, in this run and in those before.
	Settled []Settled
	// Repaired are the sectors of audio that [Options.Repair] changed, in this run and in those before.
	Repaired []Repaired

	// Shift is by how many samples audio came later in this run than in the one before, in another drive
	// (earlier: less than 0). It stands in the image where that gave it.
	Shift   int
	Resumed bool
	Elapsed time.Duration // of the drive's time

	sub, subSum string // the file of sub-channels and its SHA-256
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
	// ErrShadows: a file of sub-channels is there that the new image would be opened with, and
	// none are read. It is not replaced, also with Force.
	ErrShadows = errors.New("already exists, and the new CUE sheet would take it for its own")
	// ErrInUse: another process is ripping to the same output.
	ErrInUse = errors.New("rip: output is being written by another process")
	// ErrSource: a file to be made is one of [Options.Sources].
	ErrSource = atomicfile.ErrSource
	// ErrCannotRead: the drive is not made for what is on the disc.
	ErrCannotRead = errors.New("this drive cannot read")
	// ErrOptions: the options contradict each other.
	ErrOptions = errors.New("options that do not go together")
	// ErrTakenOut: the disc was taken out of the drive while it was read. It
	// is a case of drive.ErrNoMedium.
	ErrTakenOut = fmt.Errorf("the disc was taken out while it was being read (%w)", drive.ErrNoMedium)
	// ErrOtherDisc: the disc is not the one that the rip was begun with.
	ErrOtherDisc = errors.New("this is another disc than the one the rip was begun with")
	// ErrOtherAudio: so it is by its audio, and none or too little of that tells whether another drive gives it earlier or
	// later. It is a case of ErrOtherDisc.
	ErrOtherAudio = fmt.Errorf("%w, or this drive gives its audio at another place", ErrOtherDisc)
	// ErrUndecided: too little of what was read before can be compared to tell
	// whether the disc is the same.
	ErrUndecided = errors.New("too little can be compared to know that this is the disc the rip began with")
	// ErrOtherOptions: the rip was begun with other options. It comes in an
	// [*OtherOptionsError].
	ErrOtherOptions = errors.New("the rip was begun with other options")
	// ErrProtected: the drive refuses to give any sector.
	ErrProtected = errors.New("the disc is copy-protected")
	// ErrDrive: the drive failed in a way that trying again does not help.
	ErrDrive = errors.New("the drive stopped working")
	// ErrOutput: the image could not be written.
	ErrOutput = errors.New("the image cannot be written")
)

// An OtherOptionsError says with which options a rip was begun: of both, the format, the
// split, the sub-channel and the offset are set.
type OtherOptionsError struct {
	Map      string
	Was, Now Options
}

func (e *OtherOptionsError) Error() string { return fmt.Sprintf("%s (%s)", ErrOtherOptions, e.Map) }
func (e *OtherOptionsError) Unwrap() error { return ErrOtherOptions }

// Rip reads the disc in the drive into opts.Output. When ctx ends, or a bound of the
// options is reached before all was tried, it stops after the command in flight, with all
// that was read kept and an [*IncompleteError]; the same call resumes
// there. An error after that point leaves the parts and the map in place too.
// Sectors that could not be read are no error: they stand in the Result.
func Rip(ctx context.Context, d *mmc.Drive, opts Options) (*Result, error) {
	if opts.Observer == nil {
		opts.Observer = silent{}
	}
	start := d.Clock().Now()
	j := job{drive: d, opts: opts, began: start, mapPath: opts.Output + mapfile.Suffix, free: diskspace.Free}
	if over := overMap(opts.Output); !opts.Force && exists(over) {
		j.mapPath, j.over = over, true
	}
	res, err := j.run(ctx)
	if res != nil {
		res.Elapsed = d.Clock().Now().Sub(start)
	}
	return res, err
}

// MapPath is where the map of a rip is that has read a part of a disc into an output:
// beside the output, or, where that replaces an older image and is not whole yet, beside its
// part. It need not be there.
func MapPath(output string) string {
	if over := overMap(output); exists(over) {
		return over
	}
	return output + mapfile.Suffix
}

// overMap is where the map of a rip is whose image replaces one of the same name, which has
// a map of its own.
func overMap(output string) string { return output + partSuffix + mapfile.Suffix }

type silent struct{}

func (silent) Progress(Progress) {}
func (silent) Note(Note)         {}
