package tcmu

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
	"unsafe"

	"spindle/scsi"

	"golang.org/x/sys/unix"
)

// Where the kernel's SCSI target is configured.
const (
	targetDir = "/sys/kernel/config/target"
	hba       = "core/user_8910" // a number that others will hardly take
	uioDir    = "/sys/class/uio"
)

// Drive is an attached drive.
type Drive struct {
	name string
	dev  scsi.Device
	uio  *os.File
	mem  []byte
	ring *ring
	path string
	done chan error
	// leaving is set when the drive is being removed: from then on its ring may
	// vanish.
	leaving atomic.Bool
}

// Attach makes a SCSI drive of dev and serves it until [Drive.Detach] is called.
// When it returns, the kernel has found the drive.
func Attach(ctx context.Context, dev scsi.Device, o Options) (*Drive, error) {
	if err := prepare(ctx); err != nil {
		return nil, err
	}
	if err := checkName(o.Name); err != nil {
		return nil, err
	}
	if _, err := os.Stat(backstore(o.Name)); err == nil {
		return nil, fmt.Errorf("%w: %s", ErrExists, o.Name)
	}
	d := &Drive{name: o.Name, dev: dev, done: make(chan error, 1)}
	if err := d.build(ctx, o); err != nil {
		// While it is removed, the kernel still asks it things.
		d.leaving.Store(true)
		rerr := Remove(o.Name)
		return nil, errors.Join(err, d.unserve(), rerr)
	}
	return d, nil
}

// checkName keeps names inside of their folder.
func checkName(name string) error {
	if name == "" || len(name) > 32 {
		return fmt.Errorf("%w: %d characters", ErrName, len(name))
	}
	for _, c := range name {
		if !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-') {
			return fmt.Errorf("%w: %q", ErrName, c)
		}
	}
	return nil
}

func backstore(name string) string { return filepath.Join(targetDir, hba, name) }

// wwn makes the target's name of the drive's: 16 digits, of which the first ones
// say who gives it (an unregistered NAA 5 name, as LIO's tools make them).
func wwn(name string) string {
	h := fnv.New64a()
	h.Write([]byte(name))
	return fmt.Sprintf("naa.5001405%09x", h.Sum64()&0xFFFFFFFFF)
}

func fabric(name string) string { return filepath.Join(targetDir, "loopback", wwn(name), "tpgt_1") }

// prepare looks at what the kernel must have.
func prepare(ctx context.Context) error {
	if os.Geteuid() != 0 {
		return ErrRoot
	}
	for _, m := range []string{"target_core_user", "tcm_loop", "sr_mod"} {
		// Without the program, or with the module built in, the checks below tell.
		_ = exec.CommandContext(ctx, "modprobe", m).Run()
	}
	if _, err := os.Stat("/sys/kernel/config"); err != nil {
		return fmt.Errorf("%w: configfs", ErrModule)
	}
	if _, err := os.Stat(targetDir); err != nil {
		var st unix.Statfs_t
		if serr := unix.Statfs("/sys/kernel/config", &st); serr == nil && st.Type != configfsMagic {
			return ErrConfigfs
		}
		return fmt.Errorf("%w: target_core_mod", ErrModule)
	}
	for module, dir := range map[string]string{"target_core_user": "target_core_user", "tcm_loop": "tcm_loop"} {
		if _, err := os.Stat(filepath.Join("/sys/module", dir)); err != nil {
			return fmt.Errorf("%w: %s", ErrModule, module)
		}
	}
	return nil
}

const configfsMagic = 0x62656570

// build makes the backstore, begins to serve it, and connects it to the kernel's
// own initiator.
func (d *Drive) build(ctx context.Context, o Options) error {
	dir := backstore(d.name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	// The size means nothing to an optical drive, whose medium has one; it must
	// not be zero.
	for _, s := range [...][2]string{
		{"control", "dev_config=spindle/" + d.name},
		{"control", "dev_size=2048,hw_block_size=2048,hw_max_sectors=512,max_data_area_mb=64"},
		{"attrib/nl_reply_supported", "-1"}, // do not wait for a daemon to answer
		{"enable", "1"},
	} {
		if err := write(filepath.Join(dir, s[0]), s[1]); err != nil && s[0] != "attrib/nl_reply_supported" {
			return err
		}
	}
	// A killed server must not leave the kernel waiting for ever, as 0 would.
	if err := write(filepath.Join(dir, "attrib/cmd_time_out"), o.seconds()); err != nil {
		return err
	}
	if err := d.serve(ctx); err != nil {
		return err
	}
	tpg := fabric(d.name)
	if err := os.MkdirAll(tpg, 0o755); err != nil {
		return err
	}
	if err := write(filepath.Join(tpg, "nexus"), "naa.6"+wwn(d.name)[5:]); err != nil {
		return err
	}
	lun := filepath.Join(tpg, "lun/lun_0")
	if err := os.MkdirAll(lun, 0o755); err != nil {
		return err
	}
	if err := os.Symlink(dir, filepath.Join(lun, "drive")); err != nil {
		return err
	}
	return d.find(ctx)
}

func write(path, s string) error { return os.WriteFile(path, []byte(s), 0) }

// serve opens the ring of the backstore and executes what comes.
func (d *Drive) serve(ctx context.Context) error {
	number, err := uioOf(ctx, d.name)
	if err != nil {
		return err
	}
	b, err := os.ReadFile(filepath.Join(uioDir, number, "maps/map0/size"))
	if err != nil {
		return err
	}
	size, err := strconv.ParseInt(strings.TrimSpace(string(b)), 0, 64)
	if err != nil || size < mailboxSize || size > 1<<31 {
		return fmt.Errorf("%w: %s bytes of shared memory", ErrRing, b)
	}
	if d.uio, err = os.OpenFile("/dev/"+number, os.O_RDWR, 0); err != nil {
		return err
	}
	conn, err := d.uio.SyscallConn()
	if err != nil {
		return err
	}
	var merr error
	err = conn.Control(func(fd uintptr) {
		d.mem, merr = unix.Mmap(int(fd), 0, int(size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	})
	if err = errors.Join(err, merr); err != nil {
		return err
	}
	if d.ring, err = newRing(d.mem, d.dev); err != nil {
		return err
	}
	go func() {
		err := d.loop()
		if err != nil { // no answer can come any more
			err = errors.Join(err, Abandon(d.name))
		}
		d.done <- err
	}()
	return nil
}

// uioOf finds the device through which the ring of a backstore is reached.
func uioOf(ctx context.Context, name string) (string, error) {
	for range 200 {
		entries, err := os.ReadDir(uioDir)
		if err != nil {
			return "", err
		}
		for _, e := range entries {
			b, err := os.ReadFile(filepath.Join(uioDir, e.Name(), "name"))
			// tcm-user/HBA/NAME/CONFIG
			if f := strings.Split(strings.TrimSpace(string(b)), "/"); err == nil && len(f) >= 3 && f[0] == "tcm-user" && f[2] == name {
				if _, err := os.Stat("/dev/" + e.Name()); err == nil {
					return e.Name(), nil
				}
			}
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return "", err
		}
	}
	return "", fmt.Errorf("%w: uio (the kernel made no device for the ring)", ErrModule)
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// loop executes commands until the drive is detached.
func (d *Drive) loop() error {
	// The ring's owner is one thread, whose reads wake it as soon as they can.
	runtime.LockOSThread()
	word := func(at int) *uint32 { return (*uint32)(unsafe.Pointer(&d.mem[at])) }
	setTail := func(v int) { atomic.StoreUint32(word(offTail), uint32(v)) }
	var event [4]byte
	for {
		head := int(atomic.LoadUint32(word(offHead)))
		tail := int(atomic.LoadUint32(word(offTail)))
		n, err := d.ring.run(context.Background(), head, tail, setTail)
		if n > 0 || head != tail {
			if _, werr := d.uio.Write(event[:]); werr != nil && err == nil {
				err = werr
			}
		}
		if err != nil {
			return err
		}
		if int(atomic.LoadUint32(word(offHead))) != int(atomic.LoadUint32(word(offTail))) {
			continue
		}
		if _, err := d.uio.Read(event[:]); err != nil {
			if d.leaving.Load() {
				return nil
			}
			return err
		}
	}
}

// find waits until the kernel has found the drive, and takes its name.
func (d *Drive) find(ctx context.Context) error {
	b, err := os.ReadFile(filepath.Join(fabric(d.name), "address"))
	if err != nil {
		return err
	}
	base := "/sys/bus/scsi/devices/" + strings.TrimSpace(string(b)) + ":0/block/"
	for range 600 {
		entries, err := os.ReadDir(base)
		if err == nil && len(entries) > 0 {
			d.path = "/dev/" + entries[0].Name()
			if _, err := os.Stat(d.path); err == nil {
				return nil
			}
		} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
	return fmt.Errorf("%w: sr_mod (the kernel made no drive)", ErrModule)
}

// Path returns the name of the drive in /dev.
func (d *Drive) Path() string { return d.path }

// Done tells when serving ends; the error says why it ended on its own.
func (d *Drive) Done() <-chan error { return d.done }

// Detach takes the drive away from the kernel. Commands under way are answered
// first.
func (d *Drive) Detach() error {
	d.leaving.Store(true)
	return errors.Join(Remove(d.name), d.unserve())
}

// unserve ends serving, and returns the error that ended it before.
func (d *Drive) unserve() error {
	if d.uio == nil {
		return nil
	}
	errs := []error{d.uio.SetReadDeadline(time.Now())}
	if d.ring != nil {
		errs = append(errs, <-d.done)
	}
	if d.mem != nil {
		errs = append(errs, unix.Munmap(d.mem))
	}
	errs = append(errs, d.uio.Close())
	d.uio = nil
	return errors.Join(errs...)
}

// Remove takes a drive of this name away from the kernel, also one whose server
// was killed: commands without an answer are ended.
func Remove(name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	dir, tpg := backstore(name), fabric(name)
	steps := []func() error{
		func() error { return os.Remove(filepath.Join(tpg, "lun/lun_0/drive")) },
		func() error { return os.Remove(filepath.Join(tpg, "lun/lun_0")) },
		func() error { return os.Remove(tpg) },
		func() error { return os.Remove(filepath.Dir(tpg)) },
		func() error { return os.Remove(dir) },
	}
	var errs []error
	for _, step := range steps {
		if err := step(); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	_ = os.Remove(filepath.Join(targetDir, hba)) // stays while other drives are there
	return errors.Join(errs...)
}

// Abandon ends all commands of a drive whose server is gone, so that [Remove] does
// not wait for them.
func Abandon(name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	dir := filepath.Join(backstore(name), "action")
	if err := write(filepath.Join(dir, "block_dev"), "1"); err != nil {
		return err
	}
	return write(filepath.Join(dir, "reset_ring"), "2")
}

// Names lists the drives that the kernel has from here, also those whose server
// was killed.
func Names() []string {
	entries, err := os.ReadDir(filepath.Join(targetDir, hba))
	if err != nil {
		return nil
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() && checkName(e.Name()) == nil {
			names = append(names, e.Name())
		}
	}
	return names
}
