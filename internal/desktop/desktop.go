//go:build linux

// Package desktop asks the desktop around a program for what a burn needs: that the
// machine does not fall asleep, and that a disc is unmounted. It speaks to systemd's
// login manager and to UDisks2 over D-Bus.
package desktop

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/godbus/dbus/v5"
	"golang.org/x/sys/unix"
)

// limit bounds how long a service may take for an answer.
const limit = 5 * time.Second

// unmountLimit is more: what a mounted DVD-RAM has in memory is written first.
const unmountLimit = 2 * time.Minute

// StayAwake keeps the machine from falling asleep until the returned function is
// called, or the program ends. The texts are shown to a person who wants to know what
// keeps it awake. Where there is no such service, nothing happens.
//
// Source: org.freedesktop.login1(5), Inhibit.
func StayAwake(ctx context.Context, who, why string) (release func()) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	bus, err := connect(ctx)
	if err != nil {
		return func() {}
	}
	defer bus.Close()
	var lock dbus.UnixFD
	err = bus.Object("org.freedesktop.login1", "/org/freedesktop/login1").
		CallWithContext(ctx, "org.freedesktop.login1.Manager.Inhibit", 0, "sleep:idle", who, why, "block").Store(&lock)
	if err != nil {
		return func() {}
	}
	return func() { _ = unix.Close(int(lock)) } // the lock is held as long as the file is open
}

// Unmount unmounts the disc in a drive: by UDisks2, which lets the user at the screen do
// so, else directly, which takes root. mountPoint is where the disc is mounted.
//
// Source: the D-Bus interface org.freedesktop.UDisks2.Filesystem.
func Unmount(ctx context.Context, device, mountPoint string) error {
	ctx, cancel := context.WithTimeout(ctx, unmountLimit)
	defer cancel()
	err := unmountByUDisks(ctx, device)
	if err == nil || ctx.Err() != nil {
		return err
	}
	if direct := unix.Unmount(mountPoint, 0); direct != nil {
		return fmt.Errorf("%s: %w (UDisks2: %w)", mountPoint, direct, err)
	}
	return nil
}

func unmountByUDisks(ctx context.Context, device string) error {
	bus, err := connect(ctx)
	if err != nil {
		return err
	}
	defer bus.Close()
	if resolved, err := filepath.EvalSymlinks(device); err == nil {
		device = resolved
	}
	path := dbus.ObjectPath("/org/freedesktop/UDisks2/block_devices/" + filepath.Base(device))
	if !path.IsValid() {
		return fmt.Errorf("%s: UDisks2 has no name for it", device)
	}
	return bus.Object("org.freedesktop.UDisks2", path).
		CallWithContext(ctx, "org.freedesktop.UDisks2.Filesystem.Unmount", 0, map[string]dbus.Variant{}).Err
}

func connect(ctx context.Context) (*dbus.Conn, error) {
	return dbus.ConnectSystemBus(dbus.WithContext(ctx))
}
