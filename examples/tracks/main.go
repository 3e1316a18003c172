// Command tracks prints the tracks of the disc in a drive.
//
//	go run ./examples/tracks /dev/sr0
//	go run ./examples/tracks sim:testdata/demo/demo.cue
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"spindle/addr"
	"spindle/drive"
	"spindle/drive/byname"
	"spindle/scsi/mmc"
)

func main() {
	name := "" // the only drive there is
	if len(os.Args) > 1 {
		name = os.Args[1]
	}
	if err := tracks(context.Background(), os.Stdout, name); err != nil {
		fmt.Fprintln(os.Stderr, "tracks:", err)
		os.Exit(1)
	}
}

// tracks prints one line for each track of the disc in a drive.
func tracks(ctx context.Context, w io.Writer, name string) error {
	device, err := byname.Open(ctx, name, byname.Options{})
	if err != nil {
		return err
	}
	defer device.Close()
	medium, err := drive.Survey(ctx, mmc.New(device), drive.ForReading)
	if err != nil {
		return err
	}
	if medium.Contents == nil {
		fmt.Fprintf(w, "%s: nothing to read\n", medium.Profile)
		return nil
	}
	for _, t := range medium.Contents.Layout.Tracks() {
		length := time.Duration(t.Sectors()) * time.Second / addr.FramesPerSecond
		fmt.Fprintf(w, "%02d  %-6s  from %6d  %v\n", t.Number, t.Mode, t.Start, length.Round(time.Second))
	}
	return nil
}
