package burn

import (
	"bytes"
	"context"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/drive"
	"spindle/scsi/mmc"
)

// Drives give audio some samples early or late, when they write and when they
// read. What was burned is compared at the place where it is found.

// farthest is how far audio is looked for, in sectors: no drive is off by more.
const farthest = 4

// readAudio reads n sectors of audio as the image has them, if they are there.
func (v *verifier) readAudio(ctx context.Context, at disc.LBA, buf []byte, n int, want []byte) ([]byte, error) {
	if !v.searched && loud(want) {
		if err := v.search(ctx, at, buf, n, want); err != nil {
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
	if err := v.fillAudio(ctx, p, low); err != nil {
		return nil, err
	}
	return cut(p, from-int(low)*cdsector.Size, want), nil
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

// fillAudio reads the sectors from at on. Some drives give audio only when asked for
// audio.
func (v *verifier) fillAudio(ctx context.Context, p []byte, at disc.LBA) error {
	err := v.fillRaw(ctx, p, at, v.expect)
	if drive.Classify(err) == drive.Refused && v.expect == mmc.AnySector {
		v.expect = mmc.CDDASector
		err = v.fillRaw(ctx, p, at, v.expect)
	}
	return err
}

// fillRaw reads whole sectors from at on, with commands whose replies no adapter cuts.
func (v *verifier) fillRaw(ctx context.Context, p []byte, at disc.LBA, expect mmc.SectorType) error {
	for len(p) > 0 {
		n := max(1, drive.Tidy(len(p)/cdsector.Size, cdsector.Size))
		part := p[:n*cdsector.Size]
		err := v.fill(ctx, part, n, func() (int, error) {
			return v.drive.ReadCD(ctx, part, mmc.CDReadRequest{LBA: at, Count: n, Expect: expect, Fields: mmc.RawSector})
		})
		if err != nil {
			return err
		}
		p, at = p[len(part):], at+disc.LBA(n)
	}
	return nil
}

// around reads what of the audio around sectors can be read with one command.
func (v *verifier) around(ctx context.Context, at disc.LBA, buf []byte, n int) (p []byte, low disc.LBA, err error) {
	low, high := max(at-farthest, v.audioFrom), min(at+disc.LBA(n)+farthest, v.audioTo)
	p = buf[:int(high-low)*cdsector.Size]
	return p, low, v.fillAudio(ctx, p, low)
}

// locate finds by how many bytes the audio in p, which begins at sector low, is late.
func locate(p []byte, low, at disc.LBA, want []byte) (late int, found bool) {
	// A piece out of the middle, which is there whatever the offset is.
	piece := len(want) / 4 / 2 * 4
	needle := want[piece:min(len(want), piece+1024)]
	home := int(at-low)*cdsector.Size + piece
	for i := 0; i+len(needle) <= len(p); i += 4 {
		if bytes.Equal(p[i:i+len(needle)], needle) && (!found || abs(i-home) < abs(late)) {
			late, found = i-home, true
		}
	}
	return late, found
}

// search finds by how many bytes the audio on the disc is late.
func (v *verifier) search(ctx context.Context, at disc.LBA, buf []byte, n int, want []byte) error {
	p, low, err := v.around(ctx, at, buf, n)
	if err != nil {
		return err
	}
	v.searched = true
	if late, found := locate(p, low, at, want); found {
		v.shift, v.res.Offset = late, late/4
	}
	return nil
}

// findAudio reads sectors of audio wherever they are: a drive without accurate stream
// begins each read some samples off. Audio that lies off by the same each time is not where
// it belongs.
func (v *verifier) findAudio(ctx context.Context, at disc.LBA, buf []byte, n int, want []byte) ([]byte, error) {
	p, low, err := v.around(ctx, at, buf, n)
	if err != nil {
		return nil, err
	}
	late := v.shift
	if found, ok := locate(p, low, at, want); ok && loud(want) && found != late {
		jitters, err := v.jitters(ctx, at, n, want, found)
		if err != nil {
			return nil, err
		}
		if jitters {
			late = found
		}
	}
	return cut(p, int(at-low)*cdsector.Size+late, want), nil
}

// jitters reports whether audio that was found late is found elsewhere when it is read
// again.
func (v *verifier) jitters(ctx context.Context, at disc.LBA, n int, want []byte, late int) (bool, error) {
	const tries = 3
	buf := make([]byte, (n+2*farthest)*cdsector.Size)
	for range tries {
		p, low, err := v.around(ctx, at, buf, n)
		if err != nil {
			return false, err
		}
		if again, ok := locate(p, low, at, want); !ok || again != late {
			return true, nil
		}
	}
	return false, nil
}

// cut returns as many bytes as want has from p, from its byte from on. What lies before
// or behind p cannot be read, and is taken for right.
func cut(p []byte, from int, want []byte) []byte {
	if from >= len(p) || -from >= len(want) {
		return make([]byte, len(want)) // not there at all
	}
	out := bytes.Clone(want)
	if from < 0 {
		copy(out[-from:], p)
	} else {
		copy(out, p[from:])
	}
	return out
}

func abs(n int) int {
	if n < 0 {
		return -n
	}
	return n
}
