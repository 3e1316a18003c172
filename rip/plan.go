package rip

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"spindle/cue"
	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/scsi/mmc"
)

// plan decides which sectors go where.
func (j *job) plan(ctx context.Context) error {
	for _, n := range j.disc.Notes {
		j.opts.Observer.Note(n)
	}
	told := len(j.disc.Notes)
	var err error
	if j.opts.Format == ISO {
		err = j.planISO(ctx)
	} else {
		err = j.planCue(ctx)
	}
	if err != nil {
		return err
	}
	if j.disc.Medium.Contents.Protection != "" {
		j.disc.note("This disc is protected by %s. spindle does not decrypt it: the image will hold the sectors as the "+
			"drive gives them, and the drive may refuse.", j.disc.Medium.Contents.Protection)
	}
	for _, n := range j.disc.Notes[told:] {
		j.opts.Observer.Note(n)
	}
	j.chooseTransfer()
	return nil
}

func (j *job) planISO(ctx context.Context) error {
	n := int64(0)
	if j.earlier != nil {
		n = j.earlier.Sectors
	} else {
		var err error
		if n, err = j.disc.isoSectors(ctx, j.drive); err != nil {
			return err
		}
	}
	if n <= 0 || n > disc.MaxLBA {
		return fmt.Errorf("%w: it has %d sectors", ErrNotISO, n)
	}
	j.regions = []region{{first: 0, count: int(n), size: mmc.BlockSize, track: j.disc.Layout.Tracks()[0]}}
	j.out.files = []*outFile{{path: j.opts.Output, size: n * mmc.BlockSize}}
	if j.disc.Layout.Medium == disc.CD {
		return j.probe(ctx)
	}
	return nil
}

// probe lets the source find out what the drive can do on this disc.
func (j *job) probe(ctx context.Context) error {
	s, ok := j.disc.source.(*cdSource)
	if !ok {
		for _, t := range j.disc.Layout.Tracks() {
			if !t.Mode.IsData() {
				return fmt.Errorf("%w audio, and track %d is audio", ErrCannotRead, t.Number)
			}
		}
		if j.opts.Subchannel {
			return ErrNoSubchannel
		}
		return nil
	}
	if err := s.probe(ctx, j.drive, j.disc, j.opts.Subchannel); err != nil {
		return err
	}
	if s.c2 == mmc.NoC2 {
		for _, t := range j.disc.Layout.Tracks() {
			j.twice = j.twice || !t.Mode.IsData()
		}
	}
	return nil
}

func (j *job) planCue(ctx context.Context) error {
	l := j.disc.Layout
	if l.Medium != disc.CD {
		return fmt.Errorf("%w, and this is a %s. Rip it to an .iso", ErrNotCD, j.disc.Profile)
	}
	if err := j.probe(ctx); err != nil {
		return err
	}
	pos := int64(0)
	names := j.files().Bins
	for i, t := range l.Tracks() {
		j.regions = append(j.regions, region{
			first: t.Begin(), count: t.Sectors(), pos: pos, size: cdsector.Size, audio: !t.Mode.IsData(), track: t,
		})
		size := int64(t.Sectors()) * cdsector.Size
		if j.opts.Split || i == 0 {
			j.out.files = append(j.out.files, &outFile{path: names[len(j.out.files)], pos: pos})
		}
		j.out.files[len(j.out.files)-1].size += size
		pos += size
	}
	if j.opts.Offset != 0 {
		j.disc.note("With the offset correction, %d samples at the %s of the audio lie outside of what can be read; "+
			"they are silence in the image.", max(j.opts.Offset, -j.opts.Offset), j.offsetSide())
	}
	if j.opts.Subchannel {
		j.out.sub = &outFile{path: j.base() + ".sub", size: pos / cdsector.Size * cdsector.SubSize}
	}
	return nil
}

// offsetSide is where samples are missing that the correction would need.
func (j *job) offsetSide() string {
	if j.opts.Offset < 0 {
		return "start"
	}
	return "end"
}

// base is the output's path without its suffix.
func (j *job) base() string {
	return strings.TrimSuffix(j.opts.Output, filepath.Ext(j.opts.Output))
}

// files names the files of the image and makes its CUE sheet.
func (j *job) files() *cue.Set { return cue.NewSet(j.opts.Output, j.disc.Layout, j.opts.Split) }

// refuseExisting makes sure that no file is overwritten. With Force, the map of an
// earlier run is removed; its files are replaced when the new ones are whole.
func (j *job) refuseExisting() error {
	paths := []string{j.opts.Output}
	for _, f := range j.out.all() {
		paths = append(paths, f.path, f.path+partSuffix)
	}
	if j.opts.Format == CueBin {
		if text := j.files().CDText; text != "" {
			paths = append(paths, text)
		}
	}
	for _, p := range paths {
		if !exists(p) {
			continue
		}
		if !j.opts.Force {
			return fmt.Errorf("%s %w", p, ErrExists)
		}
	}
	if j.opts.Force {
		if err := os.Remove(j.mapPath); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}
