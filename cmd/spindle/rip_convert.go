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

	"spindle/album"
	"spindle/check"
	"spindle/disc"
	"spindle/disc/digest"
	"spindle/drive"
	"spindle/image"
	"spindle/image/format"
	"spindle/image/mapfile"
	"spindle/internal/atomicfile"
	"spindle/internal/diskspace"
	"spindle/internal/regular"
	"spindle/rip"
)

// A rip into any other format than those that package rip makes goes by way of one of these, in
// a folder beside OUT: there it is resumed like any rip, and from there OUT is made. The folder
// goes when OUT is there and all of it is right.

// toOther reports whether OUT has a format that is made of a raw rip.
func (o *ripFlags) toOther() bool {
	ext := strings.ToLower(filepath.Ext(o.Output))
	if _, err := format.ForSuffix(ext); o.format != "" || err != nil {
		return false
	}
	return !slices.Contains(ripsItself, ext)
}

// ripsItself are the suffixes of what package rip makes, and of songs, which go into a folder.
var ripsItself = []string{".cue", ".iso", ".wav", ".flac"}

// noFormat says how to get what rip does not make itself.
func (o *ripFlags) noFormat(name string) error {
	stem := strings.TrimSuffix(o.Output, filepath.Ext(o.Output))
	e := refusal{err: fmt.Errorf("rip makes a .cue (any CD), an .iso (data) or a folder of songs, not a .%s", name), status: exitUsage}
	switch name {
	case "flac":
		e.next = "For songs, name a folder: spindle rip " + quoted(stem+"/")
		return e
	case "wav":
		e.next = fmt.Sprintf("For songs, name a folder: spindle rip %s --format wav", quoted(stem+"/"))
		return e
	}
	var others []string // which are made by way of a raw rip
	var unknown *format.SuffixError
	if _, err := format.ForSuffix("." + name); errors.As(err, &unknown) {
		others = slices.DeleteFunc(unknown.Known, func(s string) bool { return slices.Contains(ripsItself, s) })
	}
	return refusal{fmt.Errorf("rip makes a .cue (any CD), an .iso (data), a folder of songs (NAME/), or one of %s, and %q is none of these",
		strings.Join(others, ", "), filepath.Base(o.Output)),
		exitUsage, "Choose the one to make by the suffix, or with --format."}
}

// runRipOther rips a disc into a format that package rip does not make.
func runRipOther(ctx context.Context, a *app, o ripFlags) (result, error) {
	if o.Split || o.sha256 {
		return nil, usage("--split and --sha256 are about a .cue or an .iso")
	}
	if err := folderOf(o.Output); err != nil {
		return nil, err
	}
	claim, err := claimOut(o.Output)
	if err != nil {
		return nil, err
	}
	defer claim.Release()
	r := &rawRip{out: o.Output}
	opts, err := r.options(&o)
	if err != nil {
		return nil, err
	}
	s, c, err := examineRip(ctx, a, &o)
	if err != nil {
		return nil, err
	}
	if err := wouldMake(ctx, r.out, c.Layout, opts); err != nil {
		return nil, perhapsMore(ctx, r.out, c.Layout, opts, err)
	}
	o.Output, o.Format = filepath.Join(r.dir(), "disc.cue"), rip.CueBin
	if c.Layout.Medium != disc.CD || blocksOnly(filepath.Ext(r.out)) && r.wouldBeISO(ctx, c.Layout, opts) {
		o.Output, o.Format = filepath.Join(r.dir(), "disc.iso"), rip.ISO
	}
	if err := r.room(a, &o, c.Layout, diskspace.Free); err != nil {
		return nil, err
	}
	res, err := r.read(ctx, a, s, c)
	if err != nil || res == nil {
		return s.interrupted, err
	}
	return s.makeOther(ctx, a, r, opts, res)
}

// claimOut keeps other processes from ripping into the same output, also while it is made of a raw
// rip. The error wraps [rip.ErrInUse].
func claimOut(path string) (*atomicfile.Claim, error) {
	claim, err := atomicfile.ClaimPath(path)
	if errors.Is(err, atomicfile.ErrClaimed) {
		return nil, fmt.Errorf("%s: %w", path, rip.ErrInUse)
	}
	return claim, err
}

// A rawRip is the rip of which an image of another format is made, in a hidden folder beside that.
type rawRip struct {
	out string
	own []string // files that an earlier run made, of a disc with bad sectors

	readBefore bool // by an earlier run
}

func (r *rawRip) dir() string {
	dir, name := filepath.Split(filepath.Clean(r.out))
	return filepath.Join(dir, "."+name+".spindle-rip")
}

func (r *rawRip) manifest() string { return filepath.Join(r.dir(), "made.json") }
func (r *rawRip) facts() string    { return filepath.Join(r.dir(), "read.json") }

// options are those of making the image. What an earlier run made of a disc with bad sectors, and
// nobody has changed, is this one's to replace.
func (r *rawRip) options(o *ripFlags) (image.CreateOptions, error) {
	opts := image.CreateOptions{Lossy: o.lossy, Force: o.Force, Hashes: digest.All}
	opts.Naming = func(files []format.Pending) error { // a run that is killed before it has compared them would not know them again
		return album.RememberPending(r.manifest(), files, existing(r.own))
	}
	if st, err := os.Lstat(r.dir()); err == nil && !st.IsDir() {
		return opts, refusal{fmt.Errorf("%s is not a folder", r.dir()), exitFailed, "It is where the raw rip would go. Move it away."}
	}
	if o.Force {
		return opts, nil
	}
	var err error
	var changed *album.ChangedError
	if r.own, err = album.Remembered(r.manifest(), filepath.Dir(filepath.Clean(r.out))); errors.As(err, &changed) {
		return opts, refusal{err, exitUsage, "Move it away, or use --force to replace it."}
	} else if err != nil {
		return opts, err
	}
	for _, path := range []string{r.out, r.out + mapfile.Suffix} {
		if exists(path) && !slices.Contains(r.own, filepath.Clean(path)) {
			return opts, fmt.Errorf("%s %w", path, rip.ErrExists)
		}
	}
	opts.Force = len(r.own) > 0
	return opts, nil
}

// room makes sure that the folder of OUT has room for what is not read yet, and for OUT beside it. How
// small OUT becomes in a format that compresses is not known: there, it is a note. Where the system
// does not say how much is free, writing will tell.
func (r *rawRip) room(a *app, o *ripFlags, l *disc.Layout, free func(dir string) (int64, error)) error {
	dir := filepath.Dir(filepath.Clean(r.out))
	have, err := free(dir)
	if err != nil {
		return nil
	}
	size := int64(l.Sectors()) * int64(l.Medium.SectorSize())
	raw := min(size, r.toRead(o.Output, size))
	name := filepath.Base(r.out)
	switch {
	case raw > have || !packs(r.out) && raw+size > have:
		most := ""
		if packs(r.out) {
			most = "up to "
		}
		return refusal{fmt.Errorf("%s needs %s%s: %s to read the disc to, and %s%s for itself; the folder %q has room for %s",
			name, most, sizeText(raw+size), sizeText(raw), most, sizeText(size), dir, sizeText(have)), exitFailed,
			"Nothing was read. Make room and run the same command, or choose another folder."}
	case raw+size > have:
		a.note(fmt.Sprintf("%s may not fit: the disc is read to %s, %s itself needs up to %s, and the folder %q has room for %s.",
			name, sizeText(raw), name, sizeText(size), dir, sizeText(have)))
	}
	return nil
}

// toRead is how many bytes of a raw rip are not in its files yet, of all.
func (r *rawRip) toRead(raw string, all int64) int64 {
	f, err := regular.Open(rip.MapPath(raw))
	switch {
	case err != nil && exists(raw): // it is whole
		return 0
	case err != nil:
		return all
	}
	defer f.Close()
	m, err := mapfile.Read(f)
	if err != nil {
		return all
	}
	return m.Count(mapfile.NonTried)
}

// packs reports whether a format makes less of the sectors than they are.
func packs(out string) bool {
	return slices.Contains([]string{".chd", ".cso", ".zso", ".ecm", ".vhd", ".dmg"}, strings.ToLower(filepath.Ext(out)))
}

// read reads the disc, unless an earlier run did. It returns nothing where it was interrupted.
func (r *rawRip) read(ctx context.Context, a *app, s *ripSession, c *rip.Contents) (*rip.Result, error) {
	raw := s.o.Output
	if exists(raw) && !exists(rip.MapPath(raw)) && !s.o.Force {
		res, err := readFacts(r.facts(), c.Layout, s.o)
		if err != nil {
			return nil, err
		}
		if res != nil {
			a.note("The disc was read before; " + filepath.Base(r.out) + " is made now.")
			res.Contents, r.readBefore = c, true // which says more
			return res, nil
		}
	}
	if err := os.Mkdir(r.dir(), 0o777); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	s.o.Named = func(res *rip.Result) error { return writeFacts(r.facts(), c.Layout, s.o, res) }
	res, err := s.rip(ctx, a)
	if err != nil || res == nil {
		_ = os.Remove(r.dir()) // if nothing is in it
		return nil, err
	}
	return res, nil
}

// finish removes the raw rip, or where sectors are not right, writes down what was made of it.
func (r *rawRip) finish(made *image.Created, bad bool) error {
	if bad {
		return album.Remember(r.manifest(), slices.Concat(made.Files, made.Maps))
	}
	return os.RemoveAll(r.dir())
}

// blocksOnly reports whether a format holds the user data of one track alone, as an .iso does.
func blocksOnly(suffix string) bool {
	return slices.Contains([]string{".cso", ".zso", ".vhd", ".dmg"}, strings.ToLower(suffix))
}

// makeOther makes the image of a raw rip, and removes that, if all of it is right.
func (s *ripSession) makeOther(ctx context.Context, a *app, raw *rawRip, opts image.CreateOptions, res *rip.Result) (result, error) {
	if err := raw.worse(s.o, res); err != nil {
		return nil, err
	}
	img, found, err := s.openRaw(ctx, a, res)
	if err != nil {
		return nil, err
	}
	defer img.Close()
	if raw.readBefore {
		if err := s.sameDisc(ctx, img, res); err != nil {
			return nil, err
		}
	}
	opts.Doubts = found.doubts
	made, sectors, err := raw.make(ctx, a, img, opts)
	if errors.Is(err, context.Canceled) {
		return nil, refusal{fmt.Errorf("interrupted while %s was made: the disc is read, and kept", filepath.Base(raw.out)), exitInterrupted,
			"Run the same command to make it."}
	}
	if err != nil {
		a.note("The disc is read, and kept: the same command makes " + filepath.Base(raw.out) + " of it.")
		return nil, err
	}
	noteLost(a, raw.out, made.Lost)
	r := newRipResult(res)
	r.force, r.quick = s.o.Force, s.o.Quick
	r.Parts = filesHit(ctx, s.o.Output, res)
	r.Files = namesOf(r.Parts)
	r.Images, r.Others, r.Map, r.Whole, r.Lost = nil, made.Files, "", made.Whole, lossesWords(made.Lost)
	r.Sectors = int64(sectors)
	if len(made.Maps) > 0 {
		r.Map = made.Maps[0]
	}
	if r.ReadOnce || r.ReadTwice {
		if r.Offset = s.offset; !res.Overread {
			r.Silence = s.o.Offset
		}
	}
	r.Status = found.note(a, r.Status)
	if err := raw.finish(made, r.Status != exitDone); err != nil {
		a.note("the raw rip could not be put in order: " + err.Error())
	}
	s.eject(ctx, a, r.Status)
	return r, nil
}

// worse refuses to replace an image of which no map says that it is damaged by one that is. The raw rip stays.
func (r *rawRip) worse(o *ripFlags, res *rip.Result) error {
	if !o.Force || len(res.Bad) == 0 || !exists(r.out) || exists(r.out+mapfile.Suffix) {
		return nil
	}
	return refusal{fmt.Errorf("%s could not be read correctly, and %q is not known to be damaged: it stays", plural(res.BadSectors(), "sector"), r.out), exitBadSectors,
		"What was read is kept. Move that file away and run the same command without --force: only these sectors are read again."}
}

// openMedium opens a raw rip as one of the disc that was read: the size of a small DVD does not tell it from a CD.
func (s *ripSession) openMedium(ctx context.Context, a *app, res *rip.Result) (disc.Image, *findings, error) {
	if l := res.Contents.Layout; l.Medium != disc.CD {
		f := new(findings)
		img, err := image.OpenAs(ctx, s.o.Output, l.Medium, func(r image.Remark) { f.take(a, r) })
		return img, f, err
	}
	return openImage(ctx, a, s.o.Output)
}

// openRaw opens a raw rip, of which nothing may be missing that was read.
func (s *ripSession) openRaw(ctx context.Context, a *app, res *rip.Result) (disc.Image, *findings, error) {
	img, found, err := s.openMedium(ctx, a, res)
	if err != nil {
		return nil, nil, err
	}
	flaws := img.Flaws()
	if s.o.Only != nil { // the others were not read
		flaws = nil
		for _, x := range s.o.Only(img.Layout()) {
			flaws = flaws.Union(img.Flaws().Clip(x.First, x.End))
		}
	}
	if n := flaws.Sectors(); n > 0 && len(res.Bad) == 0 {
		img.Close()
		return nil, nil, refusal{fmt.Errorf("%s was read whole, and %s missing from it now", s.o.Output, plural(n, "sector")+" "+isOrAre(n)), exitFailed,
			"Read the disc again, with --force."}
	}
	return img, found, nil
}

// sameDisc makes sure that the disc in the drive is the one of which an earlier run made the raw rip.
func (s *ripSession) sameDisc(ctx context.Context, img disc.Image, res *rip.Result) error {
	l, o := img.Layout(), s.o.Options
	o.Held = &rip.Held{
		Offset: o.Offset, Codes: l, MCN: l.MCN,
		Read: func(p []byte, first disc.LBA) error {
			if o.Format == rip.ISO { // also of a CD
				return disc.ReadUser(ctx, img, p, first)
			}
			return img.ReadSectors(ctx, p, first)
		},
	}
	for _, t := range l.Tracks() {
		run := drive.Stretch{First: t.Begin(), End: t.End}
		if o.Held.Good = append(o.Held.Good, run); !t.Mode.IsData() && !res.ReadTwice {
			o.Held.Once = append(o.Held.Once, run)
		}
	}
	err := rip.CompareHeld(ctx, s.dev, o)
	const advice = "Nothing was made. Insert the disc that was read, and run the same command; --force reads the disc in the drive instead."
	switch {
	case errors.Is(err, rip.ErrHeld) && errors.Is(err, rip.ErrUndecided):
		return refusal{err, exitNoDisc, advice + " If you are sure that it is the same disc, add --same-disc."}
	case errors.Is(err, rip.ErrHeld) && errors.Is(err, rip.ErrOtherDisc):
		return refusal{err, exitNoDisc, advice}
	}
	return interruptedAt(err, "the disc is read, and kept", "Run the same command to make the image.")
}

// sectorLosses leave sectors out, so that what is made has others than the disc.
var sectorLosses = []format.LossKind{format.LaterSessions, format.AudioTracks, format.DataTracks, format.Pregaps, format.GapContent, format.HiddenAudio, format.ModeZero}

// make makes the image, and reads it back: the raw rip goes when it is there. It returns how many
// sectors it has: fewer than the disc, where part of it was left out.
func (r *rawRip) make(ctx context.Context, a *app, from disc.Image, opts image.CreateOptions) (made *image.Created, sectors int, err error) {
	bar := a.newProgress()
	defer bar.stop()
	opts.Progress = bar.step("making " + filepath.Base(r.out))
	if made, err = image.Create(ctx, r.out, from, opts); err != nil {
		return nil, 0, err
	}
	img, err := image.Open(ctx, mainFile(r.out, made.Files), func(image.Remark) {})
	if err != nil {
		return nil, 0, err
	}
	defer img.Close()
	sectors = img.Layout().Sectors()
	if slices.ContainsFunc(made.Lost, func(l format.Loss) bool { return slices.Contains(sectorLosses, l.Kind) }) {
		return made, sectors, nil
	}
	c, err := check.Compare(ctx, from, img, check.CompareOptions{Progress: bar.step("comparing")})
	if err == nil && len(c.Differences) > 0 {
		err = fmt.Errorf("%s is not what was read: it differs in track %d", r.out, c.Differences[0].Track)
	}
	return made, sectors, err
}

// wouldMake looks, before a disc is read, whether an image of it can be made: whether the format
// holds it, and no file is in the way.
func wouldMake(ctx context.Context, out string, l *disc.Layout, o image.CreateOptions) error {
	if _, err := image.Create(ctx, out, unreadImage{layout: l}, o); !errors.Is(err, errUnread) {
		return err
	}
	return nil
}

// perhapsMore adds to an error that names what would be left out what else may be, as reading the
// disc shows: whoever allows the one allows the other.
func perhapsMore(ctx context.Context, out string, l *disc.Layout, o image.CreateOptions, err error) error {
	var known, all *format.LossError
	if !errors.As(err, &known) || !errors.As(wouldMake(ctx, out, withMarks(l), o), &all) {
		return err
	}
	more := slices.DeleteFunc(slices.Clone(all.Losses), func(x format.Loss) bool { return slices.Contains(known.Losses, x) })
	if len(more) == 0 {
		return err
	}
	what, next := wouldLose(known)
	return refusal{fmt.Errorf("%s, and, if the disc has them, which only reading it shows, %s", what, enumeration(lossesWords(more))), exitUsage, next}
}

// withMarks is a layout with what reading the Q sub-channel may add to it.
func withMarks(l *disc.Layout) *disc.Layout {
	l = l.Clone()
	for _, t := range l.Tracks() {
		if t.Mode.IsData() || t.End-t.Start < 2 {
			continue
		}
		if t.ISRC == "" {
			t.ISRC = "XX0000000000"
		}
		if len(t.Indexes) == 0 {
			t.Indexes = []disc.LBA{t.Start + 1}
		}
	}
	return l
}

// wouldBeISO reports whether an .iso holds the disc, whatever files there are.
func (r *rawRip) wouldBeISO(ctx context.Context, l *disc.Layout, o image.CreateOptions) bool {
	o.Force = true
	return wouldMake(ctx, r.out+".iso", l, o) == nil
}

// errUnread ends making an image before anything of it is written.
var errUnread = errors.New("nothing was read yet")

// unreadImage is a disc of which nothing was read yet.
type unreadImage struct {
	disc.Plain
	layout *disc.Layout
}

func (u unreadImage) Layout() *disc.Layout                                   { return u.layout }
func (unreadImage) ReadSectors(context.Context, []byte, disc.LBA) error      { return errUnread }
func (unreadImage) ReadUser(context.Context, []byte, disc.LBA) (bool, error) { return false, errUnread }
func (unreadImage) Close() error                                             { return nil }
