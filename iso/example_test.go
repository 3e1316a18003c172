package iso_test

import (
	"bytes"
	"errors"
	"fmt"

	"spindle/iso"
)

func ExampleReadVolume() {
	_, err := iso.ReadVolume(bytes.NewReader(make([]byte, 64<<10)), 32)
	fmt.Println(errors.Is(err, iso.ErrNoVolume))
	// Output: true
}
