package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"spindle/scsi/sim"
	"spindle/scsi/tcmu"
)

// Attached drives are controlled through sockets in this folder, one a drive; its
// name is that of the drive in the kernel.
const attachDir = "/run/spindle"

// errNotAttached: no such drive was made by attach.
var errNotAttached = errors.New("no attached drive")

// attachRequest is what is asked of the process that serves a drive.
type attachRequest struct {
	Do   string `json:"do"` // status, load, detach
	Spec string `json:"spec,omitempty"`
	Dir  string `json:"dir,omitempty"` // where the name in Spec is relative to
}

// attachAnswer is what it answers.
type attachAnswer struct {
	Device string `json:"device"`
	File   string `json:"file"`
	Error  string `json:"error,omitempty"`
}

// attachServer answers requests about one attached drive.
type attachServer struct {
	name   string
	device string
	drive  *sim.Drive
	listen net.Listener
	detach chan struct{}
	once   sync.Once
	gone   chan struct{}
	busy   sync.WaitGroup

	mu   sync.Mutex
	file string
}

// newAttachServer takes a free name, after removing what killed processes left.
func newAttachServer(drive *sim.Drive, file string) (*attachServer, error) {
	if os.Geteuid() != 0 {
		return nil, fmt.Errorf("the drive could not be attached: %w", tcmu.ErrRoot)
	}
	if _, err := cleanAttached(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(attachDir, 0o755); err != nil {
		return nil, err
	}
	const most = 64
	for i := range most {
		name := fmt.Sprintf("drive%d", i)
		l, err := net.Listen("unix", filepath.Join(attachDir, name))
		if err != nil {
			continue // somebody else's
		}
		return &attachServer{name: name, drive: drive, file: file, listen: l,
			detach: make(chan struct{}), gone: make(chan struct{})}, nil
	}
	return nil, fmt.Errorf("%d drives are attached already", most)
}

func (s *attachServer) close() {
	close(s.gone)
	s.listen.Close()
	s.busy.Wait()
}

func (s *attachServer) serve() {
	for {
		conn, err := s.listen.Accept()
		if err != nil {
			return
		}
		s.busy.Go(func() { s.answer(conn) })
	}
}

// answer serves one request.
func (s *attachServer) answer(conn net.Conn) {
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(controlLimit))
	var q attachRequest
	if err := json.NewDecoder(conn).Decode(&q); err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	out := attachAnswer{Device: s.device}
	switch q.Do {
	case "status":
	case "load":
		if err := s.load(q); err != nil {
			out.Error = err.Error()
		}
	case "detach":
		s.once.Do(func() { close(s.detach) })
		<-s.gone
	default:
		out.Error = "unknown request"
	}
	out.File = s.file
	// A client that went away does not matter.
	_ = json.NewEncoder(conn).Encode(out)
}

// load changes the disc.
func (s *attachServer) load(q attachRequest) error {
	spec, err := attachSpec(q.Spec)
	if err != nil {
		return err
	}
	if spec.File != "" && !filepath.IsAbs(spec.File) {
		spec.File = filepath.Join(q.Dir, spec.File)
	}
	img, r, err := openDiscOf(spec)
	if err != nil {
		return err
	}
	s.file = spec.File
	if old := s.drive.Insert(img, r, spec.Media); old != nil {
		return old.Close()
	}
	return nil
}

const controlLimit = 30 * time.Second

// attachedDrive is a drive that another process serves.
type attachedDrive struct {
	attachAnswer
	path string
}

// ask sends a request and waits for the answer.
func (d *attachedDrive) ask(q attachRequest) error {
	conn, err := net.Dial("unix", d.path)
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(controlLimit))
	if err := json.NewEncoder(conn).Encode(q); err != nil {
		return err
	}
	if err := json.NewDecoder(conn).Decode(&d.attachAnswer); err != nil {
		return fmt.Errorf("the process that serves the drive does not answer: %w", err)
	}
	if d.Error != "" {
		return errors.New(d.Error)
	}
	return nil
}

// findAttached finds the attached drive of a device name, or the only one there
// is.
func findAttached(device string) (attachedDrive, error) {
	paths, err := filepath.Glob(filepath.Join(attachDir, "drive*"))
	if err != nil {
		return attachedDrive{}, err
	}
	if device != "" {
		if real, err := filepath.EvalSymlinks(device); err == nil { // such as /dev/cdrom
			device = real
		}
	}
	var all []attachedDrive
	for _, p := range paths {
		d := attachedDrive{path: p}
		if d.ask(attachRequest{Do: "status"}) != nil {
			continue
		}
		if device == d.Device {
			return d, nil
		}
		all = append(all, d)
	}
	switch {
	case device != "":
		return attachedDrive{}, fmt.Errorf("%s: %w", device, errNotAttached)
	case len(all) == 0:
		return attachedDrive{}, errNotAttached
	case len(all) > 1:
		var names []string
		for _, d := range all {
			names = append(names, d.Device)
		}
		return attachedDrive{}, fmt.Errorf("%w, and it is not clear which one is meant: %s", errManyDrives, strings.Join(names, ", "))
	}
	return all[0], nil
}

// cleanAttached removes drives whose process was killed, and returns how many
// there were.
func cleanAttached() (int, error) {
	alive := func(name string) bool {
		conn, err := net.Dial("unix", filepath.Join(attachDir, name))
		if err == nil {
			conn.Close()
		}
		return err == nil
	}
	paths, err := filepath.Glob(filepath.Join(attachDir, "drive*"))
	if err != nil {
		return 0, err
	}
	for _, p := range paths {
		if !alive(filepath.Base(p)) {
			os.Remove(p)
		}
	}
	n := 0
	for _, name := range tcmu.Names() {
		if alive(name) {
			continue
		}
		if err := errors.Join(tcmu.Abandon(name), tcmu.Remove(name)); err != nil {
			return n, fmt.Errorf("what is left of a killed spindle cannot be removed: %w", err)
		}
		n++
	}
	return n, nil
}
