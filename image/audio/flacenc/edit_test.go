package flacenc

import (
	"bytes"
	"strings"
	"testing"
)

// A copy with other comments has the same audio, and is as long where there is padding for them.
func TestCopyEdited(t *testing.T) {
	comments := [][2]string{{"TITLE", "One"}, {"X", "y"}}
	body, err := commentBody("somebody", comments)
	if err != nil {
		t.Fatal(err)
	}
	const info, audio = "12345678901234567890123456789012", "the audio"
	file := func(blocks ...func([]byte) []byte) []byte {
		b := appendBlock([]byte("fLaC"), 0, []byte(info))
		for _, add := range blocks {
			b = add(b)
		}
		return append(b, audio...)
	}
	block := func(kind byte, body []byte) func([]byte) []byte {
		return func(b []byte) []byte { return appendBlock(b, kind, body) }
	}
	more := [][2]string{{"TITLE", "One"}, {"X", strings.Repeat("y", 100)}}
	longer, err := commentBody("somebody", more)
	if err != nil {
		t.Fatal(err)
	}
	for name, x := range map[string]struct{ was, want []byte }{
		"padding":          {file(block(4, body), block(1|lastBlock, make([]byte, 200))), file(block(4, longer), block(1|lastBlock, make([]byte, 101)))},
		"little padding":   {file(block(4, body), block(1|lastBlock, make([]byte, 20))), file(block(4, longer), block(1|lastBlock, make([]byte, 20)))},
		"last":             {file(block(4|lastBlock, body)), file(block(4|lastBlock, longer))},
		"before a picture": {file(block(4, body), block(6|lastBlock, []byte("picture"))), file(block(4, longer), block(6|lastBlock, []byte("picture")))},
	} {
		var got bytes.Buffer
		err := CopyEdited(&got, bytes.NewReader(x.was), int64(len(x.was)), func(c [][2]string) [][2]string {
			if len(c) != 2 || c[0] != comments[0] || c[1] != comments[1] {
				t.Errorf("%s: %v", name, c)
			}
			return more
		})
		if err != nil || !bytes.Equal(got.Bytes(), x.want) {
			t.Errorf("%s: %v\n%q\n%q", name, err, got.Bytes(), x.want)
		}
	}
	for name, b := range map[string][]byte{
		"no FLAC": []byte("RIFF"), "no comments": file(block(1|lastBlock, nil)), "cut": file(block(4, body))[:60],
		"a count too large": file(block(4|lastBlock, append(bytes.Clone(body[:12]), 255, 255, 255, 255))), "a length too large": file(block(4|lastBlock, []byte{255, 255, 255, 255})),
	} {
		if err := CopyEdited(&bytes.Buffer{}, bytes.NewReader(b), int64(len(b)), func(c [][2]string) [][2]string { return c }); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}
