package atomicfile

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
)

// asideSuffix is how names end under which files are kept. What a process that was killed left of them
// is not removed: it may be all that there is.
const asideSuffix = ".spindle-old"

// Aside is a file that several new ones together are to replace, under another name: where one of
// them cannot get its own, all that stood there before comes back.
type Aside struct{ path, kept string }

// SetAside keeps what stands at a path, which stays there too where the file system has hard links.
// It is nil where nothing stands there that a file could replace.
func SetAside(path string) (*Aside, error) { return setAside(path, os.Link) }

func setAside(path string, link func(from, to string) error) (*Aside, error) {
	st, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && st.IsDir() {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	a := &Aside{path, withRandom(path, rand.Text(), asideSuffix)}
	if link(path, a.kept) == nil {
		return a, nil
	}
	if err := os.Rename(path, a.kept); err != nil {
		return nil, err
	}
	return a, nil
}

// Restore puts the file back, in place of what stands there now.
func (a *Aside) Restore() error {
	if a == nil {
		return nil
	}
	// Where both names are still those of one file, renaming does nothing.
	return errors.Join(os.Rename(a.kept, a.path), a.Forget())
}

// Forget removes what was kept.
func (a *Aside) Forget() error {
	if a == nil {
		return nil
	}
	if err := os.Remove(a.kept); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
