package main

import (
	"testing"
	"time"

	"spindle/rip"
)

// Around damage the line says where, how far, how long, and how long still; the speed of
// before is no news there, nor while hashing.
func TestDamageProgress(t *testing.T) {
	p := &ripProgress{at: rip.Progress{Phase: rip.Trimming, LBA: 1043, Speed: 1e6, OneX: 176400, Bad: 2048 * 267,
		Damage: &rip.Damage{Tried: 12, Of: 279, Elapsed: 250 * time.Second, ToGo: 25 * time.Minute}}}
	p.rate.add(1, 1e6)
	if got, want := p.rest(), "sector 1043, 12 of 279 tried, 4m10s so far, about 25m0s to go"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	p.at = rip.Progress{Phase: rip.Hashing, OneX: 176400}
	if got := p.rest(); got != "" {
		t.Errorf("hashing: %q", got)
	}
}
