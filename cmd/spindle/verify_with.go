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
	if len(v.Differences) > 0 || v.sameDamage != "" {
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
	v.doubted = newPointers(ctx, d, on).doubted
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

// newPointers tries in which form a drive gives its error pointers. Three places of the audio
// that are all marked are taken for a drive that marks anything.
func newPointers(ctx context.Context, d *mmc.Drive, on disc.Image) *pointers {
	p := &pointers{reader: drive.Reader{Drive: d, Caps: drive.ReadCaps{Raw: true}}}
	for _, t := range on.Layout().Tracks() {
		if t.Mode.IsData() || on.Layout().Medium != disc.CD {
			continue
		}
		for _, p.form = range []mmc.C2Mode{mmc.C2AndBlock, mmc.C2Bits} {
			for i := range disc.LBA(3) {
				if marked, known := p.marked(ctx, t.Start+(t.End-t.Start)*(2*i+1)/6); known && !marked {
					return p
				}
			}
		}
	}
	p.form = mmc.NoC2
	return p
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
