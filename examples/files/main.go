// Command files lists the files in a disc image of any format, with their SHA-256.
//
//	go run ./examples/files testdata/demo/demo.cue
package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"spindle/image"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: files IMAGE")
		os.Exit(2)
	}
	if err := files(context.Background(), os.Stdout, os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "files:", err)
		os.Exit(1)
	}
}

// files prints a line for each file in an image, audio tracks included.
func files(ctx context.Context, w io.Writer, path string) (err error) {
	img, err := image.Open(ctx, path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, img.Close()) }()
	contents, err := image.OpenContents(ctx, img, 0)
	if err != nil {
		return err
	}
	return fs.WalkDir(contents, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		f, err := contents.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		h := sha256.New()
		n, err := io.Copy(h, f)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		_, err = fmt.Fprintf(w, "%.8x  %7d  %s\n", h.Sum(nil), n, name)
		return err
	})
}
