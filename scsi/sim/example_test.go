package sim_test

import (
	"context"
	"fmt"

	"spindle/scsi"
	"spindle/scsi/sim"
)

// A simulated drive answers commands as a real one does, faults included, and its clock
// passes without waiting.
func ExampleNew() {
	fault, err := sim.ParseFault("A1:1:3/0C/00") // the first BLANK fails
	if err != nil {
		fmt.Println(err)
		return
	}
	drive := sim.New(sim.Config{Media: "cd-rw", Blank: true, Faults: []sim.Fault{fault}})
	ctx := context.Background()
	_, err = drive.Execute(ctx, &scsi.Command{CDB: make([]byte, 6)}) // TEST UNIT READY
	fmt.Println(err)
	erase := make([]byte, 12)
	erase[0] = byte(scsi.OpBlank)
	_, err = drive.Execute(ctx, &scsi.Command{CDB: erase})
	fmt.Println(err)
	// Output:
	// TEST UNIT READY: 6/29/00 power on, reset or bus device reset occurred
	// BLANK: 3/0C/00 write error
}
