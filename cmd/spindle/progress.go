package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"spindle/burn"
	"spindle/disc"
	"spindle/rip"

	"github.com/cheggaaa/pb/v3"
)

const (
	lineEvery  = 5 * time.Second // where there is no terminal
	eventEvery = time.Second     // with --json
)

// How often the screen is drawn: so many times in each of these. Before work that may take long it
// says what that is.
const (
	redraw      = 250 * time.Millisecond
	mostRedraws = 3
)

// A stage is how far work has come.
type stage struct {
	phase       string // for a person; a new one begins a new bar
	done, total int64
	rest        string // speed, time to go, and the like
	event       any    // the JSON form; nil for none
	quick       bool   // takes seconds: worth a bar, but no lines in a log
}

// progress shows how far work has come: as a bar on a terminal, as a line now and
// then where there is none, as JSON objects, or not at all.
type progress struct {
	c     *console
	now   func() time.Time
	last  time.Time // when a line or an object was written
	stage stage     // that is on the screen; without a total: none
	// above are lines that stand on the screen above the bar, for a width and a height; nil: none.
	above func(width, height int) []string

	window time.Time // when the screen was drawn first of so many
	drawn  int       // times since then
}

func (c *console) newProgress() *progress { return &progress{c: c, now: time.Now, last: time.Now()} }

// show shows a stage.
func (p *progress) show(s stage) {
	changed := s.phase != p.stage.phase
	switch {
	case p.c.quiet:
	case p.c.json:
		if s.event != nil && (changed || p.now().Sub(p.last) >= eventEvery) {
			p.last = p.now()
			p.c.emit(s.event)
		}
		p.stage = s
	case s.total <= 0:
	case p.c.screen != nil:
		if changed && p.stage.total > 0 { // the bar of the stage before stays
			width, _ := p.c.screen.Size()
			p.stage.rest = ""
			p.c.screen.Keep(barLines(p.stage, width, false))
		}
		p.stage = s
		if changed || p.due() {
			p.c.screen.Draw(p.frame())
		}
	case !s.quick && p.now().Sub(p.last) >= lineEvery:
		p.last = p.now()
		line := fmt.Sprintf("%s %d%%", s.phase, percent(s.done, s.total))
		if s.rest != "" {
			line += ", " + s.rest
		}
		fmt.Fprintln(p.c.stderr, line)
	}
}

// due reports whether the screen is to be drawn now.
func (p *progress) due() bool {
	if t := p.now(); t.Sub(p.window) >= redraw {
		p.window, p.drawn = t, 0
	}
	p.drawn++
	return p.drawn <= mostRedraws
}

// frame is what is drawn.
func (p *progress) frame() []string {
	width, height := p.c.screen.Size()
	var lines []string
	if p.above != nil {
		lines = p.above(width, height)
	}
	return append(lines, barLines(p.stage, width, len(lines) > 0)...)
}

// barTemplate is the bar: what, how far, and how fast or how long still, if there is room.
const barTemplate = `{{ string . "phase" }} {{ bar . "[" "=" ">" " " "]" }} {{ percent . }}{{ string . "rest" }}`

// leastBar is how many cells a bar has at least.
const leastBar = 12

// barLines draws the bar of a stage. What else there is to say stands behind it, or below where there is no
// room or that is wanted.
func barLines(s stage, width int, below bool) []string {
	bar := pb.New64(s.total).Set(pb.Static, true).SetWriter(io.Discard).SetTemplateString(barTemplate).SetWidth(width).
		SetCurrent(s.done).Set("phase", s.phase)
	if s.rest == "" || !below && len(s.phase)+len(s.rest)+leastBar+len("100.00%")+len("   ") <= width {
		if s.rest != "" {
			bar.Set("rest", " "+s.rest)
		}
		return []string{bar.String()}
	}
	return append([]string{bar.String()}, wrap(s.rest, width)...)
}

// stop leaves the bar before something else is printed.
func (p *progress) stop() {
	if p.c.screen == nil || p.c.json || p.c.quiet {
		return
	}
	if p.stage.total > 0 {
		p.c.screen.Keep(p.frame())
	}
	p.stage = stage{}
}

// note prints a note.
func (p *progress) note(text string) {
	p.c.note(text)
	p.window = time.Time{} // the bar comes back below it
}

// step begins a piece of work on files, and returns what it calls as it advances.
func (p *progress) step(name string) func(done, total int64) {
	p.stop()
	return func(done, total int64) { p.show(stage{phase: name, done: done, total: total, quick: true}) }
}

func percent(done, total int64) int64 {
	if total <= 0 {
		return 0
	}
	return done * 100 / total
}

// speedText gives "12.3x 1.8 MB/s".
func speedText(speed, oneX float64) string {
	return fmt.Sprintf("%.1fx %.1f MB/s", speed/oneX, speed/1e6)
}

// toGo gives "12s to go".
func toGo(bytes int64, speed float64) string {
	d := max(time.Second, time.Duration(float64(bytes)/speed*float64(time.Second)))
	return d.Round(time.Second).String() + " to go"
}

// ripProgressEvent is the progress of a rip in JSON.
type ripProgressEvent struct {
	Event string  `json:"event"` // progress
	Phase string  `json:"phase"`
	Pass  int     `json:"pass,omitempty"`
	Done  int64   `json:"done"` // bytes
	Total int64   `json:"total"`
	Bad   int64   `json:"bad"` // bytes
	LBA   int     `json:"lba"`
	Speed float64 `json:"speed"`           // bytes a second; 0 while working on damage
	Tried int     `json:"tried,omitempty"` // of the damaged sectors, in this phase
	Of    int     `json:"of,omitempty"`
	Took  float64 `json:"elapsed,omitempty"` // seconds of this phase
	ToGo  float64 `json:"to_go,omitempty"`   // seconds, at the pace so far
}

// ripProgress observes a rip.
type ripProgress struct {
	*progress
	at   rip.Progress
	rate meter
	live liveMap
}

func (c *console) newRipProgress() *ripProgress {
	p := &ripProgress{progress: c.newProgress()}
	p.above = func(width, height int) []string { return p.live.lines(c.page(c.stderr), p.at, width, height) }
	return p
}

// Note implements rip.Observer.
func (p *ripProgress) Note(n rip.Note) { p.note(ripNote(n)) }

// Progress implements rip.Observer.
func (p *ripProgress) Progress(now rip.Progress) {
	if now.Phase == rip.Surveying && now.Phase != p.at.Phase && isTerminal(p.c.stderr) {
		p.c.say("Looking at the disc: tracks, pregaps, indexes...")
	}
	p.at = now
	p.rate.add(now.Sectors, now.Speed)
	e := ripProgressEvent{
		Event: "progress", Phase: string(now.Phase), Pass: now.Pass, Done: now.Done, Total: now.Total, Bad: now.Bad, LBA: int(now.LBA)}
	if d := now.Damage; d != nil {
		e.Tried, e.Of, e.Took, e.ToGo = d.Tried, d.Of, d.Elapsed.Seconds(), d.ToGo.Seconds()
	} else if now.Phase != rip.Hashing {
		e.Speed = p.rate.value()
	}
	p.show(stage{phase: ripPhase(now), done: now.Done, total: now.Total, rest: p.rest(), event: e})
}

// damageText gives "sector 1043, 12 of 279 tried, 4m10s so far, about 25m0s to go".
func damageText(at disc.LBA, d *rip.Damage) string {
	s := fmt.Sprintf("sector %d, ", at)
	if d.Of > 0 {
		s += fmt.Sprintf("%d of %d tried, ", d.Tried, d.Of)
	}
	s += fmt.Sprintf("%s so far", d.Elapsed.Round(time.Second))
	if d.ToGo > 0 {
		s += fmt.Sprintf(", about %s to go", d.ToGo.Round(time.Second))
	}
	return s
}

func (p *ripProgress) rest() string {
	var parts []string
	v, now := p.rate.value(), p.at
	if now.Damage != nil {
		return damageText(now.LBA, now.Damage)
	}
	if now.Phase == rip.Hashing {
		return ""
	}
	if v > 0 && now.OneX > 0 {
		parts = append(parts, speedText(v, now.OneX))
	}
	if v > 0 && now.Phase == rip.Copying && now.Done < now.Total {
		parts = append(parts, toGo(now.Total-now.Done, v))
	}
	if now.Bad > 0 {
		parts = append(parts, sizeText(now.Bad)+" not read yet")
	}
	return strings.Join(parts, ", ")
}

// ripPhases are the phases of a rip in words.
var ripPhases = map[rip.Phase]string{
	rip.Surveying: "surveying",
	rip.Copying:   "reading",
	rip.Proving:   "proving", rip.Comparing: "reading again",
	rip.Trimming: "around damage",
	rip.Retrying: "retrying",
	rip.Hashing:  "hashing",
}

func ripPhase(now rip.Progress) string {
	name := ripPhases[now.Phase]
	if now.Pass > 1 || now.Phase == rip.Retrying {
		return fmt.Sprintf("%s, pass %d", name, now.Pass)
	}
	return name
}

// burnProgressEvent is the progress of a burn in JSON.
type burnProgressEvent struct {
	Event       string  `json:"event"` // progress
	Phase       string  `json:"phase"`
	Done        int64   `json:"done"`
	Total       int64   `json:"total"`
	Speed       float64 `json:"speed"` // bytes a second
	DriveBuffer float64 `json:"drive_buffer"`
	HostBuffer  float64 `json:"host_buffer"`
}

// burnProgress observes a burn.
type burnProgress struct{ *progress }

// Note implements burn.Observer.
func (p *burnProgress) Note(n burn.Note) { p.note(noteWords(n)) }

// Progress implements burn.Observer.
func (p *burnProgress) Progress(now burn.Progress) {
	if now.Total == 0 {
		return
	}
	p.show(stage{
		phase: string(now.Phase), done: now.Done, total: now.Total, rest: burnRest(now),
		event: burnProgressEvent{"progress", string(now.Phase), now.Done, now.Total, now.Speed, now.DriveBuffer, now.HostBuffer},
	})
}

// burnRest gives the speed, the time to go, and how full the buffers are.
func burnRest(now burn.Progress) string {
	var parts []string
	if now.Speed > 0 && now.OneX > 0 {
		parts = append(parts, speedText(now.Speed, now.OneX), toGo(now.Total-now.Done, now.Speed))
	}
	if now.Phase == burn.Writing {
		if now.DriveBuffer >= 0 {
			parts = append(parts, fmt.Sprintf("drive buffer %.0f%%", now.DriveBuffer*100))
		}
		if now.HostBuffer > 0 {
			parts = append(parts, fmt.Sprintf("host buffer %.0f%%", now.HostBuffer*100))
		}
	}
	return strings.Join(parts, ", ")
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
