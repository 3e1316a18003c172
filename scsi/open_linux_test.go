package scsi

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestMountPoint(t *testing.T) {
	const table = `22 29 0:21 / /proc rw,nosuid shared:12 - proc proc rw
29 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
97 29 11:0 / /media/me/My\040Disc\134x ro,nosuid shared:52 - iso9660 /dev/sr0 ro
short 1 11:1
98 29 11:10 / /mnt\04 ro - udf /dev/sr10 ro
`
	for _, c := range []struct {
		minor uint32
		want  string
	}{
		{0, `/media/me/My Disc\x`},
		{1, ""}, // a line that is cut
		{2, ""},
		{10, `/mnt\04`}, // no escape
	} {
		if got := mountPoint(table, 11, c.minor); got != c.want {
			t.Errorf("11:%d is mounted at %q, want %q", c.minor, got, c.want)
		}
	}
	if got := MountPoint("/dev/null"); got != "" {
		t.Errorf("/dev/null is mounted at %q", got)
	}
}

// countingClock passes without waiting.
type countingClock struct{ slept time.Duration }

func (c *countingClock) Now() time.Time { return time.Time{} }

func (c *countingClock) Sleep(ctx context.Context, d time.Duration) error {
	c.slept += d
	return ctx.Err()
}

func TestWhileBusy(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, c := range []struct {
		name    string
		ctx     context.Context
		busy    int // times
		mounted bool
		slept   time.Duration
		err     error
	}{
		{"free", t.Context(), 0, false, 0, nil},
		{"udev looks at the disc", t.Context(), 3, false, 3 * busyPause, nil},
		{"held", t.Context(), 100, false, (busyTries - 1) * busyPause, unix.EBUSY},
		{"mounted", t.Context(), 100, true, 0, unix.EBUSY},
		{"interrupted", ctx, 100, false, busyPause, context.Canceled},
	} {
		var clock countingClock
		tries := 0
		_, err := whileBusy(c.ctx, &clock, func() (*os.File, error) {
			if tries++; tries <= c.busy {
				return nil, unix.EBUSY
			}
			return nil, nil
		}, func() bool { return c.mounted })
		if !errors.Is(err, c.err) || clock.slept != c.slept {
			t.Errorf("%s: %v after %v, want %v after %v", c.name, err, clock.slept, c.err, c.slept)
		}
	}
}

// However much the kernel would transfer with one command: bridges choke on more than
// 64 KiB.
func TestUsableTransfer(t *testing.T) {
	for limit, want := range map[int]int{0: DefaultTransfer, 2048: DefaultTransfer, 32 << 10: 32 << 10, 64 << 10: 64 << 10, 512 << 10: 64 << 10} {
		if got := usableTransfer(limit); got != want {
			t.Errorf("of %d bytes %d are used, want %d", limit, got, want)
		}
	}
}

// A device is opened for writing wherever that is permitted: only so does the kernel stop
// asking the drive for events while it is held.
func TestOpenedForWriting(t *testing.T) {
	path := filepath.Join(t.TempDir(), "device")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := openFile(t.Context(), path, unix.O_NONBLOCK|unix.O_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	flags, err := unix.FcntlInt(f.Fd(), unix.F_GETFL, 0)
	if err != nil || flags&unix.O_ACCMODE != unix.O_RDWR {
		t.Errorf("flags %X, %v", flags, err)
	}
}

// A command that ended with CHECK CONDITION and sense data that say nothing went well.
func TestResultOfEmptySense(t *testing.T) {
	sense := make([]byte, 18)
	sense[0], sense[7] = 0x70, 10
	h := sgIOHeader{status: statusCheck, info: sgInfoCheck, driverStatus: driverSense}
	c := &Command{CDB: []byte{byte(OpRead10), 0, 0, 0, 0, 0, 0, 0, 0, 0}}
	if err := h.result(c, sense); err != nil {
		t.Errorf("no sense: %v", err)
	}
	sense[2] = byte(MediumError)
	if err := h.result(c, sense); SenseOf(err) == nil {
		t.Errorf("a medium error: %v", err)
	}
}
