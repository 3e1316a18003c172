package disc_test

import (
	"fmt"

	"spindle/disc"
)

func ExampleLBA_MSF() {
	fmt.Println(disc.LBA(0).MSF(), disc.LBA(-150).MSF(), disc.LBA(-11635).MSF())
	// Output: 00:02:00 00:00:00 97:26:65
}
