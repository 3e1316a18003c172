package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"spindle/disc"
	"spindle/image"
	"spindle/image/audio"
	"spindle/iso"

	"github.com/spf13/cobra"
)

// fileFlags are the options of ls and extract.
type fileFlags struct {
	track int
	dir   string
	force bool
}

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
	c.Flags().IntVar(&o.track, "track", 0, "the track to look into (by default the data track that a computer shows, and all audio)")
	return c
}

func (a *app) extractCommand() *cobra.Command {
	var o fileFlags
	c := &cobra.Command{
		Use:   "extract IMAGE [PATH...]",
		Short: "Take files out of an image",
		Long: `Extract the files in an image: all of them, or those named by PATH, directories with
all that is in them. Permissions and times are kept where the image states them;
symbolic links are made when they stay inside of the folder. Nothing is ever written
outside of it.

Audio tracks come as WAVE files ("spindle convert IMAGE OUT.flac --split" makes FLAC
files of them). Of the files of a Video CD, which lie in sectors of form 2, all user
data are taken: 2324 bytes a sector, an MPEG stream that players take.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return a.runExtract(c.Context(), args[0], args[1:], o) },
	}
	f := c.Flags()
	f.IntVar(&o.track, "track", 0, "the track to look into (by default the data track that a computer shows, and all audio)")
	f.StringVarP(&o.dir, "directory", "C", ".", "the folder to extract to")
	f.BoolVar(&o.force, "force", false, "replace existing files")
	return c
}

// fileEvent is a file in JSON.
type fileEvent struct {
	Event string    `json:"event"` // file
	Path  string    `json:"path"`
	Type  string    `json:"type"` // file, directory, link, audio, other
	Size  int64     `json:"size"`
	Mode  string    `json:"mode,omitempty"`
	Time  time.Time `json:"time,omitzero"`
	Link  string    `json:"link,omitempty"`
}

// openedFiles is what ls and extract look into: a file system, audio tracks, or both.
type openedFiles struct {
	img   disc.Image
	files *image.FileSystem // nil for a disc without one
	audio []*disc.Track
}

// openFiles opens the file system of an image, of the track that is asked for or
// of that which a computer would show, and finds its audio tracks.
func openFiles(ctx context.Context, name string, track int) (*openedFiles, error) {
	img, err := openStored(name)
	if err != nil {
		return nil, err
	}
	o := &openedFiles{img: img}
	if err := o.look(ctx, name, track); err != nil {
		img.Close()
		return nil, err
	}
	return o, nil
}

func (o *openedFiles) look(ctx context.Context, name string, track int) error {
	var data *disc.Track
	for _, t := range o.img.Layout().Tracks() {
		switch {
		case track != 0 && t.Number != track:
		case !t.Mode.IsData():
			o.audio = append(o.audio, t)
		case track != 0:
			data = t
		}
	}
	if track == 0 {
		data = image.BestTrack(ctx, o.img)
	}
	if data == nil && len(o.audio) == 0 {
		return usage("%s has no track %d", name, track)
	}
	if data == nil {
		return nil
	}
	f, err := image.OpenFileSystem(ctx, o.img, data)
	if err != nil {
		return fmt.Errorf("%s, track %d: %w", name, data.Number, err)
	}
	o.files = f
	return nil
}

// audioName is the name by which an audio track is listed and extracted.
func (o *openedFiles) audioName(t *disc.Track) string {
	return fmt.Sprintf("Track %02d.wav", t.Number)
}

// below reports whether a path is one of those asked for, or lies below one.
func below(p string, wanted []string) bool {
	if len(wanted) == 0 {
		return true
	}
	for _, w := range wanted {
		if p == w || strings.HasPrefix(p, w+"/") || w == "." {
			return true
		}
	}
	return false
}

// cleanPaths brings paths as users type them into the form of entries.
func cleanPaths(args []string) []string {
	var out []string
	for _, s := range args {
		out = append(out, strings.TrimPrefix(path.Clean("/"+s), "/"))
		if out[len(out)-1] == "" {
			out[len(out)-1] = "."
		}
	}
	return out
}

// errInTheWay: a file to be extracted is there already.
var errInTheWay = errors.New("already exists")

// errNoSuchFile: a path is not in the image.
var errNoSuchFile = errors.New("not in the image")

func (a *app) runLs(ctx context.Context, name string, args []string, o fileFlags) error {
	f, err := openFiles(ctx, name, o.track)
	if err != nil {
		return err
	}
	defer f.img.Close()
	wanted := cleanPaths(args)
	found := len(wanted) == 0 || wanted[0] == "."
	list := func(e *iso.Entry) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if below(e.Path, wanted) {
			found = true
			a.list(e)
		}
		return nil
	}
	if f.files != nil {
		if err := f.files.Walk(list); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	for _, t := range f.audio {
		e := &iso.Entry{Path: f.audioName(t), Size: waveSize(t)}
		if err := list(e); err != nil {
			return err
		}
	}
	if !found {
		return fmt.Errorf("%s: %w", args[0], errNoSuchFile)
	}
	a.emit(resultEvent{"result", exitDone})
	return nil
}

// waveSize is how large a track is as a WAVE file.
func waveSize(t *disc.Track) int64 {
	return int64(t.End-t.Start)*audio.SectorSize + int64(len(audio.WaveHeader(0)))
}

func (a *app) list(e *iso.Entry) {
	ev := fileEvent{Event: "file", Path: e.Path, Size: e.Size, Time: e.ModTime, Link: e.Link, Type: "file"}
	shown, when := e.Path, e.ModTime.Format("2006-01-02 15:04")
	switch {
	case e.ModTime.IsZero():
		ev.Type, when = "audio", "audio track     "
	case e.IsDir():
		ev.Type = "directory"
		shown += "/"
	case e.Mode&fs.ModeSymlink != 0:
		ev.Type = "link"
		shown += " -> " + e.Link
	case e.Mode&fs.ModeIrregular != 0:
		ev.Type = "other"
	}
	if e.HasMode {
		ev.Mode = fmt.Sprintf("%04o", e.Mode.Perm())
	}
	a.emit(ev)
	a.print("%12d  %s  %s", e.Size, when, shown)
}

// extraction is one run of extract.
type extraction struct {
	ctx   context.Context
	a     *app
	o     fileFlags
	f     *openedFiles
	root  *os.Root // nothing is written outside of it
	files int
	bytes int64
	left  int // entries that were left out
	// unread counts the files among them whose content could not be read.
	unread int
	// times are set when all is written, for writing changes those of folders.
	times []*iso.Entry
}

func (a *app) runExtract(ctx context.Context, name string, args []string, o fileFlags) error {
	f, err := openFiles(ctx, name, o.track)
	if err != nil {
		return err
	}
	defer f.img.Close()
	if err := os.MkdirAll(o.dir, 0o777); err != nil {
		return err
	}
	root, err := os.OpenRoot(o.dir)
	if err != nil {
		return err
	}
	defer root.Close()
	x := &extraction{ctx: ctx, a: a, o: o, f: f, root: root}
	wanted := cleanPaths(args)
	seen := make(map[string]bool)
	asked := func(p string) bool {
		for _, w := range wanted {
			if below(p, []string{w}) {
				seen[w] = true
			}
		}
		return below(p, wanted)
	}
	if f.files != nil {
		err := f.files.Walk(func(e *iso.Entry) error {
			if err := ctx.Err(); err != nil || !asked(e.Path) {
				return err
			}
			return x.extract(e)
		})
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	for _, t := range f.audio {
		if !asked(f.audioName(t)) {
			continue
		}
		if err := x.audio(t); err != nil {
			return err
		}
	}
	x.setTimes()
	for _, w := range wanted {
		if !seen[w] {
			return fmt.Errorf("%s: %w", w, errNoSuchFile)
		}
	}
	status := exitDone
	if x.unread > 0 {
		status = exitFailed
	}
	a.emit(extractEvent{"result", status, x.files, x.bytes, x.left})
	a.print("%s, %s, extracted to %s", plural(x.files, "file"), megabytes(x.bytes), o.dir)
	if x.left > 0 {
		a.print("%s left out; see the notes", leftOut(x.left))
	}
	if status != exitDone {
		return exitError(status)
	}
	return nil
}

// extractEvent is the result of extract in JSON.
type extractEvent struct {
	Event  string `json:"event"` // result
	Status int    `json:"status"`
	Files  int    `json:"files"`
	Bytes  int64  `json:"bytes"`
	Left   int    `json:"left_out,omitempty"`
}

func leftOut(n int) string {
	if n == 1 {
		return "1 entry"
	}
	return fmt.Sprintf("%d entries", n)
}

// leave leaves an entry out and says why.
func (x *extraction) leave(e *iso.Entry, why string) error {
	x.left++
	x.a.note(fmt.Sprintf("%s was left out: %s.", e.Path, why))
	return nil
}

func (x *extraction) extract(e *iso.Entry) error {
	local := filepath.FromSlash(e.Path)
	if !filepath.IsLocal(local) {
		return x.leave(e, "this system has no such name")
	}
	if dir := filepath.Dir(local); dir != "." {
		if err := x.root.MkdirAll(dir, 0o777); err != nil {
			return err
		}
	}
	x.times = append(x.times, e)
	switch {
	case e.IsDir():
		if err := x.root.Mkdir(local, 0o777); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
		return nil
	case e.Mode&fs.ModeSymlink != 0:
		return x.link(e, local)
	case e.Mode&fs.ModeIrregular != 0:
		return x.leave(e, "it is a device or a pipe")
	}
	return x.file(e, local)
}

// link makes a symbolic link, when it leads to somewhere inside of the folder.
func (x *extraction) link(e *iso.Entry, local string) error {
	target := filepath.FromSlash(e.Link)
	if filepath.IsAbs(target) || !filepath.IsLocal(filepath.Join(filepath.Dir(local), target)) {
		return x.leave(e, fmt.Sprintf("it is a link to %q, outside of the folder", e.Link))
	}
	if x.o.force {
		if err := x.root.Remove(local); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if err := x.root.Symlink(target, local); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("%s %w", filepath.Join(x.o.dir, local), errInTheWay)
		}
		return err
	}
	x.files++
	return nil
}

func (x *extraction) file(e *iso.Entry, local string) error {
	return x.write(e, local, x.f.files.Open(e))
}

// write writes a file of the folder.
func (x *extraction) write(e *iso.Entry, local string, content io.Reader) error {
	if x.o.force {
		if err := x.root.Remove(local); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	w, err := x.root.OpenFile(local, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s %w", filepath.Join(x.o.dir, local), errInTheWay)
	}
	if err != nil {
		return err
	}
	r := &readErrors{ctx: x.ctx, r: content}
	n, err := io.Copy(w, r)
	if err == nil && r.err == nil && n < e.Size {
		r.err = fmt.Errorf("the image has %d bytes of it, and it has %d", n, e.Size)
	}
	if err = errors.Join(err, w.Close()); err != nil || r.err != nil {
		if rerr := x.root.Remove(local); rerr != nil { // half a file is none
			return rerr
		}
		if ctxErr := x.ctx.Err(); ctxErr != nil {
			return ctxErr
		}
		if r.err == nil {
			return fmt.Errorf("%s: %w", e.Path, err) // the disk is full, perhaps
		}
		x.unread++
		return x.leave(e, r.err.Error())
	}
	x.files++
	x.bytes += n
	return nil
}

// audio writes an audio track as a WAVE file.
func (x *extraction) audio(t *disc.Track) error {
	e := &iso.Entry{Path: x.f.audioName(t), Size: waveSize(t)}
	samples := image.Sectors(x.ctx, x.f.img, t)
	header := bytes.NewReader(audio.WaveHeader(uint32(e.Size - int64(len(audio.WaveHeader(0))))))
	return x.write(e, e.Path, io.MultiReader(header, samples))
}

// readErrors tells the errors of reading from those of writing, and ends with its
// context.
type readErrors struct {
	ctx context.Context
	r   io.Reader
	err error
}

func (r *readErrors) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		r.err = err
		return 0, err
	}
	n, err := r.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		r.err = err
	}
	return n, err
}

// setTimes sets permissions and times, of what is inside of a folder before those
// of the folder.
func (x *extraction) setTimes() {
	for i := len(x.times) - 1; i >= 0; i-- {
		e := x.times[i]
		if e.Mode&(fs.ModeSymlink|fs.ModeIrregular) != 0 {
			continue
		}
		local := filepath.FromSlash(e.Path)
		if e.HasMode {
			perm := e.Mode.Perm() | 0o200 // a disc's files are read-only, copies need not be
			if e.IsDir() {
				perm |= 0o700
			}
			_ = x.root.Chmod(local, perm) // file systems without permissions have none to lose
		}
		_ = x.root.Chtimes(local, e.ModTime, e.ModTime)
	}
}
