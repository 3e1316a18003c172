package regular_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"spindle/internal/regular"
)

// A pipe that takes the place of a file while it is opened is not waited for.
func TestOpenRace(t *testing.T) {
	dir := t.TempDir()
	file, pipe, at := filepath.Join(dir, "file"), filepath.Join(dir, "pipe"), filepath.Join(dir, "at")
	if err := os.WriteFile(file, []byte("x"), 0o666); err != nil {
		t.Fatal(err)
	}
	if !mkfifo(pipe) {
		t.Skip("this system has no pipes in folders")
	}
	var stop atomic.Bool
	swapped := make(chan struct{})
	go func() {
		defer close(swapped)
		for i := 0; !stop.Load(); i++ {
			temp := filepath.Join(dir, "temp")
			if os.Link([]string{file, pipe}[i%2], temp) == nil {
				_ = os.Rename(temp, at)
			}
		}
	}()
	opened := make(chan error, 1)
	go func() {
		defer close(opened)
		for range 2000 {
			f, err := regular.Open(at)
			if err == nil {
				f.Close()
			} else if !errors.Is(err, regular.ErrNotRegular) && !errors.Is(err, fs.ErrNotExist) {
				opened <- err
				return
			}
		}
	}()
	select {
	case err := <-opened:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(20 * time.Second):
		t.Error("opening waits")
	}
	stop.Store(true)
	<-swapped
}
