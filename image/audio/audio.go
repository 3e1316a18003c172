// Package audio reads the samples of a CD out of sound files (WAVE, AIFF, FLAC, MP3),
// whatever their names say, and writes audio tracks as WAVE and FLAC files.
package audio

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"spindle/image/format"
)

// SectorSize is the number of bytes of samples in a sector of audio: 588 of two
// channels of 16 bits.
const SectorSize = 2352

// ErrNotAudio is returned for a file that is none of a known kind.
var ErrNotAudio = errors.New("not a WAVE, AIFF, FLAC or MP3 file")

// ErrNotCD is what errors about samples that are not those of a CD wrap.
var ErrNotCD = errors.New("a CD needs 44100 Hz, 16 bits, 2 channels")

// A File is the samples in a sound file.
type File struct {
	// Source holds the samples from the byte Offset on: 16 bits, left and
	// right by turns.
	Source io.ReaderAt
	Offset int64
	Size   int64 // bytes of samples
	// Lack is how many bytes more the header states than are there: the end of the file
	// is missing.
	Lack int64
	// Swapped says that the most significant byte of a sample comes first, as
	// it does not on a CD.
	Swapped bool
	Kind    string // "WAVE", "AIFF", "FLAC" or "MP3"
	closer  io.Closer
	coded   coded // nil for samples that are not compressed
}

// coded is a file of compressed samples.
type coded interface {
	// check decodes it once as a whole, and says whether it states a sum of its samples, which is right. The
	// error wraps [ErrDamaged] where it is not what was encoded.
	check(ctx context.Context, advance func(n int64)) (proven bool, err error)
	path() string
}

// Close closes the file.
func (f *File) Close() error { return f.closer.Close() }

// Open opens a sound file, by its content. The error wraps [ErrNotAudio] or
// [ErrNotCD] for one that cannot be a part of a CD.
func Open(ctx context.Context, path string) (*File, error) {
	file, err := format.OpenFile(ctx, path)
	if err != nil {
		return nil, err
	}
	f, err := read(ctx, file)
	if err == nil {
		err = file.NeedWhole()
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	f.closer = file
	return f, nil
}

func read(ctx context.Context, file *format.File) (*File, error) {
	const mostTags = 8 // one after the other; a file of nothing else is not read through
	var head [12]byte
	begin := int64(0)
	for range mostTags {
		n, err := file.ReadAt(head[:], begin)
		switch {
		case n < len(head) && err != nil && !errors.Is(err, io.EOF):
			return nil, err
		case n < len(head):
			return nil, ErrNotAudio
		}
		size := tagSize(head)
		if size == 0 {
			break
		}
		begin += size
	}
	switch {
	case isMP3(file, begin):
		return readMP3(ctx, file.Path, file, begin, file.Size)
	case begin > 0 && string(head[:4]) != "fLaC":
	case string(head[:4]) == "RIFF" && string(head[8:]) == "WAVE":
		return readWave(file, file.Size)
	case string(head[:4]) == "FORM" && (string(head[8:]) == "AIFF" || string(head[8:]) == "AIFC"):
		return readAIFF(file, file.Size)
	case string(head[:4]) == "fLaC":
		return readFLAC(ctx, file.Path, io.NewSectionReader(file, begin, file.Size-begin), file.Size-begin)
	}
	return nil, ErrNotAudio
}

// tagSize returns how many bytes an ID3v2 tag has with whose header a file begins, or 0: some
// taggers put one before FLAC, and decoders skip it (ID3v2.4.0 main structure, section 3.1).
func tagSize(head [12]byte) int64 {
	const header, footer = 10, 0x10
	if string(head[:3]) != "ID3" || head[3] == 0xFF || head[4] == 0xFF {
		return 0
	}
	size := int64(header)
	for i, b := range head[6:10] { // seven bits a byte
		if b&0x80 != 0 {
			return 0
		}
		size += int64(b) << (21 - 7*i)
	}
	if head[5]&footer != 0 {
		size += header
	}
	return size
}

// Sectors returns the number of sectors that the samples fill, the last of them
// perhaps not wholly.
func (f *File) Sectors() int64 { return (f.Size + SectorSize - 1) / SectorSize }

// Padded returns the samples from Offset on, with zeros behind their end for the
// rest of the last sector.
func (f *File) Padded() io.ReaderAt {
	if f.Size%SectorSize == 0 {
		return f.Source
	}
	return format.Padded(f.Source, f.Offset+f.Size)
}

// checkFormat makes sure that samples are those of a CD.
func checkFormat(rate, bits, channels int) error {
	if channels != 2 || rate != 44100 || bits != 16 {
		return fmt.Errorf("%d Hz, %d bits, %d channels: %w", rate, bits, channels, ErrNotCD)
	}
	return nil
}

// chunks calls do for the chunks of a RIFF or an IFF file, until it returns true.
func chunks(r io.ReaderAt, size int64, order binary.ByteOrder, do func(id string, at, length int64) (bool, error)) error {
	for at := int64(12); at+8 <= size; {
		var head [8]byte
		if _, err := r.ReadAt(head[:], at); err != nil {
			return err
		}
		length := int64(order.Uint32(head[4:]))
		if done, err := do(string(head[:4]), at+8, length); done || err != nil {
			return err
		}
		at += 8 + length + length%2
	}
	return nil
}

// readWave finds the samples of a WAVE file (RIFF, Microsoft 1991).
func readWave(r io.ReaderAt, size int64) (*File, error) {
	var out *File
	known := false
	err := chunks(r, size, binary.LittleEndian, func(id string, at, length int64) (bool, error) {
		switch id {
		case "fmt ":
			var b [16]byte
			if length < 16 {
				return true, errors.New("its format chunk is cut short")
			}
			if _, err := r.ReadAt(b[:], at); err != nil {
				return true, fmt.Errorf("its format chunk is cut short: %w", err)
			}
			le := binary.LittleEndian
			if tag := le.Uint16(b[:]); tag != 1 && tag != 0xFFFE {
				return true, fmt.Errorf("its samples are compressed (format %#x): %w", tag, ErrNotCD)
			}
			known = true
			return false, checkFormat(int(le.Uint32(b[4:])), int(le.Uint16(b[14:])), int(le.Uint16(b[2:])))
		case "data":
			if !known {
				return true, errors.New("its samples come before their format")
			}
			out = &File{Source: r, Offset: at, Size: min(length, size-at), Lack: lack(length, size-at), Kind: "WAVE"}
			return true, nil
		}
		return false, nil
	})
	return result(out, err, "WAVE")
}

// lack returns how much is missing of samples. Programs that write to a pipe state a length
// that is none, and more than a CD holds.
func lack(stated, have int64) int64 {
	const most = 1 << 30
	if stated > most {
		return 0
	}
	return max(0, stated-have)
}

func result(f *File, err error, kind string) (*File, error) {
	if err == nil && f == nil {
		err = errors.New("it has no samples")
	}
	if err != nil {
		return nil, fmt.Errorf("%s file: %w", kind, err)
	}
	return f, nil
}

// readAIFF finds the samples of an AIFF or AIFF-C file (Apple 1989, 1991).
func readAIFF(r io.ReaderAt, size int64) (*File, error) {
	var out File
	known := false
	err := chunks(r, size, binary.BigEndian, func(id string, at, length int64) (bool, error) {
		switch id {
		case "COMM":
			b := make([]byte, min(length, 22))
			if length < 18 {
				return true, errors.New("its COMM chunk is cut short")
			}
			if _, err := r.ReadAt(b, at); err != nil {
				return true, fmt.Errorf("its COMM chunk is cut short: %w", err)
			}
			out.Swapped = true
			if len(b) == 22 {
				switch kind := string(b[18:]); kind {
				case "NONE", "twos":
				case "sowt":
					out.Swapped = false
				default:
					return true, fmt.Errorf("its samples are compressed (%q): %w", kind, ErrNotCD)
				}
			}
			known = true
			be := binary.BigEndian
			return out.Source != nil, checkFormat(extended(b[8:18]), int(be.Uint16(b[6:])), int(be.Uint16(b)))
		case "SSND":
			var b [8]byte
			if _, err := r.ReadAt(b[:], at); err != nil || length < 8 {
				return true, errors.New("its SSND chunk is cut short")
			}
			skip := 8 + int64(binary.BigEndian.Uint32(b[:]))
			if skip > length || at+skip > size {
				return true, errors.New("its samples are beyond its end")
			}
			out.Source, out.Offset, out.Size, out.Kind = r, at+skip, min(length, size-at)-skip, "AIFF"
			out.Lack = lack(length, size-at)
			return known, nil
		}
		return false, nil
	})
	if err == nil && (!known || out.Source == nil) {
		err = errors.New("it has no samples")
	}
	return result(&out, err, "AIFF")
}

// extended reads an 80-bit floating point number (IEEE 754) that is a sampling
// rate.
func extended(b []byte) int {
	exponent := int(binary.BigEndian.Uint16(b)) - 16383
	if exponent < 0 || exponent > 30 {
		return 0
	}
	return int(binary.BigEndian.Uint64(b[2:]) >> (63 - exponent))
}
