package dmg

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"os"

	"github.com/klauspost/compress/zlib"

	"spindle/image/format"
	"spindle/internal/blocks"
)

// newRun is how much is compressed at a time: 512 sectors, as Disk Utility does.
const newRun = 512 * sectorSize

// create writes the user data of one data track as the content of a disk: compressed (UDZO),
// or as it is (UDRO).
func create(o *format.Output) error {
	codec, err := o.OneCodec("zlib", "none")
	if err != nil {
		return err
	}
	t, size, err := o.ReserveISO()
	if err != nil {
		return err
	}
	return o.Write(o.Path, func(f *os.File) error {
		w := newWriter(f, size, codec == "none")
		defer w.packer.Close()
		if err := o.CopyAs(t, t.Start, t.End, format.UserData, w.Write); err != nil {
			return err
		}
		return w.end()
	})
}

// A writer writes a disk image of a known size.
type writer struct {
	f      io.Writer
	size   int64
	packer *blocks.Packer
	at     int64 // in the file
	sector int64
	runs   []run
	sum    uint32    // of the content
	stored uint32    // of what is stored
	hash   hash.Hash // of the content, which the id of the file is made of
}

func newWriter(f io.Writer, size int64, plain bool) *writer {
	w := &writer{f: f, size: size, hash: sha256.New()}
	w.packer = blocks.NewPacker(newRun, func() func([]byte) ([]byte, error) {
		if plain {
			return func(b []byte) ([]byte, error) { return b, nil }
		}
		return newCompressor()
	}, w.emit)
	return w
}

// newCompressor compresses runs: to nothing, when they are empty, and not at all when they would
// not become smaller.
func newCompressor() func([]byte) ([]byte, error) {
	const level = 7
	z, err := zlib.NewWriterLevel(io.Discard, level)
	zeros := make([]byte, newRun)
	return func(b []byte) ([]byte, error) {
		if err != nil || bytes.Equal(b, zeros[:len(b)]) {
			return nil, err
		}
		var out bytes.Buffer
		z.Reset(&out)
		if _, err := z.Write(b); err != nil {
			return nil, err
		}
		if err := z.Close(); err != nil {
			return nil, err
		}
		if out.Len() >= len(b) {
			return b, nil
		}
		return out.Bytes(), nil
	}
}

// Write takes more of the content.
func (w *writer) Write(p []byte) (int, error) {
	w.sum = crc32.Update(w.sum, crc32.IEEETable, p)
	w.hash.Write(p)
	return w.packer.Write(p)
}

// emit writes what became of a run.
func (w *writer) emit(packed, plain []byte) error {
	r := run{kind: runZlib, begin: w.sector, end: w.sector + int64(len(plain))/sectorSize, at: w.at, length: int64(len(packed))}
	switch {
	case len(packed) == 0:
		r.kind = runZero
	case len(packed) == len(plain):
		r.kind = runRaw
	}
	w.sector = r.end
	if n := len(w.runs) - 1; n >= 0 && r.kind != runZlib && w.runs[n].kind == r.kind {
		w.runs[n].end, w.runs[n].length = r.end, w.runs[n].length+r.length
	} else {
		w.runs = append(w.runs, r)
	}
	w.stored = crc32.Update(w.stored, crc32.IEEETable, packed)
	n, err := w.f.Write(packed)
	w.at += int64(n)
	return err
}

// end writes what stands behind the runs.
func (w *writer) end() error {
	if err := w.packer.Close(); err != nil {
		return err
	}
	list := w.list()
	_, err := w.f.Write(append(list, w.trailer(int64(len(list)))...))
	return err
}

// putSum writes a checksum, as it stands in headers.
func putSum(b []byte, sum uint32) {
	binary.BigEndian.PutUint32(b, crcType)
	binary.BigEndian.PutUint32(b[4:], 32)
	binary.BigEndian.PutUint32(b[8:], sum)
}

// table makes the table of runs.
func (w *writer) table() []byte {
	b := make([]byte, tableSize, tableSize+(len(w.runs)+1)*runSize)
	copy(b, magicTable)
	binary.BigEndian.PutUint32(b[4:], 1)
	binary.BigEndian.PutUint64(b[16:], uint64(w.size/sectorSize))
	binary.BigEndian.PutUint32(b[32:], newRun/sectorSize+8) // sectors that a reader has to have room for
	binary.BigEndian.PutUint32(b[36:], 1<<32-2)             // the whole disk
	putSum(b[64:], w.sum)
	binary.BigEndian.PutUint32(b[200:], uint32(len(w.runs)+1))
	for _, r := range append(w.runs, run{kind: runEnd, begin: w.sector, end: w.sector, at: w.at}) {
		b = binary.BigEndian.AppendUint64(b, uint64(r.kind)<<32)
		b = binary.BigEndian.AppendUint64(b, uint64(r.begin))
		b = binary.BigEndian.AppendUint64(b, uint64(r.end-r.begin))
		b = binary.BigEndian.AppendUint64(b, uint64(r.at))
		b = binary.BigEndian.AppendUint64(b, uint64(r.length))
	}
	return b
}

// list makes the property list.
func (w *writer) list() []byte {
	return fmt.Appendf(nil, `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple Computer//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
	<key>resource-fork</key>
	<dict>
		<key>blkx</key>
		<array>
			<dict>
				<key>Attributes</key>
				<string>0x0050</string>
				<key>Data</key>
				<data>%s</data>
				<key>ID</key>
				<string>0</string>
				<key>Name</key>
				<string>whole disk (unknown partition : 0)</string>
			</dict>
		</array>
	</dict>
</dict>
</plist>
`, base64.StdEncoding.EncodeToString(w.table()))
}

func (w *writer) trailer(list int64) []byte {
	b := make([]byte, trailerSize)
	copy(b, magicTrailer)
	binary.BigEndian.PutUint32(b[4:], 4)
	binary.BigEndian.PutUint32(b[8:], trailerSize)
	binary.BigEndian.PutUint32(b[12:], 1) // one file
	binary.BigEndian.PutUint64(b[32:], uint64(w.at))
	binary.BigEndian.PutUint32(b[56:], 1)
	binary.BigEndian.PutUint32(b[60:], 1)
	copy(b[64:80], w.hash.Sum(nil))
	putSum(b[80:], w.stored)
	binary.BigEndian.PutUint64(b[216:], uint64(w.at))
	binary.BigEndian.PutUint64(b[224:], uint64(list))
	putSum(b[352:], crc32.ChecksumIEEE(binary.BigEndian.AppendUint32(nil, w.sum)))
	binary.BigEndian.PutUint32(b[488:], 1) // a device, with or without partitions
	binary.BigEndian.PutUint64(b[492:], uint64(w.size/sectorSize))
	return b
}
