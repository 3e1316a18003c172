package packed_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"

	"spindle/internal/packed"

	"github.com/klauspost/compress/gzip"
)

func ExampleOpen() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write([]byte("what is packed"))
	w.Close()
	path := filepath.Join(dir, "x.gz")
	if err := os.WriteFile(path, b.Bytes(), 0o666); err != nil {
		panic(err)
	}
	f, err := os.Open(path)
	if err != nil {
		panic(err)
	}
	r, err := packed.Open(context.Background(), f)
	if err != nil {
		panic(err)
	}
	defer r.Close()
	p := make([]byte, 6)
	r.ReadAt(p, 8)
	fmt.Println(r.Method(), r.Size(), string(p))
	// Output: gzip 14 packed
}
