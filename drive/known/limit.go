package known

import "spindle/scsi"

// Limit returns dev, or where a drive is known not to bring as much with one command as
// its adapter carries, a device that carries no more.
func (f *Facts) Limit(dev scsi.Device) scsi.Device {
	if f.Transfer.From == Unknown || f.Transfer.Value >= dev.MaxTransfer() {
		return dev
	}
	return limited{dev, f.Transfer.Value}
}

type limited struct {
	scsi.Device
	most int
}

// MaxTransfer implements [scsi.Device].
func (l limited) MaxTransfer() int { return l.most }
