package main

import (
	"context"
	"strings"

	"spindle/drive"
	"spindle/drive/byname"
	"spindle/scsi"
	"spindle/scsi/mmc"

	"github.com/spf13/cobra"
)

func (a *app) drivesCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "drives",
		Short: "List the optical drives and what is in them",
		Args:  cobra.NoArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return a.runDrives(c.Context()) },
	}
}

// driveEvent is one drive in JSON.
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
}

func (a *app) runDrives(ctx context.Context) error {
	all, err := scsi.Drives()
	if err != nil {
		return err
	}
	if len(all) == 0 {
		return byname.ErrNoDrive
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
			e.Problem = err.Error()
		}
		a.emit(e)
		a.printDrive(e)
	}
	a.emit(resultEvent{"result", exitDone})
	return ctx.Err()
}

func (a *app) printDrive(e driveEvent) {
	names := append([]string{}, e.Links...)
	if e.Generic != "" {
		names = append([]string{e.Generic}, names...)
	}
	line := e.Path
	if len(names) > 0 {
		line += " (" + strings.Join(names, ", ") + ")"
	}
	line += "  " + strings.TrimSpace(e.Vendor+" "+e.Model)
	if e.Revision != "" {
		line += ", firmware " + e.Revision
	}
	if e.Serial != "" {
		line += ", serial " + e.Serial
	}
	a.print("%s", line)
	if e.Problem != "" {
		a.print("    %s", e.Problem)
	} else {
		a.print("    %s", e.Medium)
	}
}

// mediumIn says what kind of disc is in a drive.
func mediumIn(ctx context.Context, path string) (string, error) {
	c, err := scsi.Open(path)
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
