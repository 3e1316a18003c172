package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"spindle/disc"
	"spindle/disc/digest"
	"spindle/image"
	"spindle/image/format"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// convertFlags are the options of convert.
type convertFlags struct {
	image.CreateOptions
	album  albumFlags
	tracks songsFlag // to take; nil: all
	remove bool      // what was converted
	format string    // of songs or images in a folder
	dat    string    // names the images in a folder
	merge  bool      // one file is what is made without --split
}

const convertLong = `Convert the image IN to OUT. IN may have any format that spindle opens, and be
compressed (gzip, xz, zstd, bzip2). The suffix of OUT selects the format:

  .cue   a CUE sheet with its .bin; --split makes one .bin per track; and a .sub where
         IN has sub-channels that say more than the tracks
  .iso   the user data of a data track; --sector-size keeps more of its sectors
  .cso   the same, compressed in blocks (deflate); .zso: the same with LZ4
  .iso.zst  the same, compressed by zstd, and read at any place; also .iso.gz
  .bin.ecm  the .bin of a CD without what can be computed, and a CUE sheet; also .iso.ecm
  .vhd   the user data as a virtual hard disk, without its empty blocks
  .dmg   the user data as an Apple disk image
  .nrg   a Nero image, version 2
  .toc   a cdrdao TOC file with its .bin
  .ccd   a CloneCD image: .ccd, .img and .sub
  .mds   an Alcohol 120% image: .mds and .mdf
  .chd   a compressed CD, GD-ROM or DVD, as MAME's chdman makes it
  .gdi   a GD-ROM: a file for each track
  .wav   an audio track; --split makes one file per track
  .flac  the same, compressed, with tags from the CD-TEXT
  FOLDER/  an album: a FLAC file for each song, named and tagged, a CUE sheet and a log

Several images, or all that lie in a folder and those below it, are converted into
FOLDER/ with --format, or into what FOLDER is named for ("iso/"). An image that cannot be
converted does not stop the others. --dat gives them the names of redump.info.

Split into .wav or .flac files, no audio is lost: the gap before a track (INDEX 00) ends
the file of the track before it, and audio hidden before track 1 becomes track 00.

Where the formats differ, sectors are rebuilt: sync pattern, header, EDC and parity.

The EDC of every data sector is checked on the way, where IN stores it. The exit status is
5 if some are damaged, if a map beside IN (IN.map, of a rip or of GNU ddrescue) lists sectors that
were not read correctly, or if IN does not match a checksum file beside it. Damage that OUT
itself does not show is recorded in OUT.map.
If OUT cannot hold everything in IN, the conversion is refused, unless
--lossy allows leaving it out.`

const convertExample = `  spindle convert game.cue game.iso
  spindle convert backup.nrg backup.cue
  spindle convert mixed.cue data.iso --track 1
  spindle convert concert.cue concert.flac --split
  spindle convert concert.cue "Artist - Concert/"
  spindle convert "game (split).cue" game.cue --merge
  spindle convert *.nrg old/ --format cue`

func convertCommand(a *app) *cobra.Command {
	var o convertFlags
	c := &cobra.Command{
		Use:     "convert IN... OUT",
		Short:   "Convert an image into another format",
		Long:    convertLong,
		Example: convertExample,
		Args:    needs(2, unlimited, "name the image and what to make of it, e.g. \"spindle convert backup.nrg backup.cue\""),
	}
	o.add(c.Flags())
	complete(c, "format", []string{"flac", "wav", "cue", "iso", "nrg", "toc", "ccd"})
	complete(c, "sector-size", []string{"2048", "2336", "2352", "2448"})
	c.RunE = a.run(func(ctx context.Context, args []string) (result, error) {
		return o.run(ctx, a, args, c.Flags().Changed("sector-size"))
	})
	return c
}

// add defines the options.
func (o *convertFlags) add(f *pflag.FlagSet) {
	f.Var(&o.tracks, "track", "take only this track (.iso, .wav, .flac), or into a folder these, such as 3,5-7; 0: audio hidden before track 1")
	f.BoolVar(&o.Split, "split", false, "make one file per track (.cue, .wav, .flac)")
	f.BoolVar(&o.merge, "merge", false, "make one .bin of all tracks (.cue); the default")
	f.IntVar(&o.SectorSize, "sector-size", 2048, "keep this many `BYTES` of each sector (.iso): 2048, 2336, 2352 or 2448")
	f.StringSliceVar(&o.Codecs, "codec", nil, "compress with `LIST` (.chd): of lzma, zlib, flac, zstd and for DVDs huff, or none; the smallest result is kept. A .vhd is dynamic (the default) or fixed, a .dmg zlib or none")
	f.BoolVar(&o.Lossy, "lossy", false, "leave out what OUT cannot hold")
	f.BoolVar(&o.NoCheck, "no-check", false, "only copy: check no EDC and no checksum file, compute no hashes")
	f.BoolVar(&o.Force, "force", false, "replace existing files")
	f.BoolVar(&o.remove, "delete-source", false, "delete the files of IN once OUT was read back, and is the same")
	o.album.add(f)
	f.StringVar(&o.format, "format", "", "into a folder: make songs of this kind, flac or wav (default flac), or images, by their suffix")
	f.StringVar(&o.dat, "dat", "", "into a folder: give each image the name that these `DATS` have for it: a DAT file, a ZIP archive or a folder of them")
}

// run converts one image, or several.
func (o convertFlags) run(ctx context.Context, a *app, args []string, sectorSize bool) (result, error) {
	out, many := args[len(args)-1], o.many(args)
	if err := o.oneTrack(isFolder(out) && !many); err != nil {
		return nil, err
	}
	if err := o.check(out, many, sectorSize); err != nil {
		return nil, err
	}
	switch {
	case o.NoCheck:
	case a.json:
		o.Hashes = digest.All
	default:
		o.Hashes = digest.SHA256 // the one that is shown
	}
	switch {
	case many:
		return runConvertMany(ctx, a, args, o)
	case isFolder(out):
		return runConvertAlbum(ctx, a, args[0], out, o)
	}
	r, err := runConvert(ctx, a, args[0], out, o)
	if err != nil {
		return nil, err
	}
	r.Deleted, err = deleteSources(deletable(ctx, a, r.sources, nil))
	return r, err
}

// oneTrack takes the one track that a file can be made of.
func (o *convertFlags) oneTrack(songs bool) error {
	switch {
	case len(o.tracks) == 0 || songs:
	case len(o.tracks) > 1:
		return usage("--track takes one track for a file; several go into a folder: end its name with /")
	case o.tracks[0] == 0:
		o.Track = image.HiddenTrack
	default:
		o.Track = o.tracks[0]
	}
	return nil
}

// A rule is what makes options wrong, and what to say then.
type rule struct {
	wrong bool
	text  string
}

// check looks for options that contradict what is to be made.
func (o *convertFlags) check(out string, many, sectorSize bool) error {
	ext, songs := strings.ToLower(suffix(out)), isFolder(out)
	if many {
		ext, songs = o.folderKind(out)
	}
	rules := o.folderRules(out, many, songs, sectorSize)
	rules = append(rules, o.formatRules(out, ext, sectorSize)...)
	rules = append(rules, o.removeRules(ext, songs, sectorSize)...)
	for _, r := range rules {
		if r.wrong {
			return usage("%s", r.text)
		}
	}
	return nil
}

// folderRules are about what is made into a folder.
func (o *convertFlags) folderRules(out string, many, songs, sectorSize bool) []rule {
	return []rule{
		{!o.knownFormat(), "--format is flac, wav, or the suffix of an image such as cue"},
		{songs && (o.Split || o.merge || sectorSize), "--split, --merge and --sector-size are about image files, and " + out + " is a folder of songs"},
		{songs && o.dat != "", "--dat names images; songs are named by --tags or --lookup"},
		{!songs && o.album.isSet(), "--image, --embed-cue, --tags, --accuraterip, --ctdb and --lookup are about a folder of songs: end its name with /"},
		{!songs && !many && o.format+o.dat != "", "--format and --dat are about a folder: end its name with /"},
	}
}

// formatRules are about what only some formats know.
func (o *convertFlags) formatRules(out, ext string, sectorSize bool) []rule {
	is := func(formats ...string) bool { return slices.Contains(formats, ext) }
	return []rule{
		{o.Split && o.merge, "--split and --merge are opposites: choose one"},
		{o.Split && !is(".cue", ".wav", ".flac"), "--split makes several .bin, .wav or .flac files; " + out + " is one file"},
		{len(o.Codecs) > 0 && !is(".chd", ".vhd", ".dmg"), "--codec applies to a .chd, .vhd or .dmg only"},
		{sectorSize && !is(".iso"), "--sector-size applies to an .iso only"},
	}
}

// removeRules are about what is deleted.
func (o *convertFlags) removeRules(ext string, songs, sectorSize bool) []rule {
	if !o.remove {
		return nil
	}
	return []rule{
		{songs || ext == ".wav" || ext == ".flac", "--delete-source is about images: songs are not read back"},
		{o.Lossy || o.NoCheck || o.Track != 0 || sectorSize, "--delete-source is for what is converted whole: leave out --lossy, --no-check, --track and --sector-size"},
	}
}

// knownFormat reports whether --format is something that can be made.
func (o *convertFlags) knownFormat() bool {
	_, err := format.ForSuffix("." + o.format)
	return o.format == "" || o.format == "flac" || o.format == "wav" || err == nil
}

// convertResult is the result of convert.
type convertResult struct {
	ending
	In      string      `json:"in"`
	Files   []string    `json:"files"`
	Whole   digest.Sums `json:"whole"`
	Damaged int         `json:"damaged"` // data sectors with a wrong EDC
	First   disc.LBA    `json:"first_damaged,omitempty"`
	Lost    []string    `json:"lost,omitempty"`
	Flaws   []flawRange `json:"flaws,omitempty"` // of what was converted
	Deleted []string    `json:"deleted,omitempty"`

	out      string
	maps     []string
	hopeless bool // parity corrects none of the damaged sectors

	sources []string // files that the new image replaces: it was read back, and is the same
}

func (r *convertResult) Text(p *page) {
	if r.Error != "" {
		return
	}
	p.line("%s: %s", strings.Join(r.Files, ", "), sizeText(r.Whole.Size))
	if r.Whole.SHA256 != "" {
		of := ""
		switch strings.ToLower(suffix(r.out)) {
		case ".wav", ".flac":
			of = " of the samples"
		case ".chd":
			of = " of the sectors"
		}
		p.line("SHA-256%s %s", of, r.Whole.SHA256)
	}
	if n := sectorsOf(r.Flaws); n > 0 {
		were, they, list := "were", "they are", "lists them"
		if n == 1 {
			were, they, list = "was", "it is", "lists it"
		}
		if len(r.maps) > 1 {
			list = strings.Replace(list, "lists", "list", 1)
		}
		p.text("%s known to be wrong %s copied from %s as %s; %s %s.",
			p.red(plural(n, "sector")), were, r.In, they, strings.Join(r.maps, ", "), list)
	}
	deletedText(p, r.out, r.Deleted)
	if r.Damaged == 0 {
		return
	}
	are, they := "are", "They were copied as they are"
	if r.Damaged == 1 {
		are, they = "is", "It was copied as it is"
	}
	p.text("%s of %s %s damaged, the first at sector %d. %s%s.", p.red(plural(r.Damaged, "data sector")), r.In, are, r.First, they, r.mending())
}

// mending advises --repair, unless the sectors are ones that were never read, or parity is seen to correct
// none of them.
func (r *convertResult) mending() string {
	unread := slices.DeleteFunc(slices.Clone(r.Flaws), func(f flawRange) bool { return f.Kind != disc.Unread.String() })
	if sectorsOf(unread) >= r.Damaged || r.hopeless {
		return ""
	}
	return fmt.Sprintf("; \"spindle verify %s --repair OUT.cue\" may be able to repair", r.In)
}

// noteLost reports what the format of a new image had no place for.
func noteLost(a *app, out string, lost []format.Loss) {
	for _, what := range lost {
		a.note("Left out, because " + suffix(out) + " cannot hold it: " + lossWords(what) + ".")
	}
}

func runConvert(ctx context.Context, a *app, in, out string, o convertFlags) (*convertResult, error) {
	img, found, err := openImage(ctx, a, in)
	if err != nil {
		return nil, err
	}
	defer img.Close()
	if _, err := os.Lstat(out); o.Force || err != nil { // else it is refused
		if err := o.checkSource(ctx, a, img, found); err != nil {
			return nil, err
		}
	}
	img, res, err := o.make(ctx, a, out, img, found)
	if errors.Is(err, image.ErrNoTrack) {
		return nil, noTrack(in, o.Track)
	}
	if err != nil {
		return nil, err
	}
	noteLost(a, out, res.Lost)
	for _, n := range textNotes(img.Layout()) {
		a.note(n)
	}
	r := &convertResult{done(), in, res.Files, res.Whole, res.Damaged, res.First, lossesWords(res.Lost), flawRanges(res.Flaws), nil, out, res.Maps, false, nil}
	if res.Damaged > 0 || len(res.Flaws) > 0 {
		r.Status = exitDifferent
	}
	r.hopeless = res.Damaged > 0 && hopeless(ctx, img, res)
	if r.Status = found.note(a, r.Status); res.LostSub && r.Status == exitDone {
		r.Status = exitDifferent
	}
	if !o.remove {
		return r, nil
	}
	err = r.readBack(ctx, a, img, found)
	return r, interruptedAt(err, r.out+" is complete, but was not compared; "+r.In+" was kept", "The same command with --force starts over.")
}

// checkSource compares an image with the checksums that are stated of it; with all of them, before its
// files are deleted.
func (o *convertFlags) checkSource(ctx context.Context, a *app, img disc.Image, found *findings) error {
	if o.NoCheck {
		return nil
	}
	switch err := found.checkSums(ctx, a, img); {
	case err != nil:
		return err
	case o.remove:
		return found.checkOthers(ctx, a)
	case o.Track != 0 || o.Lossy: // not all may be read
		return found.checkUnwatched(ctx, a)
	}
	return nil
}

// make makes the new image: where a part of the source cannot be unpacked, of what can be. It returns
// what it was made of.
func (o convertFlags) make(ctx context.Context, a *app, out string, img disc.Image, found *findings) (disc.Image, *image.Created, error) {
	bar := a.newProgress()
	defer bar.stop()
	o.Progress = bar.step("converting")
	sums := func() []ownSum { return nil }
	if !o.NoCheck && !o.remove { // with which all was compared
		sums = found.watch()
	}
	o.LostSub, o.Unchanged = found.lostSub(), found.unchanged
	o.Doubts = func() string {
		found.notice(sums())
		return found.doubts()
	}
	res, err := image.Create(ctx, out, img, o.CreateOptions)
	bar.stop()
	if !unpackable(err) {
		return img, res, err
	}
	if img, err = usable(ctx, a, img, err); err != nil {
		return nil, nil, err
	}
	o.Progress, o.Doubts = bar.step("converting"), found.doubts
	res, err = image.Create(ctx, out, img, o.CreateOptions)
	return img, res, err
}
