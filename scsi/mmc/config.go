package mmc

import (
	"context"
	"fmt"

	"spindle/scsi"
)

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

// FeatureCode names a feature (5.3, table 90).
type FeatureCode uint16

// The features.
const (
	FeatureProfileList         FeatureCode = 0x0000
	FeatureCore                FeatureCode = 0x0001
	FeatureMorphing            FeatureCode = 0x0002
	FeatureRemovableMedium     FeatureCode = 0x0003
	FeatureWriteProtect        FeatureCode = 0x0004
	FeatureRandomReadable      FeatureCode = 0x0010
	FeatureMultiRead           FeatureCode = 0x001D
	FeatureCDRead              FeatureCode = 0x001E
	FeatureDVDRead             FeatureCode = 0x001F
	FeatureRandomWritable      FeatureCode = 0x0020
	FeatureIncremental         FeatureCode = 0x0021
	FeatureSectorErasable      FeatureCode = 0x0022
	FeatureFormattable         FeatureCode = 0x0023
	FeatureDefectManagement    FeatureCode = 0x0024
	FeatureWriteOnce           FeatureCode = 0x0025
	FeatureRestrictedOverwrite FeatureCode = 0x0026
	FeatureCDRWCAV             FeatureCode = 0x0027
	FeatureMRW                 FeatureCode = 0x0028
	FeatureDefectReporting     FeatureCode = 0x0029
	FeatureDVDPlusRW           FeatureCode = 0x002A
	FeatureDVDPlusR            FeatureCode = 0x002B
	FeatureRigidOverwrite      FeatureCode = 0x002C
	FeatureCDTrackAtOnce       FeatureCode = 0x002D
	FeatureCDMastering         FeatureCode = 0x002E
	FeatureDVDRWrite           FeatureCode = 0x002F
	FeatureLayerJump           FeatureCode = 0x0033
	FeatureCDRWMediaWrite      FeatureCode = 0x0037
	FeatureBDRPow              FeatureCode = 0x0038
	FeatureDVDPlusRWDL         FeatureCode = 0x003A
	FeatureDVDPlusRDL          FeatureCode = 0x003B
	FeatureBDRead              FeatureCode = 0x0040
	FeatureBDWrite             FeatureCode = 0x0041
	FeatureTSR                 FeatureCode = 0x0042
	FeatureHDDVDRead           FeatureCode = 0x0050
	FeatureHDDVDWrite          FeatureCode = 0x0051
	FeatureHybridDisc          FeatureCode = 0x0080
	FeaturePowerManagement     FeatureCode = 0x0100
	FeatureSMART               FeatureCode = 0x0101
	FeatureChanger             FeatureCode = 0x0102
	FeatureCDAudio             FeatureCode = 0x0103
	FeatureMicrocode           FeatureCode = 0x0104
	FeatureTimeout             FeatureCode = 0x0105
	FeatureCSS                 FeatureCode = 0x0106
	FeatureStreaming           FeatureCode = 0x0107
	FeatureSerialNumber        FeatureCode = 0x0108
	FeatureControlBlocks       FeatureCode = 0x010A
	FeatureCPRM                FeatureCode = 0x010B
	FeatureFirmwareDate        FeatureCode = 0x010C
	FeatureAACS                FeatureCode = 0x010D
	FeatureCSSScramble         FeatureCode = 0x010E
	FeatureVCPS                FeatureCode = 0x0110
	FeatureSecurDisc           FeatureCode = 0x0113
)

// A Feature is one descriptor of GET CONFIGURATION. The typed views, such as
// [Feature.CDRead], decode Data.
type Feature struct {
	Code       FeatureCode
	Version    uint8
	Persistent bool
	Current    bool
	Data       []byte // what follows the four-byte header
}

// Configuration is what a drive can do, and can do with the medium in it.
type Configuration struct {
	Profile  Profile // of the medium in the drive
	Profiles []Profile
	Features []Feature
}

// Feature returns the feature with this code, or nil.
func (c *Configuration) Feature(code FeatureCode) *Feature {
	for i := range c.Features {
		if c.Features[i].Code == code {
			return &c.Features[i]
		}
	}
	return nil
}

// Has reports whether the drive has the feature and can use it with the medium
// now in it.
func (c *Configuration) Has(code FeatureCode) bool {
	f := c.Feature(code)
	return f != nil && f.Current
}

// Configuration asks for all features (6.6).
func (d *Drive) Configuration(ctx context.Context) (*Configuration, error) {
	const size = 8192 // features of today's drives need some 400 bytes
	cdb := []byte{byte(scsi.OpGetConfiguration), 0, 0, 0, 0, 0, 0, size >> 8, size & 0xFF, 0}
	b, err := d.in(ctx, cdb, make([]byte, size), quick)
	if err != nil {
		return nil, err
	}
	return parseConfiguration(b)
}

func parseConfiguration(b []byte) (*Configuration, error) {
	if err := need(scsi.OpGetConfiguration, b, 8); err != nil {
		return nil, err
	}
	c := &Configuration{Profile: Profile(get16(b[6:]))}
	b = b[8:min(uint64(len(b)), max(8, 4+uint64(get32(b))))]
	for len(b) >= 4 {
		n := 4 + int(b[3])
		if n > len(b) {
			break // cut off: what came whole is used
		}
		f := Feature{
			Code:       FeatureCode(get16(b)),
			Version:    b[2] >> 2 & 15,
			Persistent: bit(b[2], 1),
			Current:    bit(b[2], 0),
			Data:       b[4:n],
		}
		c.Features = append(c.Features, f)
		if f.Code == FeatureProfileList {
			for p := f.Data; len(p) >= 4; p = p[4:] {
				c.Profiles = append(c.Profiles, Profile(get16(p)))
			}
		}
		b = b[n:]
	}
	return c, nil
}

// at returns byte i of the feature's data, counted as the standard does from
// the start of the descriptor, and zero where the descriptor is shorter.
func (f *Feature) at(i int) byte {
	if f == nil || i-4 >= len(f.Data) {
		return 0
	}
	return f.Data[i-4]
}

// CDRead is feature 001Eh (5.3.10).
type CDRead struct {
	DAP    bool // digital audio play flag in READ CD
	C2     bool // C2 error pointers
	CDText bool // READ TOC format 5
}

// CDRead decodes feature 001Eh; on a nil Feature all is false.
func (f *Feature) CDRead() CDRead {
	return CDRead{DAP: bit(f.at(4), 7), C2: bit(f.at(4), 1), CDText: bit(f.at(4), 0)}
}

// RemovableMedium is feature 0003h (5.3.4).
type RemovableMedium struct {
	Loading uint8 // 0 caddy, 1 tray, 2 pop-up, 4 and 5 changer
	Load    bool  // can load by command
	Eject   bool
	Lock    bool
}

// RemovableMedium decodes feature 0003h.
func (f *Feature) RemovableMedium() RemovableMedium {
	b := f.at(4)
	return RemovableMedium{Loading: b >> 5, Load: bit(b, 4), Eject: bit(b, 3), Lock: bit(b, 0)}
}

// Streaming is feature 0107h (5.3.51).
type Streaming struct {
	BufferBlocks   bool // READ BUFFER CAPACITY in blocks
	SetCDSpeed     bool
	ModePage2A     bool
	WriteSpeeds    bool // GET PERFORMANCE type 3
	StreamingWrite bool
}

// Streaming decodes feature 0107h.
func (f *Feature) Streaming() Streaming {
	b := f.at(4)
	return Streaming{
		BufferBlocks: bit(b, 4), SetCDSpeed: bit(b, 3), ModePage2A: bit(b, 2),
		WriteSpeeds: bit(b, 1), StreamingWrite: bit(b, 0),
	}
}

// CDWrite is feature 002Dh, Track at Once, or 002Eh, Mastering (5.3.26, 5.3.27).
type CDWrite struct {
	BufferUnderrunFree bool
	SessionAtOnce      bool // 002Eh
	Raw                bool // 002Eh
	RawMultiSession    bool // 002Eh
	TestWrite          bool
	CDRW               bool
	SubchannelRW       bool
	MaxCueSheet        int // bytes; 002Eh
}

// CDWrite decodes feature 002Dh or 002Eh.
func (f *Feature) CDWrite() CDWrite {
	b := f.at(4)
	w := CDWrite{BufferUnderrunFree: bit(b, 6), TestWrite: bit(b, 2), CDRW: bit(b, 1), SubchannelRW: bit(b, 0)}
	if f != nil && f.Code == FeatureCDMastering {
		w.SessionAtOnce, w.RawMultiSession, w.Raw = bit(b, 5), bit(b, 4), bit(b, 3)
		w.MaxCueSheet = int(f.at(5))<<16 | int(f.at(6))<<8 | int(f.at(7))
	}
	return w
}

// RandomReadable is feature 0010h (5.3.6).
type RandomReadable struct {
	BlockSize int // bytes
	Blocking  int // blocks that the medium reads at once
	PagePP    bool
}

// RandomReadable decodes feature 0010h.
func (f *Feature) RandomReadable() RandomReadable {
	return RandomReadable{
		BlockSize: int(f.at(4))<<24 | int(f.at(5))<<16 | int(f.at(6))<<8 | int(f.at(7)),
		Blocking:  int(f.at(8))<<8 | int(f.at(9)),
		PagePP:    bit(f.at(10), 0),
	}
}

// Text decodes a feature whose data are ASCII: 0108h, the serial number, and
// 010Ch, the date of the firmware (CCYYMMDDHHMMSS).
func (f *Feature) Text() string {
	if f == nil {
		return ""
	}
	return text(f.Data)
}

// Interface names the physical interface that feature 0001h states (5.3.2), or
// returns the empty string.
func (f *Feature) Interface() string {
	switch uint32(f.at(4))<<24 | uint32(f.at(5))<<16 | uint32(f.at(6))<<8 | uint32(f.at(7)) {
	case 1:
		return "SCSI"
	case 2:
		return "ATAPI"
	case 3, 4, 6:
		return "IEEE 1394"
	case 7:
		return "SATA"
	case 8:
		return "USB"
	}
	return ""
}

var featureNames = map[FeatureCode]string{
	FeatureProfileList:         "profile list",
	FeatureCore:                "core",
	FeatureMorphing:            "morphing",
	FeatureRemovableMedium:     "removable medium",
	FeatureWriteProtect:        "write protect",
	FeatureRandomReadable:      "random readable",
	FeatureMultiRead:           "multi-read",
	FeatureCDRead:              "CD read",
	FeatureDVDRead:             "DVD read",
	FeatureRandomWritable:      "random writable",
	FeatureIncremental:         "incremental streaming writable",
	FeatureSectorErasable:      "sector erasable",
	FeatureFormattable:         "formattable",
	FeatureDefectManagement:    "hardware defect management",
	FeatureWriteOnce:           "write once",
	FeatureRestrictedOverwrite: "restricted overwrite",
	FeatureCDRWCAV:             "CD-RW CAV write",
	FeatureMRW:                 "MRW",
	FeatureDefectReporting:     "enhanced defect reporting",
	FeatureDVDPlusRW:           "DVD+RW",
	FeatureDVDPlusR:            "DVD+R",
	FeatureRigidOverwrite:      "rigid restricted overwrite",
	FeatureCDTrackAtOnce:       "CD track at once",
	FeatureCDMastering:         "CD mastering",
	FeatureDVDRWrite:           "DVD-R/-RW write",
	FeatureLayerJump:           "layer jump recording",
	FeatureCDRWMediaWrite:      "CD-RW media write",
	FeatureBDRPow:              "BD-R pseudo-overwrite",
	FeatureDVDPlusRWDL:         "DVD+RW dual layer",
	FeatureDVDPlusRDL:          "DVD+R dual layer",
	FeatureBDRead:              "BD read",
	FeatureBDWrite:             "BD write",
	FeatureTSR:                 "timely safe recording",
	FeatureHDDVDRead:           "HD DVD read",
	FeatureHDDVDWrite:          "HD DVD write",
	FeatureHybridDisc:          "hybrid disc",
	FeaturePowerManagement:     "power management",
	FeatureSMART:               "S.M.A.R.T.",
	FeatureChanger:             "embedded changer",
	FeatureCDAudio:             "CD audio analog play",
	FeatureMicrocode:           "microcode upgrade",
	FeatureTimeout:             "time-out",
	FeatureCSS:                 "DVD CSS",
	FeatureStreaming:           "real-time streaming",
	FeatureSerialNumber:        "serial number",
	FeatureControlBlocks:       "disc control blocks",
	FeatureCPRM:                "DVD CPRM",
	FeatureFirmwareDate:        "firmware date",
	FeatureAACS:                "AACS",
	FeatureCSSScramble:         "DVD CSS managed recording",
	FeatureVCPS:                "VCPS",
	FeatureSecurDisc:           "SecurDisc",
}

func (c FeatureCode) String() string {
	if name, ok := featureNames[c]; ok {
		return name
	}
	return fmt.Sprintf("feature %04Xh", uint16(c))
}
