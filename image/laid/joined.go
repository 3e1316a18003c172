package laid

import (
	"io"
	"sort"

	"spindle/image/format"
)

// joined is files, one after the other.
type joined struct {
	all  []*format.File
	ends []int64
	size int64
}

func newJoined(files []*format.File) *joined {
	j := &joined{all: files}
	for _, f := range files {
		j.size += f.Size
		j.ends = append(j.ends, j.size)
	}
	return j
}

// ReadAt implements [io.ReaderAt].
func (j *joined) ReadAt(p []byte, at int64) (int, error) {
	done := 0
	for done < len(p) {
		where := at + int64(done)
		i := sort.Search(len(j.ends), func(i int) bool { return j.ends[i] > where })
		if i == len(j.ends) {
			return done, io.EOF
		}
		f := j.all[i]
		n := min(int64(len(p)-done), j.ends[i]-where)
		k, err := f.ReadAt(p[done:done+int(n)], f.Size-(j.ends[i]-where))
		done += k
		if int64(k) < n {
			return done, err
		}
	}
	return done, nil
}
