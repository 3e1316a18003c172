package scsi

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// SG_IO, interface version 3 (<scsi/sg.h>, kernel's include/uapi/scsi/sg.h).
const (
	sgIO            = 0x2285
	sgGetVersion    = 0x2282
	sgDirNone       = -1
	sgDirToDevice   = -2
	sgDirFromDevice = -3
	sgInfoCheck     = 0x1

	blkSectGet     = 0x1267   // BLKSECTGET; on /dev/sgN the answer is in bytes
	statusCheck    = 0x02     // CHECK CONDITION
	statusBusy     = 0x08     // BUSY
	statusConflict = 0x18     // RESERVATION CONFLICT
	driverSense    = 0x08     // DRIVER_SENSE
	driverMask     = 0x0F     // without the suggestion bits
	hostNoConnect  = 0x01     // DID_NO_CONNECT
	hostTimeOut    = 0x03     // DID_TIME_OUT
	mostTransfer   = 64 << 10 // what every bridge takes; more gains nothing on a disc
	senseLen       = 64       // descriptors may need more than 18 bytes
)

// sgIOHeader is struct sg_io_hdr.
type sgIOHeader struct {
	interfaceID    int32
	dxferDirection int32
	cmdLen         uint8
	mxSbLen        uint8
	iovecCount     uint16
	dxferLen       uint32
	dxferp         unsafe.Pointer
	cmdp           unsafe.Pointer
	sbp            unsafe.Pointer
	timeout        uint32 // ms
	flags          uint32
	packID         int32
	usrPtr         unsafe.Pointer
	status         uint8
	maskedStatus   uint8
	msgStatus      uint8
	sbLenWr        uint8
	hostStatus     uint16
	driverStatus   uint16
	resid          int32
	duration       uint32
	info           uint32
}

// sgDevice is a device reached through the SG_IO ioctl of /dev/srN or /dev/sgN.
type sgDevice struct {
	f        *os.File
	fd       int
	transfer int
	held     *os.File // the block device of a generic one that is held, or nil
}

// Open opens an optical drive by its device file: /dev/sr0, /dev/sg1, or a link
// such as /dev/cdrom. The drive need not hold a medium. The error is an
// [*OpenError].
func Open(ctx context.Context, path string) (Conn, error) { return open(ctx, path, false) }

// OpenExclusive opens an optical drive as [Open] does, for writing: it fails with
// [ErrBusy] while the disc is mounted or another program holds the drive
// exclusively, and keeps both out until the drive is closed. It waits some seconds
// for programs that look at every disc that comes in.
func OpenExclusive(ctx context.Context, path string) (Conn, error) { return open(ctx, path, true) }

func open(ctx context.Context, path string, exclusive bool) (Conn, error) {
	d, err := openDevice(ctx, path, exclusive)
	if err != nil {
		return nil, err
	}
	if err := checkOptical(ctx, d); err != nil {
		d.Close()
		return nil, &OpenError{Path: path, Err: err}
	}
	return d, nil
}

func openDevice(ctx context.Context, path string, exclusive bool) (*sgDevice, error) {
	flags := unix.O_NONBLOCK | unix.O_CLOEXEC
	if exclusive {
		flags |= unix.O_EXCL
	}
	f, err := openFile(ctx, path, flags)
	if err != nil {
		return nil, openError(path, err)
	}
	d := &sgDevice{f: f, fd: int(f.Fd())}
	if err := d.checkPassThrough(path); err != nil {
		f.Close()
		return nil, err
	}
	d.transfer = d.transferLimit()
	if !exclusive {
		return d, nil
	}
	if err := d.holdBlock(ctx); err != nil {
		f.Close()
		return nil, openError(path, err)
	}
	return d, nil
}

// openFile opens a device for writing where that is permitted, else for reading.
// For users other than root the kernel passes SET CD SPEED, MODE SELECT and
// PREVENT/ALLOW only through a file opened for writing (scsi_cmd_allowed in
// drivers/scsi/scsi_ioctl.c), and only a writable exclusive one ends its polling
// of the drive for events (sr_probe in drivers/scsi/sr.c, DISK_EVENT_FLAG_BLOCK_ON_EXCL_WRITE).
// Reading works without.
func openFile(ctx context.Context, path string, flags int) (*os.File, error) {
	return whileBusy(ctx, SystemClock{}, func() (*os.File, error) {
		f, err := openRetry(path, flags|unix.O_RDWR)
		if errors.Is(err, unix.EACCES) || errors.Is(err, unix.EROFS) || errors.Is(err, unix.EPERM) {
			f, err = openRetry(path, flags|unix.O_RDONLY)
		}
		return f, err
	}, func() bool { return MountPoint(path) != "" })
}

// After a disc came in, udev, udisks and the packet driver hold a drive for some
// seconds; libburn tries four times, with two seconds between (sg-linux.c).
const (
	busyTries = 5
	busyPause = 2 * time.Second
)

// whileBusy repeats open while it fails with EBUSY, unless the disc is mounted: that
// does not pass.
func whileBusy(ctx context.Context, clock Clock, open func() (*os.File, error), mounted func() bool) (*os.File, error) {
	for try := 1; ; try++ {
		f, err := open()
		if !errors.Is(err, unix.EBUSY) || try == busyTries || mounted() {
			return f, err
		}
		if err := clock.Sleep(ctx, busyPause); err != nil {
			return nil, err
		}
	}
}

// holdBlock holds /dev/srN while its /dev/sgM is used: a mount, and programs that
// use the one, are not kept out by holding the other.
func (d *sgDevice) holdBlock(ctx context.Context) error {
	var st unix.Stat_t
	if err := unix.Fstat(d.fd, &st); err != nil || st.Mode&unix.S_IFMT != unix.S_IFCHR {
		return err
	}
	block := blockOf(uint64(st.Rdev))
	if block == "" {
		return nil // no sr driver: nothing to be mounted
	}
	var err error
	d.held, err = openFile(ctx, block, unix.O_NONBLOCK|unix.O_CLOEXEC|unix.O_EXCL)
	if errors.Is(err, unix.EBUSY) || ctx.Err() != nil {
		return err
	}
	return nil
}

func openRetry(path string, flags int) (*os.File, error) {
	for {
		fd, err := unix.Open(path, flags, 0)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return nil, err
		}
		return os.NewFile(uintptr(fd), path), nil
	}
}

// openError turns the errno of an open into an [*OpenError].
func openError(path string, err error) error {
	e := &OpenError{Path: path, Err: err}
	switch {
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM):
		e.Err = ErrPermission
		e.Group = groupOf(path)
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENODEV), errors.Is(err, unix.ENXIO):
		e.Err = ErrNotFound
	case errors.Is(err, unix.EBUSY):
		e.Err = ErrBusy
		e.MountPoint = MountPoint(path)
	}
	return e
}

// checkPassThrough makes sure that path is a device that takes SG_IO at all.
func (d *sgDevice) checkPassThrough(path string) error {
	st, err := d.f.Stat()
	if err != nil {
		return &OpenError{Path: path, Err: err}
	}
	if st.Mode()&os.ModeDevice == 0 {
		return &OpenError{Path: path, Err: ErrNotDevice}
	}
	var version int32
	if err := d.ioctl(sgGetVersion, unsafe.Pointer(&version)); err != nil || version < 30000 {
		return &OpenError{Path: path, Err: ErrNotOptical}
	}
	return nil
}

// transferLimit asks the kernel for the most bytes of one command.
func (d *sgDevice) transferLimit() int {
	st, err := d.f.Stat()
	if err != nil {
		return DefaultTransfer
	}
	limit := 0
	if st.Mode()&os.ModeCharDevice != 0 {
		var bytes int32
		if d.ioctl(blkSectGet, unsafe.Pointer(&bytes)) == nil {
			limit = int(bytes)
		}
	} else {
		var sectors uint16 // the block device answers in sectors of 512 bytes, as unsigned short
		if d.ioctl(blkSectGet, unsafe.Pointer(&sectors)) == nil {
			limit = int(sectors) * 512
		}
	}
	return usableTransfer(limit)
}

// usableTransfer is how much of what the kernel would transfer with a command is used.
func usableTransfer(limit int) int {
	if limit < 4096 {
		return DefaultTransfer
	}
	return min(limit, mostTransfer)
}

func (d *sgDevice) ioctl(request uintptr, arg unsafe.Pointer) error {
	for {
		_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(d.fd), request, uintptr(arg))
		if errno == unix.EINTR {
			continue
		}
		if errno != 0 {
			return errno
		}
		return nil
	}
}

func (d *sgDevice) MaxTransfer() int { return d.transfer }

func (d *sgDevice) Clock() Clock { return SystemClock{} }

func (d *sgDevice) Close() error {
	if d.held != nil {
		d.held.Close()
	}
	return d.f.Close()
}

func (d *sgDevice) Execute(ctx context.Context, c *Command) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if n := len(c.CDB); n != 6 && n != 10 && n != 12 && n != 16 {
		return 0, fmt.Errorf("scsi: a CDB of %d bytes", n)
	}
	timeout := c.Timeout
	if timeout <= 0 {
		timeout = DefaultTimeout
	}
	var sense [senseLen]byte
	h := sgIOHeader{
		interfaceID:    'S',
		dxferDirection: sgDirNone,
		cmdLen:         uint8(len(c.CDB)),
		mxSbLen:        senseLen,
		cmdp:           unsafe.Pointer(&c.CDB[0]),
		sbp:            unsafe.Pointer(&sense[0]),
		timeout:        uint32(timeout / time.Millisecond),
	}
	if c.Direction != None && len(c.Data) > 0 {
		h.dxferDirection = sgDirFromDevice
		if c.Direction == Out {
			h.dxferDirection = sgDirToDevice
		}
		h.dxferLen = uint32(len(c.Data))
		h.dxferp = unsafe.Pointer(&c.Data[0])
	}
	// The kernel writes through the pointers inside h, which the garbage
	// collector must neither move nor free meanwhile.
	var pin runtime.Pinner
	pin.Pin(h.cmdp)
	pin.Pin(h.sbp)
	if h.dxferp != nil {
		pin.Pin(h.dxferp)
	}
	err := d.ioctl(sgIO, unsafe.Pointer(&h))
	pin.Unpin()
	if err != nil {
		return 0, ioctlError(c, err)
	}
	n := int(h.dxferLen) - int(h.resid)
	n = max(0, min(n, len(c.Data)))
	return n, h.result(c, sense[:min(int(h.sbLenWr), senseLen)])
}

// ioctlError is for a command that the kernel did not pass on.
func ioctlError(c *Command, err error) error {
	name := Opcode(c.CDB[0])
	switch {
	case errors.Is(err, unix.ENODEV), errors.Is(err, unix.ENXIO):
		return fmt.Errorf("%s: %w (%w)", name, ErrGone, err)
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES):
		return fmt.Errorf("%s: %w", name, ErrPermission)
	case errors.Is(err, unix.EBUSY):
		return fmt.Errorf("%s: %w", name, ErrBusy)
	}
	return fmt.Errorf("%s: %w: %w", name, ErrTransport, err)
}

// result turns the three status bytes of a finished command into an error.
func (h *sgIOHeader) result(c *Command, sense []byte) error {
	name := Opcode(c.CDB[0])
	if h.status == statusCheck || h.driverStatus&driverMask == driverSense && len(sense) > 0 {
		s, err := ParseSense(append([]byte(nil), sense...))
		if err != nil {
			return fmt.Errorf("%s: %w: check condition with %w", name, ErrTransport, err)
		}
		// Some drives end a command that went well with sense data that say
		// nothing; libburn continues, too (spc.c, key 0).
		if s.Key == NoSense && s.ASC == 0 {
			return nil
		}
		return &CheckCondition{Opcode: Opcode(c.CDB[0]), Sense: s}
	}
	if h.info&sgInfoCheck == 0 {
		return nil
	}
	switch {
	case h.hostStatus == hostNoConnect:
		return fmt.Errorf("%s: %w", name, ErrGone)
	case h.hostStatus == hostTimeOut, h.driverStatus&driverMask == 6:
		return fmt.Errorf("%s: %w", name, ErrTimeout)
	case h.status == statusBusy, h.status == statusConflict:
		return fmt.Errorf("%s: %w", name, ErrBusy)
	case h.hostStatus == 0 && h.driverStatus&driverMask == 0 && h.status == 0:
		return nil
	}
	return fmt.Errorf("%s: %w: status %#02x, host %#02x, driver %#02x",
		name, ErrTransport, h.status, h.hostStatus, h.driverStatus)
}
