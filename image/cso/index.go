package cso

import (
	"encoding/binary"
	"io"
	"sync"

	"spindle/internal/blocks"
)

// An index is read in pages: that of a large file has many megabytes, of which a directory
// needs few.
type index struct {
	r     io.ReaderAt
	at    int64 // in the file
	count int64 // entries

	mu    sync.Mutex
	pages map[int64][]byte
}

const (
	pageEntries = 4096
	mostPages   = 64
)

// entry returns an entry.
func (x *index) entry(n int64) (uint32, error) {
	page := n / pageEntries
	b, err := x.page(page)
	if err != nil {
		return 0, err
	}
	at := (n - page*pageEntries) * entrySize
	if at+entrySize > int64(len(b)) {
		return 0, io.ErrUnexpectedEOF
	}
	return binary.LittleEndian.Uint32(b[at:]), nil
}

func (x *index) page(n int64) ([]byte, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if b, ok := x.pages[n]; ok {
		return b, nil
	}
	first := n * pageEntries
	b := make([]byte, min(pageEntries, x.count-first)*entrySize)
	if err := blocks.ReadFull(x.r, b, x.at+first*entrySize); err != nil {
		return nil, err
	}
	if x.pages == nil || len(x.pages) >= mostPages {
		x.pages = make(map[int64][]byte)
	}
	x.pages[n] = b
	return b, nil
}
