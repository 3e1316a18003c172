package mmc

import "fmt"

// Profile is what kind of medium the drive says it holds (5.2.1, table 89).
type Profile uint16

// The profiles.
const (
	ProfileNone         Profile = 0x0000
	ProfileCDROM        Profile = 0x0008
	ProfileCDR          Profile = 0x0009
	ProfileCDRW         Profile = 0x000A
	ProfileDVDROM       Profile = 0x0010
	ProfileDVDR         Profile = 0x0011
	ProfileDVDRAM       Profile = 0x0012
	ProfileDVDRWRO      Profile = 0x0013
	ProfileDVDRW        Profile = 0x0014
	ProfileDVDRDL       Profile = 0x0015
	ProfileDVDRDLJump   Profile = 0x0016
	ProfileDVDRWDL      Profile = 0x0017
	ProfileDVDPlusRW    Profile = 0x001A
	ProfileDVDPlusR     Profile = 0x001B
	ProfileDVDPlusRWDL  Profile = 0x002A
	ProfileDVDPlusRDL   Profile = 0x002B
	ProfileBDROM        Profile = 0x0040
	ProfileBDR          Profile = 0x0041
	ProfileBDRRandom    Profile = 0x0042
	ProfileBDRE         Profile = 0x0043
	ProfileHDDVDROM     Profile = 0x0050
	ProfileHDDVDR       Profile = 0x0051
	ProfileHDDVDRAM     Profile = 0x0052
	ProfileHDDVDRW      Profile = 0x0053
	ProfileHDDVDRDL     Profile = 0x0058
	ProfileHDDVDRWDL    Profile = 0x005A
	ProfileNonRemovable Profile = 0x0001
	ProfileRemovable    Profile = 0x0002
)

var profileNames = map[Profile]string{
	ProfileNone:         "no disc",
	ProfileCDROM:        "CD-ROM",
	ProfileCDR:          "CD-R",
	ProfileCDRW:         "CD-RW",
	ProfileDVDROM:       "DVD-ROM",
	ProfileDVDR:         "DVD-R",
	ProfileDVDRAM:       "DVD-RAM",
	ProfileDVDRWRO:      "DVD-RW (restricted overwrite)",
	ProfileDVDRW:        "DVD-RW",
	ProfileDVDRDL:       "DVD-R DL",
	ProfileDVDRDLJump:   "DVD-R DL (layer jump)",
	ProfileDVDRWDL:      "DVD-RW DL",
	ProfileDVDPlusRW:    "DVD+RW",
	ProfileDVDPlusR:     "DVD+R",
	ProfileDVDPlusRWDL:  "DVD+RW DL",
	ProfileDVDPlusRDL:   "DVD+R DL",
	ProfileBDROM:        "BD-ROM",
	ProfileBDR:          "BD-R",
	ProfileBDRRandom:    "BD-R (random recording)",
	ProfileBDRE:         "BD-RE",
	ProfileHDDVDROM:     "HD DVD-ROM",
	ProfileHDDVDR:       "HD DVD-R",
	ProfileHDDVDRDL:     "HD DVD-R",
	ProfileHDDVDRAM:     "HD DVD-RAM",
	ProfileHDDVDRW:      "HD DVD-RW",
	ProfileHDDVDRWDL:    "HD DVD-RW",
	ProfileNonRemovable: "disk",
	ProfileRemovable:    "disk",
}

func (p Profile) String() string {
	if name, ok := profileNames[p]; ok {
		return name
	}
	return fmt.Sprintf("profile %04Xh", uint16(p))
}

// IsCD reports whether the medium is a CD of any kind.
func (p Profile) IsCD() bool { return p >= ProfileCDROM && p <= ProfileCDRW }

// IsDVD reports whether the medium is a DVD of any kind.
func (p Profile) IsDVD() bool { return p >= ProfileDVDROM && p <= ProfileDVDPlusRDL }

// IsBD reports whether the medium is a Blu-ray disc of any kind.
func (p Profile) IsBD() bool { return p >= ProfileBDROM && p <= ProfileBDRE }
