package main

import (
	"context"

	"spindle/check"
	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/drive"
	"spindle/drive/byname"
	"spindle/image"
	"spindle/rip"
	"spindle/scsi/mmc"
)

// with compares the image with what --with names.
func (v *verification) with(ctx context.Context) error {
	switch {
	case v.o.with == "" || isSumFile(v.o.with):
		return nil
	case isDATFile(v.o.with):
		return v.withDAT(ctx)
	}
	other, err := v.other(ctx)
	if err != nil {
		return err
	}
	defer other.Close()
	c, err := check.Compare(ctx, v.img, other, check.CompareOptions{
		AnyOffset: isDriveName(v.o.with), Doubted: v.doubted, Codes: !ofSongs(v.img) && !ofSongs(other), Progress: v.bar.step("comparing"),
		Damaged: func(err error) bool { return isDriveName(v.o.with) && drive.Classify(err).OneCommand() }})
	if err != nil {
		return err
	}
	v.Differences, v.Shift, v.Silent = newDifferences(c.Differences), c.Shift, c.Silent
	v.bar.stop()
	v.judged, v.compared = true, true
	if len(v.found.unequal(c.Differences)) > 0 || v.sameDamage != "" {
		v.wrong()
	}
	v.UnreadFiles = image.FilesAt(ctx, v.img, unreadFlaws(c.Differences), mostFiles)
	return v.subchannels(ctx, other)
}

// other opens the disc or the image to compare with.
func (v *verification) other(ctx context.Context) (disc.Image, error) {
	if !isDriveName(v.o.with) {
		img, found, err := openImage(ctx, v.a, v.o.with)
		found.note(v.a, exitDone)
		if err == nil && (len(img.Flaws()) > 0 || found.doubtful()) {
			v.sameDamage = "some of it is not known to be right"
			if n := img.Flaws().Sectors(); n > 0 {
				v.sameDamage = found.flawText(n)
			}
		}
		return img, err
	}
	d, _, err := v.a.openKnown(ctx, v.o.with, byname.Shared)
	if err != nil {
		return nil, err
	}
	on, err := rip.OpenDisc(ctx, d)
	if err != nil {
		return nil, err
	}
	v.doubted = newPointers(ctx, d, on, v.img).doubted
	cut, err := cutToImage(ctx, d, on, v.img)
	if cut == nil || err != nil {
		return on, err
	}
	v.cut, v.cutFrom = true, cut.layout.Tracks()[0].Start
	return cut, nil
}

// pointers are the error pointers (C2) of a drive: many conceal damage in audio, report no
// error, and mark only there that the samples are not those of the disc.
type pointers struct {
	reader drive.Reader
	form   mmc.C2Mode // NoC2: there are none, or they mark what is right, too
}

// newPointers tries in which form a drive gives its error pointers. A drive that marks three places of
// the audio and any that is the same in the image marks anything. One that marks three places, and
// gives nothing that is in the image, may have a disc of which it can read nothing.
func newPointers(ctx context.Context, d *mmc.Drive, on, img disc.Image) *pointers {
	p := &pointers{reader: drive.Reader{Drive: d, Caps: drive.ReadCaps{Raw: true}}}
	everything := mmc.NoC2 // the form in which all places are marked
	for _, p.form = range []mmc.C2Mode{mmc.C2AndBlock, mmc.C2Bits} {
		all, lies := false, false
		for _, t := range on.Layout().Tracks() {
			if t.Mode.IsData() || on.Layout().Medium != disc.CD {
				continue
			}
			got := p.try(ctx, t, on, img)
			if got == someUnmarked {
				return p
			}
			all, lies = all || got == allMarked, lies || got == goodMarked
		}
		if all && !lies {
			everything = p.form
		}
	}
	p.form = everything
	return p
}

// marks is what the pointers of some places of a track are.
type marks uint8

const (
	noPointers   marks = iota
	someUnmarked       // they distinguish
	allMarked
	goodMarked // what they mark is in the image, too
)

// try looks at the pointers of three places of a track.
func (p *pointers) try(ctx context.Context, t *disc.Track, on, img disc.Image) marks {
	found := noPointers
	for i := range disc.LBA(3) {
		at := t.Start + (t.End-t.Start)*(2*i+1)/6
		switch marked, known := p.marked(ctx, at); {
		case !known:
		case !marked:
			return someUnmarked
		case found == goodMarked:
		case sameAt(ctx, on, img, at):
			found = goodMarked
		default:
			found = allMarked
		}
	}
	return found
}

// sameAt reports whether two images have the same in a sector.
func sameAt(ctx context.Context, a, b disc.Image, at disc.LBA) bool {
	var x, y [cdsector.Size]byte
	return b.Layout().Medium == disc.CD && a.ReadSectors(ctx, x[:], at) == nil && b.ReadSectors(ctx, y[:], at) == nil && x == y
}

// marked reports whether error pointers mark anything in a sector; known is false where they
// do not come.
func (p *pointers) marked(ctx context.Context, at disc.LBA) (marked, known bool) {
	r, err := p.reader.ReadDamaged(ctx, at, p.form)
	if err != nil || r.Marks == nil {
		return false, false
	}
	return *r.Marks != cdsector.Erasures{}, true
}

// doubted reports whether the drive marks a sector of audio.
func (p *pointers) doubted(ctx context.Context, at disc.LBA) bool {
	if p.form == mmc.NoC2 {
		return false
	}
	marked, _ := p.marked(ctx, at)
	return marked
}
