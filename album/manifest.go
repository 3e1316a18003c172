package album

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"spindle/image/format"
	"spindle/internal/atomicfile"
	"spindle/internal/regular"
)

// ErrManifest is what errors about a list of made files wrap.
var ErrManifest = errors.New("the list of files that were made cannot be read")

// A ChangedError names a file that is no longer as it was made.
type ChangedError struct{ Path string }

// Error implements error.
func (e *ChangedError) Error() string { return e.Path + " was changed since it was made" }

const (
	manifestVersion = 1
	mostManifest    = 1 << 20 // bytes
)

// manifest lists the files that were made of a disc that was not read whole. A later run
// replaces them, when nobody has changed them.
type manifest struct {
	Version int         `json:"version"`
	Files   []manifest1 `json:"files"`
}

type manifest1 struct {
	Name   string `json:"name"` // in the folder
	SHA256 string `json:"sha256"`
}

// Remember writes down which files of a folder were made, for [Remembered].
func Remember(path string, files []string) error { return RememberPending(path, nil, files) }

// RememberPending is Remember for files that are about to get their names, so that a run that is killed
// before it has done all knows them; files are those of earlier runs, which may have some of the names yet.
func RememberPending(path string, pending []format.Pending, files []string) error {
	m := manifest{Version: manifestVersion}
	for _, f := range files {
		pending = append(pending, format.Pending{Temp: f, Path: f})
	}
	for _, f := range pending {
		sum, err := hashFile(f.Temp)
		if err != nil {
			return err
		}
		m.Files = append(m.Files, manifest1{filepath.Base(f.Path), sum})
	}
	b, err := json.Marshal(m)
	if err != nil {
		return err
	}
	return atomicfile.WriteBytes(path, b)
}

// Remembered returns the paths of the files of a folder that an earlier run made, and that
// are as they were made; those that are gone are left out. Without a list there are none. A
// file that was changed is a [*ChangedError]; errors about the list wrap [ErrManifest].
func Remembered(path, dir string) ([]string, error) {
	f, err := regular.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var m manifest
	b, err := io.ReadAll(io.LimitReader(f, mostManifest))
	if err == nil {
		err = json.Unmarshal(b, &m)
	}
	if err != nil || m.Version != manifestVersion {
		return nil, fmt.Errorf("%w: %s", ErrManifest, path)
	}
	var files, names []string
	made := make(map[string][]string) // the sums that a file may have
	for _, x := range m.Files {
		if x.Name != filepath.Base(x.Name) || x.Name == "." || x.Name == ".." {
			return nil, fmt.Errorf("%w: %s names %q", ErrManifest, path, x.Name)
		}
		if made[x.Name] == nil {
			names = append(names, x.Name)
		}
		made[x.Name] = append(made[x.Name], x.SHA256)
	}
	for _, name := range names {
		file := filepath.Join(dir, name)
		sum, err := hashFile(file)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil:
			return nil, err
		case !slices.Contains(made[name], sum):
			return nil, &ChangedError{file}
		}
		files = append(files, file)
	}
	return files, nil
}

func hashFile(path string) (string, error) {
	if st, err := os.Lstat(path); err != nil || !st.Mode().IsRegular() {
		return "", errors.Join(err, regular.Check(path))
	}
	f, err := regular.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
