package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"spindle/check"
	"spindle/disc"
	"spindle/image"
	"spindle/image/format"
	"spindle/image/mapfile"
	"spindle/internal/printable"
	"spindle/iso"
)

// findings are what opening an image found that its user should know.
type findings struct {
	broken   []unusableRecord
	sums     []string               // checksums that do not match
	maps     []string               // and logs, that say that sectors are not right
	cut      bool                   // its end is missing
	subs     []string               // files of sub-channels that were cut short
	early    []string               // files that were cut short, so that what follows them is too early
	part     string                 // that it is not a whole disc, and what is absent
	absent   disc.Flaws             // the sectors of that
	toBurn   bool                   // what stops a burn is left to the caller
	changedQ string                 // how many sectors have another Q than their tracks, and the file that says so
	inside   []string               // sums in containers that do not match, and those that a rip left
	layers   []*format.Layer        // that files were looked through
	seen     []string               // files and kinds of what was noted
	files    map[string]fs.FileInfo // of the image, as they were when it was opened
}

// openImage opens an image, and says what is found that is no error. That a map cannot be
// read, and what to do about it, is left to the caller.
func openImage(ctx context.Context, a *app, path string) (disc.Image, *findings, error) {
	return new(findings).open(ctx, a, path)
}

func (f *findings) open(ctx context.Context, a *app, path string) (disc.Image, *findings, error) {
	img, err := image.Open(ctx, path, func(r image.Remark) { f.take(a, r) })
	if err == nil {
		f.files = make(map[string]fs.FileInfo)
		for _, name := range img.Files() {
			if st, err := os.Stat(name); err == nil {
				f.files[name] = st
			}
		}
	}
	return img, f, err
}

// errWrittenTo: what was found of the image holds neither for what it was nor for what it is.
var errWrittenTo = errors.New("changed meanwhile")

// writtenTo is an [errWrittenTo] where a file of the image is not what it was when the image was opened.
func (f *findings) writtenTo() error {
	if name := f.changedFile(); name != "" {
		return fmt.Errorf("%s %w", name, errWrittenTo)
	}
	return nil
}

// unchanged is writtenTo for what is made of the image, of which nothing is kept then.
func (f *findings) unchanged() error {
	if name := f.changedFile(); name != "" {
		return fmt.Errorf("%s %w", name, image.ErrChanged)
	}
	return nil
}

// changedFile is a file of the image that is not what it was when the image was opened, or "".
func (f *findings) changedFile() string {
	for _, name := range slices.Sorted(maps.Keys(f.files)) {
		was := f.files[name]
		is, err := os.Stat(name)
		if err != nil || !os.SameFile(was, is) || is.Size() != was.Size() || !is.ModTime().Equal(was.ModTime()) {
			return name
		}
	}
	return ""
}

// take keeps a remark, or notes it.
func (f *findings) take(a *app, r image.Remark) {
	key := fmt.Sprint(r.Kind, r.File)
	if r.Kind == format.InLayer {
		key += r.Layer.Name // a file may be in several
	}
	if slices.Contains(f.seen, key) {
		return
	}
	f.seen = append(f.seen, key)
	switch r.Kind {
	case format.InLayer:
		f.layers = append(f.layers, r.Layer)
	case format.BrokenMap:
		f.broken = append(f.broken, unusableRecord{brokenText(r), repairMap, errBrokenMap, brokenText(r)})
	case format.BrokenLog:
		f.broken = append(f.broken, unusableRecord{brokenText(r), restoreLog, errBrokenLog, brokenText(r)})
	case format.InDoubt:
		f.broken = append(f.broken, unusableRecord{inDoubtText(r), makeAgain, errInDoubt, r.Err.Error()})
	case format.UsedMap, format.UsedLog:
		f.maps = append(f.maps, r.File)
	case format.AbsentTracks:
		if f.part, f.absent = remarkText(r), r.Absent; !f.toBurn {
			a.note(f.part)
		}
	case format.UsedQ:
		f.changedQ = fmt.Sprintf("%s, by %s", plural(int(r.Have), "sector"), r.File)
	case format.CutShort:
		f.cut = true
		if r.Displaced {
			f.early = append(f.early, displacedText(r))
		}
		a.note(remarkText(r))
	case format.NoSubchannels:
		if r.Want > 0 {
			f.subs = append(f.subs, incompleteText(r))
		}
		a.note(remarkText(r))
	default:
		a.note(remarkText(r))
	}
}

// note says which maps cannot be used, and returns the exit status of a command that has
// done its work.
func (f *findings) note(a *app, status int) int {
	for _, b := range f.broken {
		a.note(b.text())
	}
	for _, s := range f.sums {
		a.note(s + sumDoubts)
	}
	for _, s := range f.inside {
		a.note(s + ": the image is damaged.")
	}
	if f.doubtful() && status == exitDone {
		return exitDifferent
	}
	return status
}

// noteWithSub is note for a command that takes the sub-channels, too.
func (f *findings) noteWithSub(a *app, status int) int {
	if status = f.note(a, status); len(f.subs) > 0 && status == exitDone {
		return exitDifferent
	}
	return status
}

// doubtful reports whether sectors are damaged, and nothing says which.
func (f *findings) doubtful() bool { return len(f.broken)+len(f.sums)+len(f.inside) > 0 }

// checkSums checks the files of an image against the checksum files beside them, and what they
// hold against sums in them.
func (f *findings) checkSums(ctx context.Context, a *app, img disc.Image) error {
	bar := a.newProgress()
	defer bar.stop()
	results, err := f.sumsBeside(ctx, a, img, bar)
	if err != nil {
		return err
	}
	f.takeSums(results)
	_, err = f.checkLayers(ctx, bar)
	return err
}

// takeSums keeps which checksums do not match.
func (f *findings) takeSums(results []check.SumResult) {
	for _, r := range results {
		switch {
		case r.Right:
		case r.Changed:
			f.inside = append(f.inside, wrongSumText(r))
		default:
			f.sums = append(f.sums, wrongSumText(r))
		}
	}
}

// doubts says, in a line, why any sector may be damaged: the maps of an image that is made of this one pass
// it on, so that no command takes the copy for intact.
func (f *findings) doubts() string {
	var all []string
	for _, u := range f.broken {
		all = append(all, u.doubt)
	}
	return printable.Line(strings.Join(slices.Concat(all, f.sums, f.inside, f.early), "; "))
}

// lostSub says, in a line, why sub-channels may be missing: the maps of an image that holds them pass it on.
func (f *findings) lostSub() string { return printable.Line(strings.Join(f.subs, "; ")) }

// An unusableRecord is a map, or the log of an album, that cannot be used, or says no more than that
// the image is in doubt.
type unusableRecord struct {
	what, next string
	why        error  // for which the image is not burned
	doubt      string // what the maps of a copy state
}

// What to do about one.
const (
	repairMap  = "Restore the map from a copy, or remove it if it is of another image"
	makeAgain  = "Make it again from a good image, or compare it with the disc, and remove the map if it proves right"
	restoreLog = "If you replaced the file by a good one, remove the log; otherwise restore what was changed"
)

// text says what is wrong, and what to do.
func (u *unusableRecord) text() string {
	return u.what + ": the image may be damaged. " + u.next + "."
}

// brokenTexts says what is wrong with each map or log that cannot be used.
func (f *findings) brokenTexts() []string {
	var all []string
	for _, u := range f.broken {
		all = append(all, u.what)
	}
	return all
}

// sumDoubts ends the sentence on a checksum that does not match.
const sumDoubts = ": the image is damaged, or the checksum is that of another one."

// brokenText says that a map or a log cannot be used.
func brokenText(r image.Remark) string {
	why := strings.TrimPrefix(r.Err.Error(), mapfile.ErrSyntax.Error()+": ")
	var at *fs.PathError
	if errors.As(r.Err, &at) {
		why = at.Err.Error()
	}
	return fmt.Sprintf("%s cannot be used (%s)", r.File, why)
}

// inDoubtText says that a map calls the image doubtful, and why.
func inDoubtText(r image.Remark) string {
	return fmt.Sprintf("%s says that what the image was made from may be damaged (%v)", r.File, r.Err)
}

// openStored opens an image with its sectors as they are stored: of an .iso, the
// 2048 bytes of user data, and not the CD sectors that they would make.
func openStored(ctx context.Context, a *app, path string) (disc.Image, *findings, error) {
	img, found, err := openImage(ctx, a, path)
	if ext := strings.ToLower(filepath.Ext(path)); err != nil || ext == ".cue" || ext == ".nrg" {
		return img, found, err
	}
	e, ok := img.ExtentAt(0)
	if st, err := os.Stat(path); err != nil || !ok || e.Form != disc.FormMode1 || e.Offset != 0 ||
		len(found.layers) == 0 && st.Size() > int64(img.Layout().Sectors())*iso.BlockSize {
		return img, found, nil
	}
	var layers []*format.Layer // whose checks read the image that stays open
	stored, err := image.OpenAs(ctx, path, disc.DVD, func(r image.Remark) {
		if r.Kind == format.InLayer { // all else was said
			layers = append(layers, r.Layer)
		}
	})
	switch {
	case errors.Is(err, image.ErrUnknown): // it is stored in another format
		return img, found, nil
	case err != nil:
		img.Close()
		return nil, nil, err
	}
	img.Close()
	found.layers = layers
	return stored, found, nil
}

// trackNumbers gives "tracks 1, 3".
func trackNumbers(numbers string) string {
	if strings.Contains(numbers, ",") {
		return "tracks " + numbers
	}
	return "track " + numbers
}

// incompleteText says how much there is of a file that was cut short.
func incompleteText(r image.Remark) string {
	have := sizeText(r.Have)
	switch {
	case r.Want > 0 && r.Displaced:
		have += " of at least " + sizeText(r.Want)
	case r.Want > 0:
		have = sizesText(r.Have, r.Want)
	}
	return r.File + " is incomplete: it has " + have
}

// displacedText says that a file was cut short, and what follows it is not where it belongs.
func displacedText(r image.Remark) string {
	begins := "begins"
	if r.Want > 0 {
		begins = "may begin"
	}
	return filepath.Base(r.File) + " is incomplete, and what follows it " + begins + " too early"
}

// remarkText says what was found when an image was opened.
func remarkText(r image.Remark) string {
	switch r.Kind {
	case format.CutShort:
		have := incompleteText(r)
		if r.Want == 0 {
			have += ", and nothing says how much is missing"
		}
		switch {
		case r.Displaced && r.Want > 0:
			have += ". The tracks after it may begin too early"
		case r.Displaced:
			have += ". The tracks after it begin that much too early"
		}
		if strings.HasSuffix(r.File, ".part") {
			return have + ", as it is of a rip that is unfinished. What is missing counts as not read. Run that rip again: it resumes."
		}
		return have + ". What is missing counts as not read. " + downloadNew
	case format.AbsentTracks:
		return fmt.Sprintf("%s is part of a disc: as it says, %s %s absent.", r.File, trackNumbers(r.Tracks), map[bool]string{true: "are", false: "is"}[strings.Contains(r.Tracks, ",")])
	case format.DamagedFile:
		return damagedText(strings.TrimSuffix(r.Err.Error(), "."))
	case format.NoSubchannels:
		have := r.File + " is missing"
		if r.Want > 0 {
			have = incompleteText(r)
		}
		return have + ". Sub-channels that are missing are made from the tracks, as those of a plain disc."
	case format.OtherSub:
		return fmt.Sprintf("%s is not used: it has %d bytes, and the sub-channels of this image would have %d.", r.File, r.Have, r.Want)
	case format.SubOfOther:
		return r.File + " is not used: the positions and codes in it are not those of this image."
	case format.OtherQ:
		return fmt.Sprintf("%s states another Q sub-channel for %s than the saved sub-channels of the image, and these are used.", r.File, plural(int(r.Have), "sector"))
	case format.BadQ:
		return fmt.Sprintf("%s is not used: it is %v.", r.File, strings.TrimPrefix(r.Err.Error(), "sbi: "))
	case format.BadCDText:
		if r.Err == nil {
			return fmt.Sprintf("Texts are missing: %s of %s %s damaged.", plural(int(r.Have), "pack"), r.File, isOrAre(int(r.Have)))
		}
		return fmt.Sprintf("%s is not used: %v.", r.File, r.Err)
	case format.NoFileSystem:
		if r.Err != nil {
			return fmt.Sprintf("The start of %s cannot be unpacked, so that its file system is not seen.", r.File)
		}
		return fmt.Sprintf("Nothing in %s says that it is the image of a disc: it has no file system that spindle knows.", r.File)
	case format.OtherMap:
		return fmt.Sprintf("%s is not used: it is the map of a copy of %d bytes, and the image has %d.", r.File, r.Have, r.Want)
	case format.MapOfOther:
		return fmt.Sprintf("%s is not used: it is the map of a copy of this size, but its command line names another.", r.File)
	}
	return r.File
}
