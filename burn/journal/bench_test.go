package journal

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"spindle/burn"
	"spindle/disc"
	"spindle/scsi"
	"spindle/scsi/mmc"
	"spindle/scsi/sim"
)

// A stopwatch measures how long the host lets a drive wait between two WRITEs.
type stopwatch struct {
	scsi.Device
	last    time.Time // when a WRITE ended
	longest time.Duration
	writes  int
}

func (s *stopwatch) Execute(ctx context.Context, c *scsi.Command) (int, error) {
	write := scsi.Opcode(c.CDB[0]) == scsi.OpWrite10
	if !write {
		// The time of other commands counts as the drive's: of a pause, only the host's.
		begin := time.Now()
		defer func() {
			if !s.last.IsZero() {
				s.last = s.last.Add(time.Since(begin))
			}
		}()
		return s.Device.Execute(ctx, c)
	}
	if !s.last.IsZero() {
		s.longest = max(s.longest, time.Since(s.last))
	}
	n, err := s.Device.Execute(ctx, c)
	s.last = time.Now()
	s.writes++
	return n, err
}

// hammer writes and syncs files in a folder until it is told to stop.
func hammer(b *testing.B, dir string, stop *atomic.Bool) {
	p := bytes.Repeat([]byte("hammer"), 1<<19)
	f, err := os.Create(filepath.Join(dir, "hammer"))
	if err != nil {
		b.Error(err)
		return
	}
	defer f.Close()
	for n := int64(0); !stop.Load(); n++ {
		if _, err := f.WriteAt(p, n%64*int64(len(p))); err != nil {
			b.Error(err)
			return
		}
		if err := f.Sync(); err != nil {
			b.Error(err)
			return
		}
	}
}

// BenchmarkPause burns an image from a disk at the pace of a drive, with a journal on the
// same disk, while others write to it and sync hard. What counts is the longest pause that
// the host makes between two WRITEs: a recorder's buffer lasts for 60 to 240 ms.
func BenchmarkPause(b *testing.B) {
	b.Run("quiet", func(b *testing.B) { benchmarkPause(b, 0) })
	b.Run("synced", func(b *testing.B) { benchmarkPause(b, 2) })
}

func benchmarkPause(b *testing.B, hammers int) {
	const sectors = 100000
	dir := b.TempDir()
	path := filepath.Join(dir, "image.iso")
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	for range sectors / 50 {
		if _, err := f.Write(bytes.Repeat([]byte{1, 2, 3, 4}, 50*512)); err != nil {
			b.Fatal(err)
		}
	}
	l := &disc.Layout{Medium: disc.DVD, Sessions: []disc.Session{{Number: 1, LeadOut: sectors, Tracks: []disc.Track{
		{Number: 1, Mode: disc.Mode1, Control: disc.DataTrack, End: sectors}}}}}
	img, err := disc.NewExtentImage(l, []disc.Extent{{Count: sectors, Source: f, Form: disc.FormBlock}})
	if err != nil {
		b.Fatal(err)
	}
	var stop atomic.Bool
	ended := make(chan struct{}, hammers)
	for i := range hammers {
		sub := filepath.Join(dir, string(rune('a'+i)))
		if err := os.Mkdir(sub, 0o777); err != nil {
			b.Fatal(err)
		}
		go func() { hammer(b, sub, &stop); ended <- struct{}{} }()
	}
	defer func() {
		stop.Store(true)
		for range hammers {
			<-ended
		}
	}()
	longest := time.Duration(0)
	for b.Loop() {
		r, err := sim.NewRecordable("dvd+r", 0, sim.NewMemory(), nil)
		if err != nil {
			b.Fatal(err)
		}
		const pace = 4 // so that it ends within some 20 s
		dev := &stopwatch{Device: sim.New(sim.Config{Disc: r, Speed: 4, Pace: pace, HostTime: true})}
		d := mmc.New(dev)
		ctx := context.Background()
		m, err := burn.Survey(ctx, d)
		if err != nil {
			b.Fatal(err)
		}
		src := burn.ImageSource("", img)
		plan, err := burn.MakePlan(context.Background(), m, src, burn.Options{})
		if err != nil {
			b.Fatal(err)
		}
		w, err := CreateIn(dir, Begin{Image: Identity{Path: path}, Plan: plan, Device: "/dev/sr0"})
		if err != nil {
			b.Fatal(err)
		}
		if res := burn.Run(ctx, src, &burn.Job{Drive: d, Medium: m, Plan: plan, Log: w})[0]; res.Err != nil {
			b.Fatal(res.Err)
		}
		if err := w.Close(); err != nil {
			b.Fatal(err)
		}
		longest = max(longest, dev.longest)
	}
	b.ReportMetric(float64(longest)/float64(time.Millisecond), "ms-longest-pause")
}
