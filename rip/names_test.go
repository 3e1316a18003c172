package rip

import (
	"errors"
	"testing"
)

// A name with the end of a line in it makes no line of its own.
func TestControlCharactersInNames(t *testing.T) {
	got := string(encodeSums([]fileSum{{"dir/r\nr.iso", "00"}, {`a\b.iso`, "01"}}))
	if want := "\\00 *r\\nr.iso\n\\01 *a\\\\b.iso\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	o := Options{Output: "dir/r\nr.cue", Format: CueBin}
	if err := o.check(); !errors.Is(err, ErrOptions) {
		t.Error(err)
	}
}
