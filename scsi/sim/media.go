package sim

import (
	"slices"
	"strings"

	"spindle/disc"
)

// A profile number of GET CONFIGURATION (MMC-6 table 89).
type profile uint16

const (
	profileNone    profile = 0
	profileCDROM   profile = 0x08
	profileCDR     profile = 0x09
	profileCDRW    profile = 0x0A
	profileDVDROM  profile = 0x10
	profileDVDR    profile = 0x11
	profileDVDRAM  profile = 0x12
	profileDVDRWRO profile = 0x13 // restricted overwrite
	profileDVDRW   profile = 0x14 // sequential
	profileDVDRDL  profile = 0x15
	profilePlusRW  profile = 0x1A
	profilePlusR   profile = 0x1B
	profilePlusRDL profile = 0x2B
	profileBDROM   profile = 0x40
	profileBDR     profile = 0x41
	profileBDRE    profile = 0x43
)

// A class is how a recordable medium is written.
type class uint8

const (
	pressed     class = iota
	cdRecord          // tracks, sessions, lead-ins (CD-R, CD-RW)
	minusRecord       // disc at once or incrementally (DVD-R, DVD-RW)
	plusRecord        // fragments of 16 sectors (DVD+R)
	bdRecord          // sequential recording mode (BD-R)
	random            // any address, once it is formatted
)

// kind is a kind of medium.
type kind struct {
	profile  profile
	class    class
	capacity int       // sectors
	speeds   []float64 // of writing, as multiples of 1x, highest first
	layers   int
	maker    string // who made the blank, and what he calls it
	model    string
}

// kinds are the media that a specification can name. Capacities are those of
// common blanks (libburn's and growisofs's tables; ATIP of an 80 minute disc).
func kinds() map[string]kind {
	return map[string]kind{
		"cd-rom":    {profile: profileCDROM},
		"cd-r":      {profileCDR, cdRecord, 359849, []float64{48, 40, 32, 24, 16, 8, 4}, 1, "", ""},
		"cd-rw":     {profileCDRW, cdRecord, 359849, []float64{24, 16, 10, 4}, 1, "", ""},
		"dvd-rom":   {profile: profileDVDROM},
		"dvd-r":     {profileDVDR, minusRecord, 2298496, []float64{16, 12, 8, 6, 4, 2}, 1, "SPINDL", "R16001"},
		"dvd-r-dl":  {profileDVDRDL, minusRecord, 4171712, []float64{8, 6, 4, 2}, 2, "SPINDL", "D08001"},
		"dvd-rw":    {profileDVDRW, minusRecord, 2297888, []float64{6, 4, 2}, 1, "SPINDL", "W06001"},
		"dvd-rw-ro": {profileDVDRWRO, random, 2297888, []float64{6, 4, 2}, 1, "SPINDL", "W06001"},
		"dvd-ram":   {profileDVDRAM, random, 2236704, []float64{5, 3, 2}, 1, "SPINDL", "M05001"},
		"dvd+r":     {profilePlusR, plusRecord, 2295104, []float64{16, 12, 8, 6, 4}, 1, "SPINDLE", "R16"},
		"dvd+r-dl":  {profilePlusRDL, plusRecord, 4173824, []float64{8, 6, 4, 2.4}, 2, "SPINDLE", "D08"},
		"dvd+rw":    {profilePlusRW, random, 2295104, []float64{8, 6, 4, 2.4}, 1, "SPINDLE", "W08"},
		"bd-rom":    {profile: profileBDROM},
		"bd-r":      {profileBDR, bdRecord, 12219392, []float64{16, 12, 10, 8, 6, 4, 2}, 1, "SPNDLE", "R12"},
		"bd-re":     {profileBDRE, random, 12219392, []float64{2, 1}, 1, "SPNDLE", "E02"},
	}
}

// MediaNames lists the media that a specification can name.
func MediaNames() []string {
	var names []string
	for n := range kinds() {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

func mediaNames() string { return strings.Join(MediaNames(), ", ") }

// MediumOf returns the family of a medium that a specification names, and false
// for a name that does not exist.
func MediumOf(media string) (disc.Medium, bool) {
	k, ok := kinds()[media]
	return k.profile.medium(), ok
}

// CanWrite reports whether a medium that a specification names can be written.
func CanWrite(media string) bool { return kinds()[media].class != pressed }

func (p profile) medium() disc.Medium {
	switch {
	case p >= 0x40:
		return disc.BD
	case p >= 0x10:
		return disc.DVD
	}
	return disc.CD
}

// bookType is what the physical format information of a DVD says.
func (p profile) bookType() byte {
	switch p {
	case profileDVDR, profileDVDRDL:
		return 2
	case profileDVDRAM:
		return 1
	case profileDVDRWRO, profileDVDRW:
		return 3
	case profilePlusRW:
		return 9
	case profilePlusR:
		return 10
	case profilePlusRDL:
		return 14
	}
	return 0
}

// rewritable reports whether the medium can be erased.
func (p profile) rewritable() bool {
	switch p {
	case profileCDRW, profileDVDRAM, profileDVDRWRO, profileDVDRW, profilePlusRW, profileBDRE:
		return true
	}
	return false
}

// pressed reports whether the medium comes from a factory with its content.
func (p profile) pressed() bool {
	return p == profileCDROM || p == profileDVDROM || p == profileBDROM
}

// blocking is the number of sectors that are written together.
func (p profile) blocking() int {
	switch p.medium() {
	case disc.DVD:
		return 16
	case disc.BD:
		return 32
	}
	return 1
}
