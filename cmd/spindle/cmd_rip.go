package main

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

	"spindle/disc"
	"spindle/disc/digest"
	"spindle/drive/byname"
	"spindle/image"
	"spindle/iso"
	"spindle/rip"
	"spindle/scsi/mmc"

	"github.com/spf13/cobra"
)

// ripFlags are the options of rip.
type ripFlags struct {
	rip.Options
	format ripFormat
	offset offsetFlag
	album  albumFlags
	tracks songsFlag // the songs to make; nil: all
	secure bool      // asked for: it is the default
	sha256 bool
	lossy  bool
	eject  bool
	keep   bool
}

func ripCommand(a *app) *cobra.Command {
	var o ripFlags
	c := &cobra.Command{
		Use:   "rip [OUT]",
		Short: "Read a disc into an image file, or an album into songs",
		Long: `Read the disc in the drive into OUT: a .cue with its .bin for a CD of any kind; an
.iso for a DVD, a Blu-ray disc, or a CD with a single data track; or any other format that
"spindle convert" writes, such as .chd or .nrg.

Into a folder (a name that ends with "/"), an audio CD becomes an album: a FLAC file for each song, named and tagged
by CD-TEXT or --tags, a CUE sheet, and a log that says how each song is proven; its data tracks stand beside. What a
file of AccurateRip or CTDB proves is read once; --lookup asks these databases, and MusicBrainz for the names, and keeps
what they say in the folder. Nothing else makes a connection. Any other disc becomes an image in the folder. Without OUT, the disc names
the folder or the image.

Audio is read twice and compared. Damaged sectors are retried, slower each time. During a rip, and while sectors remain
unreadable, OUT.map records what has been read, in the format of GNU ddrescue. After
Ctrl-C, a power cut, or a cleaning of the disc, the same command resumes from there.`,
		Example: `  spindle rip game.cue
  spindle rip film.iso --drive /dev/sr1
  spindle rip "Artist - Album/"
  spindle rip concert.cue --split --sha256`,
		Args: needs(0, 1, "name the image to make, e.g. \"spindle rip game.cue\", \"spindle rip film.iso\" or \"spindle rip Album/\""),
		RunE: a.run(func(ctx context.Context, args []string) (result, error) {
			if len(args) > 0 {
				o.Output = args[0]
			}
			return runRip(ctx, a, o)
		}),
	}
	f := c.Flags()
	f.Var(&o.format, "format", "make a cue, an iso, or a folder of flac or wav (by default what OUT says)")
	f.BoolVar(&o.Split, "split", false, "make one .bin per track, named as redump does")
	f.BoolVar(&o.Subchannel, "sub", false, "also save the sub-channels, 96 bytes per sector, in a .sub")
	f.BoolVar(&o.Whole, "whole", false, "rip all of a rewritable DVD or BD, and not only what is on it")
	f.BoolVar(&o.lossy, "lossy", false, "leave out what OUT cannot hold, if it is none of .cue, .iso and a folder")
	f.BoolVar(&o.sha256, "sha256", false, "also write OUT.sha256, which sha256sum can check")
	f.BoolVar(&o.Force, "force", false, "replace existing files, and start over")
	f.BoolVar(&o.SameDisc, "same-disc", false, "resume even if too little can be compared to tell that the disc is the same")
	o.addReading(f)
	f.Var(&o.offset, "offset", "read offset correction for audio, or \"known\": the one known for the drive")
	f.BoolVar(&o.eject, "eject", false, "open the tray if everything was read correctly")
	f.Var(&o.tracks, "track", "into a folder: only these songs, such as 3,5-7; what is there of an album is kept, and added to")
	o.album.add(f)
	f.BoolVar(&o.keep, "keep-bin", false, "into a folder: keep the raw rip (.bin and .cue), too")
	complete(c, "format", ripFormats)
	return c
}

// ripFormat is the value of --format.
type ripFormat string

var ripFormats = []string{"cue", "iso", "flac", "wav"}

func (v *ripFormat) String() string { return string(*v) }
func (v *ripFormat) Type() string   { return "FORMAT" }
func (v *ripFormat) Set(s string) error {
	return oneOf(s, ripFormats, func() { *v = ripFormat(s) })
}

// formatOf decides what to make.
func (o *ripFlags) formatOf() (rip.Format, error) {
	name := string(o.format)
	if name == "" {
		name = strings.TrimPrefix(strings.ToLower(filepath.Ext(o.Output)), ".")
	}
	switch name {
	case "cue":
		return rip.CueBin, nil
	case "iso":
		return rip.ISO, nil
	case "bin":
		return "", usage("name the .cue, and the .bin is made beside it: spindle rip %s",
			quoted(strings.TrimSuffix(o.Output, filepath.Ext(o.Output))+".cue"))
	}
	return "", o.noFormat(name)
}

func (o *ripFlags) check() error {
	var err error
	if o.Format, err = o.formatOf(); err != nil {
		return err
	}
	switch {
	case o.Format == rip.CueBin && !strings.EqualFold(filepath.Ext(o.Output), ".cue"):
		return usage("the name of a CUE sheet ends with .cue; the .bin is made beside it")
	case o.Format == rip.ISO && o.Split:
		return usage("--split applies to a .cue: an ISO has one track")
	case o.Format == rip.ISO && o.Subchannel:
		return usage("--sub applies to a .cue: an ISO has no sub-channels")
	}
	return folderOf(o.Output)
}

// folderOf looks, before anything is read, for the folder of a file to be made.
func folderOf(path string) error {
	dir := filepath.Dir(path)
	switch st, err := os.Stat(dir); {
	case errors.Is(err, fs.ErrNotExist):
		return refusal{fmt.Errorf("there is no folder %q", dir), exitFailed, "Make it first: mkdir -p " + quoted(dir)}
	case err == nil && !st.IsDir():
		return refusal{fmt.Errorf("%q is not a folder", dir), exitFailed, ""}
	}
	return nil
}

// sumsInTheWay looks, before the disc is read, for a checksum file that would be
// overwritten. When a rip is resumed, the file is its own.
func (o *ripFlags) sumsInTheWay() error {
	if !o.sha256 || o.Force {
		return nil
	}
	if exists(rip.MapPath(o.Output)) {
		return nil
	}
	if _, err := os.Lstat(o.Output + rip.SumsSuffix); err == nil {
		return fmt.Errorf("%s%s %w", o.Output, rip.SumsSuffix, rip.ErrExists)
	}
	return nil
}

// sums writes the checksum file that was asked for. An image with bad sectors gets
// none: it would be verified against its own damage. A rip that healed one with a
// file has renewed it.
func (o *ripFlags) sums(a *app, res *rip.Result) ([]string, error) {
	switch path := o.Output + rip.SumsSuffix; {
	case !o.sha256 || slices.Contains(res.Others, path):
		return nil, nil
	case len(res.Bad) > 0:
		a.note("No checksum file was written, because the image has bad sectors. It will be, once they are read.")
		return nil, nil
	}
	write := res.WriteSums
	if o.Force || res.Resumed {
		write = res.ReplaceSums
	}
	path, err := write(o.Output)
	if err != nil {
		return nil, err
	}
	return []string{path}, nil
}

func runRip(ctx context.Context, a *app, o ripFlags) (result, error) {
	if err := o.checkReading(); err != nil {
		return nil, err
	}
	if o.toFolder() {
		return runRipFolder(ctx, a, o)
	}
	if o.keep || o.album.isSet() || o.tracks != nil {
		return nil, usage("--track, --image, --embed-cue, --tags, --accuraterip, --ctdb, --lookup and --keep-bin are about a folder of songs: spindle rip %s",
			quoted(strings.TrimSuffix(o.Output, filepath.Ext(o.Output))+"/"))
	}
	if o.toOther() {
		return runRipOther(ctx, a, o)
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	if o.lossy {
		return nil, usage("--lossy is about other formats: a .cue or an .iso keeps what was asked for")
	}
	if err := o.sumsInTheWay(); err != nil {
		return nil, err
	}
	s, err := openRip(ctx, a, &o)
	if err != nil {
		return nil, err
	}
	return s.ripImage(ctx, a)
}

// openRip opens the drive, and takes over what is known of it.
func openRip(ctx context.Context, a *app, o *ripFlags) (*ripSession, error) {
	dev, facts, err := a.openKnown(ctx, "", byname.Shared)
	if err != nil {
		return nil, err
	}
	o.Known = facts
	s := &ripSession{o: o, dev: dev}
	if s.offset, err = o.correction(); err != nil {
		return nil, err
	}
	if q, err := dev.Inquiry(ctx); err == nil {
		s.name = strings.TrimSpace(q.Vendor + " " + q.Product + " " + q.Revision)
	}
	if o.Force {
		o.Sources = byname.Files(ctx, a.drive())
	}
	return s, nil
}

// rip reads the disc. It returns no result where it was interrupted.
func (s *ripSession) rip(ctx context.Context, a *app) (*rip.Result, error) {
	p := a.newRipProgress()
	s.o.Observer = p
	words := ripLeft
	if s.o.Force {
		words.left = withoutForce(words.left)
	}
	if s.finishes {
		words.waiting = "Interrupted: waiting until the drive has answered its last command; then an image of which all was tried is finished. " +
			"(A second Ctrl-C ends spindle at once; what was read is kept.)"
	}
	heard := hearInterrupt(ctx, a, words)
	if s.finishes {
		s.o.Finish, ctx = ctx.Done(), context.WithoutCancel(ctx)
	}
	res, err := rip.Rip(ctx, s.dev, s.o.Options)
	heard()
	p.stop()
	var left *rip.IncompleteError
	if errors.As(err, &left) {
		s.interrupted = newIncompleteRip(left, &s.o.Options)
		return nil, nil
	}
	if p.at.Phase == "" || p.at.Phase == rip.Surveying {
		err = interruptedAt(err, unread, unreadNext)
	} else {
		err = interruptedAt(err, "what was read is kept", resumeBy(&s.o.Options, false))
	}
	if err != nil && s.o.Force {
		err = forcedRip{err}
	}
	return res, err
}

// ripImage makes an image file of the disc.
func (s *ripSession) ripImage(ctx context.Context, a *app) (result, error) {
	o := s.o
	s.finishes = true
	res, err := s.rip(ctx, a)
	if err != nil || res == nil {
		return s.interrupted, err
	}
	ctx = context.WithoutCancel(ctx) // what is done now takes no time
	r := newRipResult(res)
	r.force, r.quick, r.most = o.Force, o.Quick, o.MaxErrors
	if r.ReadOnce || r.ReadTwice {
		if r.Offset = s.offset; !res.Overread {
			r.Silence = o.Offset
		}
	}
	r.Parts = filesHit(ctx, o.Output, res)
	r.Files = namesOf(r.Parts)
	sums, err := o.sums(a, res)
	if err != nil {
		return nil, err
	}
	r.Others = append(r.Others, sums...)
	s.eject(ctx, a, r.Status)
	return r, nil
}

// eject opens the tray, if that was asked for and all is right.
func (s *ripSession) eject(ctx context.Context, a *app, status int) {
	if !s.o.eject || status != exitDone {
		return
	}
	if err := moveTray(ctx, s.dev, mmc.Eject); err != nil {
		a.note("the tray could not be opened: " + err.Error())
	}
}

// correction decides on the read offset correction. With the sub-channel, which is not
// displaced, only the one that was asked for is an error.
func (o *ripFlags) correction() (*offsetChoice, error) {
	c, err := o.offset.choose(o.Known.Offset)
	if c == nil || err != nil {
		return nil, err
	}
	if o.Subchannel && !o.offset.set {
		c.Applied = false
	}
	if c.Applied {
		o.Offset = c.Samples
	}
	return c, nil
}

// filesHit lists the files in an image that its bad sectors belong to, as far as
// its directories can be read.
func filesHit(ctx context.Context, path string, res *rip.Result) []iso.DamagedFile {
	if len(res.Bad) == 0 {
		return nil
	}
	img, err := image.Open(ctx, path, func(image.Remark) {}) // the map may not be whole yet
	if err != nil {
		return nil
	}
	defer img.Close()
	return image.DamagedFiles(ctx, img, res.Flaws(), mostFiles+1)
}

// ripResult is the result of a rip.
type ripResult struct {
	ending
	Medium     string          `json:"medium"`
	Images     []rip.ImageFile `json:"images"`
	Others     []string        `json:"others,omitempty"`
	Map        string          `json:"map,omitempty"`
	Sectors    int64           `json:"sectors"`
	LayerBreak disc.LBA        `json:"layer_break,omitempty"`
	Whole      digest.Sums     `json:"whole"`
	Tracks     []rip.TrackSums `json:"tracks"`
	BadSectors int             `json:"bad_sectors"`
	Bad        []rip.BadRange  `json:"bad,omitempty"`
	Files      []string        `json:"files,omitempty"`        // that bad sectors belong to
	Absent     int64           `json:"not_recorded,omitempty"` // sectors
	Combined   int             `json:"combined_sectors,omitempty"`
	Votes      *voteSummary    `json:"votes,omitempty"` // on sectors of audio
	ReadTwice  bool            `json:"audio_read_twice,omitempty"`
	ReadOnce   bool            `json:"audio_read_once,omitempty"`
	C2         bool            `json:"c2,omitempty"` // the drive reported errors in audio
	Resumed    bool            `json:"resumed,omitempty"`
	Lost       []string        `json:"lost,omitempty"`
	Silence    int             `json:"silent_samples,omitempty"` // at the edge of the audio, that an offset correction puts out of reach
	Offset     *offsetChoice   `json:"read_offset,omitempty"`
	Seconds    float64         `json:"seconds"`

	Parts []iso.DamagedFile `json:"file_parts,omitempty"` // what of Files is damaged
	most  int               // how many unreadable sectors were to end it; 0: any number
	force bool              // which would start over
	quick bool              // sectors that failed were not retried
}

func newRipResult(res *rip.Result) *ripResult {
	r := &ripResult{
		ending: done(), Medium: res.Contents.Layout.Medium.String(), Images: res.Images, Others: res.Others, Map: res.Map,
		Sectors: res.Sectors, LayerBreak: res.Contents.Layout.LayerBreak, Whole: res.Whole, Tracks: res.Tracks,
		BadSectors: res.BadSectors(), Bad: res.Bad, Absent: res.Absent, Combined: res.Combined, Votes: votesIn(res.Votes, 0, disc.MaxLBA), ReadTwice: res.ReadTwice, C2: res.Pointed,
		Resumed: res.Resumed, Seconds: res.Elapsed.Seconds(),
	}
	r.ReadOnce = !res.ReadTwice && slices.ContainsFunc(res.Contents.Layout.Tracks(), func(t *disc.Track) bool { return !t.Mode.IsData() })
	if r.BadSectors > 0 {
		r.Status = exitBadSectors
	}
	return r
}

// Text implements event.
func (r *ripResult) Text(p *page) {
	var names []string
	for _, img := range r.Images {
		names = append(names, img.Path)
	}
	names = append(names, r.Others...)
	took := ""
	if r.Seconds >= 1 && !r.Resumed {
		took = fmt.Sprintf(" in %s", time.Duration(r.Seconds*float64(time.Second)).Round(time.Second))
	}
	head := fmt.Sprintf("%s, %s%s: ", plural(int(r.Sectors), "sector"), sizeText(r.Whole.Size), took)
	p.hang("", "  ", head+strings.Join(names, ", "))
	if r.LayerBreak > 0 {
		p.line("layer break at sector %d", r.LayerBreak)
	}
	p.sums(r.Whole)
	if r.BadSectors > 0 {
		r.textBad(p)
	} else {
		p.text("%s", r.howRead())
	}
	if r.Combined > 0 {
		p.text("%s", combinedText(r.Combined))
	}
	if r.Votes != nil {
		p.text("%s of audio put together from several readings: %s.", plural(r.Votes.Sectors, "sector"), r.Votes.text())
	}
	if text := r.Offset.text(); text != "" {
		p.text("%s", text)
	}
	if r.Silence != 0 && r.BadSectors == 0 {
		side := "end"
		if r.Silence < 0 {
			side = "start"
		}
		p.text("The audio has %s of silence at its %s: the offset correction puts what is there out of reach.",
			plural(max(r.Silence, -r.Silence), "sample"), side)
	}
}

// howRead says how every sector was read.
func (r *ripResult) howRead() string {
	switch {
	case r.ReadTwice && r.Votes != nil:
		return "Every sector was read, and the audio twice, with the same result where nothing was voted."
	case r.ReadTwice && r.Combined > 0:
		return "Every sector was read, and the audio twice with the same result."
	case r.ReadTwice:
		return "Every sector was read without error, and the audio twice with the same result."
	case r.ReadOnce && r.C2 && r.Votes == nil:
		return "Every sector was read. The audio was read once, and the drive reported no error in it (C2)."
	case r.ReadOnce && r.C2:
		return "Every sector was read. The audio was read once, and the drive reported no error in what was taken (C2)."
	case r.ReadOnce:
		return "Every sector was read. The audio was read once, and nothing vouches for it: the drive does not report errors in it."
	case r.Absent > 0:
		return fmt.Sprintf("Every sector that is recorded was read without error (%s not recorded on the disc: zeros in the image).", plural(int(r.Absent), "sector"))
	case r.Combined > 0:
		return "Every sector was read."
	}
	return "Every sector was read without error."
}
