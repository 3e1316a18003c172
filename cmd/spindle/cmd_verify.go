package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"spindle/album"
	"spindle/check"
	"spindle/check/dat"
	"spindle/disc"
	"spindle/disc/digest"
	"spindle/image"

	"github.com/spf13/cobra"
)

// verifyFlags are the options of verify.
type verifyFlags struct {
	with     string
	repair   string
	lossy    bool
	noHashes bool
	force    bool

	accurateRip string   // a response
	ctdb        []string // responses, and parity
	lookup      bool     // ask the databases
}

func verifyCommand(a *app) *cobra.Command {
	var o verifyFlags
	c := &cobra.Command{
		Use:   "verify IMAGE|FOLDER",
		Short: "Check whether an image is intact",
		Long: `Check an image, or a folder of songs by its cue sheet or by their numbers: each data
sector of a CD by its sync pattern, address, EDC and parity; the size of a file system
against the file; checksums that the file itself states (CHD); checksum files beside the image (IMAGE.sha256, SHA256SUMS and the like);
the log of an album beside its songs; an MD5 implanted in it. FLAC files are decoded, and compared with the MD5 in
them. Sectors that a map beside the image (IMAGE.map, of a rip or of
GNU ddrescue) lists as not read correctly are damaged, and the files that they belong to
are named.

The tracks of an audio CD are compared with what other people's drives gave, if a response
of AccurateRip (dBAR-*.bin) or CTDB (ctdb-*.xml) lies beside the image or is given. A
match proves a track; no match may be another pressing, and is no error. Parity of CTDB
(ctdb-*.parity) repairs damaged audio. --lookup asks for what is not there, and keeps it
beside the image; nothing else makes a connection.

--with compares the image with something else: a disc in a drive, another image in any
format (the sectors, and the catalogue number, ISRCs and CD-TEXT that both state), a checksum file, or DAT files such as those of redump.info, which name the disc:
one, a ZIP archive, or a folder of them. A folder of images is compared with DAT files
as a whole: each image is named, and what is missing of a DAT file is listed. --repair
writes a copy in which damaged sectors are corrected by their parity, or by that of CTDB.

The exit status is 5 if something is wrong.`,
		Example: `  spindle verify debian-live.iso
  spindle verify "Artist - Album/"
  spindle verify game.cue --with /dev/sr0
  spindle verify game.cue --with "Sony - PlayStation.dat"
  spindle verify collection --with dats
  spindle verify damaged.cue --repair whole.cue`,
		Args: needs(1, 1, "name the image to check, e.g. \"spindle verify debian-live.iso\""),
		RunE: a.run(func(ctx context.Context, args []string) (result, error) { return runVerify(ctx, a, args[0], o) }),
	}
	f := c.Flags()
	f.StringVar(&o.with, "with", "", "compare with a `DRIVE|IMAGE|SUMS|DAT`")
	f.StringVar(&o.repair, "repair", "", "write a corrected copy to `OUT`: .cue, .iso, .nrg, .toc, .ccd or .chd")
	f.StringVar(&o.accurateRip, "accuraterip", "", "compare with a `RESPONSE` of AccurateRip")
	f.StringArrayVar(&o.ctdb, "ctdb", nil, "compare with a response of CTDB, or repair with its parity: `FILE`; may be repeated")
	addLookup(f, &o.lookup, "ask AccurateRip and CTDB for what does not lie beside the image; they learn the disc's table of contents")
	f.BoolVar(&o.lossy, "lossy", false, "with --repair: leave out what OUT cannot hold")
	f.BoolVar(&o.noHashes, "no-hashes", false, "do not compute hashes")
	f.BoolVar(&o.force, "force", false, "with --repair: replace existing files")
	return c
}

// compares reports whether something is wanted that needs the whole image.
func (o *verifyFlags) compares() bool {
	return o.with != "" || o.repair != "" || o.accurateRip != "" || len(o.ctdb) > 0
}

// verifyResult is the result of verify.
type verifyResult struct {
	ending
	Image       string             `json:"image"`
	Sectors     int                `json:"sectors"`
	Checked     int                `json:"checked"` // by the EDC that is stored with them
	Whole       *digest.Sums       `json:"whole,omitempty"`
	Tracks      []verifyTrack      `json:"tracks"`
	Bad         []check.BadRange   `json:"bad,omitempty"`
	Sums        []check.SumResult  `json:"sums,omitempty"`
	Own         []ownSum           `json:"own_sums,omitempty"`      // that the file states itself
	Implanted   string             `json:"implanted_md5,omitempty"` // right or wrong
	Game        string             `json:"game,omitempty"`
	DAT         string             `json:"dat,omitempty"` // with one: listed, near (some tracks match), unlisted
	Differences []verifyDifference `json:"differences,omitempty"`
	UnreadFiles []string           `json:"unread_files,omitempty"`        // that sectors belong to which the disc does not give
	Shift       int                `json:"audio_shift_samples,omitempty"` // of the disc in the drive
	Silent      int                `json:"silent_edge_samples,omitempty"` // of the image, not of the disc
	Repaired    *check.Repaired    `json:"repaired,omitempty"`
	Flaws       []flawRange        `json:"flaws,omitempty"` // what a map beside the image says
	Broken      []string           `json:"maps_not_usable,omitempty"`
	Subs        []string           `json:"incomplete_subchannels,omitempty"` // why those of the last sectors are missing
	Files       []string           `json:"files,omitempty"`                  // that damaged sectors belong to
	AccurateRip *ripVerdict        `json:"accuraterip,omitempty"`
	Log         *logResult         `json:"log,omitempty"` // of the album that the image is
	CTDB        *ctdbVerdict       `json:"ctdb,omitempty"`

	Unchecked []string `json:"unchecked,omitempty"` // other images in the folder
	songsFound

	found      *findings
	o          verifyFlags
	sectorSize int
	damage     [2]int64 // of the implanted MD5: where it begins, in bytes
	compared   bool     // with a disc or an image
	lookedUp   bool     // in a DAT
	match      dat.Match
	sameDamage string              // of the image that it was compared with
	unmended   bool                // the copy of --repair has flaws, too
	version    *album.VersionError // what differs from CTDB without any sign of damage
	unproven   bool                // it may be damaged where parity does not reach
	cut        bool                // the disc holds more, and that was not compared
	cutFrom    disc.LBA
	// judged: something besides the image itself vouches for it, or its own
	// codes do.
	judged bool
	proofs []trackProof // of audio, where there is something to compare with
}

// verifyTrack is what was found in a track.
type verifyTrack struct {
	Track   int    `json:"track"`
	Sectors int    `json:"sectors"`
	Checked int    `json:"checked"` // sectors whose EDC is stored
	Mode    string `json:"mode"`
	*digest.Sums
}

func (v *verification) tracks() []verifyTrack {
	var all []verifyTrack
	for i := range v.rep.Tracks {
		t := &v.rep.Tracks[i]
		x := verifyTrack{Track: t.Track, Sectors: t.Sectors, Checked: t.Checked, Mode: t.Mode}
		if !v.o.noHashes {
			x.Sums = &t.Sums
		}
		all = append(all, x)
	}
	return all
}

// How an implanted MD5 comes out in JSON.
const (
	implantedRight = "right"
	implantedWrong = "wrong"
)

// verification is one run of verify.
type verification struct {
	*verifyResult
	a   *app
	img disc.Image
	rep *check.Report
	bar *progress
	databases
	watched func() []ownSum // after the sectors were read
	// doubted reports whether the drive marks a sector of the audio that it compares with.
	doubted func(ctx context.Context, at disc.LBA) bool
}

func runVerify(ctx context.Context, a *app, path string, o verifyFlags) (result, error) {
	if isLog(path) {
		if o.compares() {
			return nil, usage("a log is compared with its songs alone; name the CUE sheet beside it for --with, --repair, --accuraterip and --ctdb")
		}
		return runVerifyLog(ctx, a, path)
	}
	if log := partLog(path); log != "" && !o.compares() {
		a.note("The album has only some songs of its disc: they are compared with its log.")
		return runVerifyLog(ctx, a, log)
	}
	if isCollection(path, o.with) {
		return runVerifyCollection(ctx, a, path, o)
	}
	if o.repair != "" {
		if err := folderOf(o.repair); err != nil {
			return nil, err
		}
	}
	folder := path
	img, found, path, err := openAlbum(ctx, a, path)
	var songs *songsError
	if errors.As(err, &songs) && songs.isAlbum() && !o.compares() {
		return songs.each(ctx, a)
	}
	if err != nil {
		return nil, err
	}
	v := &verification{a: a, img: img, bar: a.newProgress()}
	v.verifyResult = &verifyResult{ending: done(), Image: path, Sectors: img.Layout().Sectors(),
		o: o, sectorSize: img.Layout().Medium.SectorSize(), found: found, Broken: found.brokenTexts(), Subs: found.subs}
	defer func() { v.img.Close() }() // another one than img, where songs are damaged
	defer v.bar.stop()
	for _, step := range []func(context.Context) error{v.songs, v.evidence, v.sectors, v.audio, v.flaws, v.ownSums, v.log, v.sums, v.implanted, v.with, v.repair, v.unchanged} {
		if err := step(ctx); err != nil {
			v.bar.stop()
			if v.rep != nil && !a.json { // what was found so far is worth knowing
				v.report(a.page(a.stdout))
			}
			return nil, err
		}
	}
	v.bar.stop()
	v.Unchecked, err = othersIn(ctx, folder, img)
	return v.verifyResult, err
}

// unchanged makes sure that nothing has written to the image meanwhile.
func (v *verification) unchanged(context.Context) error { return v.found.writtenTo() }

func (v *verification) wrong() { v.Status = exitDifferent }

func (v *verification) sectors(ctx context.Context) error {
	v.watched = v.found.watch()
	rep, err := check.Sectors(ctx, v.img, check.Options{NoHashes: v.o.noHashes, Proof: v.proof, Progress: v.bar.step("checking")})
	if errors.Is(err, image.ErrPackedDamaged) {
		v.bar.stop()
		whole, serr := salvaged(ctx, v.a, v.img)
		if serr != nil {
			return serr
		}
		if v.img = whole; v.proof != nil {
			v.proof = check.NewProof(v.img.Layout())
		}
		rep, err = check.Sectors(ctx, v.img, check.Options{NoHashes: v.o.noHashes, Proof: v.proof, Progress: v.bar.step("checking")})
	}
	if err != nil {
		return err
	}
	v.bar.stop()
	v.rep = rep
	v.Checked, v.Tracks, v.Bad = rep.Checked(), v.tracks(), rep.Bad
	if !v.o.noHashes {
		v.Whole = &rep.Whole
	}
	v.judged = v.judged || v.Checked > 0
	if len(v.Bad) > 0 {
		v.wrong()
	}
	return nil
}

// flaws reports what a map beside the image says, and which files are damaged.
func (v *verification) flaws(ctx context.Context) error {
	known := v.img.Flaws()
	v.Flaws = flawRanges(known)
	v.Files = image.FilesAt(ctx, v.img, known.Union(badFlaws(v.rep.Bad)), mostFiles)
	if len(v.found.present(known))+len(v.Broken)+len(v.Subs) > 0 {
		v.wrong()
	}
	return ctx.Err()
}

// sums checks the files of the image against the checksum files: the one given,
// or those beside it.
func (v *verification) sums(ctx context.Context) error {
	asked := v.o.with != "" && isSumFile(v.o.with)
	var unusable []check.Unusable
	var err error
	switch {
	case asked:
		v.Sums, unusable, err = check.Against(ctx, append(check.Plain(v.img.Files()...), v.found.contents()...), v.o.with, sumProgress(v.bar))
	case v.Log != nil:
		v.Sums, err = v.found.sumsBeside(ctx, v.a, v.img, v.bar, filepath.Clean(v.Log.Log))
	default:
		v.Sums, err = v.found.sumsBeside(ctx, v.a, v.img, v.bar)
	}
	v.bar.stop()
	if err != nil {
		return err
	}
	noteUnusable(v.a, unusable)
	for _, s := range v.Sums {
		v.judged = true
		if !s.Right {
			v.wrong()
		}
	}
	if asked && len(v.Sums) == 0 {
		return fmt.Errorf("%s has no checksum for %s", v.o.with, filepath.Base(v.Image))
	}
	return nil
}
