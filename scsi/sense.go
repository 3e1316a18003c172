package scsi

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// SenseKey is the class of a check condition (SPC-4 4.5.6).
type SenseKey uint8

// The sense keys.
const (
	NoSense        SenseKey = 0x0
	RecoveredError SenseKey = 0x1
	NotReady       SenseKey = 0x2
	MediumError    SenseKey = 0x3
	HardwareError  SenseKey = 0x4
	IllegalRequest SenseKey = 0x5
	UnitAttention  SenseKey = 0x6
	DataProtect    SenseKey = 0x7
	BlankCheck     SenseKey = 0x8
	VendorSpecific SenseKey = 0x9
	CopyAborted    SenseKey = 0xA
	AbortedCommand SenseKey = 0xB
	VolumeOverflow SenseKey = 0xD
	Miscompare     SenseKey = 0xE
)

var senseKeyNames = [16]string{
	"no sense", "recovered error", "not ready", "medium error", "hardware error",
	"illegal request", "unit attention", "data protect", "blank check", "vendor specific",
	"copy aborted", "aborted command", "equal", "volume overflow", "miscompare", "completed",
}

func (k SenseKey) String() string { return senseKeyNames[k&15] }

// Sense is what a device says of a command that did not simply succeed
// (SPC-4 4.5).
type Sense struct {
	Key       SenseKey
	ASC, ASCQ uint8
	// Deferred is set when the error belongs to an earlier command (response
	// codes 71h and 73h).
	Deferred bool
	// ILI: the length or the kind of the block was not the one asked for.
	ILI bool
	// Information holds, when InformationValid is set, the address at which
	// a read or write failed.
	Information      uint64
	InformationValid bool
	// Progress is how far a long operation has come, from 0 to 1, when
	// ProgressValid is set (keys 0 and 2).
	Progress      float64
	ProgressValid bool
	// Field is the byte of the CDB (or of the parameter list, when
	// FieldInData) that an illegal request complains of; FieldValid says
	// that it is set.
	Field       uint16
	FieldInData bool
	FieldValid  bool
	// Raw holds the sense data as they came.
	Raw []byte
}

// ErrSense is returned for sense data that are too short or of an unknown form.
var ErrSense = errors.New("scsi: malformed sense data")

// ParseSense reads sense data in fixed (70h, 71h) or descriptor (72h, 73h) form.
func ParseSense(b []byte) (Sense, error) {
	s := Sense{Raw: b}
	if len(b) < 4 {
		return s, fmt.Errorf("%w: %d bytes", ErrSense, len(b))
	}
	switch b[0] & 0x7F {
	case 0x70, 0x71:
		s.parseFixed(b)
	case 0x72, 0x73:
		s.parseDescriptors(b)
	default:
		return s, fmt.Errorf("%w: response code %#02x", ErrSense, b[0]&0x7F)
	}
	s.Deferred = b[0]&1 != 0
	return s, nil
}

func (s *Sense) parseFixed(b []byte) {
	s.Key = SenseKey(b[2] & 15)
	s.ILI = b[2]&0x20 != 0
	if len(b) >= 7 && b[0]&0x80 != 0 {
		s.Information, s.InformationValid = uint64(binary.BigEndian.Uint32(b[3:])), true
	}
	if len(b) >= 14 {
		s.ASC, s.ASCQ = b[12], b[13]
	} else if len(b) == 13 {
		s.ASC = b[12]
	}
	if len(b) >= 18 {
		s.parseSpecific(b[15:18])
	}
}

func (s *Sense) parseDescriptors(b []byte) {
	s.Key, s.ASC, s.ASCQ = SenseKey(b[1]&15), b[2], b[3]
	if len(b) < 8 {
		return
	}
	d := b[8:min(len(b), 8+int(b[7]))]
	for len(d) >= 2 {
		n := 2 + int(d[1])
		if n > len(d) {
			return
		}
		switch {
		case d[0] == 0x00 && n >= 12 && d[2]&0x80 != 0:
			s.Information, s.InformationValid = binary.BigEndian.Uint64(d[4:]), true
		case d[0] == 0x02 && n >= 7:
			s.parseSpecific(d[4:7])
		case d[0] == 0x05 && n >= 4:
			s.ILI = d[3]&0x20 != 0
		}
		d = d[n:]
	}
}

// parseSpecific reads the three sense-key specific bytes.
func (s *Sense) parseSpecific(b []byte) {
	if b[0]&0x80 == 0 {
		return
	}
	v := binary.BigEndian.Uint16(b[1:])
	switch s.Key {
	case NoSense, NotReady:
		s.Progress, s.ProgressValid = float64(v)/65536, true
	case IllegalRequest:
		s.Field, s.FieldInData, s.FieldValid = v, b[0]&0x40 == 0, true
	}
}

// Fixed encodes the sense in fixed form, 18 bytes (SPC-4 4.5.3).
func (s *Sense) Fixed() []byte {
	b := make([]byte, 18)
	b[0] = 0x70
	if s.Deferred {
		b[0] = 0x71
	}
	b[2] = byte(s.Key)
	if s.ILI {
		b[2] |= 0x20
	}
	if s.InformationValid {
		b[0] |= 0x80
		binary.BigEndian.PutUint32(b[3:], uint32(s.Information))
	}
	b[7] = 10
	b[12], b[13] = s.ASC, s.ASCQ
	switch {
	case s.ProgressValid:
		b[15] = 0x80
		binary.BigEndian.PutUint16(b[16:], uint16(min(s.Progress, 0.9999)*65536))
	case s.FieldValid:
		b[15] = 0x80
		if !s.FieldInData {
			b[15] |= 0x40
		}
		binary.BigEndian.PutUint16(b[16:], s.Field)
	}
	return b
}

// Is reports whether the sense has this key and additional sense code; an ascq
// of AnyQualifier matches all qualifiers.
func (s *Sense) Is(key SenseKey, asc uint8, ascq int) bool {
	return s.Key == key && s.ASC == asc && (ascq == AnyQualifier || s.ASCQ == uint8(ascq))
}

// AnyQualifier makes [Sense.Is] ignore the additional sense code qualifier.
const AnyQualifier = -1

// Triple formats key, code and qualifier as they are written in forums and
// search engines: 3/0C/00.
func (s *Sense) Triple() string { return fmt.Sprintf("%X/%02X/%02X", uint8(s.Key), s.ASC, s.ASCQ) }

// String gives the triple and its meaning: "3/11/05 L-EC uncorrectable error".
func (s *Sense) String() string {
	if m := s.Meaning(); m != "" {
		return s.Triple() + " " + m
	}
	return s.Triple() + " " + s.Key.String()
}
