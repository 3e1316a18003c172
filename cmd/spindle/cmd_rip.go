package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"spindle/disc"
	"spindle/disc/digest"
	"spindle/rip"
	"spindle/scsi/mmc"

	"github.com/spf13/cobra"
)

// ripFlags are the options of rip.
type ripFlags struct {
	rip.Options
	format string
	sha256 bool
	eject  bool
}

func (a *app) ripCommand() *cobra.Command {
	var o ripFlags
	c := &cobra.Command{
		Use:   "rip OUT",
		Short: "Read a disc into an image file",
		Long: `Read the disc in the drive into OUT: a .cue with its .bin for a CD of any kind, an
.iso for a DVD, a Blu-ray disc, or a CD with one data track.

Damaged sectors are tried again, slower each time. While a rip is under way, and
when sectors stay unreadable, OUT.map says what has been read, in the format of
GNU ddrescue. The same command goes on from there: after Ctrl-C, a power cut, or
a cleaning of the disc.`,
		Example: `  spindle rip game.cue
  spindle rip film.iso --drive /dev/sr1
  spindle rip concert.cue --split --sha256`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			o.Output = args[0]
			return a.runRip(c.Context(), o)
		},
	}
	f := c.Flags()
	f.StringVar(&o.format, "format", "", "what to make: cue or iso (by default what OUT's suffix says)")
	f.BoolVar(&o.Split, "split", false, "make one .bin a track, named as redump.org does")
	f.BoolVar(&o.Subchannel, "sub", false, "save the sub-channels too, 96 bytes a sector, in a .sub")
	f.BoolVar(&o.sha256, "sha256", false, "write a .sha256 beside it that sha256sum can check")
	f.BoolVar(&o.Force, "force", false, "replace existing files, and begin anew")
	f.IntVar(&o.Retries, "retries", 3, "passes over sectors that could not be read")
	f.DurationVar(&o.GiveUp, "give-up", 0, "stop retrying after this time without a success, such as 10m")
	f.IntVar(&o.Speed, "speed", 0, "reading speed, times 1x (by default the drive's choice)")
	f.IntVar(&o.Offset, "offset", 0, "read offset correction for audio, in samples")
	f.BoolVar(&o.eject, "eject", false, "open the tray when all was read well")
	return c
}

// formatOf decides what to make.
func (o *ripFlags) formatOf() (rip.Format, error) {
	name := o.format
	if name == "" {
		name = strings.TrimPrefix(strings.ToLower(filepath.Ext(o.Output)), ".")
	}
	switch name {
	case "cue":
		return rip.CueBin, nil
	case "iso":
		return rip.ISO, nil
	case "bin":
		return "", usage("name the .cue, and the .bin is made beside it: %s.cue",
			strings.TrimSuffix(o.Output, filepath.Ext(o.Output)))
	}
	return "", usage("%q is neither a .cue nor an .iso; say what to make with --format (\"spindle convert\" makes other formats of it)",
		filepath.Base(o.Output))
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
		return usage("--split is for a .cue: an ISO has one track")
	case o.Format == rip.ISO && o.Subchannel:
		return usage("--sub is for a .cue: an ISO has no sub-channel")
	case o.Retries < 0 || o.Retries > 1000:
		return usage("--retries is a number from 0 to 1000")
	case o.Speed < 0 || o.Speed > 100:
		return usage("--speed is a number of times 1x, such as 8")
	case o.Offset < -5880 || o.Offset > 5880:
		return usage("--offset is a number of samples from -5880 to 5880")
	}
	return nil
}

// sumsInTheWay looks, before the disc is read, for a checksum file that would be
// overwritten. One of a rip that goes on is its own.
func (o *ripFlags) sumsInTheWay() error {
	if !o.sha256 || o.Force {
		return nil
	}
	if _, err := os.Lstat(o.Output + rip.MapSuffix); err == nil {
		return nil
	}
	if _, err := os.Lstat(o.Output + ".sha256"); err == nil {
		return fmt.Errorf("%s.sha256 %w", o.Output, rip.ErrExists)
	}
	return nil
}

func (a *app) runRip(ctx context.Context, o ripFlags) error {
	if err := o.check(); err != nil {
		return err
	}
	if err := o.sumsInTheWay(); err != nil {
		return err
	}
	drive, err := a.openDrive(ctx, "")
	if err != nil {
		return err
	}
	p := a.newRipProgress()
	o.Observer = p
	res, err := rip.Rip(ctx, drive, o.Options)
	p.stop()
	if err != nil {
		if errors.Is(err, context.Canceled) {
			return a.interrupted(o.Output, p.now)
		}
		return err
	}
	sums := ""
	if o.sha256 {
		if sums, err = res.WriteSums(o.Output, o.Force || res.Resumed); err != nil {
			return err
		}
	}
	a.reportRip(res, sums)
	if len(res.Bad) > 0 {
		return exitError(exitBadSectors)
	}
	if o.eject {
		return moveTray(ctx, drive, mmc.Eject)
	}
	return nil
}

// interrupted says how a rip goes on after Ctrl-C.
func (a *app) interrupted(out string, at rip.Progress) error {
	if at.Total == 0 {
		return context.Canceled
	}
	what := fmt.Sprintf("interrupted: %d%% of the disc is read and kept", percent(at))
	next := "Run the same command to go on from there."
	a.printError(message{status: exitInterrupted, what: what, next: next})
	return exitError(exitInterrupted)
}

// ripEvent is the result of a rip in JSON.
type ripEvent struct {
	Event      string          `json:"event"` // result
	Status     int             `json:"status"`
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
	ReadTwice  bool            `json:"audio_read_twice,omitempty"`
	Resumed    bool            `json:"resumed,omitempty"`
	Seconds    float64         `json:"seconds"`
}

func (a *app) reportRip(res *rip.Result, sums string) {
	status := exitDone
	if len(res.Bad) > 0 {
		status = exitBadSectors
	}
	l := res.Disc.Layout
	others := res.Others
	if sums != "" {
		others = append(others, sums)
	}
	a.emit(ripEvent{"result", status, l.Medium.String(), res.Images, others, res.Map, res.Sectors, l.LayerBreak,
		res.Whole, res.Tracks, res.BadSectors(), res.Bad, res.ReadTwice, res.Resumed, res.Elapsed.Seconds()})
	if a.json {
		return
	}
	var names []string
	for _, img := range res.Images {
		names = append(names, img.Path)
	}
	names = append(names, others...)
	speed := ""
	if s := res.Elapsed.Seconds(); s >= 1 && !res.Resumed {
		speed = fmt.Sprintf(" in %s", res.Elapsed.Round(time.Second))
	}
	a.print("%s, %s%s: %s", plural(int(res.Sectors), "sector"), megabytes(res.Whole.Size), speed, strings.Join(names, ", "))
	if l.LayerBreak > 0 {
		a.print("layer break at sector %d", l.LayerBreak)
	}
	a.print("MD5     %s", res.Whole.MD5)
	a.print("SHA-1   %s", res.Whole.SHA1)
	a.print("SHA-256 %s", res.Whole.SHA256)
	a.print("CRC-32  %s", res.Whole.CRC32)
	if len(res.Bad) > 0 {
		a.reportBad(res)
		return
	}
	if res.ReadTwice {
		a.print("Every sector was read without error, and the audio twice with the same result.")
		return
	}
	a.print("Every sector was read without error.")
}

// mostListed is how many bad ranges are printed; all are in the map and in JSON.
const mostListed = 20

func (a *app) reportBad(res *rip.Result) {
	n := res.BadSectors()
	a.print("")
	a.print("%s could not be read rightly:", a.red.Sprint(plural(n, "sector")))
	for i, b := range res.Bad {
		if i == mostListed {
			a.print("  and %d more ranges: see %s", len(res.Bad)-i, res.Map)
			break
		}
		where := fmt.Sprintf("sector %d", b.First)
		if b.Last > b.First {
			where = fmt.Sprintf("sectors %d to %d (%d)", b.First, b.Last, b.Last-b.First+1)
		}
		what := "unreadable; filled in the image"
		if b.Reason == rip.Flawed {
			what = "read, but with errors; kept as it came"
		}
		a.print("  track %d, %s: %s", b.Track, where, what)
	}
	a.print("All else is good. Clean the disc or try another drive, and run the same command:")
	a.print("only these sectors are read again (%s says which).", res.Map)
}
