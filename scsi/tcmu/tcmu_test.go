package tcmu

import (
	"testing"
	"time"
)

// No time-out that can be asked for is the kernel's 0, with which it waits for ever.
func TestCommandTimeout(t *testing.T) {
	for limit, want := range map[time.Duration]string{
		0: "600", time.Hour: "3600", time.Millisecond: "1", -time.Second: "1", 90*time.Second + 1: "90",
	} {
		if got := (&Options{CommandTimeout: limit}).seconds(); got != want {
			t.Errorf("%v: %s seconds, want %s", limit, got, want)
		}
	}
}
