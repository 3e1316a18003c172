package image_test

import (
	"context"
	"fmt"
	"io/fs"

	"spindle/image"
)

// Any image opens, whatever its format: its tracks and its files can be read.
func ExampleOpen() {
	ctx := context.Background()
	img, err := image.Open(ctx, "../testdata/demo/demo.cue")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer img.Close()
	for _, t := range img.Layout().Tracks() {
		fmt.Printf("track %d: %s, %d sectors\n", t.Number, t.Mode, t.End-t.Start)
	}
	files, err := image.OpenContents(ctx, img, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	err = fs.WalkDir(files, ".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			fmt.Println(path)
		}
		return err
	})
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// track 1: mode 1, 300 sectors
	// track 2: audio, 300 sectors
	// track 3: audio, 300 sectors
	// docs/numbers.txt
	// readme.txt
}
