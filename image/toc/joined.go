package toc

import (
	"errors"
	"io"
	"sort"

	"spindle/image/audio"
)

// joined is the samples of a track whose parts do not end with whole sectors, one
// after the other, as they are on a CD. Behind its end are zeros.
type joined struct {
	parts []part
	ends  []int64 // where each part ends
	size  int64
}

func newJoined(parts []part) *joined {
	j := &joined{parts: parts}
	for i := range parts {
		j.size += parts[i].length
		j.ends = append(j.ends, j.size)
	}
	return j
}

// ReadAt implements [io.ReaderAt].
func (j *joined) ReadAt(b []byte, at int64) (int, error) {
	limit := (j.size + audio.SectorSize - 1) / audio.SectorSize * audio.SectorSize
	done := 0
	for done < len(b) {
		where := at + int64(done)
		if where >= limit {
			return done, io.EOF
		}
		i := sort.Search(len(j.ends), func(i int) bool { return j.ends[i] > where })
		if i == len(j.ends) {
			n := int(min(int64(len(b)-done), limit-where))
			clear(b[done : done+n])
			done += n
			continue
		}
		x := &j.parts[i]
		in := where - (j.ends[i] - x.length)
		n := int(min(int64(len(b)-done), x.length-in))
		if err := x.read(b[done:done+n], in); err != nil {
			return done, err
		}
		done += n
	}
	return done, nil
}

// read fills b with samples from the byte at on.
func (x *part) read(b []byte, at int64) error {
	if x.r == nil {
		clear(b)
		return nil
	}
	if !x.swapped {
		n, err := x.r.ReadAt(b, x.offset+at)
		return short(n, len(b), err)
	}
	// Two bytes change places: read from an even one to an even one.
	from, to := at&^1, (at+int64(len(b))+1)&^1
	buf := make([]byte, min(to, x.length)-from)
	if n, err := x.r.ReadAt(buf, x.offset+from); n < len(buf) {
		return short(n, len(buf), err)
	}
	for i := 0; i+1 < len(buf); i += 2 {
		buf[i], buf[i+1] = buf[i+1], buf[i]
	}
	copy(b, buf[at-from:])
	return nil
}

// short is the error of a read that may have stopped before its end.
func short(n, want int, err error) error {
	switch {
	case n == want:
		return nil
	case err == nil || errors.Is(err, io.EOF):
		return io.ErrUnexpectedEOF
	}
	return err
}
