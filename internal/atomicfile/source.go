package atomicfile

import (
	"errors"
	"fmt"
	"os"
)

// ErrSource means that a file to be made would replace one that it is made of.
var ErrSource = errors.New("is a file that is read for it")

// KeepSources makes sure that none of the files to be made is one of the sources, by
// whatever name: also through symbolic and hard links. The error wraps [ErrSource].
func KeepSources(made, sources []string) error {
	for _, m := range made {
		a, err := os.Stat(m)
		if err != nil {
			continue // nothing stands there
		}
		for _, s := range sources {
			if b, err := os.Stat(s); err == nil && os.SameFile(a, b) {
				return fmt.Errorf("%s %w", m, ErrSource)
			}
		}
	}
	return nil
}
