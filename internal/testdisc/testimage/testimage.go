// Package testimage opens test discs as images, for tests.
package testimage

import (
	"errors"
	"os"
	"testing"

	"spindle/disc"
	"spindle/image"
	"spindle/internal/testdisc"
)

// Open makes the disc of [testdisc.Make] with the given name in a folder of its own, and opens it until the test ends,
// which may close it before.
func Open(t testing.TB, name string) disc.Image {
	t.Helper()
	path, err := testdisc.Make(t.TempDir(), name)
	if err != nil {
		t.Fatal(err)
	}
	img, err := image.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := img.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
			t.Error(err)
		}
	})
	return img
}
