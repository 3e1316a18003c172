//go:build linux || darwin || freebsd

package diskspace

import "golang.org/x/sys/unix"

// Free returns how many bytes a user without privileges may still write in a folder.
func Free(dir string) (int64, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, err
	}
	if st.Blocks == 0 {
		return 0, ErrUnknown // of file systems without a size of their own
	}
	blocks := max(0, int64(st.Bavail))   //nolint:unconvert // its type depends on the system
	return blocks * int64(st.Bsize), nil //nolint:unconvert // as above
}
