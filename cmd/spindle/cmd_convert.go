package main

import (
	"context"
	"strings"

	"spindle/disc"
	"spindle/disc/digest"
	"spindle/image"

	"github.com/spf13/cobra"
)

func (a *app) convertCommand() *cobra.Command {
	var o image.CreateOptions
	var merge bool // one file is what is made without --split
	c := &cobra.Command{
		Use:   "convert IN OUT",
		Short: "Convert an image into another format",
		Long: `Convert the image IN, of any format that spindle opens and also when it is compressed
(gzip, xz, zstd, bzip2), to OUT, whose suffix says the format:

  .cue   a CUE sheet with its .bin; --split makes one .bin a track
  .iso   the user data of a data track; --sector-size takes more of its sectors
  .nrg   an image of Nero, version 2
  .toc   a TOC file of cdrdao with its .bin
  .ccd   an image of CloneCD: .ccd, .img and .sub
  .wav   an audio track; --split makes one file a track
  .flac  the same, compressed, with tags from the CD-TEXT

Sectors are rebuilt where the formats differ: sync pattern, header, EDC and parity.

Data sectors are checked by their EDC on the way; the exit status is 5 when some are
damaged. What OUT cannot hold is refused, unless --lossy allows to leave it out.`,
		Example: `  spindle convert game.cue game.iso
  spindle convert backup.nrg backup.cue
  spindle convert mixed.cue data.iso --track 1
  spindle convert concert.cue concert.flac --split
  spindle convert "game (split).cue" game.cue --merge`,
		Args: cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			switch ext := strings.ToLower(suffix(args[1])); {
			case o.Split && merge:
				return usage("--split and --merge are opposites: choose one")
			case o.Split && ext != ".cue" && ext != ".wav" && ext != ".flac":
				return usage("--split makes several .bin, .wav or .flac files; %s is one file", args[1])
			case c.Flags().Changed("sector-size") && ext != ".iso":
				return usage("--sector-size is for an .iso")
			}
			return a.runConvert(c.Context(), args[0], args[1], o)
		},
	}
	f := c.Flags()
	f.IntVar(&o.Track, "track", 0, "take this track only (.iso, .wav, .flac)")
	f.BoolVar(&o.Split, "split", false, "make one file a track (.cue, .wav, .flac)")
	f.BoolVar(&merge, "merge", false, "make one .bin of all tracks (.cue): the default, for the sake of scripts")
	f.IntVar(&o.SectorSize, "sector-size", 2048, "take so many `BYTES` of each sector (.iso): 2048, 2336, 2352 or 2448")
	f.BoolVar(&o.Lossy, "lossy", false, "leave out what OUT cannot hold")
	f.BoolVar(&o.NoCheck, "no-check", false, "copy only: do not look at the EDC of data sectors, and do not hash")
	f.BoolVar(&o.Force, "force", false, "replace existing files")
	return c
}

// convertEvent is the result of convert in JSON.
type convertEvent struct {
	Event   string      `json:"event"` // result
	Status  int         `json:"status"`
	Files   []string    `json:"files"`
	Whole   digest.Sums `json:"whole"`
	Damaged int         `json:"damaged"` // data sectors with a wrong EDC
	First   disc.LBA    `json:"first_damaged,omitempty"`
	Lost    []string    `json:"lost,omitempty"`
}

// noteLost reports what the format of a new image had no place for.
func (a *app) noteLost(out string, lost []string) {
	for _, what := range lost {
		a.note("Left out, because " + suffix(out) + " cannot hold it: " + what + ".")
	}
}

func (a *app) runConvert(ctx context.Context, in, out string, o image.CreateOptions) error {
	img, err := image.Open(in)
	if err != nil {
		return err
	}
	defer img.Close()
	bar := a.newWorkBar()
	defer bar.stop()
	o.Progress = bar.step("converting")
	res, err := image.Create(ctx, out, img, o)
	bar.stop()
	if err != nil {
		return err
	}
	a.noteLost(out, res.Lost)
	e := convertEvent{"result", exitDone, res.Files, res.Whole, res.Damaged, res.First, res.Lost}
	if res.Damaged > 0 {
		e.Status = exitDifferent
	}
	a.emit(e)
	a.print("%s: %s", strings.Join(res.Files, ", "), megabytes(res.Whole.Size))
	if res.Whole.SHA256 != "" {
		of := ""
		if s := strings.ToLower(suffix(out)); s == ".wav" || s == ".flac" {
			of = " of the samples"
		}
		a.print("SHA-256%s %s", of, res.Whole.SHA256)
	}
	if res.Damaged == 0 {
		return nil
	}
	a.print("%s of %s damaged, the first is sector %d. They were taken over as they are;",
		a.red.Sprint(plural(res.Damaged, "data sector")), in, res.First)
	a.print("\"spindle verify %s --repair OUT.cue\" may repair them.", in)
	return exitError(e.Status)
}
