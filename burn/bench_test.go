package burn

import (
	"context"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"spindle/disc"
	"spindle/image/imagetest"
	"spindle/scsi/mmc"
	"spindle/scsi/sim"
)

// nowhere keeps nothing.
type nowhere struct{}

func (nowhere) ReadAt(p []byte, _ int64) (int, error)  { clear(p); return len(p), nil }
func (nowhere) WriteAt(p []byte, _ int64) (int, error) { return len(p), nil }
func (nowhere) Truncate(int64) error                   { return nil }

// stalling is an image that stands still once, at a sector.
func stalling(img disc.Image, at disc.LBA, stall time.Duration) disc.Image {
	var done atomic.Bool
	return &imagetest.Tapped{Image: img, Before: func(first disc.LBA, _ int) {
		if first >= at && done.CompareAndSwap(false, true) {
			time.Sleep(stall)
		}
	}}
}

// constant is an endless file without any cost.
type constant struct{}

func (constant) ReadAt(p []byte, _ int64) (int, error) { return len(p), nil }

func benchmarkBurn(b *testing.B, media string, speed, sectors int, hostTime bool, stall time.Duration) {
	medium, _ := sim.MediumOf(media)
	form := disc.FormBlock
	if medium == disc.CD {
		form = disc.FormMode1
	}
	l := &disc.Layout{Medium: medium, Sessions: []disc.Session{{Number: 1, LeadOut: disc.LBA(sectors), Tracks: []disc.Track{
		{Number: 1, Mode: disc.Mode1, Control: disc.DataTrack, End: disc.LBA(sectors)}}}}}
	img, err := disc.NewExtentImage(l, []disc.Extent{{Count: sectors, Source: constant{}, Form: form}})
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(sectors) * 2048)
	b.ReportAllocs()
	underruns := 0
	for b.Loop() {
		r, err := sim.NewRecordable(media, 0, nowhere{}, nil)
		if err != nil {
			b.Fatal(err)
		}
		drive := sim.New(sim.Config{Disc: r, Speed: speed, HostTime: hostTime})
		d := mmc.New(drive)
		ctx := context.Background()
		m, err := Survey(ctx, d)
		if err != nil {
			b.Fatal(err)
		}
		src := ImageSource("", stalling(img, disc.LBA(sectors/2), stall))
		plan, err := MakePlan(context.Background(), m, src, Options{})
		if err != nil {
			b.Fatal(err)
		}
		if res := Run(ctx, src, &Job{Drive: d, Medium: m, Plan: plan})[0]; res.Err != nil {
			b.Fatal(res.Err)
		}
		underruns += drive.Stats().Underruns
	}
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	b.ReportMetric(float64(mem.Sys)/(1<<20), "MiB")
	b.ReportMetric(float64(underruns)/float64(b.N), "pauses/op")
}

func BenchmarkBurn(b *testing.B) {
	for _, media := range []string{"cd-r", "dvd+r", "bd-r"} {
		b.Run(media, func(b *testing.B) { benchmarkBurn(b, media, 0, 200000, false, 0) })
	}
}

// BenchmarkStall lets the source stand still for two seconds at the highest speed
// of a BD-R. The drive pauses when its buffer and the ring are empty; the burn goes
// on.
func BenchmarkStall(b *testing.B) {
	benchmarkBurn(b, "bd-r", 16, 100000, true, 2*time.Second)
}
