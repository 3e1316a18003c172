//go:build !unix

package atomicfile

import "os"

// hold does nothing: a file that is open cannot be removed here.
func hold(*os.File) error { return nil }

// removeUnheld removes a file that no process has open.
func removeUnheld(path string) { _ = os.Remove(path) }
