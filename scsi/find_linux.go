package scsi

import (
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// Drives lists the optical drives of the machine, as sysfs names them, sorted by
// path.
func Drives() ([]DriveInfo, error) { return drivesBelow("/") }

// drivesBelow is Drives with another root directory, for tests.
func drivesBelow(root string) ([]DriveInfo, error) {
	var found []DriveInfo
	seenSG := make(map[string]bool)
	blocks, err := filepath.Glob(filepath.Join(root, "sys/class/block/sr*"))
	if err != nil {
		return nil, err
	}
	for _, b := range blocks {
		d := describe(filepath.Join(b, "device"))
		d.Path = "/dev/" + filepath.Base(b)
		if d.SGPath != "" {
			seenSG[d.SGPath] = true
		}
		found = append(found, d)
	}
	// A drive that the sr module does not drive is still there as sg.
	generics, err := filepath.Glob(filepath.Join(root, "sys/class/scsi_generic/sg*"))
	if err != nil {
		return nil, err
	}
	for _, g := range generics {
		dev := filepath.Join(g, "device")
		path := "/dev/" + filepath.Base(g)
		if seenSG[path] || readAttribute(dev, "type") != strconv.Itoa(peripheralMMC) {
			continue
		}
		d := describe(dev)
		d.Path, d.SGPath = path, path
		found = append(found, d)
	}
	addLinks(root, found)
	slices.SortFunc(found, func(a, b DriveInfo) int { return comparePaths(a.Path, b.Path) })
	return found, nil
}

// comparePaths orders /dev/sr2 before /dev/sr10.
func comparePaths(a, b string) int {
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	return strings.Compare(a, b)
}

// describe reads the attributes of one SCSI device directory.
func describe(dev string) DriveInfo {
	d := DriveInfo{
		Vendor:   readAttribute(dev, "vendor"),
		Model:    readAttribute(dev, "model"),
		Revision: readAttribute(dev, "rev"),
		Serial:   readSerial(dev),
	}
	if sg, err := filepath.Glob(filepath.Join(dev, "scsi_generic/sg*")); err == nil && len(sg) == 1 {
		d.SGPath = "/dev/" + filepath.Base(sg[0])
	}
	return d
}

func readAttribute(dir, name string) string {
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// readSerial reads VPD page 80h as sysfs keeps it: a four-byte header, then text.
func readSerial(dev string) string {
	b, err := os.ReadFile(filepath.Join(dev, "vpd_pg80"))
	if err != nil || len(b) <= 4 {
		return ""
	}
	return strings.Trim(string(b[4:]), " \x00")
}

// addLinks finds the symbolic links in /dev that lead to the drives.
func addLinks(root string, drives []DriveInfo) {
	entries, err := os.ReadDir(filepath.Join(root, "dev"))
	if err != nil {
		return
	}
	for _, e := range entries {
		if e.Type()&fs.ModeSymlink == 0 {
			continue
		}
		to, err := os.Readlink(filepath.Join(root, "dev", e.Name()))
		if err != nil {
			continue
		}
		for i := range drives {
			if filepath.Base(to) == filepath.Base(drives[i].Path) && filepath.Dir(to) != "/" {
				drives[i].Links = append(drives[i].Links, "/dev/"+e.Name())
			}
		}
	}
}

// groupOf names the group whose members may use a device file, or returns the empty
// string.
func groupOf(path string) string {
	st, err := os.Stat(path)
	if err != nil {
		return ""
	}
	sys, ok := st.Sys().(*syscall.Stat_t)
	if !ok || st.Mode().Perm()&0o040 == 0 || sys.Gid == 0 {
		return ""
	}
	name := strconv.Itoa(int(sys.Gid))
	if g, err := user.LookupGroupId(name); err == nil {
		name = g.Name
	}
	return name
}
