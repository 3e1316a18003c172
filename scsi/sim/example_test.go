package sim_test

import (
	"context"
	"fmt"

	"spindle/scsi"
	"spindle/scsi/sim"
)

func ExampleNew() {
	drive := sim.New(sim.Config{TrayOpen: true})
	ctx := context.Background()
	for range 2 { // the first command learns of the power-on
		_, err := drive.Execute(ctx, &scsi.Command{CDB: make([]byte, 6)})
		fmt.Println(err)
	}
	// Output:
	// TEST UNIT READY: 6/29/00 power on, reset or bus device reset occurred
	// TEST UNIT READY: 2/3A/02 medium not present, tray open
}
