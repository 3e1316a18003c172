package diskspace

import (
	"errors"
	"testing"
)

func TestFree(t *testing.T) {
	if n, err := Free(t.TempDir()); err != nil && !errors.Is(err, ErrUnknown) || n < 0 {
		t.Errorf("%d, %v", n, err)
	}
	if _, err := Free("/no/such/folder"); err == nil {
		t.Error("a folder that is not there has room")
	}
}
