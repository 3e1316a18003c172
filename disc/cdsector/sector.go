// Package cdsector is about one CD sector of 2352 bytes: what kind it is, the
// sync pattern and header, the error detection code (EDC), the P and Q parity
// that corrects errors, scrambling, and the 96 bytes of sub-channel that go
// with it. The source throughout is ECMA-130, for XA the Yellow Book extension
// as MMC-5 describes it.
package cdsector

import (
	"encoding/binary"
	"fmt"

	"spindle/addr"
)

// Sizes of a sector and its parts, in bytes.
const (
	Size        = 2352 // a whole sector
	UserSize    = 2048 // user data of Mode 1 and of XA form 1
	Form2Size   = 2324 // user data of XA form 2
	Mode2Size   = 2336 // user data of a formless Mode 2 sector
	SubSize     = 96   // sub-channels P to W of one sector
	QSize       = 12   // one Q frame: 80 bits and their CRC
	headerAt    = 12
	modeAt      = 15
	userAt      = 16   // Mode 1 user data; XA sub-header
	xaUserAt    = 24   // XA user data
	mode1EDCAt  = 2064 // four bytes
	mode1ZeroAt = 2068 // eight zero bytes
	form1EDCAt  = 2072
	form2EDCAt  = 2348
	pParityAt   = 2076
	qParityAt   = 2248
)

// Kind is the kind of one sector.
type Kind uint8

// The kinds of sectors.
const (
	Audio  Kind = iota // 2352 bytes of samples: anything without a sync pattern
	Mode0              // header, then zeros
	Mode1              // 2048 bytes with EDC and parity
	Mode2              // formless: 2336 bytes without any protection
	Form1              // XA form 1: 2048 bytes with EDC and parity
	Form2              // XA form 2: 2324 bytes, EDC optional
	Bad                // has a sync pattern, but an unknown mode byte
	kindsN             // number of kinds
)

var kindNames = [kindsN]string{"audio", "mode 0", "mode 1", "mode 2 formless", "mode 2 form 1", "mode 2 form 2", "unknown mode"}

// String names the kind in a few words, such as "mode 2 form 1".
func (k Kind) String() string {
	if k < kindsN {
		return kindNames[k]
	}
	return fmt.Sprintf("Kind(%d)", uint8(k))
}

// UserData returns the offset and the length in bytes of the user data in a
// sector of this kind.
func (k Kind) UserData() (offset, length int) {
	switch k {
	case Mode1:
		return userAt, UserSize
	case Mode0, Mode2:
		return userAt, Mode2Size
	case Form1:
		return xaUserAt, UserSize
	case Form2:
		return xaUserAt, Form2Size
	}
	return 0, Size
}

// A NoBlockError is returned for a sector that has no block of 2048 bytes.
type NoBlockError struct{ Kind Kind }

// Error implements error.
func (e *NoBlockError) Error() string {
	return fmt.Sprintf("it is %s and has no 2048 bytes of user data", e.Kind)
}

// Block returns the 2048 bytes of user data in a sector of Mode 1 or XA form 1, as
// a part of s. For other sectors the error is a [*NoBlockError].
func Block(s *[Size]byte) ([]byte, error) {
	switch k := Classify(s); k {
	case Mode1:
		return s[userAt : userAt+UserSize], nil
	case Form1:
		return s[xaUserAt : xaUserAt+UserSize], nil
	default:
		return nil, &NoBlockError{k}
	}
}

// sync is the twelve-byte pattern that starts every data sector (ECMA-130 14.1).
var sync = [12]byte{0x00, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x00}

// HasSync reports whether a sector starts with the sync pattern of a data
// sector.
func HasSync(s *[Size]byte) bool { return [12]byte(s[:12]) == sync }

// Classify says what kind a sector is, by its sync pattern, mode byte and
// sub-header. A Mode 2 sector counts as XA when the two copies of its
// sub-header agree, and as formless otherwise.
func Classify(s *[Size]byte) Kind {
	if !HasSync(s) {
		return Audio
	}
	switch s[modeAt] & 3 { // the upper bits mark run-in, run-out and link blocks
	case 0:
		return Mode0
	case 1:
		return Mode1
	case 2:
		sub := binary.LittleEndian.Uint32(s[16:])
		switch {
		case sub != binary.LittleEndian.Uint32(s[20:]):
			return Mode2
		case s[18]&0x20 != 0:
			return Form2
		case sub == 0 && edc(s[16:form1EDCAt]) != binary.LittleEndian.Uint32(s[form1EDCAt:]):
			// Eight zero bytes say nothing: only the EDC tells form 1
			// from formless data that starts with zeros.
			return Mode2
		}
		return Form1
	}
	return Bad
}

// Address returns the absolute time in the header of a data sector, and whether
// the three bytes state one.
func Address(s *[Size]byte) (addr.MSF, bool) {
	t, ok := addr.MSFFromBCD([3]byte(s[12:15]))
	return t, ok && t.S < 60 && t.F < addr.FramesPerSecond
}

// SetHeader writes the sync pattern and the header of a data sector: the
// absolute time of the sector, in BCD, and the mode byte.
func SetHeader(s *[Size]byte, at addr.MSF, mode byte) {
	copy(s[:], sync[:])
	t := at.BCD()
	copy(s[12:], t[:])
	s[modeAt] = mode
}

// Seal computes and stores EDC and parity of a sector whose header, sub-header
// and user data are in place. For audio, Mode 0 and formless sectors there is
// nothing to do.
func Seal(s *[Size]byte, k Kind) {
	switch k {
	case Mode1:
		binary.LittleEndian.PutUint32(s[mode1EDCAt:], edc(s[:mode1EDCAt]))
		clear(s[mode1ZeroAt:pParityAt])
		putParity(s, false)
	case Form1:
		binary.LittleEndian.PutUint32(s[form1EDCAt:], edc(s[16:form1EDCAt]))
		putParity(s, true)
	case Form2:
		binary.LittleEndian.PutUint32(s[form2EDCAt:], edc(s[16:form2EDCAt]))
	}
}

// SetSync writes the sync pattern alone.
func SetSync(s *[Size]byte) { copy(s[:], sync[:]) }

// SetParity computes and stores P and Q parity of a sector of Mode 1 or XA form 1, and leaves
// its EDC as it is. For other kinds there is nothing to do.
func SetParity(s *[Size]byte, k Kind) {
	if k == Mode1 || k == Form1 {
		putParity(s, k == Form1)
	}
}

// Spoil computes and stores a wrong EDC, and parity that fits it: that the content of
// the sector is wrong shows, and parity does not correct it into one that looks right.
// For kinds that [Seal] leaves alone there is nothing to do.
func Spoil(s *[Size]byte, k Kind) {
	Seal(s, k)
	at, ok := map[Kind]int{Mode1: mode1EDCAt, Form1: form1EDCAt, Form2: form2EDCAt}[k]
	if !ok {
		return
	}
	edc := ^binary.LittleEndian.Uint32(s[at:])
	if edc == 0 { // in form 2, none at all
		edc = 1
	}
	binary.LittleEndian.PutUint32(s[at:], edc)
	if k != Form2 {
		putParity(s, k == Form1)
	}
}

// EDCOK reports whether the error detection code of a sector of kind k is right.
// Sectors that have none (audio, Mode 0, formless, XA form 2 with a zero EDC
// field) pass.
func EDCOK(s *[Size]byte, k Kind) bool {
	switch k {
	case Mode1:
		return edc(s[:mode1EDCAt]) == binary.LittleEndian.Uint32(s[mode1EDCAt:])
	case Form1:
		return edc(s[16:form1EDCAt]) == binary.LittleEndian.Uint32(s[form1EDCAt:])
	case Form2:
		stored := binary.LittleEndian.Uint32(s[form2EDCAt:])
		return stored == 0 || edc(s[16:form2EDCAt]) == stored
	case Bad:
		return false
	}
	return true
}

// ParityOK reports whether P and Q parity of a sector of kind k are right.
// Kinds without parity pass.
func ParityOK(s *[Size]byte, k Kind) bool {
	switch k {
	case Mode1:
		return parityOK(s, false)
	case Form1:
		return parityOK(s, true)
	}
	return true
}

// Unprotected reports whether a Mode 1 sector carries zeros where its EDC,
// and all its parity, should be. Emulated drives (QEMU's) answer READ CD so.
func Unprotected(s *[Size]byte) bool {
	if s[modeAt]&3 != 1 {
		return false
	}
	for _, b := range s[mode1EDCAt:] {
		if b != 0 {
			return false
		}
	}
	// The EDC of an all-zero sector is not zero, for the sync pattern is part of it.
	return true
}
