package main

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"time"

	"spindle/image/audio"
	"spindle/internal/printable"
	"spindle/iso"

	"github.com/spf13/cobra"
)

func lsCommand(a *app) *cobra.Command {
	var o fileFlags
	c := &cobra.Command{
		Use:   "ls IMAGE [PATH]",
		Short: "List the files in an image",
		Long: `List the files in an image, or only those below PATH: the files of its file system (ISO
9660 with Rock Ridge or Joliet names, UDF, or HFS and HFS+ of the Mac), and its audio tracks. For a disc with
several sessions, the last session is listed, which includes the files of the others.

Files with sectors that a map beside the image lists as not read correctly, or that lie
in an audio track, are marked, and the exit status is then 5.`,
		Example: `  spindle ls debian-live.iso
  spindle ls backup.nrg docs`,
		Args: needs(1, 2, "name the image to look into, e.g. \"spindle ls debian-live.iso\""),
		RunE: a.run(func(ctx context.Context, args []string) (result, error) { return runLs(ctx, a, args[0], args[1:], o) }),
	}
	o.register(c)
	return c
}

// fileEvent is a file as ls shows it.
type fileEvent struct {
	Event string    `json:"event"` // file
	Path  string    `json:"path"`
	Type  string    `json:"type"` // file, directory, link, audio, other
	Size  int64     `json:"size"`
	Mode  string    `json:"mode,omitempty"`
	Time  time.Time `json:"time,omitzero"`
	Link  string    `json:"link,omitempty"`
	// Damaged is how many of its sectors a map beside the image lists as not right.
	Damaged int `json:"damaged_sectors,omitempty"`
	// Absent: it is a track that the image lacks, as its sheet says.
	Absent bool `json:"absent,omitempty"`
}

// newFileEvent describes a file.
func newFileEvent(path string, info fs.FileInfo) *fileEvent {
	ev := &fileEvent{Event: "file", Path: path, Size: info.Size(), Time: info.ModTime(), Type: "other"}
	switch info.Mode().Type() {
	case 0:
		ev.Type = "file"
	case fs.ModeDir:
		ev.Type = "directory"
	case fs.ModeSymlink:
		ev.Type = "link"
	}
	switch of := info.Sys().(type) {
	case *iso.Entry:
		ev.Link = of.Link
		if of.HasMode {
			ev.Mode = fmt.Sprintf("%04o", of.Mode.Perm())
		}
	case *audio.Song:
		ev.Type = "audio"
	}
	return ev
}

// Text implements event: the line of a file has its size, time and name.
func (e *fileEvent) Text(p *page) {
	shown, when := printable.Line(e.Path), ""
	if !e.Time.IsZero() {
		when = e.Time.Format("2006-01-02 15:04")
	}
	switch e.Type {
	case "audio":
		when = "audio track"
	case "directory":
		shown += "/"
	case "link":
		shown += " -> " + printable.Line(e.Link)
	}
	if e.Absent {
		shown += "  (absent)"
	}
	if e.Damaged > 0 {
		p.line("%12d  %-16s  %s  %s", e.Size, when, shown, p.red("(damaged: "+plural(e.Damaged, "sector")+")"))
		return
	}
	p.line("%12d  %-16s  %s", e.Size, when, shown)
}

func runLs(ctx context.Context, a *app, name string, args []string, o fileFlags) (result, error) {
	paths := cleanPaths(args)
	f, err := openFiles(ctx, a, name, o, paths)
	if err != nil {
		return nil, err
	}
	defer f.img.Close()
	start := "."
	if len(paths) > 0 {
		start = paths[0]
	}
	// The first damage is reported when all that can be listed is.
	var damage error
	flaws, damaged := f.found.present(f.img.Flaws()), false
	err = fs.WalkDir(f, start, func(path string, d fs.DirEntry, err error) error {
		if cerr := cmp.Or(ctx.Err(), a.stdout.lost()); cerr != nil {
			return cerr
		}
		var info fs.FileInfo
		if err == nil {
			info, err = d.Info()
		}
		if err != nil {
			damage = cmp.Or(damage, err)
			return nil
		}
		if path != "." {
			ev := newFileEvent(path, info)
			ev.Damaged, ev.Absent = f.FlawsOf(info, flaws).Sectors(), f.absent(info)
			damaged = damaged || ev.Damaged > 0
			a.show(ev)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if damage != nil {
		return nil, fmt.Errorf("%s: %w", name, damage)
	}
	if n := flaws.Sectors(); n > 0 {
		them := "lists them"
		if n == 1 {
			them = "names it"
		}
		a.note(f.found.damageText(n) + "; \"spindle verify\" " + them + ".")
	}
	r := done()
	if damaged || len(flaws) > 0 && len(paths) == 0 {
		r.Status = exitDifferent
	}
	r.Status = f.found.note(a, r.Status)
	return &r, f.found.writtenTo()
}
