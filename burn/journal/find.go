package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"spindle/burn"
)

// UserDir is where the journals of the user are: in the folder spindle below the
// user's state folder, as XDG_STATE_HOME names it (XDG Base Directory
// Specification), or else ~/.local/state.
func UserDir() (string, error) {
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "spindle"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(home, ".local", "state", "spindle"), nil
}

// Device is the name of a drive as a journal keeps it: that of a simulated one holds
// whatever the current folder is.
func Device(name string) string {
	if file, ok := strings.CutPrefix(name, "sim:"); ok {
		if abs, err := filepath.Abs(file); err == nil {
			return "sim:" + abs
		}
	}
	return name
}

// On reports whether a burn was one in a drive, by the name of that.
func (j *Journal) On(device string) bool { return sameDevice(j.Device, device) }

// sameDevice reports whether two names are of one drive. Of a simulated one the file
// of its disc counts, without its options.
func sameDevice(a, b string) bool {
	plain := func(name string) string {
		if strings.HasPrefix(name, "sim:") {
			name, _, _ = strings.Cut(name, "?")
		}
		return Device(name)
	}
	return plain(a) == plain(b)
}

// Failures lists the burns in a folder that failed or were interrupted, the last
// one first. Burns that were resumed later do not count, nor do simulations, nor what
// came through a pipe, which cannot be read again. Damaged
// are the journals that cannot be read: it is not known how their burns ended.
func Failures(dir string) (failed []*Journal, damaged []error, err error) {
	all, damaged, err := readAll(dir)
	settled := settled(all)
	for _, j := range all {
		if j.Done || j.Plan.Simulate || j.Image.Path == "-" || settled[filepath.Base(j.Path)] {
			continue
		}
		j.Later = slices.ContainsFunc(all, j.before)
		failed = append(failed, j)
	}
	slices.SortFunc(failed, func(a, b *Journal) int { return b.Time.Compare(a.Time) })
	return failed, damaged, err
}

// readAll reads the journals of a folder.
func readAll(dir string) (all []*Journal, damaged []error, err error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), Suffix) {
			continue
		}
		j, err := Read(filepath.Join(dir, e.Name()))
		if err != nil {
			damaged = append(damaged, err)
			continue
		}
		all = append(all, j)
	}
	return all, damaged, nil
}

// settled lists, by the names of their files, the burns of which nothing is left to do: those
// that were resumed well, and those whose disc another attempt has taken over. An attempt that
// failed on another disc leaves one that can be continued as it is.
func settled(all []*Journal) map[string]bool {
	byName := make(map[string]*Journal, len(all))
	for _, j := range all {
		byName[filepath.Base(j.Path)] = j
	}
	done := make(map[string]bool)
	for _, j := range all {
		again := j
		for range all {
			name := filepath.Base(again.Retry)
			was := byName[name]
			if was == nil || !j.Done && was.continuable() && again.afresh() {
				break
			}
			done[name], again = true, was
		}
	}
	return done
}

// continuable reports whether a disc that is written once may hold a part of a burn which can
// be continued there.
func (j *Journal) continuable() bool {
	once := j.Plan.Mode == burn.Sequential || j.Plan.Mode == burn.Incremental
	return once && j.At.LBA > j.Plan.Start
}

// afresh reports whether a burn begins with the first sector of its image.
func (j *Journal) afresh() bool {
	return slices.ContainsFunc(j.Plan.Steps, func(s burn.Step) bool {
		w, ok := s.(burn.WriteStep)
		return ok && w.LBA == j.Plan.Start
	})
}

// before reports whether a later burn succeeded, on a disc of the same make.
func (j *Journal) before(later *Journal) bool {
	return later.Done && !later.Plan.Simulate && later.Time.After(j.Time) && later.Profile == j.Profile && later.MediumID == j.MediumID
}

// Find finds the journal that is meant by a name: a number in the list of
// [Failures], from 1 on, or a file. Without a name it is that of the last failure in
// the drive device, if there is one, or else of the last failure. The error wraps
// [ErrNone] if there is no such burn. Damaged is as of [Failures].
func Find(dir, name, device string) (j *Journal, damaged []error, err error) {
	n := 1
	if name != "" {
		if n, err = strconv.Atoi(name); err != nil {
			if j, err = Read(name); err != nil {
				return nil, nil, err
			}
			all, damaged, _ := readAll(dir)
			j.Later = slices.ContainsFunc(all, j.before)
			return j, damaged, nil
		}
	}
	failed, damaged, err := Failures(dir)
	if err != nil {
		return nil, nil, err
	}
	if n < 1 || n > len(failed) {
		if name != "" {
			return nil, damaged, fmt.Errorf("%w with number %d", ErrNone, n)
		}
		return nil, damaged, ErrNone
	}
	if name == "" && device != "" {
		for _, j := range failed {
			if j.On(device) {
				return j, damaged, nil
			}
		}
	}
	return failed[n-1], damaged, nil
}
