package scsi

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// MountPoint returns where the disc in a drive is mounted, or "" where it is not. The
// drive is named as in [Open].
func MountPoint(path string) string {
	var st unix.Stat_t
	if unix.Stat(path, &st) != nil {
		return ""
	}
	if st.Mode&unix.S_IFMT == unix.S_IFCHR {
		block := blockOf(uint64(st.Rdev))
		if block == "" || unix.Stat(block, &st) != nil {
			return ""
		}
	}
	if st.Mode&unix.S_IFMT != unix.S_IFBLK {
		return ""
	}
	table, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return ""
	}
	return mountPoint(string(table), unix.Major(uint64(st.Rdev)), unix.Minor(uint64(st.Rdev)))
}

// blockOf returns the block device (/dev/srN) of a generic one (/dev/sgN), or "".
func blockOf(generic uint64) string {
	dir := fmt.Sprintf("/sys/dev/char/%d:%d/device/block", unix.Major(generic), unix.Minor(generic))
	names, err := os.ReadDir(dir)
	if err != nil || len(names) == 0 {
		return ""
	}
	return "/dev/" + names[0].Name()
}

// mountPoint looks up a block device in a table as /proc/self/mountinfo has it
// (proc_pid_mountinfo(5)): the third field is the device, the fifth the place, in
// which the kernel writes spaces and the like as three octal digits.
func mountPoint(table string, major, minor uint32) string {
	device := fmt.Sprintf("%d:%d", major, minor)
	for line := range strings.Lines(table) {
		f := strings.Fields(line)
		if len(f) < 5 || f[2] != device {
			continue
		}
		return unescapeOctal(f[4])
	}
	return ""
}

func unescapeOctal(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
