package sim

import (
	"slices"
	"strings"

	"spindle/disc"
)

// A profile number of GET CONFIGURATION (MMC-6 table 89).
type profile uint16

const (
	profileNone   profile = 0
	profileCDROM  profile = 0x08
	profileDVDROM profile = 0x10
	profileBDROM  profile = 0x40
)

// profiles are the media that a specification can name.
var profiles = map[string]profile{
	"cd-rom": profileCDROM, "cd-r": 0x09, "cd-rw": 0x0A,
	"dvd-rom": profileDVDROM, "dvd-r": 0x11, "dvd-ram": 0x12, "dvd-rw-ro": 0x13, "dvd-rw": 0x14,
	"dvd-r-dl": 0x15, "dvd+rw": 0x1A, "dvd+r": 0x1B, "dvd+r-dl": 0x2B,
	"bd-rom": profileBDROM, "bd-r": 0x41, "bd-re": 0x43,
}

func mediaNames() string {
	var names []string
	for n := range profiles {
		names = append(names, n)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// MediumOf returns the family of a medium that a specification names, and false
// for a name that does not exist.
func MediumOf(media string) (disc.Medium, bool) {
	p, ok := profiles[media]
	return p.medium(), ok
}

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
	case 0x11, 0x15:
		return 2
	case 0x12:
		return 1
	case 0x13, 0x14:
		return 3
	case 0x1A:
		return 9
	case 0x1B:
		return 10
	case 0x2B:
		return 14
	}
	return 0
}

// rewritable reports whether the medium can be erased.
func (p profile) rewritable() bool {
	return p == 0x0A || p == 0x12 || p == 0x13 || p == 0x14 || p == 0x1A || p == 0x43
}

// pressed reports whether the medium comes from a factory with its content.
func (p profile) pressed() bool {
	return p == profileCDROM || p == profileDVDROM || p == profileBDROM
}
