//go:build unix

package atomicfile

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
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
	if err := os.WriteFile(path+lockSuffix, []byte(lockMark), 0o666); err != nil { // left by a killed process
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

// A file of the lock's name that spindle did not make stays as it is.
func TestForeignLockStays(t *testing.T) {
	for _, text := range []string{"", "the user's own"} {
		path := filepath.Join(t.TempDir(), "x.cue")
		if err := os.WriteFile(path+lockSuffix, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		c, err := ClaimPath(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ClaimPath(path); !errors.Is(err, ErrClaimed) {
			t.Errorf("a second claim: %v", err)
		}
		c.Release()
		if got := content(t, path+lockSuffix); got != text {
			t.Errorf("it holds %q", got)
		}
	}
}

// A file that is written, and not named yet, is not taken for one that was left.
func TestClosedFileIsHeld(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	f, err := Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	other, err := Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Discard()
	if err := f.Commit(); err != nil {
		t.Error(err)
	}
}

// The lock is opened for writing, without which NFS does not lock it.
func TestLockIsWritable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.cue") + lockSuffix
	if err := os.WriteFile(path, []byte(lockMark), 0o666); err != nil {
		t.Fatal(err)
	}
	f, _, err := openLock(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	flags, err := unix.FcntlInt(f.Fd(), unix.F_GETFL, 0)
	if err != nil || flags&unix.O_ACCMODE != unix.O_RDWR {
		t.Errorf("flags %#x, %v", flags, err)
	}
}

// A process that claims by the file that another one has just made, and has not locked
// or marked, leaves nothing behind either.
func TestClaimBetween(t *testing.T) {
	for _, late := range []bool{false, true} {
		path := filepath.Join(t.TempDir(), "x.cue")
		f, made, err := openLock(path + lockSuffix)
		if err != nil || !made {
			t.Fatal(made, err)
		}
		faster, err := ClaimPath(path)
		if err != nil {
			t.Fatal(err)
		}
		if late { // the file stays, with its mark, and the next one removes it
			faster.Release()
		}
		slower, err := take(f, made)
		if errors.Is(err, ErrClaimed) == late {
			t.Errorf("the slower one: %v", err)
		}
		if late {
			faster = slower
		}
		faster.Release()
		if _, err := os.Lstat(path + lockSuffix); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("released late %t: the lock stays (%v)", late, err)
		}
	}
}
