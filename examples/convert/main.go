// Command convert makes another format of a disc image.
//
//	go run ./examples/convert testdata/demo/demo.cue demo.nrg
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"spindle/disc/digest"
	"spindle/image"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: convert IN OUT")
		os.Exit(2)
	}
	if err := convert(context.Background(), os.Stdout, os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "convert:", err)
		os.Exit(1)
	}
}

// convert copies an image into the format that the suffix of out says.
func convert(ctx context.Context, w io.Writer, in, out string) (err error) {
	img, err := image.Open(ctx, in)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, img.Close()) }()
	created, err := image.Create(ctx, out, img, image.CreateOptions{Hashes: digest.CRC32})
	if errors.Is(err, image.ErrCannotHold) {
		return fmt.Errorf("%w (CreateOptions.Lossy leaves it out)", err)
	}
	if err != nil {
		return err
	}
	for _, f := range created.Files {
		fmt.Fprintln(w, filepath.Base(f))
	}
	fmt.Fprintln(w, "CRC-32", created.Whole.CRC32)
	if created.Damaged > 0 {
		return fmt.Errorf("%d sectors are damaged, the first at %d", created.Damaged, created.First)
	}
	return nil
}
