package author_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"spindle/iso/author"
)

func ExampleCreate() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	folder := filepath.Join(dir, "folder")
	if err := os.MkdirAll(folder, 0o777); err != nil {
		panic(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "hello.txt"), []byte("hello"), 0o666); err != nil {
		panic(err)
	}
	made, err := author.Create(context.Background(), filepath.Join(dir, "out.iso"), folder, author.Options{Label: "HELLO"})
	fmt.Println(made.Files, err)
	// Output: 1 <nil>
}
