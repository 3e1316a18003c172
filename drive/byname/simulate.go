package byname

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"spindle/disc"
	"spindle/image"
	"spindle/internal/discfile"
	"spindle/scsi"
	"spindle/scsi/sim"
)

// A SpecError says what is wrong with the name of a simulated drive.
type SpecError struct{ Err error }

func (e *SpecError) Error() string { return e.Err.Error() }
func (e *SpecError) Unwrap() error { return e.Err }

// A DiscError says why there is no disc for a simulated drive. Its cause may be that
// the image is of another kind of disc, or any error of opening an image.
type DiscError struct {
	File string
	Err  error
}

func (e *DiscError) Error() string {
	if text := e.Err.Error(); strings.Contains(text, e.File) {
		return text
	}
	return e.File + ": " + e.Err.Error()
}
func (e *DiscError) Unwrap() error { return e.Err }

// A kindError says that an image is not of the kind of disc that the name asks for.
type kindError struct {
	Is    disc.Medium
	Media string // as in media=
}

func (e *kindError) Error() string { return fmt.Sprintf("a %s cannot be a %s", e.Is, e.Media) }

// parseSpec is [sim.ParseSpec] with a [*SpecError].
func parseSpec(text string) (sim.Spec, error) {
	s, err := sim.ParseSpec(text)
	if err != nil {
		return s, &SpecError{err}
	}
	return s, nil
}

// Simulate switches a simulated drive on, with the disc of its specification in
// it. The result is a [*sim.Drive], or a [*scsi.Replay] where the specification
// says so.
func Simulate(ctx context.Context, s sim.Spec) (scsi.Conn, error) {
	if s.Trace != "" {
		return scsi.OpenReplay(s.Trace)
	}
	cfg := s.Config
	cfg.Media = s.Media
	var err error
	switch {
	case s.File == "":
	case sim.CanWrite(s.Media) && notThere(s.File), discfile.Exists(s.File):
		cfg.Disc, err = discfile.Open(s.File, s.Media, s.Capacity)
	default:
		cfg.Image, err = openImage(ctx, s)
	}
	if err != nil {
		return nil, &DiscError{s.File, err}
	}
	return sim.New(cfg), nil
}

// Files lists the files of the disc in a simulated drive, or the trace that is played back,
// which must not be replaced while it is on. It is empty for other drives.
func Files(ctx context.Context, name string) []string {
	text, ok := strings.CutPrefix(name, simPrefix)
	if !ok {
		return nil
	}
	s, err := sim.ParseSpec(text)
	if err == nil && s.Trace != "" {
		return []string{s.Trace}
	}
	if err != nil || s.File == "" {
		return nil
	}
	files := []string{s.File}
	if img, err := image.Open(ctx, s.File); err == nil {
		files = append(files, img.Files()...)
		img.Close()
	}
	return files
}

func notThere(path string) bool {
	_, err := os.Stat(path)
	return errors.Is(err, fs.ErrNotExist)
}

// openImage opens the image of a simulated disc. An ISO is the disc of the medium
// that the specification names.
func openImage(ctx context.Context, s sim.Spec) (disc.Image, error) {
	img, err := image.Open(ctx, s.File)
	if err != nil {
		return nil, err
	}
	m, ok := sim.MediumOf(s.Media)
	if !ok || m == img.Layout().Medium {
		return img, nil
	}
	is := img.Layout().Medium
	img.Close()
	if !strings.EqualFold(filepath.Ext(s.File), ".iso") {
		return nil, &kindError{is, s.Media}
	}
	return image.OpenAs(ctx, s.File, m)
}
