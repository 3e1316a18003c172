package rip

import (
	"context"
	"path/filepath"
	"runtime"
	"testing"

	"spindle/disc"
	"spindle/scsi/mmc"
	"spindle/scsi/sim"
)

// content is an endless file of bytes that do not compress, made quickly.
type content struct{ block [1 << 16]byte }

func newContent() *content {
	c := new(content)
	x := uint32(1)
	for i := range c.block {
		x = x*1664525 + 1013904223
		c.block[i] = byte(x >> 24)
	}
	return c
}

func (c *content) ReadAt(p []byte, off int64) (int, error) {
	n := 0
	for n < len(p) {
		n += copy(p[n:], c.block[(off+int64(n))%int64(len(c.block)):])
	}
	return n, nil
}

// pressed makes a disc of one track.
func pressed(b *testing.B, m disc.Medium, mode disc.Mode, sectors int) disc.Image {
	b.Helper()
	ctl := disc.Control(0)
	form := disc.FormBlock
	switch {
	case mode.IsData():
		ctl = disc.DataTrack
		if m == disc.CD {
			form = disc.FormMode1
		}
	default:
		form = disc.FormRaw
	}
	l := &disc.Layout{Medium: m, Sessions: []disc.Session{{Number: 1, LeadOut: disc.LBA(sectors), Tracks: []disc.Track{
		{Number: 1, Mode: mode, Control: ctl, End: disc.LBA(sectors)}}}}}
	img, err := disc.NewExtentImage(l, []disc.Extent{{Count: sectors, Source: newContent(), Form: form}})
	if err != nil {
		b.Fatal(err)
	}
	return img
}

// A whole rip: checking, hashing with four hashes, writing, the map. The drive
// costs no time but that of making its answers. Besides the throughput, it says
// how many commands 1,000 sectors take, and which share of the simulated time
// the drive stood still because the host did not ask (real time between two
// commands counts as simulated time).
func BenchmarkRip(b *testing.B) {
	for _, test := range []struct {
		name    string
		medium  disc.Medium
		mode    disc.Mode
		sectors int
		format  Format
		out     string
	}{
		{"CD-audio-52x", disc.CD, disc.Audio, 100000, CueBin, "x.cue"},
		{"CD-data-52x", disc.CD, disc.Mode1, 100000, CueBin, "x.cue"},
		{"DVD-16x", disc.DVD, disc.Mode1, 200000, ISO, "x.iso"},
	} {
		b.Run(test.name, func(b *testing.B) {
			img := pressed(b, test.medium, test.mode, test.sectors)
			b.SetBytes(int64(test.sectors * test.medium.SectorSize()))
			var before, after runtime.MemStats
			var stats sim.Stats
			runtime.ReadMemStats(&before)
			n := 0
			for b.Loop() {
				d := sim.New(sim.Config{Image: img, HostTime: true})
				out := filepath.Join(b.TempDir(), test.out)
				res, err := Rip(context.Background(), mmc.New(d), Options{Output: out, Format: test.format, Force: true})
				if err != nil || len(res.Bad) > 0 {
					b.Fatal(res, err)
				}
				stats = d.Stats()
				n++
			}
			runtime.ReadMemStats(&after)
			b.ReportMetric(float64(after.Mallocs-before.Mallocs)/float64(n*test.sectors), "allocs/sector")
			b.ReportMetric(1000*float64(stats.ReadCommands)/float64(test.sectors), "cmds/1000sectors")
			b.ReportMetric(100*stats.HostWait.Seconds()/stats.Elapsed.Seconds(), "%host-wait")
		})
	}
}
