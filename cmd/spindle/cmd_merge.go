package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"spindle/disc"
	"spindle/disc/digest"
	"spindle/image"
	"spindle/internal/atomicfile"
	"spindle/internal/regular"
	"spindle/merge"

	"github.com/spf13/cobra"
)

// mergeFlags are the options of merge.
type mergeFlags struct {
	image.CreateOptions
	merge.Options
}

func mergeCommand(a *app) *cobra.Command {
	var o mergeFlags
	c := &cobra.Command{
		Use:   "merge IN IN... OUT",
		Short: "Make one good image of several damaged ones",
		Long: `Make one image of several images of the same disc, each of which may be damaged: dumps by
several drives, of several copies, or by several programs. Each IN may have any format that
spindle opens, and a map beside it, spindle's own or that of GNU ddrescue. The suffix of OUT
selects its format, as in "spindle convert".

Of each sector, OUT gets the copy that is proven: a data sector of a CD by its EDC, also after
its parity corrected it, or after it was put together from several copies; any other sector
(audio, DVD, Blu-ray, an .iso of a CD) by the maps: where one image has it without a flaw, and
no other has other bytes. Audio is aligned to the sample first, for each drive has its own
read offset; OUT has that of the first image.

A sector that no image has right stays damaged in OUT, with the best bytes there are, and
OUT.map lists it. So does a sector that two images have without a flaw, and differently. In
either case the exit status is 5. OUT.merge records where each sector is from, and what proves
it; a later merge of OUT with further images continues from there.

Images of different discs are refused: with other tracks, volume descriptors or dates, or with
other contents at any of 32 places. If too little is good in both of two images to tell,
--same-disc merges them anyway.`,
		Example: `  spindle merge first.cue second.cue whole.cue
  spindle merge drive1.iso drive2.iso ddrescue.iso whole.iso
  spindle merge whole.cue third.cue better.cue`,
		Args: needs(3, unlimited, "name at least two images, and what to make of them, e.g. \"spindle merge first.cue second.cue whole.cue\""),
	}
	f := c.Flags()
	f.BoolVar(&o.SameDisc, "same-disc", false, "merge even if too little can be compared to tell that the discs are the same")
	f.BoolVar(&o.Split, "split", false, "make one file per track (.cue, .wav, .flac)")
	f.BoolVar(&o.Lossy, "lossy", false, "leave out what OUT cannot hold")
	f.BoolVar(&o.Force, "force", false, "replace existing files")
	c.RunE = a.run(func(ctx context.Context, args []string) (result, error) {
		last := len(args) - 1
		if isFolder(args[last]) {
			return nil, usage("what is made is an image file, and %s is a folder", args[last])
		}
		o.Hashes, o.NoCheck = digest.SHA256, true // the EDC is checked as sectors are merged
		if a.json {
			o.Hashes = digest.All
		}
		return runMerge(ctx, a, args[:last], args[last], o)
	})
	return c
}

// mergeResult is the result of merge.
type mergeResult struct {
	ending
	Files          []string        `json:"files"`
	Whole          digest.Sums     `json:"whole"`
	Inputs         []mergeInput    `json:"inputs"`
	Proof          map[string]int  `json:"proof"` // sectors, by what proves them
	Flaws          []flawRange     `json:"flaws,omitempty"`
	Contradictions []contradiction `json:"contradictions,omitempty"`
	DamagedFiles   []string        `json:"damaged_files,omitempty"`

	out  string
	maps []string
}

// mergeInput is what became of an input.
type mergeInput struct {
	Image      string      `json:"image"`
	Sectors    int         `json:"sectors"`               // that are right, and taken from it
	Shift      int         `json:"audio_shift,omitempty"` // samples
	Wrong      []flawRange `json:"wrong,omitempty"`       // without a flaw in it, and disproved
	Unreadable []flawRange `json:"unreadable,omitempty"`  // in its files
}

// contradiction is a run of sectors that two inputs have without a flaw, and differently.
type contradiction struct {
	First disc.LBA `json:"first"`
	Last  disc.LBA `json:"last"` // inclusive
	Taken string   `json:"taken"`
	Other string   `json:"other"`
}

// mergeInputs opens the images.
func mergeInputs(ctx context.Context, a *app, paths []string) (inputs []merge.Input, all []*findings, closeAll func(), err error) {
	closeAll = func() {
		for _, in := range inputs {
			in.Image.Close()
		}
	}
	for _, path := range paths {
		img, found, err := openImage(ctx, a, path)
		if err != nil {
			return inputs, all, closeAll, err
		}
		inputs, all = append(inputs, merge.Input{Name: path, Image: img}), append(all, found)
		in := &inputs[len(inputs)-1]
		for _, other := range inputs[:len(inputs)-1] {
			if atomicfile.KeepSources(img.Files(), other.Image.Files()) != nil {
				return inputs, all, closeAll, usage("%s and %s have a file in common: a copy proves nothing of itself", other.Name, path)
			}
		}
		if err := errors.Join(found.checkSums(ctx, a, img), found.checkUnwatched(ctx, a)); err != nil {
			return inputs, all, closeAll, err
		}
		for _, why := range slices.Concat(found.brokenTexts(), found.sums, found.inside, found.early) {
			in.Doubtful = true
			a.note(why + ": of " + path + ", only what its error codes prove is used.")
		}
		if in.Origin, err = readProvenance(path, img); err != nil {
			a.note(fmt.Sprintf("%s%s is not used: %v.", path, merge.Suffix, err))
		}
	}
	return inputs, all, closeAll, nil
}

// noneChanged makes sure that nothing has written to the images since they were opened.
func noneChanged(all []*findings) error {
	for _, f := range all {
		if err := f.unchanged(); err != nil {
			return err
		}
	}
	return nil
}

func runMerge(ctx context.Context, a *app, in []string, out string, o mergeFlags) (result, error) {
	beside := out + merge.Suffix
	if _, err := os.Lstat(beside); err == nil && !o.Force {
		return nil, fmt.Errorf("%s %w", beside, image.ErrExists)
	}
	inputs, all, closeAll, err := mergeInputs(ctx, a, in)
	defer closeAll()
	if err != nil {
		return nil, err
	}
	m, err := merge.New(ctx, inputs, o.Options)
	if err != nil {
		return nil, err
	}
	if err := atomicfile.KeepSources([]string{beside}, m.Files()); err != nil {
		return nil, err
	}
	bar := a.newProgress()
	defer bar.stop()
	o.Progress = bar.step("merging")
	o.Unchanged = func() error { return noneChanged(all) }
	res, err := image.Create(ctx, out, m, o.CreateOptions)
	bar.stop()
	if err != nil {
		return nil, wholeOnly(err)
	}
	noteLost(a, out, res.Lost)
	r := &mergeResult{ending: done(), Files: res.Files, Whole: res.Whole, Flaws: flawRanges(res.Flaws), out: out, maps: res.Maps}
	r.count(a, m)
	r.DamagedFiles = image.FilesAt(ctx, m, res.Flaws, mostFiles+1)
	if len(r.Flaws) > 0 {
		r.Status = exitDifferent
	}
	if err := writeProvenance(beside, m.Provenance(), o.Force); err != nil {
		if o.Force {
			os.Remove(beside) // it would be that of another image
		}
		return nil, fmt.Errorf("%s is complete, but %s could not be written: %w", out, beside, err)
	}
	r.Files = append(r.Files, beside)
	return r, nil
}

// count takes what became of the images, and notes what is wrong with them.
func (r *mergeResult) count(a *app, m *merge.Image) {
	for _, x := range m.Accounts() {
		r.Inputs = append(r.Inputs, mergeInput{x.Name, x.Given, x.Shift, flawRanges(x.Disproved), flawRanges(x.Lost)})
		if n := x.Lost.Sectors(); n > 0 {
			a.note(fmt.Sprintf("%s of %s could not be read from its files: %v.", plural(n, "sector"), x.Name, x.Reason))
		}
		if n := x.Disproved.Sectors(); n > 0 {
			a.note(fmt.Sprintf("%s of %s %s wrong, the first at %d, and nothing beside it says so: the EDC in another image proves it.",
				plural(n, "sector"), x.Name, isOrAre(n), x.Disproved[0].First))
		}
	}
	r.Proof = make(map[string]int)
	p := m.Provenance()
	for _, proof := range merge.Proofs() {
		if n := p.Sectors(proof); n > 0 {
			r.Proof[proof.String()] = n
		}
	}
	for _, c := range m.Contradictions() {
		r.Contradictions = append(r.Contradictions, contradiction{c.First, c.First + disc.LBA(c.Count) - 1, c.A, c.B})
	}
}

// proofWords say what proves sectors.
var proofWords = []struct {
	proof merge.Proof
	words string
}{
	{merge.ByEDC, "proven by EDC"},
	{merge.Corrected, "corrected by parity"},
	{merge.Voted, "put together from several images, and proven by EDC"},
	{merge.Agreed, "without a flaw, and the same, in two images"},
	{merge.Stated, "without a flaw in one image"},
	{merge.Contradicted, "without a flaw in two images, and not the same"},
	{merge.Damaged, "damaged in all images"},
}

// Text implements event.
func (r *mergeResult) Text(p *page) {
	p.line("%s: %s", strings.Join(r.Files, ", "), sizeText(r.Whole.Size))
	p.line("SHA-256 %s", r.Whole.SHA256)
	for _, in := range r.Inputs {
		moved := ""
		if in.Shift != 0 {
			moved = fmt.Sprintf("; its audio, %s, was aligned", shiftWords(in.Shift))
		}
		p.line("from %s: %s%s", in.Image, plural(in.Sectors, "sector"), moved)
	}
	for _, w := range proofWords {
		n := r.Proof[w.proof.String()]
		switch {
		case n == 0:
		case w.proof.Good():
			p.line("%s %s", plural(n, "sector"), w.words)
		default:
			p.line("%s %s", p.red(plural(n, "sector")), w.words)
		}
	}
	r.textContradictions(p)
	if len(r.Flaws) == 0 {
		p.text("Every sector is intact in one of the images, or was repaired.")
		return
	}
	n := sectorsOf(r.Flaws)
	p.line("%s not right in %s:", p.red(plural(n, "sector")+" "+isOrAre(n)), r.out)
	for i, f := range r.Flaws {
		if i == mostListed {
			p.line("  and %s more (--json lists all)", plural(len(r.Flaws)-i, "range"))
			break
		}
		p.line("  %s", f)
	}
	if len(r.DamagedFiles) > 0 {
		p.text("Damaged files: %s.", fileList(r.DamagedFiles))
	}
	list := "lists"
	if len(r.maps) > 1 {
		list = "list"
	}
	p.text("%s %s them. Merge %s with another image of the disc to repair them.", strings.Join(r.maps, ", "), list, r.out)
}

// shiftWords says where the audio of an image was.
func shiftWords(samples int) string {
	if samples < 0 {
		return plural(-samples, "sample") + " early"
	}
	return plural(samples, "sample") + " late"
}

func (r *mergeResult) textContradictions(p *page) {
	for i, c := range r.Contradictions {
		if i == mostListed {
			p.line("  and %s more (--json lists all)", plural(len(r.Contradictions)-i, "contradiction"))
			return
		}
		p.line("  %s: %s and %s differ, and neither is known to be damaged there; taken from %s", sectorRange(c.First, c.Last), c.Taken, c.Other, c.Taken)
	}
}

// sectorRange names sectors, both included.
func sectorRange(first, last disc.LBA) string {
	if first == last {
		return fmt.Sprintf("sector %d", first)
	}
	return fmt.Sprintf("sectors %d to %d", first, last)
}

// writeProvenance writes where the sectors of an image come from. Names are those from its folder.
func writeProvenance(path string, p *merge.Provenance, force bool) error {
	p.Rename(fromFolder(path))
	f, err := atomicfile.Create(path)
	if err != nil {
		return err
	}
	defer f.Discard()
	if _, err := p.WriteTo(f.File); err != nil {
		return f.Error(err)
	}
	if err := f.Close(); err != nil {
		return err
	}
	if force {
		return f.Commit()
	}
	return f.CommitNew()
}

// errStale: the provenance is that of an image that stood here before.
var errStale = errors.New("it is older than the image, or of another one")

// readProvenance reads where the sectors of an image come from, with names as from the working
// folder. An image that was not merged has none.
func readProvenance(path string, img disc.Image) (*merge.Provenance, error) {
	f, err := regular.Open(path + merge.Suffix)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	p, err := merge.ReadProvenance(f)
	if err != nil {
		return nil, err
	}
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	for _, name := range img.Files() {
		const apart = 2 * time.Second // of some file systems
		if x, err := os.Stat(name); err == nil && x.ModTime().After(st.ModTime().Add(apart)) {
			return nil, errStale
		}
	}
	if k := len(p.Runs); k > 0 && p.Runs[k-1].First+disc.LBA(p.Runs[k-1].Count) > img.Layout().End() {
		return nil, errStale
	}
	p.Rename(toFolder(path))
	return p, nil
}
