package trial

import (
	"bytes"
	"context"
	"strings"

	"spindle/scsi"
	"spindle/scsi/mmc"
)

// Serials returns the identifications that name one single drive, so that they
// can be left out of what is given to others.
func Serials(ctx context.Context, d *mmc.Drive) []string {
	var found []string
	add := func(s string) {
		if s = strings.TrimSpace(s); len(s) > 2 {
			found = append(found, s)
		}
	}
	if s, err := d.SerialNumber(ctx); err == nil {
		add(s)
	}
	if conf, err := d.Configuration(ctx); err == nil {
		if f := conf.Feature(mmc.FeatureSerialNumber); f != nil {
			add(f.Text())
		}
	}
	return found
}

// Anonymous returns a device that behaves as dev, in whose answers to INQUIRY and GET
// CONFIGURATION each of the serial numbers is overwritten with X.
func Anonymous(dev scsi.Device, serials []string) scsi.Device {
	return &anonymous{Device: dev, serials: serials}
}

type anonymous struct {
	scsi.Device
	serials []string
}

// Execute implements [scsi.Device].
func (a *anonymous) Execute(ctx context.Context, c *scsi.Command) (int, error) {
	n, err := a.Device.Execute(ctx, c)
	if op := scsi.Opcode(c.CDB[0]); op != scsi.OpInquiry && op != scsi.OpGetConfiguration {
		return n, err
	}
	for _, s := range a.serials {
		for rest := c.Data; ; {
			i := bytes.Index(rest, []byte(s))
			if i < 0 {
				break
			}
			for j := range len(s) {
				rest[i+j] = 'X'
			}
			rest = rest[i+len(s):]
		}
	}
	return n, err
}
