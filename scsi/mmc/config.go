package mmc

import (
	"context"

	"spindle/scsi"
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

// Feature returns the feature with this code, or nil. A nil Configuration, of a drive
// older than features, has none.
func (c *Configuration) Feature(code FeatureCode) *Feature {
	if c == nil {
		return nil
	}
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
	cdb := newCDB(scsi.OpGetConfiguration)
	put16(cdb[7:], size)
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
