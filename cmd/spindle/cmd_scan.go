package main

import (
	"cmp"
	"context"
	"fmt"
	"image/color"
	"math"
	"os"
	"strings"
	"time"

	"spindle/burn/journal"
	"spindle/disc"
	"spindle/drive"
	"spindle/drive/byname"
	"spindle/image"
	"spindle/image/picture"
	"spindle/internal/atomicfile"
	"spindle/internal/printable"
	"spindle/scan"

	"github.com/spf13/cobra"
)

// scanFlags are the options of scan.
type scanFlags struct {
	svg   string
	force bool
}

func scanCommand(a *app) *cobra.Command {
	var o scanFlags
	c := &cobra.Command{
		Use:   "scan [DRIVE]",
		Short: "Measure how well a drive reads a disc",
		Long: `Read the whole disc once and show how that went: how fast at each place, where the drive
hesitated or had to be asked twice, which sectors of data had a wrong EDC, which sectors of audio
error pointers (C2), and what could not be read. Nothing is kept of what was read.

What cannot be read is not fought for: a scan asks twice, in pieces of 4 sectors of a CD, 16 of
a DVD or 32 of a Blu-ray disc, and leaves parts of a zone out in which much fails. "spindle rip"
gets more of such a disc.

The result is kept, and compared when the same disc is scanned again: a disc that reads worse
than it did is one to copy now. A scan in the same drive also compares speed and hesitation.
A scan changes no setting of the drive. The exit status is 5 if something was not right.`,
		Example: `  spindle scan
  spindle scan -d /dev/sr1 --svg health.svg`,
		Args: needs(0, 1, ""),
		RunE: a.run(func(ctx context.Context, args []string) (result, error) {
			return runScan(ctx, a, strings.Join(args, ""), o)
		}),
	}
	c.Flags().StringVar(&o.svg, "svg", "", "also draw the result into `FILE`")
	c.Flags().BoolVar(&o.force, "force", false, "replace an existing file of --svg")
	return c
}

// scanResult is the result of scan.
type scanResult struct {
	ending
	Drive      string       `json:"drive"`
	Medium     string       `json:"medium"`
	Seconds    float64      `json:"seconds"`
	Speed      float64      `json:"speed"` // mean, bytes a second
	OneX       float64      `json:"one_x"`
	Read       int          `json:"read"`
	Slow       int          `json:"slow"`
	Retried    int          `json:"retried"`
	Unreadable int          `json:"unreadable"`
	Skipped    int          `json:"skipped"`
	Flagged    int          `json:"flagged"`
	Wrong      int          `json:"wrong"`
	Zones      []scan.Zone  `json:"zones"`
	Earlier    *scanEarlier `json:"earlier,omitempty"`

	scan *scan.Scan
}

// scanEarlier is the scan that a scan is compared with.
type scanEarlier struct {
	Time      time.Time     `json:"time"`
	Drive     string        `json:"drive"`
	SameDrive bool          `json:"same_drive"`
	Worse     []scanChanged `json:"worse"`

	scan *scan.Scan
}

// scanChanged is a zone that reads worse.
type scanChanged struct {
	Then scan.Zone `json:"then"`
	Now  scan.Zone `json:"now"`
}

func runScan(ctx context.Context, a *app, name string, o scanFlags) (result, error) {
	if o.svg != "" {
		if _, err := os.Lstat(o.svg); err == nil && !o.force {
			return nil, fmt.Errorf("%s %w", o.svg, image.ErrExists)
		}
		if err := atomicfile.KeepSources([]string{o.svg}, byname.Files(ctx, cmp.Or(name, a.drive()))); err != nil {
			return nil, err
		}
	}
	d, _, err := a.openKnown(ctx, name, byname.Shared)
	if err != nil {
		return nil, err
	}
	m, err := drive.Survey(ctx, d, drive.ForReading)
	if err != nil {
		return nil, err
	}
	id, err := scan.Identify(ctx, d, m)
	if err != nil {
		return nil, err
	}
	bar := a.newProgress()
	defer bar.stop()
	s, err := scan.Run(ctx, d, m, scan.Options{Now: time.Now().UTC().Truncate(time.Second), Progress: scanProgress(bar, int64(m.Kind().SectorSize()))})
	bar.stop()
	if err != nil {
		return nil, err
	}
	r := newScanResult(s)
	if err := r.keep(a, id); err != nil {
		return nil, err
	}
	if o.svg != "" {
		return r, atomicfile.Write(o.svg, func(f *os.File) error { return r.chart().SVG(f) })
	}
	return r, nil
}

// scanProgressEvent is the progress of a scan in JSON.
type scanProgressEvent struct {
	Event string  `json:"event"` // progress
	Phase string  `json:"phase"`
	Done  int64   `json:"done"` // bytes
	Total int64   `json:"total"`
	Speed float64 `json:"speed"` // bytes a second
}

// scanProgress shows how far a scan is.
func scanProgress(bar *progress, sectorSize int64) func(done, total int, speed float64) {
	const phase = "scanning"
	var rate meter
	return func(done, total int, speed float64) {
		rate.add(1, speed)
		e := scanProgressEvent{"progress", phase, int64(done) * sectorSize, int64(total) * sectorSize, rate.value()}
		rest := ""
		if e.Speed > 0 {
			rest = fmt.Sprintf("%.1f MB/s, %s", e.Speed/1e6, toGo(e.Total-e.Done, e.Speed))
		}
		bar.show(stage{phase: phase, done: e.Done, total: e.Total, rest: rest, event: e})
	}
}

func newScanResult(s *scan.Scan) *scanResult {
	sum := s.Sum()
	r := &scanResult{ending: done(), Drive: s.Drive, Medium: s.Medium, Seconds: s.Elapsed.Seconds(), Speed: s.Speed(), OneX: s.OneX,
		Read: sum.Read, Slow: sum.Slow, Retried: sum.Retried, Unreadable: sum.Unreadable, Skipped: sum.Skipped, Flagged: sum.Flagged, Wrong: sum.Wrong,
		Zones: s.Zones, scan: s}
	if sum.Bad() {
		r.Status = exitDifferent
	}
	return r
}

// keep compares with the latest scan of the disc, and keeps this one.
func (r *scanResult) keep(a *app, id string) error {
	if id == "" {
		a.note("The volume descriptor of the disc cannot be read, so the disc cannot be distinguished from others: the scan is not kept.")
		return nil
	}
	folder, err := journal.UserDir()
	if err != nil {
		return err
	}
	path := scan.File(folder, id)
	h, err := scan.Load(path)
	if err != nil {
		a.note(err.Error() + ". This scan is not kept; remove the file to start again.")
		return nil
	}
	if n := len(h.Scans); n > 0 {
		last := h.Scans[n-1]
		r.Earlier = &scanEarlier{Time: last.Time, Drive: last.Drive, SameDrive: last.Drive == r.scan.Drive, Worse: []scanChanged{}, scan: &last}
		for _, c := range r.scan.Worse(&last) {
			r.Earlier.Worse = append(r.Earlier.Worse, scanChanged{c.Then, c.Now})
		}
	}
	h.Add(r.scan)
	return h.Save(path)
}

// times gives a speed as a multiple of 1x.
func (r *scanResult) times(speed float64) string { return fmt.Sprintf("%.1fx", speed/r.OneX) }

// Text implements event.
func (r *scanResult) Text(p *page) {
	p.line("drive:   %s", printable.Line(r.Drive))
	p.line("disc:    %s, %s read in %s, at %s on average", r.Medium, plural(r.Read, "sector"), roundTime(r.Seconds), r.times(r.Speed))
	p.line("")
	if p.terminal {
		r.curve(p)
	} else {
		r.rows(p)
	}
	p.line("")
	for _, x := range []struct {
		n     int
		words string
		red   bool
	}{
		{r.Unreadable, "could not be read", true},
		{r.Wrong, "of data came with a wrong EDC", true},
		{r.Flagged, "of audio came with error pointers (C2)", true},
		{r.Retried, "came when they were asked for once more", false},
		{r.Slow, "came later than usual", false},
		{r.Skipped, "were left out", false},
	} {
		switch {
		case x.n > 0 && x.red:
			p.line("%s %s", p.red(plural(x.n, "sector")), x.words)
		case x.n > 0:
			p.line("%s %s", plural(x.n, "sector"), x.words)
		}
	}
	if r.scan.Doubted {
		p.text("The error pointers (C2) that this drive gives with audio do not hold, and were not used.")
	}
	if r.Unreadable+r.Wrong+r.Flagged+r.Retried+r.Slow+r.Skipped == 0 {
		p.text("The drive read everything at the first attempt.")
	}
	r.compared(p)
}

func roundTime(seconds float64) string {
	return time.Duration(seconds * float64(time.Second)).Round(time.Second).String()
}

// compared says what changed since an earlier scan.
func (r *scanResult) compared(p *page) {
	e := r.Earlier
	if e == nil {
		return
	}
	in := "in the same drive"
	if !e.SameDrive {
		in = "in another drive, " + printable.Line(e.Drive)
	}
	when := e.Time.Format("2006-01-02 15:04:05")
	if len(e.Worse) == 0 {
		p.text("Nothing reads worse than it did at %s, %s.", when, in)
		return
	}
	p.line("%s than at %s, %s:", p.red(plural(len(e.Worse), "zone")+" "+readsOrRead(len(e.Worse))+" worse"), when, in)
	for i, c := range e.Worse {
		if i == mostListed {
			p.line("  and %s more (--json lists all)", plural(len(e.Worse)-i, "zone"))
			return
		}
		p.line("  %s: %s; then %s", sectorRange(c.Now.First, c.Now.End-1), r.zoneWords(&c.Now), r.zoneWords(&c.Then))
	}
}

func readsOrRead(n int) string {
	if n == 1 {
		return "reads"
	}
	return "read"
}

// zoneWords describes a zone.
func (r *scanResult) zoneWords(z *scan.Zone) string {
	var words []string
	if z.Speed > 0 {
		words = append(words, r.times(z.Speed))
	}
	for _, x := range []struct {
		n    int
		what string
	}{{z.Unreadable, "unreadable"}, {z.Wrong, "with a wrong EDC"}, {z.Flagged, "with C2"}, {z.Retried, "at the second attempt"}, {z.Slow, "late"}, {z.Skipped, "left out"}} {
		if x.n > 0 {
			words = append(words, fmt.Sprintf("%d %s", x.n, x.what))
		}
	}
	if len(words) == 0 {
		return "nothing to read"
	}
	return strings.Join(words, ", ")
}

// scanRows is how many rows the curve has where there is no terminal, and how high it is on one.
const (
	scanRows   = 20
	scanHeight = 8
)

// rows lists the curve.
func (r *scanResult) rows(p *page) {
	n := min(scanRows, len(r.Zones))
	for i := range n {
		part := scan.Scan{Zones: r.Zones[len(r.Zones)*i/n : len(r.Zones)*(i+1)/n]}
		z := part.Sum()
		z.Speed = part.Speed()
		p.line("%s: %s", sectorRange(z.First, z.End-1), r.zoneWords(&z))
	}
}

// curve draws the curve with letters: below it, "!" marks what was not right and "~" what took
// longer.
func (r *scanResult) curve(p *page) {
	const label = 8
	n := max(min(p.width-label-1, len(r.Zones)), 1)
	columns, top := make([]scan.Zone, n), 1.0
	for i := range columns {
		part := scan.Scan{Zones: r.Zones[len(r.Zones)*i/n : len(r.Zones)*(i+1)/n]}
		columns[i] = part.Sum()
		columns[i].Speed = part.Speed() / r.OneX
		top = max(top, math.Ceil(columns[i].Speed))
	}
	for row := scanHeight; row > 0; row-- {
		var b strings.Builder
		for _, c := range columns {
			at := int(math.Ceil(c.Speed / top * scanHeight))
			switch {
			case at == row:
				b.WriteByte('*')
			case at > row:
				b.WriteByte('.')
			default:
				b.WriteByte(' ')
			}
		}
		p.line("%6.1fx %s", top*float64(row)/scanHeight, strings.TrimRight(b.String(), " "))
	}
	var marks strings.Builder
	for i := range columns {
		switch c := &columns[i]; {
		case c.Bad():
			marks.WriteByte('!')
		case c.Retried+c.Slow+c.Skipped > 0:
			marks.WriteByte('~')
		default:
			marks.WriteByte('-')
		}
	}
	p.line("%*s%s", label, "", marks.String())
	p.line("%*s0%*d", label, "", n-1, r.Zones[len(r.Zones)-1].End)
}

// scanKinds are what a zone can have met, the worst last.
var scanKinds = []picture.Kind{
	{Name: "came late, at the second attempt, or was left out", Color: color.RGBA{0xE6, 0x9F, 0x00, 0xFF}},
	{Name: "error pointers (C2), or a wrong EDC", Color: color.RGBA{0xCC, 0x79, 0xA7, 0xFF}},
	{Name: "unreadable", Color: color.RGBA{0xD5, 0x5E, 0x00, 0xFF}},
}

// chart makes a picture for a report.
func (r *scanResult) chart() *picture.Chart {
	c := &picture.Chart{Title: printable.Line(r.Medium + " in " + r.Drive), Unit: "x", Kinds: scanKinds, Points: r.points(r.scan),
		Lines: []string{fmt.Sprintf("%s; %s on average; read: %s, unreadable: %d, wrong EDC: %d, C2: %d, at the second attempt: %d, late: %d, left out: %d",
			r.scan.Time.Format("2006-01-02 15:04"), r.times(r.Speed), plural(r.Read, "sector"), r.Unreadable, r.Wrong, r.Flagged, r.Retried, r.Slow, r.Skipped)}}
	if r.Earlier != nil {
		c.Before = r.points(r.Earlier.scan)
		c.Lines = append(c.Lines, "grey: "+r.Earlier.Time.Format("2006-01-02 15:04")+" in "+printable.Line(r.Earlier.Drive))
	}
	for _, z := range r.Zones {
		m := picture.Mark{From: float64(z.First), To: float64(z.End)}
		switch {
		case z.Unreadable > 0:
			m.Kind = 2
		case z.Flagged+z.Wrong > 0:
			m.Kind = 1
		case z.Slow+z.Retried+z.Skipped == 0:
			continue
		}
		c.Marks = append(c.Marks, m)
	}
	return c
}

func (r *scanResult) points(s *scan.Scan) []picture.Point {
	var all []picture.Point
	for _, z := range s.Zones {
		all = append(all, picture.Point{From: float64(max(z.First, disc.LBA(0))), To: float64(z.End), Value: z.Speed / s.OneX})
	}
	return all
}
