package rip

import (
	"context"
	"fmt"
	"path/filepath"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/image/mapfile"
)

// A NoSpaceError says that a folder has no room for an image. Nothing was made.
type NoSpaceError struct {
	Dir        string
	Need, Have int64 // bytes
}

func (e *NoSpaceError) Error() string {
	return fmt.Sprintf("%s: an image of %d bytes does not fit into the %d bytes that are free", e.Dir, e.Need, e.Have)
}

// checkSpace makes sure, before the first sector is read, that what is still to be written
// fits. Where the system does not say, writing will tell. The error is a [*NoSpaceError].
func (j *job) checkSpace(p *plan, m *mapfile.Map) error {
	need := p.ofAsked(m, mapfile.Finished).Count(mapfile.NonTried) // what a rip that is resumed has tried has its room
	if p.sub != nil {
		need += need / cdsector.Size * cdsector.SubSize
	}
	dir := filepath.Dir(j.opts.Output)
	have, err := j.free(dir)
	if err != nil || need <= have {
		return nil
	}
	return &NoSpaceError{Dir: dir, Need: need, Have: have}
}

// checkNames makes sure, before the disc is looked at, that the names that are known by
// then are free. The error wraps [ErrExists].
func (j *job) checkNames(ctx context.Context) error {
	if j.opts.Force {
		return nil
	}
	l := &disc.Layout{Sessions: []disc.Session{{Tracks: []disc.Track{{Number: 1}}}}}
	p := new(plan)
	if j.opts.Format == ISO {
		p.files = []filePlan{{path: j.opts.Output}}
	} else {
		p.cue(facts{contents: &Contents{Layout: l}}, Options{Output: j.opts.Output, Format: CueBin, Subchannel: j.opts.Subchannel})
		if j.opts.Split {
			p.files = nil // their names follow from the tracks
		}
	}
	return j.clearTheWay(ctx, p)
}
