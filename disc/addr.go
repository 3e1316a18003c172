package disc

import "spindle/addr"

// LBA is a sector's address; see [addr.LBA].
type LBA = addr.LBA

// MSF is a time in minutes, seconds and frames; see [addr.MSF].
type MSF = addr.MSF

// FramesPerSecond is the number of CD sectors in one second of playing time.
const FramesPerSecond = addr.FramesPerSecond
