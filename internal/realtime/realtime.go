// Package realtime keeps the threads that feed a recorder, and their buffers,
// ahead of everything else on the machine. Where the system has no such means or
// the user lacks permission, its functions do nothing.
package realtime
