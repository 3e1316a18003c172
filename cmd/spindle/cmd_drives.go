package main

import (
	"context"
	"strings"

	"spindle/drive"
	"spindle/drive/byname"
	"spindle/drive/known"
	"spindle/internal/printable"
	"spindle/scsi"
	"spindle/scsi/mmc"

	"github.com/spf13/cobra"
)

func drivesCommand(a *app) *cobra.Command {
	var report, simulated bool
	c := &cobra.Command{
		Use:   "drives [FILE]",
		Short: "List the optical drives and what is in them",
		Long: `List the optical drives and what is in them; with --verbose, also what is known of each.

--report instead tries what one drive can do, with the disc that is in it: which commands
it answers, in which forms and how fast it gives sectors, and how its buffer is defeated.
A CD with audio and data shows most. Nothing is written to the disc. With FILE, the
traffic is recorded there, without serial numbers, to be sent to others; it contains
parts of the disc. "-d sim:trace=FILE" plays it back. What was found is remembered for
this model and firmware: rip and burn try first what worked.

--simulated lists the drives that "-d sim:FILE?drive=NAME" can simulate, and the traits
that "trait=" gives any simulated drive.`,
		Example: "  spindle drives\n  spindle drives --report\n  spindle drives --report my-drive.trace -d /dev/sr1",
		Args:    needs(0, 1, ""),
		RunE: a.run(func(ctx context.Context, args []string) (result, error) {
			switch {
			case report:
				return runReport(ctx, a, args)
			case len(args) > 0:
				return nil, usage("drives takes a file only with --report")
			case simulated:
				return runSimulated(a)
			}
			return runDrives(ctx, a)
		}),
	}
	c.Flags().BoolVar(&report, "report", false, "try what the drive can do, and record it in FILE")
	c.Flags().BoolVar(&simulated, "simulated", false, "list the drives that can be simulated, and their traits")
	c.MarkFlagsMutuallyExclusive("report", "simulated")
	return c
}

// driveEvent is one drive.
type driveEvent struct {
	Event    string   `json:"event"` // drive
	Path     string   `json:"path"`
	Generic  string   `json:"generic,omitempty"`
	Vendor   string   `json:"vendor"`
	Model    string   `json:"model"`
	Revision string   `json:"revision"`
	Serial   string   `json:"serial,omitempty"`
	Links    []string `json:"links,omitempty"`
	Medium   string   `json:"medium,omitempty"`
	Problem  string   `json:"problem,omitempty"`

	Known []knownFact `json:"known,omitempty"` // with --verbose
}

func (e *driveEvent) Text(p *page) {
	var names []string
	if e.Generic != "" {
		names = append(names, e.Generic)
	}
	names = append(names, e.Links...)
	line := e.Path
	if len(names) > 0 {
		line += " (" + strings.Join(names, ", ") + ")"
	}
	line += "  " + printable.Line(strings.TrimSpace(e.Vendor+" "+e.Model))
	if e.Revision != "" {
		line += ", firmware " + printable.Line(e.Revision)
	}
	if e.Serial != "" {
		line += ", serial " + printable.Line(e.Serial)
	}
	p.line("%s", line)
	if e.Problem != "" {
		p.line("    %s", e.Problem)
	} else {
		p.line("    %s", e.Medium)
	}
	for _, line := range knownLines(e.Known) {
		p.hang("    ", "      ", "known: "+line)
	}
}

func runDrives(ctx context.Context, a *app) (result, error) {
	all, err := scsi.Drives()
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, byname.ErrNoDrive
	}
	var lib *known.Library
	if a.verbose {
		lib = a.library()
	}
	for _, d := range all {
		e := driveEvent{
			Event: "drive", Path: d.Path, Vendor: d.Vendor, Model: d.Model,
			Revision: d.Revision, Serial: d.Serial, Links: d.Links,
		}
		if d.SGPath != d.Path {
			e.Generic = d.SGPath
		}
		e.Medium, err = mediumIn(ctx, d.Path)
		if err != nil {
			e.Problem = explain(err).what
		}
		if lib != nil {
			facts, err := lib.Of(known.ID{Vendor: d.Vendor, Product: d.Model, Revision: d.Revision})
			a.noteIgnored(err)
			e.Known = knownFacts(&facts)
		}
		a.show(&e)
	}
	r := done()
	return &r, ctx.Err()
}

// mediumIn says what kind of disc is in a drive.
func mediumIn(ctx context.Context, path string) (string, error) {
	c, err := scsi.Open(ctx, path)
	if err != nil {
		return "", err
	}
	defer c.Close()
	d := mmc.New(c)
	if err := drive.WaitReady(ctx, d, probeLimit); err != nil {
		if m := explain(err); m.status == exitNoDisc {
			return m.what, nil // such as "no disc in the drive"
		}
		return "", err
	}
	medium := "disc"
	if cfg, err := d.Configuration(ctx); err == nil {
		medium = cfg.Profile.String()
	}
	if info, err := d.DiscInfo(ctx); err == nil && info.Status != mmc.DiscComplete {
		medium += ", " + info.Status.String()
	}
	return medium, nil
}
