package hunks

import (
	"fmt"

	"spindle/disc/cdsector"
)

// A packer compresses hunks, for one goroutine.
type packer struct {
	encoders []encoder
	spare    []byte
}

func newPacker(codecs []string, hunkBytes int) (*packer, error) {
	const most = 4
	if len(codecs) > most {
		return nil, fmt.Errorf("%w: %d of them", ErrCodec, len(codecs))
	}
	p := &packer{}
	for _, name := range codecs {
		if len(name) != 4 {
			return nil, fmt.Errorf("%w: %q", ErrCodec, name)
		}
		e, err := codec([]byte(name)).encoder(hunkBytes)
		if err != nil {
			return nil, err
		}
		if e == nil {
			return nil, fmt.Errorf("%w: %q", ErrCodec, name)
		}
		p.encoders = append(p.encoders, e)
	}
	return p, nil
}

func (p *packer) run(work <-chan *job) {
	for j := range work {
		p.pack(j)
		j.done <- struct{}{}
	}
}

// pack compresses a hunk in the way that makes least of it.
func (p *packer) pack(j *job) {
	j.crc, j.kind, j.err = cdsector.ExtendCRC16(crc16Start, j.in), plain, nil
	least := len(j.in)
	for i, e := range p.encoders {
		b, err := e(p.spare[:0], j.in)
		if err != nil {
			j.err = err
			return
		}
		p.spare = b
		if len(b) < least {
			j.out, p.spare = b, j.out
			least, j.kind = len(b), kind(i)
		}
	}
}
