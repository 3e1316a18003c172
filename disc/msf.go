package disc

import (
	"fmt"
	"strconv"
	"strings"
)

// FramesPerSecond is the number of CD sectors in one second of playing time
// (ECMA-130 section 14).
const FramesPerSecond = 75

// msfOrigin is the LBA offset of absolute time 00:00:00: the two seconds of
// pregap that precede LBA 0 (MMC-5 table "LBA to MSF translation").
const msfOrigin = 150

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
	n := int(a) + msfOrigin
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
	return LBA(n - msfOrigin)
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
