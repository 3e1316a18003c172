package scsi

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDrivesBelow(t *testing.T) {
	root := t.TempDir()
	put := func(path, text string) {
		t.Helper()
		p := filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(p), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, n := range []string{"sr0", "sr10", "sr2"} {
		dev := "sys/class/block/" + n + "/device/"
		put(dev+"vendor", "ACME    \n")
		put(dev+"model", "Writer "+n+"  \n")
		put(dev+"rev", "1.23\n")
	}
	put("sys/class/block/sr0/device/scsi_generic/sg1/dev", "21:1\n")
	put("sys/class/block/sr0/device/vpd_pg80", "\x05\x80\x00\x04S123")
	put("sys/class/scsi_generic/sg1/device/type", "5\n")
	put("sys/class/scsi_generic/sg3/device/type", "5\n")
	put("sys/class/scsi_generic/sg3/device/vendor", "LONELY\n")
	put("sys/class/scsi_generic/sg4/device/type", "0\n") // a disk
	if err := os.MkdirAll(filepath.Join(root, "dev"), 0o777); err != nil {
		t.Fatal(err)
	}
	for name, to := range map[string]string{"cdrom": "sr0", "dvd": "sr0", "other": "/tmp/sr0x", "std": "/sr9"} {
		if err := os.Symlink(to, filepath.Join(root, "dev", name)); err != nil {
			t.Fatal(err)
		}
	}
	got, err := drivesBelow(root)
	if err != nil {
		t.Fatal(err)
	}
	want := []DriveInfo{
		{Path: "/dev/sg3", SGPath: "/dev/sg3", Vendor: "LONELY"},
		{Path: "/dev/sr0", SGPath: "/dev/sg1", Vendor: "ACME", Model: "Writer sr0", Revision: "1.23", Serial: "S123",
			Links: []string{"/dev/cdrom", "/dev/dvd"}},
		{Path: "/dev/sr2", Vendor: "ACME", Model: "Writer sr2", Revision: "1.23"},
		{Path: "/dev/sr10", Vendor: "ACME", Model: "Writer sr10", Revision: "1.23"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// Two drives of one model and one serial number, as cheap adapters give them, are two.
func TestTwinsBelow(t *testing.T) {
	root := t.TempDir()
	for _, n := range []string{"sr0", "sr1"} {
		dir := filepath.Join(root, "sys/class/block", n, "device")
		if err := os.MkdirAll(dir, 0o777); err != nil {
			t.Fatal(err)
		}
		for name, text := range map[string]string{"vendor": "ACME", "model": "Writer", "rev": "1.0", "vpd_pg80": "\x05\x80\x00\x04S123"} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
	got, err := drivesBelow(root)
	if err != nil {
		t.Fatal(err)
	}
	twin := DriveInfo{Vendor: "ACME", Model: "Writer", Revision: "1.0", Serial: "S123"}
	a, b := twin, twin
	a.Path, b.Path = "/dev/sr0", "/dev/sr1"
	if diff := cmp.Diff([]DriveInfo{a, b}, got); diff != "" {
		t.Error(diff)
	}
}

func TestOpenRefuses(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.iso")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]error{
		file: ErrNotOptical, "/dev/null": ErrNotOptical, filepath.Join(file, "no"): nil, file + ".no": ErrNotFound,
	} {
		c, err := Open(t.Context(), path)
		if err == nil {
			c.Close()
		}
		if err == nil || want != nil && !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", path, err, want)
		}
	}
}
