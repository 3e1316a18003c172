package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"spindle/check"
	"spindle/disc"
	"spindle/disc/digest"
	"spindle/image"
	"spindle/image/isofile"
	"spindle/iso"
	"spindle/rip"

	"github.com/spf13/cobra"
)

// verifyFlags are the options of verify.
type verifyFlags struct {
	with     string
	repair   string
	lossy    bool
	noHashes bool
	force    bool
}

func (a *app) verifyCommand() *cobra.Command {
	var o verifyFlags
	c := &cobra.Command{
		Use:   "verify IMAGE",
		Short: "Check whether an image is right",
		Long: `Check an image: each data sector of a CD by its sync pattern, address, EDC and
parity; the size of a file system against the file; checksum files that lie beside
the image (IMAGE.sha256, SHA256SUMS and kin); an MD5 that is implanted in it.

--with compares it with something else: a disc in a drive, another image in any
format, a checksum file, or a DAT file of redump.org, which names the disc.
--repair writes a copy in which damaged sectors are corrected by their parity.

Exit status 5: something is not right.`,
		Example: `  spindle verify debian-live.iso
  spindle verify game.cue --with /dev/sr0
  spindle verify game.cue --with "Sony - PlayStation.dat"
  spindle verify damaged.cue --repair whole.cue`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return a.runVerify(c.Context(), args[0], o) },
	}
	f := c.Flags()
	f.StringVar(&o.with, "with", "", "compare with a `DRIVE|IMAGE|SUMS|DAT`")
	f.StringVar(&o.repair, "repair", "", "write a corrected copy as `OUT`: .cue, .iso, .nrg, .toc or .ccd")
	f.BoolVar(&o.lossy, "lossy", false, "with --repair: leave out what the format of OUT cannot hold")
	f.BoolVar(&o.noHashes, "no-hashes", false, "do not compute hashes")
	f.BoolVar(&o.force, "force", false, "replace existing files")
	return c
}

// verifyEvent is the result of verify in JSON.
type verifyEvent struct {
	Event       string              `json:"event"` // result
	Status      int                 `json:"status"`
	Image       string              `json:"image"`
	Sectors     int                 `json:"sectors"`
	Checked     int                 `json:"checked"` // by their EDC
	Whole       *digest.Sums        `json:"whole,omitempty"`
	Tracks      []check.TrackReport `json:"tracks"`
	Bad         []check.BadRange    `json:"bad,omitempty"`
	Sums        []sumResult         `json:"sums,omitempty"`
	Implanted   string              `json:"implanted_md5,omitempty"` // right or wrong
	Game        string              `json:"game,omitempty"`
	Differences []check.Difference  `json:"differences,omitempty"`
	Repaired    *check.Repaired     `json:"repaired,omitempty"`
}

// sumResult is how one line of a checksum file came out.
type sumResult struct {
	File      string          `json:"file"`
	From      string          `json:"from"` // the checksum file
	Algorithm check.Algorithm `json:"algorithm"`
	Right     bool            `json:"right"`
}

// verification is one run of verify.
type verification struct {
	a     *app
	o     verifyFlags
	path  string
	img   disc.Image
	rep   *check.Report
	event verifyEvent
	bar   *workBar
	// judged: something besides the image itself vouches for it, or its own
	// codes do.
	judged bool
}

func (a *app) runVerify(ctx context.Context, path string, o verifyFlags) error {
	img, err := openStored(path)
	if errors.Is(err, isofile.ErrTruncated) {
		a.printError(message{status: exitDifferent, what: err.Error(),
			next: "It is a download that was broken off, or a copy that was. Get it again."})
		return exitError(exitDifferent)
	}
	if err != nil {
		return err
	}
	defer img.Close()
	v := &verification{a: a, o: o, path: path, img: img, bar: a.newWorkBar()}
	v.event = verifyEvent{Event: "result", Image: path, Sectors: img.Layout().Sectors()}
	defer v.bar.stop()
	for _, step := range []func(context.Context) error{v.sectors, v.sums, v.implanted, v.with, v.repair} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	v.bar.stop()
	return v.conclude()
}

// openStored opens an image with its sectors as they are stored: of an .iso, the
// 2048 bytes of user data, and not the CD sectors that they would make.
func openStored(path string) (disc.Image, error) {
	img, err := image.Open(path)
	if err != nil || strings.EqualFold(filepath.Ext(path), ".cue") {
		return img, err
	}
	if st, err := os.Stat(path); err == nil && st.Size() == int64(img.Layout().Sectors())*iso.BlockSize {
		img.Close()
		return isofile.OpenAs(path, disc.DVD)
	}
	return img, nil
}

func (v *verification) wrong() { v.event.Status = exitDifferent }

func (v *verification) sectors(ctx context.Context) error {
	rep, err := check.Sectors(ctx, v.img, check.Options{NoHashes: v.o.noHashes, Progress: v.bar.step("checking")})
	if err != nil {
		return err
	}
	v.rep = rep
	v.event.Checked, v.event.Tracks, v.event.Bad = rep.Checked(), rep.Tracks, rep.Bad
	v.bar.stop()
	v.a.print("%s: %s, %s of %d bytes", v.path, plural(len(rep.Tracks), "track"), plural(v.event.Sectors, "sector"),
		v.img.Layout().Medium.SectorSize())
	if !v.o.noHashes {
		v.event.Whole = &rep.Whole
		v.a.print("MD5     %s", rep.Whole.MD5)
		v.a.print("SHA-1   %s", rep.Whole.SHA1)
		v.a.print("SHA-256 %s", rep.Whole.SHA256)
		v.a.print("CRC-32  %s", rep.Whole.CRC32)
	}
	if rep.Checked() > 0 {
		v.judged = true
		if len(rep.Bad) == 0 {
			v.a.print("%s with error codes: all right", plural(rep.Checked(), "sector"))
		}
	}
	if len(rep.Bad) > 0 {
		v.wrong()
		v.a.print("%s of %d with error codes are not right:", v.a.red.Sprint(plural(rep.BadSectors(), "sector")), rep.Checked())
		for i, b := range rep.Bad {
			if i == mostListed {
				v.a.print("  and %d more ranges (--json lists all)", len(rep.Bad)-i)
				break
			}
			v.a.print("  %s", b)
		}
	}
	return nil
}

// sums checks the files of the image against the checksum files: the one given,
// or those beside it.
func (v *verification) sums(ctx context.Context) error {
	files := v.img.Files()
	var lists []string
	if v.o.with != "" && isSumFile(v.o.with) {
		lists = []string{v.o.with}
	} else {
		for _, f := range files {
			lists = append(lists, check.FindSums(f)...)
		}
		slices.Sort(lists)
		lists = slices.Compact(lists) // one for the folder is found for each file
	}
	found := false
	for _, list := range lists {
		all, err := check.ReadSums(list)
		if errors.Is(err, check.ErrNoSums) && list != v.o.with {
			continue
		}
		if err != nil {
			return err
		}
		for _, f := range files {
			for _, s := range check.For(all, f) {
				found = true
				if err := v.sum(ctx, list, f, s); err != nil {
					return err
				}
			}
		}
	}
	if !found && v.o.with != "" && isSumFile(v.o.with) {
		return fmt.Errorf("%s has no sum for %s", v.o.with, filepath.Base(v.path))
	}
	return nil
}

func (v *verification) sum(ctx context.Context, list, file string, s check.Sum) error {
	have, err := check.HashFile(ctx, file, s.Algorithm, v.bar.step("hashing"))
	if err != nil {
		return err
	}
	v.bar.stop()
	right := have == s.Hex
	v.judged = true
	v.event.Sums = append(v.event.Sums, sumResult{file, list, s.Algorithm, right})
	if right {
		v.a.print("%s: %s of %s is right", filepath.Base(list), s.Algorithm, filepath.Base(file))
		return nil
	}
	v.wrong()
	v.a.print("%s: %s of %s is %s:", filepath.Base(list), s.Algorithm, filepath.Base(file), v.a.red.Sprint("wrong"))
	v.a.print("  stated  %s", s.Hex)
	v.a.print("  in fact %s", have)
	return nil
}

// isSumFile tells checksum files from the other things that --with takes, by
// their names.
func isSumFile(path string) bool {
	if isDriveName(path) {
		return false
	}
	name := strings.ToLower(filepath.Base(path))
	switch filepath.Ext(name) {
	case ".md5", ".sha1", ".sha256", ".sha512", ".sfv", ".md5sum", ".sha1sum", ".sha256sum", ".sha512sum":
		return true
	}
	return strings.HasSuffix(name, "sums") || strings.HasSuffix(name, "sum.txt") || strings.HasSuffix(name, "sums.txt") ||
		strings.HasSuffix(name, "checksum")
}

func isDATFile(path string) bool {
	ext := strings.ToLower(filepath.Ext(path))
	return !isDriveName(path) && (ext == ".dat" || ext == ".xml")
}

func (v *verification) implanted(ctx context.Context) error {
	tracks := v.img.Layout().Tracks()
	if !tracks[0].Mode.IsData() {
		return nil
	}
	r := image.UserData(ctx, v.img, tracks[0])
	m, err := check.ReadImplanted(r)
	if err != nil {
		return nil // there is none, or the sectors where it would be are bad and told of
	}
	ok, damaged, err := m.Check(ctx, r, v.bar.step("checking the implanted MD5"))
	if err != nil {
		return err
	}
	v.bar.stop()
	v.judged = true
	v.event.Implanted = "right"
	if ok {
		v.a.print("implanted MD5: right")
		return nil
	}
	v.event.Implanted = "wrong"
	v.wrong()
	v.a.print("implanted MD5: %s; the damage begins between byte %d and byte %d", v.a.red.Sprint("wrong"), damaged[0], damaged[1])
	return nil
}

// with compares the image with what --with names.
func (v *verification) with(ctx context.Context) error {
	switch {
	case v.o.with == "" || isSumFile(v.o.with):
		return nil
	case isDATFile(v.o.with):
		return v.withDAT()
	}
	var other disc.Image
	var err error
	if isDriveName(v.o.with) {
		drive, derr := v.a.openDrive(ctx, v.o.with)
		if derr != nil {
			return derr
		}
		other, err = rip.OpenDisc(ctx, drive)
	} else {
		other, err = image.Open(v.o.with)
	}
	if err != nil {
		return err
	}
	defer other.Close()
	v.event.Differences, err = check.Compare(ctx, v.img, other, v.bar.step("comparing"))
	if err != nil {
		return err
	}
	v.bar.stop()
	v.judged = true
	if len(v.event.Differences) == 0 {
		v.a.print("%s holds the same", v.o.with)
		return nil
	}
	v.wrong()
	v.a.print("%s is %s:", v.o.with, v.a.red.Sprint("different"))
	for i, d := range v.event.Differences {
		if i == mostListed {
			v.a.print("  and %d more (--json lists all)", len(v.event.Differences)-i)
			break
		}
		v.a.print("  %s", d)
	}
	return nil
}

func (v *verification) withDAT() error {
	if v.o.noHashes {
		return usage("a DAT file is compared by hashes: leave --no-hashes out")
	}
	f, err := os.Open(v.o.with)
	if err != nil {
		return err
	}
	defer f.Close()
	v.event.Game, err = check.FindGame(f, v.rep)
	if err != nil {
		return fmt.Errorf("%s: %w", v.o.with, err)
	}
	v.judged = true
	if v.event.Game == "" {
		v.wrong()
		v.a.print("%s does not know this disc", v.o.with)
		return nil
	}
	v.a.print("%s knows it: %s", filepath.Base(v.o.with), v.event.Game)
	return nil
}

// repair writes the corrected copy.
func (v *verification) repair(ctx context.Context) error {
	out := v.o.repair
	if out == "" {
		return nil
	}
	if v.img.Layout().Medium != disc.CD {
		return usage("--repair is for images of CDs: only their sectors have parity")
	}
	whole := check.NewRepairer(v.img)
	res, err := image.Create(ctx, out, whole, image.CreateOptions{
		Lossy: v.o.lossy, Force: v.o.force, NoCheck: true, Progress: v.bar.step("repairing"),
	})
	if err != nil {
		return err
	}
	v.bar.stop()
	v.a.noteLost(out, res.Lost)
	rep := whole.Result()
	v.event.Repaired = rep
	v.a.print("%s: %s repaired, %s changed", out, plural(rep.Sectors, "sector"), plural(rep.Bytes, "byte"))
	for _, b := range rep.Left {
		v.a.print("  stays bad: %s", b)
	}
	return nil
}

// conclude says in a sentence how it came out.
func (v *verification) conclude() error {
	v.a.emit(v.event)
	switch r := v.event.Repaired; {
	case v.event.Status != exitDone:
		v.a.print("%s", v.a.red.Sprint("This image is not right."))
		if r != nil && len(r.Left) == 0 {
			v.a.print("In the copy %s all sectors are.", v.o.repair)
		}
		return exitError(v.event.Status)
	case v.judged:
		v.a.print("Everything that can be checked is right.")
	default:
		v.a.print("Nothing in this image can be checked by itself: compare it with a checksum file, another image,")
		v.a.print("or the disc (--with).")
	}
	return nil
}
