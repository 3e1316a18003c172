package scram

import (
	"bytes"
	"context"
	"errors"
	"io"

	"spindle/addr"
	"spindle/disc"
	"spindle/disc/cdsector"
)

// A span is the sectors [begin, end).
type span struct{ begin, end disc.LBA }

// A source is the sectors of a dump from address 0 on, in their places and descrambled.
type source struct {
	r      io.ReaderAt
	size   int64    // of the dump in bytes
	first  disc.LBA // at which it begins, but for the offset
	offset int64    // the write offset in bytes: how much later the dump has each sector
	data   []span   // of the data tracks
}

// place is where in the dump a sector begins, in bytes.
func (s *source) place(a disc.LBA) int64 { return int64(a-s.first)*cdsector.Size + s.offset }

// end is where what the dump has ends, in bytes from address 0 on.
func (s *source) end() int64 {
	return max(0, ((s.size-s.offset)/cdsector.Size+int64(s.first))*cdsector.Size)
}

// ReadAt implements [io.ReaderAt].
func (s *source) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 || off > int64(disc.MaxLBA)*cdsector.Size {
		return 0, io.EOF
	}
	skip := int(off % cdsector.Size)
	first := disc.LBA(off / cdsector.Size)
	if skip == 0 && len(p)%cdsector.Size == 0 {
		return s.read(p, first)
	}
	b := make([]byte, (skip+len(p)+cdsector.Size-1)/cdsector.Size*cdsector.Size)
	n, err := s.read(b, first)
	k := copy(p, b[min(skip, n):n])
	if k == len(p) {
		err = nil
	}
	return k, err
}

// read reads whole sectors.
func (s *source) read(p []byte, first disc.LBA) (int, error) {
	at := s.place(first)
	before := int(max(0, min(-at, int64(len(p)))))
	clear(p[:before])
	n, err := s.r.ReadAt(p[before:], at+int64(before))
	n += before
	if n < len(p) && err == nil {
		err = io.EOF
	}
	if n == len(p) {
		err = nil
	}
	n -= n % cdsector.Size
	for i := 0; i < n; i += cdsector.Size {
		if a := first + disc.LBA(i/cdsector.Size); s.isData(a) {
			descramble((*[cdsector.Size]byte)(p[i:]), a)
		}
	}
	return n, err
}

func (s *source) isData(a disc.LBA) bool {
	for _, x := range s.data {
		if a >= x.begin && a < x.end {
			return true
		}
	}
	return false
}

// descramble descrambles a sector, if it is one of data. One that has the right address as it is
// was descrambled by the drive; one without sync pattern or address is noise, or was not read.
func descramble(s *[cdsector.Size]byte, a disc.LBA) {
	plain := *s
	cdsector.Scramble(&plain)
	here := a.MSF()
	at, ok := cdsector.Address(&plain)
	stored, okStored := cdsector.Address(s)
	switch {
	case ok && at == here:
	case !cdsector.HasSync(s), okStored && stored == here:
		return
	}
	*s = plain
}

const (
	// searchSectors is how many sectors are searched for sync patterns at a time.
	searchSectors = 32
	// searchPlaces is in how many places of a track.
	searchPlaces = 5
	// mostOffset bounds a write offset: two seconds.
	mostOffset = addr.Pregap * cdsector.Size
	// mostStray is how many sectors may have another offset than most of those that were searched:
	// a damaged header can state anything.
	mostStray = 4
)

var (
	errNoSync = errors.New("its data tracks have no sync patterns: it is of another disc, or damaged, and where sectors begin is not known")
	errShift  = errors.New(`its write offset changes on the disc, which spindle does not follow; "redumper split" does`)
)

// find finds the write offset by the sync patterns of data tracks, and what the headers behind
// them state. Without data tracks it is 0.
func (s *source) find(ctx context.Context) error {
	votes := make(map[int64]int)
	for _, x := range s.data {
		step := max(1, int(x.end-x.begin)/searchPlaces)
		for a := x.begin; a < x.end; a += disc.LBA(step) {
			if err := s.search(a, votes); err != nil {
				return err
			}
		}
	}
	for _, x := range s.data { // all of it: most is damaged
		for a := x.begin; a < x.end && len(votes) == 0; a += searchSectors {
			if err := errors.Join(ctx.Err(), s.search(a, votes)); err != nil {
				return err
			}
		}
	}
	if len(votes) == 0 && len(s.data) > 0 && s.place(s.data[0].begin)+2*mostOffset < s.size {
		return errNoSync
	}
	most, others := 0, 0
	for offset, n := range votes {
		if n > most || n == most && offset < s.offset {
			s.offset, most = offset, n
		}
	}
	for offset, n := range votes {
		if offset != s.offset {
			others = max(others, n)
		}
	}
	if others > mostStray {
		return errShift
	}
	return nil
}

// search counts the offsets that sectors from an address on have.
func (s *source) search(a disc.LBA, votes map[int64]int) error {
	from := max(0, int64(a-s.first)*cdsector.Size)
	b := make([]byte, (searchSectors+1)*cdsector.Size)
	n, err := s.r.ReadAt(b, from)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	var pattern [cdsector.Size]byte
	cdsector.SetSync(&pattern)
	const syncSize, headerSize = 12, 16
	for at := 0; ; at++ {
		k := bytes.Index(b[at:n], pattern[:syncSize])
		if at += max(0, k); k < 0 || at+headerSize > n {
			return nil
		}
		var head [cdsector.Size]byte
		copy(head[:headerSize], b[at:])
		cdsector.Scramble(&head)
		msf, ok := cdsector.Address(&head)
		if !ok {
			continue
		}
		offset := from + int64(at) - int64(msf.LBA()-s.first)*cdsector.Size
		if offset%sampleSize == 0 && offset >= -mostOffset && offset <= mostOffset {
			votes[offset]++
		}
	}
}
