package trial_test

import (
	"errors"
	"testing"

	"spindle/scsi"
	"spindle/scsi/mmc"
)

// BenchmarkTurnaround measures what a command costs that does nothing, on the first real
// drive: what the host and the kernel take between two commands.
func BenchmarkTurnaround(b *testing.B) {
	drives, err := scsi.Drives()
	if err != nil || len(drives) == 0 {
		b.Skip("there is no drive")
	}
	dev, err := scsi.Open(b.Context(), drives[0].Path)
	if err != nil {
		b.Skip(err)
	}
	defer dev.Close()
	d := mmc.New(dev)
	for b.Loop() {
		if err := d.TestUnitReady(b.Context()); errors.Is(err, scsi.ErrGone) {
			b.Fatal(err)
		}
	}
}
