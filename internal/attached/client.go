package attached

import (
	"encoding/json"
	"fmt"
	"net"
	"path/filepath"
	"time"
)

// A Drive is one that another process serves.
type Drive struct {
	Status
	path string
}

// Find returns the served drive with this device name, which may be a link such as
// /dev/cdrom; with an empty name, the only one that is served. The error wraps
// [ErrNone] or is an [*AmbiguousError].
func (f Folder) Find(device string) (*Drive, error) {
	all, err := f.drives()
	if err != nil {
		return nil, err
	}
	if device == "" {
		return only(all)
	}
	name := device
	if target, err := filepath.EvalSymlinks(device); err == nil {
		name = target
	}
	for _, d := range all {
		if d.Device == name {
			return d, nil
		}
	}
	return nil, fmt.Errorf("%s: %w", device, ErrNone)
}

func only(all []*Drive) (*Drive, error) {
	switch len(all) {
	case 0:
		return nil, ErrNone
	case 1:
		return all[0], nil
	}
	e := new(AmbiguousError)
	for _, d := range all {
		e.Devices = append(e.Devices, d.Device)
	}
	return nil, e
}

// drives lists the drives whose processes answer.
func (f Folder) drives() ([]*Drive, error) {
	paths, err := f.sockets()
	if err != nil {
		return nil, err
	}
	var all []*Drive
	for _, p := range paths {
		d := &Drive{path: p}
		if d.ask(request{Do: doStatus}) == nil {
			all = append(all, d)
		}
	}
	return all, nil
}

// Load puts another disc into the drive: spec, whose relative names are relative to
// dir. An error of the other process is a [*RefusedError].
func (d *Drive) Load(spec, dir string) error {
	return d.ask(request{Do: doLoad, Spec: spec, Dir: dir})
}

// Detach ends the drive and returns when it is gone.
func (d *Drive) Detach() error { return d.ask(request{Do: doDetach}) }

// ask sends a request and waits for the answer.
func (d *Drive) ask(q request) error {
	conn, err := net.Dial("unix", d.path)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNoAnswer, err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(limit)); err != nil {
		return err
	}
	if err := json.NewEncoder(conn).Encode(q); err != nil {
		return fmt.Errorf("%w: %w", ErrNoAnswer, err)
	}
	var r reply
	if err := json.NewDecoder(conn).Decode(&r); err != nil {
		return fmt.Errorf("%w: %w", ErrNoAnswer, err)
	}
	d.Status = r.Status
	if r.Error != "" {
		return &RefusedError{r.Error}
	}
	return nil
}
