package daa

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"

	"spindle/image/format"
	"spindle/internal/blocks"
)

const volumeHeader = 40

// join makes the data of all volumes one.
func (i *file) join(ctx context.Context, f *format.File, c *format.Content) error {
	all := []*format.File{f.From(i.data)}
	for n := 2; n <= i.parts || i.partsByNames && n <= maxParts; n++ {
		v, err := i.openVolume(ctx, f, n)
		if i.partsByNames && errors.Is(err, os.ErrNotExist) {
			break
		}
		if err != nil {
			return err
		}
		c.Closers = append(c.Closers, v)
		c.Files, c.Split = append(c.Files, v.Path), true
		c.Stored += v.Size
		rest, err := dataOf(v)
		if err != nil {
			return fmt.Errorf("%s: %w", filepath.Base(v.Path), err)
		}
		all = append(all, rest)
	}
	if c.Stored > 0 {
		c.Stored += f.Size
	}
	i.r, i.packed = format.Join(all)
	return nil
}

// openVolume opens volume n, from 2 on.
func (i *file) openVolume(ctx context.Context, f *format.File, n int) (*format.File, error) {
	dir, base := filepath.Split(f.Path)
	if dir == "" {
		dir = "."
	}
	var missing error
	for _, name := range volumeNames(base, n) {
		path, err := format.FindCompanion(dir, name)
		if err == nil {
			return format.OpenStored(ctx, path)
		}
		if missing == nil {
			missing = fmt.Errorf("volume %d of %d is missing: %w", n, i.parts, err)
		}
	}
	return nil, missing
}

// volumeNames are the names that volume n may have, from 2 on: x.part02.daa after x.part01.daa, and x.d00 after x.daa.
func volumeNames(first string, n int) []string {
	ext := filepath.Ext(first)
	stem := strings.TrimSuffix(first, ext)
	for _, digits := range []int{3, 2} {
		if one := fmt.Sprintf("%0*d", digits, 1); strings.HasSuffix(stem, one) {
			return []string{strings.TrimSuffix(stem, one) + fmt.Sprintf("%0*d", digits, n) + ext}
		}
	}
	const dotAndLetter = 2
	letter := ext[:min(len(ext), dotAndLetter)]
	return []string{stem + letter + fmt.Sprintf("%02d", n-2), stem + fmt.Sprintf(".d%02d", n-2)}
}

// dataOf returns the chunks of a later volume.
func dataOf(v *format.File) (*format.File, error) {
	var b [volumeHeader]byte
	if err := blocks.ReadFull(v, b[:], 0); err != nil {
		return nil, fmt.Errorf("%w: its header: %w", errFormat, err)
	}
	const sumAt, offsetMask = volumeHeader - 4, 1<<24 - 1
	at := int64(binary.LittleEndian.Uint32(b[16:]) & offsetMask)
	switch sum, stated := crc32.ChecksumIEEE(b[:sumAt]), binary.LittleEndian.Uint32(b[sumAt:]); {
	case string(b[3:8]) != volume:
		return nil, fmt.Errorf("%w: it is no later volume of one", errFormat)
	case sum != stated:
		return nil, fmt.Errorf("%w: its header has the CRC-32 %08x, and states %08x (byte %d)", errFormat, sum, stated, sumAt)
	case at < volumeHeader || at > v.Size:
		return nil, fmt.Errorf("%w: data at byte %d of %d (byte 16)", errFormat, at, v.Size)
	}
	return v.From(at), nil
}
