//go:build !linux

package scsi

// Open returns an [*OpenError] that wraps [ErrUnsupported]: pass-through to
// drives is written for Linux.
func Open(path string) (Conn, error) {
	return nil, &OpenError{Path: path, Err: ErrUnsupported}
}

// OpenExclusive returns the same error as [Open].
func OpenExclusive(path string) (Conn, error) { return Open(path) }
