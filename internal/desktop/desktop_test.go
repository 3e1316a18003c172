//go:build linux

package desktop

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

// busConfig is a bus on which everybody may do everything.
const busConfig = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path=SOCKET</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
    <allow user="*"/>
  </policy>
</busconfig>
`

// systemBus starts a D-Bus daemon, makes it the system bus of this test, and returns a
// connection to it.
func systemBus(t *testing.T) *dbus.Conn {
	t.Helper()
	daemon, err := exec.LookPath("dbus-daemon")
	if err != nil {
		t.Skip("there is no dbus-daemon")
	}
	dir := t.TempDir()
	socket, config := filepath.Join(dir, "bus"), filepath.Join(dir, "bus.conf")
	if err := os.WriteFile(config, []byte(strings.Replace(busConfig, "SOCKET", socket, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(daemon, "--config-file="+config, "--nofork", "--print-address")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("DBUS_SYSTEM_BUS_ADDRESS", strings.TrimSpace(address))
	conn, err := dbus.ConnectSystemBus()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// own exports an object under a name on the bus.
func own(t *testing.T, bus *dbus.Conn, object any, path dbus.ObjectPath, iface, name string) {
	t.Helper()
	if err := bus.Export(object, path, iface); err != nil {
		t.Fatal(err)
	}
	if reply, err := bus.RequestName(name, dbus.NameFlagDoNotQueue); err != nil || reply != dbus.RequestNameReplyPrimaryOwner {
		t.Fatal(reply, err)
	}
}

// login is a login manager that hands out the writing ends of pipes.
type login struct {
	what, who, why, mode string
	lock                 *os.File // the end that is read until all others are closed
}

func (l *login) Inhibit(what, who, why, mode string) (dbus.UnixFD, *dbus.Error) {
	l.what, l.who, l.why, l.mode = what, who, why, mode
	r, w, err := os.Pipe()
	if err != nil {
		return 0, dbus.MakeFailedError(err)
	}
	l.lock = r
	time.AfterFunc(500*time.Millisecond, func() { w.Close() }) // the answer has its own copy by then
	return dbus.UnixFD(w.Fd()), nil
}

func TestStayAwake(t *testing.T) {
	bus := systemBus(t)
	var l login
	own(t, bus, &l, "/org/freedesktop/login1", "org.freedesktop.login1.Manager", "org.freedesktop.login1")
	release := StayAwake(t.Context(), "spindle", "Burning a disc")
	if l.what != "sleep:idle" || l.who != "spindle" || l.why != "Burning a disc" || l.mode != "block" {
		t.Fatalf("%+v", l)
	}
	ended := make(chan struct{})
	go func() {
		_, _ = l.lock.Read(make([]byte, 1))
		close(ended)
	}()
	select {
	case <-ended:
		t.Fatal("the lock was never held")
	case <-time.After(50 * time.Millisecond):
	}
	release()
	select {
	case <-ended:
	case <-time.After(5 * time.Second):
		t.Error("the lock is still held")
	}
}

// disks is UDisks2 with one drive, whose disc can be unmounted once.
type disks struct{ calls int }

func (d *disks) Unmount(map[string]dbus.Variant) *dbus.Error {
	if d.calls++; d.calls > 1 {
		return dbus.NewError("org.freedesktop.UDisks2.Error.NotMounted", []any{"not mounted"})
	}
	return nil
}

func TestUnmount(t *testing.T) {
	bus := systemBus(t)
	var d disks
	own(t, bus, &d, "/org/freedesktop/UDisks2/block_devices/sr7", "org.freedesktop.UDisks2.Filesystem", "org.freedesktop.UDisks2")
	if err := Unmount(t.Context(), "/dev/sr7", t.TempDir()); err != nil || d.calls != 1 {
		t.Fatal(err, d.calls)
	}
	// Nor is it mounted for the system call.
	if err := Unmount(t.Context(), "/dev/sr7", t.TempDir()); err == nil || !strings.Contains(err.Error(), "not mounted") {
		t.Error(err)
	}
}

func TestWithoutDesktop(t *testing.T) {
	t.Setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path="+filepath.Join(t.TempDir(), "none"))
	StayAwake(t.Context(), "spindle", "Burning a disc")()
	if err := Unmount(t.Context(), "/dev/sr7", t.TempDir()); err == nil {
		t.Error("it is unmounted")
	}
}
