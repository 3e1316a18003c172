//go:build !unix

package atomicfile

import "os"

// hold does nothing: a file that is open cannot be removed here.
func hold(*os.File) error { return nil }

// removeUnheld removes a file that no process has open.
func removeUnheld(path string) { _ = os.Remove(path) }

// openLock opens the file that stands for a claim, and makes it where there is none.
func openLock(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
}
