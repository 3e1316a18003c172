package main

import (
	"context"
	"fmt"

	"spindle/image/extract"
	"spindle/iso"

	"github.com/spf13/cobra"
)

func (a *app) extractCommand() *cobra.Command {
	var o fileFlags
	c := &cobra.Command{
		Use:   "extract IMAGE [PATH...]",
		Short: "Take files out of an image",
		Long: `Extract the files in an image: all of them, or those named by PATH, directories with
all that is in them. Permissions and times are kept where the image states them;
symbolic links are made when they stay inside the folder. Nothing is ever written
outside it.

Audio tracks come as WAVE files ("spindle convert IMAGE OUT.flac --split" makes FLAC
files of them). Of the files of a Video CD, which lie in sectors of form 2, all user
data are taken: 2324 bytes a sector, an MPEG stream that players take.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return a.runExtract(c.Context(), args[0], args[1:], o) },
	}
	f := c.Flags()
	f.IntVar(&o.track, "track", 0, trackHelp)
	f.StringVarP(&o.dir, "directory", "C", ".", "the folder to extract to")
	f.BoolVar(&o.force, "force", false, "replace existing files")
	return c
}

// extractEvent is the result of extract.
type extractEvent struct {
	Event   string      `json:"event"` // result
	Status  int         `json:"status"`
	Files   int         `json:"files"`
	Bytes   int64       `json:"bytes"`
	Left    int         `json:"left_out,omitempty"`
	Skipped []leftEvent `json:"skipped,omitempty"`

	dir string
}

// leftEvent is an entry that was left out.
type leftEvent struct {
	Path   string `json:"path"`
	Reason string `json:"reason"`
}

// newExtractEvent describes what was extracted. Files of which the content is missing
// make it a failure.
func newExtractEvent(res *extract.Result, dir string) extractEvent {
	ev := extractEvent{Event: "result", Status: exitDone, Files: res.Files + res.Links, Bytes: res.Bytes, Left: len(res.Skipped), dir: dir}
	for _, s := range res.Skipped {
		ev.Skipped = append(ev.Skipped, leftEvent{s.Path, s.Reason.String()})
		if s.Reason == extract.Unreadable || s.Reason == extract.Incomplete {
			ev.Status = exitFailed
		}
	}
	return ev
}

// text says what was extracted.
func (e extractEvent) text() string {
	text := fmt.Sprintf("%s, %s, extracted to %s", plural(e.Files, "file"), megabytes(e.Bytes), e.dir)
	switch {
	case e.Left == 1:
		text += "\n1 entry left out; see the notes"
	case e.Left > 1:
		text += fmt.Sprintf("\n%d entries left out; see the notes", e.Left)
	}
	return text
}

func (a *app) runExtract(ctx context.Context, name string, args []string, o fileFlags) error {
	paths := cleanPaths(args)
	f, err := openFiles(ctx, name, o.track, paths)
	if err != nil {
		return err
	}
	defer f.img.Close()
	const most = 16 // times what the image has: files may share sectors
	opts := extract.Options{Paths: paths, Replace: o.force, MaxBytes: most*int64(f.img.Layout().Sectors())*iso.BlockSize + 1<<30}
	notes := &extractNotes{a: a}
	bar := a.newWorkBar()
	defer bar.stop()
	if step := bar.step("extracting"); step != nil {
		total, err := extract.Size(ctx, f, opts)
		if err != nil {
			return err
		}
		notes.progress = func(n int64) { step(n, total) }
	}
	opts.Observer = notes
	res, err := extract.Run(ctx, o.dir, f, opts)
	bar.stop()
	notes.print()
	if err != nil {
		return err
	}
	ev := newExtractEvent(res, o.dir)
	a.emit(ev)
	a.print("%s", ev.text())
	if ev.Status != exitDone {
		return exitError(ev.Status)
	}
	return nil
}

// extractNotes shows what extract does. Notes wait where a bar stands.
type extractNotes struct {
	a        *app
	progress func(bytes int64) // nil without a bar
	waiting  []string
}

// Progress implements [extract.Observer].
func (n *extractNotes) Progress(_ string, bytes int64) {
	if n.progress != nil {
		n.progress(bytes)
	}
}

// Skipped implements [extract.Observer].
func (n *extractNotes) Skipped(s extract.Skipped) {
	n.waiting = append(n.waiting, skippedText(s))
	if n.progress == nil {
		n.print()
	}
}

func (n *extractNotes) print() {
	for _, text := range n.waiting {
		n.a.note(text)
	}
	n.waiting = nil
}

// skippedText says why an entry was left out.
func skippedText(s extract.Skipped) string {
	why := ""
	switch s.Reason {
	case extract.Unreadable:
		why = s.Err.Error()
	case extract.Incomplete:
		return fmt.Sprintf("Not all of %s could be read: %v.", s.Path, s.Err)
	case extract.LinkOutside:
		why = fmt.Sprintf("it is a link to %q, outside the folder", s.Target)
	case extract.LinkUnresolved, extract.LinkRefused:
		why = fmt.Sprintf("the link to %q cannot be made here: %v", s.Target, s.Err)
	case extract.Special:
		why = "it is a device, a pipe or a socket"
	case extract.NameRefused:
		why = "this system has no such name"
	case extract.NameTaken:
		why = "something else of that name is there"
	}
	return fmt.Sprintf("%s was left out: %s.", s.Path, why)
}
