package main

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"time"

	"spindle/disc"
	"spindle/iso"

	"github.com/spf13/cobra"
)

func (a *app) lsCommand() *cobra.Command {
	var o fileFlags
	c := &cobra.Command{
		Use:   "ls IMAGE [PATH]",
		Short: "List the files in an image",
		Long: `List the files in an image, all of them or those below PATH: those of its file system
(ISO 9660 with the names of Rock Ridge or Joliet, or UDF), and its audio tracks. Of a
disc with several sessions, that is the last one's, which holds the others' files too.`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(c *cobra.Command, args []string) error { return a.runLs(c.Context(), args[0], args[1:], o) },
	}
	c.Flags().IntVar(&o.track, "track", 0, trackHelp)
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
}

// newFileEvent describes a file.
func newFileEvent(path string, info fs.FileInfo) fileEvent {
	ev := fileEvent{Event: "file", Path: path, Size: info.Size(), Time: info.ModTime(), Type: "other"}
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
	case *disc.Track:
		ev.Type = "audio"
	}
	return ev
}

// text is the line of a file: size, time and name.
func (e fileEvent) text() string {
	shown, when := e.Path, ""
	if !e.Time.IsZero() {
		when = e.Time.Format("2006-01-02 15:04")
	}
	switch e.Type {
	case "audio":
		when = "audio track"
	case "directory":
		shown += "/"
	case "link":
		shown += " -> " + e.Link
	}
	return fmt.Sprintf("%12d  %-16s  %s", e.Size, when, shown)
}

func (a *app) runLs(ctx context.Context, name string, args []string, o fileFlags) error {
	paths := cleanPaths(args)
	f, err := openFiles(ctx, name, o.track, paths)
	if err != nil {
		return err
	}
	defer f.img.Close()
	start := "."
	if len(paths) > 0 {
		start = paths[0]
	}
	// The first damage is reported when all that can be listed is.
	var damage error
	err = fs.WalkDir(f, start, func(path string, d fs.DirEntry, err error) error {
		if cerr := ctx.Err(); cerr != nil {
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
			a.emit(ev)
			a.print("%s", ev.text())
		}
		return nil
	})
	if err != nil {
		return err
	}
	if damage != nil {
		return fmt.Errorf("%s: %w", name, damage)
	}
	a.emit(resultEvent{"result", exitDone})
	return nil
}
