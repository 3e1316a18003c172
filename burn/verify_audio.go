package burn

import (
	"bytes"
	"context"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/scsi/mmc"
)

// Drives give audio some samples early or late, when they write and when they
// read. What was burned is compared at the place where it is found.

// farthest is how far audio is looked for, in sectors: no drive is off by more.
const farthest = 4

// readAudio reads n sectors of audio as the image has them, if they are there.
func (v *verifier) readAudio(ctx context.Context, at disc.LBA, buf []byte, n int, want []byte) ([]byte, error) {
	if !v.searched && loud(want) {
		if err := v.search(ctx, at, n, want); err != nil {
			return nil, err
		}
	}
	from := int(at)*cdsector.Size + v.shift
	first := disc.LBA(floorDiv(from, cdsector.Size))
	last := disc.LBA(floorDiv(from+n*cdsector.Size-1, cdsector.Size))
	// At its edges, some samples of the audio cannot be read: they are not
	// compared.
	low, high := max(first, v.audioFrom), min(last+1, v.audioTo)
	p := buf[:int(high-low)*cdsector.Size]
	got, err := v.retry(ctx, func() (int, error) {
		return v.drive.ReadCD(ctx, p, mmc.CDReadRequest{LBA: low, Count: int(high - low), Fields: mmc.RawSector})
	})
	if err == nil && got < len(p) {
		err = errShortRead
	}
	if err != nil {
		return nil, err
	}
	out := bytes.Clone(want)
	skip := from - int(low)*cdsector.Size // negative: the beginning is missing
	if skip < 0 {
		copy(out[-skip:], p)
	} else {
		copy(out, p[skip:])
	}
	return out, nil
}

func floorDiv(a, b int) int {
	if a < 0 {
		return -((-a + b - 1) / b)
	}
	return a / b
}

// loud reports whether samples can be recognised.
func loud(p []byte) bool {
	changes := 0
	for i := 4; i+4 <= len(p); i += 4 {
		if !bytes.Equal(p[i:i+4], p[i-4:i]) {
			changes++
		}
	}
	return changes > 256
}

// search finds by how many bytes the audio on the disc is late.
func (v *verifier) search(ctx context.Context, at disc.LBA, n int, want []byte) error {
	low, high := max(at-farthest, v.audioFrom), min(at+disc.LBA(n)+farthest, v.audioTo)
	p := make([]byte, 0, int(high-low)*cdsector.Size)
	most := max(1, v.drive.MaxTransfer()/cdsector.Size)
	for a := low; a < high; a += disc.LBA(most) {
		k := min(most, int(high-a))
		part := p[len(p) : len(p)+k*cdsector.Size]
		got, err := v.retry(ctx, func() (int, error) {
			return v.drive.ReadCD(ctx, part, mmc.CDReadRequest{LBA: a, Count: k, Fields: mmc.RawSector})
		})
		if err == nil && got < len(part) {
			err = errShortRead
		}
		if err != nil {
			return err
		}
		p = p[:len(p)+len(part)]
	}
	v.searched = true
	// A piece out of the middle, which is there whatever the offset is.
	piece := len(want) / 4 / 2 * 4
	needle := want[piece:min(len(want), piece+1024)]
	home := int(at-low)*cdsector.Size + piece
	best, found := 0, false
	for i := 0; i+len(needle) <= len(p); i += 4 {
		if bytes.Equal(p[i:i+len(needle)], needle) && (!found || abs(i-home) < abs(best)) {
			best, found = i-home, true
		}
	}
	if found {
		v.shift, v.res.Offset = best, best/4
	}
	return nil
}

func abs(n int) int {
	if n < 0 {
		return -n
	}
	return n
}
