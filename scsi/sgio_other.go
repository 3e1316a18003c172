//go:build !linux

package scsi

// Open returns an [*OpenError] that wraps [ErrUnsupported]: pass-through to
// drives is written for Linux.
func Open(path string, exclusive bool) (Conn, error) {
	return nil, &OpenError{Path: path, Err: ErrUnsupported,
		Hint: "Image files and simulated drives (sim:FILE) work here"}
}
