package rip

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"spindle/disc"
	"spindle/rip/mapfile"
)

// finish hashes what was not hashed while it was read, gives all files their
// names, and says what was made.
func (j *job) finish(ctx context.Context, resumed bool) (*Result, error) {
	if err := j.hashRest(ctx); err != nil {
		return nil, err
	}
	res := &Result{Disc: j.disc, Sectors: j.sectors(), Resumed: resumed, ReadTwice: j.twice}
	var err error
	if res.Bad, err = j.listBad(); err != nil {
		return nil, err
	}
	if err := j.out.finish(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrOutput, err)
	}
	if j.opts.Format == CueBin {
		if res.Others, err = j.writeSheet(); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrOutput, err)
		}
	}
	if j.out.sub != nil {
		res.Others = append(res.Others, j.out.sub.path)
	}
	whole, sums := j.hasher.Sums()
	res.Whole = whole
	for i, s := range sums {
		res.Tracks = append(res.Tracks, TrackSums{Track: j.regions[i].track.Number, Sums: s})
	}
	for i, f := range j.out.files {
		of := ImageFile{Path: f.path, Sums: whole}
		if len(j.out.files) > 1 { // one a track
			of.Sums = sums[i]
		}
		res.Images = append(res.Images, of)
	}
	if j.rebuilt && j.opts.Format == CueBin {
		j.opts.Observer.Note("The drive gave data sectors without their error correction codes; they were computed anew.")
	}
	if len(res.Bad) > 0 {
		res.Map = j.mapPath
		return res, nil
	}
	if err := os.Remove(j.mapPath); err != nil {
		return nil, err
	}
	return res, nil
}

// writeSheet writes the CUE sheet, and the CD-TEXT that it cannot say.
func (j *job) writeSheet() ([]string, error) {
	var made []string
	for _, x := range j.files().Texts() {
		err := replaceFile(x.Path, func(f *os.File) error {
			_, err := f.Write(x.Data)
			return err
		})
		if err != nil {
			return made, err
		}
		made = append(made, x.Path)
	}
	return made, nil
}

// hashRest hashes the image from where the hashing while reading ended.
func (j *job) hashRest(ctx context.Context) error {
	size := j.size()
	if j.hasher.Offset() == size {
		return nil
	}
	// Bytes that were never written at the end of the image count too.
	for _, f := range j.out.files {
		if err := f.f.Truncate(f.size); err != nil {
			return fmt.Errorf("%w: %w", ErrOutput, err)
		}
	}
	p := j.progress
	p.Phase, p.Pass, p.Sectors, p.Bad, p.Total = Hashing, 0, 0, 0, size
	buf := make([]byte, 1<<20)
	for at := j.hasher.Offset(); at < size; at = j.hasher.Offset() {
		if err := ctx.Err(); err != nil {
			return err
		}
		b := buf[:min(int64(len(buf)), size-at)]
		if err := j.out.readAt(b, at); err != nil {
			return fmt.Errorf("%w: %w", ErrOutput, err)
		}
		if _, err := j.hasher.Write(b); err != nil {
			return err
		}
		p.Done = j.hasher.Offset()
		j.opts.Observer.Progress(p)
	}
	return nil
}

// listBad lists what is not right in the image. Whether a sector was never read
// or only read with errors is seen by what stands in its place.
func (j *job) listBad() ([]BadRange, error) {
	var bad []BadRange
	for _, b := range j.m.Blocks() {
		if b.Status == mapfile.Finished {
			continue
		}
		for pos := b.Pos; pos < b.End(); {
			r := j.regionAt(pos)
			at := r.at(pos)
			reason, err := j.reasonAt(r, at, pos)
			if err != nil {
				return nil, err
			}
			if k := len(bad) - 1; k >= 0 && bad[k].Last+1 == at && bad[k].Track == r.track.Number && bad[k].Reason == reason {
				bad[k].Last = at
			} else {
				bad = append(bad, BadRange{Track: r.track.Number, First: at, Last: at, Reason: reason})
			}
			pos += int64(r.size)
		}
	}
	return bad, nil
}

func (j *job) reasonAt(r *region, at disc.LBA, pos int64) (Reason, error) {
	is, fill := make([]byte, r.size), make([]byte, r.size)
	if err := j.out.readAt(is, pos); err != nil {
		return "", fmt.Errorf("%w: %w", ErrOutput, err)
	}
	fillSector(fill, r, at)
	if string(is) == string(fill) {
		return Unreadable, nil
	}
	return Flawed, nil
}

// WriteSums writes the SHA-256 of each image file beside the output, in the form
// that sha256sum checks, and returns the path.
func (r *Result) WriteSums(output string, force bool) (string, error) {
	path := output + ".sha256"
	if exists(path) && !force {
		return "", fmt.Errorf("%s %w", path, ErrExists)
	}
	return path, replaceFile(path, func(f *os.File) error {
		for _, img := range r.Images {
			if _, err := fmt.Fprintf(f, "%s *%s\n", img.SHA256, filepath.Base(img.Path)); err != nil {
				return err
			}
		}
		return nil
	})
}
