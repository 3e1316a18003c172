// Package diskspace asks how much room there is for files.
package diskspace

import "errors"

// ErrUnknown is returned where the system does not say.
var ErrUnknown = errors.New("the free space is unknown")
