package scsi

import (
	"context"
	"fmt"
	"time"
)

// peripheralMMC is the peripheral device type of CD, DVD and BD drives (SPC-4
// table "Peripheral device type").
const peripheralMMC = 0x05

// checkOptical makes sure, by INQUIRY, that d is a CD, DVD or BD drive, so that
// no disk is ever sent an optical command.
func checkOptical(ctx context.Context, d Device) error {
	data := make([]byte, 36)
	c := &Command{
		CDB:       []byte{byte(OpInquiry), 0, 0, 0, byte(len(data)), 0},
		Direction: In,
		Data:      data,
		Timeout:   30 * time.Second,
	}
	n, err := d.Execute(ctx, c)
	if err != nil {
		return err
	}
	if n < 1 {
		return fmt.Errorf("INQUIRY: %w: no data", ErrTransport)
	}
	if t := data[0] & 0x1F; t != peripheralMMC {
		return fmt.Errorf("%w (peripheral device type %#02x)", ErrNotOptical, t)
	}
	return nil
}
