//go:build unix

package atomicfile

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// A path is claimed once; when the claim ends, nothing is left and the next may
// have it. What a killed process left is no claim, and a link is not followed.
func TestClaim(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.cue")
	first, err := ClaimPath(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ClaimPath(path); !errors.Is(err, ErrClaimed) {
		t.Errorf("a second claim: %v", err)
	}
	first.Release()
	if _, err := os.Lstat(path + lockSuffix); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("after the release: %v", err)
	}
	if err := os.WriteFile(path+lockSuffix, nil, 0o666); err != nil { // left by a killed process
		t.Fatal(err)
	}
	second, err := ClaimPath(path)
	if err != nil {
		t.Fatal(err)
	}
	second.Release()
	victim := filepath.Join(t.TempDir(), "victim")
	if err := os.Symlink(victim, path+lockSuffix); err != nil {
		t.Fatal(err)
	}
	if c, err := ClaimPath(path); err == nil {
		c.Release()
		t.Error("a symbolic link was taken for a lock")
	}
	if _, err := os.Lstat(victim); err == nil {
		t.Error("a symbolic link was followed")
	}
}
