package image

import (
	"bytes"
	"context"

	"spindle/disc"
	"spindle/iso"
)

// Where a later session of a DVD or BD begins: at a whole ECC block of a DVD, of which a BD
// has the double. Between two sessions are at most some tens of MiB (MMC-6 4.3.6: the border
// zones of DVD-R), within which the next is looked for.
const (
	sessionUnit = 16
	sessionGap  = 1 << 16
)

// lastVolume returns the sector at which the last session with a file system begins in an
// image file of one track of a DVD or BD, which does not say where its sessions are; the
// start of the track, where there is but one. Drives say it, and are not searched.
func lastVolume(ctx context.Context, img disc.Image, t *disc.Track) disc.LBA {
	l := img.Layout()
	e, ok := img.ExtentAt(t.Start)
	small := ok && e.Form == disc.FormMode1 // perhaps that of a DVD
	if l.Medium == disc.CD && !small || len(l.Tracks()) != 1 || len(img.Files()) == 0 {
		return t.Start
	}
	all := &blocks{ctx, img}
	last := t.Start
	v, err := iso.ReadSession(all, int64(last), int64(t.End))
	for err == nil && v.ISO9660 {
		first := max(last+sessionUnit, disc.LBA(min(v.ISOBlocks, int64(t.End))))
		if first < last+sessionUnit || ctx.Err() != nil {
			break
		}
		next, found := nextVolume(all, t, first)
		if !found || all.leftOver(last, max(first, last+first), next) {
			break
		}
		last = next
		v, err = iso.ReadSession(all, int64(last), int64(t.End))
	}
	return last
}

// leftOver reports whether what stands at next is what a rewritable disc held before the volume at last,
// which ends at end at the latest, was written over it: it is not the younger of the two, and what lies between them
// is not zeros, as it is between two sessions.
func (b *blocks) leftOver(last, end, next disc.LBA) bool {
	if b.made(next) > b.made(last) {
		return false
	}
	const batch = 32
	p := make([]byte, batch*iso.BlockSize)
	for at := end; at < next; at += batch {
		q := p[:min(batch, next-at)*iso.BlockSize]
		if _, err := b.ReadAt(q, int64(at)*iso.BlockSize); err != nil {
			return false
		}
		if bytes.Count(q, []byte{0}) < len(q) {
			return true
		}
	}
	return false
}

// made returns when the volume of a session was made, by its descriptor: 16 digits, from the year to
// hundredths of a second (ECMA-119 8.4.26.1). The time zone does not count.
func (b *blocks) made(session disc.LBA) string {
	var date [16]byte
	if _, err := b.ReadAt(date[:], int64(session+iso.FirstDescriptor)*iso.BlockSize+813); err != nil {
		return ""
	}
	return string(date[:])
}

// nextVolume looks for a session from a sector on: a volume descriptor whose root directory
// lies behind it, as that of a session does, and that of an image in a file does not.
func nextVolume(all *blocks, t *disc.Track, from disc.LBA) (disc.LBA, bool) {
	from = (from + sessionUnit - 1) / sessionUnit * sessionUnit
	for at := from; at < from+sessionGap && at+iso.FirstDescriptor < t.End; at += sessionUnit {
		var head [6]byte
		if _, err := all.ReadAt(head[:], int64(at+iso.FirstDescriptor)*iso.BlockSize); err != nil {
			return 0, false
		}
		if string(head[:]) != "\x01CD001" {
			continue
		}
		if f, err := iso.OpenSession(all, int64(at), int64(t.End)); err == nil && f.Root() >= int64(at) {
			return at, true
		}
	}
	return 0, false
}
