package audio

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"sync"

	"spindle/disc"
)

// ErrDamaged is what errors about a FLAC or MP3 file wrap whose samples cannot be decoded, or are not
// those that were encoded.
var ErrDamaged = errors.New("the sound file is damaged")

// A damageError says up to where a file can be decoded.
type damageError struct {
	file   string
	sample int64
	why    error
}

func (e *damageError) Error() string {
	const rate = 44100
	s := e.sample / rate
	return fmt.Sprintf("%s is damaged: it cannot be decoded beyond %d:%02d (sample %d)", filepath.Base(e.file), s/60, s%60, e.sample)
}

func (e *damageError) Unwrap() []error { return []error{ErrDamaged, e.why} }

// A sumError says that a FLAC file can be decoded, to other samples than it was made of.
type sumError struct{ file string }

func (e *sumError) Error() string {
	return filepath.Base(e.file) + " is damaged: its samples do not have the MD5 that it states"
}

func (e *sumError) Unwrap() error { return ErrDamaged }

// An Examination is what [Examine] found.
type Examination struct {
	// Image is the image, in which what cannot be decoded is silent, and unread. Closing it
	// closes the image that was examined.
	Image disc.Image
	// Proven is the number of files whose samples have the MD5 that the file states.
	Proven int
	// Damaged are the files that are not what was encoded, in the order of the image's files.
	Damaged []Damage
}

// Damage is what is wrong with a file of compressed sound.
type Damage struct {
	File string
	Err  error // wraps [ErrDamaged]
	// Sectors are those that cannot be decoded: none where only the MD5 is wrong.
	Sectors disc.Flaws
}

// Examine decodes the FLAC and MP3 files of an image, each once as a whole, as "flac -t" does.
// Progress receives how many bytes of samples of how many are done; it may be nil.
func Examine(ctx context.Context, img disc.Image, progress func(done, total int64)) (*Examination, error) {
	x := &Examination{Image: img}
	files, err := compressed(ctx, img)
	defer func() {
		for _, f := range files {
			f.Close()
		}
	}()
	if err != nil {
		return nil, err
	}
	proven, errs := decodeAll(ctx, files, progress)
	broken := false
	for i, f := range files {
		var bad *damageError
		switch {
		case errs[i] == nil:
			if proven[i] {
				x.Proven++
			}
		case !errors.Is(errs[i], ErrDamaged):
			return nil, errs[i]
		default:
			broken = broken || errors.As(errs[i], &bad)
			x.Damaged = append(x.Damaged, Damage{File: f.coded.path(), Err: errs[i]})
		}
	}
	if !broken {
		return x, nil
	}
	return x, x.silence(ctx)
}

// compressed opens the FLAC and MP3 files of an image. Those that it opened are returned with an error,
// too.
func compressed(ctx context.Context, img disc.Image) ([]*File, error) {
	if !slices.ContainsFunc(img.Layout().Tracks(), func(t *disc.Track) bool { return !t.Mode.IsData() }) {
		return nil, nil
	}
	var files []*File
	var seen []string
	for _, path := range img.Files() {
		if slices.Contains(seen, path) {
			continue
		}
		seen = append(seen, path)
		f, err := Open(ctx, path)
		switch {
		case errors.Is(err, ErrNotAudio) || errors.Is(err, ErrNotCD):
		case err != nil:
			return files, err
		case f.coded == nil:
			f.Close()
		default:
			files = append(files, f)
		}
	}
	return files, nil
}

// decodeAll decodes files, as many at a time as there are processors, and returns which are proven, and
// what is wrong with each.
func decodeAll(ctx context.Context, files []*File, progress func(done, total int64)) (proven []bool, errs []error) {
	var mu sync.Mutex
	var done, total int64
	for _, f := range files {
		total += f.Size
	}
	advance := func(n int64) {
		mu.Lock()
		defer mu.Unlock()
		if done += n; progress != nil {
			progress(done, total)
		}
	}
	proven, errs = make([]bool, len(files)), make([]error, len(files))
	todo := make(chan int)
	var wg sync.WaitGroup
	for range min(len(files), runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			for i := range todo {
				proven[i], errs[i] = files[i].coded.check(ctx, advance)
			}
		})
	}
	for i := range files {
		todo <- i
	}
	close(todo)
	wg.Wait()
	return proven, errs
}

// silence replaces what cannot be decoded.
func (x *Examination) silence(ctx context.Context) error {
	img := x.Image
	c := disc.Contents{Layout: img.Layout(), Files: img.Files(), Flaws: img.Flaws()}
	for _, t := range img.Layout().Tracks() {
		for a := t.Begin(); a < t.End; {
			e, ok := img.ExtentAt(a)
			if !ok {
				return nil // it is made of something else, and stays as it is
			}
			e.Count = min(e.Count, int(t.End-a))
			a += disc.LBA(e.Count)
			good, err := decodable(ctx, img, e)
			var bad *damageError
			if err != nil && !errors.As(err, &bad) {
				return err
			}
			if good < e.Count {
				rest, _ := img.ExtentAt(e.First + disc.LBA(good))
				c.Extents = append(c.Extents, disc.Extent{First: rest.First, Count: e.Count - good, Form: disc.FormRaw, Sub: rest.Sub})
				x.lost(bad.file, disc.Flaw{First: rest.First, Count: e.Count - good, Kind: disc.Unread})
			}
			if e.Count = good; good > 0 {
				c.Extents = append(c.Extents, e)
			}
		}
	}
	for _, d := range x.Damaged {
		c.Flaws = c.Flaws.Union(d.Sectors)
	}
	c.Closers = append(c.Closers, img)
	whole, err := disc.NewImage(c)
	if err == nil {
		x.Image = whole
	}
	return err
}

func (x *Examination) lost(file string, f disc.Flaw) {
	for i := range x.Damaged {
		if d := &x.Damaged[i]; d.File == file {
			d.Sectors = d.Sectors.Union(disc.FlawsOf(f))
		}
	}
}

// decodable reads the sectors of an extent, and returns how many of them can be read before one
// cannot.
func decodable(ctx context.Context, img disc.Image, e disc.Extent) (int, error) {
	if e.Source == nil || e.Form != disc.FormRaw {
		return e.Count, nil
	}
	const batch = 64
	buf := make([]byte, batch*SectorSize)
	step := batch
	for good := 0; good < e.Count; {
		n := min(step, e.Count-good)
		err := img.ReadSectors(ctx, buf[:n*SectorSize], e.First+disc.LBA(good))
		switch {
		case err == nil:
			good += n
		case n > 1 && errors.Is(err, ErrDamaged):
			step = 1
		default:
			return good, err
		}
	}
	return e.Count, nil
}
