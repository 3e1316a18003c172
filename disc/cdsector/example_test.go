package cdsector_test

import (
	"fmt"

	"spindle/addr"
	"spindle/disc/cdsector"
)

// A Mode 1 sector is built, damaged, and repaired by its parity.
func ExampleCorrect() {
	var s [cdsector.Size]byte
	cdsector.SetHeader(&s, addr.MSF{M: 0, S: 2, F: 16}, 1)
	copy(s[16:], "user data")
	cdsector.Seal(&s, cdsector.Mode1)

	s[17] ^= 0xFF
	fmt.Println("EDC right:", cdsector.EDCOK(&s, cdsector.Mode1))
	n, ok := cdsector.Correct(&s, cdsector.Mode1, nil)
	fmt.Println(n, "byte corrected:", ok, string(s[16:25]))
	// Output:
	// EDC right: false
	// 1 byte corrected: true user data
}
