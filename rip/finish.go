package rip

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"os"

	"spindle/cue"
	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/image/mapfile"
	"spindle/internal/atomicfile"
	"spindle/scsi/mmc"
)

// finish hashes what was not hashed while it was read, gives all files their
// names, and says what was made.
func (j *job) finish(ctx context.Context, r *reader) (*Result, error) {
	w, p, last := j.writer, j.writer.plan, r.progress
	last.Phase, last.Pass, last.Sectors, last.Bad, last.Total, last.Damage = Hashing, 0, 0, 0, p.regions.size(), nil
	m := w.tracker.snapshot()
	isPart := p.isPart(m)
	if !isPart {
		if err := w.hashRest(ctx, func(done int64) {
			last.Done = done
			j.opts.Observer.Progress(last)
		}); err != nil {
			return nil, err
		}
	}
	r.noteSilence()
	res := j.result(r, m)
	if err := j.nameImage(p, m, res); err != nil {
		return nil, err
	}
	if !isPart {
		if err := res.sums(ctx, w); err != nil {
			return nil, err
		}
	}
	if w.rebuilt && j.opts.Format == CueBin {
		j.opts.Observer.Note(Note{Code: NoteRebuilt})
	}
	if w.subs.moved {
		j.opts.Observer.Note(Note{Code: NoteSubMoved, Count: int64(w.subs.ahead)})
	}
	if err := j.settleMap(m, res, isPart); err != nil {
		return nil, err
	}
	return res, nil
}

// nameImage gives all files their names, unless they are to replace better ones, and writes the texts beside them.
func (j *job) nameImage(p *plan, m *mapfile.Map, res *Result) error {
	if err := j.writer.out.settle(); err != nil {
		return fmt.Errorf("%w: %w", ErrOutput, err)
	}
	if len(res.Bad) > 0 {
		if better, err := j.replacesBetter(p, m); better || err != nil {
			return cmp.Or(err, ErrWorse)
		}
	}
	if err := j.takePlace(j.writer.out.name); err != nil {
		return fmt.Errorf("%w: %w", ErrOutput, err)
	}
	if err := j.texts(p, res); err != nil {
		return fmt.Errorf("%w: %w", ErrOutput, err)
	}
	return nil
}

// settleMap seals the map of an image that is not whole, and removes that of one that is.
func (j *job) settleMap(m *mapfile.Map, res *Result, isPart bool) error {
	switch {
	case isPart:
		res.Map = j.mapPath
		return nil
	case len(res.Bad) > 0:
		res.Map = j.mapPath
		return j.seal(m, seal{res.Whole.SHA256, res.subSum})
	}
	if j.opts.Named != nil {
		if err := j.opts.Named(res); err != nil {
			return err
		}
	}
	if err := os.Remove(j.mapPath); err != nil {
		return err
	}
	if !j.stale {
		return nil
	}
	path, err := res.ReplaceSums(j.opts.Output)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrOutput, err)
	}
	res.Others = append(res.Others, path)
	return nil
}

// result is what was read, by the map m.
func (j *job) result(r *reader, m *mapfile.Map) *Result {
	p := j.writer.plan
	res := &Result{
		Contents: r.disc, Sectors: p.regions.sectors(), ReadTwice: p.readTwice, Proven: r.proven, Overread: r.overreads(),
		Combined: r.evidence.won, Votes: r.voted, Settled: r.settled, Repaired: r.repaired,
		Pointed: p.regions.hasAudio() && p.caps.C2 != mmc.NoC2,
		Bad:     listBad(p.ofAsked(m, mapfile.Finished), p.regions, &r.refusals),
		Absent:  r.unwrittenSectors,
	}
	asked := p.ofAsked(m, mapfile.NonTried)
	res.Beyond = (asked.Count(mapfile.NonTried) - m.Count(mapfile.NonTried)) / cdsector.Size
	for i := range p.regions {
		if p.regions[i].void == gap {
			res.Absent += int64(p.regions[i].count)
		}
	}
	return res
}

// texts writes the sheets, and names the files beside the image.
func (j *job) texts(p *plan, r *Result) (err error) {
	if p.set != nil {
		if r.Others, err = j.writeTexts(p.set); err != nil {
			return err
		}
	}
	if p.sub != nil {
		r.Others = append(r.Others, p.sub.path)
	}
	return nil
}

// sums takes over the hashes, and makes that of the sub-channels.
func (r *Result) sums(ctx context.Context, w *writer) (err error) {
	whole, tracks := w.hasher.Sums()
	r.Whole = whole
	numbers, _ := w.plan.regions.tracks()
	for i, s := range tracks {
		r.Tracks = append(r.Tracks, TrackSums{Track: numbers[i], Sums: s})
	}
	for i, f := range w.plan.files {
		of := ImageFile{Path: f.path, Sums: whole}
		if len(w.plan.files) > 1 { // one a track
			of.Sums = tracks[i]
		}
		r.Images = append(r.Images, of)
	}
	if sub := w.out.sub; sub != nil {
		r.sub = sub.path
		r.subSum, err = hashFile(ctx, sub.f)
	}
	return err
}

// writeTexts writes the CUE sheet, and the CD-TEXT that it cannot say. One that an earlier run
// wrote, and that somebody has edited since, stays.
func (j *job) writeTexts(set *cue.Set) ([]string, error) {
	var made []string
	for _, x := range set.Texts() {
		if j.resumed && !j.over && exists(x.Path) {
			switch b, err := os.ReadFile(x.Path); {
			case err != nil:
				j.opts.Observer.Note(Note{Code: NoteSheetUnread, Path: x.Path, Err: err})
			case !bytes.Equal(b, x.Data):
				j.opts.Observer.Note(Note{Code: NoteSheetKept, Path: x.Path})
			}
			made = append(made, x.Path)
			continue
		}
		if err := atomicfile.WriteBytes(x.Path, x.Data); err != nil {
			return made, err
		}
		made = append(made, x.Path)
	}
	return made, nil
}

// reasons are why sectors are not right. Those that were not tried one by one are of
// a rip that gave up.
var reasons = map[mapfile.Status]Reason{
	mapfile.NonTried: NotTried, mapfile.NonTrimmed: GivenUp, unread: Unreadable,
	flawed: Flawed, readOnce: NotCompared,
}

// listBad lists what is not right in the image.
func listBad(m *mapfile.Map, rs regions, refused *refusals) []BadRange {
	var bad []BadRange
	for _, b := range m.Blocks() {
		if b.Status == mapfile.Finished {
			continue
		}
		for pos := b.Pos; pos < b.End(); {
			g := rs.find(pos)
			end := min(b.End(), g.pos+g.bytes())
			reason := reasons[b.Status]
			if reason != Flawed && reason != NotCompared && refused.m != nil {
				if refused.has(pos) {
					reason = Protected
				}
				end = min(end, refused.end(pos))
			}
			n := (end - pos) / int64(g.size)
			at := g.at(pos)
			pos += n * int64(g.size)
			if k := len(bad) - 1; k >= 0 && bad[k].Last+1 == at && bad[k].Track == g.track.Number && bad[k].Reason == reason {
				bad[k].Last = at + disc.LBA(n) - 1
				continue
			}
			bad = append(bad, BadRange{Track: g.track.Number, First: at, Last: at + disc.LBA(n) - 1, Reason: reason})
		}
	}
	return bad
}

// Flaws returns the bad sectors as an image states them.
func (r *Result) Flaws() disc.Flaws {
	var all []disc.Flaw
	for _, b := range r.Bad {
		kind := disc.Unread
		switch b.Reason {
		case Flawed:
			kind = disc.ReadWithErrors
		case NotCompared:
			kind = disc.Unproven
		}
		all = append(all, disc.Flaw{First: b.First, Count: int(b.Last-b.First) + 1, Kind: kind})
	}
	return disc.FlawsOf(all...)
}
