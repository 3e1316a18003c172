package testchd

import (
	"bytes"
	"compress/flate"
	"context"
	"encoding/binary"
	"io"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz/lzma"

	"spindle/disc/cdsector"
	"spindle/image/audio/flacenc"
)

var encoders = map[string]func([]byte) []byte{
	"zlib": deflate, "lzma": lzmaOf, "zstd": zstdOf, "huff": huffOf, "flac": flacOf,
	"cdzl": cdOf(deflate, deflate), "cdlz": cdOf(lzmaOf, deflate), "cdzs": cdOf(zstdOf, zstdOf), "cdfl": cdFLAC,
}

// must is for writers that write to memory.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

func deflate(b []byte) []byte {
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, flate.BestCompression)
	must(err)
	_, err = w.Write(b)
	must(err)
	must(w.Close())
	return out.Bytes()
}

func lzmaOf(b []byte) []byte {
	var out bytes.Buffer
	w, err := lzma.WriterConfig{SizeInHeader: true, Size: int64(len(b)), DictCap: 1 << 16}.NewWriter(&out)
	must(err)
	_, err = w.Write(b)
	must(err)
	must(w.Close())
	return out.Bytes()[lzma.HeaderLen:]
}

func zstdOf(b []byte) []byte {
	w, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	must(err)
	defer w.Close()
	return w.EncodeAll(b, nil)
}

// huffOf codes zeros with one bit, ones with eight, all else with nine.
func huffOf(b []byte) []byte {
	var w bitWriter
	w.write(2, 3) // the tree of the lengths: 0, 2, 9 and 10 have codes of two bits
	w.write(1, 3) // which are stated from 2 on
	w.write(2, 3)
	for range 6 {
		w.write(0, 3)
	}
	w.write(2, 3)
	w.write(2, 3)
	w.write(7, 3)
	w.write(1, 2) // length 1
	w.write(2, 2) // 8
	w.write(3, 2) // 9, and again 253 times
	w.write(0, 2)
	w.write(7, 3)
	w.write(253-9, 8)
	for _, c := range b {
		switch c {
		case 0:
			w.write(1, 1)
		case 1:
			w.write(127, 8)
		default:
			w.write(uint64(c)-2, 9)
		}
	}
	return w.out
}

// fileInMemory is what [flacenc] writes to.
type fileInMemory struct{ b []byte }

func (f *fileInMemory) Write(p []byte) (int, error) {
	f.b = append(f.b, p...)
	return len(p), nil
}

func (f *fileInMemory) WriteAt(p []byte, at int64) (int, error) {
	if at+int64(len(p)) > int64(len(f.b)) {
		return 0, io.ErrShortWrite
	}
	return copy(f.b[at:], p), nil
}

// flacFrames are the frames of samples with the least significant byte first.
func flacFrames(b []byte) []byte {
	var f fileInMemory
	e, err := flacenc.NewEncoder(context.Background(), &f, flacenc.Options{})
	must(err)
	_, err = e.Write(b)
	must(err)
	must(e.Close())
	at := 4
	for last := false; !last; {
		last = f.b[at]&0x80 != 0
		at += 4 + int(binary.BigEndian.Uint32(f.b[at:])&0xFFFFFF)
	}
	return f.b[at:]
}

func flacOf(b []byte) []byte { return append([]byte("L"), flacFrames(b)...) }

// split parts sectors and sub-channels.
func split(b []byte) (sectors, subs []byte) {
	for i := 0; i < len(b); i += cdUnit {
		sectors = append(sectors, b[i:i+cdsector.Size]...)
		subs = append(subs, b[i+cdsector.Size:i+cdUnit]...)
	}
	return sectors, subs
}

func cdOf(first, second func([]byte) []byte) func([]byte) []byte {
	return func(b []byte) []byte {
		sectors, subs := split(b)
		frames := len(b) / cdUnit
		out := make([]byte, (frames+7)/8)
		for i := range frames {
			s := (*[cdsector.Size]byte)(sectors[i*cdsector.Size:])
			k := cdsector.Classify(s)
			mode := map[cdsector.Kind]byte{cdsector.Mode1: 1, cdsector.Form1: 2}[k]
			if mode != 0 && s[15] == mode && cdsector.ParityOK(s, k) {
				out[i/8] |= 1 << (i % 8)
				clear(s[:12])
				clear(s[2076:])
			}
		}
		packed := first(sectors)
		if len(b) >= 1<<16 {
			out = append(out, byte(len(packed)>>16))
		}
		out = binary.BigEndian.AppendUint16(out, uint16(len(packed)))
		return append(append(out, packed...), second(subs)...)
	}
}

func cdFLAC(b []byte) []byte {
	sectors, subs := split(b)
	for i := 0; i < len(sectors); i += 2 {
		sectors[i], sectors[i+1] = sectors[i+1], sectors[i]
	}
	return append(flacFrames(sectors), deflate(subs)...)
}
