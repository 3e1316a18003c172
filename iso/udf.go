package iso

import (
	"encoding/binary"
	"fmt"
	"io"
	"iter"
)

// Tags of UDF descriptors (ECMA-167 3/7.2.1).
const (
	tagPrimary    = 1
	tagAnchor     = 2
	tagPartition  = 5
	tagLogical    = 6
	tagTerminator = 8
)

// anchorBlock is where the anchor volume descriptor pointer stands; two of block
// 256, the last block N and N-256 must hold one (ECMA-167 3/8.4.2.1).
const anchorBlock = 256

// maxSequence bounds the descriptors read from one volume descriptor sequence.
const maxSequence = 64

// tag checks a descriptor's tag (checksum and own location) and returns its
// number, or 0 when it is none.
func tag(b []byte, at int64) int {
	var sum byte
	for i, c := range b[:16] {
		if i != 4 {
			sum += c
		}
	}
	if sum != b[4] || int64(binary.LittleEndian.Uint32(b[12:])) != at {
		return 0
	}
	return int(binary.LittleEndian.Uint16(b))
}

// anchors are the anchors of a disc of so many blocks (0: not known), by their places.
func anchors(r io.ReaderAt, blocks int64) iter.Seq2[int64, []byte] {
	places := []int64{anchorBlock}
	if blocks > anchorBlock {
		places = append(places, blocks-1, blocks-1-256)
	}
	return func(yield func(int64, []byte) bool) {
		for _, n := range places {
			b, err := readBlock(r, n)
			if err == nil && tag(b, n) == tagAnchor && !yield(n, b) {
				return
			}
		}
	}
}

// readUDF finds an anchor and follows it. A disc that announces UDF but whose
// anchors cannot be found has no UDF volume.
func (v *Volume) readUDF(r io.ReaderAt, blocks int64) {
	for n, b := range anchors(r, blocks) {
		v.UDFBlocks = max(v.UDFBlocks, n+1)
		main, reserve := extent(b[16:]), extent(b[24:])
		v.UDFBlocks = max(v.UDFBlocks, main.end(), reserve.end())
		if !v.readSequenceUDF(r, main) {
			v.readSequenceUDF(r, reserve)
		}
	}
	if v.UDF == "" {
		v.UDFBlocks = 0
	}
}

// accessWriteOnce is the access type of a partition that grows (ECMA-167 3/10.5.7).
const accessWriteOnce = 2

// extentAD is an extent of bytes that starts at a block.
type extentAD struct {
	block, length int64
}

func extent(b []byte) extentAD {
	return extentAD{int64(binary.LittleEndian.Uint32(b[4:])), int64(binary.LittleEndian.Uint32(b))}
}

func (e extentAD) end() int64 {
	if e.length == 0 {
		return 0
	}
	return e.block + (e.length+BlockSize-1)/BlockSize
}

// readSequenceUDF reads a volume descriptor sequence and reports whether it had
// what a volume needs.
func (v *Volume) readSequenceUDF(r io.ReaderAt, seq extentAD) bool {
	var partition, logical bool
	for n := seq.block; n < min(seq.end(), seq.block+maxSequence); n++ {
		b, err := readBlock(r, n)
		if err != nil {
			break
		}
		switch tag(b, n) {
		case tagPrimary:
			if v.Label == "" {
				v.Label = osta(b[24:56])
			}
		case tagPartition:
			partition = true
			start, length := int64(binary.LittleEndian.Uint32(b[188:])), int64(binary.LittleEndian.Uint32(b[192:]))
			if binary.LittleEndian.Uint32(b[184:]) == accessWriteOnce {
				length = 0 // it has room for what is still to be recorded (UDF 2.2.14)
			}
			v.UDFBlocks = max(v.UDFBlocks, start+length)
		case tagLogical:
			logical = true
			if size := binary.LittleEndian.Uint32(b[212:]); size != BlockSize {
				return false
			}
			// The revision stands as BCD in the suffix of "*OSTA UDF Compliant".
			rev := binary.LittleEndian.Uint16(b[216+24:])
			v.UDF = fmt.Sprintf("%x.%02x", rev>>8, rev&0xFF)
			if !v.ISO9660 {
				v.Label = osta(b[84:212])
			}
		case tagTerminator, 0:
			return partition && logical
		}
	}
	return partition && logical
}
