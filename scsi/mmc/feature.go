package mmc

import "fmt"

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
