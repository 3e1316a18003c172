// Package sbi reads and writes files of changed Q sub-channels, as they lie beside images of
// PlayStation discs with LibCrypt: .sbi and .lsd. They list the few sectors whose Q is wrong
// on purpose; an image with them needs no other sub-channels. It opens no file.
package sbi

import (
	"bytes"
	"errors"
	"fmt"

	"spindle/addr"
	"spindle/disc/cdsector"
)

// ErrFormat is what every error of [Parse] wraps.
var ErrFormat = errors.New("no file of changed Q sub-channels")

// magic begins a .sbi. A .lsd has none.
var magic = []byte("SBI\x00")

// MaxSize bounds such a file, in bytes: that of a disc with every sector changed would be as long
// as its sub-channels.
const MaxSize = 1 << 20

// A Record is what the Q of a sector holds in place of what it would.
type Record struct {
	At    addr.LBA
	From  int    // the first byte of Q that is stated
	Bytes []byte // no more than Q has from there on
}

// bodySize is the length of a frame of Q without its checksum.
const bodySize = cdsector.QSize - 2

// A form is a kind of record: which bytes of Q it states.
type form struct{ from, n int }

// forms are those of a .sbi, by the byte behind the address. Old programs wrote the second
// and the third: the time in the track, and the absolute time.
var forms = map[byte]form{1: {0, bodySize}, 2: {3, 3}, 3: {7, 3}}

// Parse reads a .sbi, or a .lsd, which has the checksums, too. The records of a .sbi are an address in BCD
// (minute, second, frame), a byte that states the form, and the bytes; those of a .lsd are an
// address and a whole frame. An error wraps [ErrFormat].
func Parse(b []byte) ([]Record, error) {
	rest, sbi := bytes.CutPrefix(b, magic)
	if len(rest) == 0 {
		return nil, fmt.Errorf("%w: it is empty", ErrFormat)
	}
	var all []Record
	for len(rest) > 0 {
		head, f := 3, form{0, cdsector.QSize}
		if sbi {
			head = 4
			if len(rest) >= head {
				f = forms[rest[3]]
			}
		}
		if f.n == 0 {
			return nil, fmt.Errorf("%w: record %d has an unknown form (%d)", ErrFormat, len(all)+1, rest[3])
		}
		if len(rest) < head+f.n {
			return nil, fmt.Errorf("%w: its last record is cut off", ErrFormat)
		}
		at, ok := addr.MSFFromBCD([3]byte(rest))
		if !ok {
			return nil, fmt.Errorf("%w: the address of record %d is none", ErrFormat, len(all)+1)
		}
		all = append(all, Record{at.LBA(), f.from, rest[head : head+f.n]})
		rest = rest[head+f.n:]
	}
	return all, nil
}

// crcBit is what the checksum differs by from the right one where a record states none. A
// wrong one is part of the protection, and of its games most have this.
const crcBit = 0x0080

// Apply changes a frame of Q. Where the record states no checksum, the frame gets a wrong one.
func (r *Record) Apply(q *[cdsector.QSize]byte) {
	copy(q[r.From:], r.Bytes)
	if r.From+len(r.Bytes) < cdsector.QSize {
		crc := cdsector.CRC16(q[:bodySize]) ^ crcBit
		q[bodySize], q[bodySize+1] = byte(crc>>8), byte(crc)
	}
}

// Of makes the record of a frame, if a .sbi can state it: with the checksum that Apply makes.
func Of(at addr.LBA, q *[cdsector.QSize]byte) (Record, bool) {
	r := Record{at, 0, bytes.Clone(q[:bodySize])}
	var again [cdsector.QSize]byte
	r.Apply(&again)
	return r, again == *q
}

// Encode makes a .sbi of records of whole frames, as [Of] makes them.
func Encode(all []Record) []byte {
	b := bytes.Clone(magic)
	for _, r := range all {
		at := r.At.MSF().BCD()
		b = append(append(append(b, at[:]...), 1), r.Bytes...)
	}
	return b
}
