package format

import (
	"io"
	"sort"
)

// Join reads files, one after the other. The size, in bytes, is that of all.
func Join(files []*File) (r io.ReaderAt, size int64) {
	j := &joined{all: files}
	for _, f := range files {
		size += f.Size
		j.ends = append(j.ends, size)
	}
	return j, size
}

// joined is what [Join] makes.
type joined struct {
	all  []*File
	ends []int64 // in bytes of the whole
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
