package testdisc

import "encoding/binary"

// Pattern is content without end in which each sector differs from all others.
type Pattern struct{}

// ReadAt makes the content from an offset on.
func (Pattern) ReadAt(p []byte, off int64) (int, error) {
	const word, sector = 8, 2048
	var w [word]byte
	for done := 0; done < len(p); {
		at := uint64(off) + uint64(done)
		binary.LittleEndian.PutUint64(w[:], at/word*0x9E3779B97F4A7C15^at/sector&0xFF*0x0101010101010101)
		done += copy(p[done:], w[at%word:])
	}
	return len(p), nil
}
