package main

import (
	"fmt"
	"time"

	"spindle/rip"

	"github.com/cheggaaa/pb/v3"
)

// lineEvery is how often progress is told where there is no terminal.
const lineEvery = 5 * time.Second

// progressEvent is progress in JSON.
type progressEvent struct {
	Event string  `json:"event"` // progress
	Phase string  `json:"phase"`
	Pass  int     `json:"pass,omitempty"`
	Done  int64   `json:"done"` // bytes
	Total int64   `json:"total"`
	Bad   int64   `json:"bad"` // bytes
	LBA   int     `json:"lba"`
	Speed float64 `json:"speed"` // bytes a second
}

// ripProgress shows how a rip goes: as a bar on a terminal, else as a line now
// and then.
type ripProgress struct {
	a    *app
	bar  *pb.ProgressBar
	last time.Time // of the last line
	rate meter
	now  rip.Progress
}

// barTemplate is the bar: what, how far, how fast, how long still.
const barTemplate = `{{ string . "phase" }} {{ bar . "[" "=" ">" " " "]" }} {{ percent . }} {{ string . "rest" }}`

func (a *app) newRipProgress() *ripProgress {
	return &ripProgress{a: a, last: time.Now()}
}

// Note implements rip.Observer.
func (p *ripProgress) Note(text string) {
	if p.bar != nil {
		p.stop()
	}
	p.a.note(text)
}

// Progress implements rip.Observer.
func (p *ripProgress) Progress(now rip.Progress) {
	if now.Phase == rip.Surveying && !p.a.quiet && !p.a.json && isTerminal(p.a.stderr) {
		fmt.Fprintln(p.a.stderr, "Looking at the disc: tracks, pregaps, indexes...")
	}
	changed := now.Phase != p.now.Phase || now.Pass != p.now.Pass
	p.now = now
	p.rate.add(now.Sectors, now.Speed)
	switch {
	case p.a.quiet:
	case p.a.json:
		if changed || time.Since(p.last) >= time.Second {
			p.last = time.Now()
			p.a.emit(progressEvent{"progress", string(now.Phase), now.Pass, now.Done, now.Total, now.Bad,
				int(now.LBA), p.rate.value()})
		}
	case isTerminal(p.a.stderr):
		p.draw()
	case now.Total > 0 && time.Since(p.last) >= lineEvery:
		p.last = time.Now()
		fmt.Fprintf(p.a.stderr, "%s %d%%, %s%s%s\n", p.phase(), percent(now), p.speed(), p.left(), p.bad())
	}
}

func percent(p rip.Progress) int64 {
	if p.Total == 0 {
		return 0
	}
	return p.Done * 100 / p.Total
}

func (p *ripProgress) draw() {
	if p.now.Total == 0 {
		return
	}
	if p.bar == nil {
		p.bar = pb.New64(p.now.Total).SetWriter(p.a.stderr).SetTemplateString(barTemplate).
			SetRefreshRate(250 * time.Millisecond)
		p.bar.Start()
	}
	p.bar.SetCurrent(p.now.Done).Set("phase", p.phase()).Set("rest", p.speed()+p.left()+p.bad())
}

// stop takes the bar away from under what is printed next.
func (p *ripProgress) stop() {
	if p.bar != nil {
		p.bar.Finish()
		p.bar = nil
	}
}

func (p *ripProgress) phase() string {
	if p.now.Pass > 1 || p.now.Phase == rip.Retrying {
		return fmt.Sprintf("%s (%d)", p.now.Phase, p.now.Pass)
	}
	return string(p.now.Phase)
}

// speed gives "12.3x 1.8 MB/s".
func (p *ripProgress) speed() string {
	v := p.rate.value()
	if v <= 0 || p.now.OneX <= 0 {
		return ""
	}
	return fmt.Sprintf("%.1fx %.1f MB/s", v/p.now.OneX, v/1e6)
}

// left gives the time to go, where reading goes straight on.
func (p *ripProgress) left() string {
	v := p.rate.value()
	if v <= 0 || p.now.Phase != rip.Copying || p.now.Done >= p.now.Total {
		return ""
	}
	d := time.Duration(float64(p.now.Total-p.now.Done) / v * float64(time.Second))
	return fmt.Sprintf(", %s to go", d.Round(time.Second))
}

func (p *ripProgress) bad() string {
	if p.now.Bad == 0 {
		return ""
	}
	return fmt.Sprintf(", %s not read yet", megabytes(p.now.Bad))
}

// meter averages the speed over the last commands.
type meter struct{ average float64 }

func (m *meter) add(sectors int, speed float64) {
	const weight = 0.05
	switch {
	case sectors == 0:
	case m.average == 0:
		m.average = speed
	default:
		m.average += (speed - m.average) * weight
	}
}

func (m *meter) value() float64 { return m.average }
