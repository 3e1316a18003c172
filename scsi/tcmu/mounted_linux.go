package tcmu

import (
	"os"
	"strings"
)

// Mounted reports whether a drive, by the name of its device, is mounted somewhere.
func Mounted(device string) bool {
	b, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return false
	}
	for line := range strings.SplitSeq(string(b), "\n") {
		if strings.HasPrefix(line, device+" ") {
			return true
		}
	}
	return false
}
