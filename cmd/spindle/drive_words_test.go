package main

import (
	"fmt"
	"strings"
	"testing"

	"spindle/scsi"
)

// No library's own text reaches the user, whatever it is wrapped in.
func TestInWords(t *testing.T) {
	for _, w := range driveWords {
		text := inWords(fmt.Errorf("WRITE (10): %w (more)", w.err).Error())
		for _, name := range []string{"scsi:", "mmc:", "tcmu:", "control:"} {
			if strings.Contains(text, name) {
				t.Errorf("%q", text)
			}
		}
		if !strings.Contains(text, w.words) {
			t.Errorf("%q does not say %q", text, w.words)
		}
	}
}

func TestOpenAdvice(t *testing.T) {
	for _, test := range []struct {
		err  scsi.OpenError
		want string
	}{
		{scsi.OpenError{Path: "x.iso", Err: scsi.ErrNotDevice}, "write sim:x.iso"},
		{scsi.OpenError{Path: "/dev/sr0", Err: scsi.ErrNotOptical}, "spindle drives"},
		{scsi.OpenError{Path: "/dev/sr0", Err: scsi.ErrBusy, MountPoint: "/media/x"}, "mounted at /media/x: unmount it first (umount /dev/sr0), or add --unmount"},
		{scsi.OpenError{Path: "/dev/sr0", Err: scsi.ErrBusy}, "Close the program that uses /dev/sr0"},
		{scsi.OpenError{Path: "/dev/sr0", Err: scsi.ErrPermission}, "as root"},
		{scsi.OpenError{Path: "/dev/sr0", Err: scsi.ErrPermission, Group: "cdrom"}, "usermod -aG cdrom "},
		{scsi.OpenError{Path: "/dev/sr0", Err: scsi.ErrUnsupported}, "sim:FILE"},
	} {
		m := explain(&test.err)
		if !strings.Contains(m.next, test.want) {
			t.Errorf("%v: %q does not say %q", &test.err, m.next, test.want)
		}
		if m.status != exitNoDisc {
			t.Errorf("%v: status %d", &test.err, m.status)
		}
	}
}
