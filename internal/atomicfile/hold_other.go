//go:build !unix

package atomicfile

import (
	"io/fs"
	"os"
)

// holdsWhileRenaming: a file that is open cannot be renamed here.
const holdsWhileRenaming = false

// hold does nothing: a file that is open cannot be removed here.
func hold(*os.File) error { return nil }

// removeUnheld removes a file that no process has open.
func removeUnheld(path string) { _ = os.Remove(path) }

// careful are the flags of opening what others may have put in a place.
const careful = 0

// setOwner does nothing: a file has the owner that its folder gives it.
func setOwner(*os.File, fs.FileInfo) {}
