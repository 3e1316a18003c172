package merge

import (
	"context"
	"slices"
	"sync"

	"spindle/disc"
	"spindle/disc/cdsector"
)

// sampleBytes is the size of a stereo sample of 16 bits.
const sampleBytes = 4

// maxShift is by how many samples the audio of two images may be apart: five sectors, and
// drives are known to be off by less.
const maxShift = 5 * cdsector.Size / sampleBytes

// A span is the bytes [from, to).
type span struct{ from, to int64 }

// A stretch is the sectors [first, end).
type stretch struct{ first, end disc.LBA }

func (s stretch) has(a disc.LBA) bool { return a >= s.first && a < s.end }

// A source is an image as the merge sees it: with its audio moved to where that of the
// others is.
type source struct {
	index    int
	name     string
	img      disc.Image
	doubtful bool
	origin   *Provenance

	flaws disc.Flaws // of the image, its audio moved
	own   disc.Flaws // of the image, as it has them
	all   []stretch  // the sectors of its tracks
	audio []stretch  // of these, the runs of audio
	shift int        // by how many samples its audio comes later than that of the merge
	edges []span     // of the audio, moved: silence that an offset may have left

	mu     sync.Mutex
	lost   disc.Flaws // sectors that its files do not give
	reason error      // of the first
}

func newSource(index int, in Input) *source {
	s := &source{index: index, name: in.Name, img: in.Image, doubtful: in.Doubtful, origin: in.Origin, own: in.Image.Flaws()}
	for _, t := range in.Image.Layout().Tracks() {
		s.all = join(s.all, stretch{t.Begin(), t.End})
		if !t.Mode.IsData() {
			s.audio = join(s.audio, stretch{t.Begin(), t.End})
		}
	}
	s.flaws = s.own
	return s
}

// join appends a stretch, or makes the last one longer where it follows it.
func join(all []stretch, s stretch) []stretch {
	if k := len(all) - 1; k >= 0 && all[k].end == s.first {
		all[k].end = s.end
		return all
	}
	return append(all, s)
}

// move says by how many samples the audio comes late.
func (s *source) move(shift int) {
	s.shift = shift
	if shift == 0 {
		return
	}
	// A sector is made of two of the image: it has the flaws of both.
	low := wholeSectors(shift)
	flaws := s.own
	for _, r := range s.audio {
		flaws = flaws.Without(r.first, r.end)
	}
	for _, r := range s.audio {
		var moved disc.Flaws
		for _, by := range []int{low, low + 1} {
			moved = moved.Union(s.own.Clip(r.first, r.end).Shift(disc.LBA(-by)))
		}
		flaws = flaws.Union(moved.Clip(r.first, r.end))
	}
	s.flaws = flaws
}

// wholeSectors returns how many sectors samples are, rounded down, also below zero.
func wholeSectors(samples int) int {
	const each = cdsector.Size / sampleBytes
	n := samples / each
	if samples%each < 0 {
		n--
	}
	return n
}

// A reading is sectors of one source.
type reading struct {
	store *[batchSectors * cdsector.Size]byte
	has   [batchSectors]bool
	codes [batchSectors]bool // that the image stores; others prove nothing
	kinds [batchSectors]disc.FlawKind
	edges []span // of it
}

var stores = sync.Pool{New: func() any { return new([batchSectors * cdsector.Size]byte) }}

func (r *reading) release() { stores.Put(r.store) }

// A piece is one source's copy of a sector.
type piece struct {
	bytes  []byte // nil where it has none
	kind   disc.FlawKind
	stored bool // its codes are in a file
	silent span // that an offset may have left
}

func (r *reading) piece(i, size int) piece {
	if !r.has[i] {
		return piece{}
	}
	p := piece{bytes: r.store[i*size : (i+1)*size], kind: r.kinds[i], stored: r.codes[i]}
	for _, e := range r.edges {
		at := int64(i * size)
		if from, to := max(e.from-at, 0), min(e.to-at, int64(size)); from < to {
			p.silent = span{from, to}
		}
	}
	return p
}

// read reads n sectors of a track of the merge. What the source does not have, or does not
// give, is missing in what is returned; only the end of ctx is an error.
func (s *source) read(ctx context.Context, t *disc.Track, first disc.LBA, n int) (*reading, error) {
	r := &reading{store: stores.Get().(*[batchSectors * cdsector.Size]byte)}
	size := s.img.Layout().Medium.SectorSize()
	read := s.readPlain
	if s.shift != 0 && !t.Mode.IsData() {
		read = s.readShifted
	}
	if err := read(ctx, r.store[:n*size], r.has[:n], first); err != nil {
		r.release()
		return nil, err
	}
	flaws := s.flaws.Clip(first, first+disc.LBA(n))
	for i := range n {
		r.kinds[i] = kindOf(flaws, first+disc.LBA(i))
		if s.doubtful {
			r.kinds[i] = max(r.kinds[i], disc.Unproven)
		}
	}
	if !t.Mode.IsData() {
		s.markEdges(r, first, n)
		return r, nil
	}
	for i := 0; i < n; {
		e, ok := s.img.ExtentAt(first + disc.LBA(i))
		k := 1
		if ok {
			k = max(1, min(e.Count, n-i))
		}
		if ok && e.Source != nil && (e.Form == disc.FormRaw || e.Form == disc.FormMode2) {
			for j := range k {
				r.codes[i+j] = true
			}
		}
		i += k
	}
	return r, nil
}

// readPlain reads the sectors that p has room for where they are, one by one where they do
// not come together, and says which came.
func (s *source) readPlain(ctx context.Context, p []byte, has []bool, first disc.LBA) error {
	size := len(p) / len(has)
	for _, x := range s.all {
		from, to := max(first, x.first), min(first+disc.LBA(len(has)), x.end)
		if from >= to {
			continue
		}
		at, k := int(from-first), int(to-from)
		err := s.img.ReadSectors(ctx, p[at*size:(at+k)*size], from)
		for i := at; i < at+k; i++ {
			if has[i] = err == nil; has[i] {
				continue
			}
			a := first + disc.LBA(i)
			err := s.img.ReadSectors(ctx, p[i*size:(i+1)*size], a)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if has[i] = err == nil; err != nil {
				s.lose(a, err)
			}
		}
	}
	return nil
}

// lose notes a sector that the files do not give.
func (s *source) lose(a disc.LBA, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lost = s.lost.Union(disc.Flaws{{First: a, Count: 1, Kind: disc.Unread}})
	if s.reason == nil {
		s.reason = err
	}
}

// readShifted reads audio as if it came as early as that of the merge. A sector of which a
// sample lies outside of the audio of the image is missing.
func (s *source) readShifted(ctx context.Context, p []byte, has []bool, first disc.LBA) error {
	const size, samples = cdsector.Size, cdsector.Size / sampleBytes
	low := wholeSectors(s.shift)
	skip := (s.shift - low*samples) * sampleBytes // of the first sector of the image
	begin := first + disc.LBA(low)
	wide, came := make([]byte, (len(has)+1)*size), make([]bool, len(has)+1)
	for _, x := range s.audio {
		if !x.has(first) {
			continue
		}
		from, to := max(begin, x.first), min(begin+disc.LBA(len(came)), x.end)
		if from < to {
			at, k := int(from-begin), int(to-from)
			if err := s.readPlain(ctx, wide[at*size:(at+k)*size], came[at:at+k], from); err != nil {
				return err
			}
		}
	}
	for i := range has {
		has[i] = came[i] && (skip == 0 || came[i+1])
	}
	copy(p, wide[skip:])
	return nil
}

// markEdges notes what of a reading of audio may be silence that an offset left.
func (s *source) markEdges(r *reading, first disc.LBA, n int) {
	base := int64(first) * cdsector.Size
	for _, e := range s.edges {
		if from, to := max(e.from-base, 0), min(e.to-base, int64(n)*cdsector.Size); from < to {
			r.edges = append(r.edges, span{from, to})
		}
	}
}

// findEdges finds the silence at both ends of each run of audio, as far as an offset may
// have put it there.
func (s *source) findEdges(ctx context.Context) {
	const most = maxShift * sampleBytes / cdsector.Size
	by := int64(s.shift) * sampleBytes
	for _, x := range s.audio {
		n := min(most, int(x.end-x.first)/2)
		p := make([]byte, n*cdsector.Size)
		if n == 0 || s.img.ReadSectors(ctx, p, x.first) != nil {
			continue
		}
		begin := int64(x.first)*cdsector.Size - by
		head := slices.IndexFunc(p, func(b byte) bool { return b != 0 })
		if head < 0 {
			head = len(p)
		}
		s.edge(begin, begin+int64(head))
		if s.img.ReadSectors(ctx, p, x.end-disc.LBA(n)) != nil {
			continue
		}
		tail := 0
		for tail < len(p) && p[len(p)-1-tail] == 0 {
			tail++
		}
		end := int64(x.end)*cdsector.Size - by
		s.edge(end-int64(tail), end)
	}
}

func (s *source) edge(from, to int64) {
	if from < to {
		s.edges = append(s.edges, span{from, to})
	}
}
