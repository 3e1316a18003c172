package image_test

import (
	"context"
	"errors"
	"fmt"
	"os"

	"spindle/image"
)

func ExampleOpen() {
	f, err := os.CreateTemp("", "image")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.Remove(f.Name())
	defer f.Close()
	_, err = image.Open(context.Background(), f.Name())
	fmt.Println(errors.Is(err, image.ErrUnknown))
	// Output: true
}
