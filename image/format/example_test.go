package format_test

import (
	"bytes"
	"fmt"

	"spindle/image/format"

	_ "spindle/image/foreign"
)

func ExampleFind() {
	content := []byte("JISO and so on")
	f, ok := format.Find(&format.Probe{Name: "game.jso", Head: content, Size: int64(len(content)), R: bytes.NewReader(content)})
	fmt.Println(f.Name, ok)
	// Output: compressed ISO (JSO) true
}
