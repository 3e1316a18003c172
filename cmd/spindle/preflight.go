package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"spindle/burn"
	"spindle/check"
	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/image"
	"spindle/image/chd/hunks"
	"spindle/image/format"
	"spindle/internal/packed"
	"spindle/internal/regular"
	"spindle/iso"
)

// Errors about an image that is not what it should be.
var (
	errWrongImage = errors.New("the image is damaged")
	// errPacked: it cannot be unpacked, and not burned.
	errPacked = fmt.Errorf("%w", errWrongImage)
	// errBrokenMap: nothing says which of its sectors are.
	errBrokenMap = errors.New("the image may be damaged")
	errBrokenLog = fmt.Errorf("%w", errBrokenMap)
	// errInDoubt: what it was made from may be damaged.
	errInDoubt = fmt.Errorf("%w", errBrokenMap)
	// errPart: it lacks tracks of its disc.
	errPart = errors.New("the image is not a whole disc")
	// errFlawed: sectors of it are known to be wrong.
	errFlawed = errors.New("the image has damaged sectors")
	// errCutImage: they are those of its end, and errUnmapped: no map says so.
	errCutImage = fmt.Errorf("%w", errFlawed)
	errUnmapped = fmt.Errorf("%w", errFlawed)
	// errMendable: parity can correct some of them.
	errMendable = fmt.Errorf("%w", errFlawed)
)

// preflight looks at an image before a disc is spent on it.
type preflight struct {
	a     *app
	path  string
	force bool
	mode  burn.Mode // in which it is to be burned, where that was asked for
	img   disc.Image
	found *findings
	vol   *iso.Volume
	lines []string // what vouches for it

	damaged disc.Flaws // sectors that are known to be wrong
	mapped  disc.Flaws // those of them that were known when the image was opened
}

// imageFor opens an image and checks it: complete, as its checksum file says, as
// its implanted MD5 says, without sectors that are known to be wrong.
func imageFor(ctx context.Context, a *app, path string, o *burnFlags) (*preflight, error) {
	img, found, err := (&findings{toBurn: true}).open(ctx, a, path)
	if err != nil {
		return nil, err
	}
	p := newPreflight(a, path, img, found, o.force)
	p.mode = o.Mode
	a.onClose(func() error { return p.img.Close() })
	for _, n := range textNotes(img.Layout()) {
		a.note(n)
	}
	p.vol = imageVolume(ctx, img)
	return p, p.run(ctx, p.whole, p.maps, p.flaws, p.sums, p.implanted, p.songs, p.sectors, p.subchannels)
}

func newPreflight(a *app, path string, img disc.Image, found *findings, force bool) *preflight {
	return &preflight{a: a, path: path, force: force, img: img, found: found, mapped: img.Flaws()}
}

// flawsAgain checks an image that was checked before its first burn for sectors that
// are known to be wrong by now. It returns those.
func (p *preflight) flawsAgain(ctx context.Context) (disc.Flaws, error) {
	err := p.run(ctx, p.maps, p.flaws, p.sectors)
	return p.damaged, err
}

// run runs checks.
func (p *preflight) run(ctx context.Context, checks ...func(context.Context, *progress) error) error {
	bar := p.a.newProgress()
	defer bar.stop()
	for _, check := range checks {
		if err := check(ctx, bar); err != nil {
			return interruptedAt(err, "nothing was written", "Run the same command to start over.")
		}
	}
	return nil
}

// wrong stops, unless --force was given.
func (p *preflight) wrong(text string) error { return p.stop(errWrongImage, text) }

func (p *preflight) stop(why error, text string) error {
	if p.force {
		p.a.note(text + "; burning it anyway")
		p.a.asItIs = append(p.a.asItIs, text)
		return nil
	}
	return fmt.Errorf("%w: %s", why, text)
}

// whole stops when tracks of the disc are absent.
func (p *preflight) whole(context.Context, *progress) error {
	if p.found.part == "" {
		return nil
	}
	return p.stop(errPart, strings.TrimSuffix(p.found.part, "."))
}

// maps stops when a map of the image, or the log of an album, cannot be used, or when its file of
// sub-channels was cut short.
func (p *preflight) maps(context.Context, *progress) error {
	for _, u := range p.found.broken {
		if err := p.stop(u.why, u.what); err != nil {
			return err
		}
	}
	for _, text := range p.found.subs {
		if err := p.wrong(text); err != nil {
			return err
		}
	}
	return nil
}

// damage notes sectors that are known to be wrong.
func (p *preflight) damage(more disc.Flaws) {
	p.damaged = disc.FlawsOf(append(slices.Clone([]disc.Flaw(p.damaged)), more...)...)
}

// flaws stops when a map beside the image says that sectors are not right.
func (p *preflight) flaws(ctx context.Context, _ *progress) error {
	known := p.found.present(p.mapped)
	if len(known) == 0 {
		return nil
	}
	p.damage(known)
	why := errUnmapped
	switch {
	case len(p.found.maps) > 0:
		why = errFlawed
	case p.found.cut:
		why = errCutImage
	}
	return p.stop(why, p.found.damageText(known.Sectors())+suffering(ctx, p.img, known))
}

// sectors checks the EDC of data sectors where the image stores them whole: the drive
// would write a correct one over what is wrong. What is compressed is read in any case:
// what cannot be unpacked would end the burn in the middle.
func (p *preflight) sectors(ctx context.Context, bar *progress) error {
	stored := storesEDC(p.img)
	if !stored && !unpacks(p.img) && !p.found.needsUnpacking() {
		return nil
	}
	sums := p.found.watch()
	rep, err := check.Sectors(ctx, p.img, check.Options{NoHashes: true, Progress: bar.step("checking the sectors")})
	bar.stop()
	if errors.Is(err, packed.ErrDamaged) {
		return fmt.Errorf("%w: %w", errPacked, err)
	}
	if err == nil {
		own := sums()
		p.found.notice(own)
		err = p.judge(own)
	}
	if err != nil || !stored {
		return err
	}
	bad := badFlaws(slices.DeleteFunc(rep.Bad, func(b check.BadRange) bool {
		return b.Problem != check.BadEDC && b.Problem != check.BadSync && b.Problem != check.BadMode
	}))
	if len(bad) == 0 {
		if n := rep.Checked(); n > 0 {
			p.lines = append(p.lines, "error codes of "+plural(n, "sector")+": correct")
		}
		return nil
	}
	p.damage(bad)
	why := errUnmapped
	if mendable(ctx, p.img, bad) {
		why = errMendable
	}
	return p.stop(why, "the EDC of "+plural(bad.Sectors(), "sector")+" does not fit"+suffering(ctx, p.img, bad))
}

// subchannels notes in which mode what the saved sub-channels say beyond the tracks is burned.
func (p *preflight) subchannels(ctx context.Context, _ *progress) error {
	more, err := format.SubchannelsSayMore(ctx, p.img, p.img.Layout().Tracks())
	switch {
	case more && p.mode == burn.Raw96:
		p.a.note("The sub-channels in " + p.path + " are burned, and not compared afterwards.")
	case more:
		p.a.note("The sub-channels in " + p.path + " are burned with --mode raw only, and not compared afterwards; in other modes the disc gets those that its tracks make.")
	}
	return err
}

// unpacks reports whether a file of an image is compressed so that opening it does not tell
// whether it can be unpacked.
func unpacks(img disc.Image) bool {
	return slices.ContainsFunc(img.Files(), func(path string) bool {
		f, err := regular.Open(path)
		if err != nil {
			return false
		}
		defer f.Close()
		head := make([]byte, 16)
		n, _ := f.ReadAt(head, 0)
		how := packed.Method(head[:n])
		return how == "xz" || how == "zstd" || strings.HasPrefix(string(head[:n]), hunks.Magic)
	})
}

// storesEDC reports whether a data track of an image is stored in whole sectors.
func storesEDC(img disc.Image) bool {
	if img.Layout().Medium != disc.CD {
		return false
	}
	return slices.ContainsFunc(img.Layout().Tracks(), func(t *disc.Track) bool {
		if !t.Mode.IsData() {
			return false
		}
		e, ok := img.ExtentAt(t.Start)
		return !ok || e.Source != nil && (e.Form == disc.FormRaw || e.Form == disc.FormMode2)
	})
}

// codesEverywhere reports whether all sectors of an image are stored with an EDC.
func codesEverywhere(img disc.Image, rep *check.Report) bool {
	return rep.Checked() == img.Layout().Sectors()
}

// mendable reports whether parity can correct one of some sectors.
func mendable(ctx context.Context, img disc.Image, bad disc.Flaws) bool {
	mended, _ := tryToMend(ctx, img, bad)
	return mended > 0
}

// hopeless reports whether parity corrects none of the damaged sectors of what was copied, as far as these
// are within reach of a quick look.
func hopeless(ctx context.Context, img disc.Image, res *image.Created) bool {
	const reach = 1000
	t := img.Layout().TrackAt(res.First)
	if t == nil || img.Layout().Medium != disc.CD {
		return true
	}
	mended, left := tryToMend(ctx, img, disc.FlawsOf(disc.Flaw{First: res.First, Count: min(reach, int(t.End-res.First)), Kind: disc.Unproven}))
	return mended == 0 && left >= res.Damaged
}

// tryToMend reads some of the sectors through their parity. It returns how many were corrected, and how
// many stay damaged.
func tryToMend(ctx context.Context, img disc.Image, bad disc.Flaws) (mended, left int) {
	const most = 1000
	whole := check.NewRepairer(img)
	buf := make([]byte, cdsector.Size)
	n := 0
	for _, x := range bad {
		for a := x.First; a < x.End() && n < most; a++ {
			if n++; whole.ReadSectors(ctx, buf, a) != nil {
				return 0, 0
			}
		}
	}
	rep := whole.Result()
	for _, b := range rep.Left {
		left += int(b.Last-b.First) + 1
	}
	return rep.Sectors, left
}

// sums checks the files of the image against the checksum files beside them.
func (p *preflight) sums(ctx context.Context, bar *progress) error {
	results, err := p.found.sumsBeside(ctx, p.a, p.img, bar)
	if err != nil {
		return err
	}
	for _, s := range results {
		if line := fmt.Sprintf("%s in %s: correct", s.Algorithm, filepath.Base(s.From)); s.Right {
			if !slices.Contains(p.lines, line) { // of another file
				p.lines = append(p.lines, line)
			}
			continue
		}
		if err := p.wrong(wrongSumText(s)); err != nil {
			return err
		}
	}
	inside, err := p.found.checkLayers(ctx, bar)
	return errors.Join(err, p.judge(inside))
}

// judge stops when a file does not hold what the checksums in it say.
func (p *preflight) judge(inside []ownSum) error {
	for i := range inside {
		if inside[i].Right {
			p.lines = append(p.lines, inside[i].text())
		} else if err := p.wrong(inside[i].text()); err != nil {
			return err
		}
	}
	return nil
}

// implanted checks an MD5 that is in the image itself.
func (p *preflight) implanted(ctx context.Context, bar *progress) error {
	tracks := p.img.Layout().Tracks()
	if len(tracks) != 1 || !tracks[0].Mode.IsData() {
		return nil
	}
	data := image.UserData(ctx, p.img, tracks[0])
	m, err := check.ReadImplanted(data)
	if err != nil || m == nil {
		return nil // most have none
	}
	ok, _, err := m.Check(ctx, data, bar.step("checking the implanted MD5"))
	if err != nil {
		return err
	}
	bar.stop()
	if !ok {
		return p.wrong("its implanted MD5 does not match its content")
	}
	p.lines = append(p.lines, "implanted MD5: correct")
	return nil
}

// boots says how the image boots, or that it does not.
func (p *preflight) boots() string {
	if p.vol == nil {
		return ""
	}
	var how []string
	for _, b := range p.vol.Boot {
		if s := b.Platform.String(); !slices.Contains(how, s) {
			how = append(how, s)
		}
	}
	if len(how) == 0 {
		return ""
	}
	return "boots with " + strings.Join(how, " and ")
}

// describe is the image in a few words.
func (p *preflight) describe() string {
	l := p.img.Layout()
	parts := []string{}
	if n := len(l.Tracks()); n > 1 || l.Medium == disc.CD && !l.Tracks()[0].Mode.IsData() {
		audio := 0
		for _, t := range l.Tracks() {
			if !t.Mode.IsData() {
				audio++
			}
		}
		text := plural(n, "track")
		if audio > 0 {
			text += fmt.Sprintf(" (%d audio)", audio)
		}
		if k := len(l.Sessions); k > 1 {
			text += " in " + plural(k, "session")
		}
		parts = append(parts, text)
	}
	if p.vol != nil && p.vol.Label != "" {
		parts = append(parts, fmt.Sprintf("%q", p.vol.Label))
	}
	if t := l.Tracks(); len(t) == 1 && t[0].Mode.IsData() {
		parts = append(parts, sizeText(int64(t[0].End-t[0].Start)*iso.BlockSize))
		if p.vol == nil {
			parts = append(parts, "no known file system in it")
		}
	} else {
		parts = append(parts, clock(l.Sectors())+" min")
	}
	if b := p.boots(); b != "" {
		parts = append(parts, b)
	}
	return strings.Join(parts, ", ")
}

// describeMedium is a disc in a few words.
func describeMedium(m *burn.Medium) string {
	parts := []string{m.Profile.String()}
	switch {
	case m.ID != "" && m.Kind() == disc.CD:
		parts = append(parts, "ATIP "+m.ID)
	case m.ID != "":
		parts = append(parts, m.ID)
	}
	parts = append(parts, string(m.State()))
	if m.State() == burn.Spoiled {
		return strings.Join(parts, ", ") // whatever the drive says is free, and how fast
	}
	if m.Free > 0 {
		parts = append(parts, sizeText(int64(m.Free)*iso.BlockSize)+" free")
	}
	if len(m.Speeds) > 0 {
		var speeds []string
		for _, s := range m.Speeds {
			speeds = append(speeds, fmt.Sprintf("%gx", m.SpeedX(s)))
		}
		parts = append(parts, "writes at "+strings.Join(speeds, " "))
	}
	return strings.Join(parts, ", ")
}
