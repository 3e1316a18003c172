package packed

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// A point is a place at which reading can start.
type point struct {
	packed int64  // byte in the file
	plain  int64  // byte in the content
	head   []byte // what must come before the bytes at packed
}

// A Reader is the content of a compressed file. Reading forwards unpacks as it
// goes; a step back starts over from the last point before, and when that happens
// too often, the content goes to a temporary file after all. It is safe for
// concurrent use.
type Reader struct {
	file   *os.File
	method method
	packed int64 // size of the file
	size   int64 // of the content
	cut    bool
	damage *DamagedError // that was found when the size was

	mu     sync.Mutex
	bad    []*DamagedError // that was found since
	points []point
	cur    io.ReadCloser
	at     int64 // in the content
	whole  bool  // cur began at the start of the content
	starts int
	pages  map[int64]*page
	tick   int64
	plain  *os.File // the content, unpacked
}

// page is some of the content, kept for it may be asked for again: directories,
// descriptors at the start, tables at the end.
type page struct {
	data []byte
	used int64 // the tick of its last use
}

const (
	pageSize  = 128 << 10
	mostPages = 64
	// mostStarts is how often reading may start over before the content is
	// unpacked to a file.
	mostStarts = 12
)

// Size returns the number of bytes of the content.
func (r *Reader) Size() int64 { return r.size }

// Cut reports whether the file ends before its content does. How much is missing, nothing
// says.
func (r *Reader) Cut() bool { return r.cut }

// Damage returns what is wrong with a file that was read through to know its size, or nil.
// What could be unpacked of it may be wrong, too.
func (r *Reader) Damage() *DamagedError { return r.damage }

// Method returns how the file is compressed: "gzip", "xz", "zstd", "bzip2".
func (r *Reader) Method() string { return r.method.name }

// Close closes the file.
func (r *Reader) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stop()
	err := r.file.Close()
	if r.plain != nil {
		err = errors.Join(err, r.plain.Close(), removeTemp(r.plain.Name()))
		r.plain = nil
	}
	return err
}

// removeTemp removes a temporary file that may be gone already.
func removeTemp(name string) error {
	if err := os.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

func (r *Reader) stop() {
	if r.cur != nil {
		r.cur.Close()
		r.cur = nil
	}
}

// measure reads everything once, to know how much there is. The pages that it
// passes last are those at the end of the content, and are kept.
func (r *Reader) measure(ctx context.Context) error {
	if err := r.start(0); err != nil {
		return err
	}
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := r.nextPage()
		if errors.Is(err, ErrTooLarge) {
			return err
		}
		if errors.Is(err, io.ErrUnexpectedEOF) && r.at > 0 {
			r.size, r.cut = r.at, true
			r.stop() // what it would give next is wrong
			return nil
		}
		if err != nil && r.at > 0 {
			r.size, r.cut = r.at, !errors.Is(err, gzip.ErrChecksum) // behind which all is there
			r.damage = r.failed(r.at, err)
			r.stop()
			return nil
		}
		if err != nil {
			return err
		}
		if n < pageSize {
			r.size = r.at
			return nil
		}
	}
}

// start starts over at the last point that is not behind want.
func (r *Reader) start(want int64) error {
	r.stop()
	p := r.points[0]
	for _, q := range r.points {
		if q.plain <= want {
			p = q
		}
	}
	in := io.Reader(io.NewSectionReader(r.file, p.packed, r.packed-p.packed))
	if p.head != nil {
		in = io.MultiReader(newBytesReader(p.head), in)
	}
	cur, err := r.method.open(in)
	if err != nil {
		return err
	}
	r.cur, r.at, r.whole = cur, p.plain, p.plain == 0
	r.starts++
	// Pages begin at multiples of their size; a point need not.
	if skip := -r.at & (pageSize - 1); skip > 0 {
		n, err := io.CopyN(io.Discard, r.cur, skip)
		r.at += n
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
	}
	return nil
}

// nextPage unpacks the next page and keeps it. A page that is not full is the
// last.
func (r *Reader) nextPage() (int, error) {
	b := r.freshPage()
	want := pageSize
	if r.size >= 0 { // what an index promises is read, and not what follows
		want = int(min(pageSize, r.size-r.at))
	}
	n, err := io.ReadFull(r.cur, b[:want])
	if errors.Is(err, io.ErrUnexpectedEOF) && r.size < 0 && n < want {
		// Either the content ends here, or the file was cut short: one more
		// byte tells.
		if _, again := r.cur.Read(make([]byte, 1)); errors.Is(again, io.EOF) {
			err = nil
		}
	}
	if errors.Is(err, io.EOF) && r.size < 0 {
		err = nil
	}
	if err == nil && r.size >= 0 && r.whole && !r.cut && r.damage == nil && r.at+int64(n) == r.size {
		err = r.endsWell()
	}
	if err != nil && (r.size >= 0 || n == 0) {
		return n, err
	}
	r.tick++
	r.pages[r.at] = &page{b[:n], r.tick}
	r.at += int64(n)
	return n, err
}

// freshPage is the memory of a page: of one that is forgotten, where there are many.
func (r *Reader) freshPage() []byte {
	var b []byte
	if len(r.pages) >= mostPages {
		b = r.evict()
	}
	if cap(b) < pageSize {
		b = make([]byte, pageSize)
	}
	return b[:pageSize]
}

// endsWell reads on at the end of the content, behind which stands the checksum of it: one
// who began in the middle would find an index that is not that of what was read. What else may
// follow is of no concern.
func (r *Reader) endsWell() error {
	_, err := r.cur.Read(make([]byte, 1))
	if errors.Is(err, io.EOF) || errors.Is(err, zstd.ErrMagicMismatch) {
		return nil
	}
	return err
}

// evict forgets the page that was not used for the longest time, but for those at
// the start, and returns its memory.
func (r *Reader) evict() []byte {
	const first = 8 * pageSize
	var oldest *page
	var where int64
	for at, p := range r.pages {
		if at >= first && (oldest == nil || p.used < oldest.used) {
			oldest, where = p, at
		}
	}
	if oldest == nil {
		return nil
	}
	delete(r.pages, where)
	return oldest.data[:cap(oldest.data)]
}

// ReadAt implements [io.ReaderAt] for the content.
func (r *Reader) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, fmt.Errorf("byte %d: %w", off, os.ErrInvalid)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	done := 0
	for done < len(p) {
		at := off + int64(done)
		if at >= r.size {
			return done, io.EOF
		}
		if r.plain != nil {
			n, err := r.fromFile(p[done:], at)
			return done + n, err
		}
		b, err := r.page(at &^ (pageSize - 1))
		if err != nil {
			return done, err
		}
		if b == nil {
			continue // it is in a file now
		}
		done += copy(p[done:], b[min(int64(len(b)), at&(pageSize-1)):])
	}
	return done, nil
}

// fromFile reads from the temporary file, up to where it has nothing.
func (r *Reader) fromFile(p []byte, at int64) (int, error) {
	var damage error
	for page := at &^ (pageSize - 1); page < at+int64(len(p)); page += pageSize {
		if damage = r.known(page); damage != nil {
			p = p[:max(0, page-at)]
			break
		}
	}
	n, err := r.plain.ReadAt(p, at)
	if n == len(p) && damage != nil {
		err = damage
	}
	return n, err
}

// page returns the page that begins at a place, or nil when the content has been
// unpacked to a file meanwhile.
func (r *Reader) page(at int64) ([]byte, error) {
	if p := r.pages[at]; p != nil {
		r.tick++
		p.used = r.tick
		return p.data, nil
	}
	if err := r.known(at); err != nil {
		return nil, err
	}
	if r.starts >= mostStarts && len(r.points) < mostStarts && r.startsOver(at) {
		return nil, r.unpack()
	}
	return r.unpackPage(at)
}

// startsOver reports whether a page is not reached by reading on.
func (r *Reader) startsOver(at int64) bool {
	return r.cur == nil || at < r.at || r.pointBetween(at)
}

// unpackPage unpacks a page.
func (r *Reader) unpackPage(at int64) ([]byte, error) {
	if r.startsOver(at) {
		if err := r.start(at); err != nil {
			return nil, r.failed(at, err)
		}
	}
	for r.at <= at {
		if _, err := r.nextPage(); err != nil {
			r.stop()
			if e := r.failed(r.at, err); e.End > at {
				return nil, e
			}
			return r.unpackPage(at) // from a point behind the damage
		}
	}
	p := r.pages[at]
	if p == nil || int64(len(p.data)) < min(pageSize, r.size-at) {
		r.stop()
		return nil, r.failed(at, io.ErrUnexpectedEOF)
	}
	return p.data, nil
}

// known returns the damage that stands before a page, where reading up to it would fail again.
func (r *Reader) known(at int64) error {
	for _, e := range r.bad {
		if at >= e.At && at < e.End {
			return e
		}
	}
	return nil
}

// failed notes that unpacking failed at a page, and returns the error: up to the next point
// nothing can be read.
func (r *Reader) failed(at int64, err error) *DamagedError {
	e := &DamagedError{File: r.file.Name(), Method: r.method.name, At: at, End: r.size, Err: err}
	for _, p := range r.points {
		if p.plain <= at {
			e.From = p.plain
			continue
		}
		e.End = p.plain
		break
	}
	r.bad = append(r.bad, e)
	return e
}

// pointBetween reports whether starting over is the shorter way forwards.
func (r *Reader) pointBetween(at int64) bool {
	for _, p := range r.points {
		if p.plain > r.at+pageSize && p.plain <= at {
			return true
		}
	}
	return false
}

// unpack writes the content to a temporary file, which lasts as long as it is
// open. What cannot be unpacked is missing in it, and known to be.
func (r *Reader) unpack() error {
	f, err := os.CreateTemp("", "spindle-unpacked-*")
	if err != nil {
		return err
	}
	if err := r.unpackTo(f); err != nil {
		return errors.Join(err, f.Close(), removeTemp(f.Name()))
	}
	// Where the system allows it, nothing stays behind even when we are killed;
	// elsewhere Close removes it.
	_ = os.Remove(f.Name())
	r.plain = f
	r.stop()
	clear(r.pages)
	return nil
}

func (r *Reader) unpackTo(f *os.File) error {
	for at := int64(0); at < r.size; at += pageSize {
		if r.known(at) != nil {
			continue
		}
		b, err := r.unpackPage(at)
		if errors.Is(err, ErrDamaged) {
			continue
		}
		if err != nil {
			return err
		}
		if _, err := f.WriteAt(b, at); err != nil {
			return fmt.Errorf("unpacking to a temporary file (TMPDIR says where): %w", err)
		}
	}
	return f.Truncate(r.size)
}
