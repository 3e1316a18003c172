package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"spindle/drive"
	"spindle/drive/byname"
	"spindle/drive/known"
	"spindle/drive/trial"
	"spindle/internal/printable"
	"spindle/scsi"
	"spindle/scsi/mmc"
)

// reportResult is what drives --report found.
type reportResult struct {
	ending
	Vendor    string           `json:"vendor"`
	Product   string           `json:"product"`
	Revision  string           `json:"revision"`
	Medium    string           `json:"medium,omitempty"`
	Questions []reportQuestion `json:"questions"`
	Stretches []reportStretch  `json:"stretches,omitempty"`
	// Turnaround is the time of a command that does nothing.
	Turnaround float64 `json:"turnaround_us"`
	Trace      string  `json:"trace,omitempty"`
	// Known is what rip and burn use, with what this report found, and Memory the file
	// that keeps it.
	Known  []knownFact `json:"known,omitempty"`
	Memory string      `json:"memory,omitempty"`
}

type reportQuestion struct {
	Name    string        `json:"name"`
	Outcome trial.Outcome `json:"outcome"`
	Took    float64       `json:"took_ms"`
}

type reportStretch struct {
	Kind     string        `json:"kind"` // audio, data
	Forms    []reportForm  `json:"forms,omitempty"`
	Transfer int           `json:"largest_transfer"` // bytes
	Stream   trial.Outcome `json:"accurate_stream,omitempty"`
	Q        trial.Outcome `json:"q,omitempty"`
	QAhead   int           `json:"q_ahead,omitempty"` // sectors
	Cached   bool          `json:"cached"`
	Untold   bool          `json:"cache_unknown,omitempty"`
	Cache    int           `json:"cache,omitempty"`       // bytes
	Tried    int           `json:"cache_tried,omitempty"` // bytes
	Short    bool          `json:"short_replies,omitempty"`
	FUA      trial.Outcome `json:"fua,omitempty"`
	Speeds   []reportSpeed `json:"speeds,omitempty"`
}

type reportForm struct {
	Expect  int           `json:"expect"` // sector type, as in the CDB
	C2      int           `json:"c2"`     // bytes
	Sub     string        `json:"sub"`    // none, raw, q
	Outcome trial.Outcome `json:"outcome"`
	Flagged float64       `json:"c2_flagged,omitempty"` // share of sectors
}

type reportSpeed struct {
	LBA  int     `json:"lba"`
	Rate float64 `json:"rate"` // bytes a second
}

// runReport tries the drive, and keeps an anonymous trace of it in the file of args, if
// any.
func runReport(ctx context.Context, a *app, args []string) (result, error) {
	dev, err := a.device(ctx, "", byname.Shared)
	if err != nil {
		return nil, err
	}
	dev = trial.Anonymous(dev, trial.Serials(ctx, mmc.New(dev)))
	finish := func() error { return nil }
	if len(args) > 0 {
		if dev, finish, err = recordTo(args[0], dev); err != nil {
			return nil, err
		}
	}
	bar := a.newProgress()
	step := bar.step("trying the drive")
	r, err := trial.Run(ctx, mmc.New(dev), func(done, total int) { step(int64(done), int64(total)) })
	bar.stop()
	if err := errors.Join(err, finish()); err != nil {
		return nil, err
	}
	res := newReportResult(r)
	if len(args) > 0 {
		res.Trace = args[0]
	}
	a.remember(r, res)
	return res, nil
}

// remember keeps what a report found on the drive, unless it was played back.
func (a *app) remember(r *trial.Report, res *reportResult) {
	lib, name := a.library(), a.drive()
	if lib == nil || isReplay(name) {
		return
	}
	id := known.ID{Vendor: r.Inquiry.Vendor, Product: r.Inquiry.Product, Revision: r.Inquiry.Revision, Variant: variantOf(name)}
	if learned := r.Learned(); len(knownFacts(&learned)) > 0 {
		if err := lib.Remember(id, learned, r.Brought()); err != nil {
			a.note("What was found is not remembered: " + fileWords(err))
		} else {
			res.Memory = lib.File(id)
		}
	}
	facts, err := lib.Of(id)
	a.noteIgnored(err)
	res.Known = knownFacts(&facts)
}

// recordTo returns dev with a trace of it in a new file, which finish completes.
func recordTo(path string, dev scsi.Device) (recorded scsi.Device, finish func() error, err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if errors.Is(err, fs.ErrExist) {
		return nil, nil, refusal{fmt.Errorf("%q exists already", path), exitFailed, "Name another file for the trace."}
	}
	if err != nil {
		return nil, nil, err
	}
	t := scsi.NewTracer(dev, f)
	return t, func() error { return errors.Join(t.Flush(), f.Close()) }, nil
}

func newReportResult(r *trial.Report) *reportResult {
	res := &reportResult{
		ending: done(), Vendor: r.Inquiry.Vendor, Product: r.Inquiry.Product, Revision: r.Inquiry.Revision,
		Turnaround: float64(r.Turnaround) / float64(time.Microsecond),
	}
	if r.Profile != mmc.ProfileNone {
		res.Medium = r.Profile.String()
	}
	for _, q := range r.Questions {
		res.Questions = append(res.Questions, reportQuestion{q.Name, q.Outcome, float64(q.Took) / float64(time.Millisecond)})
	}
	for _, s := range r.Stretches {
		out := reportStretch{
			Kind: "data", Transfer: s.Transfer, Stream: s.Stream, Q: s.Q, QAhead: s.QAhead,
			Cached: s.Cache.Holds, Untold: s.Cache.Untold, Cache: s.Cache.Bytes, Tried: s.Cache.Tried, Short: s.Short, FUA: s.Cache.ForceUnitAccess,
		}
		if s.Coding == drive.Audio {
			out.Kind = "audio"
		}
		for _, f := range s.Forms {
			out.Forms = append(out.Forms, reportForm{int(f.Expect), f.C2.Size(), subNames[f.Sub], f.Outcome, f.Flagged})
		}
		for _, v := range s.Speeds {
			out.Speeds = append(out.Speeds, reportSpeed{int(v.At), v.Rate})
		}
		res.Stretches = append(res.Stretches, out)
	}
	return res
}

var subNames = map[mmc.SubMode]string{mmc.NoSub: "none", mmc.RawSub: "raw", mmc.QSub: "q"}

// Text implements event: what it means, in some ten lines.
func (r *reportResult) Text(p *page) {
	p.line("drive:      %s", printable.Line(strings.TrimSpace(r.Vendor+" "+r.Product+" "+r.Revision)))
	if r.Medium == "" {
		p.line("disc:       none: only what needs no disc was tried")
	} else {
		p.line("disc:       %s", r.Medium)
	}
	p.line("commands:   %s", r.commandsText())
	p.line("turnaround: %.0f µs between two commands", r.Turnaround)
	for i := range r.Stretches {
		r.Stretches[i].text(p)
	}
	for _, line := range knownLines(r.Known) {
		p.hang("known:      ", "            ", line)
	}
	if r.Memory != "" {
		p.hang("remembered: ", "            ", "in "+printable.Line(r.Memory)+"; delete this file to forget it")
	}
	if r.Trace != "" {
		p.line("trace:      %s, without serial numbers; it contains parts of the disc", r.Trace)
	}
}

// commandsText names the commands that did not work.
func (r *reportResult) commandsText() string {
	var worked int
	var not []string
	for _, q := range r.Questions {
		if q.Outcome == trial.Works {
			worked++
		} else {
			not = append(not, q.Name)
		}
	}
	text := fmt.Sprintf("%d of %d questions are answered", worked, len(r.Questions))
	if len(not) > 0 {
		text += "; not " + strings.Join(not, ", ")
	}
	return text
}

// text describes the reading of one kind of sector.
func (s *reportStretch) text(p *page) {
	p.line("%-11s %s", s.Kind+":", strings.Join(s.findings(), "; "))
}

// findings are the clauses of the line of a stretch.
func (s *reportStretch) findings() []string {
	var found []string
	if s.Transfer > 0 {
		found = append(found, fmt.Sprintf("up to %d KiB with one command", s.Transfer>>10))
	} else {
		found = append(found, "cannot be read")
	}
	if s.Short {
		found = append(found, "some replies are cut without an error")
	}
	if len(s.Forms) > 0 {
		found = append(found, s.c2Text())
	}
	switch s.Q {
	case trial.Works:
		found = append(found, aheadText(s.QAhead))
	case trial.Refused, trial.Failed, trial.Wrong:
		found = append(found, "no usable sub-channel")
	}
	switch s.Stream {
	case trial.Works:
		found = append(found, "reads join without a gap")
	case trial.Wrong:
		found = append(found, "reads do not join (no accurate stream)")
	}
	return append(found, s.cacheText(), s.speedText())
}

// c2Text says in which forms error pointers come.
func (s *reportStretch) c2Text() string {
	var works []string
	untried := false
	seen := make(map[int]bool)
	for _, f := range s.Forms {
		if f.C2 != 0 && f.Sub == "none" && (f.Outcome == trial.Failed || f.Outcome == trial.Wrong) {
			untried = true
		}
		if f.Sub != "none" || f.C2 == 0 || f.Outcome != trial.Works || seen[f.C2] {
			continue
		}
		seen[f.C2] = true
		text := fmt.Sprintf("%d bytes", f.C2)
		if f.Flagged > falseC2 {
			text += fmt.Sprintf(" (but %.0f%% of the sectors are flagged)", f.Flagged*100)
		}
		works = append(works, text)
	}
	if len(works) == 0 && untried {
		return "C2 error pointers could not be tried: those reads failed or came short"
	}
	if len(works) == 0 {
		return "no C2 error pointers"
	}
	return "C2 in " + strings.Join(works, " and in ")
}

// falseC2 is the share of sectors above which error pointers are probably false.
const falseC2 = 0.05

func aheadText(n int) string {
	switch {
	case n > 0:
		return "sub-channel " + plural(n, "sector") + " ahead"
	case n < 0:
		return "sub-channel " + plural(-n, "sector") + " behind"
	}
	return "sub-channel in step"
}

func (s *reportStretch) cacheText() string {
	switch {
	case s.Untold:
		return "the disc is too short to tell whether a second read comes from the buffer"
	case !s.Cached:
		return "a second read comes from the disc"
	case s.FUA == trial.Works:
		return "a second read comes from the buffer unless FUA is set"
	case s.Cache > 0:
		return fmt.Sprintf("a second read comes from the buffer until %s were read elsewhere", sizeText(int64(s.Cache)))
	}
	return fmt.Sprintf("a second read comes from the buffer, also after %s were read elsewhere", sizeText(int64(s.Tried)))
}

func (s *reportStretch) speedText() string {
	var rates []string
	for _, v := range s.Speeds {
		rates = append(rates, fmt.Sprintf("%.1f", v.Rate/1e6))
	}
	if len(rates) == 0 {
		return "no speed could be measured"
	}
	return strings.Join(rates, ", ") + " MB/s"
}
