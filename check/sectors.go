// Package check answers whether an image is right: whether its data sectors hold
// together (sync pattern, address, EDC, P and Q parity), what its hashes are, and
// whether they are those that a checksum file, an implanted checksum or a DAT
// file states; and whether two images hold the same disc.
package check

import (
	"context"
	"encoding/binary"
	"fmt"
	"runtime"
	"sync"

	"spindle/check/dat"
	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/disc/digest"
)

// A Problem is what is wrong with a sector.
type Problem string

// The problems.
const (
	BadSync      Problem = "no sync pattern"
	BadAddress   Problem = "wrong address in its header"
	BadMode      Problem = "another mode than its track"
	BadEDC       Problem = "wrong EDC"
	BadParity    Problem = "wrong parity"
	BadSubheader Problem = "the two copies of its sub-header differ"
)

// A BadRange is a run of sectors with the same problem.
type BadRange struct {
	Track   int      `json:"track"`
	First   disc.LBA `json:"first"`
	Last    disc.LBA `json:"last"` // inclusive
	Problem Problem  `json:"problem"`
}

// TrackReport is what was found in a track.
type TrackReport struct {
	Track   int    `json:"track"`
	Sectors int    `json:"sectors"`
	Checked int    `json:"checked"` // sectors whose EDC the image stores
	Mode    string `json:"mode"`
	digest.Sums
}

// Report is what [Sectors] found.
type Report struct {
	Tracks []TrackReport
	Whole  digest.Sums
	Bad    []BadRange
}

// BadSectors counts the sectors in Bad.
func (r *Report) BadSectors() int {
	n := 0
	for _, b := range r.Bad {
		n += int(b.Last-b.First) + 1
	}
	return n
}

// Checked counts the sectors whose EDC the image stores.
func (r *Report) Checked() int {
	n := 0
	for _, t := range r.Tracks {
		n += t.Checked
	}
	return n
}

// Disc is what a DAT file knows of the image.
func (r *Report) Disc() dat.Disc {
	d := dat.Disc{Whole: r.Whole}
	for i := range r.Tracks {
		d.Tracks = append(d.Tracks, dat.Track{Number: r.Tracks[i].Track, Sums: r.Tracks[i].Sums})
	}
	return d
}

// Options say what to do besides looking at each sector.
type Options struct {
	NoHashes bool
	// Progress receives how many bytes of how many are done. It may be nil.
	Progress func(done, total int64)
	// Proof, if not nil, takes all sectors.
	Proof *Proof
}

// batchSectors is how many sectors go through the workers at a time.
const batchSectors = 256

// job is a batch on its way: read, then checked by any worker, and hashed in
// order.
type job struct {
	t       *disc.Track
	index   int // of the track
	first   disc.LBA
	n       int
	store   *[batchSectors * cdsector.Size]byte
	buf     []byte // the part of store that holds sectors
	bad     []BadRange
	checked int
	done    chan struct{} // closed when it is checked
}

// Sectors reads the whole image once, checks on all cores every data sector that the image
// stores with its codes, and hashes the whole and each track. Codes that are computed around
// user data as it is read prove nothing; images of DVDs and BDs have none.
func Sectors(ctx context.Context, img disc.Image, opts Options) (*Report, error) {
	l := img.Layout()
	size := l.Medium.SectorSize()
	r := new(Report)
	var sizes []int64
	for _, t := range l.Tracks() {
		r.Tracks = append(r.Tracks, TrackReport{Track: t.Number, Sectors: t.Sectors(), Mode: t.Mode.String()})
		sizes = append(sizes, int64(t.Sectors())*int64(size))
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	workers := runtime.GOMAXPROCS(0)
	todo, ordered := make(chan *job, workers), make(chan *job, 2*workers)
	var readErr error
	var wg sync.WaitGroup
	wg.Go(func() {
		defer close(todo)
		defer close(ordered)
		readErr = readAll(ctx, img, todo, ordered)
	})
	for range workers {
		wg.Go(func() {
			for j := range todo {
				if l.Medium == disc.CD {
					j.check(img)
				}
				close(j.done)
			}
		})
	}
	err := r.collect(ordered, sizes, opts)
	cancel()
	for range ordered { // let the reader end
	}
	wg.Wait()
	if err == nil {
		err = readErr
	}
	return r, err
}

// buffers are reused between batches.
var buffers = sync.Pool{New: func() any { return new([batchSectors * cdsector.Size]byte) }}

// readAll reads the tracks in order and hands each batch to the workers and to
// the collector.
func readAll(ctx context.Context, img disc.Image, todo, ordered chan<- *job) error {
	size := img.Layout().Medium.SectorSize()
	for i, t := range img.Layout().Tracks() {
		for a := t.Begin(); a < t.End; a += batchSectors {
			j := &job{t: t, index: i, first: a, n: min(batchSectors, int(t.End-a)), done: make(chan struct{})}
			j.store = buffers.Get().(*[batchSectors * cdsector.Size]byte)
			j.buf = j.store[:j.n*size]
			if err := img.ReadSectors(ctx, j.buf, a); err != nil {
				return err
			}
			for _, c := range []chan<- *job{ordered, todo} {
				select {
				case c <- j:
				case <-ctx.Done():
					if c != todo {
						return ctx.Err()
					}
					close(j.done) // it is among the ordered ones already
					return ctx.Err()
				}
			}
		}
	}
	return nil
}

// collect takes the batches in order.
func (r *Report) collect(ordered <-chan *job, sizes []int64, opts Options) error {
	var h *digest.Hasher
	if !opts.NoHashes {
		h = digest.New(digest.All, sizes)
	}
	var done, total int64
	for _, n := range sizes {
		total += n
	}
	var feed *digest.Feed
	if h != nil {
		feed = h.Feed(2 * runtime.GOMAXPROCS(0))
		defer feed.Close()
	}
	for j := range ordered {
		<-j.done
		r.Tracks[j.index].Checked += j.checked
		for _, b := range j.bad {
			r.add(b)
		}
		done += int64(len(j.buf))
		if opts.Proof != nil {
			if err := opts.Proof.Take(j.first, j.buf); err != nil {
				return err
			}
		}
		if feed != nil {
			feed.Put(j.buf, func() { buffers.Put(j.store) })
		} else {
			buffers.Put(j.store)
		}
		if opts.Progress != nil {
			opts.Progress(done, total)
		}
	}
	if feed != nil {
		if err := feed.Close(); err != nil {
			return err
		}
	}
	if h != nil && done == total {
		whole, parts := h.Sums()
		r.Whole = whole
		for i := range parts {
			r.Tracks[i].Sums = parts[i]
		}
	}
	return nil
}

func (r *Report) add(b BadRange) {
	if k := len(r.Bad) - 1; k >= 0 {
		last := &r.Bad[k]
		if last.Track == b.Track && last.Problem == b.Problem && last.Last+1 == b.First {
			last.Last = b.Last
			return
		}
	}
	r.Bad = append(r.Bad, b)
}

// check looks at each sector of a batch that the image stores with its codes.
func (j *job) check(img disc.Image) {
	if !j.t.Mode.IsData() {
		return
	}
	for i := 0; i < j.n; {
		stored, n := storesCodes(img, j.first+disc.LBA(i))
		n = min(n, j.n-i)
		if stored {
			j.checkRun(i, i+n)
		}
		i += n
	}
}

// checkRun looks at the sectors [from, to) of a batch.
func (j *job) checkRun(from, to int) {
	for i := from; i < to; i++ {
		at := j.first + disc.LBA(i)
		p, coded := SectorProblem((*[cdsector.Size]byte)(j.buf[i*cdsector.Size:]), j.t, at)
		if coded {
			j.checked++
		}
		if p != "" {
			j.bad = append(j.bad, BadRange{Track: j.t.Number, First: at, Last: at, Problem: p})
		}
	}
}

// storesCodes reports whether the codes of a sector of data are what the image has, and not
// made from its user data, and for how many sectors from there on that holds. What stands in
// no file, as the sectors of a disc in a drive, is what the image has.
func storesCodes(img disc.Image, at disc.LBA) (stored bool, n int) {
	e, ok := img.ExtentAt(at)
	if !ok {
		return true, 1
	}
	return e.Source != nil && !e.Form.MakesEDC() && e.Form != disc.FormMode0, max(1, e.Count)
}

// SectorProblem says what is wrong with a sector of a data track, or nothing, and whether it
// carries codes that show it.
func SectorProblem(s *[cdsector.Size]byte, t *disc.Track, at disc.LBA) (p Problem, coded bool) {
	if !cdsector.HasSync(s) {
		if at < t.Start {
			return "", false // a pregap that begins as audio
		}
		return BadSync, true
	}
	if own, ok := cdsector.Address(s); !ok || own != at.MSF() {
		return BadAddress, true
	}
	if s[15]&3 != modeByte(t.Mode) && at >= t.Start {
		return BadMode, true
	}
	kind := kindOf(s, t)
	switch kind {
	case cdsector.Bad:
		return BadMode, true
	case cdsector.Mode0, cdsector.Mode2, cdsector.Audio:
		return "", false
	}
	switch {
	case !cdsector.EDCOK(s, kind):
		return BadEDC, true
	case !cdsector.ParityOK(s, kind):
		return BadParity, true
	case kind != cdsector.Mode1 && binary.LittleEndian.Uint32(s[16:]) != binary.LittleEndian.Uint32(s[20:]):
		return BadSubheader, true
	}
	return "", kind != cdsector.Form2 || binary.LittleEndian.Uint32(s[2348:]) != 0
}

// modeByte is what the headers of a data track's sectors state.
func modeByte(m disc.Mode) byte {
	switch m {
	case disc.Mode0:
		return 0
	case disc.Mode2:
		return 2
	}
	return 1
}

// kindOf is cdsector.Classify that also knows an XA sector one of whose two
// sub-headers is damaged: when the EDC fits form 1 or form 2, it is that.
func kindOf(s *[cdsector.Size]byte, t *disc.Track) cdsector.Kind {
	kind := cdsector.Classify(s)
	if kind != cdsector.Mode2 || t.Mode != disc.Mode2 {
		return kind
	}
	for _, k := range [...]cdsector.Kind{cdsector.Form1, cdsector.Form2} {
		if stored := s[2348:]; k == cdsector.Form2 && stored[0]|stored[1]|stored[2]|stored[3] == 0 {
			continue
		}
		if cdsector.EDCOK(s, k) {
			return k
		}
	}
	return kind
}

// String describes the range in a line.
func (b BadRange) String() string {
	if b.First == b.Last {
		return fmt.Sprintf("track %d, sector %d: %s", b.Track, b.First, b.Problem)
	}
	return fmt.Sprintf("track %d, sectors %d to %d (%d): %s", b.Track, b.First, b.Last, b.Last-b.First+1, b.Problem)
}
