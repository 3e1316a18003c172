//go:build !linux

package scsi

import "context"

// Open returns an [*OpenError] that wraps [ErrUnsupported]: pass-through to
// drives is written for Linux.
func Open(_ context.Context, path string) (Conn, error) {
	return nil, &OpenError{Path: path, Err: ErrUnsupported}
}

// OpenExclusive returns the same error as [Open].
func OpenExclusive(ctx context.Context, path string) (Conn, error) { return Open(ctx, path) }

// MountPoint returns "": mounts are looked up on Linux only.
func MountPoint(string) string { return "" }
