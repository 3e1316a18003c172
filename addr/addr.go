// Package addr has the addresses of optical discs: logical block addresses,
// absolute times, and the lengths that lie between a disc's sessions. Everything
// that names a sector, from the commands of a drive to the tracks of an image,
// uses these types.
package addr

import (
	"fmt"
	"strconv"
	"strings"
)

// FramesPerSecond is the number of CD sectors in one second of playing time
// (ECMA-130 section 14).
const FramesPerSecond = 75

// Lengths of the areas around the tracks of a CD, in sectors (MMC-5 6.33.3, ECMA-394).
const (
	// Pregap is the two seconds before LBA 0, and before the first track of
	// each later session. Absolute time 00:00:00 is LBA -150.
	Pregap = 150
	// FirstLeadOut and LaterLeadOut are the lead-outs of the first session
	// (90 seconds) and of those that follow (30 seconds).
	FirstLeadOut = 6750
	LaterLeadOut = 2250
	// LeadIn is the lead-in of each session but the first (60 seconds).
	LeadIn = 4500
)

// SessionGap returns the number of sectors from the lead-out of a CD's session,
// counted from 1, to INDEX 01 of the first track of the next: lead-out, lead-in
// and pregap.
func SessionGap(session int) int {
	if session == 1 {
		return FirstLeadOut + LeadIn + Pregap
	}
	return LaterLeadOut + LeadIn + Pregap
}

// leadInFrames is the number of frames in 100 minutes: absolute times of 90
// minutes and more wrap below zero and lie in the lead-in (MMC-5 6.26).
const leadInFrames = 100 * 60 * FramesPerSecond

// LBA is a logical block address: a sector number. On a CD, LBA 0 is the
// first sector after the two-second pregap of track 1, so the pregap and the
// lead-in have negative addresses.
type LBA int32

// MSF is a time in minutes, seconds and frames (1/75 s). Whether it is an
// absolute time on a disc or a distance depends on where it stands; see
// [LBA.MSF] and [Frames].
type MSF struct{ M, S, F int }

// MSF returns the absolute time of a CD sector as a drive states it: LBA -150
// is 00:00:00, and the lead-in before it counts down from 99:59:74. Addresses
// past 99:59:74 (LBA 449849) keep counting minutes.
func (a LBA) MSF() MSF {
	n := int(a) + Pregap
	if n < 0 {
		n += leadInFrames
	}
	return Frames(n)
}

// Frames converts a count of frames (sectors) to minutes, seconds and frames.
// A negative count gives a time whose fields are all zero or negative.
func Frames(n int) MSF {
	return MSF{n / (60 * FramesPerSecond), n / FramesPerSecond % 60, n % FramesPerSecond}
}

// Frames returns the time as a count of frames.
func (t MSF) Frames() int { return (t.M*60+t.S)*FramesPerSecond + t.F }

// LBA returns the address of an absolute time. Times of 90:00:00 to 99:59:74
// are lead-in addresses and give a negative LBA (MMC-5 6.26).
func (t MSF) LBA() LBA {
	n := t.Frames()
	if t.M >= 90 && t.M < 100 {
		n -= leadInFrames
	}
	return LBA(n - Pregap)
}

// MSFFromBytes returns the time that three binary bytes state: minutes, seconds,
// frames, as the replies of a drive have them.
func MSFFromBytes(b [3]byte) MSF { return MSF{int(b[0]), int(b[1]), int(b[2])} }

// BCD returns the three bytes of the time in binary-coded decimal, as sector
// headers and the Q sub-channel state it. Fields of 100 and more are cut to their
// last two digits.
func (t MSF) BCD() [3]byte { return [3]byte{ToBCD(t.M), ToBCD(t.S), ToBCD(t.F)} }

// MSFFromBCD returns the time that three bytes of binary-coded decimal state, and
// false where a nibble is no digit.
func MSFFromBCD(b [3]byte) (MSF, bool) {
	m, ok1 := FromBCD(b[0])
	s, ok2 := FromBCD(b[1])
	f, ok3 := FromBCD(b[2])
	return MSF{m, s, f}, ok1 && ok2 && ok3
}

// ToBCD returns the last two decimal digits of n, one a nibble.
func ToBCD(n int) byte { return byte(n/10%10<<4 | n%10) }

// FromBCD returns the number that two decimal digits state, and false where a
// nibble is no digit.
func FromBCD(b byte) (int, bool) {
	hi, lo := int(b>>4), int(b&15)
	return hi*10 + lo, hi <= 9 && lo <= 9
}

// String formats the time as MM:SS:FF.
func (t MSF) String() string {
	if n := t.Frames(); n < 0 {
		t = Frames(-n)
		return fmt.Sprintf("-%02d:%02d:%02d", t.M, t.S, t.F)
	}
	return fmt.Sprintf("%02d:%02d:%02d", t.M, t.S, t.F)
}

// ParseMSF reads a time written MM:SS:FF. Minutes may have more than two
// digits; seconds must be below 60 and frames below 75.
func ParseMSF(s string) (MSF, error) {
	parts := strings.Split(s, ":")
	if len(parts) != 3 {
		return MSF{}, fmt.Errorf("time %q is not MM:SS:FF", s)
	}
	var v [3]int
	for i, p := range parts {
		n, err := strconv.ParseUint(p, 10, 16)
		if err != nil {
			return MSF{}, fmt.Errorf("time %q is not MM:SS:FF", s)
		}
		v[i] = int(n)
	}
	switch {
	case v[1] > 59:
		return MSF{}, fmt.Errorf("time %q: seconds must be 00 to 59", s)
	case v[2] > 74:
		return MSF{}, fmt.Errorf("time %q: frames must be 00 to 74", s)
	}
	return MSF{v[0], v[1], v[2]}, nil
}
