// Package discfile keeps the disc of a simulated recorder in an ordinary image:
// a .cue with its .bin for a CD, an .iso for a DVD or BD. A file beside it, whose
// name ends in .state, says what an image cannot: that the disc is blank, or its
// session open, or that a burn spoiled it.
package discfile

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"spindle/internal/regular"

	"spindle/cue"
	"spindle/disc"
	"spindle/internal/atomicfile"
	"spindle/scsi/sim"
)

// Errors of [Open].
var (
	// ErrInUse: another drive has the disc.
	ErrInUse = errors.New("another simulated drive has this disc")
	// ErrState: the state file cannot be used.
	ErrState = errors.New("the state of the disc cannot be used")
	// ErrName: the file cannot hold a disc of this kind.
	ErrName = errors.New("the name does not fit the disc")
	// ErrNoDisc: there is no disc that was made here.
	ErrNoDisc = errors.New("no disc of a simulated recorder")
	// ErrInTheWay: a file is there that is not the disc's.
	ErrInTheWay = errors.New("is in the way of a new disc")
)

// stateSuffix is that of the state file.
const stateSuffix = ".state"

// Exists reports whether path is a disc that a simulated recorder has made.
func Exists(path string) bool {
	_, err := os.Stat(path + stateSuffix)
	return err == nil
}

// Open opens the disc that the image file path holds, or makes a blank one of
// the kind media ([sim.MediaNames]) with capacity sectors, or as many as are
// usual. An empty media is that of the disc which is there.
func Open(path, media string, capacity int) (*sim.Recordable, error) {
	for _, p := range []string{path + stateSuffix, dataFile(path, media)} {
		if err := regular.Check(p); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	b, err := os.ReadFile(path + stateSuffix)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if media == "" {
			return nil, fmt.Errorf("%s: %w", path, ErrNoDisc)
		}
		return create(path, media, capacity)
	case err != nil:
		return nil, err
	}
	var st sim.State
	if err := json.Unmarshal(b, &st); err != nil {
		return nil, fmt.Errorf("%s: %w: %w", path+stateSuffix, ErrState, err)
	}
	if media != "" && media != st.Media && media+st.Media != "dvd-rwdvd-rw-ro" && media+st.Media != "dvd-rw-rodvd-rw" {
		return nil, fmt.Errorf("%s: %w: it is a %s, not a %s", path, ErrState, st.Media, media)
	}
	f, err := openData(path, st.Media, os.O_RDWR)
	if err != nil {
		return nil, err
	}
	r, err := sim.OpenRecordable(st, f, saver(path, st.Media))
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w: %w", path+stateSuffix, ErrState, err)
	}
	return r, nil
}

// create makes a blank disc.
func create(path, media string, capacity int) (*sim.Recordable, error) {
	if m, ok := sim.MediumOf(media); !ok || !sim.CanWrite(media) {
		return nil, fmt.Errorf("%w: a %s cannot be written", ErrName, media)
	} else if (m == disc.CD) != strings.EqualFold(filepath.Ext(path), ".cue") {
		if m == disc.CD {
			return nil, fmt.Errorf("%s: %w: that of a CD ends in .cue", path, ErrName)
		}
		return nil, fmt.Errorf("%s: %w: that of a %s ends in .iso", path, ErrName, m)
	}
	for _, p := range []string{path, dataFile(path, media)} {
		if _, err := os.Lstat(p); err == nil {
			return nil, fmt.Errorf("%s %w", p, ErrInTheWay)
		}
	}
	f, err := openData(path, media, os.O_RDWR|os.O_CREATE|os.O_EXCL)
	if err != nil {
		return nil, err
	}
	save := saver(path, media)
	r, err := sim.NewRecordable(media, capacity, f, save)
	if err == nil {
		err = save(r.State(), nil)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close(), os.Remove(f.Name()))
	}
	return r, nil
}

// dataFile is the file that holds the sectors.
func dataFile(path, media string) string {
	if m, _ := sim.MediumOf(media); m == disc.CD {
		return strings.TrimSuffix(path, filepath.Ext(path)) + ".bin"
	}
	return path
}

func openData(path, media string, flags int) (*os.File, error) {
	f, err := os.OpenFile(dataFile(path, media), flags, 0o666)
	if err != nil {
		return nil, err
	}
	if err := lock(f); err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return f, nil
}

// saver returns the function that keeps each new state of a disc.
func saver(path, media string) func(sim.State, *disc.Layout) error {
	cd := dataFile(path, media) != path
	return func(st sim.State, l *disc.Layout) error {
		b, err := json.MarshalIndent(st, "", " ")
		if err != nil {
			return err
		}
		if err := atomicfile.WriteBytes(path+stateSuffix, append(b, '\n')); err != nil || !cd {
			return err
		}
		return saveSheet(path, dataFile(path, media), l)
	}
}

// saveSheet keeps the CUE sheet of a CD in step with its sessions.
func saveSheet(path, bin string, l *disc.Layout) error {
	cdt := strings.TrimSuffix(bin, ".bin") + ".cdt"
	if l == nil {
		for _, p := range []string{path, cdt} {
			if err := os.Remove(p); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
		return nil
	}
	for _, x := range cue.NewSet(path, l, false).Texts() {
		if err := atomicfile.WriteBytes(x.Path, x.Data); err != nil {
			return err
		}
	}
	return nil
}
